"""Networks that an admin policy denies, and pods whose address no manifest tells."""

from __future__ import annotations

import json

import pytest

from k8snetlint import policy
from k8snetlint.analysis.partialblocks import partial_blocks
from tests.cli.program import k8snetlint
from tests.clusters import cluster_of

MANIFESTS = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: []}
status: {podIP: 10.0.0.7}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop}
spec: {containers: []}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: inside}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: SPACE}}}
  egress: [RULES]
"""
DENY = "{action: Deny, to: [{networks: [%s]}]}"
SPARED = "{action: Pass, to: [{namespaces: {}}]}"


def manifests(rules: str, namespace: str = "shop") -> str:
    return MANIFESTS.replace("RULES", rules).replace("SPACE", namespace)


@pytest.mark.parametrize(
    ("rules", "namespace", "pod_cidrs", "found"),
    [
        (DENY % "10.0.0.0/8", "shop", (), [("egress", 0)]),
        (DENY % "192.168.7.0/24", "shop", (), [("egress", 0)]),
        (DENY % "203.0.113.0/24", "shop", (), []),
        (DENY % "0.0.0.0/0", "shop", (), []),
        (DENY % "'fd00::/8'", "shop", (), []),
        (DENY % "10.0.0.0/8", "other", (), []),
        (DENY % "10.0.0.0/8", "shop", ("10.244.0.0/16",), []),
        (DENY % "10.244.1.0/24", "shop", ("10.244.0.0/16",), [("egress", 0)]),
        (DENY % "10.96.0.0/16", "shop", ("10.244.0.0/16",), []),
        ((DENY % "10.0.0.0/8").replace("Deny", "Accept"), "shop", (), []),
        ((DENY % "10.0.0.0/8").replace("Deny", "Pass"), "shop", (), []),
        (f"{(DENY % '10.0.0.0/8').replace('Deny', 'Pass')}, {DENY % '0.0.0.0/0'}", "shop", (), [("egress", 0)]),
        (f"{SPARED}, {DENY % '10.0.0.0/8'}", "shop", (), []),
        (f"{DENY % '10.0.0.0/8'}, {SPARED}", "shop", (), [("egress", 0)]),
    ],
)
def test_networks_that_may_hold_a_pod(rules, namespace, pod_cidrs, found):
    policies = policy.lower(cluster_of(manifests(rules, namespace)), pod_cidrs=pod_cidrs)
    partial = list(partial_blocks(policies))
    assert [each.path for each in partial] == [("spec", *path) for path in found]
    assert [str(each.peer) for each in partial] == ["shop/db[Pod]"] * len(found)


def test_an_answer_that_rests_on_such_an_address_is_incomplete(tmp_path):
    (tmp_path / "m.yaml").write_text(manifests(DENY % "10.0.0.0/8"))
    ran = k8snetlint(tmp_path, "reach", "shop/web", "shop/db", "m.yaml", "--port", "80", "-f", "json")
    answer = json.loads(ran.out)
    assert (answer["verdict"], answer["complete"]) == ("allowed", False)
    assert [reason["message"] for reason in answer["incomplete_because"]] == [
        "ClusterNetworkPolicy inside: whether shop/db[Pod] has an address of these networks is not known; it is taken to "
        "have none"
    ]
