"""Addresses in variables, arguments and files that tie a program to one cluster, one pod or one scheme."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, ip_network

import attrs

from k8snetlint.analysis.mentions import DEFAULT_PORTS
from k8snetlint.analysis.statements import stated_service, statements_of
from k8snetlint.analysis.variables import entries, environment
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context, check, cluster_check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service
from k8snetlint.model.values import items_of, text_of
from k8snetlint.model.workloads import Container, Workload
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Node, Path

# An address, alone or in a URL; what a prefix length follows is a range.
_ADDRESS = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d|/\d{1,2}(?!\w))")
# Resolvers are named by address, and what is excepted from proxies may be.
_BY_ADDRESS = re.compile(r"dns|nameserver|resolv|no_?proxy|cidr|subnet|range|allow|whitelist|trusted", re.IGNORECASE)
_DNS_PORT = 53
_LOCAL = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+]*)://(?:[^\s/@]*@)?)?(?<![\w.-])(?:localhost|127\.0\.0\.1):(?P<port>\d{2,5})(?!\d)"
)
_STORES = frozenset(port for scheme, port in DEFAULT_PORTS.items() if scheme not in ("http", "https", "ws", "wss")) | {
    2379,
    8086,
    9200,
    11211,
    6650,
}
# Annotations of what adds a container to the pod, which then listens on its loopback address.
_INJECTORS = re.compile(r"inject|dapr\.io/|linkerd\.io/|vault\.hashicorp\.com/|openservicemesh|kuma\.io/")
_WEB_PORTS = {"http": (80, 8080), "https": (443, 8443)}


@attrs.frozen(eq=False)
class _Text:
    key: str
    text: str
    node: Node
    resource: Resource
    path: Path


def _texts(cluster: Cluster, workload: Workload, container: Container) -> Iterator[_Text]:
    """What a container is given: the variables that its manifest spells out, its command and its arguments."""
    for variable in environment(cluster, workload, container).variables:
        if variable.resource is workload and variable.text is not None and variable.node is not None:
            yield _Text(variable.name, variable.text, variable.node, workload, variable.path)
    for field in ("command", "args"):
        for index, node in enumerate(items_of(container.node.get(field))):
            text = text_of(node)
            if text is not None:
                yield _Text(text.partition("=")[0], text, node, workload, (*container.path, field, index))


def service_addresses(cluster: Cluster, settings: Settings) -> Mapping[str, Service]:
    """The Services of fixed addresses, by address; those of the cluster's DNS are left out."""
    return {
        service.cluster_ip: service
        for service in cluster.services
        if service.cluster_ip and not service.is_headless and all(port.number != _DNS_PORT for port in service.ports)
    }


@cluster_check("DISC009")
def hard_coded_cluster_ip(ctx: Context) -> Iterator[Diagnostic]:
    """An address that the cluster gave to a Service or a pod, written into a manifest."""
    known = ctx.once(service_addresses)
    ranges = [
        (network, what)
        for what, cidrs in (
            ("Services", ctx.settings.cluster.service_cidrs),
            ("pods", ctx.settings.cluster.pod_cidrs),
        )
        for network in map(_network, cidrs)
        if network is not None
    ]
    if not known and not ranges:
        return
    for text in _all_texts(ctx.cluster):
        if _BY_ADDRESS.search(text.key) or ctx.cluster.is_context(text.resource):
            continue
        for match in _ADDRESS.finditer(text.text):
            service = known.get(match[0])
            within = next((what for network, what in ranges if _is_in(match[0], network)), None)
            if service is None and within is None:
                continue
            owner = f"the address of {service}" if service is not None else f"in the range of {within}"
            name = f"the name `{service.name}.{service.namespace}`" if service is not None else "a Service's name"
            yield ctx.report(
                text.resource,
                *text.path,
                primary=Location(text.node.part(*match.span()), "written here"),
                message=f"{match[0]} is {owner}: it changes when that is created anew, and from cluster to cluster",
                related=[ctx.location(service, "spec", "clusterIP", label="its address")] if service else (),
                help=f"write {name}",
            )


def _all_texts(cluster: Cluster) -> Iterator[_Text]:
    for workload in cluster.workloads:
        for container in workload.containers:
            yield from _texts(cluster, workload, container)
    for resource in cluster.of_kind("", "ConfigMap"):
        for key, text, node in entries(resource, "data"):
            yield _Text(key, text, node, resource, ("data", key))


def _network(cidr: str) -> IPv4Network | None:
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return None
    return network if isinstance(network, IPv4Network) else None


def _is_in(ip: str, network: IPv4Network) -> bool:
    try:
        return IPv4Address(ip) in network
    except ValueError:
        return False


@check("DISC011")
def localhost_dependency_missing(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port of the pod's own loopback address that none of its containers has."""
    if workload.host_network or any(map(_INJECTORS.search, (*workload.pod_annotations, *workload.pod_labels))):
        return
    running = workload.running_containers
    for container in running:
        # A container that declares nothing may listen on anything.
        if any(other is not container and not other.ports for other in running):
            continue
        for text in _texts(ctx.cluster, workload, container):
            for match in _LOCAL.finditer(text.text):
                number = int(match["port"])
                if any(port.number == number for port in workload.ports) or _is_said_elsewhere(
                    running, container, number
                ):
                    continue
                is_store = number in _STORES or DEFAULT_PORTS.get(match["scheme"] or "http", 80) in _STORES
                yield ctx.report(
                    workload,
                    *text.path,
                    primary=Location(text.node.part(*match.span()), "asked for here"),
                    message=f"`{container.name}` asks for port {number} of its own pod, which no container of it declares",
                    confidence=None if is_store else Confidence.LOW,
                    help="name the Service that has it: `localhost` is the pod alone",
                )


def _is_said_elsewhere(running: tuple[Container, ...], container: Container, number: int) -> bool:
    """Whether another container's texts name the port: it may listen there."""
    return any(
        str(number) in (text_of(node) or "")
        for other in running
        if other is not container
        for field in ("command", "args")
        for node in items_of(other.node.get(field))
    )


@cluster_check("DISC012")
def url_scheme_port_mismatch(ctx: Context) -> Iterator[Diagnostic]:
    """A URL whose scheme is not the one that the Service's port speaks."""
    for statement in ctx.once(statements_of):
        mention = statement.mention
        if mention.scheme not in _WEB_PORTS or mention.port is None or ctx.cluster.is_context(statement.resource):
            continue
        service = stated_service(statement, ctx.cluster, ctx.settings)
        port = service.port(mention.port) if service is not None else None
        if service is None or port is None:
            continue
        other = "https" if mention.scheme == "http" else "http"
        spoken = port.app_protocol or port.name or ""
        if not (spoken == other or spoken.startswith(f"{other}-") or (not spoken and port.number in _WEB_PORTS[other])):
            continue
        yield ctx.report(
            statement.resource,
            *statement.path,
            primary=Location(statement.place, "asked for here"),
            message=f"the URL says {mention.scheme}, but port {port.number} of {service} speaks {other}",
            severity=Severity.NOTE,
            related=[ctx.location(service, *port.path, "port", label="the Service's port")],
            help=f"write `{other}://`, or name the port that speaks {mention.scheme}",
        )
