"""GitLab's code quality report."""

from __future__ import annotations

from k8snetlint.diagnostic import Report, Severity

from .context import RenderContext, active
from .json import JSON, dumped

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(report: Report, context: RenderContext) -> str:
    """A JSON list of the diagnostics that count. Paths are relative to the repository's root."""
    entries: list[JSON] = []
    for diagnostic in active(report):
        source, span = diagnostic.primary.place
        start, end = source.position(span.start), source.position(span.end)
        entries.append(
            {
                "description": f"{diagnostic.rule}: {diagnostic.message}",
                "check_name": context.rule_name(diagnostic.rule),
                "fingerprint": diagnostic.fingerprint,
                "severity": _SEVERITIES[diagnostic.severity],
                "location": {
                    "path": context.repository_path(source.path),
                    "positions": {
                        "begin": {"line": start.line, "column": start.column},
                        "end": {"line": end.line, "column": end.column},
                    },
                },
            }
        )
    return dumped(entries)
