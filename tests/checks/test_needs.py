"""How needs that policies block are told: how loudly, once for each line, and with the rule that comes closest."""

from __future__ import annotations

import pytest

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import run
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit

RULEBOOK = load()
SERVER = """
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {selector: {app: db}, ports: [{name: sql, port: 5432}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
---
"""
CLIENT = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: shop, labels: {app: NAME}}
spec: {containers: [{name: c, image: i, envFrom: [{configMapRef: {name: shared}}]}]}
---
"""
SHARED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared, namespace: shop}\ndata: {DB_ADDR: 'db:5432'}\n"


def reported(text: str, *rules: str, complete: bool = True) -> list[Diagnostic]:
    unit = Unit("u", "plain", tuple(parse(SourceFile("a.yaml", text)).documents), complete=complete)
    outcome = run([unit], RULEBOOK, Settings(select=rules, pedantic=True, one_unit=True))
    assert not outcome.has_internal_error
    return list(outcome.diagnostics)


@pytest.mark.parametrize(
    ("clients", "expected"),
    [
        (("report",), [("a.yaml", "warning", "high")]),
        (("report", "web"), [("a.yaml", "warning", "low")]),
        (("web",), []),
    ],
)
def test_of_a_shared_config_map_not_every_reader_needs_every_line(clients: tuple[str, ...], expected: object) -> None:
    text = SERVER + "".join(CLIENT.replace("NAME", name) for name in clients) + SHARED
    found = reported(text, "NP044")
    assert [(d.primary.place.source.path, d.severity.label, d.confidence.label) for d in found] == expected
    assert all(d.primary.place.text == "db:5432" for d in found)


def test_an_incomplete_unit_proves_little() -> None:
    text = SERVER + CLIENT.replace("NAME", "report") + SHARED
    assert [d.severity.label for d in reported(text, "NP044", complete=False)] == ["note"]


@pytest.mark.parametrize(
    ("policy", "severity"),
    [
        (
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: x, namespace: shop}\n",
            "warning",
        ),
        ("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x, namespace: shop}\n", "note"),
    ],
)
def test_policies_that_are_not_read_may_open_what_is_shut_or_never_do(policy: str, severity: str) -> None:
    text = SERVER + CLIENT.replace("NAME", "report") + SHARED + "---\n" + policy
    assert [d.severity.label for d in reported(text, "NP044")] == [severity]


def test_the_nearest_rule_is_told_first_then_what_isolates() -> None:
    (found,) = reported(SERVER + CLIENT.replace("NAME", "report") + SHARED, "NP044")
    assert [(each.label, each.place.text) for each in found.related] == [
        ("other peers", "from"),
        ("isolates for ingress", "podSelector"),
    ]
    assert found.help == "allow TCP 5432 in an ingress rule that selects shop/db[Pod]"


CONTROLLER = """
apiVersion: v1
kind: Pod
metadata: {name: controller, namespace: edge, labels: {app: nginx}}
spec: {hostNetwork: %s, containers: [{name: c, image: registry.k8s.io/ingress-nginx/controller:v1.10.0}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: db, namespace: shop}
spec: {ingressClassName: %s, defaultBackend: {service: {name: db, port: {name: sql}}}}
"""


@pytest.mark.parametrize(
    ("host_network", "class_name", "severities"),
    [("false", "nginx", ["error"]), ("false", "traefik", ["warning"]), ("true", "nginx", ["warning"])],
)
def test_an_ingress_controller_in_sight_makes_it_an_error(
    host_network: str, class_name: str, severities: list[str]
) -> None:
    found = reported(SERVER + CLIENT.replace("NAME", "web") + CONTROLLER % (host_network, class_name), "NP042")
    assert [d.severity.label for d in found] == severities
    assert all(d.primary.place.text == "db" for d in found)


def test_targets_of_one_line_are_told_together() -> None:
    other = (
        SERVER.replace("name: db", "name: db2")
        .replace("app: db}", "app: db2}")
        .replace("app: db2}}\nspec: {sel", "app: db}}\nspec: {sel")
    )
    monitor = """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: m, namespace: shop}
spec: {selector: {}, endpoints: [{port: sql}]}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s, namespace: mon}
spec: {serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {}}
"""
    (found,) = reported(SERVER + other + monitor, "NP046")
    assert found.primary.place.text == "sql"
    assert found.message.startswith("the Prometheus mon/k8s needs db:5432 and db2:5432, but policies block them: ")


def test_a_needed_and_a_named_permission_are_told_once() -> None:
    text = SERVER + CLIENT.replace("NAME", "web") + SHARED
    egress = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}
"""
    assert [d.rule for d in reported(text + egress, "NP044", "NP045")] == ["NP044"]
    assert [d.rule for d in reported(text.replace("DB_ADDR: 'db:5432'", "A: b") + egress, "NP044", "NP045")] == [
        "NP045"
    ]
