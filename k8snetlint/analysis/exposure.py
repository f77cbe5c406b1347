"""What pods that the manifests do not hold could reach, or be reached by: read off the peers that rules speak of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import attrs

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


class _Candidate(NamedTuple):
    """Pods of an expression, one of them, and what the policies of a workload let all of them do."""

    pods: PeerExpr
    example: Peer
    connections: ConnectionSet


def exposures(policies: PolicySet) -> Iterator[Exposure]:
    """For each workload and direction what any pod could, and what pods with labels that rules ask for could beyond."""
    found = _Exposures(policies)
    candidates = {
        (index, direction): list(found.candidates(index, direction))
        for index in range(found.universe.first_address)
        for direction in (INGRESS, EGRESS)
    }
    everything = connectivity(policies, found.examples())
    points = {id(peer): number for number, point in enumerate(everything.points) for peer in point.peers}
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
                ends = (points[id(candidate.example)], points[id(peer)])
                held = candidate.connections & _between(everything, ends, direction)
                is_restricted = not common <= candidate.connections
                if candidate.pods == _ANYONE:
                    common = held
                elif held <= common and not is_restricted:
                    continue
                exposure = Exposure(peer.text, direction, *_tests(candidate.pods), held)
                if (held or is_restricted) and exposure not in seen:
                    seen.add(exposure)
                    yield exposure


def _between(found: Connectivity, ends: tuple[int, int], direction: str) -> ConnectionSet:
    other, workload = ends
    return found.between(workload, other) if direction == EGRESS else found.between(other, workload)


class _Exposures:
    def __init__(self, policies: PolicySet) -> None:
        self.universe = Universe((policies,), policies.peers.pods)
        self._policies = policies
        self._examples: dict[PeerExpr, Peer | None] = {}

    def examples(self) -> list[Peer]:
        """One imagined pod for each expression that was asked about."""
        return [peer for peer in self._examples.values() if peer is not None]

    def candidates(self, index: int, direction: str) -> Iterator[_Candidate]:
        """What the policies of a point let pods do: any pod first, then those that rules ask for."""
        tiers = self._governing(index, direction)
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
                if excludes(pods, other):
                    continue
                connections = rule.match.connections.fixed
                if direction == INGRESS:
                    connections = opened_on(rule.match.connections, workload)
                decided = connections & left
                if self._holds_all(pods, other):
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

    def _holds_all(self, pods: PeerExpr, other: PeerExpr) -> bool:
        unknown = self._policies.peers.unknown_addresses
        blocks = (
            part for part in (other.parts if isinstance(other, AnyOf) else (other,)) if isinstance(part, HasAddress)
        )
        return implies(pods, other) or any(bool(unknown) and unknown <= block.addresses for block in blocks)


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
