"""What pods beyond the manifests could: what is claimed of all that pass the tests holds for any that one thinks of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8snetlint import policy
from k8snetlint.analysis.exposure import Exposure, exposures
from k8snetlint.analysis.reference import decide
from k8snetlint.policy.ir import Action
from k8snetlint.policy.peers import DeclaredPort, Flow, Peer
from tests.analysis.random_clusters import VALUES, clusters
from tests.clusters import cluster_of

from .test_engines_agree import fuzzed, imagined_pods

PORTS = (53, 80, 8080)


def is_about(exposure: Exposure, pod: Peer) -> bool:
    return all(test.holds(pod.namespace_labels.get(test.key)) for test in exposure.namespace_tests) and all(
        test.holds(pod.labels.get(test.key)) for test in exposure.pod_tests
    )


@fuzzed
@given(clusters(), st.data())
def test_what_is_claimed_of_pods_holds_for_each_of_them(cluster, data):
    policies = policy.lower(cluster)
    stages = {stage.name: stage for stage in policies.stages}
    found = list(exposures(policies))
    app, label = data.draw(st.sampled_from(VALUES)), data.draw(st.sampled_from((None, *VALUES)))
    pods = list(imagined_pods(policies, app, label, DeclaredPort("none", "TCP", 1)))
    for peer in policies.peers.pods:
        for direction, stage in stages.items():
            of_peer = [each for each in found if (each.workload, each.direction) == (peer.text, direction)]
            for pod in pods:
                said = [each for each in of_peer if is_about(each, pod)]
                if not said:
                    continue
                everywhere = said[0].connections
                for each in said:
                    everywhere &= each.connections
                for protocol in ("TCP", "UDP"):
                    for port in PORTS:
                        if (protocol, port) in everywhere:
                            ends = (peer, pod) if direction == "egress" else (pod, peer)
                            assert decide(stage, Flow(*ends, protocol, port)).action is Action.ALLOW


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: main, image: registry.example/main:1, ports: [{name: http, containerPort: 8080}]}]}
---
"""


def texts(manifests: str) -> list[tuple[str, str, str, str]]:
    def text(tests):
        return "; ".join(f"{test.key} {test.operator.value} {','.join(test.values)}".strip() for test in tests)

    return [
        (each.direction, text(each.namespace_tests), text(each.pod_tests), str(each.connections))
        for each in exposures(policy.lower(cluster_of(POD + manifests)))
    ]


def test_negative_selectors_are_no_licence_for_all():
    assert texts("""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - namespaceSelector:
            matchExpressions: [{key: env, operator: NotIn, values: [prod, stage]}]
          podSelector:
            matchExpressions: [{key: untrusted, operator: DoesNotExist}]
      ports: [{port: http}]
""") == [("ingress", "env not in prod,stage", "untrusted absent", "TCP 8080")]


def test_pods_that_are_denied_are_named():
    assert texts("""\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: red}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress:
    - action: Deny
      from: [{namespaces: {matchLabels: {tenant: red}}}]
""") == [("ingress", "", "", "all"), ("ingress", "tenant in red", "", "none"), ("egress", "", "", "all")]
