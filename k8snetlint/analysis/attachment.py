"""Which listeners of Gateways a route is attached to, and the hosts that it serves there.

Source: Gateway API reference, attaching routes to Gateways and hostname intersection.
"""

from __future__ import annotations

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.gateways import GROUP as GATEWAY_GROUP
from k8snetlint.model.gateways import Gateway, Listener, Route


def attached(cluster: Cluster, route: Route) -> tuple[Listener, ...] | None:
    """The listeners that a route names and that admit it; None where a parent is not in sight, or is no Gateway."""
    found: list[Listener] = []
    for parent in route.parents:
        gateway = cluster.find(parent.group, parent.kind, parent.namespace or route.namespace, parent.name)
        if parent.group != GATEWAY_GROUP or not isinstance(gateway, Gateway):
            return None
        found += [
            listener
            for listener in gateway.listeners
            if parent.section in (None, listener.name)
            and parent.port in (None, listener.port)
            and _admits(cluster, gateway, listener, route)
        ]
    return tuple(found) if route.parents else None


def _admits(cluster: Cluster, gateway: Gateway, listener: Listener, route: Route) -> bool:
    if listener.kinds and route.kind not in listener.kinds:
        return False
    if listener.namespaces_from == "Selector":
        selector = listener.namespace_selector
        return selector is None or selector.matches(cluster.namespace_labels(route.namespace))
    if listener.namespaces_from == "Same":
        return gateway.namespace == route.namespace
    return listener.namespaces_from == "All"


def hosts_of(cluster: Cluster, route: Route) -> tuple[str, ...]:
    """The hosts that a route serves: its own as far as its listeners have them, or else those of the listeners."""
    listeners = attached(cluster, route)
    if listeners is None:
        return route.hostnames
    if not route.hostnames:
        return tuple(dict.fromkeys(listener.hostname for listener in listeners if listener.hostname))
    both = (common_host(host, listener.hostname) for host in route.hostnames for listener in listeners)
    return tuple(dict.fromkeys(host for host in both if host is not None))


def common_host(first: str, second: str | None) -> str | None:
    """The hosts of a pattern that another has as well; `second` None has all. A wildcard is any number of labels."""
    one, other = first.lower(), (second or first).lower()
    if one == other or (other.startswith("*.") and one.endswith(other[1:])):
        return first
    return second if one.startswith("*.") and other.endswith(one[1:]) else None
