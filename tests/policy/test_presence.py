"""What absent, null and empty fields of a NetworkPolicy mean, each with the flows that it lets pass."""

from __future__ import annotations

import pytest

from k8snetlint import policy
from k8snetlint.algebra.addresses import Address
from k8snetlint.analysis.reference import is_allowed
from k8snetlint.policy.peers import Flow
from tests.clusters import cluster_of

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x, labels: {app: a}}
spec: {containers: [{ports: [{name: web, containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]}]}
status: {podIP: 10.1.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: x, labels: {app: b}}
spec: {containers: [{}]}
status: {podIP: 10.1.0.2}
---
apiVersion: v1
kind: Pod
metadata: {name: c, namespace: "y"}
spec: {containers: [{}]}
status: {podIP: 10.1.0.3}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: x}
spec:
"""
INGRESS = {
    "b a TCP 80": "b",
    "c a TCP 80": "c",
    "203.0.113.7 a TCP 80": "v4",
    "2001:db8::7 a TCP 80": "v6",
    "b a TCP 81": "port",
    "b a UDP 80": "udp",
    "b a UDP 53": "dns",
    "b a SCTP 80": "sctp",
}
EGRESS = {"a b TCP 80": "b", "a c TCP 80": "c", "a 203.0.113.7 TCP 80": "v4", "a b UDP 53": "udp"}
ALL_IN = " ".join(INGRESS.values())
FROM_B = "from: [{podSelector: {matchLabels: {app: b}}}]"


def passing(spec: str, questions: dict[str, str]) -> str:
    policies = policy.lower(cluster_of(PODS + "".join(f"  {line}\n" for line in spec.split("; "))))
    assert policies.problems == ()
    peers = {peer.workloads[0].name: peer for peer in policies.peers.pods}
    found = []
    for question, word in questions.items():
        source, destination, protocol, port = question.split()
        ends = [peers.get(end) or policies.peers.at(Address.parse(end)) for end in (source, destination)]
        if is_allowed(policies, Flow(*ends, protocol, int(port))).is_allowed:
            found.append(word)
    return " ".join(found)


@pytest.mark.parametrize("selector", ["podSelector: {}", "podSelector:", "podSelector: {matchLabels: }"])
@pytest.mark.parametrize(
    "rules", ["ingress: []", "ingress:", "egress: []", "policyTypes: []", "policyTypes: [Ingress]"]
)
def test_without_rules_a_policy_isolates_for_ingress_alone(selector: str, rules: str) -> None:
    assert passing(f"{selector}; {rules}", INGRESS) == ""
    assert passing(f"{selector}; {rules}", EGRESS).split() == ["c", "v4"]


@pytest.mark.parametrize(
    ("spec", "incoming", "outgoing"),
    [
        ("policyTypes: [Egress]", "c v4 v6", ""),
        ("policyTypes: [Egress]; ingress: []", "c v4 v6", ""),
        ("policyTypes: [Ingress, Egress]", "", ""),
        ("egress: [{}]", "", "c v4"),
        ("egress: [{to: [{namespaceSelector: {}}]}]", "", "c"),
        ("policyTypes: [Ingress]; egress: [{to: [{podSelector: {}}]}]", "", "c v4"),
        ("policyTypes: [Ingress, Ingress]", "", "c v4"),
    ],
)
def test_directions(spec: str, incoming: str, outgoing: str) -> None:
    assert passing(f"podSelector: {{}}; {spec}", INGRESS) == incoming
    assert passing(f"podSelector: {{}}; {spec}", EGRESS) == outgoing


@pytest.mark.parametrize(
    ("rule", "incoming"),
    [
        ("{}", ALL_IN),
        ("null", ALL_IN),
        ("{from: []}", ALL_IN),
        ("{from: null, ports: null}", ALL_IN),
        ("{ports: []}", ALL_IN),
        ("{ports: [{}]}", "b c v4 v6 port"),
        ("{ports: [null]}", "b c v4 v6 port"),
        ("{ports: [{protocol: UDP}]}", "udp dns"),
        ("{ports: [{port: 80}]}", "b c v4 v6"),
        ("{ports: [{port: 80, protocol: null, endPort: null}]}", "b c v4 v6"),
        ("{ports: [{port: 80, endPort: 81}]}", "b c v4 v6 port"),
        ("{ports: [{port: 80, protocol: SCTP}]}", "sctp"),
        ("{ports: [{port: web}]}", "b c v4 v6"),
        ("{ports: [{port: dns}]}", ""),
        ("{ports: [{port: dns, protocol: UDP}]}", "dns"),
        (f"{{{FROM_B}}}", "b port udp dns sctp"),
        (f"{{{FROM_B}, ports: []}}", "b port udp dns sctp"),
        (f"{{{FROM_B}, ports: [{{port: 81}}]}}", "port"),
        ("{from: [{namespaceSelector: {}}], ports: [{port: 80}]}", "b c"),
        ("{from: [{namespaceSelector: {}, podSelector: null}], ports: [{port: 80}]}", "b c"),
        ("{from: [{namespaceSelector: null, podSelector: {}}], ports: [{port: 80}]}", "b"),
        ("{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 80}]}", "b c v4"),
        ("{from: [{ipBlock: {cidr: '::/0'}}], ports: [{port: 80}]}", "v6"),
        ("{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}], ports: [{port: 80}]}", "v4"),
        ("{from: [{ipBlock: {cidr: 010.1.0.2/31}}], ports: [{port: 80}]}", "b c"),
    ],
)
def test_rules(rule: str, incoming: str) -> None:
    assert passing(f"podSelector: {{matchLabels: {{app: a}}}}; ingress: [{rule}]", INGRESS) == incoming
