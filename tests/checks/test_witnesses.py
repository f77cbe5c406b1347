"""Every witness that a rule prints, read back as a user would and asked of the reference, over generated clusters."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings

from bench.clusters import documents
from k8snetlint.engine import run
from k8snetlint.policy.lowering import lower
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Document
from k8snetlint.units.unit import Unit
from tests.analysis.random_clusters import clusters
from tests.analysis.test_engines_agree import EXAMPLES, fuzzed
from tests.analysis.witnesses import replayed, witnesses
from tests.clusters import cluster_of

RULEBOOK = load()
EVERYTHING = Settings(select=("ALL",), pedantic=True, one_unit=True)
# These ask for a Service: its address is what is written, and its pods are where it leads.
THROUGH_SERVICES = frozenset({"NP042", "NP043", "NP044", "NP045", "NP046", "NP047"})


def told(unit: Iterable[Document]) -> Counter[str]:
    """How many witnesses each rule tells of a unit, each of them replayed."""
    made = tuple(unit)
    policies = lower(cluster_from(made))
    counts: Counter[str] = Counter()
    for diagnostic in run([Unit("all", "plain", made)], RULEBOOK, EVERYTHING).diagnostics:
        assert diagnostic.rule != "TOOL001", diagnostic
        for text in (diagnostic.message, *diagnostic.notes):
            for witness in witnesses(text):
                counts[diagnostic.rule] += 1
                by_service = diagnostic.rule in THROUGH_SERVICES
                assert replayed(policies, witness, by_service), (diagnostic.rule, witness[0])
    return counts


def cluster_from(made: tuple[Document, ...]):
    from k8snetlint.model.build import build_cluster

    return build_cluster(made, Settings())


@settings(parent=fuzzed, max_examples=EXAMPLES)
@given(clusters())
def test_witnesses_of_random_clusters(cluster):
    told(resource.document for resource in cluster.resources)


ADMIN = """
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {{name: anp-{number}}}
spec:
  priority: {number}
  subject: {{namespaces: {subject}}}
  egress:
    - {{action: {action}, to: [{{namespaces: {peer}}}]}}
    - {{action: Deny, to: [{{networks: [{network}]}}]}}
  ingress:
    - {{action: {other}, from: [{{namespaces: {peer}}}], ports: [{{portNumber: {{port: 8080}}}}]}}
    - {{action: Allow, from: [{{namespaces: {subject}}}]}}
"""
NEEDS = """
apiVersion: v1
kind: Service
metadata: {{name: w-{number}, namespace: {namespace}}}
spec: {{selector: {{app: app-{number}}}, ports: [{{port: 80, targetPort: http}}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: j-{number}, namespace: {namespace}}}
spec:
  template:
    metadata: {{labels: {{app: app-{number}, tier: batch}}}}
    spec:
      containers:
        - name: main
          image: registry.example.com/job:1.0
          env: [{{name: ADDR, value: "http://w-{number}.{namespace}:80"}}]
"""
EXCEPTED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: excepted-{number}, namespace: {namespace}}}
spec:
  podSelector: {{matchLabels: {{tier: {tier}}}}}
  policyTypes: [Egress]
  egress:
    - to: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [10.{number}.0.0/16]}}}}]
      ports: [{{port: 443}}]
    - to: [{{ipBlock: {{cidr: 10.0.0.0/8}}}}, {{podSelector: {{}}}}]
      ports: [{{port: 80, endPort: 8080}}]
"""


def generated(seed: int, has_admin: bool) -> list[Document]:
    dice = random.Random(seed)
    made = list(documents(24, 30, 3, 0, seed))
    selectors = ("{}", "{matchLabels: {team: red}}", "{matchLabels: {env: e1}}", "{matchLabels: {team: unseen}}")
    for number in range(4 if has_admin else 0):
        actions = ("Allow", "Deny", "Pass")
        made.append(
            ADMIN.format(
                number=number,
                subject=dice.choice(selectors),
                peer=dice.choice(selectors),
                action=dice.choice(actions),
                other=dice.choice(actions),
                network=dice.choice(("0.0.0.0/0", "10.0.0.0/8")),
            )
        )
    for number in range(4):
        namespace = f"ns-{number % 3}"
        made.append(EXCEPTED.format(number=number, namespace=namespace, tier=dice.choice(("data", "cache", "unseen"))))
    made += [NEEDS.format(number=number, namespace=f"ns-{number % 3}") for number in range(24)]
    return [resource.document for resource in cluster_of("---\n".join(made)).resources]


@pytest.mark.parametrize("seed", range(4))
def test_witnesses_of_generated_clusters(seed):
    has_admin = seed % 2 == 0
    counts = told(generated(seed, has_admin))
    assert counts["NP044"] > 5
    assert (counts["ANP010"] > 0) == has_admin
    assert has_admin or counts["NP055"] > 0
