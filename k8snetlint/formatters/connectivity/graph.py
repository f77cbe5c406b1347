"""A connectivity map as nodes and edges, for the formats that are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.connectivity import ConnectivityMap, Grouped, GroupedConnection
from k8snetlint.analysis.ends import INGRESS_CONTROLLER

from . import GROUP_ABOVE

_SHOWN_MEMBERS = 8
_EVERYONE = 3  # nodes: fewer are not worth one for all of them
_EDGES = 60  # beyond, a picture cannot be read


@attrs.frozen
class Vertex:
    """A node of the picture: lines of its label, and the namespace it is drawn in; None for what is outside."""

    lines: tuple[str, ...]
    namespace: str | None

    @property
    def is_outside(self) -> bool:
        """Whether it stands for addresses or controllers outside the manifests."""
        return self.namespace is None


@attrs.frozen
class Edge:
    """A connection between two nodes, given by their numbers; both ways where `is_mutual`."""

    source: int
    destination: int
    label: str
    is_mutual: bool = False


@attrs.frozen
class Graph:
    """Nodes and edges, in order."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]

    def by_namespace(self) -> Mapping[str | None, list[int]]:
        """The numbers of the nodes by namespace, sorted; what is outside comes last."""
        found: dict[str | None, list[int]] = {}
        for number, vertex in enumerate(self.vertices):
            found.setdefault(vertex.namespace, []).append(number)
        return {key: found[key] for key in sorted(found, key=lambda key: (key is None, key or ""))}


def graph_of(shown: ConnectivityMap) -> Graph:
    """The map as a graph; sets of equal workloads are one node where there are many workloads or edges."""
    if len(shown.workloads) > GROUP_ABOVE and shown.chosen is None:
        return _of_classes(shown)
    numbers: dict[str, int] = {} if shown.chosen is not None else {name: i for i, name in enumerate(shown.workloads)}
    found: list[tuple[int, int, str]] = []
    for source, reached in shown.by_source():
        for each in reached:
            start = numbers.setdefault(source, len(numbers))
            found.append((start, numbers.setdefault(each.destination, len(numbers)), str(each.connections)))
    edges = tuple(_joined(found))
    if len(edges) > _EDGES and shown.chosen is None:
        return _of_classes(shown)
    vertices = []
    for name in numbers:
        namespace, _, rest = name.partition("/")
        vertices.append(Vertex((rest,), namespace) if "[" in rest else Vertex((name,), None))
    return Graph(tuple(vertices), edges)


def _of_classes(shown: ConnectivityMap) -> Graph:
    classes = shown.classes()
    vertices = []
    for names in classes.sets:
        namespaces = {name.partition("/")[0] if "[" in name else None for name in names}
        namespace = namespaces.pop() if len(namespaces) == 1 else "several namespaces"
        if namespace not in (None, "several namespaces"):
            names = tuple(name.partition("/")[2] for name in names)
        lines = names[:_SHOWN_MEMBERS]
        if len(names) > _SHOWN_MEMBERS:
            lines = (f"{len(names)} of:", *lines, "...")
        vertices.append(Vertex(lines, namespace))
    found = list(_without_everyone(classes, vertices))
    return Graph(tuple(vertices), tuple(_joined(found)))


def _without_everyone(classes: Grouped, vertices: list[Vertex]) -> Iterator[tuple[int, int, str]]:
    """The edges between classes. What all others reach alike is one edge, from a node of its own that is added."""
    by_destination: dict[int, list[GroupedConnection]] = {}
    for each in classes.connections:
        if each.sources != each.destinations or len(classes.sets[each.sources]) > 1:
            by_destination.setdefault(each.destinations, []).append(each)
    everyone = len(vertices)
    others = {number for number, vertex in enumerate(vertices) if vertex.lines != (INGRESS_CONTROLLER,)}
    for destination, reached in by_destination.items():
        needed = {number for number in others - {destination} if not _both_outside(vertices, number, destination)}
        common = ConnectionSet.nothing()
        if len(needed) >= _EVERYONE and needed <= {each.sources for each in reached}:
            common = ConnectionSet.everything()
            for each in reached:
                common = common & each.connections if each.sources in needed else common
        # Where nearly all have an edge of their own beside it, one for everyone only adds a line.
        if common and sum(each.connections <= common for each in reached) >= _EVERYONE:
            if len(vertices) == everyone:
                vertices.append(Vertex(("everyone",), None))
            yield everyone, destination, str(common)
        else:
            common = ConnectionSet.nothing()
        for each in reached:
            if not common or not each.connections <= common:
                yield each.sources, destination, str(each.connections)


def _both_outside(vertices: list[Vertex], first: int, second: int) -> bool:
    return vertices[first].is_outside and vertices[second].is_outside


def _joined(edges: Iterable[tuple[int, int, str]]) -> list[Edge]:
    """Edges, in which two of one label that lead there and back are one."""
    listed = list(edges)
    known = set(listed)
    found = []
    for source, destination, label in listed:
        is_mutual = source != destination and (destination, source, label) in known
        if not is_mutual or source < destination:
            found.append(Edge(source, destination, label, is_mutual))
    return found
