"""What workloads need because they use names: the cluster's DNS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.analysis.routing import Backend
from k8snetlint.analysis.statements import Statement
from k8snetlint.diagnostic import Confidence

from .need import DNS, Client, Ground, Requirement

_CLUSTER_POLICIES = (None, "", "ClusterFirst", "ClusterFirstWithHostNet")


def lookups(stated: Iterable[Statement]) -> Iterator[Requirement]:
    """A requirement for each workload that reads a name, at the first that it reads."""
    told: set[int] = set()
    for statement in stated:
        workload = statement.workload
        is_local = statement.mention.host.lower() == "localhost"
        if id(workload) in told or is_local or not asks_cluster_dns(workload.dns_policy, workload.host_network):
            continue
        told.add(id(workload))
        yield Requirement(
            client=Client.WORKLOAD,
            workload=workload,
            service=None,
            service_port=None,
            backends=(Backend(None, None, "UDP", 53),),
            resource=statement.resource,
            path=statement.path,
            place=statement.place,
            written=DNS,
            confidence=Confidence.HIGH if statement.medium != "file" else Confidence.MEDIUM,
            ground=Ground.NAMES,
        )


def asks_cluster_dns(dns_policy: str | None, host_network: bool) -> bool:
    """Whether pods of a DNS policy ask the cluster's DNS; on the host network they do so only if told to.

    Source: Kubernetes, DNS for Services and Pods.
    """
    return dns_policy in _CLUSTER_POLICIES and not (host_network and dns_policy != "ClusterFirstWithHostNet")
