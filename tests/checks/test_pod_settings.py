"""How far rules over the settings of pods go: percentages, controllers' own variables, who is asked and who is not."""

from __future__ import annotations

import attrs
import pytest

from k8snetlint.engine import run
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit

RULEBOOK = load()
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: n8n}\nspec: {selector: {app: n8n}, ports: [{port: 80}]}\n"
POD = """apiVersion: v1
kind: Pod
metadata: {name: n8n, labels: {app: n8n}}
spec:
  containers:
    - name: n8n
      image: n8nio/n8n:1
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: REPLICAS
  strategy: {rollingUpdate: {maxUnavailable: LIMIT}}
  template:
    spec:
      containers: [{name: web, image: web, ports: [{containerPort: 80, hostPort: 80}]}]
"""


def said(rule: str, *texts: str, complete: bool = True) -> list[tuple[str, str]]:
    """The severity and message of what a rule says of files, each a text."""
    sources = [SourceFile(f"{index}.yaml", text) for index, text in enumerate(texts)]
    unit = Unit("u", "plain", tuple(document for source in sources for document in parse(source).documents))
    unit = attrs.evolve(unit, complete=complete)
    found = run([unit], RULEBOOK, Settings(select=(rule,))).diagnostics
    return [(diagnostic.severity.label, diagnostic.message) for diagnostic in found]


@pytest.mark.parametrize(
    ("replicas", "limit", "severity"),
    [
        ("3", "25%", "warning"),
        ("4", "25%", "note"),
        ("1", "0", "warning"),
        ("2", "50%", "note"),
        ("1", "1", None),
        ("0", "0", None),
        ("2", "null", "warning"),
    ],
)
def test_percentages_of_an_update_are_rounded_down(replicas: str, limit: str, severity: str | None) -> None:
    text = DEPLOYMENT.replace("REPLICAS", replicas).replace("LIMIT", limit)
    found = said("HOST006", text)
    assert [level for level, _ in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("pod", "count"),
    [
        (POD, 1),
        (f'{POD}      args: ["--port=5678"]\n', 0),
        (f'{POD}      env: [{{name: N8N_PORT, value: "5678"}}]\n', 0),
        (f"{POD}      envFrom: [{{configMapRef: {{name: elsewhere}}}}]\n", 0),
        (POD.replace("n8nio/n8n:1", "acme/n8n:1"), 0),
        (POD.replace("name: n8n, labels", "name: n8n, namespace: other, labels"), 0),
    ],
)
def test_a_program_that_is_told_its_port_is_left_alone(pod: str, count: int) -> None:
    assert len(said("DISC005", f"{SERVICE}---\n{pod}")) == count


def test_files_that_may_be_examples_do_not_collide_loudly() -> None:
    (same,) = said("DISC005", f"{SERVICE}---\n{POD}")
    (apart,) = said("DISC005", SERVICE, POD)
    assert (same[0], apart[0]) == ("warning", "note")
    assert same[1] == apart[1]


@pytest.mark.parametrize(
    ("kind", "name", "is_set"),
    [
        ("batch/v1 Job", "JOB_COMPLETION_INDEX", True),
        ("batch/v1 Job", "LWS_LEADER_ADDRESS", False),
        ("serving.knative.dev/v1 Service", "PORT", True),
        ("serving.knative.dev/v1 Service", "K_REVISION", True),
        ("apps/v1 Deployment", "PORT", False),
        ("apps/v1 Deployment", "KUBERNETES_SERVICE_HOST", True),
    ],
)
def test_variables_that_controllers_set_are_there(kind: str, name: str, is_set: bool) -> None:
    api_version, _, word = kind.partition(" ")
    text = (
        f"apiVersion: {api_version}\nkind: {word}\nmetadata: {{name: web}}\nspec:\n  template:\n    spec:\n"
        f"      containers: [{{name: web, image: web, args: ['--x=$({name})']}}]\n"
    )
    assert said("DISC013", text) == (
        [] if is_set else [("warning", f"`web` has no variable {name}, so `$({name})` stays in the text as it is")]
    )


def test_what_a_unit_lacks_may_define_a_variable() -> None:
    text = f"{POD}      args: ['--x=$(HERE)']\n"
    assert [severity for severity, _ in said("DISC013", text)] == ["warning"]
    assert said("DISC013", text, complete=False) == []


@pytest.mark.parametrize(
    ("policy", "servers", "count"),
    [
        ("Default", "", 1),
        ("None", "8.8.8.8", 1),
        ("None", "10.96.0.10", 0),
        ("None", "8.8.8.8, 10.96.0.10", 0),
        ("ClusterFirst", "", 0),
    ],
)
def test_which_resolvers_know_no_services(policy: str, servers: str, count: int) -> None:
    pod = POD.replace("spec:\n", f"spec:\n  dnsPolicy: {policy}\n  dnsConfig: {{nameservers: [{servers}]}}\n")
    pod = f"{pod}      args: ['--db=http://db.shop.svc:80']\n"
    assert len(said("DNS006", pod)) == count
