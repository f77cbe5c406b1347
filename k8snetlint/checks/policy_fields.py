"""Fields of NetworkPolicies that the API server refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8snetlint.algebra.addresses import BITS, Address, AddressSet
from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.source.tree import Node, Path

from .container_ports import PROTOCOLS, port_name_fault
from .labels import selector_faults

_STRICT_CIDRS_SINCE = (1, 36)
_DIRECTIONS = (("ingress", "from"), ("egress", "to"))


class Part(NamedTuple):
    """A mapping inside a policy, and its path."""

    node: Node
    path: Path


def peers(policy: NetworkPolicy) -> Iterator[Part]:
    """The entries of `from` and `to` as written."""
    return _parts(policy, None)


def ports(policy: NetworkPolicy) -> Iterator[Part]:
    """The entries of `ports` as written."""
    return _parts(policy, "ports")


def _parts(policy: NetworkPolicy, field: str | None) -> Iterator[Part]:
    for direction, peer_field in _DIRECTIONS:
        name = field or peer_field
        for index, rule in enumerate(items_of(policy.root.get("spec", direction))):
            for position, node in enumerate(items_of(rule.get(name))):
                yield Part(node, ("spec", direction, index, name, position))


def _blocks(policy: NetworkPolicy) -> Iterator[Part]:
    for peer in peers(policy):
        block = peer.node.get("ipBlock")
        if block is not None and block.is_mapping:
            yield Part(block, (*peer.path, "ipBlock"))


def _cidrs(policy: NetworkPolicy) -> Iterator[tuple[str, Path]]:
    for block in _blocks(policy):
        text = text_of(block.node.get("cidr"))
        if text is not None and not is_placeholder(text):
            yield text, (*block.path, "cidr")
        for index, item in enumerate(items_of(block.node.get("except"))):
            text = text_of(item)
            if text is not None and not is_placeholder(text):
                yield text, (*block.path, "except", index)


def _network(text: str) -> AddressSet | None:
    try:
        return AddressSet.cidr(text)
    except ValueError:
        return None


@check("NP008")
def peer_invalid(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A peer that names nobody, or an ipBlock together with selectors."""
    for peer in peers(policy):
        if peer.node.value is not None and not peer.node.is_mapping:
            continue
        given = {field for field in ("podSelector", "namespaceSelector", "ipBlock") if _is_given(peer.node, field)}
        if not given:
            if peer.node.entries and not all(entry.node.value is None for entry in peer.node.entries.values()):
                continue
            yield ctx.report(
                policy,
                *peer.path,
                message=f"peer of `{policy.name}` is empty, so the policy is rejected",
                help="name a podSelector, a namespaceSelector or an ipBlock; for everybody, leave the list out",
            )
        elif "ipBlock" in given and len(given) > 1:
            other = "podSelector" if "podSelector" in given else "namespaceSelector"
            yield ctx.report(
                policy,
                *peer.path,
                "ipBlock",
                key=True,
                message=f"a peer of `{policy.name}` holds ipBlock and {other}, so the policy is rejected",
                related=[ctx.location(policy, *peer.path, other, key=True, label="in the same peer")],
                help="make them two entries of the list: either of them then admits traffic",
            )


def _is_given(node: Node, field: str) -> bool:
    value = node.get(field)
    return value is not None and value.value is not None


@check("NP009")
def cidr_invalid(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An ipBlock without a CIDR, or a text that is none."""
    for block in _blocks(policy):
        cidr = block.node.get("cidr")
        if cidr is None or cidr.value in (None, ""):
            yield ctx.report(
                policy,
                *block.path,
                key=True,
                message=f"an ipBlock of `{policy.name}` has no `cidr`, so the policy is rejected",
                help="add `cidr` with the block of addresses; `except` only takes addresses away from it",
            )
    for text, path in _cidrs(policy):
        if (not text and path[-1] == "cidr") or _network(text) is not None:
            continue
        whole = single_address(text)
        yield ctx.report(
            policy,
            *path,
            message=f"`{text}` is not a CIDR, so `{policy.name}` is rejected"
            + (f"; did you mean `{whole}`?" if whole else ""),
            help="write an address, a slash and the length of its prefix, such as 192.0.2.0/24",
            fix=ctx.fix(f"Write `{whole}`", ctx.replace(policy, *path, text=whole)) if whole else None,
        )


def single_address(text: str) -> str | None:
    """The block of an address alone, where a text is an address without a prefix."""
    try:
        address = Address.parse(text)
    except ValueError:
        return None
    return f"{text}/{BITS[address.version]}"


@check("NP010")
def cidr_host_bits(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A CIDR whose address is not the first of its block, or that is not written in the usual form."""
    is_strict = ctx.settings.kube_version >= _STRICT_CIDRS_SINCE
    for text, path in _cidrs(policy):
        network = _network(text)
        if network is None:
            continue
        canonical = network.cidr_texts()[0]
        if _is_canonical(text, network):
            continue
        consequence = "Kubernetes 1.36 and newer reject it" if is_strict else f"it is read as {canonical}"
        yield ctx.report(
            policy,
            *path,
            message=f"`{text}` of `{policy.name}` has host bits or is not in its usual form: {consequence}",
            severity=None if is_strict else Severity.WARNING,
            help=f"write {canonical}, or a longer prefix if only this address is meant",
            fix=ctx.fix(f"Write `{canonical}`", ctx.replace(policy, *path, text=canonical)),
        )


def _is_canonical(text: str, network: AddressSet) -> bool:
    host, _, length = text.partition("/")
    address = Address.parse(host)
    version, first, last = next(network.ranges())
    if (address.version, address.value) != (version, first):
        return False
    if version == 4:
        return host == str(address) and length == str(32 - (last - first).bit_length())
    return length == str(128 - (last - first).bit_length())


@check("NP011")
def except_outside_cidr(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An exception that is no strict part of its block."""
    for block in _blocks(policy):
        text = text_of(block.node.get("cidr"))
        whole = _network(text) if text is not None and not is_placeholder(text) else None
        if whole is None:
            continue
        for index, item in enumerate(items_of(block.node.get("except"))):
            exception = text_of(item)
            part = _network(exception) if exception is not None and not is_placeholder(exception) else None
            if part is None or (part <= whole and part != whole):
                continue
            fault = "covers all of" if whole <= part else "lies outside of"
            yield ctx.report(
                policy,
                *block.path,
                "except",
                index,
                message=f"exception `{exception}` of `{policy.name}` {fault} `{text}`, so the policy is rejected",
                related=[ctx.location(policy, *block.path, "cidr", label="of this block")],
                help="name a part of the block in `except`, or leave it out: what no peer names is not allowed anyway",
            )


@check("NP013")
def port_invalid(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port or protocol that the API server refuses."""
    for entry in ports(policy):
        protocol = text_of(entry.node.get("protocol"))
        if protocol is not None and protocol not in PROTOCOLS and not is_placeholder(protocol):
            upper = protocol.upper()
            fix = None
            if upper in PROTOCOLS:
                fix = ctx.fix(f"Write `{upper}`", ctx.replace(policy, *entry.path, "protocol", text=upper))
            hint = f"did you mean `{upper}`?" if upper in PROTOCOLS else "valid are TCP, UDP and SCTP"
            yield ctx.report(
                policy,
                *entry.path,
                "protocol",
                message=f"protocol `{protocol}` of `{policy.name}` is rejected; {hint}",
                help="write TCP, UDP or SCTP in capitals; a policy cannot speak of ICMP or other protocols",
                fix=fix,
            )
        yield from _number_or_name(policy, entry, ctx)


def _number_or_name(policy: NetworkPolicy, entry: Part, ctx: Context) -> Iterator[Diagnostic]:
    node = entry.node.get("port")
    value = node.value if node is not None else None
    path = (*entry.path, "port")
    if type(value) is int and not 1 <= value <= 65535:
        yield ctx.report(
            policy,
            *path,
            message=f"port {value} of `{policy.name}` is no port number, so the policy is rejected",
            help="use a number from 1 to 65535; for every port, leave `port` out",
        )
    elif isinstance(value, str) and not is_placeholder(value):
        fault = port_name_fault(value)
        if fault is None:
            return
        number = value if value.isdecimal() and 1 <= int(value) <= 65535 else None
        hint = f"; remove the quotes of {number}" if number else f": {fault}"
        yield ctx.report(
            policy,
            *path,
            message=f"`{value}` of `{policy.name}` is no port name, so the policy is rejected{hint}",
            help="write a number without quotes, or the name of a container port",
            fix=ctx.fix(f"Write {number}", ctx.replace(policy, *path, text=number)) if number else None,
        )


@check("NP014")
def end_port_invalid(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An endPort that makes no range with its port."""
    for entry in ports(policy):
        node = entry.node.get("endPort")
        if node is None or type(node.value) is not int:
            continue
        end = node.value
        start_node = entry.node.get("port")
        start = start_node.value if start_node is not None else None
        path = (*entry.path, "endPort")
        if isinstance(start, str) and is_placeholder(start):
            continue
        related = []
        if start_node is not None and start is not None:
            related = [ctx.location(policy, *entry.path, "port", label="range starts here")]
        if start is None:
            fault, remedy = "it has no `port` to start from", "add `port`, the first port of the range"
        elif isinstance(start, str):
            fault, remedy = f"its port is the name `{start}`", "write the number of the port, or remove endPort"
        elif not 1 <= end <= 65535:
            fault, remedy = f"{end} is no port number", "use a number from 1 to 65535"
        elif isinstance(start, int) and end < start:
            fault = f"it ends at {end}, before it starts at {start}"
            remedy = f"swap the two values, or remove endPort to allow port {start} only"
        else:
            continue
        yield ctx.report(
            policy,
            *path,
            message=f"a port range of `{policy.name}` is rejected: {fault}",
            related=related,
            help=remedy,
        )


@check("NP021")
def policy_types_invalid(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A policy type other than Ingress and Egress, or more than two."""
    path: Path = ("spec", "policyTypes")
    items = items_of(policy.root.get(*path))
    for index, item in enumerate(items):
        text = text_of(item) if item.value is not None else ""
        if text is None or text in ("Ingress", "Egress") or is_placeholder(text):
            continue
        near = text.capitalize() if text.capitalize() in ("Ingress", "Egress") else None
        yield ctx.report(
            policy,
            *path,
            index,
            message=f"policy type `{text}` of `{policy.name}` is rejected; "
            + (f"did you mean `{near}`?" if near else "valid are Ingress and Egress"),
            help="list Ingress, Egress or both",
            fix=ctx.fix(f"Write `{near}`", ctx.replace(policy, *path, index, text=near)) if near else None,
        )
    if len(items) > 2:
        yield ctx.report(
            policy,
            *path,
            key=True,
            message=f"`{policy.name}` lists {len(items)} policy types, and more than two are rejected",
            help="list Ingress, Egress or both, each once",
        )


@check("NP040")
def selector_invalid(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A selector that the API server refuses."""
    spots: list[tuple[Node | None, Path]] = [(policy.root.get("spec", "podSelector"), ("spec", "podSelector"))]
    for peer in peers(policy):
        for field in ("podSelector", "namespaceSelector"):
            spots.append((peer.node.get(field), (*peer.path, field)))
    for node, path in spots:
        for place, is_key, fault in selector_faults(node, path):
            yield ctx.report(
                policy,
                *place,
                key=is_key,
                message=f"a selector of `{policy.name}` is rejected: {fault}",
                help="correct the expression, so that the API server accepts the policy",
            )
