import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from k8snetlint import __version__
from k8snetlint.formatters import REPORT_FORMATS

from .golden import GOLDEN, output

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", REPORT_FORMATS)
def test_outputs_are_the_golden_ones(tmp_path: Path, name: str) -> None:
    assert output(name, tmp_path) == (GOLDEN / f"{name}.out").read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", ["1", "2"])
def test_outputs_do_not_depend_on_hashes(tmp_path: Path, seed: str) -> None:
    shutil.copytree(GOLDEN / "input", tmp_path / "input")
    pairs = [word for name in REPORT_FORMATS for word in ("-f", name, "-o", str(tmp_path / name))]
    command = [
        sys.executable,
        "-m",
        "k8snetlint",
        "check",
        "--select",
        "SVC005,SVC009,K8S001,TOOL",
        "--isolated",
        *pairs,
    ]
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path / "input", env=environment, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, b"", b"")
    for name in REPORT_FORMATS:
        text = (tmp_path / name).read_text(encoding="utf-8").replace(f'"{__version__}"', '"VERSION"')
        assert text == (GOLDEN / f"{name}.out").read_text(encoding="utf-8"), name


def test_nothing_steers_what_reads_an_output() -> None:
    for name in REPORT_FORMATS:
        text = (GOLDEN / f"{name}.out").read_text(encoding="utf-8")
        assert "\x1b" not in text, name
    for name in ("text", "concise", "github", "markdown"):
        assert "\u202e" not in (GOLDEN / f"{name}.out").read_text(encoding="utf-8"), name
    commands = [line for line in (GOLDEN / "github.out").read_text().splitlines() if line.startswith("::")]
    assert [command.split(" ")[0] for command in commands] == [*["::error"] * 2, *["::warning"] * 2]
    row = next(line for line in (GOLDEN / "markdown.out").read_text().splitlines() if "hostile" in line)
    assert "a\\<b\\&c\\|" in row


def test_markup_formats_parse() -> None:
    suites = ElementTree.fromstring((GOLDEN / "junit.out").read_text(encoding="utf-8"))
    assert suites.attrib == {"name": "k8snetlint", "tests": "6", "failures": "4", "errors": "0", "skipped": "1"}
    entries = json.loads((GOLDEN / "gitlab.out").read_text())
    assert [entry["severity"] for entry in entries] == ["major", "major", "minor", "minor"]
    assert len({entry["fingerprint"] for entry in entries}) == 4


def test_sarif_always_writes_the_level() -> None:
    (run,) = json.loads((GOLDEN / "sarif.out").read_text())["runs"]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("K8S001", "error"),
        ("SVC009", "error"),
        ("SVC005", "warning"),
        ("SVC005", "warning"),
        ("TOOL003", "warning"),
    ]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert [result["suppressions"][0]["kind"] for result in run["results"] if "suppressions" in result] == ["inSource"]
    assert run["invocations"][0]["exitCode"] == 1
    assert run["columnKind"] == "unicodeCodePoints"


@pytest.mark.network
@pytest.mark.skipif(shutil.which("npx") is None, reason="node is not installed")
def test_sarif_is_valid_by_the_multitool(tmp_path: Path) -> None:
    text = (GOLDEN / "sarif.out").read_text().replace('"VERSION"', f'"{__version__}"')
    (tmp_path / "report.sarif").write_text(text)
    command = ["npx", "--yes", "@microsoft/sarif-multitool", "validate", "report.sarif", "--output", "validated.sarif"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (run,) = json.loads((tmp_path / "validated.sarif").read_text())["runs"]
    assert [result for result in run.get("results", []) if result.get("level") == "error"] == []
