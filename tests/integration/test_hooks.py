"""The pre-commit hooks, as their users run them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.cli.program import BROKEN, CLEAN, k8snetlint, write
from tests.cli.test_changes import commit, git

ROOT = Path(__file__).parents[2]
HOOKS = {hook["id"]: hook for hook in YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text())}


@pytest.mark.parametrize("name", ["k8snetlint", "k8snetlint-fix"])
def test_hooks_run_on_the_files_of_a_commit(tmp_path: Path, name: str) -> None:
    hook = HOOKS[name]
    assert (hook["language"], hook["require_serial"], hook["types_or"]) == ("python", True, ["yaml", "json"])
    program, *arguments = hook["entry"].split()
    assert program == "k8snetlint"
    write(tmp_path, {"a.yaml": BROKEN["cart.yaml"], "b.yaml": CLEAN["cart.yaml"].replace("cart", "web")})
    only = ("--select", "SVC005")
    assert k8snetlint(tmp_path, *arguments, *only, "a.yaml").code == 1
    assert k8snetlint(tmp_path, *arguments, *only, "b.yaml").code == 0
    assert k8snetlint(tmp_path, *arguments, *only, "a.yaml", "b.yaml").code == 1


@pytest.mark.network
def test_pre_commit_installs_and_runs_the_hooks(tmp_path: Path) -> None:
    hooks, work = tmp_path / "hooks", tmp_path / "work"
    kept = ("k8snetlint", "rules", "README.md", "LICENSE", "pyproject.toml", ".pre-commit-hooks.yaml")
    for name in kept:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        hooks.mkdir(exist_ok=True)
        copy(ROOT / name, hooks / name)
    commit(hooks)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True)
    configuration = f"repos:\n- repo: {hooks}\n  rev: {head.stdout.strip()}\n  hooks:\n  - id: k8snetlint\n"
    write(work, {".pre-commit-config.yaml": configuration, "a.yaml": CLEAN["cart.yaml"]})
    git(work, "init", "-q")
    git(work, "add", ".")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pre_commit", "run", "--color=never", *arguments]
        return subprocess.run(command, cwd=work, capture_output=True, text=True, check=False, timeout=600)

    ran = run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    write(work, {"b.yaml": BROKEN["cart.yaml"].replace("cart", "web")})
    assert run().returncode == 0
    git(work, "add", ".")
    ran = run()
    assert ran.returncode == 1
    assert "error[SVC005]" in ran.stdout
    assert "--> b.yaml:27:19" in ran.stdout
    assert run("--all-files").returncode == 1
