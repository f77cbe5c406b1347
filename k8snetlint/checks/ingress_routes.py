"""Routes of Ingresses against each other: the same host and path twice, globs, catch-alls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8snetlint.diagnostic import Diagnostic, Location, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.ingresses import Ingress, IngressPath
from k8snetlint.model.values import is_placeholder
from k8snetlint.settings import Settings

from .ingress_controllers import is_glob
from .ingress_hosts import rule_hosts
from .missing_services import are_together

CANARY = "nginx.ingress.kubernetes.io/canary"
# Minions of NGINX Inc.'s controller are merged into one virtual server on purpose.
_MERGEABLE = "nginx.org/mergeable-ingress-type"
Route = tuple[str, str, str]
Routes = Mapping[tuple[str, Route], tuple[tuple[Ingress, IngressPath], ...]]


def route_of(path: IngressPath) -> Route | None:
    """What a path matches; None where a part of it is not known yet. A missing type is that of the old versions."""
    parts = (path.host.lower(), path.value or "/", path.type or "ImplementationSpecific")
    return None if any(map(is_placeholder, parts)) else parts


def ingress_routes(cluster: Cluster, _settings: Settings) -> Routes:
    """The paths of all Ingresses by class and route, in document order; those of canaries are not among them."""
    found: dict[tuple[str, Route], list[tuple[Ingress, IngressPath]]] = {}
    for ingress in cluster.all_of(Ingress):
        if ingress.annotations.get(CANARY) == "true" or _MERGEABLE in ingress.annotations:
            continue
        for path in ingress.paths:
            route = route_of(path)
            if route is not None:
                found.setdefault((ingress.class_name or "", route), []).append((ingress, path))
    return {key: tuple(paths) for key, paths in found.items()}


def _shown(path: IngressPath) -> str:
    return f"`{path.host}{path.value or '/'}`" if path.host else f"`{path.value or '/'}` of all hosts"


def _at(ctx: Context, ingress: Ingress, path: IngressPath, label: str | None = None) -> Location:
    if path.value is not None:
        return ctx.location(ingress, *path.path, "path", label=label)
    return ctx.near(ingress, *path.path, "backend", label=label)


@check("ING011")
def ingress_duplicate_host_path(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A path that an earlier Ingress of the same class has already."""
    routes = ctx.once(ingress_routes)
    if ingress.annotations.get(CANARY) == "true" or _MERGEABLE in ingress.annotations:
        return
    reported: set[Route] = set()
    for path in ingress.paths:
        route = route_of(path)
        if route is None or route in reported:
            continue
        reported.add(route)
        first, other = routes[ingress.class_name or "", route][0]
        is_twin = not first.name or (first.name == ingress.name and first.namespace == ingress.namespace)
        if first is ingress or is_twin:
            continue
        is_same = first.namespace == ingress.namespace and _leads(other) == _leads(path)
        yield ctx.report(
            ingress,
            primary=_at(ctx, ingress, path),
            message=(
                f"path {_shown(path)} is routed by Ingress `{first.namespace}/{first.name}` as well:"
                f" {'both lead to the same backend' if is_same else 'which serves it depends on the controller'}"
            ),
            severity=Severity.NOTE if is_same or not are_together(ctx, first, ingress) else None,
            related=[_at(ctx, first, other, "the same route")],
            help="give each route to one Ingress only, or a class of its own to each",
        )


@check("ING012")
def ingress_duplicate_path(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A path of the same type that stands twice under one host."""
    seen: dict[Route, IngressPath] = {}
    for path in ingress.paths:
        route = route_of(path)
        if route is None:
            continue
        first = seen.setdefault(route, path)
        if first is path:
            continue
        same = first.backend is not None and path.backend is not None and _leads(first) == _leads(path)
        yield ctx.report(
            ingress,
            primary=_at(ctx, ingress, path),
            message=f"path {_shown(path)} stands here twice with pathType {route[2]}: "
            + ("the second is not needed" if same else "one of the two backends never gets traffic"),
            related=[_at(ctx, ingress, first, "the same route")],
            help="remove one of the two",
        )


def _leads(path: IngressPath) -> tuple[str | None, int | str | None]:
    return (path.backend.service, path.backend.port) if path.backend is not None else (None, None)


def hosts_by_namespace(cluster: Cluster, _settings: Settings) -> Mapping[str, tuple[Ingress, ...]]:
    """The Ingresses that have a rule for a host, by the host."""
    found: dict[str, list[Ingress]] = {}
    for ingress in cluster.all_of(Ingress):
        for _, host in rule_hosts(ingress):
            found.setdefault(host.lower(), []).append(ingress)
    return {host: tuple(ingresses) for host, ingresses in found.items()}


@check("ING013")
def ingress_host_shared_across_namespaces(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A host that an Ingress of another namespace claims too."""
    for path, host in rule_hosts(ingress):
        if is_placeholder(host):
            continue
        others = ctx.once(hosts_by_namespace).get(host.lower(), ())
        first = next((other for other in others if other.namespace != ingress.namespace), None)
        if first is None:
            continue
        yield ctx.report(
            ingress,
            *path,
            message=f"host `{host}` is claimed by namespace `{first.namespace}` as well: each can take over paths of it",
            related=[ctx.location(first, "metadata", "name", label="claims it too")],
            help="give each namespace hosts of its own, or route the host in one place",
        )


@check("ING029")
def ingress_default_backend(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A default backend."""
    if ingress.default_backend is not None:
        yield ctx.report(
            ingress,
            *ingress.default_backend.path,
            key=True,
            message="the default backend takes every request that no rule matches, for any host",
            help="write a rule for the hosts that are meant",
        )


@check("ING059")
def ingress_glob_in_typed_path(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A `*` that is meant as a wildcard in a path of type Exact or Prefix."""
    for path in ingress.paths:
        value = path.value or ""
        if path.type not in ("Exact", "Prefix") or is_placeholder(value) or not is_glob(value):
            continue
        plain = value.removesuffix("*").rstrip("/") or "/"
        can_drop = path.type == "Prefix" and value.endswith("/*") and "*" not in plain
        yield ctx.report(
            ingress,
            *path.path,
            "path",
            message=f"`*` in path `{value}` is an ordinary character with pathType {path.type}:"
            " nothing but that very path matches",
            help=f"write `{plain}`, which matches everything below it"
            if can_drop
            else "write the path before the `*` with pathType Prefix",
            fix=ctx.fix(f"Write {plain}", ctx.replace(ingress, *path.path, "path", text=plain)) if can_drop else None,
        )
