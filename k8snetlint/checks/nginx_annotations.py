"""Annotations of ingress-nginx: unknown ones, values it cannot read, and what they do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.services import ServicePort
from k8snetlint.model.values import is_placeholder, items_of
from k8snetlint.source.edit import Edit

from .ingress_controllers import (
    ALB,
    GCE,
    NGINX,
    NGINX_INC,
    NGINX_INC_PREFIXES,
    NGINX_PREFIX,
    TRAEFIK,
    controller_of,
    controllers,
)
from .missing_services import service_of
from .nginx_table import ADDRESSES, REMOVED, TYPE_OF, value_fault

_LEGACY_PREFIX = "ingress.kubernetes.io/"
_TRAEFIK_PREFIX = "traefik.ingress.kubernetes.io/"
_SNIPPETS = ("configuration-snippet", "server-snippet", "stream-snippet", "auth-snippet", "modsecurity-snippet")
_TLS_PORTS = (443, 8443)


def nginx_annotations(ingress: Ingress) -> Iterator[tuple[str, str, str]]:
    """The annotations for ingress-nginx: key, name behind the prefix, value."""
    for key, value in ingress.annotations.items():
        if key.startswith(NGINX_PREFIX):
            yield key, key.removeprefix(NGINX_PREFIX), value


@check("ING036")
def nginx_snippet_annotation(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An annotation whose text goes into the controller's configuration as it is."""
    for key, name, value in nginx_annotations(ingress):
        if name in _SNIPPETS and value.strip():
            yield ctx.report(
                ingress,
                "metadata",
                "annotations",
                key,
                key=True,
                message=(
                    f"`{name}` writes into the controller's configuration: it is off by default since version 1.9,"
                    " and where it is on, whoever writes Ingresses can read every Secret"
                ),
                help="use the annotation that is made for the purpose, or a ConfigMap of the controller",
            )


@check("ING037")
def nginx_annotation_unknown(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An annotation that ingress-nginx does not know."""
    for key, name, _ in nginx_annotations(ingress):
        if name in TYPE_OF or is_placeholder(name) or name.startswith(("influxdb-", "lua-resty-", "global-rate-limit")):
            continue
        replaced = REMOVED.get(name)
        near = [replaced] if replaced else get_close_matches(name, TYPE_OF, 1, 0.8) if replaced is None else []
        is_removed = replaced is not None
        fault = "an annotation that ingress-nginx has dropped" if is_removed else "no annotation of ingress-nginx"
        hint = f"did you mean `{near[0]}`?" if near else "it is ignored without a word"
        node = ingress.root.key_at("metadata", "annotations", key)
        written = node.source.text[node.start : node.end]
        edit = Edit(node.source, node.span, f"{NGINX_PREFIX}{near[0]}") if near and written == key else None
        yield ctx.report(
            ingress,
            "metadata",
            "annotations",
            key,
            key=True,
            message=f"`{name}` is {fault}; {hint}",
            confidence=None if near else Confidence.MEDIUM,
            help=f"write `{NGINX_PREFIX}{near[0]}`" if near else "remove it, or look its name up",
            fix=ctx.fix(f"Write {near[0]}", edit) if edit is not None and replaced is None else None,
        )


@check("ING038")
def nginx_annotation_invalid_value(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A value that ingress-nginx cannot read."""
    for key, name, value in nginx_annotations(ingress):
        wanted = value_fault(name, value)
        if wanted is None or is_placeholder(value) or (not value and name != "canary-weight"):
            continue
        plain = _plain_value(name, value)
        path = ("metadata", "annotations", key)
        yield ctx.report(
            ingress,
            *path,
            message=f"`{name}` has to be {wanted}, not `{_cut(value)}`: ingress-nginx ignores it or refuses the Ingress",
            help=f'write `"{plain}"`' if plain else f"write {wanted}",
            fix=ctx.fix(f"Write {plain}", ctx.replace(ingress, *path, text=f'"{plain}"')) if plain else None,
        )


def _cut(value: str) -> str:
    line = value.splitlines()[0]
    return line if len(line) <= 40 and line == value else f"{line[:40]}..."


def _plain_value(name: str, value: str) -> str | None:
    """The value that is meant, in the form that is read: seconds without their unit, a size without its B or i."""
    text = value.strip()
    candidates = [text.removesuffix("s"), re.sub(r"(?i)^(\d+[kmg])i?b?$", r"\1", text), text.lower()]
    if text.lower() in ("yes", "on", "no", "off"):
        candidates.append("true" if text.lower() in ("yes", "on") else "false")
    return next((item for item in candidates if item != text and value_fault(name, item) is None), None)


@check("ING039")
def nginx_annotation_wrong_controller(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """Annotations for a controller that does not serve the Ingress."""
    controller, is_certain = controller_of(ingress, ctx)
    foreign: dict[str, str] = {}
    if controller == NGINX:
        foreign = {_LEGACY_PREFIX: "an old controller", **dict.fromkeys(NGINX_INC_PREFIXES, NGINX_INC)}
    elif controller in (NGINX_INC, TRAEFIK, ALB, GCE):
        foreign = {NGINX_PREFIX: NGINX}
    for prefix, owner in foreign.items():
        keys = [key for key in ingress.annotations if key.startswith(prefix)]
        if not keys or (controller == NGINX and owner == NGINX_INC and not is_certain):
            continue
        yield ctx.report(
            ingress,
            "metadata",
            "annotations",
            keys[0],
            key=True,
            message=(
                f"annotations `{prefix}...` are for {owner}, but {controller} serves this Ingress and ignores them"
            ),
            severity=None if is_certain and controller in _defined(ingress, ctx) else Severity.NOTE,
            help="use the annotations of the controller that the class names, or remove these",
        )


def _defined(ingress: Ingress, ctx: Context) -> tuple[str, ...]:
    """The controllers that are certain from an IngressClass or a class name of their own."""
    known = ctx.once(controllers).get(ingress.class_name or "")
    return (known,) if known is not None else (TRAEFIK, ALB, GCE)


@check("ING040")
def nginx_backend_protocol_mismatch(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend's port that seems to speak another protocol than the one that ingress-nginx uses."""
    if controller_of(ingress, ctx)[0] != NGINX or ingress.annotations.get(f"{NGINX_PREFIX}ssl-passthrough") == "true":
        return
    protocol = ingress.annotations.get(f"{NGINX_PREFIX}backend-protocol", "HTTP").upper()
    if is_placeholder(protocol) or protocol not in ("HTTP", "HTTPS"):
        return
    seen: set[tuple[str | None, int | str | None]] = set()
    for backend in ingress.backends:
        service = service_of(ctx, ingress.namespace, backend.service or "")
        port = service.port(backend.port) if service is not None and backend.port is not None else None
        if (backend.service, backend.port) in seen:
            continue
        seen.add((backend.service, backend.port))
        spoken = _spoken(port, backend.port)
        if spoken is None or spoken == protocol:
            continue
        yield ctx.report(
            ingress,
            *backend.port_path,
            message=f"the port seems to speak {spoken}, but ingress-nginx talks {protocol} to it",
            help=f"add the annotation `{NGINX_PREFIX}backend-protocol: {spoken}`, if that is so",
        )


def _spoken(port: ServicePort | None, reference: int | str | None) -> str | None:
    """The protocol that number and name of a port stand for; None where they say nothing."""
    number = port.number if port is not None else reference if isinstance(reference, int) else None
    name = ((port.name if port is not None else reference if isinstance(reference, str) else None) or "").lower()
    if "grpc" in name:
        return "GRPC"
    if name in ("https", "https-web", "web-https", "tls") or (number in _TLS_PORTS and name in ("", "https")):
        return "HTTPS"
    return "HTTP" if name in ("http", "web", "http-web") or number in (80, 8080) else None


@check("ING043")
def nginx_source_range_open(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A list of allowed addresses that holds all of them."""
    for key, name, value in nginx_annotations(ingress):
        if TYPE_OF.get(name) != ADDRESSES or not name.startswith(("allowlist", "whitelist")):
            continue
        everything = [part.strip() for part in value.split(",") if part.strip() in ("0.0.0.0/0", "::/0")]
        if everything:
            yield ctx.report(
                ingress,
                "metadata",
                "annotations",
                key,
                message=f"`{name}` holds `{everything[0]}`, so every client is allowed",
                help="name the ranges that are meant, or remove the annotation",
            )


@check("ING045")
def nginx_force_ssl_without_tls(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A forced redirect to HTTPS in an Ingress without TLS."""
    key = f"{NGINX_PREFIX}force-ssl-redirect"
    if ingress.annotations.get(key) == "true" and not items_of(ingress.root.get("spec", "tls")):
        yield ctx.report(
            ingress,
            "metadata",
            "annotations",
            key,
            message=(
                "requests are redirected to HTTPS, but the Ingress has no TLS: unless a load balancer ends it, clients"
                " get the default certificate or a loop"
            ),
            help="add `spec.tls`, or remove the annotation",
        )


@check("ING046")
def ingress_nginx_end_of_life(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An Ingress that ingress-nginx serves."""
    if controller_of(ingress, ctx) != (NGINX, True):
        return
    keys = [key for key, _, _ in nginx_annotations(ingress)]
    yield ctx.report(
        ingress,
        *(("metadata", "annotations", keys[0]) if keys else ("spec", "ingressClassName")),
        key=bool(keys),
        primary=None if keys or ingress.root.get("spec", "ingressClassName") else ctx.near(ingress, "spec"),
        message="the Ingress depends on ingress-nginx, which gets no fixes after March 2026",
        help="plan the move to the Gateway API or to another controller"
        + (f": {len(keys)} annotations need a counterpart" if len(keys) > 1 else ""),
    )
