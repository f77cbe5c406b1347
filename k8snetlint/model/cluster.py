"""The objects of one unit, and the look-ups that rules and engines need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

import attrs

from .core import LabelSelector, Resource
from .services import Endpoints, EndpointSlice, Service
from .workloads import Workload

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"

R = TypeVar("R", bound=Resource)


@attrs.frozen
class Namespace:
    """A namespace that some object lies in. `resource` is its declaration, where there is one.

    `labels` always hold `kubernetes.io/metadata.name`: the API server sets it.
    """

    name: str
    labels: Mapping[str, str]
    resource: Resource | None


class Cluster:
    """Everything that is applied together, indexed. Never changed after it was built.

    `resources` are in document order; `context` objects are among them, and `is_context` tells them apart.
    The index of a workload in `workloads` is its bit position in sets of workloads.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        context: Iterable[Resource] = (),
        external_namespaces: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        others = tuple(context)
        self._context = frozenset(id(resource) for resource in others)
        self.resources: tuple[Resource, ...] = (*resources, *others)
        self._external_namespaces = external_namespaces or {}

    def revised(self, replaced: Mapping[int, Resource], added: Iterable[Resource] = ()) -> Cluster:
        """The cluster with objects in the place of others, by the identity of those, and with some more at its end."""
        resources = [*(replaced.get(id(resource), resource) for resource in self.resources), *added]
        context = [each for each in resources if id(each) in self._context]
        own = [each for each in resources if id(each) not in self._context]
        return Cluster(own, context, self._external_namespaces)

    def is_context(self, resource: Resource) -> bool:
        """Whether an object is loaded only for what others say of it, and not reported on."""
        return id(resource) in self._context

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str], list[Resource]]:
        found: dict[tuple[str, str], list[Resource]] = {}
        for resource in self.resources:
            found.setdefault((resource.group, resource.kind), []).append(resource)
        return found

    @cached_property
    def kinds(self) -> frozenset[tuple[str, str]]:
        """The groups and kinds that are there."""
        return frozenset(self._by_kind)

    def of_kind(self, group: str, kind: str) -> tuple[Resource, ...]:
        """The objects of a group and kind, in document order."""
        return tuple(self._by_kind.get((group, kind), ()))

    def all_of(self, type_: type[R]) -> tuple[R, ...]:
        """The objects of a typed class, in document order."""
        return tuple(resource for resource in self.resources if isinstance(resource, type_))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str | None, str], Resource]:
        found: dict[tuple[str, str, str | None, str], Resource] = {}
        for resource in self.resources:
            found.setdefault((resource.group, resource.kind, resource.namespace, resource.name), resource)
        return found

    def find(self, group: str, kind: str, namespace: str | None, name: str) -> Resource | None:
        """The object of that identity; the first, where it is declared twice."""
        return self._by_name.get((group, kind, namespace, name))

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Pods and everything that makes pods, in document order."""
        return self.all_of(Workload)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The Services, in document order."""
        return self.all_of(Service)

    def service(self, namespace: str | None, name: str) -> Service | None:
        """The Service of that name."""
        found = self.find("", "Service", namespace, name)
        return found if isinstance(found, Service) else None

    @cached_property
    def _services_by_namespace(self) -> dict[str | None, list[Service]]:
        found: dict[str | None, list[Service]] = {}
        for service in self.services:
            found.setdefault(service.namespace, []).append(service)
        return found

    def services_in(self, namespace: str | None) -> tuple[Service, ...]:
        """The Services of a namespace."""
        return tuple(self._services_by_namespace.get(namespace, ()))

    @cached_property
    def _workloads_by_namespace(self) -> dict[str | None, list[Workload]]:
        found: dict[str | None, list[Workload]] = {}
        for workload in self.workloads:
            found.setdefault(workload.namespace, []).append(workload)
        return found

    def workloads_in(self, namespace: str | None) -> tuple[Workload, ...]:
        """The workloads of a namespace."""
        return tuple(self._workloads_by_namespace.get(namespace, ()))

    @cached_property
    def _workloads_by_label(self) -> dict[tuple[str | None, str, str], list[Workload]]:
        found: dict[tuple[str | None, str, str], list[Workload]] = {}
        for workload in self.workloads:
            for key, value in workload.pod_labels.items():
                found.setdefault((workload.namespace, key, value), []).append(workload)
        return found

    def selected_workloads(self, namespace: str | None, selector: LabelSelector) -> tuple[Workload, ...]:
        """The workloads of a namespace whose pods a selector selects, in document order."""
        if selector.match_labels:
            key, value = selector.match_labels[0]
            candidates = self._workloads_by_label.get((namespace, key, value), [])
        else:
            candidates = self._workloads_by_namespace.get(namespace, [])
        return tuple(workload for workload in candidates if selector.matches(workload.pod_labels))

    def backends(self, service: Service) -> tuple[Workload, ...]:
        """The workloads that a Service's selector selects; none for a Service without one."""
        selector = service.label_selector
        return self.selected_workloads(service.namespace, selector) if selector is not None else ()

    @cached_property
    def _endpoints(self) -> dict[tuple[str | None, str], list[Endpoints | EndpointSlice]]:
        found: dict[tuple[str | None, str], list[Endpoints | EndpointSlice]] = {}
        for resource in self.resources:
            if isinstance(resource, Endpoints | EndpointSlice) and resource.service_name:
                found.setdefault((resource.namespace, resource.service_name), []).append(resource)
        return found

    def endpoints(self, service: Service) -> tuple[Endpoints | EndpointSlice, ...]:
        """The Endpoints and EndpointSlices that are written for a Service."""
        return tuple(self._endpoints.get((service.namespace, service.name), ()))

    @cached_property
    def namespaces(self) -> Mapping[str, Namespace]:
        """The namespaces that are declared, configured, or that some object lies in, by name."""
        found: dict[str, Namespace] = {}
        for resource in self.of_kind("", "Namespace"):
            if resource.name and resource.name not in found:
                labels = {NAMESPACE_NAME_LABEL: resource.name, **resource.labels}
                found[resource.name] = Namespace(resource.name, labels, resource)
        for name, configured in self._external_namespaces.items():
            found.setdefault(name, Namespace(name, {NAMESPACE_NAME_LABEL: name, **configured}, None))
        for resource in self.resources:
            used = resource.namespace
            if used and used not in found:
                found[used] = Namespace(used, {NAMESPACE_NAME_LABEL: used}, None)
        return found

    def namespace_labels(self, name: str | None) -> Mapping[str, str]:
        """The labels of a namespace, as far as the manifests tell."""
        namespace = self.namespaces.get(name or "")
        return namespace.labels if namespace is not None else {NAMESPACE_NAME_LABEL: name or ""}
