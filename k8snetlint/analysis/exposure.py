"""What pods that the manifests do not hold could reach, or be reached by: read off the peers that rules speak of."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

import attrs

from k8snetlint.algebra import bits
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import (
    ALL_CONNECTIONS,
    EGRESS,
    INGRESS,
    Action,
    AllOf,
    AnyOf,
    AnyPod,
    HasAddress,
    InNamespace,
    LabelOperator,
    LabelTest,
    NamespaceLabel,
    PeerExpr,
    PodLabel,
    PolicyRule,
    PolicySet,
    Tier,
    all_of,
)
from k8snetlint.policy.peers import Peer

from .containment import excludes, implies
from .reachability import Connectivity, connectivity
from .reference import matches
from .samples import alternatives, opened_on, samples
from .universe import Universe

_ANYONE = AnyPod()


class Exposure(NamedTuple):
    """What the policies of a workload let every pod that passes the tests open to it (`ingress`), or be opened by it.

    Every one but those that an exposure of the same workload with more tests speaks of, if it has less. Such a pod can
    exist whose own policies, if any, do not forbid it. No tests at all: any pod that anyone could create.
    """

    workload: str
    direction: str
    namespace_tests: tuple[LabelTest, ...]
    pod_tests: tuple[LabelTest, ...]
    connections: ConnectionSet


class _Relation(enum.Enum):
    """How the pods of an expression lie to those of another: all among them, none, or that is not said."""

    WITHIN = "within"
    APART = "apart"
    OPEN = "open"


class _Candidate(NamedTuple):
    """Pods of an expression, one of them, and what the policies of a workload let all of them do."""

    pods: PeerExpr
    example: Peer
    connections: ConnectionSet


def exposures(policies: PolicySet) -> Iterator[Exposure]:
    """For each workload and direction what any pod could, and what pods with labels that rules ask for could beyond."""
    found = _Exposures(policies)
    candidates = {
        (index, direction): found.candidates(index, direction)
        for index in range(found.universe.first_address)
        for direction in (INGRESS, EGRESS)
    }
    allowed = _Allowed(connectivity(policies, found.examples()))
    seen: set[Exposure] = set()
    workloads = [
        (peer, index)
        for index, point in enumerate(found.universe.points)
        for peer in point.peers
        if peer.index is not None
    ]
    for peer, index in sorted(workloads, key=lambda each: each[0].text):
        for direction in (INGRESS, EGRESS):
            common = ConnectionSet.nothing()
            for candidate in candidates[index, direction]:
                ends = (peer, candidate.example) if direction == EGRESS else (candidate.example, peer)
                held = candidate.connections & allowed.between(*ends)
                is_restricted = not common <= candidate.connections
                if candidate.pods == _ANYONE:
                    common = held
                elif held <= common and not is_restricted:
                    continue
                exposure = Exposure(peer.text, direction, *_tests(candidate.pods), held)
                if (held or is_restricted) and exposure not in seen:
                    seen.add(exposure)
                    yield exposure


class _Allowed:
    """What is allowed between two peers, by the groups that both are in."""

    def __init__(self, found: Connectivity) -> None:
        self._groups = found.groups
        self._points = {id(peer): number for number, point in enumerate(found.points) for peer in point.peers}
        sources: list[list[int]] = [[] for _ in found.points]
        destinations: list[list[int]] = [[] for _ in found.points]
        for number, group in enumerate(found.groups):
            for members, groups in ((group.sources, sources), (group.destinations, destinations)):
                for index in bits.indices(members):
                    groups[index].append(number)
        self._sources, self._destinations = list(map(bits.of, sources)), list(map(bits.of, destinations))

    def between(self, source: Peer, destination: Peer) -> ConnectionSet:
        """What the source may open to the destination."""
        groups = self._sources[self._points[id(source)]] & self._destinations[self._points[id(destination)]]
        return self._groups[bits.lowest(groups)].connections if groups else ConnectionSet.nothing()


class _Exposures:
    def __init__(self, policies: PolicySet) -> None:
        self.universe = Universe((policies,), policies.peers.pods)
        self._policies = policies
        self._examples: dict[PeerExpr, Peer | None] = {}
        self._known: dict[tuple[object, ...], list[_Candidate]] = {}
        self._relations: dict[tuple[PeerExpr, PeerExpr], _Relation] = {}

    def examples(self) -> list[Peer]:
        """One imagined pod for each expression that was asked about."""
        return [peer for peer in self._examples.values() if peer is not None]

    def candidates(self, index: int, direction: str) -> list[_Candidate]:
        """What the policies of a point let pods do: any pod first, then those that rules ask for."""
        tiers = self._governing(index, direction)
        rules = [rule for tier in tiers for rule in tier.rules]
        named = any(rule.match.connections.named for rule in rules) and direction == INGRESS
        key = (direction, tuple(map(id, rules)), self.universe.points[index].example.ports if named else None)
        if key not in self._known:
            self._known[key] = list(self._candidates(index, direction, tiers))
        return self._known[key]

    def _candidates(self, index: int, direction: str, tiers: list[Tier]) -> Iterator[_Candidate]:
        asked: dict[PeerExpr, None] = {_ANYONE: None}
        for tier in tiers:
            for rule in tier.rules:
                if not rule.is_default:
                    asked.update(dict.fromkeys(_pods_of(_other(rule, direction))))
        for pods in asked:
            example = self._example(pods)
            if example is not None:
                yield _Candidate(pods, example, self._guarantee(index, direction, tiers, pods, example))

    def _governing(self, index: int, direction: str) -> list[Tier]:
        found = []
        for stage in self._policies.stages:
            for tier in stage.tiers if stage.name == direction else ():
                rules = (rule for rule in tier.rules if self._members(rule, direction) >> index & 1)
                found.append(Tier(tier.name, tuple(rules)))
        return found

    def _members(self, rule: PolicyRule, direction: str) -> int:
        return self.universe.members(rule.match.source if direction == EGRESS else rule.match.destination)

    def _example(self, pods: PeerExpr) -> Peer | None:
        if pods not in self._examples:
            made = next(samples(pods, self._policies.peers, ALL_CONNECTIONS), None)
            addresses = self._policies.peers.unknown_addresses
            self._examples[pods] = attrs.evolve(made, addresses=addresses) if made is not None else None
        return self._examples[pods]

    def _guarantee(self, index: int, direction: str, tiers: list[Tier], pods: PeerExpr, example: Peer) -> ConnectionSet:
        """What the tiers allow to all of the pods but those that other rules single out.

        A rule that is about some of them only grants nothing; it takes away where it is about the example, which has no
        label but those that are asked for.
        """
        allowed, left = ConnectionSet.nothing(), ConnectionSet.everything()
        workload = self.universe.points[index].example
        for tier in tiers:
            passed = ConnectionSet.nothing()
            for rule in tier.rules:
                other = _other(rule, direction)
                relation = self._relation(pods, other)
                if relation is _Relation.APART:
                    continue
                connections = rule.match.connections.fixed
                if direction == INGRESS:
                    connections = opened_on(rule.match.connections, workload)
                decided = connections & left
                if relation is _Relation.WITHIN:
                    if rule.action is Action.ALLOW:
                        allowed |= decided
                    elif rule.action is Action.PASS:
                        passed |= decided
                elif rule.action is Action.ALLOW or not matches(other, example):
                    continue
                elif rule.action is Action.PASS:
                    passed |= decided
                left -= decided
            left |= passed
        return allowed | left

    def _relation(self, pods: PeerExpr, other: PeerExpr) -> _Relation:
        known = self._relations.get((pods, other))
        if known is None:
            unknown = self._policies.peers.unknown_addresses
            parts = other.parts if isinstance(other, AnyOf) else (other,)
            blocks = (part for part in parts if isinstance(part, HasAddress))
            if excludes(pods, other):
                known = _Relation.APART
            elif implies(pods, other) or any(bool(unknown) and unknown <= block.addresses for block in blocks):
                known = _Relation.WITHIN
            else:
                known = _Relation.OPEN
            self._relations[pods, other] = known
        return known


def _other(rule: PolicyRule, direction: str) -> PeerExpr:
    return rule.match.destination if direction == EGRESS else rule.match.source


def _pods_of(peer: PeerExpr) -> Iterator[PeerExpr]:
    """The parts of an expression that ask for pods by labels alone."""
    for atoms in alternatives(peer):
        if all(isinstance(atom, InNamespace | NamespaceLabel | PodLabel | AnyPod) for atom in atoms):
            yield all_of(*atoms)


def _tests(pods: PeerExpr) -> tuple[tuple[LabelTest, ...], tuple[LabelTest, ...]]:
    """The tests of namespaces and of pods, in an order of their own."""
    of_namespaces: list[LabelTest] = []
    of_pods: list[LabelTest] = []
    for part in pods.parts if isinstance(pods, AllOf) else (pods,):
        match part:
            case InNamespace(name):
                of_namespaces.append(LabelTest(NAMESPACE_NAME_LABEL, LabelOperator.IN, (name,)))
            case NamespaceLabel(test):
                of_namespaces.append(test)
            case PodLabel(test):
                of_pods.append(test)
    return _sorted(of_namespaces), _sorted(of_pods)


def _sorted(tests: list[LabelTest]) -> tuple[LabelTest, ...]:
    return tuple(sorted(dict.fromkeys(tests), key=lambda test: (test.key, test.operator.value, test.values)))
