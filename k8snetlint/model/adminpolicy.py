"""AdminNetworkPolicy, BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2)."""

from __future__ import annotations

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.source.tree import Node, Path

from .core import LabelSelector, Resource
from .networkpolicy import PROTOCOLS, cidr, port_number_or_name
from .policyfields import FieldProblem, FieldReader
from .values import integer_of

ADMIN, BASELINE = "Admin", "Baseline"
ALLOW, DENY, PASS = "Allow", "Deny", "Pass"
LOWEST_PRIORITY = 1000

_PEER_FIELDS = ("namespaces", "pods", "networks", "nodes", "domainNames")


@attrs.frozen
class AdminSelector:
    """Pods of the cluster by the labels of their namespaces and, unless None, by their own."""

    namespaces: LabelSelector
    pods: LabelSelector | None


@attrs.frozen
class AdminPeer:
    """An entry of `from` or `to`: exactly one of the fields is given, none of them if it is not understood."""

    path: Path
    selector: AdminSelector | None = None
    networks: AddressSet | None = None
    nodes: LabelSelector | None = None
    domain_names: tuple[str, ...] | None = None

    @property
    def is_understood(self) -> bool:
        """Whether it is known whom it stands for."""
        return self.selector is not None or self.networks is not None or self.nodes is not None


@attrs.frozen
class AdminPort:
    """An entry of `ports` or `protocols`: a range of a protocol, or a name, whose protocol the pod decides.

    Neither if it is not understood.
    """

    path: Path
    protocol: str | None = None
    first: int | None = None
    last: int | None = None
    name: str | None = None

    @property
    def is_understood(self) -> bool:
        """Whether it is known which ports it stands for."""
        return self.name is not None or (self.first is not None and self.last is not None)


@attrs.frozen
class AdminRule:
    """A rule. `action` is Allow (written Accept in v1alpha2), Deny or Pass. `ports` None: any port of any protocol."""

    action: str
    peers: tuple[AdminPeer, ...]
    ports: tuple[AdminPort, ...] | None
    name: str | None
    path: Path
    is_understood: bool = True


@attrs.frozen(eq=False)
class AdminPolicy(Resource):
    """A cluster-wide policy of either version. `tier` is Admin or Baseline; `subject` None: not understood."""

    tier: str
    priority: int
    subject: AdminSelector | None
    ingress: tuple[AdminRule, ...]
    egress: tuple[AdminRule, ...]
    problems: tuple[FieldProblem, ...]

    @property
    def has_priority(self) -> bool:
        """Whether it is of a kind that has priorities: the one baseline of v1alpha1 has none."""
        return self.kind != "BaselineAdminNetworkPolicy"


def build_admin_policy(resource: Resource) -> AdminPolicy:
    """The typed policy of an AdminNetworkPolicy, BaselineAdminNetworkPolicy or ClusterNetworkPolicy.

    Source: network-policy-api, types of v1alpha1 and v1alpha2.
    """
    reader = FieldReader()
    spec = resource.root.get("spec")
    is_v2 = resource.kind == "ClusterNetworkPolicy"
    known = ["subject", "ingress", "egress"]
    known += ["priority"] if resource.kind != "BaselineAdminNetworkPolicy" else []
    known += ["tier"] if is_v2 else []
    reader.mapping(spec, ("spec",), known)
    if resource.kind == "BaselineAdminNetworkPolicy" and resource.name != "default":
        reader.refuse(("metadata", "name"), "a BaselineAdminNetworkPolicy is only accepted under the name `default`")
    subject = _subject(reader, spec.get("subject") if spec is not None else None)
    return AdminPolicy(
        **attrs.asdict(resource, recurse=False),
        tier=_tier(reader, resource.kind, spec),
        priority=_priority(reader, resource.kind, spec),
        subject=subject,
        ingress=_rules(reader, resource.kind, spec, "ingress", "from"),
        egress=_rules(reader, resource.kind, spec, "egress", "to"),
        problems=tuple(reader.problems),
    )


def _tier(reader: FieldReader, kind: str, spec: Node | None) -> str:
    if kind != "ClusterNetworkPolicy":
        return ADMIN if kind == "AdminNetworkPolicy" else BASELINE
    tier = reader.text(spec.get("tier") if spec is not None else None, ("spec", "tier"))
    if tier not in (ADMIN, BASELINE):
        reader.refuse(("spec", "tier"), "`tier` is neither Admin nor Baseline; Admin is assumed")
    return tier if tier == BASELINE else ADMIN


def _priority(reader: FieldReader, kind: str, spec: Node | None) -> int:
    if kind == "BaselineAdminNetworkPolicy":
        return 0
    priority = integer_of(spec.get("priority") if spec is not None else None)
    if priority is None or not 0 <= priority <= LOWEST_PRIORITY:
        reader.refuse(("spec", "priority"), f"`priority` is not a number from 0 to {LOWEST_PRIORITY}")
    return LOWEST_PRIORITY if priority is None else priority


def _only_field(reader: FieldReader, node: Node | None, path: Path, known: tuple[str, ...]) -> str | None:
    if node is None or not reader.mapping(node, path, known):
        if node is None:
            reader.refuse(path, f"`{path[-1]}` is missing")
        return None
    given = [key for key, entry in node.entries.items() if entry.node.value is not None]
    if len(given) != 1:
        reader.refuse(path, f"exactly one of {', '.join(known)} is needed")
        return None
    return given[0]


def _subject(reader: FieldReader, node: Node | None) -> AdminSelector | None:
    path: Path = ("spec", "subject")
    field = _only_field(reader, node, path, ("namespaces", "pods"))
    return _selector(reader, node.get(field), (*path, field), field) if node is not None and field else None


def _selector(reader: FieldReader, node: Node | None, path: Path, field: str) -> AdminSelector | None:
    if field == "namespaces":
        namespaces = reader.selector(node, path)
        return AdminSelector(namespaces, None) if namespaces is not None else None
    if node is None or not reader.mapping(node, path, ("namespaceSelector", "podSelector")):
        return None
    before = len(reader.problems)
    namespaces = reader.selector(node.get("namespaceSelector"), (*path, "namespaceSelector"))
    pods = reader.selector(node.get("podSelector"), (*path, "podSelector"))
    if len(reader.problems) > before:
        return None
    return AdminSelector(namespaces or LabelSelector(), pods or LabelSelector())


def _rules(reader: FieldReader, kind: str, spec: Node | None, field: str, peer_field: str) -> tuple[AdminRule, ...]:
    path: Path = ("spec", field)
    items = reader.items(spec.get(field) if spec is not None else None, path)
    return tuple(_rule(reader, kind, item, (*path, index), peer_field) for index, item in enumerate(items or ()))


def _rule(reader: FieldReader, kind: str, node: Node, path: Path, peer_field: str) -> AdminRule:
    is_v2 = kind == "ClusterNetworkPolicy"
    ports_field = "protocols" if is_v2 else "ports"
    action = _action(reader, kind, node, path)
    name = reader.text(node.get("name"), (*path, "name"))
    if action is None or not reader.mapping(node, path, ("name", "action", peer_field, ports_field)):
        return AdminRule(action or ALLOW, (), (), name, path, is_understood=False)
    peers = reader.items(node.get(peer_field), (*path, peer_field))
    if not peers:
        reader.refuse(path, f"a rule needs at least one peer in `{peer_field}`")
        return AdminRule(action, (), (), name, path, is_understood=False)
    ports: tuple[AdminPort, ...] | None = None
    ports_node = node.get(ports_field)
    if ports_node is not None and ports_node.value is not None:
        items = reader.items(ports_node, (*path, ports_field))
        if not items:
            reader.refuse((*path, ports_field), f"`{ports_field}` is empty")
        read = _protocol if is_v2 else _port
        ports = tuple(read(reader, item, (*path, ports_field, index)) for index, item in enumerate(items or ()))
    is_egress = peer_field == "to"
    found = tuple(_peer(reader, item, (*path, peer_field, index), is_egress) for index, item in enumerate(peers))
    return AdminRule(action, found, ports, name, path)


def _action(reader: FieldReader, kind: str, node: Node, path: Path) -> str | None:
    words = {"Accept" if kind == "ClusterNetworkPolicy" else "Allow": ALLOW, "Deny": DENY}
    if kind != "BaselineAdminNetworkPolicy":
        words["Pass"] = PASS
    action = reader.text(node.get("action"), (*path, "action"))
    if action not in words:
        reader.refuse((*path, "action"), f"`action` is not one of {', '.join(words)}")
        return None
    return words[action]


def _peer(reader: FieldReader, node: Node, path: Path, is_egress: bool) -> AdminPeer:
    field = _only_field(reader, node, path, _PEER_FIELDS if is_egress else _PEER_FIELDS[:2])
    value = node.get(field) if field else None
    if field is None or value is None:
        return AdminPeer(path)
    inner = (*path, field)
    if field in ("namespaces", "pods"):
        return AdminPeer(path, selector=_selector(reader, value, inner, field))
    if field == "nodes":
        return AdminPeer(path, nodes=reader.selector(value, inner))
    before = len(reader.problems)
    items = reader.items(value, inner) or []
    texts = [reader.text(item, (*inner, index)) for index, item in enumerate(items)]
    if not items and len(reader.problems) == before:
        reader.refuse(inner, f"`{field}` is empty")
    if field == "domainNames":
        reader.refuse(inner, "which addresses a domain name stands for is not known from manifests")
        return AdminPeer(path, domain_names=tuple(text for text in texts if text))
    networks = AddressSet()
    for index, text in enumerate(texts):
        if text is not None:
            networks |= cidr(reader, text, (*inner, index))
    return AdminPeer(path, networks=networks if len(reader.problems) == before else None)


def _port(reader: FieldReader, node: Node, path: Path) -> AdminPort:
    field = _only_field(reader, node, path, ("portNumber", "portRange", "namedPort"))
    value = node.get(field) if field else None
    if value is None:
        return AdminPort(path)
    if field == "namedPort":
        return AdminPort(path, name=reader.text(value, (*path, field)))
    inner = (*path, str(field))
    fields = ("protocol", "port") if field == "portNumber" else ("protocol", "start", "end")
    if not reader.mapping(value, inner, fields):
        return AdminPort(path)
    protocol = reader.text(value.get("protocol"), (*inner, "protocol")) or "TCP"
    if protocol not in PROTOCOLS:
        reader.refuse((*inner, "protocol"), f"protocol `{protocol}` is not one of {', '.join(PROTOCOLS)}")
        return AdminPort(path)
    return _span(reader, value, path, inner, protocol, fields[1], fields[-1])


def _protocol(reader: FieldReader, node: Node, path: Path) -> AdminPort:
    field = _only_field(reader, node, path, ("tcp", "udp", "sctp", "destinationNamedPort"))
    value = node.get(field) if field else None
    if field is None or value is None:
        return AdminPort(path)
    if field == "destinationNamedPort":
        return AdminPort(path, name=reader.text(value, (*path, field)))
    inner: Path = (*path, field, "destinationPort")
    if not reader.mapping(value, (*path, field), ("destinationPort",)):
        return AdminPort(path)
    port = value.get("destinationPort")
    form = _only_field(reader, port, inner, ("number", "range"))
    if port is None or form is None:
        return AdminPort(path)
    if form == "number":
        return _span(reader, port, path, inner, field.upper(), "number", "number")
    bounds = port.at("range")
    if not reader.mapping(bounds, (*inner, "range"), ("start", "end")):
        return AdminPort(path)
    span = _span(reader, bounds, path, (*inner, "range"), field.upper(), "start", "end")
    if span.first is not None and span.first == span.last:
        reader.refuse((*inner, "range"), f"the port range starts and ends at {span.first}, so the policy is rejected")
        return AdminPort(path)
    return span


def _span(
    reader: FieldReader, node: Node, path: Path, inner: Path, protocol: str, first_field: str, last_field: str
) -> AdminPort:
    first = port_number_or_name(reader, node.get(first_field), (*inner, first_field))
    last = port_number_or_name(reader, node.get(last_field), (*inner, last_field))
    if not isinstance(first, int) or not isinstance(last, int):
        reader.refuse(inner, f"`{first_field}` and `{last_field}` have to be port numbers")
        return AdminPort(path)
    if last < first:
        reader.refuse(inner, f"the port range is empty: it ends at {last}, before it starts at {first}")
        return AdminPort(path)
    return AdminPort(path, protocol, first, last)
