"""What policies state by a rule, apart from what they merely leave open: questions to a specification.

A flow is stated if it is allowed, and a written rule says so on one of its sides at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from k8snetlint.model.core import Resource
from k8snetlint.policy import ir
from k8snetlint.policy.ir import Action, PolicyRule, PolicySet, Stage, Tier

from .verdict import Holds, Refuted, Verdict, World, check_covered, check_disjoint, check_equivalent, check_implies

_REST = Tier(
    "unstated", (PolicyRule(Action.DENY, ir.Match(ir.Everything(), ir.Everything(), ir.ALL_CONNECTIONS), None),)
)


def stated(policies: PolicySet) -> tuple[PolicySet, ...]:
    """Policy sets that together allow exactly what the given ones state: one for each side that may state it."""
    return tuple(
        attrs.evolve(policies, stages=tuple(_strict(stage) if stage is strict else stage for stage in policies.stages))
        for strict in policies.stages
    )


def _strict(stage: Stage) -> Stage:
    """A stage that allows what a written rule allows, and nothing by default."""
    tiers = tuple(Tier(tier.name, tuple(map(_written, tier.rules))) for tier in stage.tiers)
    return Stage(stage.name, (*tiers, _REST))


def _written(rule: PolicyRule) -> PolicyRule:
    return rule if rule.origin is not None else attrs.evolve(rule, action=Action.DENY)


def check_permits(specification: PolicySet, policies: PolicySet, world: World = World.CLOSED) -> Verdict:
    """Whether the policies allow everything that a specification states."""
    return _first_failure(check_implies(part, policies, world) for part in stated(specification))


def check_forbids(specification: PolicySet, policies: PolicySet, world: World = World.CLOSED) -> Verdict:
    """Whether the policies allow nothing of what a specification states."""
    return _first_failure(check_disjoint(part, policies, world) for part in stated(specification))


def check_extends_nothing(first: PolicySet, second: PolicySet, world: World = World.CLOSED) -> Verdict:
    """Whether the second states everything that the first states; where not, the first interferes with it."""
    others = stated(second)
    return _first_failure(check_covered(part, others, world) for part in stated(first))


def check_strongly_equivalent(first: PolicySet, second: PolicySet, world: World = World.CLOSED) -> Verdict | None:
    """Whether policies of one name mean the same, each by itself; None if the two do not hold the same names."""
    ours, theirs = _by_name(first), _by_name(second)
    if set(ours) != set(theirs):
        return None
    return _first_failure(
        check_equivalent(only(first, policy), only(second, theirs[name]), world) for name, policy in ours.items()
    )


def _by_name(policies: PolicySet) -> dict[tuple[str, str, str | None, str], Resource]:
    found = (rule.origin.resource for _, rule in rules_of(policies) if rule.origin is not None)
    return {(policy.group, policy.kind, policy.namespace, policy.name): policy for policy in found}


def rules_of(policies: PolicySet) -> Iterator[tuple[str, PolicyRule]]:
    """All rules, each with the name of its stage."""
    for stage in policies.stages:
        for tier in stage.tiers:
            for rule in tier.rules:
                yield stage.name, rule


def without(policies: PolicySet, rules: Iterable[PolicyRule]) -> PolicySet:
    """The policy set without some of its rules."""
    gone = set(map(id, rules))
    return attrs.evolve(policies, stages=tuple(_without(stage, gone) for stage in policies.stages))


def _without(stage: Stage, gone: set[int]) -> Stage:
    tiers = (Tier(tier.name, tuple(rule for rule in tier.rules if id(rule) not in gone)) for tier in stage.tiers)
    return Stage(stage.name, tuple(tiers))


def only(policies: PolicySet, policy: Resource) -> PolicySet:
    """The policy set with one of its policies, and what the cluster does by itself."""
    others = (rule for _, rule in rules_of(policies) if rule.origin is not None and rule.origin.resource is not policy)
    return without(policies, others)


def _first_failure(verdicts: Iterator[Verdict]) -> Verdict:
    """The first verdict that is no proof, refutations before what is not known."""
    unknown: Verdict = Holds()
    for verdict in verdicts:
        if isinstance(verdict, Refuted):
            return verdict
        if not isinstance(verdict, Holds):
            unknown = verdict
    return unknown
