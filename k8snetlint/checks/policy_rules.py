"""Rules and directions of NetworkPolicies: what they add up to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic, Fix, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.networkpolicy import EGRESS, INGRESS, NetworkPolicy, NetworkPolicyRule
from k8snetlint.model.values import items_of
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Span
from k8snetlint.source.tree import Node

from .edits import with_items
from .policy_ports import covers
from .policy_selectors import policies_by_namespace
from .words import listed

_DIRECTIONS = ((INGRESS, "ingress", "from"), (EGRESS, "egress", "to"))
_THEN_ACTION = re.compile(r"[^\n]*\n\s*\{\{")
_DENIES = re.compile(r"(^|[-.])(deny|denied|block|drop)([-.]|$)")


def _is_everything(rule: NetworkPolicyRule) -> bool:
    return rule.is_understood and not rule.peers and not rule.ports


@check("NP022")
def rules_ignored(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """Rules of a direction that policyTypes does not list."""
    types = policy.root.get("spec", "policyTypes")
    if (
        not policy.has_policy_types
        or types is None
        or any(p.path[:2] == ("spec", "policyTypes") for p in policy.problems)
    ):
        return
    for direction, field, _ in _DIRECTIONS:
        if direction in policy.policy_types or not policy.rules(direction):
            continue
        edit = with_items(policy, "spec", "policyTypes", items=[direction])
        yield ctx.report(
            policy,
            "spec",
            field,
            key=True,
            message=(
                f"the {field} rules of `{policy.name}` are ignored: policyTypes lists"
                f" {listed(policy.policy_types)} only, so {field} stays as it is without them"
            ),
            related=[ctx.location(policy, "spec", "policyTypes", key=True, label=f"does not list {direction}")],
            help=f"add {direction} to policyTypes, or remove the rules",
            fix=ctx.fix(f"Add {direction}", edit),
        )


@check("NP024")
def egress_only_isolates_ingress(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """Egress rules alone, without policyTypes: ingress is shut too."""
    if policy.has_policy_types or not policy.egress or policy.root.get("spec", "ingress") is not None:
        return
    for other in ctx.once(policies_by_namespace).get(policy.namespace, ()):
        speaks_of_ingress = INGRESS in other.policy_types and (other.ingress or other.has_policy_types)
        if other is not policy and speaks_of_ingress and covers(other.pod_selector, policy.pod_selector):
            return
    yield ctx.report(
        policy,
        "spec",
        "egress",
        key=True,
        message=(
            f"`{policy.name}` has egress rules only, but without policyTypes Ingress is always implied:"
            " it shuts all traffic to its pods"
        ),
        help="add `policyTypes: [Egress]`; if all ingress is to be denied, write `policyTypes: [Ingress, Egress]`",
        fix=_with_policy_types(policy, ctx),
    )


def _with_policy_types(policy: NetworkPolicy, ctx: Context) -> Fix | None:
    key = policy.root.key_at("spec", "egress")
    text = key.source.text
    lead = text[text.rfind("\n", 0, key.start) + 1 : key.start]
    if key.via or lead.strip():
        return None
    return ctx.fix(
        "Isolate egress only", Edit(key.source, Span(key.start, key.start), f"policyTypes: [Egress]\n{lead}")
    )


@check("NP028")
def allow_all(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A rule that allows everything."""
    for direction, field, _ in _DIRECTIONS:
        if direction not in policy.policy_types:
            continue
        rule = next((rule for rule in policy.rules(direction) if _is_everything(rule)), None)
        if rule is not None:
            yield ctx.report(
                policy,
                *rule.path,
                message=f"`{policy.name}` allows all {field}, so no stricter policy restricts its pods",
                help=f"name the peers and ports that are needed, or remove the policy if {field} may stay open",
            )


def _is_filled_by_template(key: Node) -> bool:
    """Whether an action follows a key in a template: with other values the list has items, and this one may be meant."""
    return _THEN_ACTION.match(key.source.text, key.end) is not None


@check("NP029")
def empty_from_list(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An empty list of peers or ports, or an empty rule written as null."""
    for _, field, peer_field in _DIRECTIONS:
        for index, rule in enumerate(items_of(policy.root.get("spec", field))):
            if rule.value is None:
                yield ctx.report(
                    policy,
                    "spec",
                    field,
                    index,
                    message=f"a rule of `{policy.name}` is null, which allows all {field}",
                    help="write `{}` if everything is to be allowed, else name peers and ports",
                )
            for name, meaning in ((peer_field, "everybody"), ("ports", "every port")):
                node = rule.get(name)
                if node is None or (node.value is not None and not (node.is_sequence and not node.items)):
                    continue
                shown = "null" if node.value is None else "empty"
                yield ctx.report(
                    policy,
                    "spec",
                    field,
                    index,
                    name,
                    key=True,
                    severity=Severity.NOTE if _is_filled_by_template(rule.key_at(name)) else None,
                    message=f"`{name}` of a rule of `{policy.name}` is {shown}, which means {meaning}, not none",
                    help=f"leave `{name}` out if {meaning} is meant; to allow nothing, remove the rule",
                )


@check("NP054")
def default_deny_no_effect(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A policy that is called a deny and denies nothing."""
    name = policy.name.lower()
    if not _DENIES.search(name) or "allow" in name or policy.pod_selector is None:
        return
    named = [(direction, field) for direction, field, _ in _DIRECTIONS if field in name]
    for direction, field in named:
        if direction not in policy.policy_types:
            yield ctx.report(
                policy,
                "metadata",
                "name",
                message=f"`{policy.name}` does not deny {field}: its policy types are {listed(policy.policy_types)}",
                help=f"add {direction} to policyTypes",
            )
    for direction, field, _ in _DIRECTIONS:
        if direction not in policy.policy_types or (named and (direction, field) not in named):
            continue
        rule = next((rule for rule in policy.rules(direction) if _is_everything(rule)), None)
        if rule is not None:
            yield ctx.report(
                policy,
                *rule.path,
                message=f"`{policy.name}` is named a deny, but this empty rule allows all {field}",
                help=f"write `{field}: []`, or list {direction} in policyTypes without rules",
            )
