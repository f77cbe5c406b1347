"""For spreadsheets: a row per connection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from k8snetlint.analysis.connectivity import ConnectivityMap
from k8snetlint.formatters.escape import terminal
from k8snetlint.formatters.outcome import Outcome


def parts(shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """The map as comma-separated values with a head."""
    yield row(("source", "destination", "ports"))
    for source, reached in shown.by_source():
        yield "".join(row((source, each.destination, str(each.connections))) for each in reached)


def row(cells: Sequence[str]) -> str:
    """A line of comma-separated values; a cell that a spreadsheet would take for a formula begins with `'`."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([_bare(cell) for cell in cells])
    return buffer.getvalue()


def _bare(cell: str) -> str:
    text = terminal(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
