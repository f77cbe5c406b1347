"""Hand-written endpoints and the Services that they are written for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import EndpointPort, Endpoints, EndpointSlice, Service
from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Path

from .container_ports import PROTOCOLS
from .endpoint_values import SERVICE_NAME_LABEL, parsed
from .missing_services import missing_service, service_of

_LEADER = "control-plane.alpha.kubernetes.io/leader"


def volume_endpoints(cluster: Cluster, _settings: Settings) -> frozenset[str]:
    """The names of Endpoints that GlusterFS volumes read without a Service."""
    found: set[str] = set()
    for workload in cluster.workloads:
        spec = workload.pod_spec
        for volume in items_of(spec.get("volumes")) if spec is not None else ():
            found.add(text_of(volume.get("glusterfs", "endpoints")) or "")
    for resource in cluster.of_kind("", "PersistentVolume"):
        found.add(text_of(resource.root.get("spec", "glusterfs", "endpoints")) or "")
    return frozenset(found)


@check("EP001")
def endpoints_without_service(endpoints: Endpoints, ctx: Context) -> Iterator[Diagnostic]:
    """Endpoints whose Service is not there."""
    name = endpoints.name
    if _LEADER in endpoints.annotations or not endpoints.subsets or name in ctx.once(volume_endpoints):
        return
    missing = missing_service(ctx, endpoints.namespace, name)
    if missing is None:
        return
    yield ctx.report(
        endpoints,
        message=f"there is no Service `{name}` in namespace `{endpoints.namespace}` for the Endpoints; {missing.hint}",
        severity=min(missing.severity, ctx.rule.severity),
        confidence=missing.confidence,
        help=f"name the Endpoints `{missing.near}`" if missing.near else f"add a Service `{name}` without a selector",
    )


@check("EP011")
def endpointslice_service_not_found(item: EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A slice whose label names a Service that is not there."""
    name = item.service_name
    missing = missing_service(ctx, item.namespace, name) if name else None
    if missing is None or name is None:
        return
    path = ("metadata", "labels", SERVICE_NAME_LABEL)
    near = missing.near
    yield ctx.report(
        item,
        *path,
        message=f"there is no Service `{name}` in namespace `{item.namespace}` for the slice; {missing.hint}",
        severity=min(missing.severity, ctx.rule.severity),
        confidence=missing.confidence,
        help=f"write `{near}`" if near else f"add a Service `{name}` without a selector",
        fix=ctx.fix(f"Use the Service {near}", ctx.replace(item, *path, text=near)) if near else None,
    )


def _served(resource: Endpoints | EndpointSlice, ctx: Context) -> Service | None:
    name = resource.service_name
    return service_of(ctx, resource.namespace, name) if name else None


@check("EP002")
def endpoints_overwritten_by_controller(resource: Endpoints | EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """Hand-written endpoints of a Service that selects its pods."""
    service = _served(resource, ctx)
    if service is None or service.label_selector is None or not any(s.endpoints for s in resource.subsets):
        return
    if _LEADER in resource.annotations:
        return
    is_slice = isinstance(resource, EndpointSlice)
    yield ctx.report(
        resource,
        message=f"the slice adds endpoints beside the selected pods: Service `{service.name}` has a selector"
        if is_slice
        else f"the endpoints controller overwrites these Endpoints: Service `{service.name}` has a selector",
        severity=Severity.NOTE if is_slice else None,
        related=[ctx.location(service, "spec", "selector", key=True, label="selects pods")],
        help="remove the selector from the Service, or these endpoints",
    )


def _ports(resource: Endpoints | EndpointSlice) -> Iterator[EndpointPort]:
    for subset in resource.subsets:
        if subset.endpoints:
            yield from subset.ports


@check("EP003")
def endpoints_port_name_mismatch(resource: Endpoints | EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A port that no port of the Service has the name of, while one of the Service has no endpoints."""
    service = _served(resource, ctx)
    if service is None or not service.ports or service.selector or service.is_headless or service.is_external_name:
        return
    names = {port.name or "" for port in service.ports}
    served = {port.name for other in ctx.cluster.endpoints(service) for port in _ports(other)}
    lost = [port for port in service.ports if (port.name or "") not in served]
    if not lost or any(map(is_placeholder, (*names, *served))):
        return
    for port in _ports(resource):
        if port.name in names:
            continue
        same_number = [other for other in lost if other.number == port.number]
        meant = lost[0] if len(lost) == 1 else same_number[0] if len(same_number) == 1 else None
        path: Path = (*port.path, "name") if port.name else port.path
        written = f"port `{port.name}`" if port.name else "the port without a name"
        replacement = meant.name if meant is not None else None
        wanted = [f"`{other.name}`" if other.name else "one without a name" for other in lost]
        yield ctx.report(
            resource,
            *path,
            message=(
                f"{written} belongs to no port of Service `{service.name}`, which waits for {' and '.join(wanted)}:"
                " ports are joined by name"
            ),
            label="no such port name",
            related=[ctx.location(service, *other.path, label="has no endpoints") for other in lost[:3]],
            help=f"name the port `{replacement}`" if replacement else "give both ports the same name, or none",
            fix=ctx.fix(f"Name the port {replacement}", ctx.replace(resource, *path, text=replacement))
            if replacement and port.name
            else None,
        )


@check("EP015")
def endpoints_port_protocol_mismatch(resource: EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A port of a slice whose protocol is not that of the Service port of its name."""
    service = _served(resource, ctx)
    if service is None:
        return
    by_name: dict[str, set[str]] = {}
    for own in service.ports:
        by_name.setdefault(own.name or "", set()).add(own.protocol)
    for port in _ports(resource):
        protocols = by_name.get(port.name, set())
        if (
            not protocols
            or port.protocol in protocols
            or port.protocol not in PROTOCOLS
            or any(map(is_placeholder, (*protocols, port.protocol)))
        ):
            continue
        wanted = sorted(protocols)
        at = (*port.path, "protocol")
        is_written = resource.root.get(*at) is not None
        yield ctx.report(
            resource,
            *(at if is_written else port.path),
            message=(
                f"{f'port `{port.name}`' if port.name else 'the port without a name'} is {port.protocol}"
                f"{'' if is_written else ' by default'} here, and in Service `{service.name}` it is {' or '.join(wanted)}"
            ),
            related=[ctx.location(service, *own.path, label="another protocol") for own in service.ports[:1]],
            help=f"write `protocol: {wanted[0]}`",
            fix=ctx.fix(f"Write {wanted[0]}", ctx.replace(resource, *at, text=wanted[0])) if is_written else None,
        )


def cluster_ips(cluster: Cluster, _settings: Settings) -> Mapping[str, Service]:
    """The Services by the cluster IP that they ask for."""
    return {
        service.cluster_ip: service for service in cluster.services if service.cluster_ip and parsed(service.cluster_ip)
    }


@check("EP008")
def endpoint_address_is_service_ip(resource: Endpoints | EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """An address that is the cluster IP of a Service."""
    known = ctx.once(cluster_ips)
    ranges = ctx.settings.cluster.service_cidrs
    for subset in resource.subsets:
        for endpoint in subset.endpoints:
            found = parsed(endpoint.address)
            if found is None:
                continue
            service = known.get(str(found))
            if service is not None:
                what = f"the cluster IP of Service `{service.name}`"
            elif any(Address.parse(str(found)) in AddressSet.cidr(text) for text in ranges):
                what = f"in the Service range {' and '.join(ranges)}"
            else:
                continue
            yield ctx.report(
                resource,
                *endpoint.path,
                message=f"address `{endpoint.address}` is {what}: kube-proxy does not forward to virtual addresses",
                related=[ctx.location(service, "spec", "clusterIP", label="the same address")] if service else (),
                help="name the Service by an ExternalName Service, or list its pods' addresses",
            )
