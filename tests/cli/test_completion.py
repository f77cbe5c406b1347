import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8snetlint.cli import COMMANDS

ROOT = Path(__file__).parents[2]


def complete(**variables: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "k8snetlint"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_there(shell: str) -> None:
    assert f"_K8SNETLINT_COMPLETE={shell}_complete" in complete(_K8SNETLINT_COMPLETE=f"{shell}_source")


def test_commands_and_options_are_completed() -> None:
    out = complete(_K8SNETLINT_COMPLETE="bash_complete", COMP_WORDS="k8snetlint ", COMP_CWORD="1")
    assert out.splitlines() == [f"plain,{name}" for name in COMMANDS]
    out = complete(_K8SNETLINT_COMPLETE="bash_complete", COMP_WORDS="k8snetlint check --report", COMP_CWORD="2")
    assert out.splitlines() == ["plain,--report-on", "plain,--report-on-paths"]
