"""Fields of Services: type, addresses, traffic policies, and which of them go together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service
from k8snetlint.model.values import integer_of, is_placeholder, items_of, text_of, texts_of
from k8snetlint.source.edit import Edit
from k8snetlint.source.tree import Path

from .choices import no_such_choice
from .edits import without_key
from .labels import key_fault

TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_BALANCER_FIELDS = ("loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts")
_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
# Since when a value of trafficDistribution is known. Source: Kubernetes API reference, ServiceSpec v1.
_DISTRIBUTIONS = {"PreferClose": (1, 30), "PreferSameZone": (1, 34), "PreferSameNode": (1, 34)}
_AFFINITIES = ("None", "ClientIP")
_LONGEST_AFFINITY_SECONDS = 86400
# From this version on, a Service's name may begin with a digit. Source: KEP 5311.
_RELAXED_NAMES = (1, 36)


def _field(service: Service, *path: str) -> str | None:
    return text_of(service.root.get("spec", *path))


def _removal(service: Service, field: str) -> tuple[Edit | None, str]:
    return without_key(service, "spec", field), f"Remove {field}"


@check("SVC018")
def service_type_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A type that does not exist."""
    if service.type in TYPES or is_placeholder(service.type):
        return
    yield no_such_choice(ctx, service, "spec", "type", value=service.type, choices=TYPES)


@check("SVC024")
def service_type_node_port(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that opens a port on every node."""
    if service.type == "NodePort":
        yield ctx.report(
            service,
            "spec",
            "type",
            message="opens a port on every node, outside any Ingress or Gateway",
            help="use type ClusterIP behind an Ingress or Gateway, unless the nodes are meant to serve",
        )


@check("SVC025")
def service_type_load_balancer(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that asks for a load balancer of its own."""
    if service.type == "LoadBalancer":
        yield ctx.report(
            service,
            "spec",
            "type",
            message="asks for a load balancer of its own, with an address outside the cluster",
            help="use type ClusterIP behind an Ingress or Gateway, unless it is an edge of the cluster",
        )


@check("SVC027")
def load_balancer_source_ranges_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A source range that is no block of addresses."""
    written: list[tuple[Path, str]] = [
        (("spec", "loadBalancerSourceRanges", index), text)
        for index, item in enumerate(items_of(service.root.get("spec", "loadBalancerSourceRanges")))
        if (text := text_of(item)) is not None
    ]
    annotated = service.annotations.get(_RANGES_ANNOTATION, "")
    if not written and annotated.strip():
        written = [(("metadata", "annotations", _RANGES_ANNOTATION), text) for text in annotated.split(",")]
    for path, text in written:
        if not is_placeholder(text) and not _is_block(text.strip()):
            yield ctx.report(
                service,
                *path,
                message=f"source range `{text}` is no block of addresses such as 10.0.0.0/8",
                help="write a CIDR; one address is `/32`",
            )


def _is_block(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


@check("SVC028")
def load_balancer_source_ranges_any(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A source range that is everyone."""
    for index, text in enumerate(texts_of(service.root.get("spec", "loadBalancerSourceRanges"))):
        if text.strip() in ("0.0.0.0/0", "::/0"):
            yield ctx.report(
                service,
                "spec",
                "loadBalancerSourceRanges",
                index,
                message=f"source range {text.strip()} is every address, so the list restricts nothing",
                help="name the ranges that are to reach it, or remove the list",
            )


@check("SVC029")
def load_balancer_field_on_wrong_type(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A load balancer's field on a Service that has none."""
    if service.type == "LoadBalancer" or is_placeholder(service.type):
        return
    if service.annotations.get(_RANGES_ANNOTATION, "").strip():
        yield ctx.report(
            service,
            "metadata",
            "annotations",
            _RANGES_ANNOTATION,
            key=True,
            message=f"`{_RANGES_ANNOTATION}` needs type LoadBalancer, and this Service is a {service.type}",
            help="remove it, or set `type: LoadBalancer`",
        )
    for field in _BALANCER_FIELDS:
        node = service.root.get("spec", field)
        if node is None or node.value is None or node.value == []:
            continue
        edit, title = _removal(service, field)
        yield ctx.report(
            service,
            "spec",
            field,
            key=True,
            message=f"{field} needs type LoadBalancer, and this Service is a {service.type}",
            help="remove it, or set `type: LoadBalancer`",
            fix=ctx.fix(title, edit),
        )


@check("SVC030")
def load_balancer_class_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A loadBalancerClass that is no label key."""
    value = _field(service, "loadBalancerClass")
    fault = key_fault(value) if value is not None and not is_placeholder(value) else None
    if fault is not None:
        yield ctx.report(
            service,
            "spec",
            "loadBalancerClass",
            message=f"loadBalancerClass `{value}` is not valid: {fault}",
            help="write a name like `example.com/internal`",
        )


@check("SVC032")
def external_traffic_policy_wrong_type(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An externalTrafficPolicy where no traffic comes from outside."""
    policy = _field(service, "externalTrafficPolicy")
    if not policy or service.type in ("NodePort", "LoadBalancer") or is_placeholder(service.type):
        return
    if service.type == "ClusterIP" and items_of(service.root.get("spec", "externalIPs")):
        return
    edit, title = _removal(service, "externalTrafficPolicy")
    yield ctx.report(
        service,
        "spec",
        "externalTrafficPolicy",
        message=f"externalTrafficPolicy needs type NodePort or LoadBalancer, and this Service is a {service.type}",
        help="remove it",
        fix=ctx.fix(title, edit),
    )


@check("SVC033")
def traffic_policy_invalid_value(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A traffic policy that does not exist."""
    version = ctx.settings.kube_version
    distributions = tuple(value for value, since in _DISTRIBUTIONS.items() if since <= version)
    for field, known in (
        ("externalTrafficPolicy", ("Cluster", "Local")),
        ("internalTrafficPolicy", ("Cluster", "Local")),
        ("trafficDistribution", distributions),
    ):
        value = _field(service, field)
        if value and value not in known and not is_placeholder(value):
            remedy = "write one of these values, or remove the field"
            yield no_such_choice(ctx, service, "spec", field, value=value, choices=known, remedy=remedy)


@check("SVC037")
def session_affinity_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A session affinity that does not exist, or a timeout that it cannot have."""
    affinity = _field(service, "sessionAffinity")
    if affinity and affinity not in _AFFINITIES and not is_placeholder(affinity):
        remedy = "write ClientIP, or remove it"
        yield no_such_choice(
            ctx, service, "spec", "sessionAffinity", value=affinity, choices=_AFFINITIES, remedy=remedy
        )
        return
    config = service.root.get("spec", "sessionAffinityConfig")
    if config is None or config.value is None:
        return
    path = ("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")
    seconds = integer_of(service.root.get(*path))
    if affinity != "ClientIP" and not is_placeholder(affinity):
        yield ctx.report(
            service,
            "spec",
            "sessionAffinityConfig",
            key=True,
            message="sessionAffinityConfig needs `sessionAffinity: ClientIP`",
            help="set sessionAffinity, or remove the config",
        )
    elif seconds is not None and not 0 < seconds <= _LONGEST_AFFINITY_SECONDS:
        yield ctx.report(
            service,
            *path,
            message=f"timeoutSeconds {seconds} is not from 1 to {_LONGEST_AFFINITY_SECONDS}",
            help="write a number of seconds up to a day",
        )


@check("SVC051")
def service_external_ips(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """Addresses outside that every node claims."""
    if items_of(service.root.get("spec", "externalIPs")):
        yield ctx.report(
            service,
            "spec",
            "externalIPs",
            key=True,
            message="externalIPs lets whoever may write Services take over traffic for any address; it is deprecated",
            help="use a LoadBalancer or a Gateway for the address",
        )


@check("SVC052")
def service_external_ip_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An external address that no packet from outside can have."""
    for index, text in enumerate(texts_of(service.root.get("spec", "externalIPs"))):
        if is_placeholder(text):
            continue
        path = ("spec", "externalIPs", index)
        try:
            address = ip_address(text)
        except ValueError:
            wrong, severity = "is no address", Severity.ERROR
        else:
            if address.is_unspecified:
                wrong, severity = "is the unspecified address", Severity.ERROR
            elif address.is_loopback:
                wrong, severity = "is a loopback address", Severity.ERROR
            elif address.is_link_local or text.startswith(("224.0.0.", "ff02:")):
                wrong, severity = "is a link-local address", Severity.ERROR
            elif address.is_multicast:
                wrong, severity = "is a multicast address", Severity.WARNING
            else:
                continue
        yield ctx.report(
            service,
            *path,
            severity=severity,
            message=f"external IP `{text}` {wrong}",
            help="write an address that packets from outside can be sent to",
        )


@check("SVC056")
def service_name_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A name that is no DNS label."""
    name = service.name
    if not name or is_placeholder(name) or service.root.get("metadata", "name") is None:
        return
    if len(name) > 63:
        wrong = f"has {len(name)} characters, and a DNS label has 63 at most"
    elif _DNS_LABEL.match(name) is None:
        wrong = "is no DNS label: lower-case letters, digits and `-` inside are allowed"
    elif name[0].isdigit():
        if ctx.settings.kube_version >= _RELAXED_NAMES:
            return
        wrong = "begins with a digit, which Kubernetes before 1.36 refuses"
    else:
        return
    # A chart's own values leave what its user has to name empty.
    is_unfinished = ctx.unit.type == "chart" and _DNS_LABEL.match(name.strip("-")) is not None and len(name) <= 63
    yield ctx.report(
        service,
        "metadata",
        "name",
        message=f"the name `{name}` {wrong}",
        severity=Severity.NOTE if is_unfinished else None,
        confidence=Confidence.LOW if is_unfinished else None,
        help="rename the Service: its name is a label of its DNS name",
    )


@check("SVC060")
def topology_annotation_conflict(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """The old and the new annotation for topology, with different values."""
    old, new = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
    first, second = service.annotations.get(old), service.annotations.get(new)
    if first is None:
        return
    if second is not None and first != second:
        message = f"`{old}: {first}` and `{new}: {second}` disagree, and the Service is rejected"
    else:
        message = f"`{old}` is deprecated since Kubernetes 1.27 and has another name now: `{new}`"
    yield ctx.report(
        service,
        "metadata",
        "annotations",
        old,
        key=True,
        message=message,
        help=f"keep only `{new}`, or use `spec.trafficDistribution`",
    )
