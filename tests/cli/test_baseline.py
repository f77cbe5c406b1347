import json
from pathlib import Path

from .program import BROKEN, k8snetlint, write

ONLY = ("--select", "SVC005")


def test_what_a_baseline_holds_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    ran = k8snetlint(tmp_path, "check", *ONLY, "--write-baseline")
    assert ran == (0, "", "wrote 1 diagnostic to .k8snetlint-baseline.json\n")
    entry = json.loads((tmp_path / ".k8snetlint-baseline.json").read_text())["diagnostics"][0]
    assert (entry["rule"], entry["path"]) == ("SVC005", "cart.yaml")
    ran = k8snetlint(tmp_path, "check", *ONLY, "--baseline", ".k8snetlint-baseline.json")
    assert ran == (0, "no problems found in 1 file (1 suppressed)\n", "")
    moved = "# moved\n" + BROKEN["cart.yaml"] + "    - name: other\n      port: 81\n      targetPort: htp\n"
    write(tmp_path, {"cart.yaml": moved})
    ran = k8snetlint(tmp_path, "check", *ONLY, "--baseline", ".k8snetlint-baseline.json", "-f", "json")
    diagnostics = json.loads(ran.out)["diagnostics"]
    assert [(each["location"]["line"], each["suppressed"]) for each in diagnostics] == [
        (28, {"kind": "baseline", "reason": None, "location": None}),
        (31, None),
    ]
    assert ran.code == 1


def test_a_baseline_that_cannot_be_used_exits_2(tmp_path: Path) -> None:
    write(tmp_path, {**BROKEN, "b.json": "{}", "c.json": "x"})
    for name, message in (
        ("b.json", "the baseline `b.json` cannot be used: its `schema` is not k8snetlint/baseline/v1"),
        ("c.json", "the baseline `c.json` cannot be used: it is not JSON"),
        ("d.json", "the baseline `d.json` cannot be read: no such file or directory"),
    ):
        assert k8snetlint(tmp_path, "check", "--baseline", name, "cart.yaml") == (2, "", f"Error: {message}\n")
