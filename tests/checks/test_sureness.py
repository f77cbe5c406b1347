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
    ("texts", "unit_type", "one_unit", "severity"),
    [
        ([f"{ONE}---\n{OTHER}"], "plain", False, "error"),
        ([ONE, OTHER], "kustomization", False, "error"),
        ([ONE, OTHER], "plain", True, "error"),
        ([ONE, OTHER], "plain", False, "note"),
        ([f"{ONE}---\n{ONE}"], "plain", False, "note"),
    ],
)
def test_an_object_declared_twice_is_an_error_where_both_are_surely_applied(
    texts: list[str], unit_type: UnitType, one_unit: bool, severity: str
) -> None:
    settings = attrs.evolve(SETTINGS, one_unit=one_unit)
    assert levels(texts, "K8S003", unit_type, settings) == [(severity, "high")]


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
