"""Runs the checks of the selected rules over units, and turns a crash into a diagnostic."""

from __future__ import annotations

import importlib
import posixpath
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import attrs

from .diagnostic import (
    Applicability,
    Confidence,
    Diagnostic,
    Fix,
    Incompleteness,
    Location,
    Severity,
)
from .model.build import build_cluster
from .model.cluster import Cluster
from .model.core import Resource
from .model.workloads import Workload
from .rulebook import Rulebook, RuleInfo
from .settings import Settings
from .source.edit import Edit
from .source.text import Place, Span
from .source.tree import Node
from .units.classify import CHART_NAME, KUSTOMIZATION_NAMES
from .units.unit import Unit

INTERNAL_ERROR = "TOOL001"
WORKLOAD = "workload"  # among a rule's kinds: every kind that makes pods
MAX_ORIGINS = 3
REPORT_ADDRESS = "https://github.com/k8snetlint/k8snetlint/issues"

Check = Callable[..., Iterator[Diagnostic]]
T = TypeVar("T")

_RESOURCE_CHECKS: dict[str, Check] = {}
_CLUSTER_CHECKS: dict[str, Check] = {}


def check(rule: str) -> Callable[[Check], Check]:
    """Registers a check that is called with each object of its rule's kinds and a Context."""

    def register(function: Check) -> Check:
        _RESOURCE_CHECKS[rule] = function
        return function

    return register


def cluster_check(rule: str) -> Callable[[Check], Check]:
    """Registers a check that is called once a unit, with a Context alone."""

    def register(function: Check) -> Check:
        _CLUSTER_CHECKS[rule] = function
        return function

    return register


class Memory:
    """What the checks of one unit share: each value is computed once, when first asked for."""

    def __init__(self) -> None:
        self._values: dict[object, object] = {}

    def once(self, compute: Callable[..., T], *arguments: object) -> T:
        """The value that a function computes of its arguments, which are the same each time."""
        if compute not in self._values:
            self._values[compute] = compute(*arguments)
        return self._values[compute]  # type: ignore[return-value]  # what this very function returned


class Context:
    """What a check sees: the cluster, the unit, the settings and its rule. Makes its diagnostics."""

    def __init__(self, rule: RuleInfo, unit: Unit, cluster: Cluster, settings: Settings, memory: Memory) -> None:
        self.rule = rule
        self.unit = unit
        self.cluster = cluster
        self.settings = settings
        self._memory = memory

    def once(self, compute: Callable[[Cluster, Settings], T]) -> T:
        """The value that a module-level function computes of the cluster, once for all checks of the unit."""
        return self._memory.once(compute, self.cluster, self.settings)

    def shared(self, compute: Callable[[Context], T]) -> T:
        """As `once`, for a function of what all checks of the unit see: it must not look at the rule."""
        return self._memory.once(compute, self)

    def option(self, name: str, default: int) -> int:
        """An option of the rule, as configured; the default where it is not. Its document has to name the option."""
        if name not in self.rule.options:
            raise ValueError(f"the document of {self.rule.id} names no option `{name}`")
        return self.settings.rule_options.get(self.rule.id, {}).get(name, default)

    def location(self, resource: Resource, *path: str | int, label: str | None = None, key: bool = False) -> Location:
        """The place of the value at a path of an object, or of its key; of the deepest key on the way where it is missing.

        Manifests may hold anything: a place that a check takes for granted need not be there.
        """
        try:
            node = resource.root.key_at(*path) if key else resource.root.at(*path)
        except KeyError:
            return self.near(resource, *path, label=label)
        place = _first_line(node.place) if not node.is_mapping and not node.is_sequence else _opening(node)
        return Location(place, label, node.via)

    def near(self, resource: Resource, *path: str | int, label: str | None = None) -> Location:
        """The place of the deepest key on the way to a path: where to point when a field is missing."""
        node = resource.root.nearest(*path)
        return Location(_first_line(node.place), label, node.via)

    def report(
        self,
        resource: Resource,
        *path: str | int,
        message: str,
        label: str | None = None,
        primary: Location | None = None,
        key: bool = False,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        related: Iterable[Location] = (),
        notes: Iterable[str] = (),
        help: str | None = None,  # noqa: A002 (the word of the diagnostics)
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A diagnostic at a path of an object; at its name without one; at `primary` where the place is not a value."""
        place = primary or self._primary(resource, path, key, label)
        if not path and primary is None:
            place = as_object(place)
        return Diagnostic(
            rule=self.rule.id,
            severity=severity or self.rule.severity,
            confidence=confidence or self.rule.confidence,
            message=message,
            primary=place,
            resource=resource.id,
            path=path,
            units=(self.unit.name,),
            related=(*related, *origins(place)),
            notes=tuple(notes),
            help=help,
            fix=fix,
        )

    def _primary(self, resource: Resource, path: tuple[str | int, ...], key: bool, label: str | None) -> Location:
        if path:
            return self.location(resource, *path, label=label, key=key)
        for fallback in (("metadata", "name"), ("metadata", "generateName"), ("kind",)):
            if resource.root.get(*fallback) is not None:
                return self.location(resource, *fallback, label=label)
        return self.near(resource, "kind", label=label)

    def fix(self, title: str, *edits: Edit | None) -> Fix | None:
        """A fix of the rule's applicability; None if an edit could not be made (the value stands elsewhere)."""
        if not edits or any(edit is None or not _can_be_made(edit) for edit in edits):
            return None
        made = tuple(_with_line_ends(edit) for edit in edits if edit)
        return Fix(title, made, self.rule.fix or Applicability.UNSAFE)

    def replace(self, resource: Resource, *path: str | int, text: str) -> Edit | None:
        """The edit that writes a text in place of the scalar at a path; None where the value is not written there."""
        node = resource.root.get(*path)
        if node is None or node.via or node.is_mapping or node.is_sequence:
            return None
        return Edit(node.source, node.span, text)


def _with_line_ends(edit: Edit) -> Edit:
    """The edit with the line ends of its file."""
    if "\n" not in edit.text or "\r\n" not in edit.source.text:
        return edit
    return edit._replace(text=edit.text.replace("\n", "\r\n"))


def _can_be_made(edit: Edit) -> bool:
    """Whether an edit leaves the actions of a template alone, and is of a file and not of a part of a packed chart."""
    if ".tgz/" in edit.source.path:
        return False
    text = edit.source.text
    start, end = edit.span
    if "{{" not in text:
        return True
    is_inside = text.rfind("{{", 0, start) > text.rfind("}}", 0, start)
    return not is_inside and "{{" not in text[start:end]


def _first_line(place: Place) -> Place:
    """A place, cut at the end of its first line: underlines do not span lines."""
    text = place.source.text
    start, end = place.span
    for ending in ("\n", "\r"):
        found = text.find(ending, start, end)
        if found >= 0:
            end = found
    return Place(place.source, Span(start, max(end, start)))


def _opening(node: Node) -> Place:
    """Where a collection begins: its first line without trailing blanks."""
    place = _first_line(node.place)
    text = place.text
    return Place(place.source, Span(place.span.start, place.span.start + len(text.rstrip())))


def as_object(location: Location) -> Location:
    """Where an object as a whole is pointed at: the template that prints its name rather than the value of the name.

    What changed the name on the way says nothing about the object.
    """
    action = next((place for place in reversed(location.via) if _is_action(place)), None)
    is_printed = "{{" in location.place.text
    return Location(location.place if is_printed or action is None else _first_line(action), location.label)


def origins(location: Location) -> Iterator[Location]:
    """The places that made what stands at a location, as a reader is shown them."""
    is_printed = "{{" in location.place.text
    shown = {(location.place.source, location.place.span.start)}
    for place in location.via:
        start = (place.source, place.span.start)
        if start in shown or len(shown) > MAX_ORIGINS:
            continue
        shown.add(start)
        label = "patched here"
        if is_printed and "templates/" not in place.source.path:
            if posixpath.basename(place.source.path) == CHART_NAME:
                continue
            label = "with this value"
        elif _is_action(place):
            label = "rendered here"
        elif posixpath.basename(place.source.path) in KUSTOMIZATION_NAMES:
            label = "changed here"
        yield Location(_first_line(place), label)


def _is_action(place: Place) -> bool:
    return place.text.startswith("{{")


@attrs.frozen
class Outcome:
    """What the checks found over all units, in the order of files and places."""

    diagnostics: tuple[Diagnostic, ...]
    incomplete_because: tuple[Incompleteness, ...]
    has_internal_error: bool
    resources: int


def run(
    units: Sequence[Unit],
    rulebook: Rulebook,
    settings: Settings,
    *,
    with_low: bool = False,
    on_unit: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Checks units. A diagnostic met in several units is one that names them all.

    Those of low confidence are left out unless the settings are pedantic or they are asked for. `on_unit` is told
    before each unit how many of how many are done.
    """
    selected = rulebook.selected(settings.select, settings.extend_select, settings.ignore, pedantic=settings.pedantic)
    rules = [info for id_, info in rulebook.rules.items() if id_ in selected and info.check is not None]
    found: list[Diagnostic] = []
    reasons: list[Incompleteness] = []
    resources = 0
    for index, unit in enumerate(units):
        if on_unit is not None:
            on_unit(index, len(units))
        within = unit.settings_within(settings)
        cluster = build_cluster(unit.documents, within, unit.context)
        resources += len(cluster.resources)
        reasons += unit.incomplete_because
        found += _check_unit(unit, cluster, rules, within)
    found = [_with_configured_severity(diagnostic, settings.severity, rulebook) for diagnostic in found]
    if not settings.pedantic and not with_low:
        found = [diagnostic for diagnostic in found if diagnostic.confidence > Confidence.LOW]
    has_internal_error = any(diagnostic.rule == INTERNAL_ERROR for diagnostic in found)
    return Outcome(merged(found), tuple(reasons), has_internal_error, resources)


def _check_unit(unit: Unit, cluster: Cluster, rules: list[RuleInfo], settings: Settings) -> Iterator[Diagnostic]:
    memory = Memory()
    names: dict[str, list[Resource]] = {}
    for resource in cluster.resources:
        if not cluster.is_context(resource):
            names.setdefault(f"{resource.group or 'v1'}/{resource.kind}", []).append(resource)
            if isinstance(resource, Workload):
                names.setdefault(WORKLOAD, []).append(resource)
    for info in rules:
        present = [kind for kind in info.kinds if kind in names]
        if info.kinds and not present:
            continue
        importlib.import_module(f"k8snetlint.checks.{info.check}")
        context = Context(info, unit, cluster, settings, memory)
        cluster_function = _CLUSTER_CHECKS.get(info.id)
        if cluster_function is not None:
            yield from _guarded(cluster_function, (context,), context, None)
        function = _RESOURCE_CHECKS.get(info.id)
        if function is not None:
            for kind in present or (() if info.kinds else [name for name in names if name != WORKLOAD]):
                for resource in names[kind]:
                    yield from _guarded(function, (resource, context), context, resource)


def _guarded(
    function: Check, arguments: tuple[object, ...], context: Context, resource: Resource | None
) -> list[Diagnostic]:
    """What a check yields; a crash of it is a diagnostic of its own, and costs what it had not yet said."""
    found: list[Diagnostic] = []
    try:
        found.extend(function(*arguments))
    except Exception as error:
        subject = resource or next(iter(context.cluster.resources))
        frame = traceback.extract_tb(error.__traceback__)[-1]
        about = f" on {resource}" if resource is not None else ""
        found.append(
            attrs.evolve(
                context.report(
                    subject,
                    message=f"rule {context.rule.id} failed{about}: {type(error).__name__}: {error}",
                    severity=Severity.ERROR,
                    confidence=Confidence.HIGH,
                    notes=(f"in {frame.name}, line {frame.lineno} of the check `{context.rule.check}`",),
                    help=f"report this at {REPORT_ADDRESS}: it is a mistake of k8snetlint, not of the manifest",
                ),
                rule=INTERNAL_ERROR,
            )
        )
    return found


def _with_configured_severity(
    diagnostic: Diagnostic, configured: Mapping[str, Severity], rulebook: Rulebook
) -> Diagnostic:
    if not configured:
        return diagnostic
    info = rulebook.rules.get(diagnostic.rule)
    severity = configured.get(diagnostic.rule) or (configured.get(info.name) if info is not None else None)
    return attrs.evolve(diagnostic, severity=severity) if severity is not None else diagnostic


def order(diagnostic: Diagnostic) -> tuple[str, Span, str, str]:
    """The key that diagnostics are sorted by everywhere."""
    place = diagnostic.primary.place
    return (place.source.path, place.span, diagnostic.rule, diagnostic.message)


def merged(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics in order; those of one rule at one place are one that names all their units.

    It is as in the first of them by name; where they differ in severity, in the first of those where it is worst: a unit
    that is not complete knows less.
    """
    groups: dict[tuple[str, str, Span, tuple[str | int, ...]], list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        place = diagnostic.primary.place
        key = (diagnostic.rule, place.source.path, place.span, diagnostic.path)
        groups.setdefault(key, []).append(diagnostic)
    result: list[Diagnostic] = []
    for group in groups.values():
        by_unit: dict[tuple[str, ...], list[Diagnostic]] = {}
        for diagnostic in group:
            by_unit.setdefault(diagnostic.units, []).append(diagnostic)
        units = tuple(sorted({unit for diagnostic in group for unit in diagnostic.units}))
        first = min(by_unit, key=lambda name: (-max(each.severity for each in by_unit[name]), name))
        result += (attrs.evolve(diagnostic, units=units) for diagnostic in by_unit[first])
    return tuple(sorted(result, key=order))
