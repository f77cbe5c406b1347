"""The connections that the manifests say they need, each with the line that says so: one module per source of needs.

A requirement is only made where the manifests hold both ends, or where every cluster has the other: a name that no
Service answers to is a matter for the discovery rules. What the kubelet needs for its probes is no requirement: policies
never keep a pod's own node from it.
"""

from __future__ import annotations

from k8snetlint.analysis.statements import statements
from k8snetlint.model.cluster import Cluster
from k8snetlint.settings import Settings

from .addresses import addresses
from .api_server import api_clients, calls
from .names import lookups
from .need import API_SERVER, DNS, Client, Ground, Requirement
from .peers import peers
from .routes import routes
from .scrapes import scrapes

__all__ = ["API_SERVER", "DNS", "Client", "Ground", "Requirement", "requirements"]


def requirements(cluster: Cluster, settings: Settings) -> tuple[Requirement, ...]:
    """What the manifests of a cluster need; one for each statement, port and client.

    By the source of needs, those of each in document order.
    """
    found: list[Requirement] = []
    seen: set[tuple[object, ...]] = set()
    stated = tuple(statements(cluster))
    sources = (
        addresses(stated, cluster, settings),
        routes(cluster, settings),
        scrapes(cluster),
        calls(cluster),
        peers(stated, cluster, settings),
        lookups(stated),
        api_clients(stated, cluster, settings),
    )
    for requirement in (requirement for source in sources for requirement in source):
        port = requirement.service_port
        key = (
            requirement.ground,
            id(requirement.workload or requirement.client_object),
            id(requirement.service),
            port.number if port is not None else requirement.backends,
            requirement.place,
        )
        if key not in seen:
            seen.add(key)
            found.append(requirement)
    return tuple(found)
