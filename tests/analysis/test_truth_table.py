"""Every probe of the truth table, by every engine."""

from __future__ import annotations

import pytest

from k8snetlint import policy
from k8snetlint.analysis import reachability, reference
from tests.clusters import cluster_of

from .truth import cases, probes

CASES = cases("k8s")


def test_the_table_is_whole():
    assert len(CASES) == 121
    assert sum(len(case["probes"]) for case in CASES) == 403


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_reference(case):
    policies = policy.lower(cluster_of(case["manifests"]))
    wrong = [
        probe.text
        for probe in probes(case, policies)
        if all(reference.is_allowed(policies, flow).is_allowed for flow in probe.flows) != probe.is_allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_algebra(case):
    policies = policy.lower(cluster_of(case["manifests"]))
    wrong = []
    for probe in probes(case, policies):
        answers = []
        for flow in probe.flows:
            allowed = reachability.allowed_connections(policies, flow.source, flow.destination)
            answers.append(flow.is_to_itself or (flow.protocol, flow.port) in allowed)
        if all(answers) != probe.is_allowed:
            wrong.append(probe.text)
    assert wrong == []
