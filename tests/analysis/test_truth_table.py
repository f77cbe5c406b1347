"""Every probe of the truth table, by every engine."""

from __future__ import annotations

import attrs
import pytest

from k8snetlint import policy
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis import reachability, reference
from k8snetlint.analysis.smt.encoding import Encoding
from k8snetlint.analysis.universe import Universe
from k8snetlint.analysis.verdict import Question, Side
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


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_solver(case):
    policies = policy.lower(cluster_of(case["manifests"]))
    asked = probes(case, policies)
    # A pod that reaches itself through a Service is asked about as two equal pods.
    doubles = {id(flow): attrs.evolve(flow.destination) for probe in asked for flow in probe.flows}
    flows = [flow for probe in asked for flow in probe.flows]
    peers = {id(peer): peer for flow in flows for peer in (flow.source, doubles[id(flow)])}
    universe = Universe((policies,), peers.values())
    encoding = Encoding(universe, (policies,))
    wrong = []
    for probe in asked:
        answers = []
        for flow in probe.flows:
            connection = ConnectionSet.span(flow.protocol, flow.port, flow.port)
            question = Question(Side((flow.source,)), Side((doubles[id(flow)],)), connection)
            found = encoding.find_flow(question, ((policies, True),))
            answers.append(flow.is_to_itself or found is not None)
            refuted = encoding.find_flow(question, ((policies, False),))
            assert (found is None) != (refuted is None)
        if all(answers) != probe.is_allowed:
            wrong.append(probe.text)
    assert wrong == []
