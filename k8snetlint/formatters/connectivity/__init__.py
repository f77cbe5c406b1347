"""The formats of connectivity maps, one module each: `parts(map, outcome)` yields the text of one in pieces."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from k8snetlint.analysis.connectivity import ConnectivityMap
from k8snetlint.formatters.outcome import Outcome

MAP_FORMATS = ("text", "json", "csv", "markdown", "dot", "mermaid", "svg")
GROUP_ABOVE = 50  # workloads: beyond, text and pictures show sets of equal ones


def parts(name: str, shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """A map in a format of MAP_FORMATS but svg, which is dot drawn by graphviz."""
    module = importlib.import_module(f".{name}", __name__)
    found: Iterator[str] = module.parts(shown, outcome)
    return found
