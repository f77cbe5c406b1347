"""Fields of Service ports that the API server refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import integer_of, is_placeholder, text_of

from .choices import no_such_choice
from .container_ports import PROTOCOLS, port_name_fault
from .edits import without_key

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LONGEST_LABEL = 63
_QUALIFIED_NAME = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z"
)


@check("SVC009")
def service_target_port_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A targetPort that is neither a port number nor a port name."""
    for port in service.ports:
        target = port.target
        if target is None or is_placeholder(target) or (isinstance(target, str) and target.isdigit()):
            continue
        if isinstance(target, int):
            if 0 < target < 65536:
                continue
            what = f"{target} is no port number from 1 to 65535"
        elif port_name_fault(target) is None:
            continue
        else:
            what = f"`{target}` is no port name: at most 15 lower-case letters, digits and single `-`, with a letter"
        yield ctx.report(
            service,
            *port.path,
            "targetPort",
            message=f"targetPort {what}",
            help="write the number or the name of a port",
        )


@check("SVC010")
def service_target_port_quoted_number(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A number in quotes, which is read as a name."""
    for port in service.ports:
        target = port.target
        if isinstance(target, str) and target.isdigit():
            path = (*port.path, "targetPort")
            yield ctx.report(
                service,
                *path,
                message=f"targetPort `{target}` is in quotes, so it is read as a port name, and a name needs a letter",
                help=f"write {target} without quotes",
                fix=ctx.fix("Remove the quotes", ctx.replace(service, *path, text=target)),
            )


@check("SVC011")
def service_port_name_required(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A port without a name beside others."""
    if len(service.ports) < 2:
        return
    for port in service.ports:
        if port.name is None:
            yield ctx.report(
                service,
                *port.path,
                primary=ctx.near(service, *port.path, "port"),
                message=f"port {port} has no name: each port of a Service with several needs one",
                help="add a `name` that no other port of the Service has",
            )


@check("SVC012")
def service_port_name_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A port name that is no DNS label."""
    for port in service.ports:
        name = port.name
        if name is None or is_placeholder(name):
            continue
        if len(name) > _LONGEST_LABEL or _DNS_LABEL.match(name) is None:
            yield ctx.report(
                service,
                *port.path,
                "name",
                message=f"port name `{name}` is no DNS label: lower-case letters, digits and `-` inside, 63 at most",
                help="write the name in lower case, with `-` as the only sign",
            )


@check("SVC013")
def service_port_name_duplicate(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """One name for two ports."""
    seen: dict[str, int] = {}
    for index, port in enumerate(service.ports):
        if port.name is None or is_placeholder(port.name):
            continue
        if port.name in seen:
            first = service.ports[seen[port.name]]
            yield ctx.report(
                service,
                *port.path,
                "name",
                message=f"port name `{port.name}` stands twice in the Service",
                related=[ctx.location(service, *first.path, "name", label="first here")],
                help="give each port a name of its own",
            )
        seen.setdefault(port.name, index)


@check("SVC014")
def service_port_duplicate(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """One number and protocol twice; the same number for TCP and UDP is legal."""
    seen: dict[tuple[int, str], int] = {}
    for index, port in enumerate(service.ports):
        if port.number is None:
            continue
        key = (port.number, port.protocol)
        if key in seen:
            first = service.ports[seen[key]]
            yield ctx.report(
                service,
                *port.path,
                "port",
                message=f"port {port} stands twice in the Service",
                related=[ctx.location(service, *first.path, "port", label="first here")],
                help="remove one of the two, or change its number or protocol",
            )
        seen.setdefault(key, index)


@check("SVC015")
def service_port_invalid_number(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A port that is missing or out of range."""
    for port in service.ports:
        node = service.root.get(*port.path, "port")
        if node is None or node.value is None:
            yield ctx.report(
                service,
                *port.path,
                primary=ctx.near(service, *port.path, "port"),
                message="a Service port needs a `port`: the number that clients use",
                help="add `port`",
            )
        elif port.number is not None and not 0 < port.number < 65536:
            yield ctx.report(
                service,
                *port.path,
                "port",
                message=f"port {port.number} is not from 1 to 65535",
                help="write a number from 1 to 65535",
            )


@check("SVC016")
def service_port_invalid_protocol(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A protocol other than TCP, UDP and SCTP."""
    for port in service.ports:
        protocol = port.protocol
        if protocol in PROTOCOLS or is_placeholder(protocol):
            continue
        remedy = "write TCP, and name the application's in `appProtocol`"
        path = (*port.path, "protocol")
        yield no_such_choice(ctx, service, *path, value=protocol, choices=PROTOCOLS, remedy=remedy)


@check("SVC017")
def service_ports_missing(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A Service with a virtual address and no port."""
    if service.ports or service.is_headless or service.is_external_name or is_placeholder(service.type):
        return
    node = service.root.get("spec", "ports")
    if node is not None and (node.entries or isinstance(node.value, str)):
        return
    yield ctx.report(
        service,
        primary=ctx.near(service, "spec", "ports"),
        message="has no ports: only headless and ExternalName Services do without",
        help="add `ports`, or set `clusterIP: None`",
    )


@check("SVC019")
def node_port_on_cluster_ip(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A nodePort where the type has none."""
    if service.type in ("NodePort", "LoadBalancer") or is_placeholder(service.type):
        return
    for port in service.ports:
        if port.node_port is not None:
            path = (*port.path, "nodePort")
            edit = without_key(service, *path)
            yield ctx.report(
                service,
                *path,
                message=f"nodePort {port.node_port} needs type NodePort or LoadBalancer: this Service is a {service.type}",
                help="remove `nodePort`, or set `type: NodePort`",
                fix=ctx.fix("Remove nodePort", edit),
            )


@check("SVC020")
def node_port_out_of_range(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A nodePort that the cluster does not give out."""
    first, last = ctx.settings.cluster.node_port_range
    for port in service.ports:
        if port.node_port is not None and not first <= port.node_port <= last:
            yield ctx.report(
                service,
                *port.path,
                "nodePort",
                message=f"nodePort {port.node_port} is outside the cluster's range {first}-{last}",
                help="choose one in the range, or set `cluster.node-port-range` in the configuration",
            )


@check("SVC021")
def node_port_duplicate(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """One nodePort for two ports of a Service; two protocols of one port number may share it."""
    seen: dict[int, ServicePort] = {}
    for port in service.ports:
        if port.node_port is None:
            continue
        first = seen.setdefault(port.node_port, port)
        is_same_port = first.number == port.number or None in (first.number, port.number)
        may_share = is_same_port and first.protocol != port.protocol
        if first is not port and not may_share:
            yield ctx.report(
                service,
                *port.path,
                "nodePort",
                message=f"nodePort {port.node_port} stands twice in the Service",
                # Validation lets two protocols pass; only the allocator asks for one Service port, where it runs.
                severity=Severity.NOTE if first.protocol != port.protocol else None,
                related=[ctx.location(service, *first.path, "nodePort", label="first here")],
                help="give each port a nodePort of its own, or leave it to the cluster",
            )


@check("SVC058")
def app_protocol_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An appProtocol that is no qualified name."""
    for port in service.ports:
        value = port.app_protocol
        if value and not is_placeholder(value) and _QUALIFIED_NAME.match(value) is None:
            yield ctx.report(
                service,
                *port.path,
                "appProtocol",
                message=f"appProtocol `{value}` is no name of letters, digits, `-`, `_` and `.` with a domain before `/`",
                help="write an IANA name such as `http`, or `kubernetes.io/h2c`",
            )


@check("SVC074")
def load_balancer_port_10250(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """The kubelet's port on a load balancer."""
    if service.type == "LoadBalancer":
        for port in service.ports:
            if port.number == 10250:
                yield ctx.report(
                    service,
                    *port.path,
                    "port",
                    message="port 10250 is the kubelet's: the API server refuses it on a LoadBalancer",
                    help="choose another port",
                )


@check("SVC036")
def health_check_node_port_misuse(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A healthCheckNodePort that nothing uses, or that is out of range."""
    node = service.root.get("spec", "healthCheckNodePort")
    number = integer_of(node)
    if node is None or not number:
        return
    policy = text_of(service.root.get("spec", "externalTrafficPolicy"))
    first, last = ctx.settings.cluster.node_port_range
    if service.type != "LoadBalancer" or policy != "Local":
        if is_placeholder(service.type) or is_placeholder(policy):
            return
        edit = without_key(service, "spec", "healthCheckNodePort")
        yield ctx.report(
            service,
            "spec",
            "healthCheckNodePort",
            message="healthCheckNodePort needs type LoadBalancer with externalTrafficPolicy Local",
            help="remove it",
            fix=ctx.fix("Remove healthCheckNodePort", edit),
        )
    elif not first <= number <= last:
        yield ctx.report(
            service,
            "spec",
            "healthCheckNodePort",
            message=f"healthCheckNodePort {number} is outside the cluster's range {first}-{last}",
            help="choose one in the range, or leave it to the cluster",
        )
