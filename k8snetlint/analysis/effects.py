"""What policies do to the workloads at hand: parts that meet none of them, parts that change nothing, who is left out.

These answers are about the closed world. What adds nothing for any pod that could exist is another question.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import attrs

from k8snetlint.model.core import Resource
from k8snetlint.policy.ir import EGRESS, INGRESS, PeerExpr, PolicyRule, PolicySet
from k8snetlint.policy.peers import Peer

from .stated import rules_of, without
from .universe import Universe
from .verdict import Holds, check_equivalent


class Effect(enum.Enum):
    """What is to be said of policies, or of a part of one."""

    VACUOUS = "vacuous"
    EMPTY = "empty"
    REDUNDANT = "redundant"


@attrs.frozen
class Part:
    """A policy, or with `rule` one of its rules, in the stage of that name."""

    policy: Resource
    stage: str | None = None
    rule: PolicyRule | None = None


@attrs.frozen
class Finding:
    """What is to be said of a part; of all policies together where `part` is None."""

    effect: Effect
    part: Part | None = None


def is_vacuous_here(policies: PolicySet) -> bool:
    """Whether the workloads reach one another, and the outside, as they would without any policy."""
    return isinstance(check_equivalent(policies, attrs.evolve(policies, stages=())), Holds)


def empty_parts(policies: PolicySet) -> Iterator[Part]:
    """Policies that select no workload, and rules that speak of no workload, node or address."""
    universe = Universe((policies,), policies.peers.pods)
    for policy, rules in _by_policy(policies):
        if not any(universe.members(_subject(stage, rule)) for stage, rule in rules):
            yield Part(policy)
        for stage, rule in rules:
            if not universe.members(_other_side(stage, rule)):
                yield Part(policy, stage, rule)


def redundant_parts_here(policies: PolicySet) -> Iterator[Part]:
    """Policies, and rules of the others, each of which could go, alone, without changing who reaches whom.

    The only policy is never redundant: where it changes nothing, all are vacuous.
    """
    listed = list(_by_policy(policies))
    needed = [
        (policy, rules)
        for policy, rules in listed
        if len(listed) == 1 or not _changes_nothing(policies, [rule for _, rule in rules])
    ]
    for policy, _ in listed:
        if all(policy is not each for each, _ in needed):
            yield Part(policy)
    for policy, rules in needed:
        for stage, rule in rules:
            if not rule.is_default and _changes_nothing(policies, [rule]):
                yield Part(policy, stage, rule)


def unisolated(policies: PolicySet) -> Iterator[tuple[Peer, str]]:
    """The pods that no policy isolates, with the stages, `ingress` and `egress`, in which none does."""
    universe = Universe((policies,), policies.peers.pods)
    for stage in (INGRESS, EGRESS):
        captured = 0
        for name, rule in rules_of(policies):
            if name == stage and rule.is_default:
                captured |= universe.members(_subject(stage, rule))
        for index, point in enumerate(universe.points):
            if not captured >> index & 1:
                for peer in point.peers:
                    yield peer, stage


def findings(policies: PolicySet) -> Iterator[Finding]:
    """All that is to be said of policies, each thing once: of what is empty, nothing else; of vacuous ones, no more."""
    is_vacuous = is_vacuous_here(policies)
    if is_vacuous:
        yield Finding(Effect.VACUOUS)
    empty = list(empty_parts(policies))
    empty_policies = {id(part.policy) for part in empty if part.rule is None}
    for part in empty:
        if part.rule is None or id(part.policy) not in empty_policies:
            yield Finding(Effect.EMPTY, part)
    empty_rules = {id(part.rule) for part in empty if part.rule is not None}
    for part in redundant_parts_here(policies) if not is_vacuous else ():
        if id(part.policy) not in empty_policies and id(part.rule) not in empty_rules:
            yield Finding(Effect.REDUNDANT, part)


def _by_policy(policies: PolicySet) -> Iterator[tuple[Resource, list[tuple[str, PolicyRule]]]]:
    """The policies that are understood, with their rules and the stages of these."""
    found: dict[int, tuple[Resource, list[tuple[str, PolicyRule]]]] = {}
    unread = {id(problem.resource) for problem in policies.problems}
    for stage, rule in rules_of(policies):
        if rule.origin is not None and id(rule.origin.resource) not in unread:
            _, rules = found.setdefault(id(rule.origin.resource), (rule.origin.resource, []))
            rules.append((stage, rule))
    yield from found.values()


def _changes_nothing(policies: PolicySet, rules: list[PolicyRule]) -> bool:
    return isinstance(check_equivalent(policies, without(policies, rules)), Holds)


def _subject(stage: str, rule: PolicyRule) -> PeerExpr:
    return rule.match.source if stage == EGRESS else rule.match.destination


def _other_side(stage: str, rule: PolicyRule) -> PeerExpr:
    return rule.match.destination if stage == EGRESS else rule.match.source
