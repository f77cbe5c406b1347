"""What Prometheus needs: the targets of monitors, and of pods and Services that are annotated to be scraped.

The client is a Prometheus object that selects the monitor, or a Prometheus that finds annotated targets by itself. Where
neither is in sight, there is a client all the same, and it may be anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.analysis.routing import Backend, backends
from k8snetlint.diagnostic import Confidence
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import LabelSelector, Resource, selector_of
from k8snetlint.model.references import Monitor, MonitorEndpoint
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import int_or_string_of, integer_of, items_of, text_of
from k8snetlint.model.workloads import Workload
from k8snetlint.source.tree import Node, Path

from .need import Client, Ground, Requirement

GROUP = "monitoring.coreos.com"
SCRAPE, PORT = "prometheus.io/scrape", "prometheus.io/port"
_IMAGE = re.compile(r"(?:\A|/)prometheus(?:[:@]|\Z)")
_READS_ANNOTATIONS = "annotation_prometheus_io_scrape"


def scrapes(cluster: Cluster) -> Iterator[Requirement]:
    """What monitors and annotations need of their targets; one for each target Service or workload and port."""
    for monitor in cluster.all_of(Monitor):
        if not monitor.selector.has_placeholders:
            yield from _of_monitor(monitor, cluster)
    scrapers = tuple(_scrapers(cluster))
    for workload in cluster.workloads:
        yield from _of_pods(workload, scrapers)
    for service in cluster.services:
        yield from _of_service(service, cluster, scrapers)


def _of_monitor(monitor: Monitor, cluster: Cluster) -> Iterator[Requirement]:
    clients: tuple[Resource | None, ...] = tuple(_operated(monitor, cluster)) or (None,)
    for endpoint in monitor.endpoints:
        node = monitor.root.at(*endpoint.path)
        for service, port, reached in _targets(monitor, endpoint, node, cluster):
            for client in clients if reached else ():
                yield _requirement(
                    client, service, port, reached, monitor, endpoint.path, _written_port(node), Confidence.HIGH
                )


def _targets(
    monitor: Monitor, endpoint: MonitorEndpoint, node: Node, cluster: Cluster
) -> Iterator[tuple[Service | None, ServicePort | None, tuple[Backend, ...]]]:
    wanted = int_or_string_of(node.get("portNumber")) or int_or_string_of(node.get("targetPort"))
    if monitor.scrapes_pods:
        asked = wanted if wanted is not None else endpoint.port
        for workload in _workloads(monitor, cluster):
            yield None, None, tuple(_on(workload, asked))
        return
    for service in _services(monitor, cluster):
        if endpoint.port is None:
            yield service, None, tuple(b for workload in cluster.backends(service) for b in _on(workload, wanted))
        else:
            port = service.port(endpoint.port)
            if port is not None and port.protocol == "TCP":
                reached = backends(cluster, service, port)
                yield service, port, tuple(backend for backend in reached if backend.port is not None)


def _services(monitor: Monitor, cluster: Cluster) -> Iterator[Service]:
    for service in cluster.services:
        is_there = monitor.namespaces is None or service.namespace in monitor.namespaces
        if is_there and monitor.selector.matches(service.labels):
            yield service


def _workloads(monitor: Monitor, cluster: Cluster) -> Iterator[Workload]:
    for workload in cluster.workloads:
        is_there = monitor.namespaces is None or workload.namespace in monitor.namespaces
        if is_there and monitor.selector.matches(workload.pod_labels):
            yield workload


def _on(workload: Workload, port: int | str | None) -> Iterator[Backend]:
    """The port of a workload by number or name; nothing where no container has the name."""
    number = workload.named_port(port) if isinstance(port, str) else port
    if number is not None:
        yield Backend(workload, None, "TCP", number)


def _written_port(endpoint: Node) -> Node:
    for field in ("port", "portNumber", "targetPort"):
        node = endpoint.get(field)
        if node is not None:
            return node
    return endpoint


def _operated(monitor: Monitor, cluster: Cluster) -> Iterator[Resource]:
    """The Prometheus objects that select a monitor."""
    field = "podMonitor" if monitor.scrapes_pods else "serviceMonitor"
    for prometheus in (*cluster.of_kind(GROUP, "Prometheus"), *cluster.of_kind(GROUP, "PrometheusAgent")):
        selector = _optional(prometheus.root.get("spec", f"{field}Selector"))
        namespaces = _optional(prometheus.root.get("spec", f"{field}NamespaceSelector"))
        if selector is None or not selector.matches(monitor.labels):
            continue
        if namespaces is None:
            is_there = prometheus.namespace == monitor.namespace
        else:
            is_there = namespaces.matches(cluster.namespace_labels(monitor.namespace))
        if is_there:
            yield prometheus


def _optional(node: Node | None) -> LabelSelector | None:
    return selector_of(node) or LabelSelector() if node is not None and node.is_mapping else None


def _scrapers(cluster: Cluster) -> Iterator[Workload]:
    """The workloads that run Prometheus and are configured to look at the annotations."""
    for workload in cluster.workloads:
        if any(_IMAGE.search(container.image) for container in workload.running_containers):
            spec = workload.pod_spec
            for volume in items_of(spec.get("volumes")) if spec is not None else ():
                name = text_of(volume.get("configMap", "name"))
                config = cluster.find("", "ConfigMap", workload.namespace, name) if name else None
                data = config.root.get("data") if config is not None else None
                texts = [text_of(entry.node) or "" for entry in data.entries.values()] if data is not None else []
                if any(_READS_ANNOTATIONS in text for text in texts):
                    yield workload
                    break


def _of_pods(workload: Workload, scrapers: tuple[Workload, ...]) -> Iterator[Requirement]:
    path = (*workload.template_path, "metadata", "annotations")
    declared = {port.number for port in workload.ports if port.protocol == "TCP"}
    number = _announced(workload.root.get(*path), declared)
    if number is not None:
        yield from _announcements(workload, path, scrapers, None, (Backend(workload, None, "TCP", number),))


def _of_service(service: Service, cluster: Cluster, scrapers: tuple[Workload, ...]) -> Iterator[Requirement]:
    path = ("metadata", "annotations")
    reached = {b for port in service.ports if port.protocol == "TCP" for b in backends(cluster, service, port)}
    number = _announced(service.root.get(*path), {backend.port for backend in reached})
    if number is not None:
        there = tuple(Backend(workload, None, "TCP", number) for workload in cluster.backends(service))
        if there:
            yield from _announcements(service, path, scrapers, service, there)


def _announced(annotations: Node | None, declared: set[int | None]) -> int | None:
    """The port that annotations announce: the one that they name, else the only one that there is."""
    if annotations is None or text_of(annotations.get(SCRAPE)) != "true":
        return None
    written = annotations.get(PORT)
    if written is not None:
        text = text_of(written) or str(integer_of(written) or "")
        return int(text) if text.isdecimal() and 0 < int(text) < 65536 else None
    return next(iter(declared)) if len(declared) == 1 else None


def _announcements(
    resource: Resource,
    path: Path,
    scrapers: tuple[Workload, ...],
    service: Service | None,
    reached: tuple[Backend, ...],
) -> Iterator[Requirement]:
    key = PORT if resource.root.get(*path, PORT) is not None else SCRAPE
    clients: tuple[Resource | None, ...] = scrapers or (None,)
    for client in clients:
        node = resource.root.at(*path, key)
        yield _requirement(client, service, None, reached, resource, (*path, key), node, Confidence.MEDIUM)


def _requirement(
    client: Resource | None,
    service: Service | None,
    port: ServicePort | None,
    reached: tuple[Backend, ...],
    resource: Resource,
    path: Path,
    node: Node,
    confidence: Confidence,
) -> Requirement:
    target = service.name if service is not None else next(b.workload.name for b in reached if b.workload is not None)
    number = port.number if port is not None else reached[0].port
    return Requirement(
        client=Client.PROMETHEUS,
        workload=client if isinstance(client, Workload) else None,
        service=service,
        service_port=port,
        backends=reached,
        resource=resource,
        path=path,
        place=node.place,
        written=f"{target}:{number}",
        confidence=confidence,
        ground=Ground.SCRAPE,
        client_object=client,
    )
