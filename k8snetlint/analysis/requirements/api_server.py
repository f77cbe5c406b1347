"""What the API server needs, because it is told to call Services, and who needs the API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.analysis.routing import Backend, backends, service_name
from k8snetlint.analysis.statements import Statement
from k8snetlint.diagnostic import Confidence
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.references import ServiceCaller
from k8snetlint.model.values import boolean_of, items_of, text_of
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings

from .need import API_SERVER, Client, Ground, Requirement

_RBAC = "rbac.authorization.k8s.io"
_API_PORT = 443


def calls(cluster: Cluster) -> Iterator[Requirement]:
    """What webhooks, aggregated APIs and conversions need: each Service and port of an object once."""
    for caller in cluster.all_of(ServiceCaller):
        told: set[tuple[str, str, int | None]] = set()
        for reference in caller.references:
            service = cluster.service(reference.namespace, reference.name)
            port = service.port(reference.port) if service is not None and reference.port is not None else None
            key = (reference.namespace, reference.name, reference.port)
            if service is None or port is None or key in told:
                continue
            told.add(key)
            reached = tuple(backend for backend in backends(cluster, service, port) if backend.port is not None)
            if reached:
                path = (*reference.path, "name")
                yield Requirement(
                    client=Client.API_SERVER,
                    workload=None,
                    service=service,
                    service_port=port,
                    backends=reached,
                    resource=caller,
                    path=path,
                    place=caller.root.at(*path).place,
                    written=f"{service.name}:{port.number}",
                    confidence=Confidence.HIGH,
                    ground=Ground.CALL,
                )


def api_clients(stated: Iterable[Statement], cluster: Cluster, settings: Settings) -> Iterator[Requirement]:
    """The workloads that work with the API: those that name its Service, and those whose account is given rights."""
    told: set[int] = set()
    for statement in stated:
        name = service_name(statement.mention.host, statement.workload.namespace or "", settings.cluster.dns_domain)
        if name is None or (name.name, name.namespace) != ("kubernetes", "default"):
            continue
        if id(statement.workload) not in told:
            told.add(id(statement.workload))
            yield Requirement(
                client=Client.WORKLOAD,
                workload=statement.workload,
                service=None,
                service_port=None,
                backends=(Backend(None, None, "TCP", _API_PORT),),
                resource=statement.resource,
                path=statement.path,
                place=statement.place,
                written=API_SERVER,
                confidence=Confidence.HIGH,
                ground=Ground.API,
            )
    accounts = frozenset(_bound_accounts(cluster))
    for workload in cluster.workloads:
        if id(workload) not in told and accounts:
            yield from _by_account(workload, accounts)


def _by_account(workload: Workload, accounts: frozenset[tuple[str, str]]) -> Iterator[Requirement]:
    for field in ("serviceAccountName", "serviceAccount"):
        path = (*workload.spec_path, field)
        node = workload.root.get(*path)
        name = text_of(node)
        if node is None or not name or (workload.namespace, name) not in accounts:
            continue
        if boolean_of(workload.root.get(*workload.spec_path, "automountServiceAccountToken")) is not False:
            yield Requirement(
                client=Client.WORKLOAD,
                workload=workload,
                service=None,
                service_port=None,
                backends=(Backend(None, None, "TCP", _API_PORT),),
                resource=workload,
                path=path,
                place=node.place,
                written=API_SERVER,
                confidence=Confidence.LOW,
                ground=Ground.API,
            )
        return


def _bound_accounts(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Namespace and name of the ServiceAccounts that a binding gives rights."""
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in cluster.of_kind(_RBAC, kind):
            for subject in items_of(binding.root.get("subjects")):
                name = text_of(subject.get("name"))
                if text_of(subject.get("kind")) == "ServiceAccount" and name and name != "default":
                    yield text_of(subject.get("namespace")) or binding.namespace or "", name
