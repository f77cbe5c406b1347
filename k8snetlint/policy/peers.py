"""The concrete ends of flows: workloads, nodes, addresses outside, and pods that are only imagined."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import attrs

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL, Cluster
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.values import items_of, text_of
from k8snetlint.model.workloads import Workload

from .enforcement import NEUTRAL, Enforcement

FINISHED_PHASES = ("Succeeded", "Failed")
JOB_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
_NO_LABELS: Mapping[str, str] = {}
_NO_ADDRESSES = AddressSet()
# A pod, its ReplicaSet, its Deployment, and what made that.
_MAX_OWNERS = 4


class DeclaredPort(NamedTuple):
    """A named container port."""

    name: str
    protocol: str
    number: int


@attrs.frozen(eq=False)
class Peer:
    """One end of a flow, with everything that policies can ask about it.

    `is_pod`: policies can select it. `is_node`: it is a node, or a pod on the host network, which counts as its node.
    `addresses`: those it may have; an address block matches if it holds all of them. Empty: no block matches.
    `node`: the node that it is, or runs on, where that is known.
    `is_single`: it stands for one pod, so that a connection to itself never leaves it.
    `index`: its bit position among the peers of the cluster, None for what is outside or imagined.
    """

    text: str
    namespace: str | None = None
    namespace_labels: Mapping[str, str] = _NO_LABELS
    labels: Mapping[str, str] = _NO_LABELS
    service_account: str | None = None
    ports: tuple[DeclaredPort, ...] = ()
    addresses: AddressSet = _NO_ADDRESSES
    node: str | None = None
    node_labels: Mapping[str, str] = _NO_LABELS
    is_pod: bool = False
    is_node: bool = False
    is_single: bool = False
    index: int | None = None
    workloads: tuple[Workload, ...] = ()

    def __str__(self) -> str:
        return self.text


class Flow(NamedTuple):
    """One connection attempt, to a `port` of the destination; `through_service`: by way of a Service's address."""

    source: Peer
    destination: Peer
    protocol: str
    port: int
    through_service: bool = False

    @property
    def is_to_itself(self) -> bool:
        """Whether it is a pod's connection to its own address."""
        at_one_index = self.source.index is not None and self.source.index == self.destination.index
        is_same = self.source is self.destination or at_one_index
        return is_same and self.source.is_single and not self.through_service


@attrs.frozen(eq=False)
class Node:
    """A node, as far as manifests tell: declared, or the host that a pod says it runs on."""

    name: str
    labels: Mapping[str, str]
    addresses: AddressSet


class Peers:
    """The peers of a cluster. Pods of one controller are one peer; finished pods are none.

    `pods` holds a peer per workload in the order of `cluster.workloads`; the index is its bit position.
    `unknown_addresses` are those that a pod may have whose address no manifest tells; none, if no block matches pods.
    """

    def __init__(self, cluster: Cluster, enforcement: Enforcement = NEUTRAL, pod_cidrs: tuple[str, ...] = ()) -> None:
        self.cluster = cluster
        self.enforcement = enforcement
        unknown = _addresses_of(pod_cidrs) or AddressSet.all_v4()
        self.unknown_addresses = unknown if enforcement.blocks_match_pods else AddressSet()
        self._namespace_labels: dict[str | None, Mapping[str, str]] = {}

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by name: declared ones, and the hosts of pods that none of these is."""
        found: dict[str, Node] = {}
        for resource in self.cluster.of_kind("", "Node"):
            addresses = AddressSet()
            for item in items_of(resource.root.get("status", "addresses")):
                addresses |= _single(text_of(item.get("address")))
            found.setdefault(resource.name, Node(resource.name, resource.labels, addresses))
        for workload in self.cluster.workloads:
            host = _single(text_of(workload.root.get("status", "hostIP"))) if workload.kind == "Pod" else AddressSet()
            name = _node_name(workload)
            if not name:
                if not host or any(host <= node.addresses for node in found.values()):
                    continue
                name = host.range_texts()[0].partition("-")[0]
            node = found.get(name, Node(name, {}, AddressSet()))
            found[name] = Node(name, node.labels, node.addresses | host)
        return found

    @cached_property
    def pods(self) -> tuple[Peer, ...]:
        """One peer per workload, equal pods of one controller together; `pods[i].index` is i.

        A controller that is there too, as in a dump of a cluster, is its pods, and what it is controlled by is what
        they are named by. Pods of one controller that policies might tell apart are peers of one text.
        """
        groups: dict[tuple[object, ...], list[Workload]] = {}
        for workload in self.cluster.workloads:
            if not _is_finished(workload) and (workload.kind == "Pod" or self._top(workload) is workload):
                groups.setdefault(self._group_key(workload), []).append(workload)
        return tuple(self._peer(tuple(group), index) for index, group in enumerate(groups.values()))

    @cached_property
    def _by_workload(self) -> Mapping[int, Peer]:
        found = {id(workload): peer for peer in self.pods for workload in peer.workloads}
        for workload in self.cluster.workloads:
            peer = found.get(id(self._top(workload)))
            if peer is not None and not _is_finished(workload):
                found.setdefault(id(workload), peer)
        return found

    @cached_property
    def _controllers(self) -> Mapping[tuple[str | None, str, str], Workload]:
        """The workloads that may control others, by namespace, kind and name."""
        return {(each.namespace, each.kind, each.name): each for each in self.cluster.workloads if each.kind != "Pod"}

    def _top(self, workload: Workload) -> Workload:
        """What controls a workload, of those that are there, up to what nothing controls; itself where nothing does."""
        for _ in range(_MAX_OWNERS):
            owner = _controller(workload)
            above = self._controllers.get((workload.namespace, *owner)) if owner is not None else None
            if above is None or above is workload:
                break
            workload = above
        return workload

    def of(self, workload: Workload) -> Peer | None:
        """The peer that a workload belongs to; None for a finished pod."""
        return self._by_workload.get(id(workload))

    @cached_property
    def _by_address(self) -> Mapping[Address, Peer]:
        found: dict[Address, Peer] = {}
        for peer in self.pods:
            for workload in peer.workloads if not peer.is_node else ():
                for version, first, _ in _all_pod_addresses(workload).ranges():
                    found.setdefault(Address(version, first), peer)
        return found

    def at(self, address: Address) -> Peer:
        """The peer that has an address: a pod by `status.podIPs`, a node, or else an address outside.

        A pod at an address that does not stand for it elsewhere, its second one, is seen by that one.
        """
        pod = self._by_address.get(address)
        if pod is not None:
            is_other = bool(pod.addresses) and address not in pod.addresses
            return attrs.evolve(pod, addresses=AddressSet.single(address)) if is_other else pod
        for node in self.nodes.values():
            if address in node.addresses:
                return self.node_peer(node, address)
        return Peer(str(address), addresses=AddressSet.single(address))

    def node_peer(self, node: Node, address: Address) -> Peer:
        """A node, speaking from one of its addresses."""
        matched = AddressSet.single(address) if self.enforcement.blocks_match_nodes else AddressSet()
        return Peer(str(address), addresses=matched, node=node.name, node_labels=node.labels, is_node=True)

    def labels_of_namespace(self, name: str | None) -> Mapping[str, str]:
        """The labels of a namespace. The API server sets `kubernetes.io/metadata.name`, whatever a manifest says."""
        if name not in self._namespace_labels:
            labels = dict(self.cluster.namespace_labels(name))
            labels[NAMESPACE_NAME_LABEL] = name or ""
            self._namespace_labels[name] = labels
        return self._namespace_labels[name]

    def _group_key(self, workload: Workload) -> tuple[object, ...]:
        top = self._top(workload)
        owner = (top.kind, top.name) if top.kind != "Pod" else _controller(workload)
        if owner is None or (workload.kind != "Pod" and not self._is_owner(workload)):
            return (workload.namespace, workload.kind, workload.name, workload.group)
        labels = frozenset(item for item in workload.pod_labels.items() if not is_run_time_label(item[0]))
        return (workload.namespace, *owner, labels, _ports_of(workload), workload.host_network)

    @cached_property
    def _owners(self) -> frozenset[tuple[str | None, str, str]]:
        """Namespace, kind and name of what pods name as their controllers."""
        owners = ((each.namespace, _controller(each)) for each in self.cluster.workloads)
        return frozenset((namespace, *owner) for namespace, owner in owners if owner is not None)

    def _is_owner(self, workload: Workload) -> bool:
        return (workload.namespace, workload.kind, workload.name) in self._owners

    def _peer(self, group: tuple[Workload, ...], index: int) -> Peer:
        top = self._top(group[0])
        text = str(top) if top.kind != "Pod" else _text_of(group[0])
        # Pods that run say more than the template they were made of.
        members = tuple(each for each in group if each.kind == "Pod") or group
        # The last of several declarations of one name is what a cluster ends up with.
        workload = members[-1]
        node = self._node_of(workload) if len(members) == 1 else None
        on_host = workload.host_network and not self.enforcement.selects_host_network
        return Peer(
            text,
            namespace=workload.namespace,
            namespace_labels=self.labels_of_namespace(workload.namespace),
            labels=_labels_of(workload),
            service_account=_service_account(workload),
            ports=_ports_of(workload),
            addresses=self._addresses(members, on_host),
            node=node.name if node is not None else None,
            node_labels=node.labels if node is not None and on_host else {},
            is_pod=not on_host,
            is_node=on_host,
            is_single=workload.kind == "Pod" and len(group) == 1,
            index=index,
            workloads=group,
        )

    def _node_of(self, workload: Workload) -> Node | None:
        name = _node_name(workload)
        if name:
            return self.nodes.get(name)
        host = _single(text_of(workload.root.get("status", "hostIP"))) if workload.kind == "Pod" else AddressSet()
        if not host:
            return None
        return next((node for node in self.nodes.values() if host <= node.addresses), None)

    def _addresses(self, group: tuple[Workload, ...], on_host: bool) -> AddressSet:
        if on_host:
            if not self.enforcement.blocks_match_nodes:
                return AddressSet()
            known = AddressSet()
            for workload in group:
                node = self._node_of(workload)
                addresses = node.addresses if node is not None and node.addresses else _pod_addresses(workload)
                if not addresses:
                    return AddressSet.all_v4()
                known |= addresses
            return known
        if not self.enforcement.blocks_match_pods:
            return AddressSet()
        known = AddressSet()
        for workload in group:
            addresses = _pod_addresses(workload)
            if not addresses:
                return self.unknown_addresses
            known |= addresses
        return known


def _is_finished(workload: Workload) -> bool:
    return workload.kind == "Pod" and text_of(workload.root.get("status", "phase")) in FINISHED_PHASES


def _controller(workload: Workload) -> tuple[str, str] | None:
    """Kind and name of what made a workload; a node is not counted: static pods are named by themselves."""
    for item in items_of(workload.root.get("metadata", "ownerReferences")):
        controller = item.get("controller")
        kind, name = text_of(item.get("kind")), text_of(item.get("name"))
        if controller is not None and controller.value is True and name and kind != "Node":
            return kind or "Pod", name
    return None


def _text_of(workload: Workload) -> str:
    owner = _controller(workload)
    return f"{workload.namespace}/{owner[1]}[{owner[0]}]" if owner is not None else str(workload)


def _node_name(workload: Workload) -> str | None:
    return text_of(workload.root.get("spec", "nodeName")) if workload.kind == "Pod" else None


def _labels_of(workload: Workload) -> Mapping[str, str]:
    """The labels of the pods, with those that the Job controller adds: the others that controllers add tell pods apart.

    Source: Kubernetes, well-known labels, `batch.kubernetes.io/job-name`.
    """
    if (workload.group, workload.kind) != ("batch", "Job"):
        return workload.pod_labels
    return {**workload.pod_labels, **dict.fromkeys(JOB_NAME_LABELS, workload.name)}


def _service_account(workload: Workload) -> str | None:
    spec = workload.pod_spec
    if spec is None:
        return None
    return text_of(spec.get("serviceAccountName")) or text_of(spec.get("serviceAccount")) or "default"


def _ports_of(workload: Workload) -> tuple[DeclaredPort, ...]:
    found = {
        DeclaredPort(port.name, port.protocol, port.number): None
        for port in workload.ports
        if port.name and port.number is not None
    }
    return tuple(found)


def _pod_addresses(workload: Workload) -> AddressSet:
    """The address that a running pod has; of a pod with two families the first decides."""
    if workload.kind != "Pod":
        return AddressSet()
    status = workload.root.get("status")
    if status is None:
        return AddressSet()
    first = text_of(status.get("podIP"))
    if not first:
        listed = items_of(status.get("podIPs"))
        first = text_of(listed[0].get("ip")) if listed else None
    return _single(first)


def _all_pod_addresses(workload: Workload) -> AddressSet:
    """Every address that a running pod has."""
    found = _pod_addresses(workload)
    for item in items_of(workload.root.get("status", "podIPs")) if workload.kind == "Pod" else ():
        found |= _single(text_of(item.get("ip")))
    return found


def _single(text: str | None) -> AddressSet:
    if not text:
        return AddressSet()
    try:
        return AddressSet.single(Address.parse(text))
    except ValueError:
        return AddressSet()


def _addresses_of(cidrs: tuple[str, ...]) -> AddressSet:
    found = AddressSet()
    for text in cidrs:
        found |= AddressSet.cidr(text)
    return found
