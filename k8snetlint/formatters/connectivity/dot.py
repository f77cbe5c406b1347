"""For graphviz: namespaces as clusters, what is outside apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.analysis.connectivity import ConnectivityMap
from k8snetlint.formatters.escape import terminal
from k8snetlint.formatters.outcome import Outcome

from .graph import Graph, graph_of

HEAD = """\
digraph connectivity {
  rankdir=LR; nodesep=0.3; ranksep=1.0; compound=true;
  fontname="Helvetica"; fontsize=12; labeljust=l;
  node [shape=box, style="rounded,filled", fillcolor="#eaf2fb", color="#3b6ea5", fontname="Helvetica", fontsize=11];
  edge [color="#555555", fontname="Helvetica", fontsize=9];
"""


def parts(shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """The map as a directed graph in the language of graphviz."""
    graph = graph_of(shown)
    yield HEAD
    yield from nodes(graph)
    for edge in graph.edges:
        way = ", dir=both" if edge.is_mutual else ""
        ends = (graph.vertices[edge.source], graph.vertices[edge.destination])
        colour = ', color="#b5762a"' if any(vertex.is_outside for vertex in ends) else ""
        yield f"  n{edge.source} -> n{edge.destination} [label={quoted((edge.label,))}{way}{colour}];\n"
    yield "}\n"


def nodes(graph: Graph) -> Iterator[str]:
    """The nodes of a graph, those of one namespace together."""
    for number, (namespace, members) in enumerate(graph.by_namespace().items()):
        indent = "  "
        if namespace is not None:
            yield f'  subgraph cluster_{number} {{\n    label={quoted((namespace,))}; color="#9ab3cc"; style=rounded;\n'
            indent = "    "
        for member in members:
            vertex = graph.vertices[member]
            shape = ' shape=ellipse, fillcolor="#fdf1e3", color="#b5762a",' if vertex.is_outside else ""
            yield f"{indent}n{member} [{shape.lstrip()}{' ' if shape else ''}label={quoted(vertex.lines)}];\n"
        if namespace is not None:
            yield "  }\n"


def quoted(lines: Iterable[str]) -> str:
    """Lines of text as one label."""
    bare = (terminal(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(bare) + '"'
