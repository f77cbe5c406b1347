"""Paths and rewrites as ingress-nginx reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.values import is_placeholder
from k8snetlint.settings import Settings

from .edits import with_entry
from .ingress_controllers import (
    NGINX,
    NGINX_INC,
    NGINX_PREFIX,
    controller_of,
    enables_regex,
    group_count,
    is_regex,
)
from .ingress_hosts import rule_hosts

REWRITE = f"{NGINX_PREFIX}rewrite-target"
USE_REGEX = f"{NGINX_PREFIX}use-regex"


def _is_nginx(ingress: Ingress, ctx: Context) -> bool:
    """Whether ingress-nginx serves an Ingress, as far as can be told."""
    return controller_of(ingress, ctx)[0] == NGINX


@check("ING031")
def nginx_regex_in_prefix_path(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A regular expression in a path of type Prefix or Exact."""
    controller, _ = controller_of(ingress, ctx)
    is_read = enables_regex(ingress)
    for path in ingress.paths:
        value = path.value or ""
        if path.type not in ("Prefix", "Exact") or is_placeholder(value) or not is_regex(value):
            continue
        is_refused = controller == NGINX
        reason = "ingress-nginx refuses it since version 1.12" if is_refused else "it matches nothing but that text"
        type_path = (*path.path, "pathType")
        yield ctx.report(
            ingress,
            *path.path,
            "path",
            message=f"path `{value}` is a regular expression, but pathType {path.type} takes it literally: {reason}",
            severity=None if controller == NGINX else Severity.NOTE,
            related=[ctx.location(ingress, *type_path, label="takes it literally")],
            help="use pathType ImplementationSpecific"
            + ("" if is_read else f', and the annotation `{USE_REGEX}: "true"` on ingress-nginx'),
            fix=ctx.fix(
                "Use pathType ImplementationSpecific", ctx.replace(ingress, *type_path, text="ImplementationSpecific")
            )
            if is_read
            else None,
        )


@check("ING032")
def nginx_rewrite_capture_group_missing(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A rewrite that uses a capture group which the path does not have."""
    target = ingress.annotations.get(REWRITE)
    if not target or is_placeholder(target) or controller_of(ingress, ctx)[0] not in (NGINX, None):
        return
    used = [int(number) for number in re.findall(r"\$(\d)", target)]
    if not used or max(used) == 0:
        return
    for path in ingress.paths:
        value = path.value or ""
        if is_placeholder(value):
            continue
        count = group_count(value)
        if count >= max(used):
            continue
        has = f"has {count} capture group{'s' if count > 1 else ''}" if count else "has no capture group"
        simple = max(used) == 2 and count == 0 and re.fullmatch(r"/[\w./-]*\w", value) is not None
        suggestion = f"{value}(/|$)(.*)" if simple else None
        yield ctx.report(
            ingress,
            primary=ctx.location(ingress, *path.path, "path", label="too few groups")
            if path.value is not None
            else ctx.near(ingress, *path.path, "backend"),
            message=f"the rewrite to `{target}` uses `${max(used)}`, but path `{value}` {has}:"
            " that part of the URL is lost",
            related=[ctx.location(ingress, "metadata", "annotations", REWRITE, label="uses the group")],
            help=f"write the path as `{suggestion}`"
            if suggestion
            else "put the part to keep in parentheses, as `(.*)`",
            fix=ctx.fix(f"Write {suggestion}", ctx.replace(ingress, *path.path, "path", text=suggestion))
            if suggestion
            else None,
        )


@check("ING033")
def nginx_rewrite_drops_subpaths(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A rewrite to a constant, of a path that matches more than one URL."""
    target = ingress.annotations.get(REWRITE)
    if not target or "$" in target or is_placeholder(target) or not _is_nginx(ingress, ctx):
        return
    for path in ingress.paths:
        value = path.value or "/"
        if (
            path.type == "Exact"
            or is_placeholder(value)
            or value.endswith("$")
            or group_count(value)
            or value == target
        ):
            continue
        plain = value.rstrip("/")
        yield ctx.report(
            ingress,
            primary=ctx.location(ingress, "metadata", "annotations", REWRITE, label="the same for all"),
            message=(
                f"every URL below `{value}` is rewritten to `{target}`, so that `{plain}/cart` becomes `{target}` as well"
            ),
            related=[ctx.location(ingress, *path.path, "path", label="matches more")] if path.value else (),
            help=f"keep the rest by `/$2` with the path `{plain}(/|$)(.*)`, or remove the rewrite"
            if plain
            else "remove the rewrite: the path is `/` already",
        )
        return


def regex_hosts(cluster: Cluster, _settings: Settings) -> Mapping[str, tuple[Ingress, ...]]:
    """The Ingresses that turn the paths of a host into regular expressions, by the host."""
    found: dict[str, list[Ingress]] = {}
    for ingress in cluster.all_of(Ingress):
        if enables_regex(ingress):
            for _, host in rule_hosts(ingress):
                found.setdefault(host, []).append(ingress)
    return {host: tuple(ingresses) for host, ingresses in found.items()}


@check("ING034")
def nginx_regex_leaks_to_host(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A literal path that another Ingress of the same host turns into a regular expression."""
    if enables_regex(ingress) or not _is_nginx(ingress, ctx):
        return
    reported: set[str] = set()
    for path in ingress.paths:
        value = path.value or "/"
        if path.type not in ("Prefix", "Exact") or value == "/" or path.host in reported or is_placeholder(path.host):
            continue
        others = [
            other
            for other in ctx.once(regex_hosts).get(path.host, ())
            if other.class_name == ingress.class_name and other is not ingress
        ]
        if not path.host or not others:
            continue
        reported.add(path.host)
        other = others[0]
        name = REWRITE if other.annotations.get(REWRITE) else USE_REGEX
        example = f"{value.rstrip('/')}s" if path.type == "Exact" else f"{value.rstrip('/')}-old"
        yield ctx.report(
            ingress,
            *path.path,
            "path",
            message=(
                f"the other Ingress `{other.namespace}/{other.name}` turns all paths of host `{path.host}` into regular"
                f" expressions: `{value}` then matches `{example}` too, in either case"
            ),
            related=[ctx.location(other, "metadata", "annotations", name, label="for the whole host")],
            help="give the Ingress with regular expressions a host of its own, or end the path as `(/|$)(.*)`",
        )


@check("ING035")
def nginx_regex_without_use_regex(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A regular expression that nothing tells ingress-nginx to read as one."""
    controller, is_certain = controller_of(ingress, ctx)
    if controller != NGINX or enables_regex(ingress):
        return
    for path in ingress.paths:
        value = path.value or ""
        if path.type not in (None, "ImplementationSpecific") or is_placeholder(value) or not is_regex(value):
            continue
        if path.host and ctx.once(regex_hosts).get(path.host):
            continue
        annotation = next(iter(ingress.annotations), None)
        entry = f'{USE_REGEX}: "true"'
        yield ctx.report(
            ingress,
            *path.path,
            "path",
            message=f"path `{value}` is a regular expression, but without `use-regex` ingress-nginx takes it literally",
            confidence=None if is_certain else Confidence.MEDIUM,
            help=f'add the annotation `{USE_REGEX}: "true"`',
            fix=ctx.fix("Add use-regex", with_entry(ingress, "metadata", "annotations", annotation, entry=entry))
            if annotation is not None
            else None,
        )


@check("ING041")
def nginx_ssl_passthrough_with_paths(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """Paths of an Ingress whose connections are passed on unread."""
    key = f"{NGINX_PREFIX}ssl-passthrough"
    if ingress.annotations.get(key) != "true" or controller_of(ingress, ctx)[0] == NGINX_INC:
        return
    by_host: dict[str, list[str]] = {}
    for path in ingress.paths:
        value = path.value or "/"
        by_host.setdefault(path.host, []).append(value)
        if value == "/" and len(by_host[path.host]) == 1:
            continue
        yield ctx.report(
            ingress,
            primary=ctx.location(ingress, *path.path, "path")
            if path.value is not None
            else ctx.near(ingress, *path.path),
            message=(
                f"path `{value}` has no effect: with ssl-passthrough the controller sees no URL,"
                " and sends all connections for the host to one backend"
            ),
            related=[ctx.location(ingress, "metadata", "annotations", key, label="passes it on unread")],
            help="give each backend a host of its own, or end TLS at the controller",
        )


def primary_routes(cluster: Cluster, _settings: Settings) -> frozenset[tuple[str, str]]:
    """Host and path of every Ingress that is no canary."""
    return frozenset(
        (path.host, path.value or "/")
        for ingress in cluster.all_of(Ingress)
        if ingress.annotations.get(f"{NGINX_PREFIX}canary") != "true"
        for path in ingress.paths
    )


@check("ING042")
def nginx_canary_without_primary(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A canary of a route that no other Ingress has."""
    key = f"{NGINX_PREFIX}canary"
    if ingress.annotations.get(key) != "true":
        return
    known = ctx.once(primary_routes)
    hosts = {host for host, _ in known}
    for path in ingress.paths:
        value = path.value or "/"
        if (path.host, value) in known or is_placeholder(path.host) or is_placeholder(value):
            continue
        is_sure = path.host in hosts and ctx.unit.shows_all
        yield ctx.report(
            ingress,
            primary=ctx.location(ingress, *path.path, "path")
            if path.value is not None
            else ctx.near(ingress, *path.path),
            message=f"no Ingress here routes `{path.host}{value}` but this canary: a canary alone is ignored",
            severity=None if is_sure else Severity.NOTE,
            confidence=None if is_sure else Confidence.LOW,
            related=[ctx.location(ingress, "metadata", "annotations", key, label="a canary")],
            help="add the Ingress that serves the rest of the requests, with the same host and path",
        )
