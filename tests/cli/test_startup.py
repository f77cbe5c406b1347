"""What is imported, and so paid for, before a command does its work."""

import os
import subprocess
import sys
from pathlib import Path

from .program import CLEAN, write

ROOT = Path(__file__).parents[2]
HEAVY = {
    "z3",
    "jsonschema",
    "rich",
    "sarif_om",
    "hypothesis",
    "pygls",
    "referencing",
    "pygments",
    "markdown_it",
    "yaml",
}


def imported(directory: Path, *arguments: str) -> set[str]:
    """The modules that a run of the program imports, beyond those of the bare interpreter."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "from k8snetlint.cli import run\n"
        f"run({list(arguments)!r})\n"
        "print('\\n' + ' '.join(sorted(set(sys.modules) - before)), file=sys.stderr)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=directory, env=environment, capture_output=True, text=True, check=True
    )
    return set(ran.stderr.splitlines()[-1].split())


def test_version_and_help_import_no_command(tmp_path: Path) -> None:
    for option in ("--version", "--help"):
        ours = {name for name in imported(tmp_path, option) if name.startswith("k8snetlint")}
        assert ours == {"k8snetlint", "k8snetlint.cli"}


def test_check_of_a_valid_file_imports_nothing_heavy(tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    modules = imported(tmp_path, "check", "cart.yaml")
    assert "k8snetlint.engine" in modules
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert {name for name in modules if name.startswith("k8snetlint.formatters.")} == {
        f"k8snetlint.formatters.{name}" for name in ("context", "escape", "frame", "style", "text")
    }


def test_check_imports_only_what_the_files_call_for(tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    ours = {name.removeprefix("k8snetlint.") for name in imported(tmp_path, "check", "cart.yaml")}
    for name in (
        "policy",
        "algebra",
        "analysis.requirements",
        "units.helm",
        "units.kustomize.render",
        "units.kustomize.data",
        "config.toml",
        "fingerprint",
        "units.releases",
    ):
        assert name not in ours
    assert "subprocess" not in ours


def test_only_sarif_imports_its_object_model(tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    assert "sarif_om" in imported(tmp_path, "check", "-f", "sarif", "cart.yaml")
    assert "sarif_om" not in imported(tmp_path, "check", "-f", "json", "cart.yaml")


UNDOUBTED = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {}
  ingress:
    - from: [{podSelector: {matchLabels: {app: a}}}]
    - from: [{podSelector: {matchLabels: {app: a}}}, {podSelector: {matchLabels: {app: b}}}]
"""
DOUBTED = """\
    - from: [{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [x]}]}}]
    - from: [{podSelector: {matchLabels: {tier: x}}}]
"""


def test_the_solver_is_imported_only_where_something_is_in_doubt(tmp_path: Path) -> None:
    write(tmp_path, {**CLEAN, "sure.yaml": UNDOUBTED, "unsure.yaml": UNDOUBTED + DOUBTED})
    for name, expected in (("cart.yaml", False), ("sure.yaml", False), ("unsure.yaml", True)):
        assert ("z3" in imported(tmp_path, "check", name, "--select", "ALL")) is expected, name
