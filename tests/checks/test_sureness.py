"""How loudly a rule speaks where the manifests may not be one cluster, or not whole objects."""

from __future__ import annotations

import attrs
import pytest

from k8snetlint.engine import run
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit, UnitType

RULEBOOK = load()
SETTINGS = Settings(pedantic=True)


def levels(
    texts: list[str], rule: str, unit_type: UnitType = "plain", settings: Settings = SETTINGS
) -> list[tuple[str, str]]:
    documents = tuple(
        document
        for index, text in enumerate(texts)
        for document in parse(SourceFile(f"{index}/a.yaml", text)).documents
    )
    settings = attrs.evolve(settings, select=(rule,))
    found = run([Unit("u", unit_type, documents)], RULEBOOK, settings).diagnostics
    return [(diagnostic.severity.label, diagnostic.confidence.label) for diagnostic in found]


ONE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: a}, ports: [{port: 80}]}\n"
OTHER = ONE.replace("app: a", "app: b")


@pytest.mark.parametrize(
    ("texts", "unit_type", "one_unit", "level"),
    [
        ([f"{ONE}---\n{OTHER}"], "plain", False, ("error", "high")),
        ([ONE, OTHER], "kustomization", False, ("error", "high")),
        ([ONE, OTHER], "plain", True, ("error", "high")),
        # Of a plain tree each folder may be an example for itself.
        ([ONE, OTHER], "plain", False, ("note", "low")),
        ([f"{ONE}---\n{ONE}"], "plain", False, ("note", "high")),
    ],
)
def test_an_object_declared_twice_is_an_error_where_both_are_surely_applied(
    texts: list[str], unit_type: UnitType, one_unit: bool, level: tuple[str, str]
) -> None:
    settings = attrs.evolve(SETTINGS, one_unit=one_unit)
    assert levels(texts, "K8S003", unit_type, settings) == [level]


def test_a_fragment_of_an_object_is_no_error() -> None:
    fragment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n"
    assert set(levels([fragment], "K8S014")) == {("note", "low")}
    assert set(levels([fragment], "K8S014", "kustomization")) == {("error", "high")}


def test_an_unknown_field_of_a_custom_kind_may_be_of_another_release() -> None:
    route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec: {frobnicate: 1}\n"
    assert levels([route], "K8S004") == [("note", "medium")]
    assert levels([ONE.replace("spec: {", "spec: {frobnicate: 1, ")], "K8S004") == [("warning", "high")]


def test_objects_without_a_namespace_go_to_the_unit_s_own() -> None:
    documents = parse(SourceFile("a.yaml", ONE)).documents
    unit = Unit("u", "configured", documents, namespace="shop")
    (found,) = run([unit], RULEBOOK, attrs.evolve(SETTINGS, select=("SVC001",))).diagnostics
    assert found.resource is not None
    assert found.resource.namespace == "shop"


BATCH = """apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: migrate, image: example/migrate:1}]}
"""
SERVER = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: web, image: example/web:1, ports: [{name: http, containerPort: 80}]}]}
"""


@pytest.mark.parametrize(("unit_type", "severity"), [("plain", "note"), ("kustomization", "warning")])
def test_a_job_of_another_folder_may_be_another_example(unit_type: UnitType, severity: str) -> None:
    assert levels([ONE + "---\n" + SERVER, BATCH], "SVC004", unit_type) == [(severity, "high")]


@pytest.mark.parametrize(("unit_type", "severity"), [("plain", "note"), ("kustomization", "warning")])
def test_a_workload_of_another_folder_may_be_another_example(unit_type: UnitType, severity: str) -> None:
    other = SERVER.replace("web", "controller").replace("containerPort: 80", "containerPort: 8443")
    assert levels([ONE + "---\n" + SERVER, other], "SVC003", unit_type) == [(severity, "high")]


def test_a_label_that_a_script_sets_is_not_missing() -> None:
    asked = ONE.replace("app: a", "app: a, broker: '0'")
    script = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {run: kubectl label pod $P broker=$N}\n"
    assert levels([asked, SERVER], "SVC001") == [("warning", "medium")]
    assert levels([asked, SERVER, script], "SVC001") == []


def test_a_controller_resolves_the_backend_of_a_route_to_its_endpoints() -> None:
    headless = ONE.replace("selector", "clusterIP: None, selector").replace("port: 80", "port: 8080, targetPort: http")
    ingress = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n"
        "spec: {defaultBackend: {service: {name: web, port: {number: 8080}}}}\n"
    )
    assert levels([headless, SERVER], "SVC043") == [("warning", "high")]
    assert levels([headless, SERVER, ingress], "SVC043") == [("note", "high")]


def test_a_chart_leaves_names_to_its_user() -> None:
    unnamed = ONE.replace("name: web", "name: gateway-")
    assert levels([unnamed], "SVC056") == [("error", "high")]
    assert levels([unnamed], "SVC056", "chart") == [("note", "low")]


def test_an_operator_bundle_has_fields_for_what_makes_it() -> None:
    wrong = ONE.replace("spec: {", "spec: {portal: 1, ")
    bundle = "apiVersion: operators.coreos.com/v1alpha1\nkind: ClusterServiceVersion\nmetadata: {name: x}\nspec: {}\n"
    assert levels([wrong], "K8S004") == [("warning", "high")]
    assert levels([wrong, bundle], "K8S004") == [("note", "medium")]


@pytest.mark.parametrize(
    ("unit_type", "expected"), [("plain", ("note", "low")), ("kustomization", ("warning", "medium"))]
)
def test_pods_of_another_folder_and_namespace_may_be_another_example(
    unit_type: UnitType, expected: tuple[str, str]
) -> None:
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: x}\n"
        "spec: {podSelector: {matchLabels: {app: a}}}\n"
    )
    assert levels([policy, SERVER.replace("{name: web}", "{name: web, namespace: demo}", 1)], "NP001", unit_type) == [
        expected
    ]


@pytest.mark.parametrize(("more", "severity"), [("", "warning"), (", {ipBlock: {cidr: 10.0.0.0/8}}", "note")])
def test_who_lists_more_than_two_peers_knows_that_they_are_alternatives(more: str, severity: str) -> None:
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: x}\n"
        "spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}, "
        f"{{podSelector: {{matchLabels: {{app: a}}}}}}{more}]}}]}}\n"
    )
    assert levels([policy], "NP007") == [(severity, "medium")]


@pytest.mark.parametrize(("denied", "expected"), [("{}", [("warning", "high")]), ("{matchLabels: {team: x}}", [])])
def test_a_controller_out_of_sight_may_not_be_whom_an_admin_policy_denies(
    denied: str, expected: list[tuple[str, str]]
) -> None:
    route = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n"
        "spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n"
    )
    policy = (
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\n"
        "spec: {subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: %s}]}]}\n"
    )
    assert levels([ONE, SERVER, route, policy % denied], "NP042") == expected


def test_a_field_that_bundles_are_made_from_may_be_meant() -> None:
    webhook = (
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: w}\n"
        "webhooks: [{name: a.example.org, sideEffects: None, admissionReviewVersions: [v1], "
        "clientConfig: {service: {name: web, namespace: a, %s: 9443}}}]\n"
    )
    assert levels([webhook % "containerPort"], "K8S004") == [("note", "medium")]
    assert levels([webhook % "targetPort"], "K8S004") == [("warning", "high")]
