"""Whether policies let a requirement be, where its client or server is not in the manifests, or not all of it is known."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.blocking import denying_sides, nearest_miss
from k8snetlint.analysis.judgement import judged
from k8snetlint.analysis.reach import explain
from k8snetlint.analysis.requirements import Ground, requirements
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Flow
from k8snetlint.settings import Settings
from tests.clusters import cluster_of

HOOK = """
apiVersion: v1
kind: Pod
metadata: {name: hook, namespace: shop, labels: {app: hook}, annotations: {prometheus.io/scrape: 'true'}}
spec:
  serviceAccountName: hook
  containers: [{name: c, image: i, env: [{name: A, value: 'http://example.com'}], ports: [{containerPort: 9443}]}]
---
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: shop}
spec: {selector: {app: hook}, ports: [{port: 443, targetPort: 9443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks: [{name: a.x, clientConfig: {service: {name: hook, namespace: shop}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: hook, namespace: shop}
spec: {defaultBackend: {service: {name: hook, port: {number: 443}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: hook, namespace: shop}
subjects: [{kind: ServiceAccount, name: hook}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: hook, namespace: shop}
spec: {podSelector: %s, policyTypes: [Ingress, Egress], ingress: [%s], egress: [%s]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
NODES = "ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.0/25]}"
SYSTEM = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}"
ALL = "{}"


def verdict(ground: Ground, ingress: str = "", egress: str = "", subject: str = "{}") -> bool | None:
    cluster = cluster_of(HOOK % (subject, ingress, egress))
    (need,) = (each for each in requirements(cluster, Settings()) if each.ground is ground)
    return judged(need, lower(cluster)).is_allowed


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ("", False),
        (ALL, True),
        ("{ports: [{port: 9443}]}", True),
        ("{ports: [{port: 443}]}", False),
        (f"{{from: [{{{NODES}}}]}}", True),
        (f"{{from: [{{{NODES}}}], ports: [{{port: 443}}]}}", False),
        ("{from: [{namespaceSelector: {}}]}", True),
        (f"{{from: [{{{SYSTEM}}}]}}", True),
        ("{from: [{podSelector: {}}]}", False),
    ],
)
def test_the_api_server_comes_from_an_address_or_from_kube_system(ingress: str, expected: bool) -> None:
    assert verdict(Ground.CALL, ingress) is expected


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ("", False),
        ("{from: [{podSelector: {}}]}", False),
        ("{from: [{namespaceSelector: {matchLabels: {a: b}}}]}", None),
        ("{from: [{podSelector: {matchLabels: {app: proxy}}}]}", None),
        ("{from: [{namespaceSelector: {}}]}", True),
    ],
)
def test_an_unknown_ingress_controller(ingress: str, expected: bool | None) -> None:
    assert verdict(Ground.ROUTE, ingress) is expected


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [("", False), ("{ports: [{port: 1}]}", False), ("{from: [{podSelector: {}}]}", None), (ALL, True)],
)
def test_an_unknown_prometheus_may_be_anywhere(ingress: str, expected: bool | None) -> None:
    assert verdict(Ground.SCRAPE, ingress) is expected


@pytest.mark.parametrize(
    ("egress", "expected"),
    [
        ("", False),
        (ALL, True),
        (f"{{to: [{{{NODES}}}], ports: [{{port: 6443}}]}}", True),
        (f"{{to: [{{{NODES}}}], ports: [{{port: 80}}]}}", False),
        ("{to: [{podSelector: {}}]}", False),
    ],
)
def test_egress_to_the_api_server(egress: str, expected: bool) -> None:
    assert verdict(Ground.API, egress=egress) is expected


@pytest.mark.parametrize(
    ("egress", "expected"),
    [
        ("", False),
        ("{ports: [{port: 53, protocol: UDP}]}", True),
        ("{ports: [{port: 53}]}", False),
        (f"{{to: [{{{SYSTEM}}}]}}", True),
    ],
)
def test_egress_to_dns(egress: str, expected: bool) -> None:
    assert verdict(Ground.NAMES, egress=egress) is expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("{matchLabels: {app: hook}}", True),
        ("{matchLabels: {app: other}}", False),
        ("{matchLabels: {service.istio.io/canonical-name: x}}", None),
        ("{matchLabels: {app: other, service.istio.io/canonical-name: x}}", False),
        ("{matchLabels: {job-name: x}}", False),
        ("{matchLabels: {statefulset.kubernetes.io/pod-name: x-0}}", False),
    ],
)
def test_a_label_that_controllers_set_may_open_what_is_shut(subject: str, expected: bool | None) -> None:
    assert verdict(Ground.CALL, ALL, subject=subject) is expected


NEAREST = """
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [%s]}
"""
WEB, REPORT = "podSelector: {matchLabels: {app: web}}", "podSelector: {matchLabels: {app: report}}"


@pytest.mark.parametrize(
    ("rules", "nearest"),
    [
        ([f"{{from: [{{{REPORT}}}]}}", f"{{from: [{{{WEB}}}], ports: [{{port: 1}}]}}"], (1, "port")),
        (["{ports: [{port: 1}]}", f"{{from: [{{{REPORT}}}], ports: [{{port: 5432}}]}}"], (1, "source")),
        (["{ports: [{port: 1}]}", f"{{from: [{{{REPORT}}}]}}"], (0, "port")),
        ([f"{{from: [{{{WEB}}}], ports: [{{port: 5432, protocol: UDP}}]}}", "{ports: [{port: 1}]}"], (0, "protocol")),
    ],
)
def test_the_rule_that_comes_closest(rules: list[str], nearest: tuple[int, str]) -> None:
    cluster = cluster_of(NEAREST % ", ".join(rules))
    policies = lower(cluster)
    db, web = (policies.peers.of(workload) for workload in cluster.workloads)
    assert db is not None
    assert web is not None
    flow = Flow(web, db, "TCP", 5432)
    (side,) = denying_sides(explain(policies, flow))
    miss = nearest_miss(side, flow)
    assert miss is not None
    assert miss.rule.origin is not None
    assert (miss.rule.origin.path[-1], miss.part) == nearest
