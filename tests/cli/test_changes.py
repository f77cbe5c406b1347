import subprocess
from pathlib import Path

import pytest

from k8snetlint.cli import changes
from k8snetlint.cli.pipeline import Loaded
from k8snetlint.cli.report import Checked, check

from .program import BROKEN, CLEAN, DEPLOYMENT, SERVICE, k8snetlint, write

CHECK = ("check", "--select", "SVC005", "-f", "concise", "-q")
TWO = {
    "workload.yaml": DEPLOYMENT,
    "service.yaml": SERVICE.replace("htttp", "http"),
    "b/other.yaml": BROKEN["cart.yaml"].replace("cart", "web"),
}


def git(directory: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)


def commit(directory: Path) -> None:
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", ".")
    git(directory, "commit", "-q", "-m", "first")


def places(out: str) -> list[str]:
    return [line.partition(" ")[0] for line in out.splitlines()]


def test_report_on_files_that_are_named(tmp_path: Path) -> None:
    write(
        tmp_path, {"a.yaml": BROKEN["cart.yaml"], "b.yaml": BROKEN["cart.yaml"].replace("cart", "web"), "l": "a.yaml\n"}
    )
    assert places(k8snetlint(tmp_path, *CHECK).out) == ["a.yaml:27:19:", "b.yaml:27:19:"]
    for arguments in (("--report-on", "b.yaml"), ("--report-on-paths", "b.yaml"), ("--report-on-paths", "./b.yaml")):
        ran = k8snetlint(tmp_path, *CHECK, *arguments)
        assert (ran.code, places(ran.out)) == (1, ["b.yaml:27:19:"])
    assert places(k8snetlint(tmp_path, *CHECK, "--report-on", "@l").out) == ["a.yaml:27:19:"]
    assert k8snetlint(tmp_path, *CHECK, "--report-on-paths") == (0, "", "")
    assert k8snetlint(tmp_path, *CHECK, "--report-on", "none").code == 2


def test_a_service_depends_on_the_workload_that_changed(tmp_path: Path) -> None:
    write(tmp_path, TWO)
    commit(tmp_path)
    assert k8snetlint(tmp_path, *CHECK, "--changed") == (0, "", "")
    write(tmp_path, {"workload.yaml": DEPLOYMENT.replace("name: http", "name: web")})
    ran = k8snetlint(tmp_path, *CHECK, "--changed")
    assert (ran.code, places(ran.out)) == (1, ["service.yaml:9:19:"])
    git(tmp_path, "commit", "-qam", "second")
    assert k8snetlint(tmp_path, *CHECK, "--changed") == (0, "", "")
    assert places(k8snetlint(tmp_path, *CHECK, "--changed-since", "HEAD~1").out) == ["service.yaml:9:19:"]


def test_new_files_have_changed(tmp_path: Path) -> None:
    write(tmp_path, {"b/other.yaml": BROKEN["cart.yaml"]})
    git(tmp_path, "init", "-q")
    assert places(k8snetlint(tmp_path, *CHECK, "--changed").out) == ["b/other.yaml:27:19:"]
    commit(tmp_path)
    write(tmp_path, {"c.yaml": BROKEN["cart.yaml"].replace("cart", "web")})
    assert places(k8snetlint(tmp_path, *CHECK, "--changed").out) == ["c.yaml:27:19:"]
    assert places(k8snetlint(tmp_path / "b", *CHECK, "--changed", "..").out) == ["../c.yaml:27:19:"]


def test_what_git_cannot_tell_exits_2(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    assert k8snetlint(tmp_path, *CHECK, "--changed").code == 2
    commit(tmp_path)
    assert k8snetlint(tmp_path, *CHECK, "--changed-since", "nowhere").err == "Error: git knows no revision `nowhere`\n"
    assert k8snetlint(tmp_path, *CHECK, "--changed-since", "--output=x").code == 2


def test_only_units_that_hold_a_touched_file_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path,
        {
            "one/kustomization.yaml": "resources: [a.yaml]\n",
            "one/a.yaml": BROKEN["cart.yaml"],
            "two/kustomization.yaml": "resources: [b.yaml]\n",
            "two/b.yaml": BROKEN["cart.yaml"].replace("cart", "web"),
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "chart/values.yaml": "port: htttp\n",
            "chart/templates/a.yaml": BROKEN["cart.yaml"].replace("htttp", "{{ .Values.port }}"),
        },
    )
    checked: list[list[str]] = []

    def noted(loaded: Loaded, **given: bool) -> Checked:
        checked.append([unit.name for unit in loaded.found.units])
        return check(loaded, **given)

    monkeypatch.setattr(changes, "check", noted)
    assert places(k8snetlint(tmp_path, *CHECK, "--report-on", "one/a.yaml").out) == ["one/a.yaml:27:19:"]
    assert checked == [["one"]]
    assert places(k8snetlint(tmp_path, *CHECK, "--report-on", "chart/values.yaml").out) == ["chart/values.yaml:1:7:"]
    assert checked[1:] == [["chart"]]


def test_before_is_looked_at_only_where_something_points_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, TWO)
    commit(tmp_path)
    runs: list[bool] = []

    def noted(loaded: Loaded, **given: bool) -> Checked:
        runs.append(True)
        return check(loaded, **given)

    monkeypatch.setattr(changes, "check", noted)
    write(tmp_path, {"b/other.yaml": CLEAN["cart.yaml"].replace("cart", "web")})
    assert k8snetlint(tmp_path, *CHECK, "--changed") == (0, "", "")
    assert len(runs) == 1
    write(tmp_path, {"service.yaml": SERVICE.replace("htttp", "htttp # k8snetlint: ignore[SVC005] known")})
    git(tmp_path, "commit", "-qam", "second")
    write(tmp_path, {"workload.yaml": DEPLOYMENT.replace("name: http", "name: htttp")})
    ran = k8snetlint(tmp_path, "check", "--select", "SVC005,TOOL003", "-f", "concise", "-q", "--changed")
    assert places(ran.out) == ["service.yaml:9:25:"]
    assert len(runs) == 3


def test_what_a_deleted_file_leaves_behind_is_reported(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "one/kustomization.yaml": "resources: [a.yaml, c.yaml]\n",
            "one/a.yaml": BROKEN["cart.yaml"].replace("cart", "web"),
            "one/c.yaml": CLEAN["cart.yaml"],
        },
    )
    commit(tmp_path)
    (tmp_path / "one/c.yaml").unlink()
    ran = k8snetlint(tmp_path, "check", "--select", "SVC005,TOOL002", "-f", "concise", "-q", "--changed")
    assert places(ran.out) == ["one/kustomization.yaml:1:21:"]


def test_what_a_file_of_a_kustomization_makes_wrong_elsewhere(tmp_path: Path) -> None:
    ignored = SERVICE.replace("htttp", "http # k8snetlint: ignore[SVC005] known")
    write(
        tmp_path,
        {
            "kustomization.yaml": "resources: [workload.yaml, service.yaml, other.yaml]\n",
            "workload.yaml": DEPLOYMENT.replace("name: http", "name: htttp"),
            "service.yaml": SERVICE.replace("targetPort: htttp", "targetPort: http"),
            "other.yaml": BROKEN["cart.yaml"].replace("cart", "web"),
        },
    )
    arguments = ("check", "--select", "SVC005,TOOL003", "-f", "concise", "-q", "--report-on-paths", "workload.yaml")
    # What is wrong without it too is not its doing.
    assert places(k8snetlint(tmp_path, *arguments).out) == ["service.yaml:9:19:"]
    write(tmp_path, {"workload.yaml": DEPLOYMENT, "service.yaml": ignored})
    assert places(k8snetlint(tmp_path, *arguments).out) == []
