"""Suppression: what the user has decided not to hear of, kept and marked, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import attrs

from k8snetlint.diagnostic import Confidence, Diagnostic, Fix, Location, Severity, Suppression
from k8snetlint.engine import order
from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import Settings
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit

from .annotations import read_annotations
from .comments import places_of, read_comments
from .configured import ConfiguredIgnores
from .directive import Directive

UNUSED, EXPIRED = "TOOL003", "TOOL004"


def apply_suppressions(
    diagnostics: Sequence[Diagnostic],
    sources: Iterable[SourceFile],
    units: Sequence[Unit],
    settings: Settings,
    rulebook: Rulebook,
    today: date,
    *,
    is_whole: bool,
) -> tuple[Diagnostic, ...]:
    """The diagnostics with those marked that comments, annotations or the configuration suppress.

    Ignores that match nothing or have expired are among the result. `is_whole`: the run covers all that the
    configuration is about, so that one of its ignores which matches nothing is of no use.
    """
    selected = rulebook.selected(settings.select, settings.extend_select, settings.ignore, pedantic=settings.pedantic)
    # Helpers of charts and files of packed ones are no inputs of their own.
    made_by = (place.source for diagnostic in diagnostics for place in places_of(diagnostic))
    directives = [directive for source in dict.fromkeys((*sources, *made_by)) for directive in read_comments(source)]
    annotations = read_annotations(units)
    configured = ConfiguredIgnores(settings, rulebook, today)
    for directive in (*directives, *annotations):
        directive.resolve(rulebook)
    by_source: dict[SourceFile, list[Directive]] = {}
    for directive in directives:
        by_source.setdefault(directive.place.source, []).append(directive)

    def suppression_of(diagnostic: Diagnostic) -> Suppression | None:
        for source in dict.fromkeys(place.source for place in places_of(diagnostic)):
            for directive in by_source.get(source, ()):
                if directive.covers(diagnostic):
                    return directive.suppression("inline")
        for directive in annotations:
            if directive.covers(diagnostic):
                return directive.suppression("annotation")
        return configured.suppression_of(diagnostic)

    result = [_marked(diagnostic, suppression_of(diagnostic)) for diagnostic in diagnostics]
    own = [unused for directive in (*directives, *annotations) for unused in _unused(directive, rulebook, selected)]
    own += configured.expired(EXPIRED)
    own += configured.unused(UNUSED, selected) if is_whole else ()
    own = [
        _levelled(diagnostic, settings, rulebook) for diagnostic in own if _is_on(diagnostic.rule, rulebook, selected)
    ]
    result += (_marked(diagnostic, suppression_of(diagnostic)) for diagnostic in own)
    return tuple(sorted(result, key=order))


def _marked(diagnostic: Diagnostic, suppression: Suppression | None) -> Diagnostic:
    if suppression is None or diagnostic.suppressed is not None:
        return diagnostic
    return attrs.evolve(diagnostic, suppressed=suppression)


def _is_on(rule: str, rulebook: Rulebook, selected: frozenset[str]) -> bool:
    return rule in selected or rule not in rulebook.rules


def _levelled(diagnostic: Diagnostic, settings: Settings, rulebook: Rulebook) -> Diagnostic:
    info = rulebook.rules.get(diagnostic.rule)
    severity = settings.severity.get(diagnostic.rule) or (
        settings.severity.get(info.name) if info is not None else None
    )
    return diagnostic if severity is None else attrs.evolve(diagnostic, severity=severity)


def _unused(directive: Directive, rulebook: Rulebook, selected: frozenset[str]) -> Iterable[Diagnostic]:
    """What is wrong with a directive: misplaced, of no rule, or matching nothing."""
    message: str | None = None
    help_ = "remove it"
    if directive.problem is not None:
        message, help_ = directive.problem
    else:
        unknown = [selector for selector in directive.selectors if not rulebook.resolve(selector)]
        idle = [
            selector
            for selector in directive.selectors
            if selector not in directive.used and rulebook.resolve(selector) & selected
        ]
        if unknown:
            message, help_ = f"this ignore names `{unknown[0]}`, which is no rule", "name a rule's id or name"
        elif idle and len(idle) == len(directive.selectors):
            message = f"this ignore matches nothing: {_listed(idle)} is not reported here"
        elif idle:
            message, help_ = f"this ignore is in part unused: {_listed(idle)} is not reported here", "shorten its list"
    if message is None:
        return
    fix = Fix("Remove the comment", (directive.removal,), directive.applicability) if directive.removal else None
    yield Diagnostic(
        rule=UNUSED,
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        message=message,
        primary=Location(directive.place),
        help=help_,
        fix=fix if message.startswith("this ignore matches nothing") else None,
    )


def _listed(selectors: Sequence[str]) -> str:
    return ", ".join(f"`{selector}`" for selector in selectors)
