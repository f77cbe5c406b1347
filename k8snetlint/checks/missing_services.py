"""Whether a Service that something names is missing, and how sure that is: what every rule on such names asks."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

import attrs

from k8snetlint.diagnostic import Confidence, Severity
from k8snetlint.engine import Context
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder
from k8snetlint.settings import Settings

from .existence import edit_distance, is_external_service, is_slip
from .unseen import installed_namespaces
from .words import listed

# Services that come with the cluster, and namespaces whose Services do.
_ALWAYS_THERE = frozenset({("default", "kubernetes")})
_CLUSTER_NAMESPACES = frozenset({"kube-system", "kube-public", "openshift-dns", "openshift-monitoring", "gke-system"})
_ADD_ONS = ("default-http-backend", "cm-acme-http-solver-*", "prometheus-operated", "alertmanager-operated")
_SHORTEST_NAME = 4
_SUFFIXES = ("-svc", "-service", "svc", "service")
_NOT_OPERATED = frozenset(
    {
        "ServiceMonitor",
        "PodMonitor",
        "PrometheusRule",
        "Certificate",
        "Issuer",
        "ExternalSecret",
        "SealedSecret",
        "SecretStore",
        "IngressRoute",
        "Middleware",
        "VirtualService",
        "DestinationRule",
        "ServiceEntry",
        "HTTPProxy",
        "NetworkPolicy",
        "CiliumNetworkPolicy",
        "NetworkSet",
        "GitRepository",
        "HelmRepository",
        "OCIRepository",
        "Route",
        "Rollout",
        "AuthorizationPolicy",
        "PeerAuthentication",
    }
)


@attrs.frozen
class Missing:
    """What can be said of a Service that is not there. `severity` is that of a rule whose own one is `error`.

    `near` is the one Service whose name is meant, as far as that can be told.
    """

    severity: Severity
    confidence: Confidence
    near: str | None
    known: tuple[str, ...]

    @property
    def hint(self) -> str:
        """The clause that says what is there instead."""
        if self.near is not None:
            return f"did you mean `{self.near}`?"
        if not self.known:
            return "no Service of the namespace is in sight"
        return f"there {'is' if len(self.known) == 1 else 'are'} {_few(self.known)}"


def _few(names: tuple[str, ...]) -> str:
    return listed(names) if len(names) <= 4 else f"{', '.join(f'`{name}`' for name in names[:3])} and others"


def operated_names(cluster: Cluster, _settings: Settings) -> Mapping[str | None, frozenset[str]]:
    """The names of custom objects in each namespace: their operators may make Services named after them."""
    found: dict[str | None, set[str]] = {}
    for resource in cluster.resources:
        group = resource.group
        if "." in group and not group.endswith("k8s.io") and resource.kind not in _NOT_OPERATED and resource.name:
            found.setdefault(resource.namespace, set()).add(resource.name)
    return {namespace: frozenset(names) for namespace, names in found.items()}


def services_by_name(cluster: Cluster, _settings: Settings) -> Mapping[str, tuple[Service, ...]]:
    """The Services of the unit by their bare name."""
    found: dict[str, list[Service]] = {}
    for service in cluster.services:
        found.setdefault(service.name, []).append(service)
    return {name: tuple(services) for name, services in found.items()}


def unplaced_services(cluster: Cluster, _settings: Settings) -> tuple[Service, ...]:
    """The Services that name no namespace: they are applied to whichever one is meant."""
    return tuple(service for service in cluster.services if not service.has_namespace)


def candidates(ctx: Context, namespace: str | None) -> tuple[Service, ...]:
    """The Services of a namespace; where it holds none, those that name no namespace at all."""
    return ctx.cluster.services_in(namespace) or ctx.once(unplaced_services)


def service_of(ctx: Context, namespace: str | None, name: str) -> Service | None:
    """The Service of that name in a namespace, or the one that names no namespace where that holds none."""
    found = ctx.cluster.service(namespace, name)
    if found is not None or ctx.cluster.services_in(namespace):
        return found
    return next((s for s in ctx.once(services_by_name).get(name, ()) if not s.has_namespace), None)


def has_port(ctx: Context, service: Service, reference: int | str) -> bool:
    """Whether a Service has a port of a number or name, or another declaration of the same Service in the unit has."""
    twins = (s for s in ctx.once(services_by_name).get(service.name, ()) if s.namespace == service.namespace)
    return any(twin.port(reference) is not None for twin in twins)


def are_together(ctx: Context, first: Resource, second: Resource) -> bool:
    """Whether two objects are surely applied together: files of one folder may be examples, each for itself."""
    same_file = first.document.source.path == second.document.source.path
    return same_file or ctx.settings.one_unit or ctx.unit.type not in ("plain", "alternative")


def are_apart(ctx: Context, first: Resource, second: Resource) -> bool:
    """Whether two objects stand in different folders of a plain tree: each may be an example for itself."""
    folders = {posixpath.dirname(each.document.source.path) for each in (first, second)}
    return len(folders) > 1 and not are_together(ctx, first, second)


def is_open_to(ctx: Context, namespace: str) -> bool:
    """Whether a namespace may hold objects that the unit does not show, by what is known of the unit.

    One of several alternatives never shows everything: what it lacks may be in another.
    """
    is_partial = not ctx.unit.is_complete_in(namespace) or ctx.unit.type == "alternative"
    return is_partial or namespace in ctx.once(installed_namespaces)


def missing_service(ctx: Context, namespace: str | None, name: str) -> Missing | None:
    """What can be said of a Service that something names; None if it is there, or may well be somewhere."""
    if not name or is_placeholder(name) or is_placeholder(namespace) or service_of(ctx, namespace, name) is not None:
        return None
    home = namespace or ""
    if (
        (home, name) in _ALWAYS_THERE
        or home in _CLUSTER_NAMESPACES
        or home in ctx.settings.external.namespaces
        or is_external_service(ctx, namespace, name)
    ):
        return None
    if any(fnmatchcase(name, pattern) for pattern in _ADD_ONS):
        return None
    operated = ctx.once(operated_names).get(namespace, frozenset())
    if any(name == owner or name.startswith(f"{owner}-") for owner in operated):
        return None
    known = tuple(sorted({service.name for service in candidates(ctx, namespace) if service.name}))
    if any(map(is_placeholder, known)):
        return None
    near = near_name(name, known)
    if is_open_to(ctx, home):
        return Missing(Severity.NOTE, Confidence.LOW, near, known)
    if near is not None:
        return Missing(Severity.ERROR, Confidence.HIGH, near, known)
    if known:
        return Missing(Severity.WARNING, Confidence.MEDIUM, None, known)
    return Missing(Severity.NOTE, Confidence.LOW, None, ())


def near_name(name: str, known: Iterable[str]) -> str | None:
    """The one known name that is meant: the same but for case, dashes, a suffix, a plural or one or two letters."""
    names = list(known)
    same = [other for other in names if _core(other) == _core(name)]
    if len(same) == 1:
        return same[0]
    close = [other for other in get_close_matches(name, names, 3, 0.75) if is_slip(name, other)]
    distances = [edit_distance(name, other, 2) for other in close]
    nearest = [other for other, distance in zip(close, distances, strict=True) if distance == min(distances)]
    return nearest[0] if len(nearest) == 1 and min(len(name), len(nearest[0])) > _SHORTEST_NAME else None


def wider_name(name: str, known: Iterable[str]) -> str | None:
    """The only known name that a name is the beginning or end of: `avro-rest` for `rest`."""
    if len(name) < _SHORTEST_NAME:
        return None
    wider = [other for other in known if other.endswith(f"-{name}") or other.startswith(f"{name}-")]
    return wider[0] if len(wider) == 1 else None


def _core(name: str) -> str:
    plain = name.lower().replace("_", "-")
    for suffix in _SUFFIXES:
        if plain.endswith(suffix) and len(plain) > len(suffix) + 1:
            plain = plain.removesuffix(suffix).rstrip("-")
            break
    plain = plain.replace("-", "")
    return plain.removesuffix("s") if len(plain) > 2 else plain
