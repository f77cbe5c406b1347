"""What of the policies adds nothing: parts that others make superfluous, rules that never decide, vacuous policies.

Every claim is about every pod that could exist. Policies and rules that are not fully understood, or hold a placeholder,
are left out on both sides: nothing is claimed of them, and nothing rests on them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence

import attrs

from k8snetlint.model.core import Resource
from k8snetlint.model.networkpolicy import INGRESS as INGRESS_TYPE
from k8snetlint.model.networkpolicy import NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicyRule
from k8snetlint.policy.dialects.kubernetes import match_of
from k8snetlint.policy.enforcement import Enforcement
from k8snetlint.policy.ir import (
    BASELINE_TIER,
    INGRESS,
    Action,
    Match,
    PolicyRule,
    PolicySet,
)
from k8snetlint.source.tree import Path

from .containment import is_empty_match, match_excludes
from .decided import Deciding, covering
from .understood import Unsettled, network_policy_rules, resource_of
from .verdict import Undecided

# What it costs to leave one entry out of a rule, for each of the others.
_ENTRY_COST = 32


class PartKind(enum.Enum):
    """What kind of part of a policy something is."""

    POLICY = "policy"
    RULE = "rule"
    PEER = "peer"
    PORT = "port"


@attrs.frozen
class Redundant:
    """A part of a policy that could be taken away without changing any verdict; `path` is empty for a whole policy.

    `covered_by` are the rules that already do what it does, default denies among them where it isolates.
    """

    policy: Resource
    kind: PartKind
    path: Path
    covered_by: tuple[PolicyRule, ...]


def redundant_parts(policies: PolicySet, resource_limit: int | None = None) -> Iterator[Redundant | Unsettled]:
    """The parts of NetworkPolicies that add nothing to the others of their namespace.

    All of them can be taken away together: of two that say the same the later one is named. The parts of a redundant
    policy or rule are not listed, nor those that are empty anyway. A policy that opens nothing is never among them: it
    says of its pods what is to hold when the others are gone.
    """
    deciding = Deciding(policies, resource_limit)
    found: dict[str | None, _Namespace] = {}
    for stage, rule, policy in network_policy_rules(policies):
        group = found.setdefault(policy.namespace, _Namespace(policies, deciding))
        group.add(stage.name, rule, policy)
    for group in found.values():
        for part in group.parts():
            yield part
            if isinstance(part, Unsettled) and deciding.is_exhausted:
                return


def vacuous_policies(policies: PolicySet, resource_limit: int | None = None) -> Iterator[Resource | Unsettled]:
    """The NetworkPolicies that deny nothing, though they select pods, and that no other policy gives a sense.

    That is where the rules of a policy together allow all that it isolates from.
    """
    deciding = Deciding(policies, resource_limit)
    by_policy: dict[int, list[tuple[str, PolicyRule]]] = {}
    for stage, rule, policy in network_policy_rules(policies):
        by_policy.setdefault(id(policy), []).append((stage.name, rule))
    tiers = [tier for stage in policies.stages for tier in stage.tiers]
    denies = [
        (stage.name, rule)
        for stage in policies.stages
        for tier in stage.tiers
        for rule in tier.rules
        if rule.is_default
    ]
    has_baseline = any(tier.name == BASELINE_TIER.name for tier in tiers)
    for group in by_policy.values() if not has_baseline and not policies.problems else ():
        vacuous = resource_of(group[0][1])
        others = [(stage, rule) for stage, rule in denies if resource_of(rule) is not vacuous]
        try:
            if all(
                deciding.decides(rule.match, _allowing(group, stage), Action.ALLOW)
                and all(match_excludes(rule.match, other.match) for name, other in others if name == stage)
                for stage, rule in group
                if rule.action is Action.DENY and not is_empty_match(rule.match)
            ) and not all(is_empty_match(rule.match) for _, rule in group):
                yield vacuous
        except Undecided as undecided:
            yield Unsettled(vacuous, (), str(undecided))
            if deciding.is_exhausted:
                return


def is_vacuous(policies: PolicySet, resource_limit: int | None = None) -> bool:
    """Whether the policies as a whole deny nothing to anyone: without them everything would be as it is.

    Raises Undecided if the solver gives up.
    """
    deciding = Deciding(policies, resource_limit)
    if policies.problems:
        return False
    for stage in policies.stages:
        for tier in stage.tiers:
            allowing = [rule for rule in tier.rules if rule.action is Action.ALLOW]
            for rule in tier.rules:
                if rule.action is not Action.DENY or is_empty_match(rule.match):
                    continue
                if not rule.is_default or not deciding.decides(rule.match, allowing, Action.ALLOW):
                    return False
    return True


def of_peer(
    policy: NetworkPolicy,
    stage: str,
    rule: PolicyRule,
    peer: NetworkPolicyPeer,
    enforcement: Enforcement,
    is_left_out: bool = False,
) -> PolicyRule | None:
    """A rule of a policy for one of its peers alone, or for all but that one; None where no other is left."""
    assert rule.origin is not None  # what a policy's own rules have
    written = policy.rules(_type_of(stage))[int(rule.origin.path[-1])]
    only, rest = _split(written, PartKind.PEER, peer.path)
    chosen = rest if is_left_out else only
    if chosen is None:
        return None
    subject = rule.match.destination if stage == INGRESS else rule.match.source
    return attrs.evolve(rule, match=match_of(policy, _type_of(stage), subject, chosen, enforcement))


class _Namespace:
    """The rules of the NetworkPolicies of one namespace that are still standing."""

    def __init__(self, policies: PolicySet, deciding: Deciding) -> None:
        self._enforcement = policies.peers.enforcement
        self._cluster = policies.peers.cluster
        self._deciding = deciding
        self._policies: dict[int, NetworkPolicy] = {}
        self._rules: dict[str, list[PolicyRule]] = {}

    def add(self, stage: str, rule: PolicyRule, policy: NetworkPolicy) -> None:
        """Takes in a rule."""
        self._policies[id(policy)] = policy
        self._rules.setdefault(stage, []).append(rule)

    def parts(self) -> Iterator[Redundant | Unsettled]:
        """What adds nothing: whole policies, then rules, then peers and ports; those of later policies first."""
        candidates = [policy for policy in self._policies.values() if not self._cluster.is_context(policy)]
        for policy in reversed(candidates):
            yield from self._policy(policy)
        for policy in reversed(candidates):
            for stage, rules in self._rules.items():
                own = [rule for rule in rules if resource_of(rule) is policy and not rule.is_default]
                for rule in reversed(own):
                    yield from self._rule(policy, stage, rule)

    def _policy(self, policy: NetworkPolicy) -> Iterator[Redundant | Unsettled]:
        if len(self._policies) == 1:
            return
        own = [(stage, rule) for stage, rules in self._rules.items() for rule in rules if resource_of(rule) is policy]
        opens_nothing = all(rule.is_default for _, rule in own)
        if opens_nothing or all(is_empty_match(rule.match) for _, rule in own):
            return
        covering: dict[int, PolicyRule] = {}
        try:
            for stage, rule in sorted(own, key=lambda each: not each[1].is_default):
                others = [each for each in self._rules[stage] if resource_of(each) is not policy]
                found = self._covered(rule.match, others, rule.action)
                if found is None:
                    return
                covering.update((id(each), each) for each in found)
        except Undecided as undecided:
            yield Unsettled(policy, (), str(undecided))
            return
        for stage, rules in self._rules.items():
            self._rules[stage] = [rule for rule in rules if resource_of(rule) is not policy]
        yield Redundant(policy, PartKind.POLICY, (), tuple(covering.values()))

    def _rule(self, policy: NetworkPolicy, stage: str, rule: PolicyRule) -> Iterator[Redundant | Unsettled]:
        assert rule.origin is not None  # what a policy's own rules have
        if is_empty_match(rule.match):
            return
        others = [each for each in self._rules[stage] if each is not rule]
        try:
            found = self._covered(rule.match, others, Action.ALLOW)
        except Undecided as undecided:
            yield Unsettled(policy, rule.origin.path, str(undecided))
            return
        if found is not None:
            self._rules[stage] = others
            yield Redundant(policy, PartKind.RULE, rule.origin.path, found)
            return
        yield from self._entries(policy, stage, rule)

    def _entries(self, policy: NetworkPolicy, stage: str, rule: PolicyRule) -> Iterator[Redundant | Unsettled]:
        """The peers and ports of a rule that add nothing to its others and to the other rules."""
        assert rule.origin is not None  # what a policy's own rules have
        written = policy.rules(_type_of(stage))[int(rule.origin.path[-1])]
        for kind in (PartKind.PEER, PartKind.PORT):
            entries: tuple[NetworkPolicyPeer | NetworkPolicyPort, ...]
            entries = written.peers if kind is PartKind.PEER else written.ports
            for entry in entries[::-1]:
                only, rest = _split(written, kind, entry.path)
                if rest is None or not entry.is_understood:
                    continue
                asked = self._match(policy, stage, rule, only)
                if is_empty_match(asked):
                    continue
                try:
                    self._deciding.spend(_ENTRY_COST * len(entries))
                    remaining = attrs.evolve(rule, match=self._match(policy, stage, rule, rest))
                    others = [remaining if each is rule else each for each in self._rules[stage]]
                    found = self._covered(asked, others, Action.ALLOW)
                except Undecided as undecided:
                    yield Unsettled(policy, entry.path, str(undecided))
                    continue
                if found is not None:
                    self._rules[stage], written, rule = others, rest, remaining
                    yield Redundant(policy, kind, entry.path, found)

    def _match(self, policy: NetworkPolicy, stage: str, rule: PolicyRule, written: NetworkPolicyRule) -> Match:
        subject = rule.match.destination if stage == INGRESS else rule.match.source
        return match_of(policy, _type_of(stage), subject, written, self._enforcement)

    def _covered(self, match: Match, rules: Sequence[PolicyRule], action: Action) -> tuple[PolicyRule, ...] | None:
        """The rules of an action that together are about all of a match; None if they are not."""
        same = [rule for rule in rules if rule.action is action]
        if is_empty_match(match):
            return ()
        return covering(self._deciding, match, same, action) if self._deciding.decides(match, same, action) else None


def _split(rule: NetworkPolicyRule, kind: PartKind, path: Path) -> tuple[NetworkPolicyRule, NetworkPolicyRule | None]:
    """A rule with only one of its entries, and with the others; None where there is no other."""
    if kind is PartKind.PEER:
        peers = tuple(peer for peer in rule.peers if peer.path != path)
        only = tuple(peer for peer in rule.peers if peer.path == path)
        return attrs.evolve(rule, peers=only), attrs.evolve(rule, peers=peers) if peers else None
    ports = tuple(port for port in rule.ports if port.path != path)
    alone = tuple(port for port in rule.ports if port.path == path)
    return attrs.evolve(rule, ports=alone), attrs.evolve(rule, ports=ports) if ports else None


def _type_of(stage: str) -> str:
    return INGRESS_TYPE if stage == INGRESS else "Egress"


def _allowing(group: Iterable[tuple[str, PolicyRule]], stage: str) -> list[PolicyRule]:
    return [rule for name, rule in group if name == stage and rule.action is Action.ALLOW]
