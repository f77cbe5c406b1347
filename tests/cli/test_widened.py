"""NP052: what a change opens is reported where it is opened, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from .program import k8snetlint, write
from .test_changes import commit

POD = """apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: NAME}}
spec: {containers: [{name: c, image: example/c:1}]}
"""
APP = "---\n".join(POD.replace("NAME", name) for name in ("api", "db", "web"))
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {matchLabels: {app: api}}
      ports:
        - port: 5432
"""
CHECK = ("check", "--isolated", "--select", "NP052", "-f", "concise", "-q")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path, {"app.yaml": APP, "policy.yaml": POLICY})
    commit(tmp_path)
    return tmp_path


def reported(repository: Path, *arguments: str) -> list[str]:
    return k8snetlint(repository, *CHECK, *(arguments or ("--changed",))).out.splitlines()


def test_a_rule_that_lets_more_in_is_reported(repository: Path) -> None:
    assert reported(repository) == []
    write(repository, {"policy.yaml": POLICY.replace("podSelector: {matchLabels: {app: api}}", "podSelector: {}")})
    assert reported(repository) == [
        "policy.yaml:8:7: warning[NP052] default/web[Pod] -> default/db[Pod] TCP 5432: denied before this change, and "
        "allowed by `db` now"
    ]
    assert reported(repository, "--report-on", "policy.yaml") == []


def test_a_port_more_is_reported_for_whom_it_is_open(repository: Path) -> None:
    write(repository, {"policy.yaml": POLICY + "        - port: 9187\n"})
    assert reported(repository, "--changed-since", "HEAD") == [
        "policy.yaml:8:7: warning[NP052] default/api[Pod] -> default/db[Pod] TCP 9187: denied before this change, and "
        "allowed by `db` now"
    ]


def test_pods_that_nothing_isolates_any_more_are_reported(repository: Path) -> None:
    (repository / "policy.yaml").unlink()
    assert reported(repository) == [
        "app.yaml:8:18: warning[NP052] 0.0.0.0-255.255.255.255 -> default/db[Pod] all, and 2 more: denied before this "
        "change, and no policy isolates the pods for ingress any more"
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"policy.yaml": POLICY.replace("5432", "5433").replace("app: api", "app: none")},
        {
            "policy.yaml": POLICY.replace(
                "      ports:\n        - port: 5432\n", "      ports:\n        - {port: 5432}\n"
            )
        },
        {"new.yaml": POD.replace("NAME", "new"), "policy.yaml": POLICY.replace("app: api", "app: new")},
    ],
)
def test_what_opens_nothing_between_what_was_there_is_silent(repository: Path, files: dict[str, str]) -> None:
    write(repository, files)
    assert reported(repository) == []


def test_it_can_be_ignored_where_it_is_opened(repository: Path) -> None:
    wider = POLICY.replace("podSelector: {matchLabels: {app: api}}", "podSelector: {}")
    write(repository, {"policy.yaml": wider.replace("- from:", "- from:  # k8snetlint: ignore[NP052] meant")})
    assert reported(repository) == []


def test_what_may_be_open_elsewhere_is_a_note(repository: Path) -> None:
    write(repository, {"broken.yaml": "a: [\n"})
    commit(repository)
    write(repository, {"policy.yaml": POLICY.replace("podSelector: {matchLabels: {app: api}}", "podSelector: {}")})
    assert [line.partition(" ")[2][:11] for line in reported(repository)] == ["note[NP052]"]
