"""Whether a Service that something names is missing, and how sure that is: what every rule on such names asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

import attrs

from k8snetlint.diagnostic import Confidence, Severity
from k8snetlint.engine import Context
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder
from k8snetlint.settings import Settings

from .words import listed

# Services that come with the cluster, and namespaces whose Services do.
_ALWAYS_THERE = frozenset({("default", "kubernetes")})
_CLUSTER_NAMESPACES = frozenset({"kube-system", "kube-public", "openshift-dns", "openshift-monitoring", "gke-system"})
_ADD_ONS = ("default-http-backend", "cm-acme-http-solver-*", "prometheus-operated", "alertmanager-operated")
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


def is_external_service(ctx: Context, namespace: str, name: str) -> bool:
    """Whether the configuration says that a Service lives elsewhere."""
    full = f"{namespace}/{name}"
    return namespace in ctx.settings.external.namespaces or any(
        fnmatchcase(full, pattern) for pattern in ctx.settings.external.services
    )


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


def missing_service(ctx: Context, namespace: str | None, name: str) -> Missing | None:
    """What can be said of a Service that something names; None if it is there, or may well be somewhere."""
    if not name or is_placeholder(name) or is_placeholder(namespace) or service_of(ctx, namespace, name) is not None:
        return None
    home = namespace or ""
    if (home, name) in _ALWAYS_THERE or home in _CLUSTER_NAMESPACES or is_external_service(ctx, home, name):
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
    opaque = ctx.unit.opaque_namespaces
    if not ctx.unit.complete or home in opaque or "*" in opaque:
        return Missing(Severity.NOTE, Confidence.LOW, near, known)
    if near is not None:
        return Missing(Severity.ERROR, Confidence.HIGH, near, known)
    if known:
        return Missing(Severity.WARNING, Confidence.MEDIUM, None, known)
    return Missing(Severity.NOTE, Confidence.LOW, None, ())


def near_name(name: str, known: Iterable[str]) -> str | None:
    """The one known name that is meant: the same but for case, dashes, a suffix or one or two letters."""
    names = list(known)
    same = [other for other in names if _core(other) == _core(name)]
    if len(same) == 1:
        return same[0]
    if len(name) < 4 or any(character.isdigit() for character in name[-1:]):
        return None
    close = [other for other in get_close_matches(name, names, 3, 0.75) if 0 < distance(name, other) <= 2]
    return close[0] if len(close) == 1 and len(close[0]) > 4 else None


def _core(name: str) -> str:
    plain = name.lower().replace("_", "-")
    for suffix in _SUFFIXES:
        if plain.endswith(suffix) and len(plain) > len(suffix) + 1:
            return plain.removesuffix(suffix).rstrip("-").replace("-", "")
    return plain.replace("-", "")


def distance(first: str, second: str) -> int:
    """The number of letters to add, drop, change or swap with their neighbour between two texts."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        previous, row, older = row, [i], before
        for j, b in enumerate(second, 1):
            best = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        before = previous
    return row[-1]
