import subprocess
from pathlib import Path

from .program import BROKEN, DEPLOYMENT, SERVICE, k8snetlint, write

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
