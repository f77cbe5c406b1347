"""The ends of a question, as the user writes them: workloads, Services, addresses, the ingress controllers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from k8snetlint.algebra.addresses import Address, AddressSet, parse_range
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL, Cluster
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import items_of, text_of, texts_of
from k8snetlint.model.workloads import Workload
from k8snetlint.policy.ir import AllOf, AnyOf, HasAddress, Not, PeerExpr, PolicySet
from k8snetlint.policy.peers import Peer, Peers
from k8snetlint.source.tree import Path

NODE_PORT_TYPES = ("NodePort", "LoadBalancer")
INGRESS_CONTROLLER = "{ingress-controller}"
_WITH_KIND = re.compile(r"(?P<namespace>[^/\[\]]+)/(?P<name>[^/\[\]]+)\[(?P<kind>[A-Za-z]+)\]\Z")


class UnknownEnd(ValueError):  # noqa: N818 (the user's mistake, shown as it is)
    """An end that cannot be read, or that nothing answers to. The message says what would."""


@attrs.frozen
class ServiceEnd:
    """A Service and one of its ports; `is_at_node`: as it is asked for at a node, by its nodePort.

    `aliases` are the ExternalName Services that lead to it, in order. `pods`, where any are named, are its only pods.
    """

    service: Service
    port: ServicePort
    is_at_node: bool = False
    aliases: tuple[Service, ...] = ()
    pods: tuple[Workload, ...] = ()


@attrs.frozen
class DeadEnd:
    """A Service at which no packet gets on to a pod: it has no such port, or is an alias of a name elsewhere.

    `is_alias`: where the name leads, the manifests do not say.
    """

    service: Service
    protocol: str
    number: int
    path: Path
    reason: str
    is_alias: bool = False
    aliases: tuple[Service, ...] = ()


End = tuple[Peer, ...] | ServiceEnd


def service_at(
    address: Address, cluster: Cluster, peers: Peers, protocol: str, port: int
) -> ServiceEnd | DeadEnd | None:
    """The Service that answers at an address, its own or a node's with one of its nodePorts; None if none does."""
    for service in cluster.services:
        if address in service_addresses(service):
            return at_port(service, protocol, port)
    if any(address in node.addresses for node in peers.nodes.values()):
        for service in cluster.services if port else ():
            for candidate in service.ports if service.type in NODE_PORT_TYPES else ():
                if (candidate.protocol, candidate.node_port) == (protocol, port):
                    return ServiceEnd(service, candidate, is_at_node=True)
    return None


def service_addresses(service: Service) -> tuple[Address, ...]:
    """The addresses at which a Service answers with its ports: its own, external ones, those of its load balancer."""
    spec, status = service.root.get("spec"), service.root.get("status")
    texts = [service.cluster_ip]
    if spec is not None:
        texts += [
            *texts_of(spec.get("clusterIPs")),
            *texts_of(spec.get("externalIPs")),
            text_of(spec.get("loadBalancerIP")),
        ]
    if status is not None:
        texts += [text_of(item.get("ip")) for item in items_of(status.get("loadBalancer", "ingress"))]
    return tuple(found for text in texts if text and (found := _single_address(text)) is not None)


def _single_address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


def at_port(service: Service, protocol: str, number: int) -> ServiceEnd | DeadEnd:
    """A Service at a number that a client dials; of a headless one any number is its pods' own."""
    for port in service.ports:
        if (port.protocol, port.number) == (protocol, number):
            return ServiceEnd(service, port)
    if service.is_external_name:
        return alias_end(service, protocol, number)
    if service.is_headless:
        return ServiceEnd(service, ServicePort(None, number, protocol, None, None, None, ("spec",)))
    known = ", ".join(f"{port.name} ({port})" if port.name else str(port) for port in service.ports)
    reason = f"{service} has no port {number}/{protocol}, so nothing answers there; it has {known or 'no ports'}"
    path: Path = ("spec", "ports") if service.root.get("spec", "ports") is not None else ("spec",)
    return DeadEnd(service, protocol, number, path, reason)


def alias_end(service: Service, protocol: str, number: int) -> DeadEnd:
    """A Service of type ExternalName, at a number that a client dials."""
    reason = f"{service} is an alias of `{service.external_name}`: where that leads, the manifests do not say"
    return DeadEnd(service, protocol, number, ("spec", "externalName"), reason, is_alias=True)


def resolve(text: str, cluster: Cluster, peers: Peers, policies: PolicySet) -> End:
    """The peers that a text means, or the Service. Raises UnknownEnd.

    Written `namespace/name`, `namespace/kind/name`, `namespace/name[Kind]`, `svc:namespace/name:port`, an address, a
    block `a.b.c.d/n`, a range `a.b.c.d-e.f.g.h`, or `ingress`. A block is cut where policies tell its parts apart.
    """
    if text.startswith("svc:"):
        return _service(text[4:], cluster)
    if text in ("ingress", INGRESS_CONTROLLER):
        return ingress_controllers()
    addresses = _addresses(text)
    if addresses is not None:
        return tuple(_outside(addresses, peers, policies))
    return _workloads(text, peers)


def _service(text: str, cluster: Cluster) -> ServiceEnd:
    name, colon, port_text = text.rpartition(":")
    if not colon:
        name, port_text = text, ""
    namespace, _, service_name = name.rpartition("/")
    service = cluster.service(namespace or "default", service_name)
    if service is None:
        near = sorted(f"{found.namespace}/{found.name}" for found in cluster.services)
        raise UnknownEnd(f"no Service `{name}`{_listed(near, name)}")
    reference: int | str | None = int(port_text) if port_text.isdigit() else port_text or None
    port = service.port(reference) if reference is not None else (service.ports[0] if len(service.ports) == 1 else None)
    if port is None:
        known = ", ".join(f"{port.name} ({port})" if port.name else str(port) for port in service.ports)
        what = f"has no port `{port_text}`" if port_text else "has several ports: name one"
        raise UnknownEnd(f"Service `{name}` {what}; it has {known or 'no ports'}")
    return ServiceEnd(service, port)


def _listed(known: list[str], text: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(text, known, 1)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; there are {', '.join(f'`{name}`' for name in known[:8])}" if known else "; there are none"


def ingress_controllers() -> tuple[Peer, ...]:
    """The unknown ingress controller: a pod without labels of its own, in a namespace that no manifest knows."""
    labels = {NAMESPACE_NAME_LABEL: "ingress-controller-ns"}
    addresses = AddressSet()
    return (
        Peer(
            INGRESS_CONTROLLER,
            namespace="ingress-controller-ns",
            namespace_labels=labels,
            addresses=addresses,
            is_pod=True,
        ),
    )


def _addresses(text: str) -> AddressSet | None:
    if not text or not (text[0].isdigit() or ":" in text):
        return None
    try:
        if "/" in text:
            return AddressSet.cidr(text)
        return parse_range(text)
    except ValueError:
        if re.match(r"[0-9.]+(/[0-9]+)?\Z|[0-9a-fA-F:]+(/[0-9]+)?\Z", text):
            raise UnknownEnd(f"`{text}` is no address, block or range") from None
        return None


def _outside(addresses: AddressSet, peers: Peers, policies: PolicySet) -> Iterator[Peer]:
    first = next(iter(addresses.ranges()))
    single = AddressSet.single(Address(first[0], first[1]))
    if addresses == single:
        yield peers.at(Address(first[0], first[1]))
        return
    parts = [addresses]
    for block in blocks_of(policies):
        parts = [piece for part in parts for piece in (part & block, part - block) if piece]
    for part in parts:
        yield Peer(", ".join(part.range_texts()), addresses=part)


def blocks_of(policies: PolicySet) -> Iterator[AddressSet]:
    """Every address set that a policy mentions: where they are cut, policies tell addresses apart."""
    for stage in policies.stages:
        for tier in stage.tiers:
            for rule in tier.rules:
                yield from blocks_in(rule.match.source)
                yield from blocks_in(rule.match.destination)


def blocks_in(peer: PeerExpr) -> Iterator[AddressSet]:
    """Every address set that an expression mentions."""
    match peer:
        case HasAddress(addresses):
            yield addresses
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from blocks_in(part)
        case Not(part):
            yield from blocks_in(part)


def _workloads(text: str, peers: Peers) -> tuple[Peer, ...]:
    with_kind = _WITH_KIND.match(text)
    parts = text.split("/")
    if with_kind is not None:
        namespace, kind, name = with_kind["namespace"], with_kind["kind"], with_kind["name"]
    elif len(parts) == 3:
        namespace, kind, name = parts
    elif len(parts) == 2:
        namespace, name = parts
        kind = ""
    else:
        namespace, kind, name = "", "", text
    found = [
        peer
        for peer in peers.pods
        if namespace in ("", peer.namespace)
        and any(
            name in (workload.name, _name_of(peer))
            and kind.lower() in ("", workload.kind.lower(), _kind_of(peer).lower())
            for workload in peer.workloads
        )
    ]
    if not found:
        known = sorted({peer.text.partition("[")[0] for peer in peers.pods})
        raise UnknownEnd(f"no workload `{text}`{_listed(known, text)}")
    if len({peer.text for peer in found}) > 1:
        names = ", ".join(f"`{text}`" for text in dict.fromkeys(peer.text for peer in found))
        raise UnknownEnd(f"`{text}` is ambiguous: {names}")
    return tuple(found)


def _name_of(peer: Peer) -> str:
    return peer.text.partition("[")[0].partition("/")[2]


def _kind_of(peer: Peer) -> str:
    return peer.text.partition("[")[2].rstrip("]")
