"""Workflow commands of GitHub Actions: each becomes an annotation at its line."""

from __future__ import annotations

from k8snetlint.diagnostic import Diagnostic, Report, Severity

from .context import RenderContext, active, plural, summary_line
from .escape import workflow_data, workflow_property

# GitHub shows no more annotations of a level for a step.
_SHOWN = 10
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report, context: RenderContext) -> str:
    """The ten diagnostics of each level that are surest, how many more there are, and a summary."""
    rows: list[str] = []
    counted = active(report)
    for severity in sorted(Severity, reverse=True):
        of_level = [diagnostic for diagnostic in counted if diagnostic.severity is severity]
        surest = sorted(of_level, key=lambda diagnostic: -diagnostic.confidence)[:_SHOWN]
        rows += (_command(diagnostic, context) for diagnostic in surest)
        if len(of_level) > _SHOWN:
            rows.append(f"and {plural(len(of_level) - _SHOWN, f'more {severity.label}')}")
    if not context.quiet:
        rows.append(summary_line(report))
    return "".join(row + "\n" for row in rows)


def _command(diagnostic: Diagnostic, context: RenderContext) -> str:
    source, span = diagnostic.primary.place
    start, end = source.position(span.start), source.position(span.end)
    properties = {
        "file": context.repository_path(source.path),
        "line": str(start.line),
        "endLine": str(end.line),
        "title": f"{diagnostic.rule} {context.rule_name(diagnostic.rule)}",
    }
    if start.line == end.line:
        properties |= {"col": str(start.column), "endColumn": str(end.column)}
    joined = ",".join(f"{name}={workflow_property(value)}" for name, value in properties.items())
    text = diagnostic.message
    if diagnostic.help is not None:
        text += f"\nhelp: {diagnostic.help}"
    return f"::{_COMMANDS[diagnostic.severity]} {joined}::{workflow_data(text)}"
