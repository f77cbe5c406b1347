"""JUnit XML: a suite for each file, a case for each diagnostic."""

from __future__ import annotations

from k8snetlint.diagnostic import Diagnostic, Report, Severity

from .context import RenderContext
from .escape import xml


def render(report: Report, context: RenderContext) -> str:
    """Errors and warnings are failures; notes pass, with output; what is suppressed is skipped.

    A file with nothing to say is one case that passes.
    """
    by_path: dict[str, list[Diagnostic]] = {source.path: [] for source in report.files}
    for diagnostic in report.diagnostics:
        by_path.setdefault(diagnostic.primary.place.source.path, []).append(diagnostic)
    rows: list[str] = []
    tests = failures = skipped = 0
    for path, diagnostics in sorted(by_path.items()):
        suppressed = sum(diagnostic.suppressed is not None for diagnostic in diagnostics)
        failed = sum(
            diagnostic.suppressed is None and diagnostic.severity > Severity.NOTE for diagnostic in diagnostics
        )
        count = max(len(diagnostics), 1)
        tests, failures, skipped = tests + count, failures + failed, skipped + suppressed
        rows.append(
            f'  <testsuite name="{xml(path)}" tests="{count}" failures="{failed}" errors="0" skipped="{suppressed}">'
        )
        if not diagnostics:
            rows.append(f'    <testcase classname="{xml(path)}" name="no problems found"/>')
        for diagnostic in diagnostics:
            rows += _case(diagnostic, path, context)
        rows.append("  </testsuite>")
    head = f'<testsuites name="k8snetlint" tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *rows, "</testsuites>", ""])


def _is_failure(diagnostic: Diagnostic) -> bool:
    return diagnostic.suppressed is None and diagnostic.severity > Severity.NOTE


def _case(diagnostic: Diagnostic, path: str, context: RenderContext) -> list[str]:
    source, span = diagnostic.primary.place
    line, column = source.position(span.start)
    name = f"{diagnostic.rule} {context.rule_name(diagnostic.rule)} at {line}:{column}"
    body = f"{path}:{line}:{column}: {diagnostic.message}"
    body += "".join(f"\nnote: {note}" for note in diagnostic.notes)
    if diagnostic.help is not None:
        body += f"\nhelp: {diagnostic.help}"
    if diagnostic.suppressed is not None:
        why = diagnostic.suppressed.reason or diagnostic.suppressed.kind
        inside = f'<skipped message="{xml(why)}"/>'
    elif _is_failure(diagnostic):
        level = diagnostic.severity.label
        inside = f'<failure type="{level}" message="{xml(diagnostic.message)}">{xml(body)}</failure>'
    else:
        inside = f"<system-out>{xml(body)}</system-out>"
    return [f'    <testcase classname="{xml(path)}" name="{xml(name)}">', f"      {inside}", "    </testcase>"]
