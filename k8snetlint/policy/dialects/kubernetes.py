"""NetworkPolicy of networking.k8s.io/v1."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.core import Resource
from k8snetlint.model.networkpolicy import (
    INGRESS,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicyRule,
)
from k8snetlint.policy import ir
from k8snetlint.policy.enforcement import Enforcement
from k8snetlint.policy.ir import AnyPod, Contribution, InNamespace, PeerExpr, PolicyProblem, PolicyRule, all_of, any_of

from .selectors import namespaces_with, pods_with

# Where the policies of a namespace stand among others of their tier that have an order of their own.
POLICY_ORDER = 1000.0


def lower(resource: Resource, enforcement: Enforcement) -> Iterator[Contribution | PolicyProblem]:
    """The rules of a policy: what it allows, then for each direction the deny of all else.

    Source: Kubernetes API reference, NetworkPolicySpec v1.
    """
    assert isinstance(resource, NetworkPolicy)  # the model's table says which class a kind has
    for problem in resource.problems:
        yield PolicyProblem(resource, problem.path, problem.message)
    if not enforcement.has_named_ports and _has_named_ports(resource):
        yield PolicyProblem(resource, ("spec",), f"{enforcement.name} refuses a policy with a named port as a whole")
        return
    namespace = InNamespace(resource.namespace or "")
    selector = resource.pod_selector
    # Not knowing whom it selects, it may isolate anyone of the namespace, and what it allows is not known.
    subject = all_of(namespace, pods_with(selector)) if selector is not None else namespace
    for policy_type in resource.policy_types:
        rules = resource.rules(policy_type) if selector is not None else ()
        for index, rule in enumerate(rules):
            yield _contribution(
                resource, policy_type, subject, rule, (POLICY_ORDER, _key(resource), index), enforcement
            )
        yield _isolation(resource, policy_type, subject)


def _key(resource: Resource) -> str:
    return f"{resource.namespace}/{resource.name}"


def _contribution(
    policy: NetworkPolicy,
    policy_type: str,
    subject: PeerExpr,
    rule: NetworkPolicyRule,
    rank: ir.Rank,
    enforcement: Enforcement,
) -> Contribution:
    match = match_of(policy, policy_type, subject, rule, enforcement)
    lowered = PolicyRule(ir.Action.ALLOW, match, ir.Origin(policy, rule.path))
    return Contribution(_stage(policy_type), ir.NETWORK_POLICY_TIER, rank, lowered)


def match_of(
    policy: NetworkPolicy, policy_type: str, subject: PeerExpr, rule: NetworkPolicyRule, enforcement: Enforcement
) -> ir.Match:
    """What a rule of a policy with that subject is about, in one of its directions."""
    peer = _peers(policy, rule)
    connections = connections_of(rule, enforcement)
    return ir.Match(peer, subject, connections) if policy_type == INGRESS else ir.Match(subject, peer, connections)


def _isolation(policy: NetworkPolicy, policy_type: str, subject: PeerExpr) -> Contribution:
    everything = ir.Everything()
    if policy_type == INGRESS:
        match = ir.Match(everything, subject, ir.ALL_CONNECTIONS)
    else:
        match = ir.Match(subject, everything, ir.ALL_CONNECTIONS)
    deny = PolicyRule(ir.Action.DENY, match, ir.Origin(policy, ("spec",)), is_default=True)
    return Contribution(_stage(policy_type), ir.NETWORK_POLICY_TIER, (inf, _key(policy), 0), deny)


def _stage(policy_type: str) -> str:
    return ir.INGRESS if policy_type == INGRESS else ir.EGRESS


def _peers(policy: NetworkPolicy, rule: NetworkPolicyRule) -> PeerExpr:
    if not rule.is_understood:
        return ir.Nothing()
    if not rule.peers:
        return ir.Everything()
    return any_of(*(peer_of(policy, peer) for peer in rule.peers))


def peer_of(policy: NetworkPolicy, peer: NetworkPolicyPeer) -> PeerExpr:
    """Whom an entry of a rule of a policy means."""
    if not peer.is_understood:
        return ir.Nothing()
    if peer.ip_block is not None:
        return ir.HasAddress(peer.ip_block.addresses)
    if peer.namespace_selector is not None:
        where: PeerExpr = all_of(AnyPod(), namespaces_with(peer.namespace_selector))
    else:
        where = InNamespace(policy.namespace or "")
    return all_of(where, pods_with(peer.pod_selector)) if peer.pod_selector is not None else where


def connections_of(rule: NetworkPolicyRule, enforcement: Enforcement) -> ir.ConnectionExpr:
    """The connections that a rule is about."""
    if not rule.ports:
        return ir.ALL_CONNECTIONS
    fixed = ConnectionSet.nothing()
    named: dict[ir.PortName, None] = {}
    for port in rule.ports:
        if not port.is_understood or (port.protocol == "SCTP" and not enforcement.has_sctp):
            continue
        if isinstance(port.port, str):
            named[ir.PortName(port.port, port.protocol)] = None
        else:
            fixed |= _numbers(port, port.port, enforcement)
    return ir.ConnectionExpr(fixed, tuple(named))


def _numbers(port: NetworkPolicyPort, first: int | None, enforcement: Enforcement) -> ConnectionSet:
    if first is None:
        return ConnectionSet.of(port.protocol)
    last = port.end_port if port.end_port is not None and enforcement.has_end_port else first
    return ConnectionSet.span(port.protocol, first, last)


def _has_named_ports(policy: NetworkPolicy) -> bool:
    return any(isinstance(port.port, str) for rule in policy.ingress + policy.egress for port in rule.ports)
