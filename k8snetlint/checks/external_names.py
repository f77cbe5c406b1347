"""ExternalName Services: DNS aliases, and what people take them for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address

from k8snetlint.analysis.routing import aliased, find_service, named_services, service_name
from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder

from .edits import without_key
from .existence import missing_level

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_WITH_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?P<host>[A-Za-z0-9.-]+)(?::[0-9]+)?(?:/.*)?\Z")
_LOOPBACK = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})


def _name(service: Service) -> str | None:
    """The external name of an ExternalName Service, where it is known."""
    name = service.external_name if service.is_external_name else None
    return name if name and not is_placeholder(name) else None


def _decorated(name: str) -> str | None:
    """The host in a name that carries a scheme, a port or a path; None where it carries none."""
    match = _WITH_SCHEME.match(name)
    return match["host"] if match is not None and match["host"] != name else None


@check("SVC044")
def external_name_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An alias without a name, or of something that is no DNS name."""
    if not service.is_external_name or is_placeholder(service.external_name):
        return
    name = service.external_name
    if not name:
        yield ctx.report(
            service,
            primary=ctx.near(service, "spec", "type"),
            message="an ExternalName Service needs an `externalName`",
            help="add `externalName`, or change the type",
        )
        return
    host = name.removesuffix(".")
    if _decorated(name) is None and (len(host) > 253 or not all(_LABEL.match(label) for label in host.split("."))):
        yield ctx.report(
            service,
            "spec",
            "externalName",
            message=f"externalName `{name}` is no DNS name: lower-case letters, digits, `-` and `.` are allowed",
            help="write a lower-case DNS name",
        )


@check("SVC045")
def external_name_is_ip(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An IPv4 address where a name belongs; an IPv6 one is no DNS name, and SVC044 says so."""
    name = _name(service)
    if name is None:
        return
    try:
        IPv4Address(name)
    except ValueError:
        return
    yield ctx.report(
        service,
        "spec",
        "externalName",
        message=f"externalName `{name}` is taken for a name made of digits, so DNS clients never resolve it",
        help="use a Service without a selector, and an EndpointSlice with the address",
    )


@check("SVC046")
def external_name_with_scheme_or_port(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A URL where a name belongs."""
    name = _name(service)
    host = _decorated(name) if name is not None else None
    if name is None or host is None:
        return
    yield ctx.report(
        service,
        "spec",
        "externalName",
        message=f"externalName `{name}` is no bare DNS name: scheme, port and path have no place in it",
        help=f"write `{host}`",
        fix=ctx.fix("Keep the host name only", ctx.replace(service, "spec", "externalName", text=host)),
    )


@check("SVC047")
def external_name_localhost(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An alias of whoever asks."""
    name = (_name(service) or "").removesuffix(".").lower()
    if name in _LOOPBACK or name.endswith(".localhost") or name.startswith("127."):
        yield ctx.report(
            service,
            "spec",
            "externalName",
            message=f"externalName `{name}` leads every client, an ingress controller among them, to itself",
            help="name the host that is meant",
        )


@check("SVC048")
def external_name_target_not_found(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An alias of a Service that is not there."""
    name = _name(service)
    target = service_name(name, service.namespace or "", ctx.settings.cluster.dns_domain) if name is not None else None
    if name is None or target is None or not target.is_qualified:
        return
    found = find_service(ctx.cluster, target)
    if found is not None:
        chain = aliased(ctx.cluster, found, ctx.settings.cluster.dns_domain)
        if service in chain:
            what = "itself" if found is service else f"{found}, which leads back here"
            yield ctx.report(
                service,
                "spec",
                "externalName",
                message=f"externalName names {what}, so the name never resolves",
                help="name the host or the Service that is meant",
            )
        elif name.rstrip(".").lower().endswith(".svc"):
            whole = f"{name.rstrip('.')}.{ctx.settings.cluster.dns_domain}"
            yield ctx.report(
                service,
                "spec",
                "externalName",
                message=f"externalName `{name}` lacks the cluster's domain: no search list completes an alias",
                help=f"write `{whole}`",
            )
        return
    level = missing_level(ctx, target.namespace, has_such=bool(named_services(ctx.cluster, target.namespace)))
    yield ctx.report(
        service,
        "spec",
        "externalName",
        message=f"externalName names the Service `{target.name}` of namespace {target.namespace}, which is not there",
        severity=level.severity,
        confidence=level.confidence,
        help="name a Service that exists",
    )


@check("SVC049")
def external_name_ignored_fields(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """Fields that an alias cannot honour: rejected, or without effect."""
    if not service.is_external_name:
        return
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "selector"):
        node = service.root.get("spec", field)
        if node is None or node.value in (None, "", [], {}):
            continue
        is_rejected = field != "selector"
        edit = without_key(service, "spec", field)
        what = "is rejected by the API server" if is_rejected else "selects nothing: the Service is a DNS alias"
        yield ctx.report(
            service,
            "spec",
            field,
            key=True,
            message=f"{field} on an ExternalName Service {what}",
            severity=Severity.ERROR if is_rejected else Severity.WARNING,
            help="remove it, or change the type",
            fix=ctx.fix(f"Remove {field}", edit),
        )


@check("SVC050")
def external_name_without_type(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An external name on a Service of another type."""
    if service.external_name and not service.is_external_name and not is_placeholder(service.type):
        yield ctx.report(
            service,
            "spec",
            "externalName",
            message=f"externalName has no effect on a Service of type {service.type}",
            help="set `type: ExternalName`, or remove it",
        )
