"""What Ingresses and routes need: their controller's connections to the backends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.analysis.routing import (
    Backend,
    backends,
    find_service,
    routed_backends,
    service_name,
    service_port,
)
from k8snetlint.diagnostic import Confidence
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import integer_of, items_of, string_map_of, text_of, texts_of
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Node, Path

from .need import Client, Ground, Requirement

ISTIO = "networking.istio.io"
# What the image of an ingress controller is called, and how classes that it serves are named.
_CONTROLLERS = (
    (re.compile(r"ingress-nginx/controller(?:[:@]|\Z)"), "nginx"),
    (re.compile(r"/nginx-ingress(?:-controller)?(?:[:@]|\Z)"), "nginx"),
    (re.compile(r"(?:\A|/)traefik(?:[:@]|\Z)"), "traefik"),
    (re.compile(r"haproxy-ingress(?:[:@]|\Z)|haproxytech/kubernetes-ingress(?:[:@]|\Z)"), "haproxy"),
)


def routes(cluster: Cluster, settings: Settings) -> Iterator[Requirement]:
    """What Ingresses, routes and VirtualServices need from the pods of their controller to their backends."""
    grouped: dict[tuple[int, Path, int], list[Backend]] = {}
    first: dict[tuple[int, Path, int], tuple[Resource, Path, Service, ServicePort]] = {}
    for way in routed_backends(cluster):
        key = (id(way.route), way.path, id(way.service_port))
        grouped.setdefault(key, []).append(way.backend)
        first[key] = (way.route, way.path, way.service, way.service_port)
    controllers = tuple(_controllers(cluster))
    for key, reached in grouped.items():
        route, path, service, port = first[key]
        node = _named(route, path)
        controller = _controller_of(route, controllers)
        yield _requirement(controller, service, port, tuple(reached), route, path, node)
    for route in cluster.of_kind(ISTIO, "VirtualService"):
        yield from _virtual_service(route, cluster, settings)


def _requirement(
    controller: Workload | None,
    service: Service,
    port: ServicePort,
    reached: tuple[Backend, ...],
    route: Resource,
    path: Path,
    node: Node,
) -> Requirement:
    return Requirement(
        client=Client.INGRESS_CONTROLLER,
        workload=controller,
        service=service,
        service_port=port,
        backends=reached,
        resource=route,
        path=path,
        place=node.place,
        written=f"{service.name}:{port.number}",
        confidence=Confidence.HIGH,
        ground=Ground.ROUTE,
    )


def _controllers(cluster: Cluster) -> Iterator[tuple[Workload, str]]:
    """The ingress controllers in sight, each with the word that names its classes."""
    for workload in cluster.workloads:
        for container in workload.running_containers:
            for image, word in _CONTROLLERS:
                if image.search(container.image) and not workload.is_job:
                    yield workload, word


def _controller_of(route: Resource, controllers: tuple[tuple[Workload, str], ...]) -> Workload | None:
    """The only controller in sight that serves an Ingress by the name of its class; None where that is not sure."""
    if not isinstance(route, Ingress):
        return None
    name = text_of(route.root.get("spec", "ingressClassName")) or route.annotations.get("kubernetes.io/ingress.class")
    serving = [workload for workload, word in controllers if word in (name or "").lower()]
    return serving[0] if len(serving) == 1 else None


def _virtual_service(route: Resource, cluster: Cluster, settings: Settings) -> Iterator[Requirement]:
    """What a VirtualService needs from the pods of the gateways that it is bound to, where those are in sight.

    Source: Istio, VirtualService: short hosts are of its own namespace; a port may be left out if there is only one.
    """
    gateways = [
        pods for name in texts_of(route.root.get("spec", "gateways")) for pods in _gateway(name, route, cluster)
    ]
    for field in ("http", "tcp", "tls"):
        for index, rule in enumerate(items_of(route.root.get("spec", field))):
            for position, item in enumerate(items_of(rule.get("route"))):
                host = item.get("destination", "host")
                name = service_name(text_of(host) or "", route.namespace or "", settings.cluster.dns_domain)
                service = find_service(cluster, name) if name is not None and text_of(host) else None
                port = service_port(service, integer_of(item.get("destination", "port", "number"))) if service else None
                if host is None or service is None or port is None:
                    continue
                reached = tuple(backend for backend in backends(cluster, service, port) if backend.port is not None)
                path = ("spec", field, index, "route", position, "destination", "host")
                for gateway in gateways if reached else ():
                    yield _requirement(gateway, service, port, reached, route, path, host)


def _gateway(name: str, route: Resource, cluster: Cluster) -> Iterator[Workload]:
    namespace, slash, bare = name.rpartition("/")
    gateway = cluster.find(ISTIO, "Gateway", namespace if slash else route.namespace, bare)
    wanted = string_map_of(gateway.root.get("spec", "selector")) if gateway is not None else {}
    for workload in cluster.workloads if wanted else ():
        if all(workload.pod_labels.get(key) == value for key, value in wanted.items()):
            yield workload


def _named(route: Resource, path: Path) -> Node:
    for steps in (("service", "name"), ("serviceName",), ("name",)):
        node = route.root.get(*path, *steps)
        if node is not None:
            return node
    return route.root.at(*path)
