"""Workloads, nodes and addresses as the ends of flows."""

from __future__ import annotations

from k8snetlint import policy
from k8snetlint.algebra.addresses import Address
from k8snetlint.analysis.reference import is_allowed
from k8snetlint.policy.enforcement import NEUTRAL
from k8snetlint.policy.peers import Flow, Peers
from tests.clusters import cluster_of

RUNNING = """
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a}}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: shop
  labels: {app: web, pod-template-hash: abc}
  ownerReferences: [{kind: ReplicaSet, name: web-abc, controller: true}]
spec: {nodeName: n1, containers: []}
status: {podIP: 10.0.0.1, hostIP: 192.168.0.1}
---
apiVersion: v1
kind: Pod
metadata:
  name: web-2
  namespace: shop
  labels: {app: web, pod-template-hash: abd}
  ownerReferences: [{kind: ReplicaSet, name: web-abc, controller: true}]
spec: {containers: []}
status: {podIP: 10.0.0.2, hostIP: 192.168.0.2}
---
apiVersion: v1
kind: Pod
metadata:
  name: odd
  namespace: shop
  labels: {app: other}
  ownerReferences: [{kind: ReplicaSet, name: web-abc, controller: true}]
spec: {containers: []}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop, ownerReferences: [{kind: Node, name: n1, controller: true}]}
spec: {hostNetwork: true, nodeName: n1, containers: []}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: shop}
spec: {containers: []}
status: {phase: Succeeded, podIP: 10.0.0.3}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec: {template: {metadata: {labels: {app: m}}, spec: {containers: []}}}
"""


def test_equal_pods_of_a_controller_are_one_peer_and_finished_ones_are_none():
    peers = Peers(cluster_of(RUNNING))
    assert [peer.text for peer in peers.pods] == [
        "shop/web-abc[ReplicaSet]",
        "shop/web-abc[ReplicaSet]",
        "shop/agent[Pod]",
        "shop/migrate[Job]",
    ]
    assert [peer.index for peer in peers.pods] == [0, 1, 2, 3]
    assert [len(peer.workloads) for peer in peers.pods] == [2, 1, 1, 1]
    web = peers.pods[0]
    assert web.addresses.range_texts() == ("10.0.0.1-10.0.0.2",)
    assert not web.is_single
    assert all(peers.of(workload) is web for workload in web.workloads)
    done = next(workload for workload in peers.cluster.workloads if workload.name == "done")
    assert peers.of(done) is None


def test_a_pod_on_the_host_network_is_its_node():
    agent = Peers(cluster_of(RUNNING)).pods[2]
    assert (agent.is_pod, agent.is_node, agent.node, dict(agent.node_labels)) == (False, True, "n1", {"zone": "a"})
    assert agent.addresses.range_texts() == ("192.168.0.1-192.168.0.1",)


def test_a_job_gives_its_pods_its_name():
    job = Peers(cluster_of(RUNNING)).pods[3]
    assert job.labels == {"app": "m", "batch.kubernetes.io/job-name": "migrate", "job-name": "migrate"}


def test_an_address_is_a_pod_a_node_or_outside():
    peers = Peers(cluster_of(RUNNING))
    assert peers.at(Address.parse("10.0.0.2")) is peers.pods[0]
    node = peers.at(Address.parse("192.168.0.1"))
    assert (node.is_node, node.node, node.text) == (True, "n1", "192.168.0.1")
    undeclared = peers.at(Address.parse("192.168.0.2"))
    assert (undeclared.is_node, undeclared.node) == (True, "192.168.0.2")
    outside = peers.at(Address.parse("10.0.0.3"))
    assert (outside.is_node, outside.is_pod, outside.index) == (False, False, None)


def test_pods_of_unknown_address_may_have_any_of_the_pod_ranges():
    cluster = cluster_of(RUNNING)
    assert Peers(cluster).pods[1].addresses.range_texts() == ("0.0.0.0-255.255.255.255",)
    known = Peers(cluster, NEUTRAL, ("10.1.0.0/16", "10.2.0.0/16"))
    assert known.pods[1].addresses.range_texts() == ("10.1.0.0-10.2.255.255",)


def test_a_pod_is_met_at_its_second_address_too_and_seen_by_it():
    text = """
apiVersion: v1
kind: Pod
metadata: {name: both, namespace: shop, labels: {app: both}}
spec: {containers: []}
status: {podIP: 10.0.0.7, podIPs: [{ip: 10.0.0.7}, {ip: "fd00:10::7"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: "fd00:10::/64"}}]}]
"""
    policies = policy.lower(cluster_of(text))
    (pod,) = policies.peers.pods
    first, second, outside = (
        policies.peers.at(Address.parse(each)) for each in ("10.0.0.7", "fd00:10::7", "fd00:10::8")
    )
    assert first is pod
    assert (second.text, second.index, second.addresses.range_texts()) == (
        "shop/both[Pod]",
        0,
        ("fd00:10::7-fd00:10::7",),
    )
    assert (outside.index, outside.is_pod) == (None, False)
    assert is_allowed(policies, Flow(pod, second, "TCP", 80)).is_self
    assert is_allowed(policies, Flow(second, outside, "TCP", 80)).is_allowed
    assert not is_allowed(policies, Flow(second, policies.peers.at(Address.parse("10.0.0.8")), "TCP", 80)).is_allowed
