"""Diagnostics of what charts and kustomizations make: each place that a person may edit, and ignores at any of them."""

import json
from pathlib import Path

import pytest

from .program import k8snetlint

WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
        - name: cart
          image: cart
          ports:
            - {name: http, containerPort: 8080}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: cart}
  ports:
    - port: 80
      targetPort: {{ .Values.port }}
"""
VALUES = "# the port\nport: htttp\n"
ONLY = ("--select", "SVC005")


def chart(root: Path, service: str = SERVICE, values: str = VALUES, helpers: str = "") -> None:
    folder = root / "shop"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text(values)
    (folder / "templates" / "workload.yaml").write_text(WORKLOAD)
    (folder / "templates" / "service.yaml").write_text(service)
    (folder / "templates" / "_helpers.tpl").write_text(helpers)


def test_a_value_is_shown_with_the_line_that_prints_it(tmp_path: Path) -> None:
    chart(tmp_path)
    assert (
        k8snetlint(tmp_path, "check", *ONLY).out
        == """\
error[SVC005]: no container of the 1 workload it selects declares a port named `htttp`; did you mean `http`?
  --> shop/values.yaml:2:7
   |
 2 | port: htttp
   |       ^^^^^ no such port name
  ::: shop/templates/service.yaml:9:19
   |
 9 |       targetPort: {{ .Values.port }}
   |                   ------------------ rendered here
  ::: shop/templates/workload.yaml:10:7
   |
10 |       labels: {app: cart}
   |       ------ selected here
   |
   = help: name a port that the containers declare, or add `name: htttp` to a container port
   = why: k8snetlint explain SVC005

found 1 error in 4 files
"""
    )


def test_a_scalar_of_several_parts_is_shown_with_the_values_in_it(tmp_path: Path) -> None:
    chart(tmp_path, SERVICE.replace("{{ .Values.port }}", "x-{{ .Values.port }}"))
    report = json.loads(k8snetlint(tmp_path, "check", *ONLY, "-f", "json")[1])
    (diagnostic,) = report["diagnostics"]
    assert (diagnostic["location"]["path"], diagnostic["location"]["line"]) == ("shop/templates/service.yaml", 9)
    assert [(each["label"], each["location"]["path"], each["location"]["line"]) for each in diagnostic["related"]] == [
        ("selected here", "shop/templates/workload.yaml", 10),
        ("with this value", "shop/values.yaml", 2),
    ]


def test_a_value_that_is_a_template_is_shown_too(tmp_path: Path) -> None:
    chart(tmp_path, SERVICE.replace("{{ .Values.port }}", "{{ tpl .Values.port . }}"), 'port: "{{ .Chart.Name }}-x"\n')
    report = json.loads(k8snetlint(tmp_path, "check", *ONLY, "-f", "json")[1])
    (diagnostic,) = report["diagnostics"]
    assert diagnostic["location"]["path"] == "shop/templates/service.yaml"
    assert ("with this value", "shop/values.yaml", 1) in [
        (each["label"], each["location"]["path"], each["location"]["line"]) for each in diagnostic["related"]
    ]


def test_an_object_as_a_whole_is_shown_at_its_template(tmp_path: Path) -> None:
    policy = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .Values.name }}
spec:
  podSelector: {matchLabels: {app: none}}
"""
    chart(tmp_path, policy, "name: lonely\n")
    report = json.loads(k8snetlint(tmp_path, "check", "--select", "NP001", "-f", "json")[1])
    assert [each["location"]["path"] for each in report["diagnostics"]] == ["shop/templates/service.yaml"]


@pytest.mark.parametrize(
    ("filled", "severity"),
    [
        ("      from:\n      {{- if .Values.peers }}\n        - podSelector: {}\n      {{- end }}\n", "note"),
        ("      from:\n", "warning"),
    ],
)
def test_a_list_that_a_template_fills_under_a_condition_is_a_note(tmp_path: Path, filled: str, severity: str) -> None:
    policy = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: cart
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress:
    - ports: [{port: 80}]
"""
    chart(tmp_path, policy + filled)
    report = json.loads(k8snetlint(tmp_path, "check", "--select", "NP029", "-f", "json")[1])
    assert [(each["rule"], each["severity"]) for each in report["diagnostics"]] == [("NP029", severity)]


def test_related_places_are_in_sarif(tmp_path: Path) -> None:
    chart(tmp_path)
    sarif = json.loads(k8snetlint(tmp_path, "check", *ONLY, "-f", "sarif")[1])
    (result,) = sarif["runs"][0]["results"]
    texts = [each["message"]["text"] for each in result["relatedLocations"]]
    assert texts == ["selected here", "rendered here"]


def test_a_patched_value_is_shown_with_what_patched_it(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "live").mkdir()
    objects = f"{WORKLOAD}---\n{SERVICE}".replace("{{ .Release.Name }}", "cart").replace("{{ .Values.port }}", "http")
    (tmp_path / "base" / "all.yaml").write_text(objects)
    (tmp_path / "base" / "kustomization.yaml").write_text("resources: [all.yaml]\n")
    (tmp_path / "live" / "kustomization.yaml").write_text(
        "resources: [../base]\nreplacements:\n"
        "- source: {kind: Deployment, fieldPath: metadata.name}\n"
        "  targets: [{select: {kind: Service}, fieldPaths: [spec.ports.0.targetPort]}]\n"
    )
    assert "   = unit: live\n" in k8snetlint(tmp_path, "check", *ONLY).out
    report = json.loads(k8snetlint(tmp_path, "check", *ONLY, "-f", "json")[1])
    (diagnostic,) = report["diagnostics"]
    places = [diagnostic["location"], *(each["location"] for each in diagnostic["related"])]
    labels = [each["label"] for each in diagnostic["related"]]
    assert diagnostic["units"] == ["live"]
    assert "changed here" in labels
    assert places[labels.index("changed here") + 1]["path"] == "live/kustomization.yaml"


@pytest.mark.parametrize(
    ("service", "values", "helpers"),
    [
        (SERVICE, "port: htttp  # k8snetlint: ignore[SVC005] meant\n", ""),
        (SERVICE, "# k8snetlint: ignore[SVC005] meant\nport: htttp\n", ""),
        (SERVICE, f"# k8snetlint: ignore-file[SVC005] meant\n{VALUES}", ""),
        (SERVICE.replace("port }}", "port }}  # k8snetlint: ignore[SVC005] meant"), VALUES, ""),
        (SERVICE.replace("port }}", "port }}{{/* k8snetlint: ignore[SVC005] meant */}}"), VALUES, ""),
        (SERVICE.replace("  ports:", "  {{- /* k8snetlint: ignore[SVC005] meant */}}\n  ports:"), VALUES, ""),
        (SERVICE.replace("  ports:", "  # k8snetlint: ignore[SVC005] meant\n  ports:"), VALUES, ""),
        ("{{- /* k8snetlint: ignore-file[SVC005] meant */ -}}\n" + SERVICE, VALUES, ""),
        ("{{- if true }}\n# k8snetlint: ignore-document[SVC005] meant\n" + SERVICE + "{{- end }}\n", VALUES, ""),
        (
            SERVICE.replace("{{ .Values.port }}", '{{ include "port" . }}'),
            VALUES,
            '{{- define "port" -}}\n{{- /* k8snetlint: ignore[SVC005] meant */ -}}\n{{ .Values.port }}\n{{- end }}\n',
        ),
    ],
)
def test_ignores_count_where_a_person_wrote_them(tmp_path: Path, service: str, values: str, helpers: str) -> None:
    chart(tmp_path, service, values, helpers)
    report = json.loads(k8snetlint(tmp_path, "check", *ONLY, "--extend-select", "TOOL", "-f", "json")[1])
    assert [
        (each["rule"], each["suppressed"]["kind"], each["suppressed"]["reason"]) for each in report["diagnostics"]
    ] == [("SVC005", "inline", "meant")]


def test_an_ignore_beside_what_it_is_about_does_nothing_and_is_said(tmp_path: Path) -> None:
    text = SERVICE.replace("    - port: 80", "    # k8snetlint: ignore[NP001]\n    - port: 80")
    chart(tmp_path, text.replace("  selector:", "  # k8snetlint: ignore[SVC005]\n  selector:"))
    report = json.loads(k8snetlint(tmp_path, "check", *ONLY, "--extend-select", "TOOL,NP001", "-f", "json")[1])
    assert [(each["rule"], each["suppressed"], each["location"]["line"]) for each in report["diagnostics"]] == [
        ("TOOL003", None, 6),
        ("TOOL003", None, 9),
        ("SVC005", None, 2),
    ]


def fixed(root: Path, *select: str) -> str:
    """The template of the Service once the fixes are made."""
    k8snetlint(root, "check", "--select", ",".join(select), "--fix", "--unsafe-fixes")
    return (root / "shop" / "templates" / "service.yaml").read_text()


def test_fixes_are_made_in_the_text_of_templates(tmp_path: Path) -> None:
    chart(tmp_path, SERVICE.replace("{{ .Values.port }}", "htttp"))
    assert fixed(tmp_path, "SVC005") == SERVICE.replace("{{ .Values.port }}", "http")


def test_fixes_leave_actions_and_values_alone(tmp_path: Path) -> None:
    chart(tmp_path)
    assert fixed(tmp_path, "SVC005") == SERVICE
    assert (tmp_path / "shop" / "values.yaml").read_text() == VALUES
