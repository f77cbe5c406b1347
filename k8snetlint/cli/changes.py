"""Reports about some files only: those that changed, or those that are named."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache

import attrs

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.source.discover import MANIFEST_SUFFIXES
from k8snetlint.suppress import UNUSED
from k8snetlint.units.unit import Unit

from .pipeline import Failure, Loaded, found_in
from .report import Checked, check, selected_rules
from .repository import changed_files, texts_at

# The rule over what a change opens.
WIDENED = "NP052"


@attrs.frozen
class Touched:
    """The files that a report is about, by shown path, and their texts before the change where that is known.

    `is_since_revision` tells whether it is: then files without a text before are new.
    """

    paths: frozenset[str]
    before: Mapping[str, str] = attrs.field(factory=dict)
    is_since_revision: bool = False


def touched_files(
    report_on: Sequence[str], *, changed: bool, changed_since: str | None, is_restricted: bool
) -> Touched | None:
    """What the options name; None where they do not restrict the report. Raises Failure for a file that is missing."""
    if not (report_on or changed or changed_since is not None or is_restricted):
        return None
    if changed or changed_since is not None:
        revision = changed_since or "HEAD"
        paths = changed_files(".", revision)
        manifests = [path for path in paths if path.lower().endswith(MANIFEST_SUFFIXES)]
        return Touched(paths | _named(report_on), texts_at(".", revision, manifests), is_since_revision=True)
    return Touched(_named(report_on))


def _named(report_on: Sequence[str]) -> frozenset[str]:
    names: list[str] = []
    for name in report_on:
        if name.startswith("@"):
            try:
                with open(name[1:], encoding="utf-8") as file:
                    names += (line for line in file.read().splitlines() if line.strip())
            except (OSError, UnicodeDecodeError) as error:
                raise Failure(f"the list of files `{name[1:]}` cannot be read") from error
        else:
            names.append(name)
    for name in names:
        if not os.path.lexists(name):
            raise Failure(f"--report-on: there is no file `{name}`")
    base = os.path.realpath(".")
    return frozenset(os.path.relpath(os.path.realpath(name), base).replace(os.sep, "/") for name in names)


def check_touched(loaded: Loaded, touched: Touched) -> Checked:
    """The part of the report that depends on touched files, of the units that hold one of them.

    A diagnostic depends on them if it points into one of them, or if it is not reported without them: that is, as they
    were before where that is known, else with them left out. Only where some points elsewhere is that looked at.
    """
    units = [unit for unit in loaded.found.units if _may_depend(unit, touched)]
    names = {unit.name for unit in units}
    # Looked at where something depends on it, and then once.
    earlier = cache(lambda: _earlier(loaded, touched))
    opened = tuple(_opened(loaded, touched, units, earlier)) if WIDENED in selected_rules(loaded) else ()
    checked = check(_only(loaded, units), is_part=True, more=opened)
    report = checked.report
    # What a change opens is new, wherever it is seen.
    elsewhere = [
        each
        for each in report.diagnostics
        if not _points_into(each, touched) and _is_of(each, names) and each.rule != WIDENED
    ]
    known = _known_before(earlier(), names) if elsewhere else frozenset()
    new = {id(each) for each in elsewhere if _identity(each) not in known}
    diagnostics = tuple(
        each for each in report.diagnostics if _points_into(each, touched) or id(each) in new or each.rule == WIDENED
    )
    return attrs.evolve(checked, report=attrs.evolve(report, diagnostics=diagnostics))


def _may_depend(unit: Unit, touched: Touched) -> bool:
    """Whether a touched file is part of a unit, or was: of one that is gone nothing says which units had it."""
    if not touched.paths.isdisjoint(unit.paths):
        return True
    return any(not os.path.lexists(path) for path in touched.before)


def _is_of(diagnostic: Diagnostic, names: AbstractSet[str]) -> bool:
    """Whether a diagnostic comes of a unit; what is wrong with a file's text depends on that file alone."""
    return diagnostic.rule == UNUSED or not names.isdisjoint(diagnostic.units)


def _only(loaded: Loaded, units: Sequence[Unit]) -> Loaded:
    return attrs.evolve(loaded, found=attrs.evolve(loaded.found, units=tuple(units)))


def _known_before(earlier: Loaded, names: Collection[str]) -> frozenset[tuple[str, str]]:
    """What is said of the units of these names without the touched files, or as they were before, however quietly."""
    units = [unit for unit in earlier.found.units if unit.name in names]
    found = check(_only(earlier, units), is_part=True, with_low=True).report.diagnostics
    return frozenset(_identity(each) for each in found)


def _earlier(loaded: Loaded, touched: Touched) -> Loaded:
    """What was loaded before the change."""
    absent = touched.paths - touched.before.keys()
    inputs = loaded.inputs.without(absent).with_texts(touched.before)
    return found_in(inputs, attrs.evolve(loaded.settings, unit=None), loaded.rulebook)


def _opened(
    loaded: Loaded, touched: Touched, units: Sequence[Unit], earlier: Callable[[], Loaded]
) -> Iterator[Diagnostic]:
    """What the change opens, where policies may have to do with it."""
    texts = (*touched.before.values(), *(source.text for source in loaded.inputs.files))
    if not touched.is_since_revision or not any("NetworkPolicy" in text for text in texts):
        return
    from .widened import widened

    yield from widened(earlier().found.units, units, loaded.settings, loaded.rulebook)


def _points_into(diagnostic: Diagnostic, touched: Touched) -> bool:
    places = [diagnostic.primary.place, *(each.place for each in diagnostic.related)]
    return any(place.source.path in touched.paths for place in places)


def _identity(diagnostic: Diagnostic) -> tuple[str, str]:
    return (diagnostic.fingerprint, diagnostic.message)
