"""For programs: the contract `k8snetlint/report/v1`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from k8snetlint.diagnostic import Diagnostic, Fix, Incompleteness, Report, Severity, Suppression
from k8snetlint.source.text import Place

from .context import RenderContext, active, byte_count, count_of

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"


def render(report: Report, context: RenderContext) -> str:
    """The report as one JSON object."""
    counted = active(report)
    summary: dict[str, JSON] = {
        severity.label: count_of(counted, severity) for severity in sorted(Severity, reverse=True)
    }
    summary["suppressed"] = len(report.diagnostics) - len(counted)
    body: dict[str, JSON] = {
        **header("k8snetlint/report/v1", report.complete, report.incomplete_because, context.version),
        "rendered_by": list(report.rendered_by),
        "diagnostics": [_diagnostic(diagnostic, context) for diagnostic in report.diagnostics],
        "summary": summary,
        "statistics": {
            "files": len(report.files),
            "documents": report.documents,
            "resources": report.resources,
            "bytes": byte_count(report),
        },
    }
    return dumped(body)


def dumped(body: JSON) -> str:
    """JSON text with a line feed at its end. Lone surrogates and all that is not ASCII is escaped."""
    return json.dumps(body, indent=2) + "\n"


def header(schema: str, complete: bool, because: Sequence[Incompleteness], version: str) -> dict[str, JSON]:
    """The members that the outputs of all commands begin with."""
    return {
        "schema": schema,
        "version": version,
        "complete": complete,
        "incomplete_because": [
            {
                "message": reason.message,
                "unit": reason.unit,
                "location": None if reason.place is None else location(reason.place),
            }
            for reason in because
        ],
    }


def location(place: Place) -> dict[str, JSON]:
    """A place as outputs write it: 1-based code points, end exclusive."""
    source, span = place
    start, end = source.position(span.start), source.position(span.end)
    return {
        "path": source.path,
        "line": start.line,
        "column": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _diagnostic(diagnostic: Diagnostic, context: RenderContext) -> JSON:
    resource = diagnostic.resource
    return {
        "rule": diagnostic.rule,
        "name": context.rule_name(diagnostic.rule),
        "severity": diagnostic.severity.label,
        "confidence": diagnostic.confidence.label,
        "message": diagnostic.message,
        "units": list(diagnostic.units),
        "resource": None
        if resource is None
        else {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "namespace": resource.namespace,
            "name": resource.name,
        },
        "location": location(diagnostic.primary.place),
        "related": [{"label": each.label, "location": location(each.place)} for each in diagnostic.related],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "fix": None if diagnostic.fix is None else _fix(diagnostic.fix),
        "fingerprint": diagnostic.fingerprint,
        "suppressed": None if diagnostic.suppressed is None else _suppression(diagnostic.suppressed),
    }


def _fix(fix: Fix) -> JSON:
    return {
        "title": fix.title,
        "applicability": fix.applicability.value,
        "edits": [{"location": location(Place(edit.source, edit.span)), "text": edit.text} for edit in fix.edits],
    }


def _suppression(suppression: Suppression) -> JSON:
    place = suppression.place
    return {
        "kind": suppression.kind,
        "reason": suppression.reason,
        "location": None if place is None else location(place),
    }
