"""What manifests need, and the lines that say so."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.mentions import mentions, name_mention
from k8snetlint.analysis.requirements import Ground, Requirement, requirements
from k8snetlint.settings import Settings
from tests.clusters import cluster_of

SERVERS = """
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: c, image: i, ports: [{name: grpc, containerPort: 7070}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: grpc, port: 80, targetPort: grpc}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: data, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
---
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cart:7070", [("cart", 7070, "cart:7070")]),
        ("http://cart", [("cart", 80, "cart")]),
        (
            "https://u:p@cart.shop.svc.cluster.local:8443/x",
            [("cart.shop.svc.cluster.local", 8443, "cart.shop.svc.cluster.local:8443")],
        ),
        ("jdbc:postgresql://a:1,b/app", [("a", 1, "a:1"), ("b", 5432, "b")]),
        ("--peers=a:1,b:2", [("a", 1, "a:1"), ("b", 2, "b:2")]),
        ("see rest.kafka.svc for more", [("rest.kafka.svc", None, "rest.kafka.svc")]),
        ("info:2016-01-01", []),
        ("http://${HOST}:80/", []),
        ("podinfo-$east.test.svc", []),
        ("10.0.0.1:80", []),
        ("registry/x:80", []),
        ("spiffe://cluster.local/ns/x", []),
        ("0:1:2:a3:80", []),
        ("cart:70700", []),
    ],
)
def test_mentions(text: str, expected: list[tuple[str, int | None, str]]) -> None:
    assert [(found.host, found.port, text[found.start : found.end]) for found in mentions(text)] == expected


def test_a_name_alone() -> None:
    found = name_mention(" cart.shop ")
    assert found is not None
    assert (found.host, found.start, found.end) == ("cart.shop", 1, 10)
    assert name_mention("two words") is None
    assert name_mention("10.0.0.1") is None


def needed(text: str, *grounds: Ground) -> list[Requirement]:
    """What a text needs beside the servers; without grounds, all but the look-up of names."""
    found = requirements(cluster_of(SERVERS + text), Settings())
    return [each for each in found if (each.ground in grounds if grounds else each.ground is not Ground.NAMES)]


def told(found: list[Requirement]) -> list[tuple[str, str, list[tuple[str | None, int | None]]]]:
    return [
        (need.place.text, need.written, [(b.workload.name if b.workload else None, b.port) for b in need.backends])
        for need in found
    ]


def client(env: str = "", args: str = "", extra: str = "") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop, labels: {{app: web}}}}
spec:
  containers:
    - name: c
      image: i
      args: [{args}]
      env: [{env}]
{extra}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (client("{name: CART_ADDR, value: 'cart:80'}"), [("cart:80", "cart:80", [("cart", 7070)])]),
        (client("{name: CART, value: 'http://cart.shop/x'}"), [("cart.shop", "cart.shop", [("cart", 7070)])]),
        (client("{name: CART_ADDR, value: 'cart:7070'}"), []),
        (
            client("{name: CART_HOST, value: cart}, {name: CART_PORT, value: '80'}"),
            [("cart", "cart", [("cart", 7070)])],
        ),
        (client("{name: NAME, value: cart}"), []),
        (client("{name: A, value: 'db.data:6000'}"), [("db.data:6000", "db.data:6000", [("db", 6000)])]),
        (client("{name: A, value: db.data.svc}"), [("db.data.svc", "db.data.svc", [("db", 5432)])]),
        (client("{name: A, value: 'db:5432'}"), []),
        (
            client("{name: H, value: cart}, {name: A, value: 'http://$(H):80'}"),
            [("'http://$(H):80'", "cart:80", [("cart", 7070)])],
        ),
        (
            client("{name: A, value: 'http://$(CART_SERVICE_HOST):$(CART_SERVICE_PORT)'}"),
            [("'http://$(CART_SERVICE_HOST):$(CART_SERVICE_PORT)'", "cart:80", [("cart", 7070)])],
        ),
        (client(args="'--cart=cart:80'"), [("cart:80", "cart:80", [("cart", 7070)])]),
        (client(args="--cart-host=cart"), [("cart", "cart", [("cart", 7070)])]),
    ],
)
def test_addresses_in_variables_and_arguments(text: str, expected: object) -> None:
    assert told(needed(text)) == expected


def test_a_mounted_file_counts_and_its_comments_do_not() -> None:
    text = client(
        extra="      volumeMounts: [{name: v, mountPath: /etc}]\n  volumes: [{name: v, configMap: {name: m}}]\n"
    )
    text += """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m, namespace: shop}
data:
  _example: http://cart:80
  app.conf: |
    # http://cart:80
    upstream = http://cart:80/api
"""
    (need,) = needed(text)
    assert need.resource.name == "m"
    assert need.place.text == "cart:80"
    assert (
        need.place.source.line(need.place.source.position(need.place.span.start).line).strip()
        == "upstream = http://cart:80/api"
    )


def test_an_ingress_needs_its_backend_from_the_controller() -> None:
    text = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: shop}
spec: {defaultBackend: {service: {name: cart, port: {number: 80}}}}
"""
    (need,) = needed(text)
    assert need.workload is None
    assert told([need]) == [("cart", "cart:80", [("cart", 7070)])]
