"""AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy of policy.networking.k8s.io."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.adminpolicy import ADMIN, ALLOW, DENY, AdminPeer, AdminPolicy, AdminPort, AdminRule, AdminSelector
from k8snetlint.model.core import Resource
from k8snetlint.policy import ir
from k8snetlint.policy.enforcement import Enforcement
from k8snetlint.policy.ir import Action, AnyPod, Contribution, PeerExpr, PolicyProblem, PolicyRule, all_of, any_of

from .selectors import label_tests, namespaces_with, pods_with

_ACTIONS = {ALLOW: Action.ALLOW, DENY: Action.DENY}


def lower(resource: Resource, enforcement: Enforcement) -> Iterator[Contribution | PolicyProblem]:
    """The rules of a policy in their order. They isolate nothing: what no rule matches goes to the next tier.

    Source: network-policy-api, types of v1alpha1 and v1alpha2.
    """
    assert isinstance(resource, AdminPolicy)  # the model's table says which class a kind has
    for problem in resource.problems:
        yield PolicyProblem(resource, problem.path, problem.message)
    if resource.kind not in enforcement.admin_kinds:
        yield PolicyProblem(resource, ("kind",), f"{enforcement.name} does not enforce {resource.kind}")
        return
    tier = ir.ADMIN_TIER if resource.tier == ADMIN else ir.BASELINE_TIER
    for stage, rules in ((ir.INGRESS, resource.ingress), (ir.EGRESS, resource.egress)):
        for index, rule in enumerate(rules):
            lowered = _rule(resource, stage, rule, enforcement)
            yield Contribution(stage, tier, (float(resource.priority), resource.name, index), lowered)


def _rule(policy: AdminPolicy, stage: str, rule: AdminRule, enforcement: Enforcement) -> PolicyRule:
    action = _ACTIONS.get(rule.action, Action.PASS)
    origin = ir.Origin(policy, rule.path)
    subject = _selected(policy.subject) if policy.subject is not None else AnyPod()
    is_understood = (
        rule.is_understood
        and policy.subject is not None
        and all(peer.is_understood for peer in rule.peers)
        and (rule.ports is None or bool(rule.ports))
        and all(port.is_understood for port in rule.ports or ())
    )
    if is_understood or action is Action.ALLOW:
        peers: PeerExpr = any_of(*map(_peer, rule.peers)) if policy.subject is not None else ir.Nothing()
        connections = _connections(rule, enforcement)
    else:
        # What a rule that takes away is about is not known: it may be about everything.
        action, peers, connections = Action.DENY, ir.Everything(), ir.ALL_CONNECTIONS
    sides = (peers, subject) if stage == ir.INGRESS else (subject, peers)
    return PolicyRule(action, ir.Match(*sides, connections), origin)


def _selected(selector: AdminSelector) -> PeerExpr:
    pods = pods_with(selector.pods) if selector.pods is not None else ir.Everything()
    return all_of(AnyPod(), namespaces_with(selector.namespaces), pods)


def _peer(peer: AdminPeer) -> PeerExpr:
    if peer.selector is not None:
        return _selected(peer.selector)
    if peer.networks is not None:
        return ir.HasAddress(peer.networks)
    return ir.IsNode(label_tests(peer.nodes)) if peer.nodes is not None else ir.Nothing()


def _connections(rule: AdminRule, enforcement: Enforcement) -> ir.ConnectionExpr:
    if not rule.is_understood:
        return ir.ConnectionExpr(ConnectionSet.nothing())
    if rule.ports is None:
        return ir.ALL_CONNECTIONS
    fixed = ConnectionSet.nothing()
    named: dict[ir.PortName, None] = {}
    for port in rule.ports:
        if port.name is not None:
            named[ir.PortName(port.name, None)] = None
        else:
            fixed |= _numbers(port, enforcement)
    return ir.ConnectionExpr(fixed, tuple(named))


def _numbers(port: AdminPort, enforcement: Enforcement) -> ConnectionSet:
    if port.protocol is None or port.first is None or port.last is None:
        return ConnectionSet.nothing()
    if port.protocol == "SCTP" and not enforcement.has_sctp:
        return ConnectionSet.nothing()
    return ConnectionSet.span(port.protocol, port.first, port.last)
