"""Reports about some files only: those that changed, or those that are named."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import attrs

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.source.discover import MANIFEST_SUFFIXES

from .pipeline import Failure, Loaded, found_in
from .report import Checked, check
from .repository import changed_files, texts_at


@attrs.frozen
class Touched:
    """The files that a report is about, by shown path, and their texts before the change where that is known."""

    paths: frozenset[str]
    before: Mapping[str, str] = attrs.field(factory=dict)


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
        return Touched(paths | _named(report_on), texts_at(".", revision, manifests))
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


def restricted(loaded: Loaded, checked: Checked, touched: Touched) -> Checked:
    """The part of a report that depends on touched files.

    A diagnostic depends on them if it points into one of them, or if it is not reported without them: that is, as they
    were before where that is known, else with them left out.
    """
    absent = touched.paths - touched.before.keys()
    inputs = loaded.inputs.without(absent).with_texts(touched.before)
    earlier = check(found_in(inputs, attrs.evolve(loaded.settings, unit=None), loaded.rulebook)).report
    known = {_identity(diagnostic) for diagnostic in earlier.diagnostics}

    def depends(diagnostic: Diagnostic) -> bool:
        places = [diagnostic.primary.place, *(each.place for each in diagnostic.related)]
        if any(place.source.path in touched.paths for place in places):
            return True
        return _identity(diagnostic) not in known

    report = checked.report
    diagnostics = tuple(diagnostic for diagnostic in report.diagnostics if depends(diagnostic))
    return attrs.evolve(checked, report=attrs.evolve(report, diagnostics=diagnostics))


def _identity(diagnostic: Diagnostic) -> tuple[str, str, int]:
    return (diagnostic.fingerprint, diagnostic.message, diagnostic.severity)
