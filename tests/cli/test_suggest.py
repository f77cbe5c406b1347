"""`suggest` on the command line: each format, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .program import k8snetlint, write

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, version: "1"}}
    spec:
      containers:
        - name: c
          image: i
          env:
            - {name: CART_ADDR, value: "cart.back:80"}
            - {name: PAY_URL, value: "https://pay.example.com"}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}, {name: admin, port: 81}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: back}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: c, image: i}]}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: back}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: 7070}]}
"""
YAML = """\
# What the manifests of `shop` need, and nothing else.
# - the ingress controller is not known: pods of all other namespaces are let in for it; name its namespace and labels, or its addresses where it is on the host network or outside of the cluster
# - shop/shop.yaml:14: shop/web[Deployment] names pay.example.com, which is no Service in sight: nothing is opened to it
# - shop/shop.yaml:19: nothing in the manifests needs port 81/TCP of Service shop/web: it stays shut
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: back
spec:
  podSelector: {}
  policyTypes:
    - Ingress
    - Egress
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: cart
  namespace: back
spec:
  podSelector:
    matchLabels:
      app: cart
  policyTypes:
    - Ingress
    - Egress
  ingress:
    # shop/shop.yaml:13 CART_ADDR
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: shop
          podSelector:
            matchLabels:
              app: web
      ports:
        - protocol: TCP
          port: 7070
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: shop
spec:
  podSelector: {}
  policyTypes:
    - Ingress
    - Egress
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
  annotations:
    k8snetlint.dev/ignore: "NP041: nothing in the manifests needs port 81/TCP of Service shop/web"
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes:
    - Ingress
    - Egress
  ingress:
    # shop/shop.yaml:25 web:80
    - from:
        - namespaceSelector:
            matchExpressions:
              - key: kubernetes.io/metadata.name
                operator: NotIn
                values:
                  - back
                  - shop
      ports:
        - protocol: TCP
          port: 8080
  egress:
    # shop/shop.yaml:13 DNS, for CART_ADDR
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: TCP
          port: 53
        - protocol: UDP
          port: 53
    # shop/shop.yaml:13 CART_ADDR
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: back
          podSelector:
            matchLabels:
              app: cart
      ports:
        - protocol: TCP
          port: 7070
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write(tmp_path, {"shop/shop.yaml": SHOP})
    return tmp_path


def test_yaml(shop: Path) -> None:
    assert k8snetlint(shop, "suggest", "shop") == (0, YAML, "")


def test_what_is_written_is_clean_and_is_needed(shop: Path) -> None:
    assert k8snetlint(shop, "suggest", "shop", "-q", "-o", "shop/policies.yaml") == (0, "", "")
    checked = k8snetlint(shop, "check", "shop", "-f", "json")
    found = [each for each in json.loads(checked.out)["diagnostics"] if not each["suppressed"]]
    assert [each["rule"] for each in found if each["rule"].startswith(("NP", "HOST", "PORT", "K8S", "TOOL"))] == []
    assert k8snetlint(shop, "map", "shop", "-f", "csv").out == (
        "source,destination,ports\nshop/web[Deployment],back/cart[Deployment],TCP 7070\n"
        "{ingress-controller},shop/web[Deployment],TCP 8080\n"
    )


def test_json(shop: Path) -> None:
    found = json.loads(k8snetlint(shop, "suggest", "shop", "-f", "json").out)
    assert [
        (each["manifest"]["metadata"]["namespace"], each["manifest"]["metadata"]["name"]) for each in found["policies"]
    ] == [
        ("back", "default-deny"),
        ("back", "cart"),
        ("shop", "default-deny"),
        ("shop", "web"),
    ]
    cart = found["policies"][1]
    assert cart["manifest"]["spec"]["ingress"] == [
        {
            "from": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
                    "podSelector": {"matchLabels": {"app": "web"}},
                }
            ],
            "ports": [{"protocol": "TCP", "port": 7070}],
        }
    ]
    assert cart["because"] == [
        {
            "rule": "spec.ingress[0]",
            "text": "CART_ADDR",
            "location": {"path": "shop/shop.yaml", "line": 13, "column": 41, "endLine": 13, "endColumn": 53},
        }
    ]
    assert found["edits"] == []
    assert [each["location"] and each["location"]["line"] for each in found["notices"]] == [None, 14, 19]


def test_markdown(shop: Path) -> None:
    lines = k8snetlint(shop, "suggest", "shop", "-f", "markdown", "-q").out.splitlines()
    assert lines[:8] == [
        "### What `shop` needs, and nothing else",
        "",
        "| policy | direction | other end | ports | because |",
        "|---|---|---|---|---|",
        "| `back/default-deny` | both | none | none | everything else is shut |",
        "| `back/cart` | ingress | pods with app=web of namespace shop | TCP 7070 | shop/shop.yaml:13 CART_ADDR |",
        "| `shop/default-deny` | both | none | none | everything else is shut |",
        "| `shop/web` | ingress | every pod of namespaces with kubernetes.io/metadata.name notin (back, shop) | TCP 8080 |"
        " shop/shop.yaml:25 web:80 |",
    ]
    assert "\n".join(lines[lines.index("```yaml") + 1 : -1]) + "\n" == YAML.partition("---\n")[2]


def test_nothing_to_suggest_for(tmp_path: Path) -> None:
    write(tmp_path, {"a/service.yaml": SHOP.split("---\n")[1], "b/readme.txt": "no manifest"})
    assert k8snetlint(tmp_path, "suggest", "a") == (
        0,
        "# What the manifests of `a` need, and nothing else.\n"
        "# They hold no workload that a NetworkPolicy could select.\n",
        "",
    )
    assert k8snetlint(tmp_path, "suggest", "b").code == 3
    assert k8snetlint(tmp_path, "suggest", "c").code == 2
