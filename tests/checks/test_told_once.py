"""Faults that two rules know of, and one of them tells."""

from __future__ import annotations

import pytest

from k8snetlint.engine import run
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {ingressClassName: x, SPEC}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  initContainers: [{name: i, image: i, ports: [{name: http, containerPort: 80}]}]
  containers: [{name: c, image: i, ports: [{name: web, containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: TARGET}]}
"""


def told(text: str, *rules: str) -> list[str]:
    documents = parse(SourceFile("a.yaml", text)).documents
    return sorted(d.rule for d in run([Unit("u", "plain", documents)], load(), Settings(select=rules)).diagnostics)


@pytest.mark.parametrize(
    ("spec", "rules"),
    [
        ("defaultBackend: {serviceName: a, servicePort: 80}", ["ING030"]),
        ("backend: {service: {name: a, port: {number: 80}}}", ["ING030"]),
        ("serviceName: a", ["K8S004"]),
    ],
)
def test_old_backends_of_ingresses(spec: str, rules: list[str]) -> None:
    assert told(INGRESS.replace("SPEC", spec), "ING030", "K8S004") == rules


@pytest.mark.parametrize(("target", "rules"), [("http", ["PORT019"]), ("htp", ["SVC005"]), ("web", []), ("70000", [])])
def test_ports_that_no_running_container_has(target: str, rules: list[str]) -> None:
    assert told(POD.replace("TARGET", target), "PORT019", "SVC005", "SVC007") == rules
