"""What controllers apply from this tree, as units: which of it counts, and under which name."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import attrs

from k8snetlint.source.tree import QUOTED, Document, Node

from .gitops import Application, Origin, Taken
from .unit import Unit


@attrs.frozen
class Applied:
    """A folder that a controller applies; `way` are the objects that lead to it, its own the last."""

    application: Application
    taken: Taken
    unit: Unit
    way: tuple[Origin, ...]


def outermost(found: Sequence[Applied]) -> list[Applied]:
    """What is applied, each by the longest way to it: an object that a controller applies is no beginning."""
    inner: dict[Origin, set[Origin]] = {}
    for each in found:
        if len(each.way) > 1:
            inner.setdefault(each.way[-1], set()).add(each.way[0])
    dropped: set[Origin] = set()
    for each in found:
        origin = each.way[0]
        if len(each.way) == 1 and inner.get(origin, set()) - dropped - {origin}:
            dropped.add(origin)
    return [each for each in found if each.way[0] not in dropped]


def named(found: Sequence[Applied]) -> tuple[list[Unit], Taken]:
    """The units of applications, each named after its folder, and after its object where several have it."""
    different: list[Applied] = []
    for each in found:
        if not any(each.application.is_like(other.application) for other in different):
            different.append(each)
    times = Counter(each.application.folder for each in different)
    units: dict[str, Unit] = {}
    for each in different:
        name = each.application.folder or "."
        if times[name] > 1:
            name = f"{name}:{each.application.name}"
        while name in units:
            name += "+"
        reasons = tuple(attrs.evolve(reason, unit=name) for reason in each.unit.incomplete_because)
        units[name] = attrs.evolve(each.unit, name=name, incomplete_because=reasons)
    kustomizations = {
        directory for each in found for directory in (*each.taken.kustomizations, *each.application.components())
    }
    files = {source for each in found for source in each.taken.files}
    return list(units.values()), Taken(tuple(kustomizations), tuple(files))


class Made(NamedTuple):
    """An object as a unit has it, and as it is in the namespace that it goes to."""

    document: Document
    moved: Document


def made_by(documents: Sequence[Document], made: Mapping[int, tuple[Made, ...]]) -> tuple[Document, ...]:
    """What controllers apply for some objects, what they apply for these, and so on; none of those given.

    `made` has what is made for an object, by the identity of its root.
    """
    seen = {id(document) for document in documents}
    found: list[Document] = []
    pending = deque(documents)
    while pending:
        for document, moved in made.get(id(pending.popleft().root), ()):
            if id(document) not in seen:
                seen.add(id(document))
                found.append(moved)
                pending.append(document)
    return tuple(found)


def within(documents: Sequence[Document], namespace: str | None, given_by: Node) -> tuple[Made, ...]:
    """Objects as they are made, and with the namespace that those get which name none."""
    if namespace is None:
        return tuple(Made(document, document) for document in documents)
    from .kustomize.data import CLUSTER_SCOPED
    from .kustomize.resource import Resource
    from .kustomize.transform import in_namespace

    value = Node(namespace, given_by.start, given_by.start, given_by.source, QUOTED)
    found: list[Made] = []
    for document in documents:
        moved = document
        resource = Resource(document.root)
        if (
            document.root.get("metadata", "namespace") is None
            and (resource.id.group, resource.id.kind) not in CLUSTER_SCOPED
        ):
            (resource,) = in_namespace([resource], value)
            moved = Document(document.index, resource.root, document.comment_start)
        found.append(Made(document, moved))
    return tuple(found)
