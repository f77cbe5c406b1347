"""For people at a terminal: a line per change."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.difference import Difference
from k8snetlint.formatters.escape import terminal
from k8snetlint.formatters.outcome import Outcome

from .markdown import summary

_MARKS = {"added": ("+", "32"), "removed": ("-", "31"), "changed": ("~", "33")}


def parts(found: Difference, outcome: Outcome) -> Iterator[str]:
    """The changes as lines, workloads first, and a count."""
    for name in found.added:
        yield outcome.paint(f"+ workload {terminal(name)}", "32") + "\n"
    for name in found.removed:
        yield outcome.paint(f"- workload {terminal(name)}", "31") + "\n"
    left = max((len(terminal(each.source)) for each in found.changes), default=0)
    right = max((len(terminal(each.destination)) for each in found.changes), default=0)
    for each in found.changes:
        mark, colour = _MARKS[each.type]
        ports = {"added": str(each.new), "removed": str(each.old)}.get(each.type, f"{each.old}  =>  {each.new}")
        line = f"{mark} {terminal(each.source):<{left}} -> {terminal(each.destination):<{right}}  {ports}"
        yield outcome.paint(line, colour) + "\n"
    if not outcome.quiet:
        yield f"{summary(found)}\n"
    tail = outcome.tail()
    if tail:
        yield "\n" + "\n".join(tail) + "\n"
