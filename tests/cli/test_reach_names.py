"""`reach` by names and addresses: DNS names, URLs, hosts of Ingresses, Services without the port, aliases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.test_reach import SHOP

from .program import k8snetlint, write

MORE = """
---
apiVersion: v1
kind: Service
metadata: {name: fixed, namespace: shop}
spec: {clusterIP: 10.96.0.9, selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8081}]}
---
apiVersion: v1
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, selector: {app: cart}, ports: [{port: 80, targetPort: 7070}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: shop}
spec: {type: ExternalName, externalName: api.example.org}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {name: grpc}}}}
          - {path: /peers, pathType: Prefix, backend: {service: {name: peers, port: {number: 80}}}}
          - {path: /old, pathType: Prefix, backend: {service: {name: cart, port: {number: 81}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ingress, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 7070}]}]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write(tmp_path, {"shop.yaml": SHOP.lstrip() + MORE.lstrip("\n")})
    return tmp_path


@pytest.mark.parametrize("destination", ["10.96.0.9", "fixed.shop.svc", "fixed.shop"])
def test_a_service_without_the_port_denies_and_says_which_ports_it_has(shop: Path, destination: str) -> None:
    ran = k8snetlint(shop, "reach", "shop/web", destination, "--port", "9999")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        f"denied: shop/web -> {destination} on TCP 9999\n"
        "  Service shop/fixed has no port 9999/TCP, so nothing answers there; it has http (80/TCP)\n"
        "  the name or address is that of Service shop/fixed (shop.yaml:29)\n"
    )


@pytest.mark.parametrize(
    "destination", ["alias.shop.svc", "svc:shop/alias", "svc:shop/alias:443", "http://alias.shop/x"]
)
def test_where_an_alias_leads_is_unknown(shop: Path, destination: str) -> None:
    ran = k8snetlint(shop, "reach", "shop/web", destination, "-f", "json")
    found = json.loads(ran.out)
    assert (ran.code, found["verdict"], found["reason"]) == (
        1,
        "unknown",
        "Service shop/alias is an alias of `api.example.org`: where that leads, the manifests do not say",
    )


@pytest.mark.parametrize(
    ("destination", "code", "port"),
    [
        ("cart.shop:grpc", 0, 80),
        ("http://cart.shop.svc.cluster.local/path", 0, 80),
        ("cart.shop.svc:9000", 1, 9000),
        ("peers.shop.svc:7070", 0, 7070),
        ("peers.shop.svc", 1, 80),
        ("p-0.peers.shop.svc:7070", 0, 7070),
    ],
)
def test_names_with_ports_and_urls(shop: Path, destination: str, code: int, port: int) -> None:
    ran = k8snetlint(shop, "reach", "shop/web", destination, "-f", "json")
    assert (ran.code, json.loads(ran.out)["port"]) == (code, port)


def test_the_chain_of_a_host(shop: Path) -> None:
    assert k8snetlint(shop, "reach", "shop/web", "shop.example.com/cart/1") == (
        0,
        """\
allowed: shop/web -> shop.example.com/cart/1 on TCP 80
  Ingress shop/shop takes `shop.example.com` path `/cart`; its controller opens a connection of its own to port grpc of Service shop/cart (shop.yaml:49)
  Service shop/cart port 80/TCP forwards to the pods' port named `grpc` (shop.yaml:14)
  shop/cart[Deployment] is selected and receives it on port 7070/TCP (shop.yaml:9)

{ingress-controller} -> shop/cart[Deployment] TCP 7070: allowed
  egress: allowed, no policy concerns it
  ingress: allowed by NetworkPolicy shop/ingress spec.ingress[0] (shop.yaml:58)
""",
        "",
    )


def test_a_host_of_several_backends_may_be_partial(shop: Path) -> None:
    found = json.loads(k8snetlint(shop, "reach", "any", "https://shop.example.com", "-f", "json").out)
    assert found["verdict"] == "partial"
    assert found["backends"] == [
        {"backend": "shop/cart[Deployment]", "port": 7070, "verdict": "allowed", "reason": None},
        {
            "backend": "Service shop/cart",
            "port": None,
            "verdict": "denied",
            "reason": "has no such port; it has grpc (80/TCP), admin (9000/TCP)",
        },
    ]


def test_a_path_that_no_rule_takes_is_denied(shop: Path) -> None:
    ran = k8snetlint(shop, "reach", "shop/web", "shop.example.com/new")
    assert (ran.code, ran.out) == (
        1,
        "denied: shop/web -> shop.example.com/new on TCP 80\n  no path of `shop.example.com` fits\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("example.org", "--port", "443"), "no Service, Ingress or route answers to the name `example.org`; hosts of"),
        (
            ("shop.example.com", "--port", "8080"),
            "`shop.example.com` is a host of an Ingress or route, which answers on 80",
        ),
        (("cart.shop.svc",), "`cart.shop.svc` is Service shop/cart, which has several ports: name one"),
        (("cart.shop.svc:web",), "Service shop/cart has no port named `web`; it has grpc (80/TCP), admin (9000/TCP)"),
    ],
)
def test_what_names_nothing_says_what_would(shop: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = k8snetlint(shop, "reach", "shop/web", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_pod_that_does_not_declare_the_port_is_said_to(shop: Path) -> None:
    ran = k8snetlint(shop, "reach", "shop/web", "fixed.shop")
    assert "receives it on port 8081/TCP, which it does not declare; it declares 7070/TCP (shop.yaml:9)" in ran.out


def test_a_policy_of_its_own_is_proposed_where_only_a_policy_for_the_whole_namespace_isolates(tmp_path: Path) -> None:
    deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}}\n"
    write(tmp_path, {"shop.yaml": SHOP.lstrip().partition("---\napiVersion: networking")[0], "deny.yaml": deny})
    ran = k8snetlint(tmp_path, "reach", "shop/web", "shop/cart", "--port", "grpc", "-f", "json")
    (flow,) = json.loads(ran.out)["flows"]
    (side,) = flow["sides"]
    added = side["addition"]
    assert (added["text"], added["resource"]) == ("add a NetworkPolicy for shop/cart[Deployment]", None)
    write(tmp_path, {"added.yaml": added["yaml"]})
    assert k8snetlint(tmp_path, "reach", "shop/web", "shop/cart", "--port", "grpc").code == 0
    assert k8snetlint(tmp_path, "reach", "shop/cart", "shop/web", "--port", "7070").code == 1


def test_a_controller_goes_to_the_endpoints_of_a_headless_service_and_a_client_to_the_pods(shop: Path) -> None:
    assert k8snetlint(shop, "reach", "ingress", "shop.example.com/peers").code == 0
    ran = k8snetlint(shop, "reach", "ingress", "svc:shop/peers:80")
    assert ran.code == 1
    assert "{ingress-controller} -> shop/cart[Deployment] TCP 80: denied" in ran.out
    any_pod = k8snetlint(shop, "reach", "any", "svc:shop/peers:80", "-f", "json")
    assert {flow["port"] for flow in json.loads(any_pod.out)["flows"]} == {80}


NODE = """\
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Service
metadata: {name: public, namespace: shop}
spec:
  type: LoadBalancer
  externalIPs: [198.51.100.7]
  selector: {app: cart}
  ports: [{port: 443, targetPort: grpc, nodePort: 30443}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}
"""


@pytest.mark.parametrize(
    ("address", "port"), [("203.0.113.9", "443"), ("198.51.100.7", "443"), ("192.168.0.1", "30443")]
)
def test_a_service_is_asked_for_at_its_outer_addresses_and_at_nodes(shop: Path, address: str, port: str) -> None:
    write(shop, {"public.yaml": NODE})
    found = json.loads(k8snetlint(shop, "reach", "10.1.2.3", address, "--port", port, "-f", "json").out)
    assert (found["verdict"], found["port"]) == ("allowed", 443)
    texts = [step["text"] for step in found["path"]]
    at_node = ["every node takes nodePort 30443/TCP for Service shop/public"] if address == "192.168.0.1" else []
    assert texts == [
        *at_node,
        "Service shop/public port 443/TCP forwards to the pods' port named `grpc`",
        "policies may see a node's address instead of the client's: externalTrafficPolicy is not Local",
        "shop/cart[Deployment] is selected and receives it on port 7070/TCP",
    ]


def test_another_port_of_a_node_is_the_nodes_own(shop: Path) -> None:
    write(shop, {"public.yaml": NODE})
    found = json.loads(k8snetlint(shop, "reach", "shop/web", "192.168.0.1", "--port", "22", "-f", "json").out)
    assert (found["verdict"], found["path"]) == ("allowed", [])


NAMED = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: shop}
spec: {type: ExternalName, externalName: db.shop.svc.cluster.local}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: i}]}
"""


def test_an_alias_is_followed_to_the_service_that_it_names(tmp_path: Path) -> None:
    write(tmp_path, {"named.yaml": NAMED.lstrip()})
    assert k8snetlint(tmp_path, "reach", "shop/web", "http://store.shop.svc").out == (
        "allowed: shop/web -> http://store.shop.svc on TCP 80\n"
        "  Service shop/store is an alias of `db.shop.svc.cluster.local` (named.yaml:17)\n"
        "  Service shop/db port 80/TCP forwards to port 5432 of the pods (named.yaml:12)\n"
        "  shop/db[StatefulSet] is selected and receives it on port 5432/TCP (named.yaml:7)\n"
        "\n"
        "shop/web[Pod] -> shop/db[StatefulSet] TCP 5432: allowed\n"
        "  egress: allowed, no policy concerns it\n"
        "  ingress: allowed by NetworkPolicy shop/db spec.ingress[0] (named.yaml:22)\n"
    )


@pytest.mark.parametrize(("port", "code"), [(5432, 0), (80, 1)])
def test_a_pod_by_its_own_name_is_dialled_past_the_ports_of_its_service(tmp_path: Path, port: int, code: int) -> None:
    write(tmp_path, {"named.yaml": NAMED.lstrip()})
    ran = k8snetlint(tmp_path, "reach", "shop/web", f"db-0.db.shop.svc:{port}", "-f", "json")
    found = json.loads(ran.out)
    assert (ran.code, [flow["port"] for flow in found["flows"]]) == (code, [port])


def test_a_name_that_no_pod_behind_a_service_has(tmp_path: Path) -> None:
    write(tmp_path, {"named.yaml": NAMED.lstrip()})
    ran = k8snetlint(tmp_path, "reach", "shop/web", "web-0.db.shop.svc:80")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "Error: no pod behind Service shop/db has the name `web-0`, so `web-0.db.shop.svc` is not resolved\n"
    )
