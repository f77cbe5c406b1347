"""The connections that the manifests say they need, each with the line that says so.

A requirement is only made where the manifests hold both ends: a name that no Service answers to is a matter for the
discovery rules, not for this module.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import attrs

from k8snetlint.diagnostic import Confidence
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node, Path

from .mentions import Mention
from .routing import Backend, backends, find_service, routed_backends, service_name
from .statements import Statement, statements


class Client(enum.Enum):
    """Who needs a connection."""

    WORKLOAD = "workload"
    INGRESS_CONTROLLER = "ingress-controller"
    PROMETHEUS = "prometheus"
    API_SERVER = "api-server"


@attrs.frozen(eq=False)
class Requirement:
    """One connection that is needed: from a client to every backend of a Service port.

    `workload` is the client where it is in the manifests. `resource`, `path` and `place` are the line that states the
    need. `written` is the address as it stands there.
    """

    client: Client
    workload: Workload | None
    service: Service | None
    service_port: ServicePort | None
    backends: tuple[Backend, ...]
    resource: Resource
    path: Path
    place: Place
    written: str
    confidence: Confidence
    statement: Statement | None = None

    @property
    def is_to_itself(self) -> bool:
        """Whether the client itself is all that is behind the Service: an address that it announces."""
        return all(backend.workload is self.workload for backend in self.backends)


def requirements(cluster: Cluster, settings: Settings) -> tuple[Requirement, ...]:
    """What the manifests of a cluster need, in document order; one for each statement, port and client."""
    found: list[Requirement] = []
    seen: set[tuple[object, ...]] = set()
    for requirement in (*_addresses(cluster, settings), *_routes(cluster)):
        port = requirement.service_port
        key = (
            requirement.client,
            id(requirement.workload),
            id(requirement.service),
            port.number if port is not None else requirement.backends,
            requirement.place,
        )
        if key not in seen:
            seen.add(key)
            found.append(requirement)
    return tuple(found)


def stated_service(statement: Statement, cluster: Cluster, settings: Settings) -> Service | None:
    """The Service that a statement means; None if its host is no Service of the cluster."""
    name = service_name(statement.mention.host, statement.workload.namespace or "", settings.cluster.dns_domain)
    return find_service(cluster, name) if name is not None else None


def _addresses(cluster: Cluster, settings: Settings) -> Iterator[Requirement]:
    for statement in statements(cluster):
        service = stated_service(statement, cluster, settings)
        if service is None or service.is_external_name:
            continue
        port, reached = _destination(cluster, service, statement.mention)
        if not reached:
            continue
        mention = statement.mention
        sure = mention.has_port or mention.form == "url"
        yield Requirement(
            client=Client.WORKLOAD,
            workload=statement.workload,
            service=service,
            service_port=port,
            backends=reached,
            resource=statement.resource,
            path=statement.path,
            place=statement.place,
            written=mention.host if not mention.has_port else f"{mention.host}:{mention.port}",
            confidence=Confidence.HIGH if sure and statement.medium != "file" else Confidence.MEDIUM,
            statement=statement,
        )


def _destination(
    cluster: Cluster, service: Service, mention: Mention
) -> tuple[ServicePort | None, tuple[Backend, ...]]:
    """The Service port that a mention means and what is behind it; nothing where the Service has no such port.

    A client of a headless Service reaches the pods themselves, on whatever port it asks for.
    """
    if mention.port is None:
        port = service.ports[0] if len(service.ports) == 1 else None
    else:
        port = next((port for port in service.ports if port.number == mention.port), None)
        if service.is_headless:
            reached = tuple(
                Backend(workload, None, port.protocol if port is not None else "TCP", mention.port)
                for workload in cluster.backends(service)
            )
            return port, reached
    if port is None:
        return None, ()
    return port, tuple(backend for backend in backends(cluster, service, port) if backend.port is not None)


def _routes(cluster: Cluster) -> Iterator[Requirement]:
    """What Ingresses and routes need from the controller's pods to their backends."""
    grouped: dict[tuple[int, Path, int], list[Backend]] = {}
    first: dict[tuple[int, Path, int], tuple[Resource, Path, Service, ServicePort]] = {}
    for way in routed_backends(cluster):
        key = (id(way.route), way.path, id(way.service_port))
        grouped.setdefault(key, []).append(way.backend)
        first[key] = (way.route, way.path, way.service, way.service_port)
    for key, reached in grouped.items():
        route, path, service, port = first[key]
        yield Requirement(
            client=Client.INGRESS_CONTROLLER,
            workload=None,
            service=service,
            service_port=port,
            backends=tuple(reached),
            resource=route,
            path=path,
            place=_named(route, path).place,
            written=f"{service.name}:{port.number}",
            confidence=Confidence.HIGH,
        )


def _named(route: Resource, path: Path) -> Node:
    for steps in (("service", "name"), ("serviceName",), ("name",)):
        node = route.root.get(*path, *steps)
        if node is not None:
            return node
    return route.root.at(*path)
