"""Mistakes that are really there in public repositories, each at its place: needs that are blocked, and wrong names."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from k8snetlint.cli import run
from tests.shared import SHARED, needs_shared

CORPUS = SHARED / "corpus"
BOUTIQUE = "rendered/microservices-demo-kustomize-tests-{}-with-all-components.yaml"
COLLECTOR_CLIENTS = (
    "checkoutservice",
    "currencyservice",
    "emailservice",
    "frontend",
    "paymentservice",
    "productcatalogservice",
    "recommendationservice",
)
KUBEFLOW = "rendered/kubeflow-manifests-example-FULL.yaml"
PIPELINES = "rendered/kubeflow-manifests-applications-pipeline-upstream-env-plain-multi-user.yaml"
AVRO = "repos/yolean-kafka/avro-tools/test"


class Told(NamedTuple):
    """A diagnostic: its severity, the object that it is on, the text of its line, and a part of what it says."""

    severity: str
    name: str
    line: str
    part: str


CASES = [
    *(
        (
            BOUTIQUE.format(variant),
            "NP044",
            [
                Told("warning", name, "value: opentelemetrycollector:4317", "NetworkPolicy default/deny-all isolates")
                for name in COLLECTOR_CLIENTS
            ],
        )
        for variant in ("memorystore", "spanner", "service-mesh-istio")
    ),
    *(
        (
            BOUTIQUE.format(variant),
            "NP041",
            [
                Told(
                    "error", "opentelemetrycollector", "port: 4317", "the policies that isolate those pods open no port"
                )
            ],
        )
        for variant in ("memorystore", "spanner", "service-mesh-istio")
    ),
    (
        KUBEFLOW,
        "NP043",
        [
            Told(
                "warning",
                "llminferenceservice.serving.kserve.io",
                "name: llmisvc-webhook-server-service",
                "NetworkPolicy kubeflow/default-allow-same-namespace isolates",
            )
        ],
    ),
    (
        KUBEFLOW,
        "NP042",
        [
            Told(
                "error",
                "profiles-kfam",
                "host: profiles-kfam.kubeflow.svc.cluster.local",
                "istio-system/istio-ingressgateway[Deployment] needs profiles-kfam:8081",
            )
        ],
    ),
    (KUBEFLOW, "NP044", []),
    (
        PIPELINES,
        "NP044",
        [
            Told(
                "warning",
                "kubeflow-pipelines-profile-controller",
                "value: http://seaweedfs.kubeflow:8111",
                "NetworkPolicy kubeflow/seaweedfs opens TCP 8333, not TCP 8111",
            )
        ],
    ),
    (
        "repos/spring-petclinic-cloud",
        "DISC001",
        [
            Told(
                "warning",
                "petclinic-config",
                "visits-service-id: http://vists-service.spring-petclinic.svc.cluster.local:8080",
                "did you mean `visits-service`?",
            )
        ],
    ),
    (
        "repos/yolean-kafka",
        "DISC001",
        [
            Told("warning", "rest-test1", "value: http://rest.kafka.svc.cluster.local", "did you mean `avro-rest`?"),
            Told(
                "warning", "rest-curl", "value: http://schemas.kafka.svc.cluster.local", "did you mean `avro-schemas`?"
            ),
            Told("warning", "rest-curl", "value: http://rest.kafka.svc.cluster.local", "did you mean `avro-rest`?"),
        ],
    ),
]


@needs_shared
@pytest.mark.parametrize(("path", "rule", "expected"), CASES)
def test_the_mistake_is_told_at_its_place(
    path: str, rule: str, expected: list[Told], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CORPUS)
    run(["check", path, "--isolated", "--select", rule, "--fail-on", "never", "-f", "json"])
    found = [
        each
        for each in json.loads(capsys.readouterr().out)["diagnostics"]
        if each["rule"] == rule and each["severity"] != "note"
    ]
    assert len(found) == len(expected)
    for diagnostic, told in zip(found, expected, strict=True):
        location = diagnostic["location"]
        line = (CORPUS / location["path"]).read_text("utf-8").split("\n")[location["line"] - 1]
        assert diagnostic["severity"] == told.severity
        assert diagnostic["resource"]["name"] == told.name
        assert line.strip().removeprefix("- ") == told.line
        assert told.part in diagnostic["message"]


ARGO = "argo-cd/manifests"
GUESTBOOK = "gke-samples/quickstarts/guestbook"
REDIS = "redis-operator/example/operator"
BY_OBJECT = [
    (f"{ARGO}/ha/namespace-install.yaml", "NP018", f"{ARGO}/ha/namespace-install.yaml:4322"),
    (REDIS, "SVC005", f"{REDIS}/all-redis-operator-resources.yaml:129"),
    (REDIS, "REF005", f"{REDIS}/all-redis-operator-resources.yaml:165"),
    (
        "infra-deployments/components/kubearchive/development",
        "SVC007",
        "infra-deployments/components/kubearchive/development/kubearchive.yaml:1050",
    ),
    (
        f"{ARGO}/base/application-controller-deployment",
        "SVC007",
        f"{ARGO}/base/application-controller-deployment/argocd-application-controller-service.yaml:18",
    ),
    (
        "container-solutions-examples/broken-Deployment",
        "SVC001",
        "container-solutions-examples/broken-Deployment/spec.spec.readinessProbe/readiness-broken.yaml:45",
    ),
    (
        "infra-deployments/components/konflux-ui",
        "PORT003",
        "infra-deployments/components/konflux-ui/production/base/proxy/proxy.yaml:246",
    ),
    (
        "infra-deployments/components/konflux-ui",
        "PORT003",
        "infra-deployments/components/konflux-ui/staging/base/proxy/proxy.yaml:255",
    ),
    (
        "ingress-nginx/deploy/static/provider/aws/nlb-with-tls-termination",
        "PORT004",
        "ingress-nginx/deploy/static/provider/aws/nlb-with-tls-termination/deploy.yaml:481",
    ),
    (
        "../rendered/kubeflow-manifests-applications-kserve-kserve.yaml",
        "PORT018",
        "../rendered/kubeflow-manifests-applications-kserve-kserve.yaml:986",
    ),
    (GUESTBOOK, "K8S011", f"{GUESTBOOK}/redis-follower-deployment.yaml:27"),
    (GUESTBOOK, "K8S011", f"{GUESTBOOK}/redis-leader-deployment.yaml:27"),
]


@needs_shared
@pytest.mark.parametrize(("path", "rule", "place"), BY_OBJECT)
def test_mistakes_of_single_objects_are_at_their_place(
    path: str, rule: str, place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CORPUS / "repos")
    run(["check", "--isolated", "--pedantic", "--select", rule, "--fail-on", "never", "-f", "json", path])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert place in {f"{each['location']['path']}:{each['location']['line']}" for each in found if each["rule"] == rule}
