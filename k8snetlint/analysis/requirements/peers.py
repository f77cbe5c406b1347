"""What the pods of a StatefulSet need of one another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from k8snetlint.analysis.routing import backends
from k8snetlint.analysis.statements import Statement, stated_service
from k8snetlint.diagnostic import Confidence
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import Service
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings

from .addresses import destination
from .need import Client, Ground, Requirement

# Ports that others ask, and never a pod of the same set.
_FOR_OTHERS = re.compile(r"metric|prom|export|monitor|health|admin|dashboard|web|ui\Z|debug|profil", re.IGNORECASE)


def peers(stated: Iterable[Statement], cluster: Cluster, settings: Settings) -> Iterator[Requirement]:
    """What StatefulSets of several pods need: the addresses of their own pods that they read, and where they read none
    with a port the ports of a governing Service that also names pods that are not ready, as only peers want it.
    """
    by_workload: dict[int, list[Statement]] = {}
    for statement in stated:
        by_workload.setdefault(id(statement.workload), []).append(statement)
    for workload in cluster.workloads:
        service = cluster.service(workload.namespace, workload.service_name) if workload.service_name else None
        if service is None or not service.is_headless or workload not in cluster.backends(service):
            continue
        if workload.replicas in (None, 0, 1):
            continue
        own = list(_stated(by_workload.get(id(workload), ()), workload, cluster, settings))
        yield from own or _implied(workload, service, cluster)


def _stated(
    stated: Iterable[Statement], workload: Workload, cluster: Cluster, settings: Settings
) -> Iterator[Requirement]:
    told: set[int | None] = set()
    for statement in stated:
        service = stated_service(statement, cluster, settings)
        if service is None or not service.is_headless or workload not in cluster.backends(service):
            continue
        port, reached = destination(cluster, service, statement.mention)
        own = tuple(backend for backend in reached if backend.workload is workload)
        if not own or own[0].port in told:
            continue
        told.add(own[0].port)
        yield Requirement(
            client=Client.WORKLOAD,
            workload=workload,
            service=service,
            service_port=port,
            backends=own,
            resource=statement.resource,
            path=statement.path,
            place=statement.place,
            written=f"{statement.mention.host}:{own[0].port}",
            confidence=Confidence.HIGH if statement.mention.has_port else Confidence.MEDIUM,
            statement=statement,
            ground=Ground.PEERS,
        )


def _implied(workload: Workload, service: Service, cluster: Cluster) -> Iterator[Requirement]:
    node = workload.root.get("spec", "serviceName")
    if node is None or not service.publish_not_ready:
        return
    for port in service.ports:
        own = tuple(b for b in backends(cluster, service, port) if b.workload is workload and b.port is not None)
        if own and not _FOR_OTHERS.search(port.name or ""):
            yield Requirement(
                client=Client.WORKLOAD,
                workload=workload,
                service=service,
                service_port=port,
                backends=own,
                resource=workload,
                path=("spec", "serviceName"),
                place=node.place,
                written=f"{service.name}:{port.number}",
                confidence=Confidence.MEDIUM,
                ground=Ground.PEERS,
            )
