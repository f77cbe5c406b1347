"""Questions about all flows at once, and their verdicts: it holds, it is refuted by a witness, or it is not known.

The closed world, the peers at hand, is decided by set algebra. The open world adds every pod that anyone could create:
there the algebra looks for a witness first, and only what it leaves standing is put to the solver.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import attrs

from k8snetlint.algebra import bits
from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.policy.ir import PeerExpr, PolicySet
from k8snetlint.policy.peers import Flow, Peer

from .reachability import Connectivity, Group, connectivity_in
from .reference import Decision, is_allowed
from .universe import Point, Universe

if TYPE_CHECKING:
    from .smt.encoding import Encoding

_NO_ADDRESSES = AddressSet()


class World(enum.Enum):
    """Which pods there are: those of the manifests, or also every one that anyone could create."""

    CLOSED = "closed"
    OPEN = "open"


@attrs.frozen
class Side:
    """One side of a question: peers of the cluster, addresses outside, and in the open world the pods of an expression.

    `imagined` None: no pod beyond those in the manifests.
    """

    peers: tuple[Peer, ...] = ()
    addresses: AddressSet = _NO_ADDRESSES
    imagined: PeerExpr | None = None


@attrs.frozen
class Question:
    """All flows from one side to another by some connections.

    With `between_replicas` those from one pod of a workload to another of the same are among them.
    """

    sources: Side
    destinations: Side
    connections: ConnectionSet
    between_replicas: bool = False


@attrs.frozen
class Holds:
    """It holds for every flow in question. `example` is one of them, with what decides it; None if there is none."""

    example: Flow | None = None
    decision: Decision | None = None


@attrs.frozen
class Refuted:
    """It does not hold: the witness is a flow that shows it, as replayed on the reference."""

    witness: Flow
    decision: Decision


@attrs.frozen
class Unknown:
    """It could not be decided, for the reason given. Never to be taken for `Holds`."""

    reason: str


Verdict: TypeAlias = Holds | Refuted | Unknown


class Undecided(Exception):  # noqa: N818 (it is an outcome, caught by whoever asks)
    """The solver gave up; the message says why."""


class Prover:
    """Answers questions about one policy set. What questions have in common is worked out once.

    `questions` are those that will be asked in the open world; others are answered too, at the price of encoding anew.
    """

    def __init__(self, policies: PolicySet, questions: Iterable[Question] = ()) -> None:
        self.policies = policies
        self._sides: tuple[PeerExpr, ...] = tuple(dict.fromkeys(side for each in questions for side in _sides(each)))
        self._encoded: Encoding | None = None

    @cached_property
    def universe(self) -> Universe:
        """The points of the cluster."""
        return Universe((self.policies,), self.policies.peers.pods)

    @cached_property
    def _map(self) -> Connectivity:
        return connectivity_in(self.universe, self.policies)

    def _encoding(self, question: Question) -> Encoding:
        from .smt.encoding import Encoding

        new = tuple(side for side in _sides(question) if side not in self._sides)
        if self._encoded is None or new:
            self._sides += new
            self._encoded = Encoding(self.universe, (self.policies,), self._sides)
        return self._encoded

    def find_flow(self, question: Question, allowed: bool, world: World = World.CLOSED) -> Flow | None:
        """A flow in question that is allowed, or one that is not; None if there is none.

        Raises Undecided if the solver gives up.
        """
        found = _closed_flow(self._map, question, allowed)
        if found is None and world is World.OPEN and _is_open(question):
            found = self._encoding(question).find_flow(question, ((self.policies, allowed),))
        return found

    def check_never_allows(self, question: Question, world: World = World.CLOSED) -> Verdict:
        """Whether none of the flows in question is allowed."""
        return self._checked(question, False, world)

    def check_always_allows(self, question: Question, world: World = World.CLOSED) -> Verdict:
        """Whether all of the flows in question are allowed."""
        return self._checked(question, True, world)

    def _checked(self, question: Question, expected: bool, world: World) -> Verdict:
        try:
            against = self.find_flow(question, not expected, world)
            if against is not None:
                return Refuted(against, replay(self.policies, against, not expected))
            example = self.find_flow(question, expected, world)
        except Undecided as undecided:
            return Unknown(str(undecided))
        return Holds(example, replay(self.policies, example, expected) if example is not None else None)


def replay(policies: PolicySet, flow: Flow, expected: bool) -> Decision:
    """What the reference says of a flow of which an engine says `expected`.

    Raises AssertionError if they disagree: one of the engines is wrong, and neither is to be believed.
    """
    decision = is_allowed(policies, flow)
    if decision.is_allowed != expected:
        raise AssertionError(f"engines disagree on {flow.source} -> {flow.destination} {flow.protocol}/{flow.port}")
    return decision


def check_implies(first: PolicySet, second: PolicySet, world: World = World.CLOSED) -> Verdict:
    """Whether the second allows everything that the first allows, between the peers of the first."""
    return check_covered(first, (second,), world)


def check_covered(first: PolicySet, others: Sequence[PolicySet], world: World = World.CLOSED) -> Verdict:
    """Whether all that the first allows is allowed by one of the others at least, between the peers of the first."""
    return _compared((first, *others), world, ((True, *(False for _ in others)),))


def check_equivalent(first: PolicySet, second: PolicySet, world: World = World.CLOSED) -> Verdict:
    """Whether both allow the same, between the peers of the first."""
    return _compared((first, second), world, ((True, False), (False, True)))


def check_disjoint(first: PolicySet, second: PolicySet, world: World = World.CLOSED) -> Verdict:
    """Whether nothing is allowed by both, between the peers of the first."""
    return _compared((first, second), world, ((True, True),))


def _compared(sets: Sequence[PolicySet], world: World, outcomes: tuple[tuple[bool, ...], ...]) -> Verdict:
    """Refuted by a flow on which the sets say one of the `outcomes`; the decision is that of the first."""
    universe = Universe(sets, sets[0].peers.pods)
    everything = everyone(sets[0], world)
    maps = [connectivity_in(universe, policies) for policies in sets]
    for outcome in outcomes:
        flow = _flow_of_outcome(maps, everything, outcome)
        if flow is None and world is World.OPEN:
            from .smt.encoding import Encoding

            try:
                flow = Encoding(universe, sets).find_flow(everything, tuple(zip(sets, outcome, strict=True)))
            except Undecided as undecided:
                return Unknown(str(undecided))
        if flow is not None:
            decisions = [replay(policies, flow, said) for policies, said in zip(sets, outcome, strict=True)]
            return Refuted(flow, decisions[0])
    return Holds()


def everyone(policies: PolicySet, world: World = World.CLOSED) -> Question:
    """The question about all flows that a policy can be about: all pods, all addresses, all connections."""
    from k8snetlint.policy.ir import Everything

    imagined = Everything() if world is World.OPEN else None
    side = Side(policies.peers.pods, AddressSet.everything(), imagined)
    return Question(side, side, ConnectionSet.everything(), between_replicas=True)


def _sides(question: Question) -> tuple[PeerExpr, ...]:
    sides = (question.sources.imagined, question.destinations.imagined)
    return tuple(side for side in sides if side is not None)


def _is_open(question: Question) -> bool:
    return bool(_sides(question))


def side_bits(points: tuple[Point, ...], side: Side) -> int:
    """The points that hold a peer or an address of the side."""
    wanted = {id(peer) for peer in side.peers}
    has_addresses = bool(side.addresses)
    return bits.of(
        index
        for index, point in enumerate(points)
        if (
            any(id(peer) in wanted for peer in point.peers)
            if point.addresses is None
            else has_addresses and not point.addresses.isdisjoint(side.addresses)
        )
    )


def lonely_points(points: tuple[Point, ...], question: Question) -> int:
    """The points at which both sides of a question have one pod, and it is the same: no flow is within them."""
    senders, receivers = ({id(peer) for peer in side.peers} for side in (question.sources, question.destinations))
    found: list[int] = []
    for index, point in enumerate(points):
        ends = [{id(peer) for peer in point.peers} & wanted for wanted in (senders, receivers)]
        if len(ends[0]) != 1 or ends[0] != ends[1]:
            continue
        if not question.between_replicas or all(peer.is_single for peer in point.peers if id(peer) in ends[0]):
            found.append(index)
    return bits.of(found)


def flow_at(points: tuple[Point, ...], question: Question, source: int, destination: int) -> tuple[Peer, Peer] | None:
    """Two ends of a flow of the question at two points; None if there is only one pod, to itself, or two outside."""
    if points[source].addresses is not None and points[destination].addresses is not None:
        return None
    senders = candidates(points[source], question.sources)
    receivers = candidates(points[destination], question.destinations)
    pairs = [(sender, receiver) for sender in senders[:2] for receiver in receivers[:2]]
    different = next((pair for pair in pairs if pair[0] is not pair[1]), None)
    if different is None and question.between_replicas:
        return next((pair for pair in pairs if not pair[0].is_single), None)
    return different


def candidates(point: Point, side: Side) -> list[Peer]:
    """The peers of a point that are on a side; for addresses outside, the first of them."""
    if point.addresses is not None:
        version, first, _ = next((point.addresses & side.addresses).ranges())
        return [attrs.evolve(point.example, text=str(Address(version, first)), addresses=_one(version, first))]
    wanted = {id(peer) for peer in side.peers}
    return [peer for peer in point.peers if id(peer) in wanted]


def _one(version: int, value: int) -> AddressSet:
    return AddressSet.span(version, value, value)


def first_connection(connections: ConnectionSet) -> tuple[str, int]:
    """The protocol and port of a connection of a set that is not empty."""
    protocol, ports = next(connections.items())
    return protocol, ports.intervals[0][0]


def _closed_flow(found: Connectivity, question: Question, allowed: bool) -> Flow | None:
    return next(_closed_flows(found, question, allowed), None)


def _closed_flows(found: Connectivity, question: Question, allowed: bool) -> Iterator[Flow]:
    whole = _region(found.points, question)
    for group in _common(whole, found.groups) if allowed else _without(whole, found.groups):
        yield from _flows(found.points, question, group)


def _region(points: tuple[Point, ...], question: Question) -> Group:
    """All flows of a question, as far as they are between points."""
    return Group(side_bits(points, question.sources), side_bits(points, question.destinations), question.connections)


def _flows(points: tuple[Point, ...], question: Question, region: Group) -> Iterator[Flow]:
    """The flows of a region that lies in a question."""
    for source in bits.indices(region.sources):
        for destination in bits.indices(region.destinations):
            ends = flow_at(points, question, source, destination)
            if ends is not None:
                yield Flow(*ends, *first_connection(region.connections))


def _without(region: Group, groups: Iterable[Group]) -> Iterator[Group]:
    """The parts of a region that no group of disjoint ones covers."""
    left = [region]
    for group in groups:
        kept: list[Group] = []
        for sources, destinations, connections in left:
            met_sources, met_destinations = sources & group.sources, destinations & group.destinations
            if not met_sources or not met_destinations:
                kept.append(Group(sources, destinations, connections))
                continue
            rest = connections - group.connections
            if rest:
                yield Group(met_sources, met_destinations, rest)
            if sources != met_sources:
                kept.append(Group(sources & ~met_sources, destinations, connections))
            if destinations != met_destinations:
                kept.append(Group(met_sources, destinations & ~met_destinations, connections))
        left = kept
        if not left:
            return
    yield from left


def _flow_of_outcome(maps: Sequence[Connectivity], question: Question, outcome: tuple[bool, ...]) -> Flow | None:
    """A flow on which maps of one universe say an outcome, of which at least one is an allow."""
    asked = outcome.index(True)
    others = [
        (found, allowed) for index, (found, allowed) in enumerate(zip(maps, outcome, strict=True)) if index != asked
    ]
    for group in _common(_region(maps[asked].points, question), maps[asked].groups):
        parts: Iterable[Group] = (group,)
        for found, allowed in others:
            cut = _common if allowed else _without
            parts = [piece for part in parts for piece in cut(part, found.groups)]
        for part in parts:
            for flow in _flows(maps[asked].points, question, part):
                return flow
    return None


def _common(region: Group, groups: Iterable[Group]) -> Iterator[Group]:
    for group in groups:
        connections = region.connections & group.connections
        sources, destinations = region.sources & group.sources, region.destinations & group.destinations
        if sources and destinations and connections:
            yield Group(sources, destinations, connections)
