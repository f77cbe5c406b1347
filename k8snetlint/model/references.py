"""Objects through which the API server calls Services: webhooks, aggregated APIs, conversions; and monitors."""

from __future__ import annotations

import attrs

from k8snetlint.source.tree import Node, Path

from .core import LabelSelector, Resource, selector_of
from .values import boolean_of, integer_of, items_of, text_of, texts_of

DEFAULT_PORT = 443


@attrs.frozen
class ServiceReference:
    """A Service that the API server calls. `port` is the default one where none is written.

    `subject` says what calls it, as in "webhook `check.example.com`"; `path` leads to the mapping of the reference.
    `ignores_failure` tells whether requests go through when the call fails.
    """

    subject: str
    namespace: str
    name: str
    port: int | None
    has_port: bool
    ignores_failure: bool
    path: Path


@attrs.frozen(eq=False)
class ServiceCaller(Resource):
    """A webhook configuration, an APIService, or a CustomResourceDefinition that converts by a webhook."""

    references: tuple[ServiceReference, ...]


def build_webhook_configuration(resource: Resource) -> ServiceCaller:
    """The webhook configuration that a resource is."""
    references = []
    for index, node in enumerate(items_of(resource.root.get("webhooks"))):
        name = text_of(node.get("name")) or ""
        ignores = text_of(node.get("failurePolicy")) == "Ignore"
        path: Path = ("webhooks", index, "clientConfig", "service")
        references += _reference(resource, f"webhook `{name}`", path, ignores_failure=ignores)
    return ServiceCaller(**attrs.asdict(resource, recurse=False), references=tuple(references))


def build_api_service(resource: Resource) -> ServiceCaller:
    """The APIService that a resource is."""
    references = _reference(resource, f"APIService `{resource.name}`", ("spec", "service"))
    return ServiceCaller(**attrs.asdict(resource, recurse=False), references=tuple(references))


def build_custom_resource_definition(resource: Resource) -> ServiceCaller:
    """The CustomResourceDefinition that a resource is, as far as it calls a Service."""
    subject = f"the conversion webhook of `{resource.name}`"
    references = []
    for client in (("webhook", "clientConfig"), ("webhookClientConfig",)):
        references += _reference(resource, subject, ("spec", "conversion", *client, "service"))
    return ServiceCaller(**attrs.asdict(resource, recurse=False), references=tuple(references))


def _reference(
    resource: Resource, subject: str, path: Path, *, ignores_failure: bool = False
) -> list[ServiceReference]:
    node = resource.root.get(*path)
    name, namespace = (text_of(node.get("name")), text_of(node.get("namespace"))) if node is not None else (None, None)
    if node is None or not name or not namespace:
        return []
    written = node.get("port")
    has_port = written is not None and written.value is not None
    port = integer_of(written) if has_port else DEFAULT_PORT
    return [ServiceReference(subject, namespace, name, port, has_port, ignores_failure, path)]


@attrs.frozen
class MonitorEndpoint:
    """What a monitor scrapes of each target: the name of a port, or a number or name of a container's port."""

    port: str | None
    has_target: bool
    path: Path


@attrs.frozen(eq=False)
class Monitor(Resource):
    """A ServiceMonitor or a PodMonitor of the Prometheus operator.

    `namespaces` are those that it looks in; None stands for all of them.
    """

    selector: LabelSelector
    namespaces: tuple[str, ...] | None
    endpoints: tuple[MonitorEndpoint, ...]

    @property
    def scrapes_pods(self) -> bool:
        """Whether it selects pods, and not Services."""
        return self.kind == "PodMonitor"


def build_monitor(resource: Resource) -> Monitor:
    """The ServiceMonitor or PodMonitor that a resource is."""
    root = resource.root
    names = texts_of(root.get("spec", "namespaceSelector", "matchNames"))
    is_any = boolean_of(root.get("spec", "namespaceSelector", "any")) is True
    field = "podMetricsEndpoints" if resource.kind == "PodMonitor" else "endpoints"
    endpoints = [
        MonitorEndpoint(text_of(node.get("port")) or None, _has_target(node), ("spec", field, index))
        for index, node in enumerate(items_of(root.get("spec", field)))
    ]
    return Monitor(
        **attrs.asdict(resource, recurse=False),
        selector=selector_of(root.get("spec", "selector")) or LabelSelector(),
        namespaces=None if is_any else names or (resource.namespace or "",),
        endpoints=tuple(endpoints),
    )


def _has_target(node: Node) -> bool:
    return node.get("targetPort") is not None or node.get("portNumber") is not None
