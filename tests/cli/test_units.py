import json
import sys
from pathlib import Path

import pytest

from .program import CLEAN, DEPLOYMENT, SERVICE, k8snetlint, write

OVERLAYS = {
    "base/kustomization.yaml": "resources: [all.yaml]\n",
    "base/all.yaml": DEPLOYMENT + "---\n" + SERVICE,
    "live/kustomization.yaml": "namePrefix: live-\nresources: [../base, gone.yaml]\n",
}


def test_text_lists_units_and_why_they_are_incomplete(tmp_path: Path) -> None:
    write(tmp_path, {**OVERLAYS, "other/cart.yaml": SERVICE})
    ran = k8snetlint(tmp_path, "units")
    assert (ran.code, ran.out) == (
        0,
        ".  (plain: 1 object in 1 file)\n"
        "live  (kustomization: 2 objects in 3 files, incomplete)\n"
        "  incomplete: live/kustomization.yaml:2:22: there is no file `live/gone.yaml`\n",
    )


def test_many_units_are_counted(tmp_path: Path) -> None:
    write(tmp_path, {f"k{number:02}/kustomization.yaml": "resources: [gone.yaml]\n" for number in range(11)})
    write(tmp_path, {"k00/gone.yaml": SERVICE})
    assert k8snetlint(tmp_path, "units").out.endswith("`k10/gone.yaml`\n11 units, 10 of them incomplete\n")


def test_json_is_the_contract(tmp_path: Path) -> None:
    write(tmp_path, OVERLAYS)
    ran = k8snetlint(tmp_path, "units", "-f", "json")
    body = json.loads(ran.out)
    reason = {
        "message": "there is no file `live/gone.yaml`",
        "unit": "live",
        "location": {"path": "live/kustomization.yaml", "line": 2, "column": 22, "endLine": 2, "endColumn": 31},
    }
    assert ran.code == 0
    assert {name: value for name, value in body.items() if name != "version"} == {
        "schema": "k8snetlint/units/v1",
        "complete": False,
        "incomplete_because": [reason],
        "rendered_by": [],
        "units": [
            {
                "name": "live",
                "type": "kustomization",
                "paths": ["base/all.yaml", "base/kustomization.yaml", "live/kustomization.yaml"],
                "complete": False,
                "incomplete_because": [reason],
                "resources": 2,
            }
        ],
    }


def test_print_writes_the_kustomization_of_the_path_even_where_others_refer_to_it(tmp_path: Path) -> None:
    write(tmp_path, OVERLAYS)
    ran = k8snetlint(tmp_path, "units", "--print", "base")
    assert ran.code == 0
    assert [line for line in ran.out.splitlines() if line.startswith("  name:")] == ["  name: cart", "  name: cart"]
    assert ran.out.startswith("---\n# from: base/all.yaml\napiVersion: apps/v1\nkind: Deployment\n")


def test_print_takes_the_unit_asked_for_or_the_only_one_else_lists_them(tmp_path: Path) -> None:
    write(tmp_path, {**OVERLAYS, "other/cart.yaml": SERVICE})
    ran = k8snetlint(tmp_path, "units", "--print", "--unit", "live")
    assert (ran.code, ran.err) == (0, "incomplete: there is no file `live/gone.yaml`\n")
    assert "name: live-cart" in ran.out
    several = k8snetlint(tmp_path, "units", "--print")
    assert (several.code, several.out) == (2, "")
    assert several.err.endswith("take all as one with --one-unit:\n  .\n  live\n")
    assert k8snetlint(tmp_path, "units", "--print", "other").out.count("---\n") == 1


def test_print_does_not_go_with_another_format(tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    assert k8snetlint(tmp_path, "units", "--print", "-f", "json").code == 2


def test_nothing_to_analyse_is_3(tmp_path: Path) -> None:
    write(tmp_path, {"values.yaml": "a: 1\n"})
    assert k8snetlint(tmp_path, "units").code == 3
    assert k8snetlint(tmp_path, "units", "--allow-empty").code == 0


def test_a_program_that_is_missing_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, OVERLAYS)
    monkeypatch.setenv("PATH", "")
    for command in ("units", "check", "map"):
        ran = k8snetlint(tmp_path, command, "--render", "program")
        assert (ran.code, ran.out, ran.err) == (
            2,
            "",
            "Error: `kustomize` is not installed, and `--render program` needs it; "
            "install it, or leave `--render` out: k8snetlint renders by itself\n",
        )


def test_reports_name_the_programs_that_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, work = tmp_path / "bin", tmp_path / "work"
    write(programs, {"kustomize": f"#!{sys.executable}\nimport sys\nprint('v9' if sys.argv[1] == 'version' else '')\n"})
    (programs / "kustomize").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    write(work, {"live/kustomization.yaml": "resources: []\n", "cart.yaml": SERVICE})
    arguments = ("--render", "program")
    assert k8snetlint(work, "units", *arguments).out.endswith("rendered by kustomize v9\n")
    assert k8snetlint(work, "check", *arguments).out == "rendered by kustomize v9\nno problems found in 2 files\n"
    for command in ("units", "check"):
        assert json.loads(k8snetlint(work, command, "-f", "json", *arguments).out)["rendered_by"] == ["kustomize v9"]
