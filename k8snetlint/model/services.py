"""Services, Endpoints and EndpointSlices."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from k8snetlint.source.tree import Path

from .core import LabelSelector, Resource, label_map_selector
from .values import boolean_of, int_or_string_of, integer_of, items_of, string_map_of, text_of, texts_of


@attrs.frozen
class ServicePort:
    """An entry of a Service's `ports`. `target` is what `targetPort` says; None where it is absent, 0 or empty."""

    name: str | None
    number: int | None
    protocol: str
    target: int | str | None
    node_port: int | None
    app_protocol: str | None
    path: Path

    @property
    def effective_target(self) -> int | str | None:
        """Where the port leads to: `targetPort`, or the port itself where that is absent, 0 or empty."""
        return self.number if self.target is None else self.target

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


@attrs.frozen(eq=False)
class Service(Resource):
    """A Service of the core group. `selector` is None where it has none, or an empty one."""

    type: str
    ports: tuple[ServicePort, ...]
    selector: Mapping[str, str] | None
    cluster_ip: str | None
    external_name: str | None
    publish_not_ready: bool

    @property
    def is_headless(self) -> bool:
        """Whether it has no virtual address by its own wish."""
        return self.cluster_ip == "None"

    @property
    def is_external_name(self) -> bool:
        """Whether it is a DNS alias only."""
        return self.type == "ExternalName"

    @property
    def label_selector(self) -> LabelSelector | None:
        """The selector as a label selector; None where the Service selects nothing by itself."""
        return label_map_selector(self.selector) if self.selector and not self.is_external_name else None

    def port(self, reference: int | str) -> ServicePort | None:
        """The port of a number or a name."""
        for port in self.ports:
            if reference == (port.number if isinstance(reference, int) else port.name):
                return port
        return None


def build_service(resource: Resource) -> Service:
    """The Service that a resource is."""
    spec = resource.root.get("spec")
    get = spec.get if spec is not None else lambda *_: None
    ports = []
    for index, node in enumerate(items_of(get("ports"))):
        ports.append(
            ServicePort(
                name=text_of(node.get("name")) or None,
                number=integer_of(node.get("port")),
                protocol=text_of(node.get("protocol")) or "TCP",
                target=int_or_string_of(node.get("targetPort")) or None,
                node_port=integer_of(node.get("nodePort")) or None,
                app_protocol=text_of(node.get("appProtocol")),
                path=("spec", "ports", index),
            )
        )
    return Service(
        **attrs.asdict(resource, recurse=False),
        type=text_of(get("type")) or "ClusterIP",
        ports=tuple(ports),
        selector=string_map_of(get("selector")) or None,
        cluster_ip=text_of(get("clusterIP")) or None,
        external_name=text_of(get("externalName")) or None,
        publish_not_ready=boolean_of(get("publishNotReadyAddresses")) is True,
    )


@attrs.frozen
class EndpointPort:
    """A port of an Endpoints subset or an EndpointSlice; an unnamed one has the name ``."""

    name: str
    number: int | None
    protocol: str
    path: Path


@attrs.frozen
class Endpoint:
    """An address of a set of endpoints, and the pod that it belongs to, as `namespace/name`, where it is known.

    `is_ready` is False where the manifest says that it is not.
    """

    address: str
    pod: str | None
    node: str | None
    path: Path
    is_ready: bool = True


@attrs.frozen
class EndpointSet:
    """Addresses that all serve the same ports."""

    endpoints: tuple[Endpoint, ...]
    ports: tuple[EndpointPort, ...]


@attrs.frozen(eq=False)
class Endpoints(Resource):
    """An Endpoints object of the core group: the Service of its name is the one that it serves."""

    subsets: tuple[EndpointSet, ...]

    @property
    def service_name(self) -> str | None:
        """The Service that it serves."""
        return self.name


@attrs.frozen(eq=False)
class EndpointSlice(Resource):
    """An EndpointSlice: the label `kubernetes.io/service-name` names the Service that it serves."""

    address_type: str | None
    subsets: tuple[EndpointSet, ...]

    @property
    def service_name(self) -> str | None:
        """The Service that it serves; None where the label is missing."""
        return self.labels.get("kubernetes.io/service-name")


def build_endpoints(resource: Resource) -> Endpoints:
    """The Endpoints that a resource is."""
    subsets = []
    for index, subset in enumerate(items_of(resource.root.get("subsets"))):
        path: Path = ("subsets", index)
        endpoints = []
        for field in ("addresses", "notReadyAddresses"):
            for position, node in enumerate(items_of(subset.get(field))):
                pod = _target(resource, text_of(node.get("targetRef", "kind")), text_of(node.get("targetRef", "name")))
                address = text_of(node.get("ip"))
                if address is not None:
                    at = (*path, field, position, "ip")
                    is_ready = field == "addresses"
                    endpoints.append(Endpoint(address, pod, text_of(node.get("nodeName")), at, is_ready))
        subsets.append(EndpointSet(tuple(endpoints), _ports(resource, (*path, "ports"))))
    return Endpoints(**attrs.asdict(resource, recurse=False), subsets=tuple(subsets))


def build_endpoint_slice(resource: Resource) -> EndpointSlice:
    """The EndpointSlice that a resource is."""
    endpoints = []
    for index, node in enumerate(items_of(resource.root.get("endpoints"))):
        pod = _target(resource, text_of(node.get("targetRef", "kind")), text_of(node.get("targetRef", "name")))
        for position, address in enumerate(texts_of(node.get("addresses"))):
            path: Path = ("endpoints", index, "addresses", position)
            is_ready = boolean_of(node.get("conditions", "ready")) is not False
            endpoints.append(Endpoint(address, pod, text_of(node.get("nodeName")), path, is_ready))
    return EndpointSlice(
        **attrs.asdict(resource, recurse=False),
        address_type=text_of(resource.root.get("addressType")),
        subsets=(EndpointSet(tuple(endpoints), _ports(resource, ("ports",))),),
    )


def _target(resource: Resource, kind: str | None, name: str | None) -> str | None:
    return f"{resource.namespace}/{name}" if kind == "Pod" and name else None


def _ports(resource: Resource, path: Path) -> tuple[EndpointPort, ...]:
    return tuple(
        EndpointPort(
            name=text_of(node.get("name")) or "",
            number=integer_of(node.get("port")),
            protocol=text_of(node.get("protocol")) or "TCP",
            path=(*path, index),
        )
        for index, node in enumerate(items_of(resource.root.get(*path)))
    )
