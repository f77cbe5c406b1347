"""Labels that controllers set on running pods make answers incomplete where policies ask for them."""

from __future__ import annotations

import json

import pytest

from k8snetlint import policy
from k8snetlint.analysis.latelabels import late_labels
from tests.cli.program import k8snetlint
from tests.clusters import cluster_of

WORKLOADS = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {template: {metadata: {labels: {app: db}}, spec: {containers: []}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: nightly}}, spec: {containers: []}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: shop}
spec: {template: {metadata: {labels: {app: once}}, spec: {containers: []}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: SPACE}
spec:
  podSelector: {}
  ingress: [{from: [{podSelector: SELECTOR}]}]
"""
POD_NAME, JOB_NAME = "statefulset.kubernetes.io/pod-name", "batch.kubernetes.io/job-name"


def manifests(selector: str, namespace: str = "shop") -> str:
    return WORKLOADS.replace("SELECTOR", selector).replace("SPACE", namespace)


@pytest.mark.parametrize(
    ("selector", "namespace", "found"),
    [
        (f"{{matchLabels: {{{POD_NAME}: db-0}}}}", "shop", [(POD_NAME, "shop/db[StatefulSet]")]),
        (f"{{matchLabels: {{app: db, {POD_NAME}: db-0}}}}", "shop", [(POD_NAME, "shop/db[StatefulSet]")]),
        (f"{{matchLabels: {{app: web, {POD_NAME}: db-0}}}}", "shop", []),
        (f"{{matchLabels: {{{POD_NAME}: db-0}}}}", "other", []),
        (
            f"{{matchExpressions: [{{key: {JOB_NAME}, operator: Exists}}]}}",
            "shop",
            [(JOB_NAME, "shop/nightly[CronJob]")],
        ),
        (f"{{matchLabels: {{app: once, {JOB_NAME}: once}}}}", "shop", []),
        ("{matchExpressions: [{key: pod-template-hash, operator: DoesNotExist}]}", "shop", []),
    ],
)
def test_labels_that_decide_whom_a_rule_is_about(selector, namespace, found):
    late = list(late_labels(policy.lower(cluster_of(manifests(selector, namespace)))))
    assert [(each.key, str(each.peer)) for each in late] == found
    assert [each.path for each in late] == [("spec", "ingress", 0)] * len(found)


def test_an_answer_that_rests_on_such_a_label_is_incomplete(tmp_path):
    (tmp_path / "m.yaml").write_text(manifests(f"{{matchLabels: {{{POD_NAME}: db-0}}}}"))
    ran = k8snetlint(tmp_path, "reach", "shop/db", "shop/once", "m.yaml", "--port", "80", "-f", "json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["verdict"], answer["complete"]) == (1, "denied", False)
    assert [reason["message"] for reason in answer["incomplete_because"]] == [
        f"NetworkPolicy shop/p: controllers set `{POD_NAME}` on the pods of shop/db[StatefulSet], which are taken to be "
        "without it"
    ]
