"""Gateway API: Gateways, routes and ReferenceGrants."""

from __future__ import annotations

import attrs

from k8snetlint.source.tree import Node, Path

from .core import LabelSelector, Resource, selector_of
from .values import integer_of, items_of, text_of, texts_of

GROUP = "gateway.networking.k8s.io"
# The protocol that the flows of a route kind have on their way to a backend.
ROUTE_PROTOCOLS = {"HTTPRoute": "TCP", "GRPCRoute": "TCP", "TLSRoute": "TCP", "TCPRoute": "TCP", "UDPRoute": "UDP"}


@attrs.frozen
class Listener:
    """A listener of a Gateway. `namespaces_from` is Same, All, Selector or None."""

    name: str
    hostname: str | None
    port: int | None
    protocol: str | None
    namespaces_from: str
    namespace_selector: LabelSelector | None
    kinds: tuple[str, ...]
    path: Path


@attrs.frozen(eq=False)
class Gateway(Resource):
    """A Gateway of the Gateway API (Istio's own Gateway is another kind)."""

    class_name: str | None
    listeners: tuple[Listener, ...]


@attrs.frozen
class ObjectReference:
    """A reference to an object. `namespace` is None where the reference names none: then it is the referrer's."""

    group: str
    kind: str
    namespace: str | None
    name: str
    port: int | None
    section: str | None
    path: Path


@attrs.frozen
class RouteRule:
    """A rule of a route and the backends it names, those of mirror filters among them."""

    backends: tuple[ObjectReference, ...]
    path: Path


@attrs.frozen(eq=False)
class Route(Resource):
    """An HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute."""

    hostnames: tuple[str, ...]
    parents: tuple[ObjectReference, ...]
    rules: tuple[RouteRule, ...]

    @property
    def protocol(self) -> str:
        """The protocol of its flows to the backends."""
        return ROUTE_PROTOCOLS[self.kind]


@attrs.frozen(eq=False)
class ReferenceGrant(Resource):
    """A permission for references from other namespaces: (group, kind, namespace) to (group, kind, name or None)."""

    sources: tuple[tuple[str, str, str], ...]
    targets: tuple[tuple[str, str, str | None], ...]

    def permits(self, referrer: Resource, group: str, kind: str, name: str) -> bool:
        """Whether the referrer may refer to that object of the grant's own namespace."""
        return (referrer.group, referrer.kind, referrer.namespace) in self.sources and any(
            (group, kind) == target[:2] and target[2] in (None, name) for target in self.targets
        )


def build_gateway(resource: Resource) -> Gateway:
    """The Gateway that a resource is."""
    listeners = []
    for index, node in enumerate(items_of(resource.root.get("spec", "listeners"))):
        allowed = node.get("allowedRoutes", "namespaces")
        listeners.append(
            Listener(
                name=text_of(node.get("name")) or "",
                hostname=text_of(node.get("hostname")) or None,
                port=integer_of(node.get("port")),
                protocol=text_of(node.get("protocol")),
                namespaces_from=text_of(allowed.get("from") if allowed is not None else None) or "Same",
                namespace_selector=selector_of(allowed.get("selector") if allowed is not None else None),
                kinds=tuple(
                    kind for item in items_of(node.get("allowedRoutes", "kinds")) if (kind := text_of(item.get("kind")))
                ),
                path=("spec", "listeners", index),
            )
        )
    class_name = text_of(resource.root.get("spec", "gatewayClassName"))
    return Gateway(**attrs.asdict(resource, recurse=False), class_name=class_name, listeners=tuple(listeners))


def build_route(resource: Resource) -> Route:
    """The route that a resource is."""
    spec: Path = ("spec",)
    parents = [
        _reference(node, (*spec, "parentRefs", index), GROUP, "Gateway")
        for index, node in enumerate(items_of(resource.root.get("spec", "parentRefs")))
    ]
    rules = []
    for index, node in enumerate(items_of(resource.root.get("spec", "rules"))):
        path = (*spec, "rules", index)
        backends = [
            _reference(item, (*path, "backendRefs", position), "", "Service")
            for position, item in enumerate(items_of(node.get("backendRefs")))
        ]
        for position, item in enumerate(items_of(node.get("filters"))):
            mirror = item.get("requestMirror", "backendRef")
            if mirror is not None:
                backends.append(
                    _reference(mirror, (*path, "filters", position, "requestMirror", "backendRef"), "", "Service")
                )
        rules.append(RouteRule(tuple(backends), path))
    return Route(
        **attrs.asdict(resource, recurse=False),
        hostnames=texts_of(resource.root.get("spec", "hostnames")),
        parents=tuple(parents),
        rules=tuple(rules),
    )


def build_reference_grant(resource: Resource) -> ReferenceGrant:
    """The ReferenceGrant that a resource is."""
    sources = []
    for node in items_of(resource.root.get("spec", "from")):
        sources.append(tuple(text_of(node.get(field)) or "" for field in ("group", "kind", "namespace")))
    targets = []
    for node in items_of(resource.root.get("spec", "to")):
        group, kind = (text_of(node.get(field)) or "" for field in ("group", "kind"))
        targets.append((group, kind, text_of(node.get("name")) or None))
    return ReferenceGrant(
        **attrs.asdict(resource, recurse=False),
        sources=tuple((group, kind, namespace) for group, kind, namespace in sources),
        targets=tuple(targets),
    )


def _reference(node: Node, path: Path, group: str, kind: str) -> ObjectReference:
    """The object reference at a node; `group` and `kind` are what it means where it names none."""
    written = text_of(node.get("group"))
    return ObjectReference(
        group=group if written is None else written,
        kind=text_of(node.get("kind")) or kind,
        namespace=text_of(node.get("namespace")) or None,
        name=text_of(node.get("name")) or "",
        port=integer_of(node.get("port")),
        section=text_of(node.get("sectionName")) or None,
        path=path,
    )
