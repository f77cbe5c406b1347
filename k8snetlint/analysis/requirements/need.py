"""What a requirement is: who needs a connection, to what, why, and the line that says so."""

from __future__ import annotations

import enum

import attrs

from k8snetlint.analysis.routing import Backend
from k8snetlint.analysis.statements import Statement
from k8snetlint.diagnostic import Confidence
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.workloads import Workload
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Path

DNS, API_SERVER = "{dns}", "{api-server}"


class Client(enum.Enum):
    """Who needs a connection."""

    WORKLOAD = "workload"
    INGRESS_CONTROLLER = "ingress-controller"
    PROMETHEUS = "prometheus"
    API_SERVER = "api-server"


class Ground(enum.Enum):
    """Why a connection is needed.

    ADDRESS: the client reads the address. ROUTE: an Ingress or route leads there. SCRAPE: Prometheus is told to read
    it. CALL: the API server is told to call it. PEERS: it is a pod of the same StatefulSet. NAMES: the client looks up
    names; it needs the cluster's DNS. API: the client works with the API server.
    """

    ADDRESS = "address"
    ROUTE = "route"
    SCRAPE = "scrape"
    CALL = "call"
    PEERS = "peers"
    NAMES = "names"
    API = "api"


@attrs.frozen(eq=False)
class Requirement:
    """One connection that is needed: from a client to every backend of a Service port.

    `workload` is the client where it is in the manifests; `client_object` the object that an operator makes it of.
    `resource`, `path` and `place` are the line that states the need. `written` is the address as it stands there, or
    what is meant by it. Of NAMES and API the only backend is one without workload and address.
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
    ground: Ground = Ground.ADDRESS
    client_object: Resource | None = None

    @property
    def is_to_itself(self) -> bool:
        """Whether the client itself is all that is behind the Service: an address that it announces, or its peers'."""
        return bool(self.backends) and all(backend.workload is self.workload for backend in self.backends)
