"""The common representation that every policy dialect is lowered to, and that every engine reads.

A flow passes when each stage allows it. A stage asks its tiers in order; in a tier the first rule that matches
decides; PASS, or no match, asks the next tier; no match in the last one allows. Peers are kept symbolic: the
closed world evaluates them on the workloads at hand, the open world encodes them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, TypeAlias

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.core import Resource
from k8snetlint.source.tree import Path

from .peers import Peers


class Action(enum.Enum):
    """What a rule does with a flow that it matches."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"


class LabelOperator(enum.Enum):
    """How a label is tested. The negations hold for objects without the label, as in Kubernetes selectors."""

    IN = "in"
    NOT_IN = "not in"
    EXISTS = "exists"
    ABSENT = "absent"
    STARTS_WITH = "starts with"
    ENDS_WITH = "ends with"
    CONTAINS = "contains"


@attrs.frozen(cache_hash=True)
class LabelTest:
    """One test of one label. `values` is sorted and without duplicates; empty for EXISTS and ABSENT."""

    key: str
    operator: LabelOperator
    values: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Whether the test holds for the label's value, None where the label is absent."""
        match self.operator:
            case LabelOperator.IN:
                return value is not None and value in self.values
            case LabelOperator.NOT_IN:
                return value is None or value not in self.values
            case LabelOperator.EXISTS:
                return value is not None
            case LabelOperator.ABSENT:
                return value is None
            case LabelOperator.STARTS_WITH:
                return value is not None and value.startswith(self.values)
            case LabelOperator.ENDS_WITH:
                return value is not None and value.endswith(self.values)
            case LabelOperator.CONTAINS:
                return value is not None and any(part in value for part in self.values)


@attrs.frozen
class Everything:
    """Every peer: pods, nodes, addresses outside."""


@attrs.frozen
class Nothing:
    """No peer."""


@attrs.frozen
class AnyPod:
    """Every pod that policies can select: by default none on the host network."""


@attrs.frozen(cache_hash=True)
class InNamespace:
    """The selectable pods of the namespace of that name."""

    name: str


@attrs.frozen(cache_hash=True)
class NamespaceLabel:
    """The selectable pods whose namespace's labels pass the test."""

    test: LabelTest


@attrs.frozen(cache_hash=True)
class PodLabel:
    """The selectable pods whose own labels pass the test."""

    test: LabelTest


@attrs.frozen(cache_hash=True)
class ServiceAccountIs:
    """The selectable pods that run as the service account of that name, in whatever namespace they are."""

    name: str


@attrs.frozen(cache_hash=True)
class HasAddress:
    """The peers all of whose possible addresses lie in the set; whether pods can, `Enforcement` says."""

    addresses: AddressSet


@attrs.frozen(cache_hash=True)
class IsNode:
    """The nodes whose labels pass all tests, and the host-network pods on them."""

    tests: tuple[LabelTest, ...] = ()


@attrs.frozen(cache_hash=True)
class NodeIs:
    """The node of that name, and the host-network pods on it."""

    name: str


@attrs.frozen(cache_hash=True)
class RunsOn:
    """The selectable pods on the node of that name."""

    name: str


@attrs.frozen(cache_hash=True)
class AllOf:
    """The peers in every part; everything if there is none."""

    parts: tuple[PeerExpr, ...]


@attrs.frozen(cache_hash=True)
class AnyOf:
    """The peers in at least one part; nothing if there is none."""

    parts: tuple[PeerExpr, ...]


@attrs.frozen(cache_hash=True)
class Not:
    """The peers outside the part, addresses and nodes among them."""

    part: PeerExpr


PeerExpr: TypeAlias = (
    Everything
    | Nothing
    | AnyPod
    | InNamespace
    | NamespaceLabel
    | PodLabel
    | ServiceAccountIs
    | HasAddress
    | IsNode
    | NodeIs
    | RunsOn
    | AllOf
    | AnyOf
    | Not
)


class PortName(NamedTuple):
    """A port given by name: resolved on the destination pod. `protocol` None stands for any."""

    name: str
    protocol: str | None


@attrs.frozen(cache_hash=True)
class ConnectionExpr:
    """The connections of a rule: numbers known now, and names that each destination pod resolves for itself."""

    fixed: ConnectionSet
    named: tuple[PortName, ...] = ()


ALL_CONNECTIONS = ConnectionExpr(ConnectionSet.everything())


@attrs.frozen
class Match:
    """The flows that a rule is about."""

    source: PeerExpr
    destination: PeerExpr
    connections: ConnectionExpr


@attrs.frozen
class Origin:
    """Where a rule was written: the way from an engine's answer back to a line."""

    resource: Resource
    path: Path = ()


@attrs.frozen
class PolicyRule:
    """One rule with its origin; `origin` is None for what the cluster does by itself.

    `is_default` marks the deny that isolation implies: it names no peer, and explanations speak of it otherwise.
    """

    action: Action
    match: Match
    origin: Origin | None
    is_default: bool = False


class TierKey(NamedTuple):
    """The place of a tier among all tiers, by order, then name."""

    order: float
    name: str


# The orders leave room between them: other dialects have tiers of their own before, between and after these.
OWN_NODE_TIER = TierKey(-1.0, "own-node")
ADMIN_TIER = TierKey(1_000.0, "admin")
NETWORK_POLICY_TIER = TierKey(1_000_000.0, "networkpolicy")
BASELINE_TIER = TierKey(10_000_000.0, "baseline")

Rank: TypeAlias = tuple[float, str, int]


class Contribution(NamedTuple):
    """What a dialect yields: a rule with its place. Rules of a tier are sorted by rank."""

    stage: str
    tier: TierKey
    rank: Rank
    rule: PolicyRule


@attrs.frozen
class Tier:
    """Rules in order: the first that matches decides."""

    name: str
    rules: tuple[PolicyRule, ...]


EGRESS, INGRESS, L7 = "egress", "ingress", "l7"
STAGE_ORDER = (EGRESS, INGRESS, L7)


@attrs.frozen
class Stage:
    """Tiers in order. `name` is `egress` (the source is the subject), `ingress` or `l7` (the destination is)."""

    name: str
    tiers: tuple[Tier, ...]


@attrs.frozen
class PolicyProblem:
    """A part of a policy that was not understood. The rule fails closed, and answers are incomplete."""

    resource: Resource
    path: Path
    message: str


@attrs.frozen
class PolicySet:
    """All policies of a unit, and the peers that they are about. A flow passes when every stage allows it.

    With `problems` what the engines say is incomplete.
    """

    stages: tuple[Stage, ...]
    problems: tuple[PolicyProblem, ...]
    peers: Peers

    @cached_property
    def pod_tests(self) -> Mapping[str, tuple[LabelTest, ...]]:
        """What the rules ask of the labels of pods, by label."""
        found: dict[str, dict[LabelTest, None]] = {}
        rules = (rule for stage in self.stages for tier in stage.tiers for rule in tier.rules)
        for side in dict.fromkeys(side for rule in rules for side in (rule.match.source, rule.match.destination)):
            for test in pod_tests_of(side):
                found.setdefault(test.key, {})[test] = None
        return {key: tuple(tests) for key, tests in found.items()}

    @cached_property
    def _near_stages(self) -> dict[tuple[str, str | None], Stage]:
        return {}

    def near(self, source: str | None, destination: str | None) -> PolicySet:
        """The same policies to flows between two namespaces: without the rules about pods of others, so that few are left."""
        stages = []
        for stage in self.stages:
            namespace = source if stage.name == EGRESS else destination
            key = (stage.name, namespace)
            if key not in self._near_stages:
                tiers = (Tier(tier.name, tuple(_about(tier.rules, stage.name, namespace))) for tier in stage.tiers)
                self._near_stages[key] = Stage(stage.name, tuple(tiers))
            stages.append(self._near_stages[key])
        return PolicySet(tuple(stages), self.problems, self.peers)


def _about(rules: tuple[PolicyRule, ...], stage: str, namespace: str | None) -> Iterator[PolicyRule]:
    for rule in rules:
        if namespace_of(rule.match.source if stage == EGRESS else rule.match.destination) in (None, namespace):
            yield rule


def namespace_of(peer: PeerExpr) -> str | None:
    """The namespace that all pods of an expression are in; None if there need not be one."""
    parts = peer.parts if isinstance(peer, AllOf) else (peer,)
    return next((part.name for part in parts if isinstance(part, InNamespace)), None)


def all_of(*parts: PeerExpr) -> PeerExpr:
    """The conjunction, flattened, without what changes nothing; equal ones come out equal."""
    flat: dict[PeerExpr, None] = {}
    for part in parts:
        if isinstance(part, AllOf):
            flat.update(dict.fromkeys(part.parts))
        elif isinstance(part, Nothing):
            return Nothing()
        elif not isinstance(part, Everything):
            flat[part] = None
    if len(flat) > 1 and any(isinstance(part, InNamespace | NamespaceLabel | PodLabel) for part in flat):
        flat.pop(AnyPod(), None)
    if not flat:
        return Everything()
    return next(iter(flat)) if len(flat) == 1 else AllOf(tuple(flat))


def any_of(*parts: PeerExpr) -> PeerExpr:
    """The disjunction, flattened, without what changes nothing; equal ones come out equal.

    Address sets become one: a peer whose address is not known has one of a set that only several of them cover.
    """
    flat: dict[PeerExpr, None] = {}
    addresses: AddressSet | None = None
    for part in (inner for given in parts for inner in (given.parts if isinstance(given, AnyOf) else (given,))):
        if isinstance(part, Everything):
            return Everything()
        if isinstance(part, HasAddress):
            addresses = part.addresses if addresses is None else addresses | part.addresses
        elif not isinstance(part, Nothing):
            flat[part] = None
    if addresses is not None:
        flat[HasAddress(addresses)] = None
    if not flat:
        return Nothing()
    return next(iter(flat)) if len(flat) == 1 else AnyOf(tuple(flat))


def pod_tests_of(peer: PeerExpr) -> Iterator[LabelTest]:
    """What an expression asks of the labels of pods."""
    match peer:
        case PodLabel(test):
            yield test
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from pod_tests_of(part)
        case Not(part):
            yield from pod_tests_of(part)
