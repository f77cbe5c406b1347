"""The report of a run: what the engine and the layers below it found, in one order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

import attrs

from k8snetlint.diagnostic import Confidence, Diagnostic, Incompleteness, Location, Report, Severity
from k8snetlint.engine import merged, run
from k8snetlint.source.discover import InputProblem
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Document
from k8snetlint.suppress import apply_suppressions
from k8snetlint.units.classify import objects_of
from k8snetlint.units.folders import is_below
from k8snetlint.units.unit import UnitType

from . import progress
from .pipeline import Loaded
from .repository import repository_root


@attrs.frozen
class Checked:
    """A report, and whether a check failed inside."""

    report: Report
    has_internal_error: bool


def check(loaded: Loaded, *, is_part: bool = False, with_low: bool = False, more: Sequence[Diagnostic] = ()) -> Checked:
    """Runs the checks over what is loaded; `is_part`: other units of the same files are left out.

    `more` are diagnostics of what no check sees, such as the state before a change. Diagnostics of low confidence are
    left out unless the settings are pedantic or they are asked for.
    """
    settings, rulebook = loaded.settings, loaded.rulebook
    shown = progress.current()
    on_unit = None if shown is None else shown.step
    outcome = run(loaded.found.units, rulebook, settings, with_low=True, on_unit=on_unit)
    selected = selected_rules(loaded)
    below = [
        diagnostic
        for diagnostic in (*_from_below(loaded), *_of_intents(loaded), *more)
        if diagnostic.rule in selected or diagnostic.rule not in rulebook.rules
    ]
    reasons = dict.fromkeys((*outcome.incomplete_because, *_input_reasons(loaded)))
    documents = {id(document) for unit in loaded.found.units for document in unit.documents}
    diagnostics = apply_suppressions(
        merged([*outcome.diagnostics, *below]),
        [source for source in loaded.inputs.files if not _is_context(loaded, source.path)],
        loaded.found.units,
        settings,
        rulebook,
        date.today(),
        is_whole=_is_whole(loaded) and not is_part,
    )
    # An ignore of what is not shown is of use all the same.
    if not settings.pedantic and not with_low:
        diagnostics = tuple(each for each in diagnostics if each.confidence > Confidence.LOW)
    types = {unit.name: unit.type for unit in loaded.found.units}
    diagnostics = tuple(_with_overlay(each, types) for each in diagnostics)
    if diagnostics:
        # What hashes takes as long to load as what parses YAML.
        from k8snetlint.fingerprint import with_fingerprints

        diagnostics = with_fingerprints(diagnostics, _objects_by_file(loaded), _common_path(loaded))
    report = Report(
        diagnostics=diagnostics,
        files=loaded.inputs.files,
        complete=not reasons,
        incomplete_because=tuple(reasons),
        documents=len(documents),
        resources=outcome.resources,
        rendered_by=loaded.found.programs,
    )
    return Checked(report, outcome.has_internal_error)


def selected_rules(loaded: Loaded) -> frozenset[str]:
    """The ids of the rules that are on."""
    settings = loaded.settings
    return loaded.rulebook.selected(
        settings.select, settings.extend_select, settings.ignore, pedantic=settings.pedantic
    )


def _is_context(loaded: Loaded, path: str) -> bool:
    """Whether a file is loaded and not reported on."""
    return any(is_below(path, folder) for folder in loaded.found.context)


def _with_overlay(diagnostic: Diagnostic, types: Mapping[str, UnitType]) -> Diagnostic:
    """The diagnostic with a note on the one overlay or release that it arises through, where it points elsewhere."""
    if len(diagnostic.units) != 1:
        return diagnostic
    (name,) = diagnostic.units
    if types.get(name) not in ("kustomization", "chart") or is_below(diagnostic.primary.place.source.path, name):
        return diagnostic
    return attrs.evolve(diagnostic, notes=(*diagnostic.notes, f"it arises through `{name}`"))


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
            units=problem.units,
            related=related,
            notes=problem.notes,
            help=problem.help,
        )
    for unread in loaded.inputs.problems:
        if _is_context(loaded, unread.path):
            continue
        yield _unread(unread, severities.get("TOOL002", Severity.NOTE))


def _of_intents(loaded: Loaded) -> Iterator[Diagnostic]:
    if loaded.settings.intents:
        from .intents import intent_diagnostics

        for diagnostic in intent_diagnostics(loaded):
            severity = loaded.settings.severity.get(diagnostic.rule, diagnostic.severity)
            yield attrs.evolve(diagnostic, severity=severity)


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


def _is_whole(loaded: Loaded) -> bool:
    """Whether the paths hold all that the configuration is about."""
    root = os.path.realpath(os.path.join(loaded.inputs.directory, loaded.settings.root))
    return any(os.path.commonpath([given, root]) == given for given in loaded.inputs.roots)


def _objects_by_file(loaded: Loaded) -> Callable[[SourceFile], Sequence[Document]]:
    """The objects of a file as written there: those of a unit that renders nothing, else read again."""
    known: dict[SourceFile, list[Document]] = {}
    for unit in loaded.found.units:
        if unit.type in ("plain", "alternative"):
            for document in unit.documents:
                known.setdefault(document.source, []).append(document)

    def objects(source: SourceFile) -> Sequence[Document]:
        if source not in known:
            known[source] = [item for document in parse(source).documents for item in objects_of(document)]
        return known[source]

    return objects


def _common_path(loaded: Loaded) -> Callable[[str], str]:
    """Turns a path as shown into one that does not depend on the working directory.

    It is relative to the root of the repository, else to the configuration's folder.
    """
    directory = loaded.inputs.directory
    root = repository_root(directory) or os.path.realpath(os.path.join(directory, loaded.settings.root))
    if os.path.realpath(directory) == root:
        return lambda path: path

    def common(path: str) -> str:
        return path if path == "-" else os.path.relpath(os.path.join(directory, path), root).replace(os.sep, "/")

    return common
