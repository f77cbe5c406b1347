"""Connections that one side's policy allows by name, and the other side's policies do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.blocking import opened
from k8snetlint.analysis.judgement import judgements, may_pass_when_running
from k8snetlint.analysis.reach import explain
from k8snetlint.analysis.reference import matches
from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.networkpolicy import EGRESS as EGRESS_TYPE
from k8snetlint.model.networkpolicy import NetworkPolicy, NetworkPolicyPeer, NetworkPolicyRule
from k8snetlint.policy.dialects.kubernetes import connections_of, peer_of
from k8snetlint.policy.ir import EGRESS, INGRESS, Action, PolicyRule, PolicySet, namespace_of
from k8snetlint.policy.peers import Flow, Peer

from .needs import level, reason, related_of_side


class _Entry(NamedTuple):
    """An entry of `from` or `to` that names pods."""

    policy: NetworkPolicy
    is_egress: bool
    rule: NetworkPolicyRule
    peer: NetworkPolicyPeer


class _Sides:
    """The rules of each stage that are about a peer: which they are is looked up once for each.

    `told_elsewhere` are the pairs of peers that other rules report on.
    """

    def __init__(self, policies: PolicySet, told_elsewhere: frozenset[tuple[int | None, int | None]]) -> None:
        self._policies = policies
        self._known: dict[tuple[str, int], list[list[PolicyRule]]] = {}
        self.told_elsewhere = told_elsewhere

    def _tiers(self, name: str, subject: Peer) -> list[list[PolicyRule]]:
        key = (name, id(subject))
        if key not in self._known:
            self._known[key] = [
                [
                    rule
                    for rule in tier.rules
                    if matches(rule.match.destination if name == INGRESS else rule.match.source, subject)
                ]
                for stage in self._policies.near(subject.namespace, subject.namespace).stages
                if stage.name == name
                for tier in stage.tiers
            ]
        return self._known[key]

    def allowed(self, name: str, source: Peer, destination: Peer) -> ConnectionSet:
        """What the stage of one side allows from one peer to another."""
        subject, other = (destination, source) if name == INGRESS else (source, destination)
        allowed, undecided = ConnectionSet.nothing(), ConnectionSet.everything()
        for rules in self._tiers(name, subject):
            left, passed = undecided, ConnectionSet.nothing()
            for rule in rules:
                if not matches(rule.match.source if name == INGRESS else rule.match.destination, other):
                    continue
                held = opened(rule.match.connections, destination) & left
                left -= held
                if rule.action is Action.ALLOW:
                    allowed |= held
                elif rule.action is Action.PASS:
                    passed |= held
            undecided = left | passed
        return allowed | undecided


def _told_elsewhere(ctx: Context) -> frozenset[tuple[int | None, int | None]]:
    """The pairs of peers whose connection is needed and blocked: those are reported where they are needed."""
    found: set[tuple[int | None, int | None]] = set()
    for _, judgement in ctx.once(judgements).of:
        for answer in judgement.blocked.flows if judgement.blocked is not None else ():
            source, destination = answer.flow.source.index, answer.flow.destination.index
            if source is not None and destination is not None:
                found.add((source, destination))
    return frozenset(found)


@cluster_check("NP045")
def networkpolicy_one_sided(ctx: Context) -> Iterator[Diagnostic]:
    """An entry of `from` or `to` that names pods, none of whose connections the other side allows."""
    policies = ctx.once(judgements).policies
    sides = _Sides(policies, _told_elsewhere(ctx))
    for policy in ctx.cluster.all_of(NetworkPolicy):
        selector = policy.pod_selector
        if selector is None or ctx.cluster.is_context(policy):
            continue
        subjects = [
            peer
            for peer in policies.peers.pods
            if peer.is_pod and peer.namespace == policy.namespace and selector.matches(peer.labels)
        ]
        for policy_type in policy.policy_types if subjects else ():
            for rule in policy.rules(policy_type):
                for peer in rule.peers:
                    if peer.pod_selector is not None and not peer.pod_selector.is_empty and peer.is_understood:
                        entry = _Entry(policy, policy_type == EGRESS_TYPE, rule, peer)
                        yield from _judged(ctx, policies, sides, entry, subjects)


def _judged(
    ctx: Context, policies: PolicySet, sides: _Sides, entry: _Entry, subjects: list[Peer]
) -> Iterator[Diagnostic]:
    expression = peer_of(entry.policy, entry.peer)
    connections = connections_of(entry.rule, policies.peers.enforcement)
    namespace = namespace_of(expression)
    others = [
        peer
        for peer in policies.peers.pods
        if (namespace is None or peer.namespace == namespace) and matches(expression, peer)
    ]
    stage = INGRESS if entry.is_egress else EGRESS
    first: tuple[Peer, Peer, ConnectionSet] | None = None
    for subject in subjects:
        for other in others:
            source, destination = (subject, other) if entry.is_egress else (other, subject)
            held = opened(connections, destination)
            if source is destination or not held:
                continue
            if held & sides.allowed(stage, source, destination):
                return
            first = first or (source, destination, held)
    if first is None:
        return
    source, destination, held = first
    told = sides.told_elsewhere
    pairs = ((subject.index, other.index) for subject in subjects for other in others)
    if any((pair if entry.is_egress else pair[::-1]) in told for pair in pairs):
        return
    yield from _report(ctx, policies, entry, source, destination, held)


def _report(
    ctx: Context, policies: PolicySet, entry: _Entry, source: Peer, destination: Peer, held: ConnectionSet
) -> Iterator[Diagnostic]:
    protocol, intervals = next(iter(held.items()))
    port = next(iter(intervals.intervals))[0]
    flow = Flow(source, destination, protocol, port)
    answer = explain(policies.near(source.namespace, destination.namespace), flow)
    denying = [side for side in answer.sides if side.decision.action is Action.DENY]
    if not denying or may_pass_when_running(flow, policies):
        return
    does = f"lets {source} out to {destination}" if entry.is_egress else f"admits {source} to {destination}"
    where = "" if held == ConnectionSet.everything() else f" on {held}"
    yield ctx.report(
        entry.policy,
        *entry.peer.path,
        message=f"`{entry.policy.name}` {does}{where}, but nothing passes: {reason(denying[0], answer)}",
        severity=level(ctx, policies, ctx.rule.severity),
        related=related_of_side(ctx, denying[0], flow)[:4],
        notes=(f"for example {source} -> {destination} {protocol} {port} is denied",),
        help=f"allow it in an {'ingress' if entry.is_egress else 'egress'} rule that selects "
        f"{destination if entry.is_egress else source} too, or remove it here: a connection needs both sides",
    )
