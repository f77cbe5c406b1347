"""What containers declare under `ports`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.policyfields import is_port_name
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Container, ContainerPort, Workload

from .choices import no_such_choice

PROTOCOLS = ("TCP", "UDP", "SCTP")
_SSH = 22
# What is there to be reached by SSH, by the names of workloads, Services and images: git servers, file transfer, bastions.
_SSH_SERVERS = re.compile(r"(?<![a-z])(?:open)?(?:ssh|sftp|git|gerrit|gogs|forgejo|bastion|jump|tunnel)", re.IGNORECASE)
_FIRST_UNPRIVILEGED = 1024


def port_name_fault(name: str) -> str | None:
    """What keeps a text from being a port name; None if nothing does."""
    if is_port_name(name):
        return None
    if len(name) > 15:
        return f"it has {len(name)} characters, and 15 are allowed"
    if not re.fullmatch(r"[a-z0-9-]*", name):
        return "only lower-case letters, digits and `-` are allowed"
    if not re.search(r"[a-z]", name):
        return "it needs at least one letter"
    if "--" in name:
        return "it must not have two hyphens in a row"
    return "it must not begin or end with a hyphen"


def _ports(workload: Workload) -> Iterator[tuple[Container, ContainerPort]]:
    for container in workload.containers:
        for port in container.ports:
            yield container, port


@check("PORT001")
def container_port_name_invalid(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A container port name that the API server refuses."""
    for container, port in _ports(workload):
        name = port.name
        if name is None or is_placeholder(name):
            continue
        fault = port_name_fault(name)
        if fault is not None:
            yield ctx.report(
                workload,
                *port.path,
                "name",
                message=f"port name `{name}` of container `{container.name}` is rejected: {fault}",
                help="use at most 15 lower-case letters, digits and single hyphens, with at least one letter",
            )


@check("PORT002")
def container_port_name_duplicate(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port name that one container gives twice."""
    for container in workload.containers:
        first: dict[str, ContainerPort] = {}
        for port in container.ports:
            if port.name is None or is_placeholder(port.name):
                continue
            earlier = first.setdefault(port.name, port)
            if earlier is not port:
                yield ctx.report(
                    workload,
                    *port.path,
                    "name",
                    message=f"container `{container.name}` names two ports `{port.name}`, so the pod is rejected",
                    related=[ctx.location(workload, *earlier.path, "name", label="first used here")],
                    help="give each port of the container a name of its own",
                )


@check("PORT003")
def container_port_name_reused(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port name that two containers of a pod share."""
    first: dict[tuple[str, str], tuple[Container, ContainerPort]] = {}
    for container in workload.running_containers:
        for port in container.ports:
            if port.name is None or is_placeholder(port.name):
                continue
            owner, earlier = first.setdefault((port.name, port.protocol), (container, port))
            if owner is container or earlier.number == port.number:
                continue
            services = [
                f"`{service.name}`"
                for service in ctx.cluster.services_in(workload.namespace)
                if any(entry.target == port.name for entry in service.ports)
                and workload in ctx.cluster.backends(service)
            ]
            consequence = (
                f"Service {', '.join(services)} reaches only the one of `{owner.name}`"
                if services
                else f"whatever looks the name up finds only the one of `{owner.name}`"
            )
            yield ctx.report(
                workload,
                *port.path,
                "name",
                message=f"`{owner.name}` and `{container.name}` both name a port `{port.name}`; {consequence}",
                severity=None if services else Severity.NOTE,
                related=[ctx.location(workload, *earlier.path, "name", label="found first")],
                help=f"rename the port of `{container.name}`, and target it by its new name",
            )


@check("PORT004")
def container_port_duplicate(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port that one container declares twice."""
    for container in workload.containers:
        first: dict[tuple[int, str], ContainerPort] = {}
        for port in container.ports:
            if port.number is None:
                continue
            earlier = first.setdefault((port.number, port.protocol), port)
            if earlier is port or (earlier.host_port, earlier.host_ip) != (port.host_port, port.host_ip):
                continue
            yield ctx.report(
                workload,
                *port.path,
                "containerPort",
                message=(
                    f"container `{container.name}` declares port {port.number}/{port.protocol} twice;"
                    " a merge by port number keeps only one of them"
                ),
                related=[ctx.location(workload, *earlier.path, "containerPort", label="first declared here")],
                help="remove one of the two, or correct its number if another port is meant",
            )


@check("PORT005")
def container_port_conflict(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port that two containers of a pod declare."""
    if workload.host_network:
        return
    first: dict[tuple[int, str], tuple[Container, ContainerPort]] = {}
    for container in workload.running_containers:
        for port in container.ports:
            if port.number is None:
                continue
            owner, earlier = first.setdefault((port.number, port.protocol), (container, port))
            if owner is container:
                continue
            yield ctx.report(
                workload,
                *port.path,
                "containerPort",
                message=(
                    f"containers `{owner.name}` and `{container.name}` both declare port {port.number}/{port.protocol},"
                    " but share one network namespace: only one of them can listen on it"
                ),
                related=[ctx.location(workload, *earlier.path, "containerPort", label="also declared here")],
                help="let one of the two listen on another port",
            )


@check("PORT006")
def container_port_invalid_number(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A container port without a number from 1 to 65535."""
    for container, port in _ports(workload):
        node = workload.root.get(*port.path, "containerPort")
        if node is None or node.value is None:
            entry = workload.root.at(*port.path)
            if not entry.is_mapping:
                continue
            shown = f"port `{port.name}`" if port.name else "a port"
            yield ctx.report(
                workload,
                *port.path,
                message=f"{shown} of container `{container.name}` has no `containerPort`, so the pod is rejected",
                help="add `containerPort` with a number from 1 to 65535",
            )
        elif port.number is not None and not 1 <= port.number <= 65535:
            yield ctx.report(
                workload,
                *port.path,
                "containerPort",
                message=f"`containerPort` {port.number} of container `{container.name}` is no port number",
                help="use a number from 1 to 65535",
            )


@check("PORT007")
def container_port_invalid_protocol(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A protocol other than TCP, UDP and SCTP."""
    for _, port in _ports(workload):
        protocol = port.protocol
        if protocol in PROTOCOLS or is_placeholder(protocol):
            continue
        remedy = "write TCP, UDP or SCTP; the application's protocol does not belong here"
        path = (*port.path, "protocol")
        yield no_such_choice(ctx, workload, *path, value=protocol, choices=PROTOCOLS, remedy=remedy)


@check("PORT008")
def tcp_udp_same_port(resource: Workload | Service, ctx: Context) -> Iterator[Diagnostic]:
    """One number for two protocols in a list that is merged by the number alone."""
    if isinstance(resource, Service):
        lists = [("port", [(p.number, p.protocol, p.path) for p in resource.ports])]
    else:
        lists = [
            ("containerPort", [(p.number, p.protocol, p.path) for p in container.ports])
            for container in resource.containers
        ]
    for field, ports in lists:
        first: dict[int, tuple[str, tuple[str | int, ...]]] = {}
        for number, protocol, path in ports:
            if number is None:
                continue
            other, earlier = first.setdefault(number, (protocol, path))
            if other != protocol:
                yield ctx.report(
                    resource,
                    *path,
                    field,
                    message=(
                        f"{number} stands here for {other} and for {protocol}; client-side apply and strategic patches"
                        f" merge this list by `{field}` alone and lose or double one of them"
                    ),
                    related=[ctx.location(resource, *earlier, field, label=f"for {other}")],
                    help="apply with `kubectl apply --server-side`, and patch the list as a whole",
                )


@check("PORT010")
def privileged_container_port(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A container port below 1024."""
    for container, port in _ports(workload):
        if port.number is not None and 0 < port.number < _FIRST_UNPRIVILEGED:
            yield ctx.report(
                workload,
                *port.path,
                "containerPort",
                message=(
                    f"container `{container.name}` listens on port {port.number}, which takes root,"
                    " NET_BIND_SERVICE or a lowered ip_unprivileged_port_start"
                ),
                help="listen on a port from 1024 upwards, and let the Service map the well-known port to it",
            )


@check("PORT011")
def ssh_port_exposed(resource: Workload | Service, ctx: Context) -> Iterator[Diagnostic]:
    """Port 22 of a container or Service, where serving SSH is not what the thing is for."""
    containers = resource.containers if isinstance(resource, Workload) else ()
    names = (resource.name, *(text for container in containers for text in (container.name, container.image)))
    if any(_SSH_SERVERS.search(name) for name in names):
        return
    if isinstance(resource, Service):
        for entry in resource.ports:
            if _SSH in (entry.number, entry.target) and entry.protocol == "TCP":
                field = "port" if entry.number == _SSH else "targetPort"
                yield ctx.report(
                    resource,
                    *entry.path,
                    field,
                    message=f"`{resource.name}` forwards to SSH, port 22",
                    confidence=Confidence.MEDIUM,
                    help="leave SSH out of the Service, or suppress this where it is what the pod is for",
                )
        return
    for container, port in _ports(resource):
        if port.number == _SSH and port.protocol == "TCP":
            yield ctx.report(
                resource,
                *port.path,
                "containerPort",
                message=f"container `{container.name}` exposes SSH, port 22, to the pod network",
                confidence=Confidence.MEDIUM,
                help="use `kubectl exec` for shells, or suppress this where SSH is what the pod is for",
            )
