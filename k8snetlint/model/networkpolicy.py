"""NetworkPolicy of networking.k8s.io/v1, with absent, null and empty told apart where the API does."""

from __future__ import annotations

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.source.tree import Node, Path

from .core import LabelSelector, Resource
from .policyfields import FieldProblem, FieldReader, is_port_name
from .values import int_or_string_of, integer_of

INGRESS, EGRESS = "Ingress", "Egress"
PROTOCOLS = ("TCP", "UDP", "SCTP")
_MOST_POLICY_TYPES = 2


@attrs.frozen
class IPBlock:
    """An `ipBlock`: the texts as written, and the addresses that are left of `cidr` after `except`."""

    cidr: str
    exceptions: tuple[str, ...]
    addresses: AddressSet


@attrs.frozen
class NetworkPolicyPeer:
    """An entry of `from` or `to`. A selector is None where it is absent, which is not the empty selector.

    One that is not `is_understood` stands for no peer at all.
    """

    pod_selector: LabelSelector | None
    namespace_selector: LabelSelector | None
    ip_block: IPBlock | None
    path: Path
    is_understood: bool = True


@attrs.frozen
class NetworkPolicyPort:
    """An entry of `ports`. `protocol` has its default; `port` is None where it is absent: all ports of the protocol.

    One that is not `is_understood` opens nothing.
    """

    protocol: str
    port: int | str | None
    end_port: int | None
    path: Path
    is_understood: bool = True


@attrs.frozen
class NetworkPolicyRule:
    """An entry of `ingress` or `egress`. No peers: any peer. No ports: any port of any protocol.

    One that is not `is_understood` allows nothing.
    """

    peers: tuple[NetworkPolicyPeer, ...]
    ports: tuple[NetworkPolicyPort, ...]
    path: Path
    is_understood: bool = True


@attrs.frozen(eq=False)
class NetworkPolicy(Resource):
    """A NetworkPolicy. `policy_types` are those in effect, after defaulting.

    `pod_selector` is None only where the field is not understood: whom it selects is not known then.
    """

    pod_selector: LabelSelector | None
    policy_types: tuple[str, ...]
    has_policy_types: bool
    ingress: tuple[NetworkPolicyRule, ...]
    egress: tuple[NetworkPolicyRule, ...]
    problems: tuple[FieldProblem, ...]

    def rules(self, policy_type: str) -> tuple[NetworkPolicyRule, ...]:
        """The rules of a direction as written, whether or not the policy types name it."""
        return self.ingress if policy_type == INGRESS else self.egress


def build_network_policy(resource: Resource) -> NetworkPolicy:
    """The typed NetworkPolicy of an object.

    Source: Kubernetes API reference, NetworkPolicySpec v1, and the API server's defaulting.
    """
    reader = FieldReader()
    spec = resource.root.get("spec")
    reader.mapping(spec, ("spec",), ("podSelector", "policyTypes", "ingress", "egress"))
    before = len(reader.problems)
    selector_node = spec.get("podSelector") if spec is not None else None
    pod_selector = reader.selector(selector_node, ("spec", "podSelector"))
    if pod_selector is None and len(reader.problems) == before:
        pod_selector = LabelSelector()
    ingress = _rules(reader, spec, "ingress", "from")
    egress = _rules(reader, spec, "egress", "to")
    types, are_written = _policy_types(reader, spec, bool(egress))
    return NetworkPolicy(
        **attrs.asdict(resource, recurse=False),
        pod_selector=pod_selector,
        policy_types=types,
        has_policy_types=are_written,
        ingress=ingress,
        egress=egress,
        problems=tuple(reader.problems),
    )


def _policy_types(reader: FieldReader, spec: Node | None, has_egress: bool) -> tuple[tuple[str, ...], bool]:
    path: Path = ("spec", "policyTypes")
    found: list[str] = []
    before = len(reader.problems)
    items = reader.items(spec.get("policyTypes") if spec is not None else None, path)
    for index, item in enumerate(items or ()):
        text = reader.text(item, (*path, index))
        if text in (INGRESS, EGRESS):
            found.append(text)
        elif text is not None or item.value is None:
            reader.refuse((*path, index), f"policy type `{text or ''}` is neither Ingress nor Egress")
    if len(reader.problems) > before:
        return (INGRESS, EGRESS), True
    if items:
        if len(items) > _MOST_POLICY_TYPES:
            reader.refuse(path, f"{len(items)} policy types are listed, so the policy is rejected")
        return tuple(dict.fromkeys(found)), True
    return ((INGRESS, EGRESS) if has_egress else (INGRESS,)), False


def _rules(reader: FieldReader, spec: Node | None, field: str, peer_field: str) -> tuple[NetworkPolicyRule, ...]:
    path: Path = ("spec", field)
    items = reader.items(spec.get(field) if spec is not None else None, path)
    return tuple(_rule(reader, item, (*path, index), peer_field) for index, item in enumerate(items or ()))


def _rule(reader: FieldReader, node: Node, path: Path, peer_field: str) -> NetworkPolicyRule:
    if not reader.mapping(node, path, (peer_field, "ports")):
        return NetworkPolicyRule((), (), path, is_understood=False)
    peers = reader.items(node.get(peer_field), (*path, peer_field))
    ports = reader.items(node.get("ports"), (*path, "ports"))
    if peers is None or ports is None:
        return NetworkPolicyRule((), (), path, is_understood=False)
    return NetworkPolicyRule(
        tuple(_peer(reader, item, (*path, peer_field, index)) for index, item in enumerate(peers)),
        tuple(_port(reader, item, (*path, "ports", index)) for index, item in enumerate(ports)),
        path,
    )


def _peer(reader: FieldReader, node: Node, path: Path) -> NetworkPolicyPeer:
    before = len(reader.problems)
    if reader.mapping(node, path, ("podSelector", "namespaceSelector", "ipBlock")):
        pods = reader.selector(node.get("podSelector"), (*path, "podSelector"))
        namespaces = reader.selector(node.get("namespaceSelector"), (*path, "namespaceSelector"))
        block = ip_block(reader, node.get("ipBlock"), (*path, "ipBlock"))
        if len(reader.problems) == before:
            if block is not None and (pods is not None or namespaces is not None):
                reader.refuse(path, "a peer is either an ipBlock or selectors, not both")
            elif block is None and pods is None and namespaces is None:
                reader.refuse(path, "a peer that names neither selector nor ipBlock is not valid")
        if len(reader.problems) == before:
            return NetworkPolicyPeer(pods, namespaces, block, path)
    return NetworkPolicyPeer(None, None, None, path, is_understood=False)


def ip_block(reader: FieldReader, node: Node | None, path: Path) -> IPBlock | None:
    """The `ipBlock` at a node; None if it is absent or not understood.

    An exception that lies outside the block takes nothing away; the API server refuses it.
    """
    if node is None or node.value is None or not reader.mapping(node, path, ("cidr", "except")):
        return None
    before = len(reader.problems)
    text = reader.text(node.get("cidr"), (*path, "cidr"))
    if text is None:
        if len(reader.problems) == before:
            reader.refuse(path, "an ipBlock needs a cidr")
        return None
    addresses = cidr(reader, text, (*path, "cidr"))
    exceptions: list[str] = []
    for index, item in enumerate(reader.items(node.get("except"), (*path, "except")) or ()):
        exception = reader.text(item, (*path, "except", index))
        if exception is not None:
            exceptions.append(exception)
            addresses -= cidr(reader, exception, (*path, "except", index))
    return IPBlock(text, tuple(exceptions), addresses) if len(reader.problems) == before else None


def cidr(reader: FieldReader, text: str, path: Path) -> AddressSet:
    """The addresses of a CIDR, none if it is not valid."""
    try:
        return AddressSet.cidr(text)
    except ValueError:
        reader.refuse(path, f"`{text}` is not a CIDR")
        return AddressSet()


def _port(reader: FieldReader, node: Node, path: Path) -> NetworkPolicyPort:
    before = len(reader.problems)
    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None
    if reader.mapping(node, path, ("protocol", "port", "endPort")):
        protocol = reader.text(node.get("protocol"), (*path, "protocol"))
        if protocol is not None and protocol not in PROTOCOLS:
            reader.refuse((*path, "protocol"), f"protocol `{protocol}` is not one of {', '.join(PROTOCOLS)}")
        port = port_number_or_name(reader, node.get("port"), (*path, "port"))
        end_node = node.get("endPort")
        if end_node is not None and end_node.value is not None:
            end_port = integer_of(end_node)
            _refuse_end_port(reader, port, end_port, (*path, "endPort"))
    return NetworkPolicyPort(protocol or "TCP", port, end_port, path, is_understood=len(reader.problems) == before)


def _refuse_end_port(reader: FieldReader, port: int | str | None, end_port: int | None, path: Path) -> None:
    if end_port is None or not 1 <= end_port <= 65535:
        reader.refuse(path, "`endPort` is not a number from 1 to 65535")
    elif not isinstance(port, int):
        reader.refuse(path, "`endPort` needs a `port` that is a number")
    elif end_port < port:
        reader.refuse(path, f"the port range is empty: it ends at {end_port}, before it starts at {port}")


def port_number_or_name(reader: FieldReader, node: Node | None, path: Path) -> int | str | None:
    """The port at a node, checked; None if it is absent or not understood."""
    if node is None or node.value is None:
        return None
    if isinstance(node.value, str):
        name = reader.text(node, path)
        if name is None or is_port_name(name):
            return name
        reader.refuse(path, f"`{name}` is no port name, so the policy is rejected")
        return None
    value = int_or_string_of(node)
    if not isinstance(value, int) or not 1 <= value <= 65535:
        reader.refuse(path, "a port is a number from 1 to 65535 or a name")
        return None
    return value
