"""Services that work, and what makes them fragile: fixed addresses and ports, single pods, missing probes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder, text_of
from k8snetlint.model.workloads import Workload

from .edits import without_key
from .scaling import is_scaled

_DNS_PORT = 53
_TOPOLOGY = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")
# Images of stores whose members look one another up before they are ready.
_CLUSTERED = re.compile(
    r"cassandra|scylla|elasticsearch|opensearch|etcd|zookeeper|cockroach|rabbitmq|consul|galera|hazelcast|ignite|mongo"
    r"|nats|kafka|redpanda",
    re.IGNORECASE,
)


@check("SVC023")
def node_port_hard_coded(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A port of the nodes that is chosen by hand."""
    for port in service.ports:
        if port.node_port is not None and service.type in ("NodePort", "LoadBalancer"):
            yield ctx.report(
                service,
                *port.path,
                "nodePort",
                message=f"nodePort {port.node_port} is fixed: a second installation in the cluster is rejected",
                help="remove it and let the cluster choose, unless something outside goes by the number",
            )


@check("SVC040")
def cluster_ip_hard_coded(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A virtual address that is chosen by hand."""
    address = service.cluster_ip
    if address is None or service.is_headless or service.is_external_name or is_placeholder(address):
        return
    # The cluster's DNS has to have a known address; what was read back from a cluster has the one it was given.
    is_read_back = service.root.get("metadata", "uid") is not None
    if is_read_back or any(port.number == _DNS_PORT for port in service.ports):
        return
    if (service.namespace, service.name) == ("default", "kubernetes"):
        return
    edit = without_key(service, "spec", "clusterIP")
    yield ctx.report(
        service,
        "spec",
        "clusterIP",
        message=f"clusterIP {address} is fixed: in a cluster with another range, or where it is taken, the Service is"
        " rejected",
        help="remove it, and use the Service's name",
        fix=ctx.fix("Remove clusterIP", edit),
    )


@check("SVC064")
def service_target_without_readiness_probe(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """Pods that take traffic as soon as they run."""
    for workload in ctx.cluster.backends(service):
        running = workload.running_containers
        if not running or workload.is_job or workload.is_synthetic or service.publish_not_ready:
            continue
        if all(container.node.get("readinessProbe") is None for container in running):
            yield ctx.report(
                workload,
                *running[0].path,
                "name",
                message=f"no container has a readinessProbe: {service} sends traffic before the program can serve it",
                related=[ctx.location(service, "metadata", "name", label="the Service")],
                help="add a `readinessProbe`",
            )


@check("SVC065")
def service_single_replica_target(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """One pod behind a Service."""
    backends = ctx.cluster.backends(service)
    if len(backends) != 1 or backends[0].kind not in ("Deployment", "ReplicaSet", "StatefulSet", "Rollout"):
        return
    workload = backends[0]
    if workload.replicas not in (None, 1) or is_scaled(ctx, workload):
        return
    path = ("spec", "replicas") if workload.replicas is not None else ()
    yield ctx.report(
        workload,
        *path,
        message=f"one pod is all that is behind {service}: every restart is an outage",
        related=[ctx.location(service, "metadata", "name", label="the Service")],
        help="set `replicas` to 2 or more, or add an autoscaler",
    )


@check("SVC066")
def statefulset_without_service_name(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A StatefulSet whose pods have no names in DNS."""
    if not workload.service_name and workload.root.get("spec") is not None:
        yield ctx.report(
            workload,
            primary=ctx.near(workload, "spec", "serviceName"),
            message=f"StatefulSet `{workload.name}` has no serviceName, so its pods get no names in DNS",
            help="add a headless Service and name it in `serviceName`, or use a Deployment",
        )


@check("SVC070")
def publish_not_ready_missing_for_peer_discovery(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A governing Service that hides the members of a store from one another until they are ready."""
    if not service.is_headless or service.publish_not_ready:
        return
    for workload in ctx.cluster.backends(service):
        if workload.kind != "StatefulSet" or workload.service_name != service.name or workload.replicas == 1:
            continue
        image = next((found.image for found in workload.running_containers if _CLUSTERED.search(found.image)), None)
        if image is not None and any(
            container.node.get("readinessProbe") is not None for container in workload.running_containers
        ):
            yield ctx.report(
                service,
                primary=ctx.near(service, "spec", "publishNotReadyAddresses"),
                message=f"members of `{workload.name}` find one another only when they are ready, and `{image}` may not be"
                " ready before it has found them",
                related=[ctx.location(workload, "spec", "serviceName", label="governed by this Service")],
                help="set `publishNotReadyAddresses: true`",
            )
            return


@check("SVC073")
def service_target_port_prefer_named(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A number where every pod has a name for the port."""
    backends = ctx.cluster.backends(service)
    for port in service.ports:
        if not isinstance(port.target, int) or not backends:
            continue
        names = {
            next((p.name for p in workload.ports if p.number == port.target and p.protocol == port.protocol), None)
            for workload in backends
        }
        name = names.pop() if len(names) == 1 else None
        if name is None or any(workload.named_port(name, port.protocol) != port.target for workload in backends):
            continue
        path = (*port.path, "targetPort")
        yield ctx.report(
            service,
            *path,
            message=f"targetPort {port.target} is a number, though the pods call the port `{name}`",
            related=[ctx.location(backends[0], *_named(backends[0], name), label="named here")],
            help=f"write `{name}`",
            fix=ctx.fix(f"Write {name}", ctx.replace(service, *path, text=name)),
        )


def _named(workload: Workload, name: str) -> tuple[str | int, ...]:
    return next((*port.path, "name") for port in workload.ports if port.name == name)


@check("SVC076")
def topology_mode_with_traffic_distribution(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A field that an annotation overrides."""
    distribution = text_of(service.root.get("spec", "trafficDistribution"))
    for key in _TOPOLOGY if distribution else ():
        if service.annotations.get(key, "").lower() != "auto":
            continue
        path = ("metadata", "annotations", key)
        edit = without_key(service, *path)
        yield ctx.report(
            service,
            "spec",
            "trafficDistribution",
            message=f"trafficDistribution `{distribution}` has no effect: the annotation `{key}` goes before it",
            related=[ctx.location(service, *path, label="goes before it", key=True)],
            help="remove the annotation, or the field",
            fix=ctx.fix("Remove the annotation", edit),
        )
