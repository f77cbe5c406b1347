"""Traefik: middlewares, routes and rules of Ingresses and IngressRoutes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.services import Service
from k8snetlint.model.values import int_or_string_of, is_placeholder, items_of, text_of
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Node, Path

from .choices import nearest
from .missing_services import has_port, is_open_to, missing_service, near_name, service_of
from .words import listed

PREFIX = "traefik.ingress.kubernetes.io/"
MIDDLEWARES = f"{PREFIX}router.middlewares"
GROUPS = ("traefik.io", "traefik.containo.us")
_CRD = "@kubernetescrd"
_V1 = frozenset(
    re.findall(
        r"\S+",
        """
        app-root auth-realm auth-secret auth-tls-insecure auth-type buffering circuit-breaker-expression
        custom-request-headers custom-response-headers error-pages frontend-entry-points load-balancer-method
        max-conn-amount max-conn-extractor-func pass-client-tls-cert pass-tls-cert preserve-host priority rate-limit
        redirect-entry-point redirect-permanent redirect-regex redirect-replacement request-modifier responseforwarding
        rewrite-target rule-type service-weights session-cookie-name affinity whitelist-source-range
        whitelist-x-forwarded-for
        """,
    )
)
# Matchers of Traefik 2 and 3. Source: Traefik, rules and priority of routers.
_MATCHERS = frozenset(
    re.findall(
        r"\S+",
        """
        ALPN ClientIP Header HeaderRegexp Headers HeadersRegexp Host HostHeader HostRegexp HostSNI HostSNIRegexp Method
        Path PathPrefix PathRegexp Query QueryRegexp
        """,
    )
)
Middlewares = Mapping[str | None, tuple[Resource, ...]]


def middlewares(cluster: Cluster, _settings: Settings) -> Middlewares:
    """The Middlewares of each namespace."""
    found: dict[str | None, list[Resource]] = {}
    for group in GROUPS:
        for kind in ("Middleware", "MiddlewareTCP"):
            for resource in cluster.of_kind(group, kind):
                found.setdefault(resource.namespace, []).append(resource)
    return {namespace: tuple(resources) for namespace, resources in found.items()}


def _named_middlewares(ingress: Ingress, ctx: Context) -> Iterator[tuple[str, Location]]:
    """The entries of the annotation with their places."""
    value = ingress.annotations.get(MIDDLEWARES)
    if not value or is_placeholder(value):
        return
    node = ingress.root.at("metadata", "annotations", MIDDLEWARES)
    at = 0
    for part in value.split(","):
        entry = part.strip()
        start = value.index(entry, at) if entry else at
        at = start + len(entry)
        if entry:
            yield entry, Location(node.part(start, at))


@check("ING048")
def traefik_middleware_reference_format(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A middleware that is not named as the annotation wants it."""
    known = ctx.once(middlewares).get(ingress.namespace, ())
    for entry, place in _named_middlewares(ingress, ctx):
        name, at, provider = entry.partition("@")
        own = next((item for item in known if item.name == name), None)
        wanted = f"{ingress.namespace}-{name}{_CRD}"
        if not at:
            prefixed = next((item for item in known if f"{item.namespace}-{item.name}" == name), None)
            wanted = f"{name}{_CRD}" if prefixed is not None else wanted
            fault = f"names no provider: a Middleware is written `<namespace>-<name>{_CRD}`"
        elif provider == _CRD[1:] and (own is not None or "-" not in name):
            if any(
                f"{item.namespace}-{item.name}" == name for items in ctx.once(middlewares).values() for item in items
            ):
                continue
            fault = "lacks the namespace: a Middleware is written `<namespace>-<name>` here"
        else:
            continue
        yield ctx.report(
            ingress,
            "metadata",
            "annotations",
            MIDDLEWARES,
            primary=place,
            message=f"middleware `{entry}` {fault}, so Traefik does not find it and drops the router",
            related=[ctx.location(own, "metadata", "name", label="the Middleware meant?")] if own is not None else (),
            help=f"write `{wanted}`",
        )


@check("ING047")
def traefik_middleware_not_found(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A Middleware that is not there."""
    known = ctx.once(middlewares)
    if isinstance(resource, Ingress):
        everywhere = {f"{item.namespace}-{item.name}": item for items in known.values() for item in items}
        for entry, place in _named_middlewares(resource, ctx):
            name = entry.removesuffix(_CRD)
            if not entry.endswith(_CRD) or name in everywhere or "-" not in name:
                continue
            prefix = f"{resource.namespace}-"
            if not name.startswith(prefix) or any(item.name == name for item in known.get(resource.namespace, ())):
                continue
            yield from _lost(ctx, resource, place, name.removeprefix(prefix), resource.namespace)
        return
    for index, route in enumerate(items_of(resource.root.get("spec", "routes"))):
        for position, node in enumerate(items_of(route.get("middlewares"))):
            name = text_of(node.get("name")) or ""
            namespace = text_of(node.get("namespace")) or resource.namespace
            if not name or "@" in name or is_placeholder(name) or is_placeholder(namespace):
                continue
            if not any(item.name == name for item in known.get(namespace, ())):
                place = ctx.location(resource, "spec", "routes", index, "middlewares", position, "name")
                yield from _lost(ctx, resource, place, name, namespace)


def _lost(ctx: Context, resource: Resource, place: Location, name: str, namespace: str | None) -> Iterator[Diagnostic]:
    names = sorted(item.name for item in ctx.once(middlewares).get(namespace, ()))
    near = near_name(name, names) if ctx.unit.shows_all else None
    is_open = is_open_to(ctx, namespace or "")
    is_quiet = near is None and (is_open or not names)
    yield ctx.report(
        resource,
        primary=place,
        message=f"there is no Middleware `{name}` in namespace `{namespace}`, and without it Traefik drops the router"
        + (f"; did you mean `{near}`?" if near else f"; there is {listed(names)}" if 0 < len(names) < 5 else ""),
        severity=Severity.ERROR if near else Severity.NOTE if is_quiet else None,
        confidence=Confidence.HIGH if near else Confidence.LOW if is_quiet else None,
        help=f"write `{near}`" if near else "name a Middleware that exists",
    )


@check("ING049")
def traefik_v1_annotation(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An annotation of Traefik 1."""
    for key in ingress.annotations:
        if (key.startswith(PREFIX) and key.removeprefix(PREFIX) in _V1) or key.startswith("traefik.frontend."):
            yield ctx.report(
                ingress,
                "metadata",
                "annotations",
                key,
                key=True,
                message=f"annotation `{key}` is of Traefik 1: later versions ignore it",
                help=f"use a Middleware and name it in `{MIDDLEWARES}`",
            )


def _route_services(route: Resource) -> Iterator[tuple[Path, Node]]:
    for index, node in enumerate(items_of(route.root.get("spec", "routes"))):
        for position, service in enumerate(items_of(node.get("services"))):
            yield ("spec", "routes", index, "services", position), service


@check("ING050")
def traefik_ingressroute_backend_not_found(route: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A Service of a route, or its port, that is not there."""
    seen: set[tuple[str | None, str, int | str | None]] = set()
    for path, node in _route_services(route):
        name = text_of(node.get("name")) or ""
        namespace = text_of(node.get("namespace")) or route.namespace
        port = int_or_string_of(node.get("port"))
        if (text_of(node.get("kind")) or "Service") != "Service" or "@" in name or (namespace, name, port) in seen:
            continue
        seen.add((namespace, name, port))
        missing = missing_service(ctx, namespace, name)
        if missing is not None:
            near = missing.near
            yield ctx.report(
                route,
                *path,
                "name",
                message=f"there is no Service `{name}` in namespace `{namespace}`; {missing.hint}",
                severity=missing.severity,
                confidence=missing.confidence,
                help=f"write `{near}`" if near else "name a Service that exists, or add it to `external.services`",
                fix=ctx.fix(f"Use the Service {near}", ctx.replace(route, *path, "name", text=near)) if near else None,
            )
            continue
        service = service_of(ctx, namespace, name)
        if service is not None and port is not None:
            yield from _route_port(ctx, route, (*path, "port"), service, port)


def _route_port(ctx: Context, route: Resource, path: Path, service: Service, port: int | str) -> Iterator[Diagnostic]:
    known = [own.number for own in service.ports]
    is_known = has_port(ctx, service, port) or (isinstance(port, str) and port.isdigit() and int(port) in known)
    if is_known or is_placeholder(port) or not known or None in known or service.is_external_name:
        return
    only = str(known[0]) if len(known) == 1 else None
    yield ctx.report(
        route,
        *path,
        message=f"backend Service `{service.name}` has no port `{port}`; it has {listed(known)}",
        severity=Severity.ERROR if ctx.unit.shows_all else None,
        confidence=Confidence.HIGH if ctx.unit.shows_all else None,
        related=[ctx.location(service, "spec", "ports", key=True, label="its ports")],
        help="write the number or the name of a port of the Service",
        fix=ctx.fix(f"Use port {only}", ctx.replace(route, *path, text=only)) if only else None,
    )


@check("ING051")
def traefik_rule_invalid(route: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A rule that Traefik cannot read."""
    for index, node in enumerate(items_of(route.root.get("spec", "routes"))):
        rule = text_of(node.get("match"))
        if not rule or is_placeholder(rule.replace("$", "").replace("{", "").replace("<", "")) or "{{" in rule:
            continue
        fault = rule_fault(rule)
        if fault is not None:
            yield ctx.report(
                route,
                "spec",
                "routes",
                index,
                "match",
                message=f"the rule cannot be read by Traefik, which creates no router: {fault}",
                help="write a rule such as ``Host(`shop.example.com`) && PathPrefix(`/cart`)``",
            )


def rule_fault(rule: str) -> str | None:
    """What keeps a text from being a rule of Traefik 2 or 3; None if nothing that can be told does."""
    if rule.count("`") % 2:
        return "a backtick has no partner"
    bare = re.sub(r"`[^`]*`|\"(?:\\.|[^\"\\])*\"", "`", rule)
    if "'" in bare:
        return "values stand in backticks or double quotes, not in single quotes"
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    if depth:
        return "a parenthesis has no partner"
    if re.search(r"\b[A-Za-z]+:", bare):
        return "it is written in the form of Traefik 1"
    for name, argument in re.findall(r"([A-Za-z]\w*)\s*\(\s*([^)\s]?)", bare):
        if name not in _MATCHERS:
            near = nearest(name, _MATCHERS)
            return f"there is no matcher `{name}`" + (f"; did you mean `{near}`?" if near else "")
        if argument not in ("`", ""):
            return f"the value of `{name}` stands in neither backticks nor double quotes"
    if re.search(r"[A-Za-z`)]\s*(?:\band\b|\bor\b|(?<!&)&(?!&)|(?<!\|)\|(?!\|))\s*", re.sub(r"`", "", bare)):
        return "conditions are joined by `&&` and `||`"
    return None
