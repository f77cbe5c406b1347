"""Hosts of Ingresses and routes: which backends take a request."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.hosts import host_end, known_hosts
from k8snetlint.model.cluster import Cluster
from tests.clusters import cluster_of

MANIFESTS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  tls: [{hosts: ["*.example.com"], secretName: s}]
  defaultBackend: {service: {name: fallback, port: {number: 80}}}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {name: http}}}}
          - {path: /cart, pathType: Exact, backend: {service: {name: exact, port: {number: 80}}}}
          - {path: /gone, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}
          - {path: /file, pathType: Prefix, backend: {resource: {kind: Bucket, name: b}}}
    - host: "*.example.com"
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cart, port: {number: 81}}}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  parentRefs: [{name: gate}]
  rules:
    - matches: [{path: {type: PathPrefix, value: /v1}}]
      backendRefs: [{name: cart, port: 80}]
    - backendRefs: [{name: exact, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gate, namespace: shop}
spec:
  gatewayClassName: c
  listeners: [{name: api, hostname: "*.api.test", port: 443, protocol: HTTPS}, {name: plain, port: 80, protocol: HTTP}]
---
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: r, namespace: shop}
spec: {host: apps.test, to: {kind: Service, name: exact}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: exact, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: fallback, namespace: shop}
spec: {ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return cluster_of(MANIFESTS)


@pytest.mark.parametrize(
    ("host", "location", "backends"),
    [
        ("shop.example.com", "/cart/1", ["cart"]),
        ("SHOP.example.com", "/cart", ["exact"]),
        ("shop.example.com", "/cartoons", ["fallback"]),
        ("shop.example.com", "", ["cart", "exact", "gone", "the backend"]),
        ("other.example.com", "/x", ["cart"]),
        ("deep.other.example.com", "", None),
        ("example.com", "", None),
        ("a.b.api.test", "/v1/users", ["cart"]),
        ("a.api.test", "/", ["exact"]),
        ("apps.test", "/x", ["exact"]),
        ("unknown.test", "", None),
    ],
)
def test_backends(cluster: Cluster, host: str, location: str, backends: list[str] | None) -> None:
    found = host_end(cluster, host, location)
    names = None if found is None else [way.backend.rpartition("/")[2] for way in found.ways]
    assert names == backends


def test_what_leads_nowhere_says_why(cluster: Cluster) -> None:
    shop = host_end(cluster, "shop.example.com")
    other = host_end(cluster, "other.example.com")
    assert shop is not None
    assert other is not None
    assert [way.fault for way in (*shop.ways, *other.ways)] == [
        None,
        None,
        "is not in the manifests",
        "is no Service",
        "has no such port; it has http (80/TCP)",
    ]


def test_a_host_with_a_certificate_is_asked_on_443(cluster: Cluster) -> None:
    ports = [host_end(cluster, host) for host in ("shop.example.com", "apps.test")]
    assert [found.port for found in ports if found is not None] == [443, 80]


def test_known_hosts(cluster: Cluster) -> None:
    assert known_hosts(cluster) == ("shop.example.com", "*.example.com", "*.api.test", "apps.test")
