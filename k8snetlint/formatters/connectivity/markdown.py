"""For comments and documents: a table."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.connectivity import ConnectivityMap
from k8snetlint.formatters.escape import markdown as escaped
from k8snetlint.formatters.escape import markdown_code
from k8snetlint.formatters.outcome import Outcome, reason_text


def parts(shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """The map as a Markdown table."""
    yield "| Source | Destination | Ports |\n|---|---|---|\n"
    for source, reached in shown.by_source():
        cell = markdown_code(source)
        yield "".join(f"| {cell} | {markdown_code(each.destination)} | {each.connections} |\n" for each in reached)
    yield from incomplete(outcome)


def incomplete(outcome: Outcome) -> Iterator[str]:
    """What was not analysed, as a list."""
    if outcome.incomplete_because:
        yield "\nNot everything was analysed:\n\n"
        for reason in dict.fromkeys(outcome.incomplete_because):
            yield f"- {escaped(reason_text(reason))}\n"
