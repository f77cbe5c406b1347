"""Every connection that the manifests call for, end by end, and what of it no NetworkPolicy can express.

Beyond the requirements these are DNS for workloads that use names, and what Services publish outside of the cluster.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.values import text_of, texts_of
from k8snetlint.policy.ir import INGRESS, PolicySet
from k8snetlint.policy.peers import Peer, Peers
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Path

from .blocking import allowing_rules
from .dns import DNS_LABELS, DNS_NAMESPACES
from .requirements import Client, Ground, Requirement, requirements
from .routing import Backend, backends
from .statements import stated_service, statements

# Where the control plane's own pods live: what those need is in no manifest.
SYSTEM_NAMESPACES = DNS_NAMESPACES | {"kube-node-lease", "kube-public"}
# Source: prometheus-operator, the labels of the pods of a Prometheus.
_PROMETHEUS_LABELS = (("app.kubernetes.io/name", "prometheus"),)
_DNS_PORT = 53
# Images of ingress controllers that open the connections to backends themselves.
_CONTROLLERS = re.compile(
    r"(?:^|/)(?:ingress-nginx/controller|nginx-ingress|traefik|haproxy(?:tech)?/kubernetes-ingress)\b"
)


class Beyond(enum.Enum):
    """Ends that the manifests do not hold."""

    INGRESS_CONTROLLER = "{ingress-controller}"
    PROMETHEUS = "{prometheus}"
    NAME_SERVERS = "{dns}"
    ANYONE = "{anyone}"


@attrs.frozen
class Operated:
    """Pods that an operator makes: their namespace, and labels that they have."""

    namespace: str
    labels: tuple[tuple[str, str], ...]


End: TypeAlias = Peer | AddressSet | Beyond | Operated


@attrs.frozen
class Because:
    """The line that calls for something, and the name that it stands under there."""

    text: str
    place: Place


@attrs.frozen(eq=False)
class Want:
    """One connection that is called for; at least one of its ends is a pod that policies select."""

    source: End
    destination: End
    protocol: str
    port: int
    because: Because


@attrs.frozen
class Notice:
    """What a reader has to know of connections that are not opened, or opened wider than they are needed."""

    message: str
    place: Place | None = None


@attrs.frozen
class Wants:
    """What is called for, in document order, DNS first; what cannot be opened; and what nothing calls for.

    `unneeded` holds the Service ports that stay shut, by the identity of the first peer that they lead to.
    """

    wants: tuple[Want, ...]
    notices: tuple[Notice, ...]
    unneeded: Mapping[int, tuple[str, ...]]


def wants(cluster: Cluster, policies: PolicySet, settings: Settings) -> Wants:
    """What a cluster calls for. The policies do not matter to it, but that none of them opens what is said to be shut."""
    reader = _Reader(cluster, policies.peers, settings)
    needed = requirements(cluster, settings)
    found = [want for requirement in needed for want in reader.of_requirement(requirement)]
    found = [*reader.names(needed, found), *found, *reader.published()]
    reader.unknown_names(needed)
    reader.api_clients(needed)
    unneeded = reader.unneeded_ports(found, policies)
    return Wants(tuple(found), tuple(dict.fromkeys(reader.notices)), unneeded)


class _Reader:
    def __init__(self, cluster: Cluster, peers: Peers, settings: Settings) -> None:
        self.cluster = cluster
        self.peers = peers
        self.settings = settings
        self.notices: list[Notice] = []
        self.statements = tuple(statements(cluster))
        self.nodes = AddressSet()
        for text in settings.cluster.node_cidrs:
            self.nodes |= AddressSet.cidr(text)

    def names(self, needed: Sequence[Requirement], found: Sequence[Want]) -> Iterator[Want]:
        """DNS for every workload that uses a name or calls a pod; where the servers are in sight, on their ports."""
        servers = [peer for peer in self.peers.pods if peer.is_pod and _is_name_server(peer)]
        keys = {statement.place: statement.key or statement.mention.host for statement in self.statements}
        users: dict[int, tuple[Peer, Because]] = {}
        for requirement in needed:
            peer = self.peers.of(requirement.workload) if requirement.workload is not None else None
            if requirement.ground is Ground.NAMES and peer is not None and peer.is_pod:
                text = f"DNS, for {keys.get(requirement.place, 'a name')}"
                users.setdefault(id(peer), (peer, Because(text, requirement.place)))
        for want in found:
            if isinstance(want.source, Peer) and isinstance(want.destination, Peer):
                text = f"DNS, for {want.because.text}"
                users.setdefault(id(want.source), (want.source, Because(text, want.because.place)))
        for user, because in users.values():
            for protocol in ("UDP", "TCP"):
                if not servers:
                    yield Want(user, Beyond.NAME_SERVERS, protocol, _DNS_PORT, because)
                for server in servers:
                    yield Want(user, server, protocol, self._dns_port(server, protocol), because)

    def _dns_port(self, server: Peer, protocol: str) -> int:
        for service in self.cluster.services_in(server.namespace):
            for port in service.ports:
                if (port.number, port.protocol) != (_DNS_PORT, protocol):
                    continue
                for backend in backends(self.cluster, service, port):
                    if backend.port is not None and any(backend.workload is each for each in server.workloads):
                        return backend.port
        named = (port.number for port in server.ports if port.protocol == protocol and port.name.startswith("dns"))
        return next(named, _DNS_PORT)

    def of_requirement(self, requirement: Requirement) -> Iterator[Want]:
        """The flows of a requirement, for each of its sources and backends."""
        statement = requirement.statement
        text = statement.key if statement is not None and statement.key else requirement.written
        because = Because(text, requirement.place)
        sources = [end for end in self._sources(requirement) if end is not None]
        for backend in requirement.backends:
            destination = self._destination(backend, because) if backend.port is not None else None
            for source in sources if destination is not None else ():
                if (isinstance(source, Peer) or isinstance(destination, Peer)) and destination is not None:
                    yield Want(source, destination, backend.protocol, backend.port or 0, because)

    def _sources(self, requirement: Requirement) -> Iterator[End | None]:
        place = requirement.place
        if requirement.workload is not None:
            peer = self.peers.of(requirement.workload)
            yield self._selectable(peer, f"to {requirement.written}", place) if peer is not None else None
        elif requirement.client_object is not None:
            yield Operated(requirement.client_object.namespace or "", _PROMETHEUS_LABELS)
            self._say(
                f"the pods that an operator makes of {requirement.client_object} are not in the manifests: what they need"
                " of their own is not opened",
                place,
            )
        elif requirement.client is Client.INGRESS_CONTROLLER:
            yield Beyond.INGRESS_CONTROLLER
            yield from (peer for peer in self.peers.pods if peer.is_pod and _is_controller(peer))
            self._say(
                "the ingress controller is not known: pods of all other namespaces are let in for it; name its namespace"
                " and labels, or its addresses where it is on the host network or outside of the cluster",
            )
        elif requirement.client is Client.PROMETHEUS:
            yield Beyond.PROMETHEUS
            self._say("Prometheus is not in the manifests: pods of all other namespaces are let in for it")
        elif self.nodes:
            yield self.nodes
        else:
            self._say(
                f"the {requirement.client.value.replace('-', ' ')} comes from addresses that are not known:"
                f" {requirement.written} is open to anyone for it; tell the nodes' in the configuration's"
                " `cluster.node-cidrs`",
                place,
            )
            yield Beyond.ANYONE

    def _destination(self, backend: Backend, because: Because) -> End | None:
        if backend.workload is not None:
            peer = self.peers.of(backend.workload)
            what = f"from {because.text}"
            return self._selectable(peer, what, because.place) if peer is not None else None
        try:
            at = self.peers.at(Address.parse(backend.address or ""))
        except ValueError:
            return None
        return at if at.is_pod else AddressSet.single(Address.parse(backend.address or ""))

    def _selectable(self, peer: Peer, what: str, place: Place) -> End | None:
        """A pod as it is; one on the host network by the addresses of nodes, None where those are not known."""
        if peer.is_pod:
            return peer
        if self.nodes:
            return self.nodes
        self._say(
            f"{peer} is on the host network, where no policy selects it: its connection {what} is not opened; tell the"
            " nodes' addresses in the configuration's `cluster.node-cidrs`",
            place,
        )
        return None

    def published(self) -> Iterator[Want]:
        """What is open to the outside: Services of type LoadBalancer and NodePort, external addresses, hostPorts."""
        for peer in self.peers.pods:
            for workload in peer.workloads if peer.is_pod else ():
                for each in workload.ports:
                    if each.host_port is not None and each.number is not None and not _is_loopback(each.host_ip):
                        place = _place(workload, (*each.path, "hostPort"))
                        because = Because(f"hostPort {each.host_port}", place)
                        yield Want(Beyond.ANYONE, peer, each.protocol, each.number, because)
        for service in self.cluster.services:
            spec = service.root.get("spec")
            if spec is None or not (service.type in ("LoadBalancer", "NodePort") or texts_of(spec.get("externalIPs"))):
                continue
            ranges = AddressSet()
            # Only a balancer that keeps the client's address lets policies see it.
            if text_of(spec.get("externalTrafficPolicy")) == "Local":
                for text in texts_of(spec.get("loadBalancerSourceRanges")):
                    try:
                        ranges |= AddressSet.cidr(text.strip())
                    except ValueError:
                        continue
            source: End = ranges if ranges else Beyond.ANYONE
            because = Because(f"Service {service.name} of type {service.type}", _place(service, ("spec", "type")))
            for port in service.ports:
                for backend in backends(self.cluster, service, port):
                    target = self.peers.of(backend.workload) if backend.workload is not None else None
                    if target is not None and target.is_pod and backend.port is not None:
                        yield Want(source, target, backend.protocol, backend.port, because)

    def unknown_names(self, needed: Sequence[Requirement]) -> None:
        """Says which names lead to nothing that is in sight: policies know addresses and labels, no names."""
        met = {
            (id(each.workload), each.statement.mention.host.lower()) for each in needed if each.statement is not None
        }
        for statement in self.statements:
            host = statement.mention.host
            key = (id(statement.workload), host.lower())
            if key in met or host.lower() in ("localhost", "kubernetes.default", "kubernetes.default.svc"):
                continue
            met.add(key)
            service = stated_service(statement, self.cluster, self.settings)
            why = "is no Service in sight"
            if service is not None:
                why = "leads out of the cluster" if service.is_external_name else "leads to no port of a pod in sight"
            self._say(f"{statement.workload} names {host}, which {why}: nothing is opened to it", statement.place)

    def api_clients(self, needed: Sequence[Requirement]) -> None:
        """Says which workloads work with the API server, whose address no manifest holds."""
        for requirement in needed:
            workload = requirement.workload
            if requirement.ground is not Ground.API or workload is None or workload.host_network:
                continue
            if workload.namespace not in SYSTEM_NAMESPACES:
                message = f"{workload} works with the API server: egress to its address is not opened"
                self._say(message, requirement.place)

    def unneeded_ports(self, found: list[Want], policies: PolicySet) -> dict[int, tuple[str, ...]]:
        """The Service ports that nothing will reach, because nothing in the manifests needs them."""
        reached = {(id(each.destination), each.protocol, each.port) for each in found}
        unneeded: dict[int, tuple[str, ...]] = {}
        for service in self.cluster.services:
            for port in service.ports:
                pods: list[Peer] = []
                is_shut = True
                for backend in backends(self.cluster, service, port):
                    if backend.port is None:
                        continue
                    peer = self.peers.of(backend.workload) if backend.workload is not None else None
                    if peer is None or not peer.is_pod or peer.namespace in SYSTEM_NAMESPACES:
                        is_shut = False
                        break
                    pods.append(peer)
                    is_open = any(allowing_rules(policies, INGRESS, peer, backend.protocol, backend.port))
                    is_shut = is_shut and not is_open and (id(peer), backend.protocol, backend.port) not in reached
                if not pods or not is_shut:
                    continue
                text = f"port {port} of {service}"
                self._say(f"nothing in the manifests needs {text}: it stays shut", _place(service, port.path))
                first = id(pods[0])
                unneeded[first] = (*unneeded.get(first, ()), text)
        return unneeded

    def _say(self, message: str, place: Place | None = None) -> None:
        self.notices.append(Notice(message, place))


def _is_loopback(address: str | None) -> bool:
    return address is not None and (address.startswith("127.") or address == "::1")


def _is_name_server(peer: Peer) -> bool:
    return peer.namespace in SYSTEM_NAMESPACES and any(peer.labels.get(key) == value for key, value in DNS_LABELS)


def _is_controller(peer: Peer) -> bool:
    return any(_CONTROLLERS.search(container.image) for workload in peer.workloads for container in workload.containers)


def _place(resource: Resource, path: Path) -> Place:
    return resource.root.nearest(*path).place
