"""The rules that are fully understood, without placeholders: what claims about policies may rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from k8snetlint.model.adminpolicy import AdminPolicy
from k8snetlint.model.core import Resource
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.model.values import is_placeholder
from k8snetlint.policy.ir import (
    NETWORK_POLICY_TIER,
    AllOf,
    AnyOf,
    NamespaceLabel,
    Not,
    PeerExpr,
    PodLabel,
    PolicyRule,
    PolicySet,
    Stage,
)
from k8snetlint.source.tree import Path


@attrs.frozen
class Unsettled:
    """A question about a part of a policy that the solver gave up on: neither answer is given."""

    policy: Resource
    path: Path
    reason: str


def network_policy_rules(policies: PolicySet) -> Iterator[tuple[Stage, PolicyRule, NetworkPolicy]]:
    """The rules of NetworkPolicies that are understood."""
    doubtful = _Doubtful(policies)
    for stage in policies.stages:
        for tier in stage.tiers:
            for rule in tier.rules if tier.name == NETWORK_POLICY_TIER.name else ():
                policy = rule.origin.resource if rule.origin is not None else None
                if isinstance(policy, NetworkPolicy) and not doubtful.is_in(rule):
                    yield stage, rule, policy


def admin_rules(policies: PolicySet) -> Iterator[tuple[Stage, str, list[PolicyRule]]]:
    """The rules of each tier of admin policies, in order, with the tier's name: up to the first not understood."""
    doubtful = _Doubtful(policies)
    for stage in policies.stages:
        for tier in stage.tiers:
            found: list[PolicyRule] = []
            for rule in tier.rules:
                if rule.origin is None or not isinstance(rule.origin.resource, AdminPolicy) or doubtful.is_in(rule):
                    break
                found.append(rule)
            if found:
                yield stage, tier.name, found


class _Doubtful:
    """Which rules are of a policy that is not understood, or ask for what is not known yet."""

    def __init__(self, policies: PolicySet) -> None:
        self._refused = {id(problem.resource) for problem in policies.problems}

    def is_in(self, rule: PolicyRule) -> bool:
        """Whether a rule is among them."""
        named = (port.name for port in rule.match.connections.named)
        return (
            (rule.origin is not None and id(rule.origin.resource) in self._refused)
            or any(map(is_placeholder, named))
            or any(map(is_placeholder, _texts(rule.match.source)))
            or any(map(is_placeholder, _texts(rule.match.destination)))
        )


def _texts(peer: PeerExpr) -> Iterable[str]:
    match peer:
        case PodLabel(test) | NamespaceLabel(test):
            yield test.key
            yield from test.values
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _texts(part)
        case Not(part):
            yield from _texts(part)


def resource_of(rule: PolicyRule) -> Resource:
    """The policy that states a rule."""
    assert rule.origin is not None  # what the cluster does by itself is not asked for
    return rule.origin.resource
