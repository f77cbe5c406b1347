"""Markdown, for comments on pull requests and job summaries."""

from __future__ import annotations

from k8snetlint.diagnostic import Diagnostic, Report

from .context import RenderContext, active, summary_line
from .escape import markdown, markdown_code


def render(report: Report, context: RenderContext) -> str:
    """A heading, the summary, a table of the diagnostics, and what was not analysed."""
    rows = ["# k8snetlint", "", f"{markdown(summary_line(report).capitalize())}."]
    counted = active(report)
    if counted:
        rows += ["", "| Place | Severity | Rule | What is wrong |", "|---|---|---|---|"]
        rows += (_row(diagnostic, context) for diagnostic in counted)
    reasons = list(dict.fromkeys(reason.message for reason in report.incomplete_because))
    if reasons:
        rows += ["", "Not everything was analysed:", ""]
        rows += (f"- {markdown(reason)}" for reason in reasons)
    return "\n".join(rows) + "\n"


def _row(diagnostic: Diagnostic, context: RenderContext) -> str:
    source, span = diagnostic.primary.place
    line, column = source.position(span.start)
    text = markdown(diagnostic.message)
    if diagnostic.help is not None:
        text += f"<br>Help: {markdown(diagnostic.help)}"
    rule = f"{diagnostic.rule} {context.rule_name(diagnostic.rule)}"
    place = markdown_code(f"{source.path}:{line}:{column}")
    return f"| {place} | {diagnostic.severity.label} | {markdown(rule)} | {text} |"
