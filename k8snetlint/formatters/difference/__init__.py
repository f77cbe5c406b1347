"""The formats of differences between two maps, one module each: `parts(found, outcome)` yields the text in pieces."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from k8snetlint.analysis.difference import Difference
from k8snetlint.formatters.outcome import Outcome

DIFFERENCE_FORMATS = ("text", "json", "csv", "markdown", "dot")


def parts(name: str, found: Difference, outcome: Outcome) -> Iterator[str]:
    """A difference in a format of DIFFERENCE_FORMATS."""
    module = importlib.import_module(f".{name}", __name__)
    made: Iterator[str] = module.parts(found, outcome)
    return made
