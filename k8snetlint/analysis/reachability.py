"""The closed world, exactly: who reaches whom on which connections, by set algebra over all points at once.

Points with the same governing rules are worked out once; each tier's outcome is a partition of the points; stages are
joined by their sets. The result stays in groups and is expanded only by whoever writes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import attrs

from k8snetlint.algebra import bits
from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.policy.ir import EGRESS, Action, PolicyRule, PolicySet, Stage, Tier
from k8snetlint.policy.peers import Peer

from .universe import Point, Universe


class Group(NamedTuple):
    """The points of `sources` reach those of `destinations` by `connections`; sets are bits over the points."""

    sources: int
    destinations: int
    connections: ConnectionSet


class Row(NamedTuple):
    """One connection of a map: a peer or addresses outside, to the same, never from outside to outside."""

    source: Peer | AddressSet
    destination: Peer | AddressSet
    connections: ConnectionSet

    def joined(self, other: Row) -> Row:
        """The row of the same ends with the connections of both."""
        return self._replace(connections=self.connections | other.connections)


@attrs.frozen(eq=False)
class Connectivity:
    """Everything that is allowed. Each pair of points is in at most one group; groups are in order of their first bits.

    A point to itself is in a group where one of its peers may reach another: `rows` leaves out a peer to itself.
    """

    points: tuple[Point, ...]
    groups: tuple[Group, ...]

    def members(self, points: int) -> tuple[tuple[Peer, ...], AddressSet]:
        """The peers of a set of points, in their order, and the addresses in it."""
        peers: list[Peer] = []
        addresses = AddressSet()
        for index in bits.indices(points):
            point = self.points[index]
            if point.addresses is not None:
                addresses |= point.addresses
            else:
                peers += point.peers
        peers.sort(key=lambda peer: peer.text)
        return tuple(peers), addresses

    def between(self, source: int, destination: int) -> ConnectionSet:
        """What the point of one index may open to the point of another."""
        for group in self.groups:
            if group.sources >> source & 1 and group.destinations >> destination & 1:
                return group.connections
        return ConnectionSet.nothing()

    def rows(self) -> Iterator[Row]:
        """Every pair that has a connection; addresses of equal connections together. Sorted within each group only.

        Peers of one text are shown as one, which reaches what any of them does.
        """
        known: dict[int, tuple[Peer | AddressSet, ...]] = {}
        counts = Counter(peer.text for point in self.points for peer in point.peers)
        united: dict[tuple[object, object], Row] = {}

        def ends(points: int) -> tuple[Peer | AddressSet, ...]:
            if points not in known:
                peers, addresses = self.members(points)
                known[points] = (*peers, addresses) if addresses else peers
            return known[points]

        def is_shared(end: Peer | AddressSet) -> bool:
            return isinstance(end, Peer) and counts[end.text] > 1

        for group in self.groups:
            destinations = ends(group.destinations)
            for source in ends(group.sources):
                for destination in destinations:
                    row = Row(source, destination, group.connections)
                    if is_shared(source) or is_shared(destination):
                        keys = [end.text if isinstance(end, Peer) else end for end in (source, destination)]
                        if keys[0] != keys[1]:
                            key = (keys[0], keys[1])
                            united[key] = row.joined(united[key]) if key in united else row
                    elif source is not destination:
                        yield row
        yield from united.values()


def connectivity(policies: PolicySet, extra: Iterable[Peer] = ()) -> Connectivity:
    """All connections that the policies allow between the peers of the cluster, `extra` ones, and the outside.

    `extra` are peers that the manifests do not hold, such as an ingress controller.
    """
    return _connectivity(policies, (*policies.peers.pods, *extra))


def allowed_connections(policies: PolicySet, source: Peer, destination: Peer) -> ConnectionSet:
    """What one peer may open to another, of the cluster, outside or imagined; not for a pod's connection to itself."""
    found = _connectivity(policies, (source, destination))
    index = {id(peer): number for number, point in enumerate(found.points) for peer in point.peers}
    return found.between(index[id(source)], index[id(destination)])


def _connectivity(policies: PolicySet, peers: Iterable[Peer]) -> Connectivity:
    return connectivity_in(Universe((policies,), peers), policies)


def connectivity_in(universe: Universe, policies: PolicySet) -> Connectivity:
    """All connections that the policies allow between the points of a universe that was made for them."""
    engine = _Engine(universe)
    groups = engine.joined([engine.stage_cells(stage) for stage in policies.stages])
    return Connectivity(universe.points, tuple(groups))


_Cells = dict[int, int]
_TierCells = dict[tuple[int, int], int]


@attrs.frozen
class _StageCells:
    """What a stage allows: for each set of subjects, the peers by the connection set that they may use.

    `subject_is_source` tells which side the subjects are on. The sets of subjects are disjoint and together all.
    """

    subject_is_source: bool
    cells: list[tuple[int, _Cells]]


class _Connections:
    """Connection sets by small numbers, so that what was once computed is looked up."""

    def __init__(self) -> None:
        self.sets: list[ConnectionSet] = []
        self._numbers: dict[ConnectionSet, int] = {}
        self._met: dict[tuple[int, int], int] = {}
        self._joined: dict[tuple[int, int], int] = {}
        self._left: dict[tuple[int, int], int] = {}
        self.nothing = self.number(ConnectionSet.nothing())
        self.everything = self.number(ConnectionSet.everything())

    def number(self, held: ConnectionSet) -> int:
        known = self._numbers.get(held)
        if known is None:
            known = self._numbers[held] = len(self.sets)
            self.sets.append(held)
        return known

    def met(self, a: int, b: int) -> int:
        if a == b or b == 1:
            return a
        if a == 1:
            return b
        known = self._met.get((a, b))
        if known is None:
            known = self._met[a, b] = self.number(self.sets[a] & self.sets[b])
        return known

    def joined(self, a: int, b: int) -> int:
        if a == b or not b:
            return a
        known = self._joined.get((a, b))
        if known is None:
            known = self._joined[a, b] = self.number(self.sets[a] | self.sets[b])
        return known

    def left(self, a: int, b: int) -> int:
        known = self._left.get((a, b))
        if known is None:
            known = self._left[a, b] = self.number(self.sets[a] - self.sets[b])
        return known


class _Engine:
    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.connections = _Connections()

    def stage_cells(self, stage: Stage) -> _StageCells:
        """What a stage allows to each subject, subjects of equal rules together."""
        is_source = stage.name == EGRESS
        tiers = [_TierRules(self, tier, is_source) for tier in stage.tiers]
        signatures: dict[tuple[tuple[int, ...], ...], list[int]] = {}
        columns = [tier.signatures for tier in tiers]
        for index in range(len(self.universe.points)):
            signatures.setdefault(tuple(column[index] for column in columns), []).append(index)
        found: list[tuple[int, _Cells]] = []
        for signature, members in signatures.items():
            cells: _TierCells = {(self.connections.nothing, self.connections.everything): self.universe.all}
            for tier, of_tier in zip(tiers, signature, strict=True):
                if of_tier:
                    cells = self._then(cells, tier.cells(of_tier))
            found.append((bits.of(members), self._allowed(cells)))
        return _StageCells(is_source, found)

    def _then(self, first: _TierCells, second: _TierCells) -> _TierCells:
        """What two tiers decide one after the other; a cell is what is allowed and what is still undecided."""
        if len(first) == 1:
            ((allowed, open_),) = first
            if allowed == self.connections.nothing and open_ == self.connections.everything:
                return second
        met, joined = self.connections.met, self.connections.joined
        found: _TierCells = {}
        for (allowed, open_), members in first.items():
            for (later, still_open), others in second.items() if open_ else (((0, 0), members),):
                both = members & others
                if both:
                    key = (joined(allowed, met(open_, later)), met(open_, still_open))
                    found[key] = found.get(key, 0) | both
        return found

    def _allowed(self, cells: _TierCells) -> _Cells:
        found: _Cells = {}
        for (allowed, open_), members in cells.items():
            held = self.connections.joined(allowed, open_)
            if held:
                found[held] = found.get(held, 0) | members
        return found

    def joined(self, stages: list[_StageCells]) -> Iterator[Group]:
        """The pairs that every stage allows."""
        everything: _Cells = {self.connections.everything: self.universe.all}
        egress = [stage.cells for stage in stages if stage.subject_is_source]
        senders = egress[0] if egress else [(self.universe.all, everything)]
        receivers: list[tuple[int, _Cells]] = [(self.universe.all, everything)]
        for stage in stages:
            if not stage.subject_is_source:
                receivers = self._both(receivers, stage.cells)
        yield from self._merged(self._met(senders, receivers))

    def _both(self, first: list[tuple[int, _Cells]], second: list[tuple[int, _Cells]]) -> list[tuple[int, _Cells]]:
        """Two stages whose subjects are on the same side."""
        found: list[tuple[int, _Cells]] = []
        for subjects, cells in first:
            for others, more in second:
                if subjects & others:
                    met: _Cells = {}
                    for a, members in cells.items():
                        for b, also in more.items():
                            held = self.connections.met(a, b)
                            if held and members & also:
                                met[held] = met.get(held, 0) | members & also
                    found.append((subjects & others, met))
        return found

    def _met(
        self, senders: list[tuple[int, _Cells]], receivers: list[tuple[int, _Cells]]
    ) -> Iterator[tuple[int, int, int]]:
        """Triples (sources, destinations, connections), one receiver's after the other."""
        met = self.connections.met
        group_of = [0] * len(self.universe.points)
        for number, (sources, _) in enumerate(senders):
            for index in bits.indices(sources):
                group_of[index] = number
        for destinations, cells in receivers:
            found: dict[tuple[int, int], int] = {}
            for connections, admitted in cells.items():
                if admitted.bit_count() < len(senders):
                    chosen: Iterable[int] = {group_of[index] for index in bits.indices(admitted)}
                else:
                    chosen = range(len(senders))
                for number in chosen:
                    sources, sent = senders[number]
                    sources &= admitted
                    if not sources:
                        continue
                    for outgoing, targets in sent.items():
                        held = met(outgoing, connections)
                        targets &= destinations
                        if held and targets:
                            key = (targets, held)
                            found[key] = found.get(key, 0) | sources
            for (targets, held), sources in found.items():
                yield sources, targets, held

    def _merged(self, triples: Iterator[tuple[int, int, int]]) -> list[Group]:
        """Triples of equal sources and connections as one; nothing goes from outside to outside."""
        inside, outside = self.universe.inside, self.universe.outside
        found: dict[tuple[int, int], int] = {}
        for sources, targets, held in triples:
            if sources & outside and targets & outside:
                parts = ((sources, targets & inside), (sources & inside, targets & outside))
            else:
                parts = ((sources, targets), (0, 0))
            for part, reached in parts:
                if part and reached:
                    found[part, held] = found.get((part, held), 0) | reached
        groups = [Group(sources, targets, self.connections.sets[held]) for (sources, held), targets in found.items()]
        groups.sort(key=lambda group: (bits.lowest(group.sources), bits.lowest(group.destinations), group))
        return groups


class _Entry(NamedTuple):
    """A rule for some subjects: by peers, the connections it is about. `position` is the rule's in its tier."""

    position: int
    action: Action
    parts: tuple[tuple[int, int], ...]


class _TierRules:
    """A tier with its rules by subject. `signatures[i]` names the rules that govern point i."""

    def __init__(self, engine: _Engine, tier: Tier, subject_is_source: bool) -> None:
        self._engine = engine
        self._known: dict[tuple[int, ...], _TierCells] = {}
        by_subject: dict[int, list[_Entry]] = {}
        for position, rule in enumerate(tier.rules):
            for subjects, parts in self._entries(rule, subject_is_source):
                if subjects and parts:
                    by_subject.setdefault(subjects, []).append(_Entry(position, rule.action, parts))
        self._groups = list(by_subject.values())
        governing: list[list[int]] = [[] for _ in engine.universe.points]
        for number, subjects in enumerate(by_subject):
            for index in bits.indices(subjects):
                governing[index].append(number)
        self.signatures = [tuple(numbers) for numbers in governing]

    def _entries(self, rule: PolicyRule, subject_is_source: bool) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
        universe, number = self._engine.universe, self._engine.connections.number
        source, destination = universe.members(rule.match.source), universe.members(rule.match.destination)
        resolved = [(at & destination, number(held)) for at, held in universe.resolved(rule.match.connections)]
        parts = [(at, held) for at, held in resolved if at and held]
        if subject_is_source:
            yield source, tuple(parts)
        elif source:
            # What a name of a port stands for is the destination's own: as subjects they are told apart by it.
            for at, held in parts:
                yield at, ((source, held),)

    def cells(self, signature: tuple[int, ...]) -> _TierCells:
        """What the tier decides for a subject: the peers by what is allowed, and what is left to the next tier."""
        known = self._known.get(signature)
        if known is None:
            entries = [entry for number in signature for entry in self._groups[number]]
            entries.sort(key=lambda entry: entry.position)
            known = self._known[signature] = self._evaluated(entries)
        return known

    def _evaluated(self, entries: list[_Entry]) -> _TierCells:
        table = self._engine.connections
        met, joined, left = table.met, table.joined, table.left
        cells: dict[tuple[int, int, int], int] = {
            (table.nothing, table.everything, table.nothing): self._engine.universe.all
        }
        for _, action, parts in entries:
            for peers, connections in parts:
                refined: dict[tuple[int, int, int], int] = {}
                for key, members in cells.items():
                    hit = members & peers
                    allowed, open_, passed = key
                    decided = met(open_, connections) if hit and open_ else 0
                    if not decided:
                        refined[key] = refined.get(key, 0) | members
                        continue
                    if hit != members:
                        refined[key] = refined.get(key, 0) | members ^ hit
                    if action is Action.ALLOW:
                        allowed = joined(allowed, decided)
                    elif action is Action.PASS:
                        passed = joined(passed, decided)
                    key = (allowed, left(open_, decided), passed)
                    refined[key] = refined.get(key, 0) | hit
                cells = refined
        found: _TierCells = {}
        for (allowed, open_, passed), members in cells.items():
            outcome = (allowed, joined(open_, passed))
            found[outcome] = found.get(outcome, 0) | members
        return found
