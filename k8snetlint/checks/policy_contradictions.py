"""Selectors and blocks that nothing can be in, and exceptions that are let in again."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.analysis.blocking import policies_of
from k8snetlint.analysis.containment import contradiction
from k8snetlint.analysis.decided import Deciding, covering
from k8snetlint.analysis.redundancy import of_peer
from k8snetlint.analysis.reference import is_allowed
from k8snetlint.analysis.samples import example
from k8snetlint.analysis.understood import Unsettled, network_policy_rules
from k8snetlint.analysis.verdict import Undecided
from k8snetlint.analysis.wording import witness_text
from k8snetlint.diagnostic import Confidence, Diagnostic, Location
from k8snetlint.engine import Context, check, cluster_check
from k8snetlint.model.core import LabelSelector
from k8snetlint.model.networkpolicy import IPBlock, NetworkPolicy, NetworkPolicyPeer
from k8snetlint.policy.dialects.selectors import OPERATORS
from k8snetlint.policy.ir import INGRESS, Action, HasAddress, LabelOperator, LabelTest, Match, PolicyRule, PolicySet
from k8snetlint.source.tree import Path

from .policy_selectors import peers_of
from .redundant_policies import may_be_apart, same_tree
from .undecided import resource_limit, undecided
from .words import listed


@check("NP039")
def selector_contradiction(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A selector that no labels can satisfy."""
    if policy.pod_selector is not None:
        meaning = "so the policy protects nothing"
        yield from _contradiction(policy, policy.pod_selector, ("spec", "podSelector"), meaning, ctx)
    for peer in peers_of(policy):
        for field, selector in (("podSelector", peer.pod_selector), ("namespaceSelector", peer.namespace_selector)):
            if selector is not None:
                yield from _contradiction(policy, selector, (*peer.path, field), "so the peer allows nothing", ctx)


def _contradiction(
    policy: NetworkPolicy, selector: LabelSelector, path: Path, meaning: str, ctx: Context
) -> Iterator[Diagnostic]:
    if selector.has_placeholders:
        return
    written = list(_tests(selector, path))
    is_namespace = path[-1] == "namespaceSelector"
    found = contradiction([test for test, _ in written], is_namespace)
    if found is None:
        return
    places = [next(place for test, place in written if test is each) for each in found]
    who = "namespace" if is_namespace else "pod"
    key = found[0].key
    if len(found) == 1:
        reason = "which every namespace has" if found[0].operator is LabelOperator.ABSENT else "which nothing is"
        message = (
            f"no {who} fits the {path[-1]} of `{policy.name}`: `{key}` would have to be {_asked(found[0])}, {reason}"
        )
    else:
        asked = " and ".join(_asked(test) for test in found)
        message = f"no {who} fits the {path[-1]} of `{policy.name}`: `{key}` would have to be {asked}"
    yield ctx.report(
        policy,
        *places[-1],
        key=isinstance(places[-1][-1], str),
        message=f"{message}, {meaning}",
        related=[
            ctx.location(policy, *place, key=isinstance(place[-1], str), label="asks for the contrary")
            for place in places[:-1]
        ],
        help="remove one of the requirements, or write two entries if either is meant",
    )


def _tests(selector: LabelSelector, path: Path) -> Iterator[tuple[LabelTest, Path]]:
    for key, value in selector.match_labels:
        yield LabelTest(key, LabelOperator.IN, (value,)), (*path, "matchLabels", key)
    for index, item in enumerate(selector.match_expressions):
        yield LabelTest(item.key, OPERATORS[item.operator], item.values), (*path, "matchExpressions", index)


def _asked(test: LabelTest) -> str:
    """What a test asks of its label, after "would have to be"."""
    match test.operator:
        case LabelOperator.IN:
            return listed(test.values, "or")
        case LabelOperator.NOT_IN:
            return f"not {listed(test.values, 'or')}"
        case LabelOperator.EXISTS:
            return "set"
    return "absent"


@check("NP012")
def exceptions_cover_block(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """Exceptions that together leave nothing of their block."""
    for peer in peers_of(policy):
        block = peer.ip_block
        if block is None or block.addresses or not block.exceptions:
            continue
        whole = AddressSet.cidr(block.cidr)
        if not whole or any(whole <= AddressSet.cidr(text) for text in block.exceptions):
            continue
        yield ctx.report(
            policy,
            *peer.path,
            "ipBlock",
            "except",
            key=True,
            message=(
                f"the exceptions of `{block.cidr}` in `{policy.name}` together cover all of it, so the peer matches"
                " nothing"
            ),
            related=[ctx.location(policy, *peer.path, "ipBlock", "cidr", label="nothing of it is left")],
            help="remove the peer, or the exceptions that are not meant",
        )


@attrs.frozen
class _Exception:
    """An exception of a block in a rule: where it is written, what it takes away from, and the other rules."""

    policy: NetworkPolicy
    path: Path
    text: str
    match: Match
    others: tuple[PolicyRule, ...]


@cluster_check("NP055")
def except_readmitted(ctx: Context) -> Iterator[Diagnostic]:
    """An exception that another peer or rule for the same pods lets in again as a whole."""
    policies = ctx.once(policies_of)
    deciding = Deciding(policies, resource_limit(ctx.settings))
    for each in _exceptions(policies):
        if ctx.cluster.is_context(each.policy):
            continue
        try:
            if not deciding.decides(each.match, each.others, Action.ALLOW):
                continue
        except Undecided as reason:
            yield from undecided(ctx, Unsettled(each.policy, each.path, str(reason)))
            if deciding.is_exhausted:
                return
            continue
        rules = covering(deciding, each.match, each.others, Action.ALLOW)
        if all(rule.origin is not None and same_tree(rule.origin.resource, each.policy) for rule in rules):
            yield _readmitted(ctx, policies, each, rules)


def _exceptions(policies: PolicySet) -> Iterator[_Exception]:
    by_namespace: dict[tuple[str, str | None], list[PolicyRule]] = {}
    blocks: list[tuple[str, PolicyRule, NetworkPolicy, NetworkPolicyPeer, IPBlock]] = []
    for stage, rule, policy in network_policy_rules(policies):
        if rule.is_default or rule.origin is None:
            continue
        by_namespace.setdefault((stage.name, policy.namespace), []).append(rule)
        direction = policy.ingress if stage.name == INGRESS else policy.egress
        for peer in direction[int(rule.origin.path[-1])].peers:
            if peer.ip_block is not None and peer.ip_block.exceptions:
                blocks.append((stage.name, rule, policy, peer, peer.ip_block))
    for name, rule, policy, peer, block in blocks:
        rest = of_peer(policy, name, rule, peer, policies.peers.enforcement, is_left_out=True)
        same_namespace = by_namespace[name, policy.namespace]
        others = tuple(other for each in same_namespace if (other := rest if each is rule else each) is not None)
        for index, text in enumerate(block.exceptions):
            taken = HasAddress(AddressSet.cidr(text) & AddressSet.cidr(block.cidr))
            of_rule = rule.match
            if name == INGRESS:
                match = Match(taken, of_rule.destination, of_rule.connections)
            else:
                match = Match(of_rule.source, taken, of_rule.connections)
            yield _Exception(policy, (*peer.path, "ipBlock", "except", index), text, match, others)


def _readmitted(ctx: Context, policies: PolicySet, each: _Exception, rules: tuple[PolicyRule, ...]) -> Diagnostic:
    flow = example(each.match, policies)
    others = [rule.origin.resource for rule in rules if rule.origin is not None]
    related: list[Location] = []
    names: list[str] = []
    for rule in rules[:3]:
        if rule.origin is None:
            continue
        related.append(ctx.location(rule.origin.resource, *rule.origin.path, label="lets it in again"))
        own = rule.origin.resource is each.policy
        what = (
            "another peer of the rule"
            if own and rule.origin.path == each.path[:3]
            else (f"{rule.origin.path[1]} rule {int(rule.origin.path[2]) + 1}")
        )
        names.append(what if own else f"{what} of `{rule.origin.resource.name}`")
    return ctx.report(
        each.policy,
        *each.path,
        confidence=Confidence.LOW if may_be_apart(ctx, (each.policy, *others)) else None,
        message=(
            f"`{each.text}` is excepted in `{each.policy.name}`, but {' and '.join(names)} "
            f"{'allows' if len(names) == 1 else 'allow'} it to the same pods on the same ports: `except` is no deny"
        ),
        related=related,
        notes=[witness_text(policies, flow)] if flow is not None and is_allowed(policies, flow).is_allowed else [],
        help="take the addresses away from the other rule too, or remove the exception",
    )
