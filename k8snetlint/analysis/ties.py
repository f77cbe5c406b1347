"""Admin policies of one tier and priority: which of them comes first is undefined, and here and there it matters."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.model.adminpolicy import AdminPolicy
from k8snetlint.policy.ir import BASELINE_TIER, Match, PolicyRule, PolicySet

from .containment import match_excludes
from .understood import admin_rules
from .universe import Universe


@attrs.frozen(eq=False)
class Tie:
    """Two policies of one priority whose rules do different things with some traffic.

    `is_met`: workloads at hand are on both sides of it; otherwise pods that may exist.
    """

    first: AdminPolicy
    second: AdminPolicy
    is_met: bool


def ties(policies: PolicySet) -> Iterator[Tie]:
    """The ties of a policy set, those that are met before the others, each pair of policies once."""
    found: dict[tuple[int, int], Tie] = {}
    universe: Universe | None = None
    for _, tier, rules in admin_rules(policies):
        by_priority: dict[int, list[tuple[AdminPolicy, PolicyRule]]] = {}
        for rule in rules:
            policy = rule.origin.resource if rule.origin is not None else None
            if isinstance(policy, AdminPolicy) and (tier != BASELINE_TIER.name or policy.has_priority):
                by_priority.setdefault(policy.priority, []).append((policy, rule))
        for group in by_priority.values():
            for (first, rule), (second, other) in _conflicts(group):
                key = (id(first), id(second))
                if key in found and found[key].is_met:
                    continue
                universe = universe or Universe((policies,), policies.peers.pods)
                found[key] = Tie(first, second, _meet(universe, rule.match, other.match))
    yield from sorted(found.values(), key=lambda tie: not tie.is_met)


def _conflicts(
    group: list[tuple[AdminPolicy, PolicyRule]],
) -> Iterator[tuple[tuple[AdminPolicy, PolicyRule], tuple[AdminPolicy, PolicyRule]]]:
    """Pairs of rules of different policies that do different things with traffic that may be the same."""
    for index, one in enumerate(group):
        for other in group[index + 1 :]:
            if one[0] is other[0] or one[1].action is other[1].action:
                continue
            if not match_excludes(one[1].match, other[1].match):
                yield one, other


def _meet(universe: Universe, first: Match, second: Match) -> bool:
    sources = universe.members(first.source) & universe.members(second.source)
    return bool(sources and universe.members(first.destination) & universe.members(second.destination))
