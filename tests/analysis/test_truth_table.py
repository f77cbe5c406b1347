"""Every probe of the truth table, by every engine."""

from __future__ import annotations

import pytest

from k8snetlint import policy
from k8snetlint.analysis import reference
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
