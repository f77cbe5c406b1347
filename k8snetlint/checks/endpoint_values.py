"""Endpoints and EndpointSlices that the API server refuses, or that nothing reads."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.services import EndpointPort, Endpoints, EndpointSlice
from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.source.tree import Node, Path

from .choices import nearest, no_such_choice
from .words import listed

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
MULTICLUSTER_LABEL = "multicluster.kubernetes.io/service-name"
CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
ADDRESS_TYPES = ("IPv4", "IPv6", "FQDN")
PROTOCOLS = ("TCP", "UDP", "SCTP")
_HOST = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")


def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a text; None if it is none."""
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _addresses(resource: Endpoints | EndpointSlice) -> Iterator[tuple[Path, str]]:
    for subset in resource.subsets:
        for endpoint in subset.endpoints:
            if not is_placeholder(endpoint.address):
                yield endpoint.path, endpoint.address


@check("EP004")
def endpoints_empty_subset(resource: Endpoints | EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A subset, or an endpoint of a slice, without an address."""
    if isinstance(resource, Endpoints):
        for index, subset in enumerate(items_of(resource.root.get("subsets"))):
            if subset.is_mapping and not any(_written(subset.get(f)) for f in ("addresses", "notReadyAddresses")):
                yield ctx.report(
                    resource,
                    "subsets",
                    index,
                    message="the subset has neither addresses nor notReadyAddresses, which the API server rejects",
                    help="add an address, or write `subsets: []` for a Service without endpoints",
                )
        return
    for index, endpoint in enumerate(items_of(resource.root.get("endpoints"))):
        if endpoint.is_mapping and not _written(endpoint.get("addresses")):
            yield ctx.report(
                resource,
                "endpoints",
                index,
                message="the endpoint has no addresses, which the API server rejects",
                help="add an address, or write `endpoints: []` for a slice without endpoints",
            )


def _written(node: Node | None) -> bool:
    """Whether a list holds something, or what it holds is not known yet."""
    return node is not None and (bool(node.items) or is_placeholder(node.value))


@check("EP005")
def endpoint_address_invalid(resource: Endpoints | EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """An address that is none, or one of another family than the slice's."""
    family = resource.address_type if isinstance(resource, EndpointSlice) else None
    for path, address in _addresses(resource):
        found = parsed(address)
        if family == "FQDN":
            fault = None if _HOST.fullmatch(address) and found is None else "no DNS name, as the slice's type FQDN asks"
        elif found is None:
            kind = "a host name" if _HOST.fullmatch(address) and re.search("[a-z]", address) else "no IP address"
            fault = f"{kind}: endpoints take IP addresses only" if kind.startswith("a ") else kind
        elif family in ("IPv4", "IPv6") and family != f"IPv{found.version}":
            fault = f"an IPv{found.version} address in a slice of type {family}"
        else:
            fault = None
        if fault is None:
            continue
        is_name = fault.startswith("a host name")
        yield ctx.report(
            resource,
            *path,
            message=f"address `{address}` is {fault}; the API server rejects it",
            help="use a Service of type ExternalName for a host name"
            if is_name
            else "write an address of that family"
            if family
            else "write an IPv4 or IPv6 address",
        )


@check("EP006")
def endpoint_address_special(resource: Endpoints | EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """An address that no endpoint may have."""
    for path, address in _addresses(resource):
        found = parsed(address)
        if found is None:
            continue
        multicast_link = (found.version == 4 and str(found).startswith("224.0.0.")) or str(found).startswith("ff02:")
        if found.is_unspecified:
            kind = "unspecified"
        elif found.is_loopback:
            kind = "a loopback address"
        elif found.is_link_local:
            kind = "link-local"
        elif multicast_link:
            kind = "link-local multicast"
        elif found.is_multicast:
            kind = "a multicast address"
        else:
            continue
        is_accepted = kind == "a multicast address"
        yield ctx.report(
            resource,
            *path,
            message=f"address `{address}` is {kind}, and nothing can be reached there through a Service"
            if is_accepted
            else f"address `{address}` is {kind}, which the API server rejects",
            severity=Severity.WARNING if is_accepted else None,
            help="write the address under which the endpoint is reached from every node",
        )


@check("EP007")
def endpoint_port_invalid(resource: Endpoints | EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A port with a bad name, number or protocol, without a name among several, or twice in one list."""
    is_slice = isinstance(resource, EndpointSlice)
    for subset in resource.subsets:
        seen: dict[str, EndpointPort] = {}
        for port in subset.ports:
            node = resource.root.at(*port.path)
            if not node.is_mapping or is_placeholder(port.name):
                continue
            if port.name in seen:
                name = f"the name `{port.name}`" if port.name else "no name"
                yield ctx.report(
                    resource,
                    *port.path,
                    *(("name",) if port.name else ()),
                    message=f"two ports of the list have {name}: the API server rejects it",
                    related=[ctx.location(resource, *seen[port.name].path, label="the first of them")],
                    help="give each port a name of its own",
                )
            elif not port.name and len(subset.ports) > 1:
                consequence = "it serves an unnamed Service port only" if is_slice else "the API server rejects it"
                yield ctx.report(
                    resource,
                    *port.path,
                    message=f"the port has no name, though the list holds several: {consequence}",
                    severity=Severity.WARNING if is_slice else None,
                    help="give each port the name of the Service port that it serves",
                )
            elif port.name and (not _LABEL.fullmatch(port.name) or len(port.name) > 63):
                yield ctx.report(
                    resource,
                    *port.path,
                    "name",
                    message=f"port name `{port.name}` is no DNS label, and the API server rejects it",
                    help="use at most 63 lower-case letters, digits and dashes",
                )
            seen.setdefault(port.name, port)
            yield from _port_values(resource, ctx, port, node)


def _port_values(
    resource: Endpoints | EndpointSlice, ctx: Context, port: EndpointPort, node: Node
) -> Iterator[Diagnostic]:
    is_slice = isinstance(resource, EndpointSlice)
    number = node.get("port")
    if port.number is not None and not 1 <= port.number <= 65535:
        yield ctx.report(
            resource,
            *port.path,
            "port",
            message=f"port {port.number} is not between 1 and 65535"
            + (": nothing is served there" if is_slice else ", and the API server rejects it"),
            severity=Severity.WARNING if is_slice else None,
            help="write the number that the endpoints listen on",
        )
    elif not is_slice and (number is None or number.value is None):
        yield ctx.report(
            resource,
            *port.path,
            message="the port has no number, which the API server rejects",
            help="write the number that the endpoints listen on, as `port`",
        )
    if port.protocol not in PROTOCOLS and not is_placeholder(port.protocol):
        remedy = f"write one of {listed(PROTOCOLS, 'or')}; an application protocol goes into `appProtocol`"
        path = (*port.path, "protocol")
        yield no_such_choice(ctx, resource, *path, value=port.protocol, choices=PROTOCOLS, remedy=remedy)


@check("EP009")
def endpoints_api_deprecated(endpoints: Endpoints, ctx: Context) -> Iterator[Diagnostic]:
    """Use of the Endpoints API."""
    if ctx.settings.kube_version < (1, 33):
        return
    yield ctx.report(
        endpoints,
        "kind",
        message="the Endpoints API is deprecated since Kubernetes 1.33 in favour of EndpointSlice",
        help=f"write an EndpointSlice with the label `{SERVICE_NAME_LABEL}: {endpoints.name}`",
    )


@check("EP010")
def endpointslice_missing_service_label(item: EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A slice that belongs to no Service."""
    if item.service_name or MULTICLUSTER_LABEL in item.labels:
        return
    yield ctx.report(
        item,
        message=f"the EndpointSlice has no label `{SERVICE_NAME_LABEL}`, so it belongs to no Service",
        help=f"add the label `{SERVICE_NAME_LABEL}` with the Service's name",
    )


@check("EP012")
def endpointslice_managed_by_reserved(item: EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A hand-written slice that says a controller of Kubernetes made it."""
    manager = item.labels.get(MANAGED_BY_LABEL)
    if manager not in CONTROLLERS:
        return
    service = ctx.cluster.service(item.namespace, item.service_name or "")
    deletes = service is not None and bool(service.selector)
    yield ctx.report(
        item,
        "metadata",
        "labels",
        MANAGED_BY_LABEL,
        message=f"the slice says that `{manager}` manages it, so that controller "
        + ("deletes it" if deletes else "may delete it"),
        severity=Severity.WARNING if deletes else None,
        help="write a value of your own, such as `staff`",
        fix=ctx.fix("Write `staff`", ctx.replace(item, "metadata", "labels", MANAGED_BY_LABEL, text="staff")),
    )


@check("EP013")
def endpointslice_address_type_invalid(item: EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """A slice without an address type, with an unknown one, or with FQDN."""
    node = item.root.get("addressType")
    name = item.address_type or ""
    if name in ("IPv4", "IPv6") or is_placeholder(name):
        return
    near = nearest(name, ADDRESS_TYPES)
    if name == "FQDN":
        message = "addressType FQDN is deprecated, and kube-proxy ignores such slices"
    elif not name:
        message = "the EndpointSlice has no addressType, which the API server requires"
    else:
        hint = f"did you mean `{near}`?" if near else f"it is one of {listed(ADDRESS_TYPES, 'or')}"
        message = f"there is no addressType `{name}`; {hint}"
    yield ctx.report(
        item,
        primary=ctx.location(item, "addressType") if node is not None else None,
        message=message,
        severity=Severity.WARNING if name == "FQDN" else None,
        help="use a Service of type ExternalName" if name == "FQDN" else "write `addressType: IPv4` or `IPv6`",
    )


@check("EP014")
def endpointslice_limits_exceeded(item: EndpointSlice, ctx: Context) -> Iterator[Diagnostic]:
    """More endpoints, ports or addresses than a slice may have."""
    for field, limit in (("endpoints", 1000), ("ports", 20000)):
        count = len(items_of(item.root.get(field)))
        if count > limit:
            yield ctx.report(
                item,
                field,
                key=True,
                message=f"the slice has {count} {field}, and the API server takes {limit}",
                help="spread them over several slices",
            )
    for index, endpoint in enumerate(items_of(item.root.get("endpoints"))):
        count = len(items_of(endpoint.get("addresses")))
        if count > 1:
            first = text_of(endpoint.get("addresses", 0))
            yield ctx.report(
                item,
                "endpoints",
                index,
                "addresses",
                key=True,
                message=f"the endpoint has {count} addresses, and the API server takes 100"
                if count > 100
                else f"the endpoint has {count} addresses, and kube-proxy uses only the first, `{first}`",
                severity=None if count > 100 else Severity.WARNING,
                help="write an endpoint for each address",
            )
