"""For spreadsheets: a row per change."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.difference import Difference
from k8snetlint.formatters.connectivity.csv import row
from k8snetlint.formatters.outcome import Outcome


def parts(found: Difference, outcome: Outcome) -> Iterator[str]:
    """The changes as comma-separated values with a head."""
    yield row(("type", "source", "destination", "old", "new"))
    for each in found.changes:
        yield row((each.type, each.source, each.destination, str(each.old), str(each.new)))
