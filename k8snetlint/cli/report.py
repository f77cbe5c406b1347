"""The report of a run: what the engine and the layers below it found, in one order."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.diagnostic import Confidence, Diagnostic, Incompleteness, Location, Report, Severity
from k8snetlint.engine import merged, run
from k8snetlint.source.discover import InputProblem

from .pipeline import Loaded


@attrs.frozen
class Checked:
    """A report, and whether a check failed inside."""

    report: Report
    has_internal_error: bool


def check(loaded: Loaded) -> Checked:
    """Runs the checks over what is loaded."""
    settings, rulebook = loaded.settings, loaded.rulebook
    outcome = run(loaded.found.units, rulebook, settings)
    selected = rulebook.selected(settings.select, settings.extend_select, settings.ignore, pedantic=settings.pedantic)
    below = [
        diagnostic
        for diagnostic in _from_below(loaded)
        if diagnostic.rule in selected or diagnostic.rule not in rulebook.rules
        if settings.pedantic or diagnostic.confidence > Confidence.LOW
    ]
    reasons = dict.fromkeys((*outcome.incomplete_because, *_input_reasons(loaded)))
    documents = {id(document) for unit in loaded.found.units for document in unit.documents}
    report = Report(
        diagnostics=merged([*outcome.diagnostics, *below]),
        files=loaded.inputs.files,
        complete=not reasons,
        incomplete_because=tuple(reasons),
        documents=len(documents),
        resources=outcome.resources,
    )
    return Checked(report, outcome.has_internal_error)


def _from_below(loaded: Loaded) -> Iterator[Diagnostic]:
    """The diagnostics of reading inputs and finding units."""
    severities = loaded.settings.severity
    for problem in loaded.found.problems:
        related = () if problem.related is None else (Location(problem.related, problem.related_label),)
        yield Diagnostic(
            rule=problem.rule,
            severity=severities.get(problem.rule, problem.severity),
            confidence=problem.confidence,
            message=problem.message,
            primary=Location(problem.place),
            related=related,
            help=problem.help,
        )
    for unread in loaded.inputs.problems:
        yield _unread(unread, severities.get("TOOL002", Severity.NOTE))


def _unread(problem: InputProblem, severity: Severity) -> Diagnostic:
    return Diagnostic(
        rule="TOOL002",
        severity=severity,
        confidence=Confidence.HIGH,
        message=problem.message,
        primary=Location(problem.place),
        help=problem.help,
    )


def _input_reasons(loaded: Loaded) -> Iterator[Incompleteness]:
    said = {reason.message for unit in loaded.found.units for reason in unit.incomplete_because}
    for problem in loaded.inputs.problems:
        if problem.message not in said:
            yield Incompleteness(problem.message, None, problem.place)
