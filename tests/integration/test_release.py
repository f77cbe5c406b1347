"""The workflows: that their shell parses, and that a release is refused whose tag does not name the version."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from k8snetlint import __version__
from tests.shared import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
SCRIPTS = [
    step["run"]
    for path in WORKFLOWS
    for job in YAML(typ="safe").load(path.read_text("utf-8"))["jobs"].values()
    for step in job["steps"]
    if "run" in step
]
(VERSION_STEP,) = [script for script in SCRIPTS if "$TAG" in script]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_shell_of_the_workflows_parses(script: str) -> None:
    assert subprocess.run(["bash", "-n", "-c", script], capture_output=True, check=False).stderr == b""


@pytest.mark.parametrize(
    ("tag", "code"), [(f"v{__version__}", 0), (__version__, 1), ("v99.0.0", 1), (f"v{__version__}.1", 1)]
)
def test_a_tag_has_to_name_the_version(tag: str, code: int) -> None:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", VERSION_STEP]
    environment = os.environ | {"TAG": tag}
    ran = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stdout + ran.stderr


def test_the_version_needs_an_entry_in_the_changelog(tmp_path: Path) -> None:
    (tmp_path / "k8snetlint").mkdir()
    (tmp_path / "k8snetlint/__init__.py").write_text('__version__ = "2.0.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.0.0\n")
    environment = os.environ | {"TAG": "v2.0.0"}
    ran = subprocess.run(
        ["bash", "-e", "-c", VERSION_STEP], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, re.sub(r"\s+\Z", "", ran.stdout)) == (1, "::error::CHANGELOG.md has no entry for 2.0.0")
