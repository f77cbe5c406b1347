"""Ports of NetworkPolicies against the ports of the pods they are about."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from k8snetlint.diagnostic import Confidence, Diagnostic, Fix
from k8snetlint.engine import Context, check
from k8snetlint.model.core import LabelSelector
from k8snetlint.model.networkpolicy import NetworkPolicy, NetworkPolicyPort, NetworkPolicyRule
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.model.workloads import Workload
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Span

from .policy_selectors import peer_workloads, policies_by_namespace
from .words import listed

_DNS_PORT = 53


def selected_pods(policy: NetworkPolicy, ctx: Context) -> tuple[Workload, ...]:
    """The workloads that a policy selects; none where that is not known."""
    selector = policy.pod_selector
    if selector is None:
        return ()
    return ctx.cluster.selected_workloads(policy.namespace, selector)


def _destinations(
    policy: NetworkPolicy, ctx: Context
) -> Iterator[tuple[NetworkPolicyRule, NetworkPolicyPort, tuple[Workload, ...], bool]]:
    """Every understood port with the workloads whose ports it means, and whether the rule is for ingress."""
    selected = selected_pods(policy, ctx)
    for rule in policy.ingress:
        for port in rule.ports:
            if port.is_understood:
                yield rule, port, selected, True
    for rule in policy.egress:
        if not rule.ports or not rule.peers or any(not p.is_understood or p.ip_block for p in rule.peers):
            continue
        if any(peer.namespace_selector is not None and peer.namespace_selector.is_empty for peer in rule.peers):
            continue
        pods = tuple(dict.fromkeys(item for peer in rule.peers for item in peer_workloads(peer, policy, ctx)))
        for port in rule.ports:
            if port.is_understood:
                yield rule, port, pods, False


def _known(workloads: tuple[Workload, ...]) -> list[Workload]:
    return [item for item in workloads if item.containers and not item.is_synthetic]


@check("NP015")
def named_port_undefined(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port name that no pod in question declares."""
    for _, port, workloads, is_ingress in _destinations(policy, ctx):
        name = port.port
        pods = _known(workloads)
        if not isinstance(name, str) or name.isdigit() or not pods:
            continue
        declared = [entry for pod in pods for entry in pod.ports if entry.name]
        if any(entry.name == name and entry.protocol == port.protocol for entry in declared):
            continue
        if any(is_placeholder(entry.name) for entry in declared):
            continue
        names = sorted({str(entry.name) for entry in declared})
        others = sorted({entry.protocol for entry in declared if entry.name == name})
        near = get_close_matches(name, names, 1) if not others else []
        if others:
            detail = f"it is declared for {' and '.join(others)}, and the rule is for {port.protocol}"
        elif near:
            detail = f"did you mean `{near[0]}`?"
        else:
            detail = f"they declare {listed(names)}" if names else "they declare no named port"
        whose = f"no pod that `{policy.name}` selects" if is_ingress else f"no peer of `{policy.name}` in sight"
        path = (*port.path, "port")
        yield ctx.report(
            policy,
            *path,
            message=f"{whose} declares a port named `{name}`, so the rule opens nothing; {detail}",
            confidence=None if is_ingress else Confidence.MEDIUM,
            help="name a port that these containers declare, or write its number",
            fix=ctx.fix(f"Use the declared port `{near[0]}`", ctx.replace(policy, *path, text=near[0]))
            if near
            else None,
        )


@check("NP016")
def named_port_to_address(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port name in an egress rule to addresses."""
    for rule in policy.egress:
        blocks = [peer for peer in rule.peers if peer.ip_block is not None]
        if len(blocks) < len(rule.peers):
            continue
        for port in rule.ports:
            if not isinstance(port.port, str) or not port.is_understood:
                continue
            if blocks:
                detail = "addresses have no port names, so the rule opens nothing"
            else:
                detail = "the rule is for every destination, but only pods that declare the name are reached"
            yield ctx.report(
                policy,
                *port.path,
                "port",
                message=f"`{policy.name}` names port `{port.port}` in an egress rule without pods; {detail}",
                confidence=None if blocks else Confidence.MEDIUM,
                help="write the number of the port",
            )


def _targets(service: Service, number: int, protocol: str, pods: list[Workload]) -> set[int]:
    """The pod ports that a Service's port of a number leads to; empty if one is not known."""
    found: set[int] = set()
    for port in service.ports:
        if port.number != number or port.protocol != protocol:
            continue
        if isinstance(port.target, str):
            numbers = {pod.named_port(port.target, protocol) for pod in pods}
            if None in numbers:
                return set()
            found |= {item for item in numbers if item is not None}
        else:
            found.add(port.target or number)
    return found


class UsedServicePort(NamedTuple):
    """An entry of a rule's ports that names the port of a Service: its position there, and the pods' port behind it."""

    port: NetworkPolicyPort
    service: Service
    position: int
    target: int
    is_ingress: bool


def used_service_ports(policy: NetworkPolicy, ctx: Context) -> Iterator[UsedServicePort]:
    """The numbers of a policy that are the port of a Service, where the port of its pods is meant."""
    for rule, port, workloads, is_ingress in _destinations(policy, ctx):
        number, pods = port.port, _known(workloads)
        if not isinstance(number, int) or port.end_port is not None or not pods:
            continue
        if any(entry.number == number for pod in pods for entry in pod.ports) or mentions(pods, number):
            continue
        found = _service_of(policy, pods, number, port.protocol, ctx)
        if found is None:
            continue
        service, position, target = found
        if not any(_opens(other, target, port.protocol) for other in rule.ports):
            yield UsedServicePort(port, service, position, target, is_ingress)


@check("NP017")
def service_port_used(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """The port of a Service where the port of its pods is meant."""
    for port, service, position, target, is_ingress in used_service_ports(policy, ctx):
        path = (*port.path, "port")
        whose = "the pods it selects listen" if is_ingress else "its peers listen"
        yield ctx.report(
            policy,
            *path,
            message=(
                f"{port.port} is the port of Service `{service.name}`, but {whose} on {target}: policies see the port of"
                f" the pod, so `{policy.name}` does not open it"
            ),
            related=[ctx.location(service, "spec", "ports", position, label=f"leads to {target}")],
            help=f"write {target}, the port of the pods",
            fix=ctx.fix(f"Write {target}", ctx.replace(policy, *path, text=str(target))),
        )


def _service_of(
    policy: NetworkPolicy, pods: list[Workload], number: int, protocol: str, ctx: Context
) -> tuple[Service, int, int] | None:
    """The Service in front of pods whose port has a number and leads to another: it, the port's position, the target.

    None too where some Service leads to the number itself.
    """
    result: tuple[Service, int, int] | None = None
    for namespace in dict.fromkeys(pod.namespace for pod in pods):
        for service in ctx.cluster.services_in(namespace):
            backends = [pod for pod in ctx.cluster.backends(service) if pod in pods]
            if not backends:
                continue
            if any(number in _targets(service, p.number, protocol, backends) for p in service.ports if p.number):
                return None
            targets = _targets(service, number, protocol, backends)
            if len(targets) == 1 and len(backends) == len(pods) and result is None:
                position = next(i for i, p in enumerate(service.ports) if p.number == number)
                result = service, position, targets.pop()
    return result


def _is_target(pods: list[Workload], number: int, protocol: str, ctx: Context) -> bool:
    """Whether a Service leads to a port of pods by its number: whether something listens there is its matter."""
    for namespace in dict.fromkeys(pod.namespace for pod in pods):
        for service in ctx.cluster.services_in(namespace):
            leads = any((port.effective_target, port.protocol) == (number, protocol) for port in service.ports)
            if leads and any(pod in pods for pod in ctx.cluster.backends(service)):
                return True
    return False


def _is_door(pods: list[Workload], number: int, protocol: str, ctx: Context) -> bool:
    """Whether clients dial a number to get into pods: PORT022 and NP041 say what policies make of it."""
    if any((port.host_port, port.protocol) == (number, protocol) for pod in pods for port in pod.ports):
        return True
    return any(
        port.protocol == protocol and number in (port.number, port.node_port)
        for namespace in dict.fromkeys(pod.namespace for pod in pods)
        for service in ctx.cluster.services_in(namespace)
        if any(pod in pods for pod in ctx.cluster.backends(service))
        for port in service.ports
    )


def _opens(port: NetworkPolicyPort, number: int, protocol: str) -> bool:
    if port.protocol != protocol or not port.is_understood or isinstance(port.port, str):
        return port.protocol == protocol and isinstance(port.port, str)
    return port.port is None or port.port <= number <= (port.end_port or port.port)


def mentions(pods: list[Workload], number: int) -> bool:
    """Whether arguments, variables or probes of pods speak of a number: they may listen there without declaring it."""
    text = str(number)
    for pod in pods:
        for container in pod.running_containers:
            if any(probe.port == number for probe in container.probes):
                return True
            for field in ("command", "args"):
                if any(text in (text_of(item) or "") for item in items_of(container.node.get(field))):
                    return True
            if any(text in (text_of(item.get("value")) or "") for item in items_of(container.node.get("env"))):
                return True
    return False


@check("NP018")
def port_not_exposed(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port that the selected pods do not declare, though they declare others."""
    selector = policy.pod_selector
    if selector is None or selector.is_empty:
        return
    for _, port, workloads, is_ingress in _destinations(policy, ctx):
        number, pods = port.port, _known(workloads)
        if not is_ingress or not isinstance(number, int) or port.end_port is not None or not pods:
            continue
        if not all(any(entry.protocol == port.protocol for entry in pod.ports) for pod in pods):
            continue
        if any(entry.number == number for pod in pods for entry in pod.ports) or mentions(pods, number):
            continue
        if _service_of(policy, pods, number, port.protocol, ctx) is not None:
            continue
        if _is_target(pods, number, port.protocol, ctx) or _is_door(pods, number, port.protocol, ctx):
            continue
        declared = sorted({entry.number for pod in pods for entry in pod.ports if entry.number is not None})
        yield ctx.report(
            policy,
            *port.path,
            "port",
            message=(
                f"none of the pods that `{policy.name}` selects declares port {number};"
                f" they declare {listed(declared[:6])}"
            ),
            confidence=Confidence.MEDIUM,
            help="see whether something still listens on this port, and declare it",
        )


@check("NP019")
def protocol_mismatch(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port that the pods declare for another protocol only."""
    for rule, port, workloads, is_ingress in _destinations(policy, ctx):
        number, pods = port.port, _known(workloads)
        if not isinstance(number, int) or not pods or port.end_port is not None:
            continue
        protocols = sorted({entry.protocol for pod in pods for entry in pod.ports if entry.number == number})
        if not protocols or port.protocol in protocols or any(p not in ("TCP", "UDP", "SCTP") for p in protocols):
            continue
        if any(other.port == number and other.protocol in protocols for other in rule.ports):
            continue
        if port.protocol == "UDP" and number in (443, 8443):
            continue
        whose = f"the pods that `{policy.name}` selects" if is_ingress else f"the peers of `{policy.name}`"
        related = next(
            ctx.location(pod, *entry.path, "containerPort", label=f"declared for {entry.protocol}")
            for pod in pods
            for entry in pod.ports
            if entry.number == number
        )
        has_protocol = policy.root.get(*port.path, "protocol") is not None
        default = "" if has_protocol else ", the default,"
        yield ctx.report(
            policy,
            *port.path,
            "protocol" if has_protocol else "port",
            message=f"the rule opens {number} for {port.protocol}{default} but {whose} declare it for"
            f" {' and '.join(protocols)}",
            related=[related],
            help=f"write `protocol: {protocols[0]}`",
        )


@check("NP020")
def dns_port_without_udp(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """Port 53 for TCP only."""
    for rule in policy.egress if "Egress" in policy.policy_types else ():
        ports = [port for port in rule.ports if port.is_understood and port.port == _DNS_PORT]
        tcp = next((port for port in ports if port.protocol == "TCP"), None)
        if tcp is None or any(_opens(port, _DNS_PORT, "UDP") for port in rule.ports):
            continue
        if _allows_udp_dns(policy, ctx):
            continue
        has_protocol = policy.root.get(*tcp.path, "protocol") is not None
        because = "for TCP only" if has_protocol else "without a protocol, which means TCP"
        yield ctx.report(
            policy,
            *tcp.path,
            "port",
            message=f"`{policy.name}` opens port 53 {because}: DNS asks over UDP first, and that stays shut",
            help="add an entry with `protocol: UDP` and `port: 53` beside it",
            fix=_with_udp(policy, tcp, ctx),
        )


def _allows_udp_dns(policy: NetworkPolicy, ctx: Context) -> bool:
    """Whether any policy that selects the same pods lets them out on UDP 53."""
    mine = policy.pod_selector
    for other in ctx.once(policies_by_namespace).get(policy.namespace, ()):
        if not covers(other.pod_selector, mine):
            continue
        for rule in other.egress:
            if not rule.is_understood or not rule.ports or any(_opens(p, _DNS_PORT, "UDP") for p in rule.ports):
                return True
    return False


def covers(wide: LabelSelector | None, narrow: LabelSelector | None) -> bool:
    """Whether one selector certainly selects whatever another does: fewer of the same conditions."""
    if wide is None or narrow is None:
        return True
    return set(wide.match_labels) <= set(narrow.match_labels) and set(wide.match_expressions) <= set(
        narrow.match_expressions
    )


def _with_udp(policy: NetworkPolicy, port: NetworkPolicyPort, ctx: Context) -> Fix | None:
    node = policy.root.at(*port.path)
    if node.via:
        return None
    text = node.source.text
    if text[node.start] == "{":
        return ctx.fix("Open UDP 53 too", Edit(node.source, Span(node.end, node.end), _flow_entry(text, node.start)))
    start = text.rfind("\n", 0, node.start) + 1
    lead = text[start : node.start]
    if lead.strip() != "-":
        return None
    entry = f"\n{lead}port: 53\n{' ' * len(lead)}protocol: UDP"
    return ctx.fix("Open UDP 53 too", Edit(node.source, Span(node.end, node.end), entry))


def _flow_entry(text: str, start: int) -> str:
    line = text.rfind("\n", 0, start) + 1
    lead = text[line:start]
    return f"\n{lead}{{port: 53, protocol: UDP}}" if lead.strip() == "-" else ", {port: 53, protocol: UDP}"
