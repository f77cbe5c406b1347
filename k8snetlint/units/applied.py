"""What controllers apply from this tree, as units: which of it counts, and under which name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs

from .gitops import Application, Origin, Taken
from .unit import Unit


@attrs.frozen
class Applied:
    """A folder that a controller applies; `way` are the objects that lead to it, its own the last."""

    application: Application
    taken: Taken
    unit: Unit
    way: tuple[Origin, ...]


def outermost(found: Sequence[Applied]) -> list[Applied]:
    """What is applied, each by the longest way to it: an object that a controller applies is no beginning."""
    inner: dict[Origin, set[Origin]] = {}
    for each in found:
        if len(each.way) > 1:
            inner.setdefault(each.way[-1], set()).add(each.way[0])
    dropped: set[Origin] = set()
    for each in found:
        origin = each.way[0]
        if len(each.way) == 1 and inner.get(origin, set()) - dropped - {origin}:
            dropped.add(origin)
    return [each for each in found if each.way[0] not in dropped]


def named(found: Sequence[Applied]) -> tuple[list[Unit], Taken]:
    """The units of applications, each named after its folder, and after its object where several have it."""
    different: list[Applied] = []
    for each in found:
        if not any(each.application.is_like(other.application) for other in different):
            different.append(each)
    times = Counter(each.application.folder for each in different)
    units: dict[str, Unit] = {}
    for each in different:
        name = each.application.folder or "."
        if times[name] > 1:
            name = f"{name}:{each.application.name}"
        while name in units:
            name += "+"
        reasons = tuple(attrs.evolve(reason, unit=name) for reason in each.unit.incomplete_because)
        units[name] = attrs.evolve(each.unit, name=name, incomplete_because=reasons)
    kustomizations = {
        directory for each in found for directory in (*each.taken.kustomizations, *each.application.components())
    }
    files = {source for each in found for source in each.taken.files}
    return list(units.values()), Taken(tuple(kustomizations), tuple(files))
