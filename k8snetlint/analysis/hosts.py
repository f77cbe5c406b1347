"""Hosts of Ingresses and routes: which backends a request for a host and path is sent to.

Source: Ingress and Gateway API references, host and path matching; OpenShift Route reference.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.gateways import Route
from k8snetlint.model.ingresses import Ingress, IngressBackend
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import int_or_string_of, integer_of, items_of, text_of, texts_of
from k8snetlint.source.tree import Node, Path

from .attachment import attached, hosts_of
from .routing import is_granted, service_port

HTTP, HTTPS = 80, 443


@attrs.frozen
class HostWay:
    """One backend of a host: the route and place that name it. `port` None: it leads nowhere.

    `fault` says why of `backend`, the words for what is named.
    """

    route: Resource
    path: Path
    text: str
    backend: str
    service: Service | None
    port: ServicePort | None
    fault: str | None


@attrs.frozen
class HostEnd:
    """A host that an Ingress or a route takes requests for, on a port of the controller; a way for each backend."""

    host: str
    port: int
    ways: tuple[HostWay, ...]


@attrs.frozen
class _Target:
    """A backend of a route for a host pattern and a path. `is_exact` tells how the path is compared.

    `is_default`: it takes what no path fits.
    """

    route: Resource
    host: str
    location: str
    is_exact: bool
    path: Path
    service: tuple[str | None, str] | None
    port: int | str | None
    is_default: bool = False
    is_granted: bool = True


def known_hosts(cluster: Cluster) -> tuple[str, ...]:
    """The hosts that Ingresses and routes take requests for, in document order."""
    return tuple(dict.fromkeys(target.host for target in _targets(cluster)))


def host_end(cluster: Cluster, host: str, location: str = "") -> HostEnd | None:
    """Where requests for a host are sent, those for one path if `location` is given; None if no route takes the host.

    The exact host hides wildcards, and a longer wildcard a shorter one; of the paths that fit the longest counts, an
    exact one before a prefix.
    """
    found = [target for target in _targets(cluster) if _covers(target, host)]
    exact = [target for target in found if target.host.lower() == host.lower()]
    longest = max((len(target.host) for target in found), default=0)
    found = exact or [target for target in found if len(target.host) == longest]
    if not found:
        return None
    port = HTTPS if any(_has_tls(cluster, target.route, host) for target in found) else HTTP
    chosen = [target for target in found if not target.is_default]
    if location:
        fitting = [target for target in chosen if _fits(target, location)]
        best = max(map(_rank, fitting), default=None)
        chosen = [target for target in fitting if _rank(target) == best]
    chosen = chosen or [target for target in found if target.is_default]
    return HostEnd(host, port, tuple(_way(cluster, target) for target in chosen))


def _rank(target: _Target) -> tuple[int, bool]:
    return len(target.location.rstrip("/")), target.is_exact


def _way(cluster: Cluster, target: _Target) -> HostWay:
    at = f" path `{target.location}`" if target.location else ""
    takes = f"{target.route} takes `{target.host}`{at}; its controller opens a connection of its own to"
    if target.service is None:
        return HostWay(target.route, target.path, f"{takes} its backend", "the backend", None, None, "is no Service")
    namespace, name = target.service
    written = f"Service {namespace}/{name}"
    text = f"{takes} port {target.port if target.port is not None else 'not named'} of {written}"
    if not target.is_granted:
        fault = f"is not granted to {target.route}: no ReferenceGrant of namespace {namespace} permits it"
        return HostWay(target.route, target.path, text, written, None, None, fault)
    service = cluster.service(namespace, name)
    if service is None:
        return HostWay(target.route, target.path, text, written, None, None, "is not in the manifests")
    port = service_port(service, target.port)
    if port is None:
        known = ", ".join(f"{each.name} ({each})" if each.name else str(each) for each in service.ports)
        return HostWay(
            target.route, target.path, text, written, service, None, f"has no such port; it has {known or 'none'}"
        )
    return HostWay(target.route, target.path, text, written, service, port, None)


def _targets(cluster: Cluster) -> Iterator[_Target]:
    for resource in cluster.resources:
        if isinstance(resource, Ingress):
            for path in resource.paths:
                if path.host and path.backend is not None:
                    yield _of_ingress(resource, path.host, path.value or "", path.type == "Exact", path.backend)
            for host in dict.fromkeys(path.host for path in resource.paths if path.host):
                if resource.default_backend is not None:
                    target = _of_ingress(resource, host, "", False, resource.default_backend)
                    yield attrs.evolve(target, is_default=True)
        elif isinstance(resource, Route):
            yield from _of_route(cluster, resource)
        elif resource.kind == "Route" and resource.group in ("route.openshift.io", "v1", ""):
            yield from _of_openshift(resource)


def _of_ingress(ingress: Ingress, host: str, location: str, is_exact: bool, backend: IngressBackend) -> _Target:
    service = (ingress.namespace, backend.service) if backend.service is not None else None
    return _Target(ingress, host, location, is_exact, backend.path, service, backend.port)


def _of_route(cluster: Cluster, route: Route) -> Iterator[_Target]:
    hosts = hosts_of(cluster, route)
    for rule in route.rules:
        matches = items_of(route.root.get(*rule.path, "matches"))
        locations = [_location(match) for match in matches] or [("", False)]
        unused = [each for each in rule.backends if integer_of(route.root.get(*each.path, "weight")) == 0]
        for reference in rule.backends:
            if reference in unused and len(unused) < len(rule.backends):
                continue
            namespace = reference.namespace or route.namespace
            is_service = (reference.group, reference.kind) == ("", "Service")
            service = (namespace, reference.name) if is_service else None
            may = namespace == route.namespace or is_granted(cluster, route, "", "Service", namespace, reference.name)
            for host in hosts:
                for location, is_exact in locations:
                    target = _Target(route, host, location, is_exact, reference.path, service, reference.port)
                    yield attrs.evolve(target, is_granted=may)


def _location(match: Node) -> tuple[str, bool]:
    return text_of(match.get("path", "value")) or "", text_of(match.get("path", "type")) == "Exact"


def _of_openshift(route: Resource) -> Iterator[_Target]:
    host = text_of(route.root.get("spec", "host"))
    wanted = int_or_string_of(route.root.get("spec", "port", "targetPort"))
    targets: list[Path] = [("spec", "to")]
    count = len(items_of(route.root.get("spec", "alternateBackends")))
    targets += [("spec", "alternateBackends", index) for index in range(count)]
    for path in targets if host else ():
        name = text_of(route.root.get(*path, "name"))
        if name is not None:
            location = text_of(route.root.get("spec", "path")) or ""
            yield _Target(route, host or "", location, False, path, (route.namespace, name), wanted)


def _covers(target: _Target, host: str) -> bool:
    """Whether a host is a target's, or lies below its wildcard: by one label for an Ingress, by any number else."""
    pattern, name = target.host.lower(), host.lower()
    if pattern == name:
        return True
    if not pattern.startswith("*.") or not name.endswith(pattern[1:]):
        return False
    below = name[: -len(pattern[1:])]
    return bool(below) and ("." not in below or not isinstance(target.route, Ingress))


def _fits(target: _Target, location: str) -> bool:
    """Whether a path is one that a target takes: equal, or below it element by element."""
    if target.is_exact:
        return target.location == location
    prefix = target.location.rstrip("/")
    return location == prefix or location.startswith(f"{prefix}/")


def _has_tls(cluster: Cluster, route: Resource, host: str) -> bool:
    if isinstance(route, Route):
        listeners = attached(cluster, route)
        return listeners is None or any(listener.protocol in ("HTTPS", "TLS") for listener in listeners)
    if not isinstance(route, Ingress):
        return route.root.get("spec", "tls") is not None
    hosts = [name for entry in items_of(route.root.get("spec", "tls")) for name in texts_of(entry.get("hosts"))]
    return any(name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:]) for name in hosts)
