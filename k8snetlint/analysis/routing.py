"""From names and ports to pods: DNS names to Services, Service ports to the pods behind them, routes to Services.

Source: Kubernetes, endpoints controller and DNS specification; Ingress and Gateway API references.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.gateways import GROUP as GATEWAY_GROUP
from k8snetlint.model.gateways import ReferenceGrant, Route
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.services import Endpoints, EndpointSlice, Service, ServicePort
from k8snetlint.model.values import int_or_string_of, items_of, text_of
from k8snetlint.model.workloads import Workload
from k8snetlint.source.tree import Path

_POD_OF_SET = re.compile(r"(?P<set>.+)-(?P<ordinal>[0-9]+)\Z")
_DASHED_ADDRESS = re.compile(r"[0-9]+(?:-[0-9]+){3}\Z|(?=.*--)[0-9a-f-]+\Z|[0-9a-f]+(?:-[0-9a-f]+){7}\Z")
_SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
_LONGEST_CHAIN = 4  # of aliases of aliases


@attrs.frozen
class Backend:
    """Where a Service port leads: a workload's port, or an address's where no workload of the unit has it.

    `port` is None where the pod declares no port of the name that is looked for: it is no endpoint of that port then.
    """

    workload: Workload | None
    address: str | None
    protocol: str
    port: int | None


@attrs.frozen
class RoutedBackend:
    """A way in: an Ingress, route or OpenShift Route, the Service port that it names, and where that leads."""

    route: Resource
    path: Path
    service: Service
    service_port: ServicePort
    backend: Backend


@attrs.frozen
class ServiceName:
    """A DNS name that may mean a Service: `pod` is the label before it, for pods of a headless Service.

    `is_qualified` tells whether the name goes down to `svc`, so that it can mean nothing else.
    """

    name: str
    namespace: str
    pod: str | None
    is_qualified: bool


def backends(cluster: Cluster, service: Service, port: ServicePort) -> tuple[Backend, ...]:
    """Where a Service port leads, workloads in document order, then written endpoints; nothing for an ExternalName.

    A numeric target needs no declaration on the pod; a name needs one of that name and of the Service port's protocol.
    Without a selector the written endpoints count, matched by port name, never by number.
    """
    if service.is_external_name:
        return ()
    found = list(selected_backends(cluster, service, port))
    for endpoints in cluster.endpoints(service):
        if isinstance(endpoints, EndpointSlice) or _is_mirrored(endpoints, service):
            found += _written(cluster, endpoints, service, port)
    return tuple(dict.fromkeys(found))


def _is_mirrored(endpoints: Endpoints, service: Service) -> bool:
    """Whether slices are made of Endpoints: those of a Service with a selector are overwritten.

    Source: Kubernetes, EndpointSlice mirroring.
    """
    return service.label_selector is None and endpoints.labels.get(_SKIP_MIRROR) != "true"


def dialled_backends(cluster: Cluster, service: Service, port: ServicePort) -> tuple[Backend, ...]:
    """Where a client comes out that dials a Service by name or address.

    A headless one is its pods' own addresses: the number dialled is theirs, whatever `targetPort` says. Controllers that
    read the endpoints themselves go to `backends`.
    """
    found = backends(cluster, service, port)
    if not service.is_headless or port.number is None:
        return found
    return tuple(dict.fromkeys(attrs.evolve(backend, port=port.number) for backend in found))


def selected_backends(cluster: Cluster, service: Service, port: ServicePort) -> Iterator[Backend]:
    """Where a Service port leads by the Service's selector, in document order."""
    target = port.effective_target
    for workload in cluster.backends(service):
        number = workload.named_port(target, port.protocol) if isinstance(target, str) else target
        yield Backend(workload, None, port.protocol, number)


def _written(
    cluster: Cluster, endpoints: Endpoints | EndpointSlice, service: Service, port: ServicePort
) -> Iterator[Backend]:
    """What written endpoints lead to: proxies send to ready ones only, to the first address of each entry of a slice."""
    if isinstance(endpoints, EndpointSlice) and endpoints.address_type == "FQDN":
        return
    for subset in endpoints.subsets:
        for written in subset.ports:
            if written.name != (port.name or "") or written.protocol != port.protocol:
                continue
            for endpoint in subset.endpoints:
                if not (endpoint.is_ready or service.publish_not_ready):
                    continue
                if isinstance(endpoints, EndpointSlice) and endpoint.path[-1] != 0:
                    continue
                workload = _pod_of(cluster, endpoint.pod, endpoint.address)
                address = None if workload is not None else endpoint.address
                yield Backend(workload, address, port.protocol, written.number)


def _pod_of(cluster: Cluster, pod: str | None, address: str) -> Workload | None:
    if pod is not None:
        namespace, _, name = pod.partition("/")
        found = cluster.find("", "Pod", namespace, name)
        if isinstance(found, Workload):
            return found
    for workload in cluster.workloads:
        if workload.kind == "Pod" and text_of(workload.root.get("status", "podIP")) == address:
            return workload
    return None


def service_port(service: Service, reference: int | str | None) -> ServicePort | None:
    """The Service port that an Ingress or a route means: by number or by name; the only one where none is named."""
    if reference is None:
        return service.ports[0] if len(service.ports) == 1 else None
    return service.port(reference)


def routed_backends(cluster: Cluster) -> Iterator[RoutedBackend]:
    """Every way that Ingresses, Gateway API routes and OpenShift Routes lead into pods, in document order."""
    for resource in cluster.resources:
        if isinstance(resource, Ingress):
            yield from _ingress_backends(cluster, resource)
        elif isinstance(resource, Route):
            yield from _route_backends(cluster, resource)
        elif resource.kind == "Route" and resource.group in ("route.openshift.io", "v1", ""):
            yield from _openshift_backends(cluster, resource)


def _leads_to(
    cluster: Cluster, route: Resource, path: Path, service: Service | None, reference: int | str | None
) -> Iterator[RoutedBackend]:
    if service is None:
        return
    port = service_port(service, reference)
    if port is not None and port.protocol == (route.protocol if isinstance(route, Route) else "TCP"):
        for backend in backends(cluster, service, port):
            if backend.port is not None:
                yield RoutedBackend(route, path, service, port, backend)


def _ingress_backends(cluster: Cluster, ingress: Ingress) -> Iterator[RoutedBackend]:
    for backend in ingress.backends:
        if backend.service is not None and backend.port is not None:
            service = cluster.service(ingress.namespace, backend.service)
            yield from _leads_to(cluster, ingress, backend.path, service, backend.port)


def _route_backends(cluster: Cluster, route: Route) -> Iterator[RoutedBackend]:
    for rule in route.rules:
        for reference in rule.backends:
            if (reference.group, reference.kind) != ("", "Service") or reference.port is None:
                continue
            namespace = reference.namespace or route.namespace
            if namespace != route.namespace and not is_granted(
                cluster, route, "", "Service", namespace, reference.name
            ):
                continue
            service = cluster.service(namespace, reference.name)
            yield from _leads_to(cluster, route, reference.path, service, reference.port)


def is_granted(cluster: Cluster, referrer: Resource, group: str, kind: str, namespace: str | None, name: str) -> bool:
    """Whether a ReferenceGrant of that namespace lets the referrer refer to the object."""
    return any(
        isinstance(grant, ReferenceGrant)
        and grant.namespace == namespace
        and grant.permits(referrer, group, kind, name)
        for grant in cluster.of_kind(GATEWAY_GROUP, "ReferenceGrant")
    )


def _openshift_backends(cluster: Cluster, route: Resource) -> Iterator[RoutedBackend]:
    """An OpenShift Route names Services; its port is a Service port's name, or a target port's name or number."""
    spec = route.root.get("spec")
    if spec is None:
        return
    wanted = int_or_string_of(spec.get("port", "targetPort"))
    targets: list[Path] = [("spec", "to")]
    targets += [("spec", "alternateBackends", index) for index in range(len(items_of(spec.get("alternateBackends"))))]
    for path in targets:
        name = text_of(route.root.get(*path, "name"))
        if name is None or (text_of(route.root.get(*path, "kind")) or "Service") != "Service":
            continue
        service = cluster.service(route.namespace, name)
        for port in service.ports if service is not None else ():
            if wanted is not None and wanted not in (port.name, port.number, port.target):
                continue
            if service is not None and port.protocol == "TCP":
                for backend in backends(cluster, service, port):
                    if backend.port is not None:
                        yield RoutedBackend(route, path, service, port, backend)
            if wanted is not None:
                break


def named_services(cluster: Cluster, namespace: str) -> tuple[Service, ...]:
    """The Services that may answer to names of a namespace: its own, else those that name no namespace at all.

    Manifests that leave the namespace to whoever applies them call one another by the namespace they are meant for.
    """
    own = cluster.services_in(namespace)
    return own or tuple(service for service in cluster.services if not service.has_namespace)


def find_service(cluster: Cluster, name: ServiceName) -> Service | None:
    """The Service that a name means; None if there is none."""
    return next((service for service in named_services(cluster, name.namespace) if service.name == name.name), None)


def named_pods(cluster: Cluster, service: Service, label: str) -> tuple[Workload, ...]:
    """The workloads whose pod the label before a Service's name means: an ordinal of a StatefulSet, a hostname, an address.

    DNS has such names for a Service with a cluster IP too. Source: Kubernetes, DNS specification; endpoints controller.
    """
    found = cluster.backends(service)
    match = _POD_OF_SET.match(label)
    if match is not None:
        sets = tuple(
            workload
            for workload in found
            if (workload.kind, workload.name, workload.service_name) == ("StatefulSet", match["set"], service.name)
        )
        if sets:
            return sets
    named = tuple(workload for workload in found if _is_called(workload, label, service.name))
    return named or (found if _DASHED_ADDRESS.match(label) else ())


def _is_called(workload: Workload, hostname: str, subdomain: str) -> bool:
    spec = workload.pod_spec
    if spec is None or text_of(spec.get("subdomain")) != subdomain:
        return False
    return text_of(spec.get("hostname")) == hostname


def aliased(cluster: Cluster, service: Service, dns_domain: str = "cluster.local") -> tuple[Service, ...]:
    """The Services that an alias leads through, itself first; the last is no alias where it ends in the cluster."""
    chain = [service]
    while chain[-1].is_external_name and len(chain) <= _LONGEST_CHAIN:
        # An alias is answered as it is written, without the search list.
        written = chain[-1].external_name or ""
        name = service_name(written, chain[-1].namespace or "", dns_domain)
        is_whole = name is not None and name.is_qualified and not written.rstrip(".").lower().endswith(".svc")
        found = find_service(cluster, name) if name is not None and is_whole else None
        if found is None or found in chain:
            break
        chain.append(found)
    return tuple(chain)


def resolved_name(cluster: Cluster, host: str, namespace: str, dns_domain: str = "cluster.local") -> ServiceName | None:
    """What a host name means in a cluster: of `a-0.b` first a pod of the Service `b` of the own namespace.

    Source: Kubernetes, DNS for Services and Pods: the search list begins with the own namespace.
    """
    labels = host.lower().rstrip(".").split(".")
    match = _POD_OF_SET.match(labels[0])
    if len(labels) == 2 and match is not None:
        own = ServiceName(labels[1], namespace, labels[0], False)
        service = find_service(cluster, own)
        if service is not None and (service.is_headless or named_pods(cluster, service, labels[0])):
            return own
        # Behind another Service than its governing one a pod has no name; that is what is meant all the same.
        if service is not None and any(
            (workload.kind, workload.name) == ("StatefulSet", match["set"]) for workload in cluster.backends(service)
        ):
            return own
    return service_name(host, namespace, dns_domain)


def service_name(host: str, namespace: str, dns_domain: str = "cluster.local") -> ServiceName | None:
    """What a host name would mean as the name of a Service, asked for from a namespace; None if it cannot be one.

    `a` and `a.b` may mean something else, so `is_qualified` is false for them. Compared case-insensitively.
    """
    labels = host.lower().rstrip(".").split(".")
    zone = dns_domain.lower().rstrip(".").split(".")
    is_qualified = False
    if len(labels) > len(zone) and labels[-len(zone) :] == zone:
        labels = labels[: -len(zone)]
        if labels[-1] != "svc":
            return None
    if labels[-1] == "svc" and len(labels) > 1:
        labels = labels[:-1]
        is_qualified = True
    if not all(labels):
        return None
    if len(labels) == 1:
        # `a.svc` asks for a Service `a` in a namespace that the search list supplies only for `a`.
        return ServiceName(labels[0], namespace, None, False) if not is_qualified else None
    if len(labels) == 2:
        return ServiceName(labels[0], labels[1], None, is_qualified)
    if len(labels) == 3:
        return ServiceName(labels[1], labels[2], labels[0], is_qualified)
    return None
