"""Whether policies let a requirement be, also where its client or its server is not in the manifests."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL, Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.values import string_map_of
from k8snetlint.policy.ir import EGRESS, INGRESS, Action, AnyPod, Everything, PolicySet
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.settings import Settings

from .blocking import (
    Blocked,
    allowing_rules,
    blocked,
    denying_sides,
    is_isolated,
    may_be_unseen,
    needs_of,
    peer_of,
    policies_of,
)
from .dns import reaches_dns
from .ends import blocks_of, ingress_controllers
from .latelabels import when_running
from .reach import explain
from .reference import decide, is_allowed
from .requirements import API_SERVER, DNS, Client, Ground, Requirement
from .routing import Backend

# Where API servers listen, of kubeadm and the distributions.
API_PORTS = (443, 6443, 8443, 16443, 7443)


@attrs.frozen
class Judgement:
    """Whether a requirement is met; None where that cannot be told, as who needs it may be anywhere.

    `sources` are those that it was asked for, in the words of messages. `blocked` holds the denied flows.
    """

    is_allowed: bool | None
    sources: tuple[Peer, ...]
    blocked: Blocked | None = None


@attrs.frozen
class Judgements:
    """What a cluster needs, each with what the policies say of it."""

    policies: PolicySet
    of: tuple[tuple[Requirement, Judgement], ...]


def judgements(cluster: Cluster, settings: Settings) -> Judgements:
    """The requirements of a cluster, judged."""
    policies = policies_of(cluster, settings)
    return Judgements(policies, tuple((need, judged(need, policies)) for need in needs_of(cluster, settings)))


def judged(need: Requirement, policies: PolicySet) -> Judgement:
    """Whether the policies let a requirement be."""
    found = _judged(need, policies)
    if found.blocked is None:
        return found
    flows = tuple(flow for flow in found.blocked.flows if not may_pass_when_running(flow.flow, policies))
    if not flows:
        return Judgement(None, found.sources)
    is_total = found.blocked.is_total and len(flows) == len(found.blocked.flows)
    return attrs.evolve(found, blocked=attrs.evolve(found.blocked, flows=flows, is_total=is_total))


def _judged(need: Requirement, policies: PolicySet) -> Judgement:
    sources = sources_of(need, policies)
    if need.ground is Ground.NAMES:
        return _to_dns(need, sources, policies)
    if need.ground is Ground.API:
        return _to_api_server(need, sources, policies)
    if need.client is Client.API_SERVER:
        return _from_api_server(need, sources, policies)
    if not sources:
        return Judgement(None, ())
    found = blocked(need, sources, policies)
    if found is None:
        return Judgement(True, sources)
    if _is_in_sight(need):
        return Judgement(False, sources, found)
    if need.client is Client.PROMETHEUS:
        is_refuted = all(_is_closed(policies, backend) for backend in need.backends)
    else:
        is_refuted = found.is_total and not _may_admit_unseen(need, policies) and not _may_spare_unseen(found)
    return Judgement(False, sources, found) if is_refuted else Judgement(None, sources)


def may_pass_when_running(flow: Flow, policies: PolicySet) -> bool:
    """Whether a denied flow passes once one of its pods has a label that only controllers set, and that policies name."""
    near = policies.near(flow.source.namespace, flow.destination.namespace)
    return any(
        is_allowed(near, flow._replace(source=source, destination=destination)).is_allowed
        for source in (flow.source, *when_running(flow.source, policies))
        for destination in (flow.destination, *when_running(flow.destination, policies))
        if source is not flow.source or destination is not flow.destination
    )


def sources_of(need: Requirement, policies: PolicySet) -> tuple[Peer, ...]:
    """The peers that a requirement is asked for: its client, or one that stands for it; none for a finished pod."""
    if need.workload is not None:
        peer = policies.peers.of(need.workload)
        return (peer,) if peer is not None else ()
    if need.client is Client.INGRESS_CONTROLLER:
        return ingress_controllers()
    if need.client is Client.API_SERVER:
        return (Peer(API_SERVER),)
    if need.client is Client.PROMETHEUS:
        operated = need.client_object
        return (operated_prometheus(operated, policies) if operated is not None else _unknown("{prometheus}"),)
    return ()


def operated_prometheus(prometheus: Resource, policies: PolicySet) -> Peer:
    """The pods that the Prometheus operator makes of an object, with the labels that it gives them.

    Source: Prometheus operator, labels of the StatefulSet that it makes.
    """
    labels = {
        **string_map_of(prometheus.root.get("spec", "podMetadata", "labels")),
        "app.kubernetes.io/name": "prometheus",
        "app.kubernetes.io/instance": prometheus.name,
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "operator.prometheus.io/name": prometheus.name,
        "prometheus": prometheus.name,
    }
    return Peer(
        f"{prometheus.namespace}/{prometheus.name}[{prometheus.kind}]",
        namespace=prometheus.namespace,
        namespace_labels=policies.peers.labels_of_namespace(prometheus.namespace),
        labels=labels,
        addresses=policies.peers.unknown_addresses,
        is_pod=True,
    )


def _unknown(text: str) -> Peer:
    """A pod without labels of its own, in a namespace that no manifest knows."""
    namespace = "unknown-namespace"
    labels = {NAMESPACE_NAME_LABEL: namespace}
    return Peer(text, namespace=namespace, namespace_labels=labels, is_pod=True)


def _is_in_sight(need: Requirement) -> bool:
    """Whether the client is known, so that a denial of it is one."""
    if need.client is Client.INGRESS_CONTROLLER and need.workload is not None:
        return not need.workload.host_network
    return need.workload is not None or need.client_object is not None


def _is_closed(policies: PolicySet, backend: Backend) -> bool:
    """Whether no rule opens a backend's port to anyone."""
    peer = peer_of(backend, policies)
    return (
        peer is not None
        and backend.port is not None
        and is_isolated(policies, INGRESS, peer)
        and not any(allowing_rules(policies, INGRESS, peer, backend.protocol, backend.port))
    )


def _may_admit_unseen(need: Requirement, policies: PolicySet) -> bool:
    """Whether a rule on a backend's port may well be meant for a client that the manifests do not hold."""
    for backend in need.backends:
        peer = peer_of(backend, policies)
        if peer is None or backend.port is None:
            continue
        for rule in allowing_rules(policies, INGRESS, peer, backend.protocol, backend.port):
            if may_be_unseen(rule.match.source, policies.peers.cluster, policies, peer.namespace):
                return True
    return False


def _may_spare_unseen(found: Blocked) -> bool:
    """Whether a deny that decides is for some pods only, and so perhaps not for the client that is not in sight."""
    deciding = [side.decision.rule for flow in found.flows for side in denying_sides(flow)]
    return any(
        rule is not None and not rule.is_default and not isinstance(rule.match.source, Everything | AnyPod)
        for rule in deciding
    )


def _from_api_server(need: Requirement, sources: tuple[Peer, ...], policies: PolicySet) -> Judgement:
    """Whether the API server reaches the backends from any of the places that it may speak from."""
    ends = tuple(_api_server_ends(policies))
    shut = []
    for backend in need.backends:
        peer = peer_of(backend, policies)
        if peer is None or backend.port is None:
            continue
        flows = [Flow(end, peer, backend.protocol, backend.port, through_service=True) for end in ends]
        if not any(_passes(policies, INGRESS, flow) for flow in flows):
            shut.append(explain(policies, Flow(sources[0], peer, backend.protocol, backend.port, through_service=True)))
    if not shut:
        return Judgement(True, sources)
    return Judgement(False, sources, Blocked(need, tuple(shut), len(shut) == len(need.backends)))


def _to_api_server(need: Requirement, sources: tuple[Peer, ...], policies: PolicySet) -> Judgement:
    if not sources:
        return Judgement(None, ())
    (source,) = sources
    for end in _api_server_ends(policies):
        for port in API_PORTS:
            if _passes(policies, EGRESS, Flow(source, end, "TCP", port)):
                return Judgement(True, sources)
    denied = explain(policies, Flow(source, Peer(API_SERVER), "TCP", API_PORTS[0]))
    return Judgement(False, sources, Blocked(need, (denied,), True))


def _to_dns(need: Requirement, sources: tuple[Peer, ...], policies: PolicySet) -> Judgement:
    if not sources:
        return Judgement(None, ())
    (source,) = sources
    if not is_isolated(policies, EGRESS, source) or reaches_dns(policies.peers.cluster, policies, source):
        return Judgement(True, sources)
    denied = explain(policies, Flow(source, Peer(DNS), "UDP", 53))
    return Judgement(False, sources, Blocked(need, (denied,), True))


def _passes(policies: PolicySet, stage: str, flow: Flow) -> bool:
    stages = policies.near(flow.source.namespace, flow.destination.namespace).stages
    return all(decide(each, flow).action is Action.ALLOW for each in stages if each.name == stage)


def _api_server_ends(policies: PolicySet) -> Iterator[Peer]:
    """The places where the API server may be: any address that policies tell apart, a node, a pod of kube-system.

    A tunnel from the control plane, where there is one, ends in pods of kube-system. Source: Konnectivity service.
    """
    yield Peer(API_SERVER)
    yield Peer(API_SERVER, is_node=True)
    labels = policies.peers.labels_of_namespace("kube-system")
    yield Peer(API_SERVER, namespace="kube-system", namespace_labels=labels, is_pod=True)
    told: set[tuple[int, int]] = set()
    for block in blocks_of(policies):
        for version, first, last in block.ranges():
            for value in (first, last + 1):
                top = (1 << (32 if version == 4 else 128)) - 1
                if value <= top and (version, value) not in told:
                    told.add((version, value))
                    yield Peer(API_SERVER, addresses=AddressSet.single(Address(version, value)))
    for peer in policies.peers.pods:
        if peer.namespace == "kube-system":
            yield peer
