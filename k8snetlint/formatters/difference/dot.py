"""For graphviz: what was added in green, removed in red, changed in amber."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.difference import Difference
from k8snetlint.formatters.connectivity.dot import HEAD, nodes, quoted
from k8snetlint.formatters.connectivity.graph import Graph, Vertex
from k8snetlint.formatters.outcome import Outcome

_COLOURS = {"added": "#2e8540", "removed": "#c0392b", "changed": "#b5762a"}


def parts(found: Difference, outcome: Outcome) -> Iterator[str]:
    """The changes as a directed graph in the language of graphviz."""
    numbers: dict[str, int] = {}
    for name in (*found.added, *found.removed):
        numbers.setdefault(name, len(numbers))
    for each in found.changes:
        numbers.setdefault(each.source, len(numbers))
        numbers.setdefault(each.destination, len(numbers))
    signs = {**dict.fromkeys(found.added, "+ "), **dict.fromkeys(found.removed, "- ")}
    vertices = []
    for name in numbers:
        namespace, _, rest = name.partition("/")
        sign = signs.get(name, "")
        vertices.append(Vertex((sign + rest,), namespace) if "[" in rest else Vertex((name,), None))
    yield HEAD
    yield from nodes(Graph(tuple(vertices), ()))
    for each in found.changes:
        label = {"added": str(each.new), "removed": str(each.old)}.get(each.type, f"{each.old} => {each.new}")
        colour = _COLOURS[each.type]
        yield (
            f"  n{numbers[each.source]} -> n{numbers[each.destination]} [label={quoted((label,))}, "
            f'color="{colour}", fontcolor="{colour}"{", style=dashed" if each.type == "removed" else ""}];\n'
        )
    yield "}\n"
