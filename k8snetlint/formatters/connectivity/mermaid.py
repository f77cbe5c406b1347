"""For Markdown pages that draw: a mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.analysis.connectivity import ConnectivityMap
from k8snetlint.formatters.escape import terminal
from k8snetlint.formatters.outcome import Outcome

from .graph import graph_of


def parts(shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """The map as a flowchart, namespaces as subgraphs."""
    graph = graph_of(shown)
    yield "flowchart LR\n"
    for number, (namespace, members) in enumerate(graph.by_namespace().items()):
        indent = "  "
        if namespace is not None:
            yield f"  subgraph s{number}[{_quoted((namespace,))}]\n"
            indent = "    "
        for member in members:
            vertex = graph.vertices[member]
            opening, closing = ("([", "])") if vertex.is_outside else ("[", "]")
            yield f"{indent}n{member}{opening}{_quoted(vertex.lines)}{closing}\n"
        if namespace is not None:
            yield "  end\n"
    for edge in graph.edges:
        arrow = "<-->" if edge.is_mutual else "-->"
        yield f"  n{edge.source} {arrow}|{_quoted((edge.label,))}| n{edge.destination}\n"


def _quoted(lines: Iterable[str]) -> str:
    # Mermaid reads entities written with a number sign; everything else that could end a label is one of these.
    bare = (terminal(line) for line in lines)
    codes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"}
    return '"' + "<br/>".join("".join(codes.get(char, char) for char in line) for line in bare) + '"'
