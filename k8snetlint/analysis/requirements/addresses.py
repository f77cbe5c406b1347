"""What workloads need because they read an address: in variables, arguments, and the files that they mount."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.analysis.mentions import Mention
from k8snetlint.analysis.routing import Backend, backends, find_service, service_name
from k8snetlint.analysis.statements import Statement, stated_service
from k8snetlint.diagnostic import Confidence
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.settings import Settings

from .need import Client, Requirement

_LONGEST_CHAIN = 4  # of aliases of aliases


def addresses(stated: Iterable[Statement], cluster: Cluster, settings: Settings) -> Iterator[Requirement]:
    """What the statements of a cluster need: each whose host is a Service of it that has the port."""
    for statement in stated:
        service = _real(stated_service(statement, cluster, settings), cluster, settings)
        if service is None:
            continue
        port, reached = destination(cluster, service, statement.mention)
        if not reached:
            continue
        mention = statement.mention
        sure = mention.has_port or (mention.form == "url" and (port is None or port.number == mention.port))
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


def _real(service: Service | None, cluster: Cluster, settings: Settings) -> Service | None:
    """The Service that an alias leads to, where that is one of the cluster; itself where it is none."""
    for _ in range(_LONGEST_CHAIN):
        if service is None or not service.is_external_name:
            return service
        name = service_name(service.external_name or "", service.namespace or "", settings.cluster.dns_domain)
        # An alias is answered as it is written, without the search list.
        service = find_service(cluster, name) if name is not None and name.is_qualified else None
    return None


def destination(cluster: Cluster, service: Service, mention: Mention) -> tuple[ServicePort | None, tuple[Backend, ...]]:
    """The Service port that a mention means and what is behind it; nothing where the Service has no such port.

    A client of a headless Service reaches the pods themselves, on whatever port it asks for.
    """
    if mention.port_name is not None:
        port = service.port(mention.port_name)
    elif mention.port is None:
        port = service.ports[0] if len(service.ports) == 1 else None
    else:
        port = next((port for port in service.ports if port.number == mention.port), None)
        if port is None and not mention.has_port and len(service.ports) == 1:
            # Not every program takes the scheme's port where a URL names none.
            port = service.ports[0]
        elif service.is_headless:
            reached = tuple(
                Backend(workload, None, port.protocol if port is not None else "TCP", mention.port)
                for workload in cluster.backends(service)
            )
            return port, reached
    if port is None:
        return None, ()
    return port, tuple(backend for backend in backends(cluster, service, port) if backend.port is not None)
