"""Probes and lifecycle hooks: which port they open, and where."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from k8snetlint.diagnostic import Confidence, Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Container, Probe, Workload

from .words import listed

HOOKS = ("postStart", "preStop")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _probes(workload: Workload) -> Iterator[tuple[Container, Probe]]:
    for container in workload.containers:
        for probe in container.probes:
            yield container, probe


def _is_known_name(port: int | str | None) -> bool:
    return isinstance(port, str) and port != "" and not port.isdigit() and not is_placeholder(port)


@check("PORT012")
def probe_named_port_undefined(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A probe's port name that its container does not declare."""
    for container, probe in _probes(workload):
        name = probe.port
        if not isinstance(name, str) or not _is_known_name(name) or probe.handler == "grpc":
            continue
        names = [port.name for port in container.ports if port.name]
        if name in names or any(is_placeholder(other) for other in names):
            continue
        path = (*probe.path, "port")
        near = get_close_matches(name, names, 1) or (names if len(names) == 1 else [])
        elsewhere = [
            port for other in workload.containers if other is not container for port in other.ports if port.name == name
        ]
        if elsewhere:
            detail = "another container declares it, and only its own are looked up"
        elif near:
            detail = f"did you mean `{near[0]}`?"
        elif names:
            detail = f"it declares {listed(names)}"
        else:
            detail = "it declares no named port"
        consequence = "the hook always fails" if probe.kind in HOOKS else "the probe always fails"
        yield ctx.report(
            workload,
            *path,
            message=(
                f"`{probe.kind}` of container `{container.name}` asks for port `{name}`, which the container does not"
                f" declare, so {consequence}; {detail}"
            ),
            label="no such port name",
            related=[
                ctx.location(workload, *port.path, "name", label="declared in another container")
                for port in elsewhere[:1]
            ],
            help="name a port that this container declares, or write the number",
            fix=ctx.fix(f"Use the declared port `{near[0]}`", ctx.replace(workload, *path, text=near[0]))
            if near and not elsewhere
            else None,
        )


@check("PORT013")
def probe_port_undeclared(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A probe's port number that its container does not declare."""
    for container, probe in _probes(workload):
        number = probe.port
        if not isinstance(number, int) or any(port.number == number for port in container.ports):
            continue
        declared = sorted({port.number for port in container.ports if port.number is not None})
        known = f"it declares {listed(declared)}" if declared else "it declares none"
        yield ctx.report(
            workload,
            *probe.path,
            "port",
            message=(
                f"`{probe.kind}` of container `{container.name}` opens port {number}, which the container does not"
                f" declare; {known}"
            ),
            confidence=Confidence.MEDIUM,
            help="see whether the container still listens on this port, and declare it",
        )


@check("PORT014")
def probe_port_not_tcp(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A probe over TCP of a port that is declared for another protocol only."""
    for container, probe in _probes(workload):
        wanted = probe.port
        if wanted is None:
            continue
        matching = [port for port in container.ports if wanted in (port.number, port.name)]
        protocols = sorted({port.protocol for port in matching})
        if not matching or "TCP" in protocols or any(p not in ("UDP", "SCTP") for p in protocols):
            continue
        numbers = {port.number for port in matching}
        if any(port.number in numbers and port.protocol == "TCP" for port in container.ports):
            continue
        yield ctx.report(
            workload,
            *probe.path,
            "port",
            message=(
                f"`{probe.kind}` of container `{container.name}` dials port {wanted} over TCP,"
                f" but it is declared for {' and '.join(protocols)} only"
            ),
            confidence=None if protocols == ["SCTP"] else Confidence.MEDIUM,
            related=[ctx.location(workload, *matching[0].path, "protocol", label="declared here")],
            help="probe a port that listens on TCP, or use an exec probe",
        )


@check("PORT015")
def grpc_probe_named_port(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A gRPC probe whose port is not a number."""
    for container, probe in _probes(workload):
        if probe.handler != "grpc" or not isinstance(probe.port, str) or is_placeholder(probe.port):
            continue
        path = (*probe.path, "port")
        number = int(probe.port) if probe.port.isdecimal() else None
        if number is None:
            number = next((port.number for port in container.ports if port.name == probe.port), None)
        detail = f"; write {number}" if number is not None else ""
        yield ctx.report(
            workload,
            *path,
            message=f"the gRPC `{probe.kind}` of container `{container.name}` takes a port number, not a name{detail}",
            help="write the number of the port that serves gRPC health checks",
            fix=ctx.fix(f"Write {number}", ctx.replace(workload, *path, text=str(number)))
            if number is not None
            else None,
        )


@check("PORT016")
def probe_host_override(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A probe that is sent to a host instead of the pod."""
    if workload.host_network:
        # The node's addresses are the pod's own.
        return
    for container, probe in _probes(workload):
        host = probe.host
        if not host or is_placeholder(host):
            continue
        detail = "the node itself" if host in _LOOPBACK else "that host"
        yield ctx.report(
            workload,
            *probe.path,
            "host",
            message=(
                f"`{probe.kind}` of container `{container.name}` is sent to `{host}`: the kubelet dials from the node,"
                f" so this asks {detail} and not the pod"
            ),
            help="remove `host`: the pod's own address is the default; a Host header goes into `httpHeaders`",
        )


@check("PORT020")
def probe_port_quoted_number(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A probe's port that is a number in quotes."""
    for container, probe in _probes(workload):
        text = probe.port
        if not isinstance(text, str) or not text.isdecimal() or probe.handler == "grpc":
            continue
        path = (*probe.path, "port")
        yield ctx.report(
            workload,
            *path,
            message=(
                f"port `{text}` of `{probe.kind}` of container `{container.name}` is a string, and read as a port name:"
                " the pod is rejected, since a name needs a letter"
            ),
            help="remove the quotes",
            fix=ctx.fix(f"Write {int(text)}", ctx.replace(workload, *path, text=str(int(text)))),
        )


@check("PORT021")
def lifecycle_tcp_socket(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A lifecycle hook that opens a TCP connection."""
    for container, probe in _probes(workload):
        if probe.kind in HOOKS and probe.handler == "tcpSocket":
            yield ctx.report(
                workload,
                *probe.path,
                key=True,
                message=(
                    f"`{probe.kind}` of container `{container.name}` uses tcpSocket, which hooks do not support:"
                    " it is accepted and fails when it runs"
                ),
                help="use `exec`, `httpGet` or `sleep`",
            )
