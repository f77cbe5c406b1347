"""One line a diagnostic, as compilers and editors know it."""

from __future__ import annotations

from k8snetlint.diagnostic import Report

from .context import RenderContext, active, summary_line
from .escape import terminal


def render(report: Report, context: RenderContext) -> str:
    """`path:line:column: severity[RULE] message` for each diagnostic, then a summary unless `quiet`."""
    rows = []
    for diagnostic in active(report):
        source, span = diagnostic.primary.place
        line, column = source.position(span.start)
        head = f"{terminal(source.path)}:{line}:{column}: {diagnostic.severity.label}[{diagnostic.rule}]"
        rows.append(f"{head} {terminal(diagnostic.message)}")
    if not context.quiet:
        rows.append(summary_line(report))
    return "".join(row + "\n" for row in rows)
