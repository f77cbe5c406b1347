"""One question, explained."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.ends import UnknownEnd, resolve
from k8snetlint.analysis.reach import Answer, ReachVerdict, reach
from k8snetlint.policy.lowering import lower
from tests.clusters import cluster_of

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: c, image: i, ports: [{name: grpc, containerPort: 7070}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: grpc, port: 80, targetPort: grpc}, {name: admin, port: 9000}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 7070}]
    - from: [{ipBlock: {cidr: 10.0.0.0/8}}]
"""


def asked(source: str, destination: str, port: int = 0) -> Answer:
    cluster = cluster_of(SHOP)
    policies = lower(cluster)
    peers = policies.peers
    origin = resolve(source, cluster, peers, policies)
    assert isinstance(origin, tuple)
    return reach(cluster, peers, policies, origin, resolve(destination, cluster, peers, policies), "TCP", port)


@pytest.mark.parametrize(
    ("source", "destination", "port", "verdict"),
    [
        ("shop/web", "svc:shop/cart:80", 0, ReachVerdict.ALLOWED),
        ("shop/web", "svc:shop/cart:grpc", 0, ReachVerdict.ALLOWED),
        ("shop/web", "svc:shop/cart:admin", 0, ReachVerdict.DENIED),
        ("shop/web[Deployment]", "shop/deployment/cart", 7070, ReachVerdict.ALLOWED),
        ("cart", "web", 1, ReachVerdict.ALLOWED),
        ("ingress", "shop/cart", 7070, ReachVerdict.DENIED),
        ("10.1.2.3", "shop/cart", 7070, ReachVerdict.ALLOWED),
        ("0.0.0.0/0", "shop/cart", 7070, ReachVerdict.PARTIAL),
        ("192.168.0.0-192.168.0.9", "shop/cart", 7070, ReachVerdict.DENIED),
    ],
)
def test_verdicts(source: str, destination: str, port: int, verdict: ReachVerdict) -> None:
    assert asked(source, destination, port).verdict is verdict


def test_a_denial_names_the_isolating_policy_and_what_each_rule_lacks() -> None:
    (flow,) = asked("shop/web", "svc:shop/cart:admin").flows
    (side,) = flow.sides
    assert [str(rule.origin.resource) for rule in side.isolating if rule.origin] == ["NetworkPolicy shop/cart"]
    assert [(miss.rule.origin.path if miss.rule.origin else None, miss.part) for miss in side.misses] == [
        (("spec", "ingress", 0), "port"),
        (("spec", "ingress", 1), "source"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop/wbe", "no workload `shop/wbe`; did you mean `shop/web`?"),
        ("svc:shop/card:80", "no Service `shop/card`; did you mean `shop/cart`?"),
        ("svc:shop/cart", "Service `shop/cart` has several ports: name one; it has grpc (80/TCP), admin (9000/TCP)"),
        ("10.0.0.300", "`10.0.0.300` is no address, block or range"),
    ],
)
def test_an_end_that_nothing_answers_to_says_what_would(text: str, message: str) -> None:
    cluster = cluster_of(SHOP)
    policies = lower(cluster)
    with pytest.raises(UnknownEnd) as caught:
        resolve(text, cluster, policies.peers, policies)
    assert str(caught.value) == message
