"""Container ports that have no name, or another number than the program is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic, Location
from k8snetlint.engine import Context, check
from k8snetlint.model.values import items_of, text_of
from k8snetlint.model.workloads import Container, Workload
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Path

_VARIABLE = re.compile(r"(?:(?:SERVER|HTTP|HTTPS|LISTEN|GRPC|WEB|APP|CONTAINER|METRICS)_)?PORT\Z")
_ARGUMENT = re.compile(r"--?(?P<flag>(?:http-|server-|listen-|grpc-)?port|listen|listen-address)[= ](?P<value>.*)\Z")
_PORT = re.compile(r"(?:[\d.]*:|\[[\da-f:]*\]:)?(?P<port>\d{1,5})\Z")


@check("PORT009")
def container_port_unnamed(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port that Services and policies can only name by its number."""
    for port in workload.ports:
        if port.name is None and port.number is not None:
            yield ctx.report(
                workload,
                *port.path,
                "containerPort",
                message=f"container port {port.number} has no name, so what refers to it has to repeat the number",
                help="give it a `name`, and use that in Services, probes and policies",
            )


@check("PORT017")
def env_port_differs_from_container_port(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A program that is told to listen on a port which its container does not declare."""
    for container in workload.running_containers:
        declared = {port.number for port in container.ports}
        if not declared:
            continue
        for what, number, path, place in _told(container):
            if number not in declared:
                others = ", ".join(str(known) for known in sorted(declared - {None}, key=str))
                yield ctx.report(
                    workload,
                    *path,
                    primary=Location(place, "listens here"),
                    message=f"{what} tells `{container.name}` port {number}, but the container declares {others}",
                    related=[ctx.location(workload, *container.path, "ports", label="declared here", key=True)],
                    help="declare the port that the program listens on",
                )


def _told(container: Container) -> Iterator[tuple[str, int, Path, Place]]:
    for index, node in enumerate(items_of(container.node.get("env"))):
        name, value = text_of(node.get("name")) or "", node.get("value")
        match = _PORT.match(text_of(value) or "") if _VARIABLE.match(name) else None
        if match is not None and value is not None:
            yield name, int(match["port"]), (*container.path, "env", index, "value"), value.place
    for field in ("command", "args"):
        for index, node in enumerate(items_of(container.node.get(field))):
            argument = _ARGUMENT.match(text_of(node) or "")
            match = _PORT.match(argument["value"]) if argument is not None else None
            if argument is not None and match is not None:
                yield f"`{argument['flag']}`", int(match["port"]), (*container.path, field, index), node.place
