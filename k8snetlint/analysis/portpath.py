"""A packet's way over ports: host port, node port or Service port, then the pod's port, its container, its policies.

Each hop knows the next by look-up. A flow that one hop accepts and the next refuses is a mismatch of ports that none of
the objects shows by itself. `smt.portpaths` states the same as one formula.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from functools import cached_property
from typing import TypeGuard

import attrs

from k8snetlint.algebra import bits
from k8snetlint.algebra.connections import FIRST_PORT, LAST_PORT, PROTOCOLS
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.workloads import ContainerPort, Workload
from k8snetlint.policy.ir import EGRESS, Action, Everything, PeerExpr, PolicyRule, PolicySet
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.source.tree import Path

from .ends import NODE_PORT_TYPES
from .latelabels import when_running
from .reachability import Connectivity, Group, connectivity_in
from .reference import matches, missing_connection
from .routing import selected_backends
from .universe import Point, Universe
from .verdict import candidates, everyone

_ANYBODY = Everything()


class Door(enum.Enum):
    """What a packet knocks at."""

    SERVICE = "Service port"
    NODE_PORT = "nodePort"
    HOST_PORT = "hostPort"


class Refusal(enum.Enum):
    """The first hop that refuses, and how.

    TARGET: the pod declares no port of the name and protocol that the Service leads to. CONTAINER: it declares ports,
    and not this one; a process may listen all the same. SHIFTED: policies let some source in at the number that it
    dials, and not at the pod's port where it comes out. CLOSED: they let nobody in at either.
    """

    TARGET = "target"
    CONTAINER = "container"
    SHIFTED = "shifted"
    CLOSED = "closed"


@attrs.frozen(eq=False)
class Entry:
    """A number that a client dials. `path` leads to it in its object; `service_port` is None for a host port."""

    door: Door
    resource: Service | Workload
    path: Path
    protocol: str
    number: int
    service_port: ServicePort | None
    container_port: ContainerPort | None

    def __str__(self) -> str:
        return f"{self.door.value} {self.number}/{self.protocol} of {self.resource}"


@attrs.frozen
class Hop:
    """One hop: the place that decides it, and the number on which it passes the packet on; None where it does not."""

    resource: Resource
    path: Path
    number: int | None


@attrs.frozen(eq=False)
class Chain:
    """The way from an entry into one workload's pods, up to their policies.

    `hops` are the entry's, the target's, then the declaration's; the last is the first that refuses, if one does.
    `port` is the pod's port; None where no port of the pod is meant.
    """

    entry: Entry
    workload: Workload
    hops: tuple[Hop, ...]
    port: int | None
    refusal: Refusal | None


def entries(cluster: Cluster) -> Iterator[Entry]:
    """Every number that leads to pods of the manifests, Services first; none for Services without a selector.

    Numbers and protocols that are none are left to the rules about fields.
    """
    for service in cluster.services:
        if service.label_selector is None:
            continue
        for port in service.ports:
            if not _is_port(port.number, port.protocol):
                continue
            yield Entry(Door.SERVICE, service, (*port.path, "port"), port.protocol, port.number, port, None)
            if service.type in NODE_PORT_TYPES and _is_port(port.node_port, port.protocol):
                path = (*port.path, "nodePort")
                yield Entry(Door.NODE_PORT, service, path, port.protocol, port.node_port, port, None)
    for workload in cluster.workloads:
        # On the node's own network the two numbers are one.
        for declared in workload.ports if not workload.host_network else ():
            if _is_port(declared.host_port, declared.protocol) and _is_port(declared.number, declared.protocol):
                path = (*declared.path, "hostPort")
                yield Entry(Door.HOST_PORT, workload, path, declared.protocol, declared.host_port, None, declared)


def chains(cluster: Cluster) -> Iterator[Chain]:
    """The ways of all entries into workloads, as far as the policies: entry by entry, in document order."""
    for entry in entries(cluster):
        yield from chains_of(cluster, entry)


def chains_of(cluster: Cluster, entry: Entry) -> Iterator[Chain]:
    """The ways of one entry."""
    first = Hop(entry.resource, entry.path, entry.number)
    declared = entry.container_port
    if isinstance(entry.resource, Workload):
        if declared is not None:
            hop = Hop(entry.resource, (*declared.path, "containerPort"), declared.number)
            yield Chain(entry, entry.resource, (first, hop), declared.number, None)
        return
    service, port = entry.resource, entry.service_port
    if port is None:
        return
    path = (*port.path, "port" if port.target is None or service.is_headless else "targetPort")
    for backend in selected_backends(cluster, service, port):
        if backend.workload is not None:
            # A headless Service is its pods' own addresses: they are asked at the very number.
            number = entry.number if service.is_headless else backend.port
            if number is None or _is_port(number, entry.protocol):
                yield _landed(entry, backend.workload, (first, Hop(service, path, number)), number)


def _is_port(number: int | None, protocol: str) -> TypeGuard[int]:
    return number is not None and FIRST_PORT <= number <= LAST_PORT and protocol in PROTOCOLS


def _landed(entry: Entry, workload: Workload, hops: tuple[Hop, ...], number: int | None) -> Chain:
    if number is None:
        return Chain(entry, workload, hops, None, Refusal.TARGET)
    numbered = [port for port in workload.ports if port.number is not None]
    if not numbered:
        return Chain(entry, workload, hops, number, None)
    for port in numbered:
        if (port.number, port.protocol) == (number, entry.protocol):
            hop = Hop(workload, (*port.path, "containerPort"), number)
            return Chain(entry, workload, (*hops, hop), number, None)
    hop = Hop(workload, (*numbered[0].path, "containerPort"), None)
    return Chain(entry, workload, (*hops, hop), number, Refusal.CONTAINER)


class Admission:
    """Whom the policies of pods let in, of the workloads in the manifests and the addresses outside.

    What clients may send is left out: a client's egress policies say nothing of the pod's ports.
    """

    def __init__(self, policies: PolicySet) -> None:
        self._policies = admitting(policies)
        self._closed: dict[tuple[int, str, int], bool] = {}

    @cached_property
    def _universe(self) -> Universe:
        return Universe((self._policies,), self._policies.peers.pods)

    @cached_property
    def _found(self) -> Connectivity:
        return connectivity_in(self._universe, self._policies)

    @cached_property
    def _point_of(self) -> dict[int, int]:
        return {id(peer): index for index, point in enumerate(self._universe.points) for peer in point.peers}

    def refusal(self, chain: Chain) -> Refusal | None:
        """The first hop that refuses, the policies as the last; None where all accept, or the pod has ended."""
        peer = self._policies.peers.of(chain.workload)
        if chain.refusal is not None or chain.port is None or peer is None:
            return chain.refusal
        if self.shifted_flow(chain) is not None:
            return Refusal.SHIFTED
        reached = (chain.entry.protocol, chain.port)
        is_open = any(reached in group.connections for group in self._reaching(peer))
        return None if is_open else Refusal.CLOSED

    @cached_property
    def _rules(self) -> list[list[PolicyRule]]:
        found: list[list[PolicyRule]] = [[] for _ in self._universe.points]
        for rule in (rule for stage in self._policies.stages for tier in stage.tiers for rule in tier.rules):
            for index in bits.indices(self._universe.members(rule.match.destination)):
                found[index].append(rule)
        return found

    def rules_about(self, peer: Peer) -> list[PolicyRule]:
        """The rules whose subject a pod is, in their order."""
        return self._rules[self._point_of[id(peer)]]

    def is_closed(self, chain: Chain) -> bool:
        """Whether policies isolate the pods of a chain and no rule opens to anybody at all where it comes out."""
        peer = self._policies.peers.of(chain.workload)
        if peer is None or chain.port is None:
            return False
        key = (self._point_of[id(peer)], chain.entry.protocol, chain.port)
        if key not in self._closed:
            rules = self.rules_about(peer)
            flow = Flow(peer, peer, chain.entry.protocol, chain.port)
            self._closed[key] = any(rule.is_default for rule in rules) and not any(
                rule.action is Action.ALLOW and missing_connection(rule.match.connections, flow) is None
                for rule in rules
            )
        return self._closed[key]

    def _is_closed(self, peer: Peer, flow: Flow) -> bool:
        def opens(rule: PolicyRule) -> bool:
            return rule.action is Action.ALLOW and missing_connection(rule.match.connections, flow) is None

        rules = self.rules_about(peer)
        if not any(rule.is_default for rule in rules) or any(map(opens, rules)):
            return False
        opening = [
            rule for stage in self._policies.stages for tier in stage.tiers for rule in tier.rules if opens(rule)
        ]
        later = when_running(peer, self._policies) if opening else ()
        return not any(matches(rule.match.destination, subject) for subject in later for rule in opening)

    def has_peers(self, sources: PeerExpr, besides: Peer) -> bool:
        """Whether an expression stands for somebody at hand, or an address outside, besides one peer."""
        members, own = self._universe.members(sources), self._point_of[id(besides)]
        return bool(members & ~(1 << own)) or (bool(members >> own & 1) and len(self._universe.points[own].peers) > 1)

    def shifted_flow(self, chain: Chain, sources: PeerExpr = _ANYBODY) -> Flow | None:
        """A flow that the policies would let in at the number dialled, and do not where it comes out."""
        peer = self._policies.peers.of(chain.workload)
        if peer is None or chain.port is None or chain.port == chain.entry.number:
            return None
        asked = self._universe.members(sources)
        protocol = chain.entry.protocol
        dialled, reached = (protocol, chain.entry.number), (protocol, chain.port)
        for group in self._reaching(peer):
            if group.sources & asked and dialled in group.connections and reached not in group.connections:
                source = example_source(self._policies, self._found.points, group.sources & asked, peer)
                return Flow(source, peer, protocol, chain.port, through_service=True)
        return None

    def _reaching(self, peer: Peer) -> Iterator[Group]:
        at = 1 << self._point_of[id(peer)]
        return (group for group in self._found.groups if group.destinations & at)


def example_source(policies: PolicySet, points: tuple[Point, ...], sources: int, destination: Peer) -> Peer:
    """One of the peers at some points; the destination itself, another pod of its kind, only where there is no other."""
    everybody = everyone(policies).sources
    for index in bits.indices(sources):
        for candidate in candidates(points[index], everybody):
            if candidate is not destination:
                return candidate
    return destination


def admitting(policies: PolicySet) -> PolicySet:
    """What of a policy set pods are subject to as destinations."""
    return attrs.evolve(policies, stages=tuple(stage for stage in policies.stages if stage.name != EGRESS))
