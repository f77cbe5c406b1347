"""What changes between two connectivity maps: pair by pair, address ranges cut where either map cuts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import attrs

from k8snetlint.algebra.addresses import AddressSet, parse_range
from k8snetlint.algebra.connections import ConnectionSet

from .connectivity import ConnectivityMap
from .namesakes import plain_name, told_apart

_NOTHING = ConnectionSet.nothing()
_Parts: TypeAlias = list[tuple[AddressSet, ConnectionSet, ConnectionSet]]


class Change(NamedTuple):
    """A pair whose connections differ. `type` is `added`, `removed` or `changed`."""

    source: str
    destination: str
    old: ConnectionSet
    new: ConnectionSet

    @property
    def type(self) -> str:
        """What happened to the pair."""
        return "added" if not self.old else "removed" if not self.new else "changed"


@attrs.frozen
class Difference:
    """Workloads that came and went, and every pair whose connections differ, sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.added and not self.removed and not self.changes


@attrs.frozen
class _Rows:
    """A map by pairs: of names, and of a name with addresses to it (`False`) or from it (`True`)."""

    pairs: dict[tuple[str, str], ConnectionSet]
    outside: dict[tuple[str, bool], dict[ConnectionSet, AddressSet]]


def difference(old: ConnectivityMap, new: ConnectivityMap) -> Difference:
    """What changes from one map to another.

    Pods of one controller that policies tell apart are compared each with its like, and named by the controller: its
    change is what those of them have that changed.
    """
    apart = told_apart(old.connectivity, new.connectivity)
    before, after = (_rows(attrs.evolve(each, connectivity=apart(each.connectivity))) for each in (old, new))
    changes: dict[tuple[str, str], Change] = {}
    for pair in before.pairs.keys() | after.pairs.keys():
        source, destination = map(plain_name, pair)
        change = Change(source, destination, before.pairs.get(pair, _NOTHING), after.pairs.get(pair, _NOTHING))
        if change.old != change.new and source != destination:
            known = changes.get(change[:2], change)
            changes[change[:2]] = change._replace(old=known.old | change.old, new=known.new | change.new)
    outside: dict[tuple[str, bool], _Parts] = {}
    for name, is_source in before.outside.keys() | after.outside.keys():
        key = (plain_name(name), is_source)
        was, now = before.outside.get((name, is_source), {}), after.outside.get((name, is_source), {})
        for part in _outside_changes(was, now):
            outside[key] = _with(outside.get(key, []), part)
    for (name, is_source), parts in outside.items():
        for addresses, held, holds in parts:
            for text in addresses.range_texts():
                ends = (name, text) if is_source else (text, name)
                changes[ends] = Change(*ends, held, holds)
    names, new_names = set(old.workloads), set(new.workloads)
    return Difference(
        tuple(sorted(new_names - names)),
        tuple(sorted(names - new_names)),
        tuple(sorted((each for each in changes.values() if each.old != each.new), key=lambda each: each[:2])),
    )


def _with(parts: _Parts, part: tuple[AddressSet, ConnectionSet, ConnectionSet]) -> _Parts:
    """Changes by addresses, no address in two of them, with one more."""
    addresses, old, new = part
    found: _Parts = []
    for known, held, holds in parts:
        found += [(known & addresses, held | old, holds | new), (known - addresses, held, holds)]
        addresses -= known
    return [each for each in (*found, (addresses, old, new)) if each[0]]


def _rows(shown: ConnectivityMap) -> _Rows:
    rows = _Rows({}, {})
    for source, reached in shown.by_source():
        from_outside = _addresses(source)
        for destination, connections in reached:
            to_outside = _addresses(destination)
            if from_outside is None and to_outside is None:
                rows.pairs[source, destination] = connections
                continue
            key = (source, True) if to_outside is not None else (destination, False)
            held = rows.outside.setdefault(key, {})
            held[connections] = held.get(connections, AddressSet()) | (to_outside or from_outside or AddressSet())
    return rows


def _addresses(name: str) -> AddressSet | None:
    """The addresses that a name of a map stands for; None for a workload or the ingress controllers."""
    return None if name.endswith(("]", "}")) else parse_range(name)


def _outside_changes(
    old: dict[ConnectionSet, AddressSet], new: dict[ConnectionSet, AddressSet]
) -> Iterator[tuple[AddressSet, ConnectionSet, ConnectionSet]]:
    everywhere = AddressSet.everything()
    for held, addresses in (*old.items(), (_NOTHING, everywhere - _union(old))):
        for holds, others in (*new.items(), (_NOTHING, everywhere - _union(new))):
            if held != holds and addresses & others:
                yield addresses & others, held, holds


def _union(parts: dict[ConnectionSet, AddressSet]) -> AddressSet:
    found = AddressSet()
    for addresses in parts.values():
        found |= addresses
    return found
