"""The three engines against each other, on random clusters. K8SNETLINT_FUZZ_EXAMPLES asks for more than the usual few."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8snetlint import policy
from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.analysis.reachability import Connectivity, connectivity, connectivity_in
from k8snetlint.analysis.reference import is_allowed
from k8snetlint.analysis.smt.encoding import Encoding
from k8snetlint.analysis.universe import Universe
from k8snetlint.analysis.verdict import (
    Holds,
    Prover,
    Question,
    Refuted,
    Side,
    World,
    candidates,
    check_equivalent,
    check_implies,
    everyone,
)
from k8snetlint.policy import ir
from k8snetlint.policy.ir import LabelOperator, LabelTest, PolicySet
from k8snetlint.policy.peers import DeclaredPort, Flow, Peer
from tests.analysis.random_clusters import NAMESPACES, PORT_NAMES, PORTS, VALUES, clusters

EXAMPLES = int(os.environ.get("K8SNETLINT_FUZZ_EXAMPLES", "60"))
# Every port at which a rule or a container of the random clusters begins or ends, and one beside it.
BOUNDARIES = (1, 52, 53, 54, 79, 80, 81, 90, 91, 8080, 65535)

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="K8SNETLINT_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def ends(found: Connectivity, policies: PolicySet) -> list[Peer]:
    """All peers of the cluster, and one address of every part of the address space."""
    side = everyone(policies).sources
    addresses = [candidates(point, side)[0] for point in found.points if point.addresses is not None]
    return [*policies.peers.pods, *addresses]


def index_of(found: Connectivity, peer: Peer) -> int:
    for index, point in enumerate(found.points):
        if any(each is peer for each in point.peers):
            return index
        if point.addresses is not None and peer.index is None and not peer.addresses.isdisjoint(point.addresses):
            return index
    raise AssertionError(f"{peer} is at no point")


def pairs(found: Connectivity, policies: PolicySet) -> Iterator[tuple[Peer, Peer]]:
    everybody = ends(found, policies)
    for source in everybody:
        for destination in everybody:
            if source is not destination and (source.index is not None or destination.index is not None):
                yield source, destination


@fuzzed
@given(clusters())
def test_the_algebra_is_the_reference_at_every_boundary(cluster):
    policies = policy.lower(cluster)
    assert policies.problems == ()
    found = connectivity(policies)
    for source, destination in pairs(found, policies):
        allowed = found.between(index_of(found, source), index_of(found, destination))
        for protocol in PROTOCOLS:
            for port in BOUNDARIES:
                expected = is_allowed(policies, Flow(source, destination, protocol, port)).is_allowed
                assert ((protocol, port) in allowed) == expected, (source.text, destination.text, protocol, port)


@fuzzed
@given(clusters())
def test_the_solver_finds_no_flow_on_which_it_differs_from_the_algebra(cluster):
    policies = policy.lower(cluster)
    universe = Universe((policies,), policies.peers.pods)
    groups = connectivity_in(universe, policies).groups
    encoding = Encoding(universe, (policies,))
    assert encoding.find_disagreement(everyone(policies), policies, groups) is None
    # The question itself is not empty: leaving out a group is noticed.
    shown = [group for group in groups if group.sources & universe.inside or group.destinations & universe.inside]
    if len(policies.peers.pods) > 1 and shown:
        flow = encoding.find_disagreement(
            everyone(policies), policies, [group for group in groups if group not in shown]
        )
        only_self = flow is None
        assert only_self or is_allowed(policies, flow).is_allowed


def imagined_pods(policies: PolicySet, app: str, namespace_label: str | None, port: DeclaredPort) -> Iterator[Peer]:
    """Pods that anyone could create with an `app`: in each namespace, with each value of the other label, or none."""
    for namespace in (*NAMESPACES, "new"):
        declared = policies.peers.cluster.namespaces.get(namespace)
        if declared is not None and declared.resource is not None:
            namespace_labels = policies.peers.labels_of_namespace(namespace)
        else:
            named = {"kubernetes.io/metadata.name": namespace}
            namespace_labels = named if namespace_label is None else {**named, "app": namespace_label}
        for tier in (None, *VALUES, "unheard-of"):
            yield Peer(
                f"{namespace}/new",
                namespace=namespace,
                namespace_labels=namespace_labels,
                labels={"app": app} if tier is None else {"app": app, "tier": tier},
                service_account="default",
                ports=(port,),
                addresses=policies.peers.unknown_addresses,
                is_pod=True,
            )


@fuzzed
@given(clusters(), st.data())
def test_what_holds_in_the_open_world_holds_for_any_pod_that_one_thinks_of(cluster, data):
    policies = policy.lower(cluster)
    value = data.draw(st.sampled_from(VALUES))
    side = ir.PodLabel(LabelTest("app", LabelOperator.IN, (value,)))
    port = data.draw(st.sampled_from(PORTS))
    protocol = data.draw(st.sampled_from(PROTOCOLS))
    connection = ConnectionSet.span(protocol, port, port)
    peers = policies.peers.pods
    is_incoming = data.draw(st.booleans())
    imagined, present = Side((), imagined=side), Side(peers)
    question = Question(*((imagined, present) if is_incoming else (present, imagined)), connection)
    prover = Prover(policies, [question])
    never, always = prover.check_never_allows(question, World.OPEN), prover.check_always_allows(question, World.OPEN)
    for verdict, expected in ((never, True), (always, False)):
        if isinstance(verdict, Refuted):
            assert verdict.decision.is_allowed is expected
            pod = verdict.witness.source if is_incoming else verdict.witness.destination
            assert pod.labels["app"] == value
    named = DeclaredPort(data.draw(st.sampled_from(PORT_NAMES)), protocol, port)
    for pod in imagined_pods(policies, value, data.draw(st.sampled_from((None, *VALUES))), named):
        for peer in peers:
            flow = Flow(pod, peer, protocol, port) if is_incoming else Flow(peer, pod, protocol, port)
            allowed = is_allowed(policies, flow).is_allowed
            assert not (allowed and isinstance(never, Holds))
            assert allowed or not isinstance(always, Holds)


@fuzzed
@given(clusters(), clusters(), st.sampled_from(World))
def test_comparisons_of_two_policy_sets_agree_with_the_reference(first, second, world):
    one, other = policy.lower(first), policy.lower(second)
    implied = check_implies(one, other, world)
    if isinstance(implied, Refuted):
        assert is_allowed(one, implied.witness).is_allowed
        assert not is_allowed(other, implied.witness).is_allowed
    else:
        assert isinstance(implied, Holds)
        found = connectivity(one)
        for source, destination in pairs(found, one):
            for port in (53, 80):
                flow = Flow(source, destination, "TCP", port)
                assert not is_allowed(one, flow).is_allowed or is_allowed(other, flow).is_allowed
    assert isinstance(check_equivalent(one, one, world), Holds)


@fuzzed
@given(clusters())
def test_the_policies_near_a_flow_say_what_all_say(cluster):
    policies = policy.lower(cluster)
    for source, destination in pairs(connectivity(policies), policies):
        near = policies.near(source.namespace, destination.namespace)
        for protocol in PROTOCOLS:
            for port in BOUNDARIES:
                flow = Flow(source, destination, protocol, port)
                assert is_allowed(near, flow) == is_allowed(policies, flow)
