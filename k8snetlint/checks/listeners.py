"""Where a process really listens, against what a Service expects of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service
from k8snetlint.model.values import items_of, text_of
from k8snetlint.model.workloads import Container, Workload
from k8snetlint.source.tree import Node, Path

_LOOPBACK = r"(?:127\.0\.0\.1|localhost|\[::1\])"
# A flag that says where to listen, and the port it names on a loopback address.
_FLAG = re.compile(rf"^--?(?P<flag>[A-Za-z][\w.-]*)[= ](?:https?://|tcp://)?{_LOOPBACK}:(?P<port>\d{{1,5}})/?$")
_BARE = re.compile(rf"^(?:https?://|tcp://)?{_LOOPBACK}:(?P<port>\d{{1,5}})/?$")
_LISTENING = re.compile(r"(^|[-_.])(bind|listen|addr|address|serve|http|https|grpc|endpoint|host)([-_.]|$)", re.I)
_CALLING = re.compile(
    r"upstream|target|server|remote|backend|proxy|connect|url|uri|redis|etcd|master|peer|join|client|forward|health|db",
    re.I,
)


def _bound_to_loopback(container: Container) -> Iterator[tuple[int, Path, str]]:
    """The ports that arguments bind on a loopback address, with the argument's path and text."""
    for field in ("command", "args"):
        previous = ""
        for index, item in enumerate(items_of(container.node.get(field))):
            text = text_of(item) or ""
            match = _FLAG.match(text)
            flag = match["flag"] if match else ""
            if match is None and previous.startswith("-") and "=" not in previous:
                match, flag = _BARE.match(text), previous.lstrip("-")
            if match is not None and _LISTENING.search(flag) and not _CALLING.search(flag):
                yield int(match["port"]), (*container.path, field, index), text
            previous = text


@check("PORT018")
def listens_on_localhost_but_exposed(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that targets a port which the process binds on loopback."""
    for workload in ctx.cluster.backends(service):
        if workload.host_network:
            continue
        for container in workload.running_containers:
            for number, path, text in _bound_to_loopback(container):
                if _is_served_elsewhere(workload, container, number):
                    continue
                for port in service.ports:
                    named = workload.named_port(port.target, port.protocol) if isinstance(port.target, str) else None
                    if number not in (port.target, named) and not (port.target is None and port.number == number):
                        continue
                    yield ctx.report(
                        service,
                        *port.path,
                        "port" if port.target is None else "targetPort",
                        message=(
                            f"container `{container.name}` of `{workload.name}` binds port {number} on loopback, where"
                            " no Service reaches it: connections are refused"
                        ),
                        related=[ctx.location(workload, *path, label="bound to loopback")],
                        notes=(f"its arguments say `{text}`",),
                        help=f"let the process listen on 0.0.0.0:{number} or on [::]:{number}",
                    )


def _is_served_elsewhere(workload: Workload, container: Container, number: int) -> bool:
    """Whether another container, or another argument, may own the port."""
    if any(port.number == number for other in workload.containers if other is not container for port in other.ports):
        return True
    return any(
        f"0.0.0.0:{number}" in text or text.endswith(f"=:{number}")
        for other in workload.running_containers
        for text in _texts(other.node)
    )


def _texts(container: Node) -> Iterator[str]:
    for field in ("command", "args"):
        for item in items_of(container.get(field)):
            yield text_of(item) or ""


@check("PORT019")
def init_container_port_targeted(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that targets a port which only an init container declares."""
    backends = [workload for workload in ctx.cluster.backends(service) if workload.containers]
    for port in service.ports:
        target = port.target if port.target is not None else port.number
        for workload in backends:
            if any(target in (entry.number, entry.name) for entry in workload.ports):
                continue
            declared = next(
                (
                    (container, entry)
                    for container in workload.containers
                    if container.is_init and not container.is_sidecar
                    for entry in container.ports
                    if target in (entry.number, entry.name)
                ),
                None,
            )
            if declared is None:
                continue
            container, entry = declared
            is_named = isinstance(target, str)
            yield ctx.report(
                service,
                *port.path,
                "targetPort" if port.target is not None else "port",
                message=(
                    f"port `{target}` is declared only by init container `{container.name}` of `{workload.name}`,"
                    " which has ended before the pod takes traffic"
                ),
                severity=None if is_named else Severity.NOTE,
                confidence=None if is_named else Confidence.MEDIUM,
                related=[
                    ctx.location(workload, *entry.path, "name" if is_named else "containerPort", label="declared here")
                ],
                help="target a port of a running container, or give the init container `restartPolicy: Always`",
            )
            break
