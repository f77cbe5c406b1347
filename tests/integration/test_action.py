"""The action's shell steps, run as a runner runs them."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.cli.program import BROKEN, CLEAN, write

ROOT = Path(__file__).parents[2]
ACTION = YAML(typ="safe").load((ROOT / "action.yml").read_text())


def step(name: str) -> str:
    (script,) = [each["run"] for each in ACTION["runs"]["steps"] if each.get("id") == name]
    return str(script)


def run(tmp_path: Path, **inputs: str) -> tuple[int, dict[str, str], str]:
    """Runs the check step; its exit code, its outputs, and what it prints."""
    runner = tmp_path / "runner"
    program = runner / "k8snetlint/bin/k8snetlint"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m k8snetlint "$@"\n')
    program.chmod(0o755)
    outputs = runner / "outputs"
    outputs.write_text("")
    given = {name: str(definition.get("default", "")) for name, definition in ACTION["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "RUNNER_TEMP": str(runner),
        "GITHUB_OUTPUT": str(outputs),
        "INPUT_PATHS": given["paths"],
        "INPUT_ARGS": given["args"],
        "FAIL_ON": given["fail-on"],
        "SARIF_FILE": given["sarif-file"],
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step("check")]
    ran = subprocess.run(command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True, check=False)
    written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return ran.returncode, written, ran.stdout


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({}, "1"),
        ({"fail_on": "never"}, "0"),
        ({"args": "--ignore\nSVC005"}, "0"),
        ({"paths": "clean"}, "0"),
        ({"paths": "clean\nbroken dir"}, "1"),
        ({"paths": "none"}, "2"),
        ({"paths": "--exit-zero"}, "2"),
    ],
)
def test_the_check_step_hands_on_the_exit_code(tmp_path: Path, inputs: dict[str, str], code: str) -> None:
    write(tmp_path / "work", {f"broken dir/{name}": text for name, text in BROKEN.items()})
    write(tmp_path / "work", {f"clean/{name}": text.replace("cart", "web") for name, text in CLEAN.items()})
    arguments = inputs.pop("args", "") + "\n--select\nSVC005"
    returned, outputs, out = run(tmp_path, args=arguments, **inputs)
    assert (returned, outputs) == (0, {"sarif-file": "k8snetlint.sarif", "exit-code": code})
    report = tmp_path / "work/k8snetlint.sarif"
    assert report.exists() == (code != "2")
    if code == "1":
        (result,) = json.loads(report.read_text())["runs"][0]["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken%20dir/cart.yaml"
        assert out.startswith("::error file=broken dir/cart.yaml,line=27,")


def test_the_verdict_is_the_exit_code() -> None:
    ran = subprocess.run(["bash", "-c", step("verdict")], env={"CODE": "1"}, check=False)
    assert ran.returncode == 1


def test_every_input_is_used_and_documented() -> None:
    text = (ROOT / "action.yml").read_text()
    guide = (ROOT / "docs/integrations.md").read_text()
    for name, definition in ACTION["inputs"].items():
        assert f"inputs.{name}" in text
        assert definition["description"]
        assert f"| `{name}` |" in guide


def test_no_step_puts_an_input_into_its_script() -> None:
    for each in ACTION["runs"]["steps"]:
        assert "${{" not in each.get("run", ""), "an expression in a script is an injection"
