"""Routes and the listeners that they are attached to, and which of several routes takes a host."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.attachment import common_host
from k8snetlint.analysis.hosts import host_end
from tests.clusters import cluster_of

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: edge}
spec:
  gatewayClassName: c
  listeners:
    - {name: web, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}
    - {name: own, port: 443, protocol: HTTPS, hostname: own.test}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: shop}
spec: {selector: {app: s}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: o, namespace: shop}
spec: {selector: {app: o}, ports: [{port: 80}]}
"""
GRANT = """
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: r, namespace: shop}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}], to: [{group: "", kind: Service}]}
"""


def route(hosts: str, backends: str, name: str = "r", namespace: str = "shop") -> str:
    return (
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{parentRefs: [{{name: g, namespace: edge}}], hostnames: [{hosts}], rules: [{{backendRefs: [{backends}]}}]}}\n"
    )


def ways(text: str, host: str) -> list[tuple[str, str | None]] | None:
    found = host_end(cluster_of(GATEWAY + text), host)
    return None if found is None else [(way.backend, way.fault) for way in found.ways]


def test_the_longest_wildcard_takes_a_host() -> None:
    text = route('"*.example.com"', "{name: o, port: 80}") + route('"*.b.example.com"', "{name: s, port: 80}", "r2")
    assert ways(text, "a.b.example.com") == [("Service shop/s", None)]


@pytest.mark.parametrize(("host", "served"), [("x.example.com", True), ("x.example.org", False), ("own.test", False)])
def test_a_host_is_served_where_a_listener_has_it_and_admits_the_route(host: str, served: bool) -> None:
    assert (ways(route(host, "{name: s, port: 80}"), host) is not None) == served


def test_a_gateway_that_is_not_in_sight_may_have_any_listener() -> None:
    text = route("x.example.org", "{name: s, port: 80}").replace("name: g,", "name: elsewhere,")
    assert ways(text, "x.example.org") == [("Service shop/s", None)]


def test_the_port_is_that_of_the_listeners() -> None:
    text = route("x.example.com", "{name: s, port: 80}") + route("own.test", "{name: s, port: 80}", "o", "edge")
    ends = [host_end(cluster_of(GATEWAY + text), host) for host in ("x.example.com", "own.test")]
    assert [end.port for end in ends if end is not None] == [80, 443]


def test_a_backend_of_weight_0_takes_nothing() -> None:
    assert ways(route("x.example.com", "{name: s, port: 80}, {name: o, port: 80, weight: 0}"), "x.example.com") == [
        ("Service shop/s", None)
    ]


@pytest.mark.parametrize(
    ("grant", "fault"),
    [
        (GRANT, None),
        (
            GRANT.replace("HTTPRoute", "GRPCRoute"),
            "is not granted to HTTPRoute edge/r: no ReferenceGrant of namespace shop permits it",
        ),
        ("", "is not granted to HTTPRoute edge/r: no ReferenceGrant of namespace shop permits it"),
    ],
)
def test_a_service_of_another_namespace_takes_a_grant(grant: str, fault: str | None) -> None:
    text = route("x.example.com", "{name: s, namespace: shop, port: 80}", namespace="edge") + grant
    assert ways(text, "x.example.com") == [("Service shop/s", fault)]


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        ("a.x", None, "a.x"),
        ("a.x", "*.x", "a.x"),
        ("a.b.x", "*.x", "a.b.x"),
        ("*.b.x", "*.x", "*.b.x"),
        ("*.x", "a.x", "a.x"),
        ("x", "*.x", None),
        ("a.x", "b.x", None),
    ],
)
def test_what_two_patterns_have_in_common(first: str, second: str | None, common: str | None) -> None:
    assert common_host(first, second) == common
