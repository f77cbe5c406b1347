"""What units lack, said once for all that the same units lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.diagnostic import Incompleteness, Severity
from k8snetlint.source.text import Place

from .unit import Unit, UnitProblem

Lack = tuple[str, Place]
_LISTED = 10


def problems_of(lacks: Iterable[Lack], units: Iterable[Unit]) -> Iterator[UnitProblem]:
    """A problem for each set of units that lack something; its notes list what it is, each with its place.

    What makes a unit incomplete is among `lacks` where it is to be reported.
    """
    wanted = set(lacks)
    names: dict[Lack, dict[str, None]] = {}
    for unit in units:
        for reason in unit.incomplete_because:
            lack = _lack_of(reason)
            if lack in wanted:
                names.setdefault(lack, {})[unit.name] = None
    groups: dict[tuple[str, ...], list[Lack]] = {}
    for lack, found in names.items():
        groups.setdefault(tuple(sorted(found)), []).append(lack)
    for group, lacking in groups.items():
        lacking.sort(key=lambda lack: (lack[1].source.path, lack[1].span, lack[0]))
        yield _problem(group, lacking)


def _lack_of(reason: Incompleteness) -> Lack | None:
    return (reason.message, reason.place) if reason.place is not None else None


def _problem(units: tuple[str, ...], lacks: list[Lack]) -> UnitProblem:
    (message, place), *others = lacks
    notes: tuple[str, ...] = ()
    if others:
        owner = f"`{units[0]}`" if len(units) == 1 else f"{len(units):,} units"
        parts = "more part" if len(others) == 1 else "more parts"
        message = f"{message}, and {len(others):,} {parts} of {owner} cannot be analysed"
        notes = tuple(map(_line, others[:_LISTED]))
        if len(others) > _LISTED:
            notes = (*notes, f"and {len(others) - _LISTED:,} more: `k8snetlint units --verbose` lists them")
    return UnitProblem("TOOL002", Severity.NOTE, message, place, notes=notes, units=units)


def _line(lack: Lack) -> str:
    message, place = lack
    position = place.source.position(place.span.start)
    return f"{place.source.path}:{position.line}:{position.column}: {message}"
