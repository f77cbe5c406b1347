"""What workloads need because they read an address: in variables, arguments, and the files that they mount."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.analysis.mentions import Mention
from k8snetlint.analysis.routing import Backend, aliased, backends, find_service, named_pods
from k8snetlint.analysis.statements import Statement, stated_name
from k8snetlint.diagnostic import Confidence
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.settings import Settings

from .need import Client, Requirement


def addresses(stated: Iterable[Statement], cluster: Cluster, settings: Settings) -> Iterator[Requirement]:
    """What the statements of a cluster need: each whose host is a Service of it that has the port."""
    for statement in stated:
        name = stated_name(statement, cluster, settings)
        named = find_service(cluster, name) if name is not None else None
        service = aliased(cluster, named, settings.cluster.dns_domain)[-1] if named is not None else None
        if name is None or service is None or service.is_external_name:
            continue
        if name.pod is not None and not (service.is_headless or named_pods(cluster, service, name.pod)):
            continue  # such a name is not resolved
        port, reached = destination(cluster, service, statement.mention, name.pod if service is named else None)
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


def destination(
    cluster: Cluster, service: Service, mention: Mention, pod: str | None = None
) -> tuple[ServicePort | None, tuple[Backend, ...]]:
    """The Service port that a mention means and what is behind it; nothing where the Service has no such port.

    A client of a headless Service reaches the pods themselves, on whatever port it asks for; so does one that names a
    `pod` of any Service.
    """
    pods = named_pods(cluster, service, pod) if pod is not None else ()
    if mention.port_name is not None:
        port = service.port(mention.port_name)
    elif mention.port is None:
        port = service.ports[0] if len(service.ports) == 1 else None
    else:
        port = next((port for port in service.ports if port.number == mention.port), None)
        if port is None and not mention.has_port and len(service.ports) == 1:
            # Not every program takes the scheme's port where a URL names none.
            port = service.ports[0]
        elif service.is_headless or pods:
            reached = tuple(
                Backend(workload, None, port.protocol if port is not None else "TCP", mention.port)
                for workload in pods or cluster.backends(service)
            )
            return port, reached
    if port is None:
        return None, ()
    reached = backends(cluster, service, port)
    return port, tuple(each for each in reached if each.port is not None and (not pods or each.workload in pods))
