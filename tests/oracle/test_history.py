"""Mistakes that maintainers mended themselves: a rule fires on what was there before, and is silent on what is there after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8snetlint.cli import run
from tests.shared import SHARED, needs_shared

HISTORY = SHARED / "corpus" / "history"

CASES = [
    ("argo-cd-40629e571", "NP041", "manifests/base/application-controller/argocd-metrics.yaml"),
    ("argo-cd-40629e571", "NP041", "manifests/base/repo-server/argocd-repo-server-service.yaml"),
    (
        "infra-deployments-15b25be04",
        "NP007",
        "components/namespace-lister/base/network_policy_allow_from_konfluxui.yaml",
    ),
    (
        "infra-deployments-cf96c368c",
        "NP007",
        "components/namespace-lister/production/base/network_policy_allow_from_konfluxui.yaml",
    ),
    ("jaeger-operator-306403c8", "REF004", "config/prometheus/monitor.yaml"),
    ("kubernetes-engine-samples-82f1d417", "PORT001", "hello-app-redis/manifests/redis-cluster.yaml"),
    ("kubernetes-examples-aee829b", "ING001", "gcp/https-ready-alb-gke.yaml"),
]


def reported(folder: Path, rule: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.chdir(folder)
    run(["check", "--isolated", "--select", rule, "--fail-on", "never", "-f", "json"])
    diagnostics = json.loads(capsys.readouterr().out)["diagnostics"]
    return {each["location"]["path"] for each in diagnostics if each["rule"] == rule and each["severity"] != "note"}


@needs_shared
@pytest.mark.parametrize(("case", "rule", "path"), CASES)
def test_the_rule_fires_before_and_not_after(
    case: str, rule: str, path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert path in reported(HISTORY / case / "before", rule, capsys, monkeypatch)
    assert path not in reported(HISTORY / case / "after", rule, capsys, monkeypatch)
