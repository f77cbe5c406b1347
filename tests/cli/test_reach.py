"""`reach` on the command line: verdicts, explanations, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.test_reach import SHOP

from .program import k8snetlint, write

EMPTY = """
---
apiVersion: v1
kind: Service
metadata: {name: gone, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: gone}, ports: [{port: 80}]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write(tmp_path, {"shop.yaml": SHOP.lstrip() + EMPTY})
    return tmp_path


def test_an_allowed_flow_names_the_way_and_the_rule_that_allows_it(shop: Path) -> None:
    assert k8snetlint(shop, "reach", "shop/web", "svc:shop/cart:80") == (
        0,
        """\
allowed: shop/web -> svc:shop/cart:80 on TCP 80
  Service shop/cart port 80/TCP forwards to the pods' port named `grpc` (shop.yaml:14)
  shop/cart[Deployment] is selected and receives it on port 7070/TCP (shop.yaml:9)

shop/web[Deployment] -> shop/cart[Deployment] TCP 7070: allowed
  egress: allowed, no policy concerns it
  ingress: allowed by NetworkPolicy shop/cart spec.ingress[0] (shop.yaml:22)
""",
        "",
    )


def test_a_denied_flow_names_what_isolates_it_what_each_rule_lacks_and_what_to_add(shop: Path) -> None:
    assert k8snetlint(shop, "reach", "ingress", "shop/cart", "--port", "grpc") == (
        1,
        """\
denied: ingress -> shop/cart on TCP 7070

{ingress-controller} -> shop/cart[Deployment] TCP 7070: denied
  egress: allowed, no policy concerns it
  ingress: denied, isolated by NetworkPolicy shop/cart (shop.yaml:20)
    not by NetworkPolicy shop/cart spec.ingress[0] (shop.yaml:22): it is about other sources
    not by NetworkPolicy shop/cart spec.ingress[1] (shop.yaml:24): it is about other sources
    to allow it: add a rule to spec.ingress of NetworkPolicy shop/cart:
      - from:
          - namespaceSelector:
              matchLabels:
                kubernetes.io/metadata.name: <the controller's namespace>
        ports:
          - port: 7070
""",
        "",
    )


def test_a_missing_port_is_added_to_the_rule_that_lacks_it(shop: Path) -> None:
    ran = k8snetlint(shop, "reach", "shop/web", "cart.shop.svc", "--port", "9000", "-f", "json")
    found = json.loads(ran.out)
    (flow,) = found["flows"]
    (side,) = flow["sides"]
    assert side["addition"]["text"] == "add the port to spec.ingress[0] of NetworkPolicy shop/cart"
    assert side["addition"]["yaml"] == "ports:\n  - port: 9000\n"
    assert side["addition"]["location"]["line"] == 22


def test_the_json_contract(shop: Path) -> None:
    ran = k8snetlint(shop, "reach", "shop/web[Deployment]", "svc:shop/cart:grpc", "-f", "json")
    found = json.loads(ran.out)
    del found["flows"], found["version"]
    location = {"path": "shop.yaml", "line": 22, "column": 7, "endLine": 22, "endColumn": 55}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "namespace": "shop", "name": "cart"}
    assert [step["text"] for step in found.pop("path")] == [
        "Service shop/cart port 80/TCP forwards to the pods' port named `grpc`",
        "shop/cart[Deployment] is selected and receives it on port 7070/TCP",
    ]
    assert found == {
        "schema": "k8snetlint/reach/v1",
        "complete": True,
        "incomplete_because": [],
        "unit": ".",
        "source": "shop/web[Deployment]",
        "destination": "svc:shop/cart:grpc",
        "verdict": "allowed",
        "reason": None,
        "protocol": "TCP",
        "port": 80,
        "backends": [{"backend": "shop/cart[Deployment]", "port": 7070, "verdict": "allowed", "reason": None}],
        "deciding": [{"stage": "ingress", "action": "allow", "resource": policy, "location": location}],
    }


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("shop/web", "shop/cart"), 2, "--port is needed for any destination but a Service"),
        (("shop/web", "shop/cart", "--port", "0"), 2, "`0` is not a port: ports are 1 to 65535"),
        (("shop/web", "shop/cart", "--port", "80/ICMP"), 2, "`ICMP` is not a protocol; there are TCP, UDP, SCTP"),
        (("shop/web", "shop/cart", "--port", "grcp"), 2, "the names that the pods declare: grpc"),
        (("shop/web", "shop/carts", "--port", "1"), 2, "no workload `shop/carts`; did you mean `shop/cart`?"),
        (("svc:shop/cart:80", "shop/cart", "--port", "1"), 2, "connections start at a workload"),
        (("shop/web", "svc:shop/cart"), 2, "has several ports: name one"),
    ],
)
def test_wrong_usage_exits_2(shop: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    ran = k8snetlint(shop, "reach", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


def test_a_name_of_several_ports_is_asked_back(tmp_path: Path) -> None:
    containers = "{ports: [{name: web, containerPort: 81}]}, {ports: [{name: web, containerPort: 82, protocol: UDP}]}"
    pod = (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: both, namespace: shop}}\nspec: {{containers: [{containers}]}}\n"
    )
    write(tmp_path, {"pod.yaml": pod})
    ran = k8snetlint(tmp_path, "reach", "10.0.0.7", "shop/both", "--port", "web")
    assert (ran.code, ran.out) == (2, "")
    assert "`web` is the name of several ports of the pods: 81/TCP, 82/UDP; give the number of one" in ran.err
    assert k8snetlint(tmp_path, "reach", "10.0.0.7", "shop/both", "--port", "web/UDP").out.startswith("allowed: ")


@pytest.mark.parametrize("destination", ["svc:shop/gone:80", "10.96.0.7"])
def test_a_service_without_backends_is_denied_with_the_reason(shop: Path, destination: str) -> None:
    port = () if destination.startswith("svc:") else ("--port", "80")
    ran = k8snetlint(shop, "reach", "shop/web", destination, *port)
    assert ran.code == 1
    assert ran.out.splitlines()[0] == f"denied: shop/web -> {destination} on TCP 80"
    assert ran.out.splitlines()[1] == (
        "  Service shop/gone has no backend: no workload of its namespace has the labels `app=gone`"
    )


def test_it_is_unknown_where_not_all_could_be_read(shop: Path) -> None:
    write(shop, {"broken.yaml": "kind: [\n"})
    ran = k8snetlint(shop, "reach", "shop/web", "svc:shop/gone:80")
    assert ran.code == 1
    assert ran.out.splitlines()[0] == "unknown: shop/web -> svc:shop/gone:80 on TCP 80"


def test_nothing_to_analyse_exits_3_and_several_units_exit_2(tmp_path: Path) -> None:
    write(tmp_path, {"empty/notes.txt": "", "a.yaml": SHOP.lstrip(), "b.yaml": SHOP.lstrip().replace("7070", "7071")})
    assert k8snetlint(tmp_path / "empty", "reach", "a/b", "c/d", "--port", "1").code == 3
    ran = k8snetlint(tmp_path, "reach", "shop/web", "svc:shop/cart:80")
    assert ran.code == 2
    assert "\n  .:a.yaml\n  .:b.yaml\n" in ran.err
    assert k8snetlint(tmp_path, "reach", "shop/web", "svc:shop/cart:80", "--unit", ".:a.yaml").code == 0


def test_any_pod_that_anyone_could_create(shop: Path) -> None:
    ran = k8snetlint(shop, "reach", "any", "svc:shop/cart:grpc", "-f", "json")
    found = json.loads(ran.out)
    assert (ran.code, found["verdict"], found["port"]) == (1, "partial", 80)
    assert [(flow["source"], flow["verdict"]) for flow in found["flows"]] == [
        ("shop/web[Deployment]", "allowed"),
        ("of-any-source/any-source", "denied"),
    ]
    assert k8snetlint(shop, "reach", "any", "svc:shop/cart:admin").out.startswith("denied: any -> svc:shop/cart:admin")
    assert k8snetlint(shop, "reach", "any", "shop/web", "--port", "1").code == 0
    assert k8snetlint(shop, "reach", "shop/cart", "any", "--port", "1").code == 1
    assert k8snetlint(shop, "reach", "shop/web", "any").code == 2
