"""Rules that never decide, or whose opposite happens, because others are asked before them."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.model.adminpolicy import AdminPolicy
from k8snetlint.policy.ir import ADMIN_TIER, Action, PolicyRule, PolicySet

from .containment import is_empty_match
from .decided import Deciding, covering
from .understood import Unsettled, admin_rules, network_policy_rules, resource_of
from .verdict import Undecided


@attrs.frozen
class Shadowed:
    """A rule that never decides, since the rules of `covered_by` decide all that it is about before it is asked."""

    stage: str
    rule: PolicyRule
    covered_by: tuple[PolicyRule, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether those decide as the rule itself would."""
        return all(rule.action is self.rule.action for rule in self.covered_by)


def shadowed_rules(policies: PolicySet, resource_limit: int | None = None) -> Iterator[Shadowed | Unsettled]:
    """The rules of admin policies that rules before them in their tier leave nothing to.

    Of policies with one priority in one tier neither comes before the other.
    """
    deciding = Deciding(policies, resource_limit)
    for stage, _, rules in admin_rules(policies):
        for number, rule in enumerate(rules):
            earlier = [each for each in rules[:number] if _precedes(each, rule)]
            if not earlier or rule.origin is None or is_empty_match(rule.match):
                continue
            try:
                if deciding.decides(rule.match, earlier, None):
                    yield Shadowed(stage.name, rule, covering(deciding, rule.match, earlier, None))
            except Undecided as undecided:
                yield Unsettled(rule.origin.resource, rule.origin.path, str(undecided))
                if deciding.is_exhausted:
                    return


def overridden_rules(policies: PolicySet, resource_limit: int | None = None) -> Iterator[Shadowed | Unsettled]:
    """The rules of NetworkPolicies that the admin tier turns into their opposite: allows denied, denies allowed."""
    deciding = Deciding(policies, resource_limit)
    admin = {stage.name: rules for stage, tier, rules in admin_rules(policies) if tier == ADMIN_TIER.name}
    for stage, rule, policy in network_policy_rules(policies) if admin else ():
        rules = admin.get(stage.name, ())
        opposite = Action.ALLOW if rule.action is Action.DENY else Action.DENY
        if not any(each.action is opposite for each in rules) or is_empty_match(rule.match):
            continue
        try:
            if deciding.decides(rule.match, rules, opposite):
                yield Shadowed(stage.name, rule, covering(deciding, rule.match, rules, opposite))
        except Undecided as undecided:
            yield Unsettled(policy, rule.origin.path if rule.origin is not None else (), str(undecided))
            if deciding.is_exhausted:
                return


def _precedes(first: PolicyRule, second: PolicyRule) -> bool:
    a, b = resource_of(first), resource_of(second)
    return a is b or (isinstance(a, AdminPolicy) and isinstance(b, AdminPolicy) and a.priority < b.priority)
