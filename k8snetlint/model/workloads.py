"""Pods and everything that makes pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from k8snetlint.source.tree import Node, Path

from .core import LabelSelector, Resource, selector_of
from .values import boolean_of, int_or_string_of, integer_of, items_of, string_map_of, text_of

DEFAULT_PROTOCOL = "TCP"


@attrs.frozen
class ContainerPort:
    """An entry of a container's `ports`. `number` is None where it is absent or no integer."""

    name: str | None
    number: int | None
    protocol: str
    host_port: int | None
    host_ip: str | None
    path: Path


@attrs.frozen
class Probe:
    """A probe or lifecycle hook that opens a connection: `handler` is httpGet, tcpSocket or grpc."""

    kind: str
    handler: str
    port: int | str | None
    host: str | None
    path: Path


@attrs.frozen
class Container:
    """A container of a pod. `is_sidecar` marks an init container that keeps running (restartPolicy Always)."""

    name: str
    image: str
    ports: tuple[ContainerPort, ...]
    probes: tuple[Probe, ...]
    is_init: bool
    is_sidecar: bool
    node: Node
    path: Path


@attrs.frozen(eq=False)
class Workload(Resource):
    """A pod, or an object that makes pods.

    `template_path` leads to what holds the pod's `metadata` and `spec`; it is empty for a pod.
    `is_synthetic` marks objects whose pods are made by an operator: labels are known, containers may not be.
    `replicas` is None where the manifest does not say.
    """

    pod_labels: Mapping[str, str]
    pod_annotations: Mapping[str, str]
    containers: tuple[Container, ...]
    selector: LabelSelector | None
    replicas: int | None
    host_network: bool
    dns_policy: str | None
    template_path: Path
    service_name: str | None = None
    is_synthetic: bool = False

    @property
    def spec_path(self) -> Path:
        """The path of the pod's spec."""
        return (*self.template_path, "spec")

    @property
    def pod_spec(self) -> Node | None:
        """The pod's spec, where it is there."""
        return self.root.get(*self.spec_path)

    @property
    def labels_path(self) -> Path:
        """The path of the pod's labels."""
        return (*self.template_path, "metadata", "labels")

    @property
    def running_containers(self) -> tuple[Container, ...]:
        """The containers that run side by side: those of the pod, then native sidecars."""
        return tuple(c for c in self.containers if not c.is_init) + tuple(c for c in self.containers if c.is_sidecar)

    @property
    def ports(self) -> Iterator[ContainerPort]:
        """The declared ports of all running containers, in the order in which a name is looked up."""
        for container in self.running_containers:
            yield from container.ports

    def named_port(self, name: str, protocol: str = DEFAULT_PROTOCOL) -> int | None:
        """The number that a port name stands for; the first declaration of that name and protocol counts.

        Source: Kubernetes, pod utilities FindPort: containers in order, then restartable init containers.
        """
        for port in self.ports:
            if port.name == name and port.protocol == protocol:
                return port.number
        return None

    @property
    def is_job(self) -> bool:
        """Whether its pods run to completion."""
        return self.kind in ("Job", "CronJob") and self.group == "batch"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}[{self.kind}]"


def containers_of(spec: Node | None, spec_path: Path) -> tuple[Container, ...]:
    """The containers of a pod spec, init containers last."""
    if spec is None:
        return ()
    found: list[Container] = []
    for field, is_init in (("containers", False), ("initContainers", True)):
        for index, node in enumerate(items_of(spec.get(field))):
            path = (*spec_path, field, index)
            ports = tuple(
                _port(item, (*path, "ports", position)) for position, item in enumerate(items_of(node.get("ports")))
            )
            is_sidecar = is_init and text_of(node.get("restartPolicy")) == "Always"
            name, image = text_of(node.get("name")) or "", text_of(node.get("image")) or ""
            found.append(Container(name, image, ports, tuple(_probes(node, path)), is_init, is_sidecar, node, path))
    return tuple(found)


def _port(node: Node, path: Path) -> ContainerPort:
    return ContainerPort(
        name=text_of(node.get("name")) or None,
        number=integer_of(node.get("containerPort")),
        protocol=text_of(node.get("protocol")) or DEFAULT_PROTOCOL,
        host_port=integer_of(node.get("hostPort")) or None,
        host_ip=text_of(node.get("hostIP")) or None,
        path=path,
    )


_PROBES: tuple[Path, ...] = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)


def _probes(container: Node, path: Path) -> Iterator[Probe]:
    for steps in _PROBES:
        probe = container.get(*steps)
        if probe is None:
            continue
        for handler in ("httpGet", "tcpSocket", "grpc"):
            action = probe.get(handler)
            if action is not None and action.is_mapping:
                yield Probe(
                    kind=str(steps[-1]),
                    handler=handler,
                    port=int_or_string_of(action.get("port")),
                    host=text_of(action.get("host")),
                    path=(*path, *steps, handler),
                )


def build_workload(resource: Resource, template_path: Path, selector_path: Path = ("spec", "selector")) -> Workload:
    """The workload that an object is whose pod template stands at a path; an empty path for a pod."""
    root = resource.root
    template = root.get(*template_path)
    spec = root.get(*template_path, "spec")
    metadata = template.get("metadata") if template is not None else None
    selector_node = root.get(*selector_path) if template_path else None
    selector: LabelSelector | None = None
    if selector_node is not None and selector_node.is_mapping:
        has_parts = "matchLabels" in selector_node.entries or "matchExpressions" in selector_node.entries
        if resource.kind in ("ReplicationController", "DeploymentConfig") and not has_parts:
            selector = LabelSelector(tuple(string_map_of(selector_node).items()))
        else:
            selector = selector_of(selector_node)
    replicas = integer_of(root.get("spec", "replicas"))
    if resource.kind == "Job":
        replicas = integer_of(root.get("spec", "parallelism"))
    return Workload(
        **attrs.asdict(resource, recurse=False),
        pod_labels=string_map_of(metadata.get("labels") if metadata is not None else None),
        pod_annotations=string_map_of(metadata.get("annotations") if metadata is not None else None),
        containers=containers_of(spec, (*template_path, "spec")),
        selector=selector,
        replicas=replicas,
        host_network=boolean_of(spec.get("hostNetwork") if spec is not None else None) is True,
        dns_policy=text_of(spec.get("dnsPolicy") if spec is not None else None),
        template_path=template_path,
        service_name=text_of(root.get("spec", "serviceName")) if resource.kind == "StatefulSet" else None,
    )
