"""Fields of admin policies that the API server refuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.adminpolicy import LOWEST_PRIORITY, AdminPolicy
from k8snetlint.model.values import is_placeholder, items_of, name_of, text_of
from k8snetlint.source.tree import Node, Path

from .container_ports import PROTOCOLS
from .policy_fields import single_address

CLUSTER_NETWORK_POLICY, BASELINE_POLICY = "ClusterNetworkPolicy", "BaselineAdminNetworkPolicy"
_INSIDE = ("namespaces", "pods")
_OUTSIDE = ("networks", "nodes", "domainNames")
_PORT_FORMS = ("portNumber", "portRange", "namedPort")
_PROTOCOL_FORMS = ("tcp", "udp", "sctp", "destinationNamedPort")
_FIRST_PORT, _LAST_PORT = 1, 65535


class Rule(NamedTuple):
    """A rule as written. `peers` is `from` or `to`, `ports` the field of its ports."""

    node: Node
    path: Path
    peers: str
    ports: str

    def entries(self, field: str) -> Iterator[tuple[Node, Path]]:
        """The items of one of its lists, with their paths."""
        for index, item in enumerate(items_of(self.node.get(field))):
            yield item, (*self.path, field, index)


def rules(policy: AdminPolicy) -> Iterator[Rule]:
    """The rules of a policy, ingress first."""
    ports = "protocols" if policy.kind == CLUSTER_NETWORK_POLICY else "ports"
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, node in enumerate(items_of(policy.root.get("spec", direction))):
            if node.is_mapping:
                yield Rule(node, ("spec", direction, index), peers, ports)


def _given(node: Node | None) -> list[str]:
    """The fields of a mapping that hold a value."""
    if node is None or not node.is_mapping:
        return []
    return [key for key, entry in node.entries.items() if entry.node.value is not None]


@check("ANP002")
def priority_invalid(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A priority that is not there, or out of range."""
    node = policy.root.get("spec", "priority")
    if policy.root.get("spec") is None:
        return
    if node is None or node.value is None:
        yield ctx.report(
            policy,
            primary=ctx.near(policy, "spec", "priority"),
            message=f"`{policy.name}` has no priority, so it is rejected",
            help=f"add `priority`, a number from 0, which comes first, to {LOWEST_PRIORITY}",
        )
    elif type(node.value) is int and not 0 <= node.value <= LOWEST_PRIORITY:
        yield ctx.report(
            policy,
            "spec",
            "priority",
            message=f"priority {node.value} of `{policy.name}` is out of range, so it is rejected",
            help=f"use a number from 0, which comes first, to {LOWEST_PRIORITY}",
        )


@check("ANP003")
def subject_invalid(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A subject or peer that is not exactly one thing."""
    spec = policy.root.get("spec")
    if spec is None:
        return
    subject = spec.get("subject")
    yield from _one_of(policy, ctx, subject, ("spec", "subject"), _INSIDE, "the subject")
    if "pods" in _given(subject) and not is_set(policy.root.get("spec", "subject", "pods", "podSelector")):
        yield ctx.report(
            policy,
            primary=ctx.near(policy, "spec", "subject", "pods", "podSelector"),
            message=f"the subject of `{policy.name}` has `pods` without `podSelector`, so the policy is rejected",
            help="add a podSelector; an empty one selects every pod of the namespaces",
        )
    for rule in rules(policy):
        known = _INSIDE if rule.peers == "from" else (*_INSIDE, *_OUTSIDE)
        for node, path in rule.entries(rule.peers):
            yield from _one_of(policy, ctx, node, path, known, "a peer")


def is_set(node: Node | None) -> bool:
    """Whether a field is there and not null."""
    return node is not None and node.value is not None


def _one_of(
    policy: AdminPolicy, ctx: Context, node: Node | None, path: Path, known: Iterable[str], what: str
) -> Iterator[Diagnostic]:
    if node is not None and node.value is not None and not node.is_mapping:
        return
    given = _given(node)
    chosen = [field for field in given if field in known]
    foreign = [field for field in given if field in _OUTSIDE and field not in known]
    if foreign:
        yield ctx.report(
            policy,
            *path,
            foreign[0],
            key=True,
            message=f"{what} of `{policy.name}` cannot be `{foreign[0]}`, so the policy is rejected",
            help="ingress comes from `namespaces` or `pods` only; what is outside of the cluster cannot be named there",
        )
    elif len(chosen) > 1:
        yield ctx.report(
            policy,
            *path,
            chosen[1],
            key=True,
            message=f"{what} of `{policy.name}` holds {' and '.join(chosen)}, so the policy is rejected",
            related=[ctx.location(policy, *path, chosen[0], key=True, label="the other one")],
            help="keep one of them; `pods` selects by the labels of namespaces and of pods",
        )
    elif not chosen:
        is_written = node is not None and policy.root.get(*path) is not None
        yield ctx.report(
            policy,
            *(path if is_written else ()),
            primary=None if is_written else ctx.near(policy, *path),
            message=f"{what} of `{policy.name}` names nobody, so the policy is rejected",
            help=f"give it one of {', '.join(known)}; `namespaces: {{}}` is every pod of the cluster",
        )


@check("ANP004")
def rule_without_peers(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A rule that names no peers."""
    for rule in rules(policy):
        node = rule.node.get(rule.peers)
        if node is not None and node.value is not None and (not node.is_sequence or node.items):
            continue
        yield ctx.report(
            policy,
            *rule.path,
            *((rule.peers,) if node is not None else ()),
            key=node is not None,
            message=f"a rule of `{policy.name}` has no peers in `{rule.peers}`, so the policy is rejected",
            help="for every pod write `- namespaces: {}`"
            + ("; for addresses, `- networks: [0.0.0.0/0, ::/0]`" if rule.peers == "to" else ""),
        )


@check("ANP005")
def action_invalid(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An action that the kind does not have."""
    allow, other = ("Accept", "Allow") if policy.kind == CLUSTER_NETWORK_POLICY else ("Allow", "Accept")
    known = (allow, "Deny") if policy.kind == BASELINE_POLICY else (allow, "Deny", "Pass")
    article = "an " if policy.kind.startswith("A") else "a "
    for rule in rules(policy):
        node = rule.node.get("action")
        action = name_of(node) if node is not None else None
        if node is None or node.value is None:
            yield ctx.report(
                policy,
                *rule.path,
                message=f"a rule of `{policy.name}` has no action, so the policy is rejected",
                help=f"add `action`: {', '.join(known)}",
            )
        elif action is None:
            yield ctx.report(
                policy,
                *rule.path,
                "action",
                message=f"the action of a rule of `{policy.name}` is not a word, so the policy is rejected",
                help=f"use one of {', '.join(known)}",
            )
        elif action not in known and not is_placeholder(action):
            meant = allow if action == other else next((word for word in known if word.lower() == action.lower()), None)
            fix = ctx.fix(f"Write `{meant}`", ctx.replace(policy, *rule.path, "action", text=meant)) if meant else None
            hint = f"; did you mean `{meant}`?" if meant else f"; valid are {', '.join(known)}"
            yield ctx.report(
                policy,
                *rule.path,
                "action",
                message=f"`{action}` is no action of {article}{policy.kind}, so `{policy.name}` is rejected{hint}",
                help="in the baseline tier there is nothing to pass on to"
                if action == "Pass"
                else f"use one of {', '.join(known)}",
                fix=fix,
            )


@check("ANP006")
def port_invalid(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port that is not exactly one thing, or none at all."""
    is_v2 = policy.kind == CLUSTER_NETWORK_POLICY
    forms, others = (_PROTOCOL_FORMS, _PORT_FORMS) if is_v2 else (_PORT_FORMS, _PROTOCOL_FORMS)
    for rule in rules(policy):
        ports = rule.node.get(rule.ports)
        if ports is not None and ports.is_sequence and not ports.items:
            yield ctx.report(
                policy,
                *rule.path,
                rule.ports,
                key=True,
                message=f"`{rule.ports}` of a rule of `{policy.name}` is empty, so the policy is rejected",
                help="leave it out for every port and protocol",
            )
        for node, path in rule.entries(rule.ports):
            if not node.is_mapping and node.value is not None:
                continue
            given = _given(node)
            chosen = [form for form in given if form in forms]
            if len(chosen) == 1:
                yield from _form(policy, ctx, node, path, chosen[0])
            elif chosen or not given or given[0] in others:
                spot = chosen[1:2] or given[:1]
                says = f"holds {' and '.join(chosen)}" if chosen else "is empty"
                if given and not chosen:
                    says = f"is `{given[0]}`, which only the other version of the API has"
                yield ctx.report(
                    policy,
                    *path,
                    *spot,
                    key=bool(spot),
                    message=f"an entry of `{rule.ports}` of `{policy.name}` {says}, so the policy is rejected",
                    help=f"give each entry one of {', '.join(forms)}",
                )


def _form(policy: AdminPolicy, ctx: Context, node: Node, path: Path, form: str) -> Iterator[Diagnostic]:
    value = node.at(form)
    inner: Path = (*path, form)
    if form in ("tcp", "udp", "sctp"):
        if value.is_mapping and not _given(value):
            yield ctx.report(
                policy,
                *inner,
                key=True,
                message=f"`{form}` of `{policy.name}` has no destinationPort, so the policy is rejected",
                help="for the whole protocol write the range from 1 to 65535",
            )
            return
        port = value.get("destinationPort") if value.is_mapping else None
        inner = (*inner, "destinationPort")
        if port is None or not port.is_mapping:
            return
        chosen = [each for each in _given(port) if each in ("number", "range")]
        if len(chosen) != 1:
            says = "number and range" if chosen else "neither number nor range"
            yield ctx.report(
                policy,
                *inner,
                key=True,
                message=f"a destinationPort of `{policy.name}` has {says}, so the policy is rejected",
                help="give it either `number` or `range`",
            )
        elif chosen[0] == "number":
            yield from _number(policy, ctx, port.get("number"), (*inner, "number"))
        else:
            yield from _range(policy, ctx, port.get("range"), (*inner, "range"), None)
        return
    if not value.is_mapping:
        return
    yield from _protocol(policy, ctx, value, inner)
    if form == "portNumber":
        yield from _number(policy, ctx, value.get("port"), (*inner, "port"))
    else:
        yield from _range(policy, ctx, value, inner, Severity.WARNING)


def _protocol(policy: AdminPolicy, ctx: Context, node: Node, path: Path) -> Iterator[Diagnostic]:
    protocol = text_of(node.get("protocol"))
    if protocol is not None and protocol not in PROTOCOLS and not is_placeholder(protocol):
        yield ctx.report(
            policy,
            *path,
            "protocol",
            message=f"protocol `{protocol}` of `{policy.name}` is none that policies know, so the entry matches nothing",
            severity=Severity.WARNING,
            help=f"use one of {', '.join(PROTOCOLS)}",
        )


def _number(policy: AdminPolicy, ctx: Context, node: Node | None, path: Path) -> Iterator[Diagnostic]:
    if node is not None and type(node.value) is int and not _FIRST_PORT <= node.value <= _LAST_PORT:
        yield ctx.report(
            policy,
            *path,
            message=f"port {node.value} of `{policy.name}` is no port number, so the policy is rejected",
            help="use a number from 1 to 65535",
        )


def _range(
    policy: AdminPolicy, ctx: Context, node: Node | None, path: Path, severity: Severity | None
) -> Iterator[Diagnostic]:
    """`severity` is of a range that ends before it starts: only v1alpha2 rejects it."""
    start, end = (node.get(field) if node is not None else None for field in ("start", "end"))
    yield from _number(policy, ctx, start, (*path, "start"))
    yield from _number(policy, ctx, end, (*path, "end"))
    if start is None or end is None or type(start.value) is not int or type(end.value) is not int:
        return
    if end.value > start.value:
        return
    is_single = end.value == start.value
    consequence = "so the policy is rejected" if severity is None else "so it matches nothing"
    if severity is not None and is_single:
        consequence = "where the API asks for an end above the start"
    yield ctx.report(
        policy,
        *path,
        "end",
        message=f"a port range of `{policy.name}` starts at {start.value} and ends at {end.value}, {consequence}",
        severity=severity,
        help="name a single port by its number" if is_single else "exchange the two, if both belong to the range",
    )


@check("ANP007")
def network_invalid(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An entry of `networks` that is no CIDR."""
    for rule in rules(policy):
        for peer, path in rule.entries(rule.peers):
            networks = peer.get("networks")
            if networks is not None and networks.is_sequence and not networks.items:
                yield ctx.report(
                    policy,
                    *path,
                    "networks",
                    key=True,
                    message=f"`networks` of `{policy.name}` is empty, so the policy is rejected",
                    help="list at least one block of addresses, or remove the peer",
                )
            for index, node in enumerate(items_of(networks)):
                text = text_of(node)
                if text is None or is_placeholder(text) or _is_network(text):
                    continue
                whole = single_address(text)
                where = (*path, "networks", index)
                yield ctx.report(
                    policy,
                    *where,
                    message=f"`{text}` is not a CIDR, so `{policy.name}` is rejected"
                    + (f"; did you mean `{whole}`?" if whole else ""),
                    help="write an address, a slash and the length of its prefix, such as 192.0.2.0/24",
                    fix=ctx.fix(f"Write `{whole}`", ctx.replace(policy, *where, text=whole)) if whole else None,
                )


def _is_network(text: str) -> bool:
    try:
        AddressSet.cidr(text)
    except ValueError:
        return False
    return True


@check("ANP014")
def named_port_to_external(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port by name towards what has no named ports."""
    for rule in rules(policy):
        outside = [
            (*path, field)
            for peer, path in rule.entries(rule.peers)
            for field in _given(peer)
            if rule.peers == "to" and field in _OUTSIDE
        ]
        for node, path in rule.entries(rule.ports) if outside else ():
            form = next((field for field in _given(node) if field in ("namedPort", "destinationNamedPort")), None)
            if form is None:
                continue
            yield ctx.report(
                policy,
                *path,
                form,
                message=f"a port by name in a rule to `{outside[0][-1]}` of `{policy.name}`: only pods have named ports",
                related=[ctx.location(policy, *outside[0], key=True, label="has no named ports")],
                help="give the number of the port, or make it a rule of its own for the pods",
            )
