"""For the comment on a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from k8snetlint.analysis.difference import Difference
from k8snetlint.formatters.connectivity.markdown import incomplete
from k8snetlint.formatters.escape import markdown_code
from k8snetlint.formatters.outcome import Outcome


def parts(found: Difference, outcome: Outcome) -> Iterator[str]:
    """The difference with a heading that counts, a table, and the workloads that came and went."""
    yield f"### Network connections: {summary(found)}\n"
    for word, names in (("added", found.added), ("removed", found.removed)):
        if names:
            yield f"\nWorkloads {word}: {', '.join(map(markdown_code, names))}\n"
    if found.changes:
        yield "\n| | Source | Destination | Old | New |\n|---|---|---|---|---|\n"
        for each in found.changes:
            ends = f"{markdown_code(each.source)} | {markdown_code(each.destination)}"
            yield f"| {each.type} | {ends} | {each.old} | {each.new} |\n"
    yield from incomplete(outcome)


def summary(found: Difference) -> str:
    """The numbers of changes, or that there are none."""
    counts = Counter(each.type for each in found.changes)
    parts_ = [f"{counts[word]:,} {word}" for word in ("added", "removed", "changed") if counts[word]]
    if parts_:
        return ", ".join(parts_)
    return "no difference" if found.is_empty else "the same, but not the workloads"
