"""Needed connections that the policies block, and what could let a peer in that the manifests do not hold."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.algebra.addresses import Address
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.enforcement import enforcement_of
from k8snetlint.policy.ir import (
    ALL_CONNECTIONS,
    INGRESS,
    Action,
    AllOf,
    AnyOf,
    AnyPod,
    ConnectionExpr,
    Everything,
    HasAddress,
    InNamespace,
    IsNode,
    NamespaceLabel,
    NodeIs,
    Not,
    Nothing,
    PeerExpr,
    PolicyRule,
    PolicySet,
)
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.settings import Settings

from .reach import FlowAnswer, SideAnswer, explain
from .reference import DESTINATION, SOURCE, Miss, matches, missing_connection, missing_part
from .requirements import Requirement, requirements
from .routing import Backend


def policies_of(cluster: Cluster, settings: Settings) -> PolicySet:
    """The policies of a cluster, enforced as the settings say."""
    return lower(cluster, enforcement_of(settings.cni), settings.cluster.pod_cidrs)


def needs_of(cluster: Cluster, settings: Settings) -> tuple[Requirement, ...]:
    """The requirements of a cluster."""
    return requirements(cluster, settings)


@attrs.frozen
class Blocked:
    """A requirement that policies block. `flows` are the denied ones; `is_total` tells whether none is left."""

    requirement: Requirement
    flows: tuple[FlowAnswer, ...]
    is_total: bool


def peer_of(backend: Backend, policies: PolicySet) -> Peer | None:
    """The peer of a backend; None for a finished pod, or an address that is none."""
    if backend.workload is not None:
        return policies.peers.of(backend.workload)
    try:
        return policies.peers.at(Address.parse(backend.address or ""))
    except ValueError:
        return None


def blocked(requirement: Requirement, sources: tuple[Peer, ...], policies: PolicySet) -> Blocked | None:
    """What the policies block of a requirement, asked for each source; None where every flow passes."""
    answers: list[FlowAnswer] = []
    for backend in requirement.backends:
        peer = peer_of(backend, policies)
        if peer is None or backend.port is None:
            continue
        for source in sources:
            flow = Flow(source, peer, backend.protocol, backend.port, through_service=True)
            answers.append(explain(policies.near(source.namespace, peer.namespace), flow))
    denied = tuple(answer for answer in answers if not answer.is_allowed)
    return Blocked(requirement, denied, len(denied) == len(answers)) if denied else None


def denying_sides(answer: FlowAnswer) -> tuple[SideAnswer, ...]:
    """The stages that deny a flow, egress first."""
    return tuple(side for side in answer.sides if side.decision.action is Action.DENY)


def nearest_miss(side: SideAnswer, flow: Flow) -> Miss | None:
    """The allow rule that comes closest: one that means these very peers and another port; then one that names the port
    and means others; then one that is open to everyone on another port.
    """

    def distance(miss: Miss) -> int:
        connections = miss.rule.match.connections
        if miss.part in (SOURCE, DESTINATION):
            is_named = missing_connection(connections, flow) is None and connections != ALL_CONNECTIONS
            return 2 if is_named else 5
        peers = miss.rule.match.source if side.decision.stage == INGRESS else miss.rule.match.destination
        return (3 if isinstance(peers, Everything | AnyPod) else 0) + (miss.part != "port")

    return min(side.misses, key=distance, default=None)


def allowing_rules(policies: PolicySet, stage: str, subject: Peer, protocol: str, port: int) -> Iterator[PolicyRule]:
    """The allow rules of a stage for a subject that open a port to someone: on it for ingress, by it for egress."""
    someone = Peer("anyone")
    if stage == INGRESS:
        flow, other = Flow(someone, subject, protocol, port), SOURCE
    else:
        flow, other = Flow(subject, someone, protocol, port), DESTINATION
    for candidate in policies.near(subject.namespace, subject.namespace).stages:
        if candidate.name != stage:
            continue
        for tier in candidate.tiers:
            for rule in tier.rules:
                if rule.action is Action.ALLOW and _fits_but_for(rule, flow, other):
                    yield rule


def _fits_but_for(rule: PolicyRule, flow: Flow, other: str) -> bool:
    """Whether a rule matches a flow when one of its sides is not looked at."""
    match = rule.match
    is_subject = matches(match.destination, flow.destination) if other == SOURCE else matches(match.source, flow.source)
    return is_subject and missing_connection(match.connections, flow) is None


def opened_text(rule: PolicyRule, destination: Peer) -> str:
    """The ports that a rule opens on a destination, for messages."""
    return str(opened(rule.match.connections, destination)) or "no port"


def opened_on(policies: PolicySet, subject: Peer) -> str:
    """The ports that allow rules open on a subject for someone, for messages; empty if there are none."""
    found = ConnectionSet.nothing()
    flow = Flow(Peer("anyone"), subject, "TCP", 1)
    for stage in policies.near(subject.namespace, subject.namespace).stages:
        for tier in stage.tiers if stage.name == INGRESS else ():
            for rule in tier.rules:
                if rule.action is Action.ALLOW and rule.origin is not None and matches(rule.match.destination, subject):
                    found |= opened(rule.match.connections, flow.destination)
    return str(found) if found else ""


def opened(connections: ConnectionExpr, destination: Peer) -> ConnectionSet:
    """What a rule's connections open on a destination, its named ports looked up."""
    found = connections.fixed
    for named in connections.named:
        for port in destination.ports if destination.is_pod else ():
            if port.name == named.name and named.protocol in (None, port.protocol):
                found |= ConnectionSet.span(port.protocol, port.number, port.number)
    return found


def is_isolated(policies: PolicySet, stage: str, subject: Peer) -> bool:
    """Whether some policy denies the subject by default what no rule allows, in that direction."""
    someone = Peer("anyone")
    flow = Flow(someone, subject, "TCP", 1) if stage == INGRESS else Flow(subject, someone, "TCP", 1)
    return any(
        rule.is_default and missing_part(rule, flow) is None
        for candidate in policies.near(subject.namespace, subject.namespace).stages
        if candidate.name == stage
        for tier in candidate.tiers
        for rule in tier.rules
    )


def may_be_unseen(peer: PeerExpr, cluster: Cluster, policies: PolicySet, own_namespace: str | None) -> bool:
    """Whether a peer of a rule may well stand for something that the manifests do not hold.

    True for everyone, for addresses and nodes, for namespaces without workloads in sight, and for selectors that
    select nothing in sight. A whole namespace that has workloads in sight stands for those.
    """
    match peer:
        case Everything() | AnyPod() | HasAddress() | IsNode() | NodeIs():
            return True
        case Nothing():
            return False
        case AnyOf(parts):
            return any(may_be_unseen(part, cluster, policies, own_namespace) for part in parts)
        case InNamespace(name):
            return name != own_namespace and not cluster.workloads_in(name)
        case AllOf(parts):
            namespaces = [part.name for part in parts if isinstance(part, InNamespace)]
            if any(name != own_namespace and not cluster.workloads_in(name) for name in namespaces):
                return True
    if isinstance(peer, NamespaceLabel | Not):
        return True
    return not any(matches(peer, candidate) for candidate in policies.peers.pods)
