from pathlib import Path

from .program import BROKEN, CLEAN, k8snetlint, write

ONLY = ("--select", "SVC005")
DIFF = """\
--- a/cart.yaml
+++ b/cart.yaml
@@ -24,4 +24,4 @@
   selector: {app: cart}
   ports:
     - port: 80
-      targetPort: htttp
+      targetPort: http
"""


def test_fix_writes_and_reports_what_remains(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    assert k8snetlint(tmp_path, "check", *ONLY, "--fix", "-q").code == 1
    assert (tmp_path / "cart.yaml").read_text() == BROKEN["cart.yaml"]
    ran = k8snetlint(tmp_path, "check", *ONLY, "--fix", "--unsafe-fixes")
    assert ran == (0, "no problems found in 1 file\n", "fixed 1 problem in 1 file\n")
    assert (tmp_path / "cart.yaml").read_text() == CLEAN["cart.yaml"]


def test_diff_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    assert k8snetlint(tmp_path, "check", *ONLY, "--diff", "--unsafe-fixes") == (1, DIFF, "")
    assert k8snetlint(tmp_path, "check", *ONLY, "--diff", "--unsafe-fixes", "--exit-zero") == (0, DIFF, "")
    assert k8snetlint(tmp_path, "check", *ONLY, "--diff") == (0, "", "")
    assert (tmp_path / "cart.yaml").read_text() == BROKEN["cart.yaml"]


def test_standard_input_is_not_fixed(tmp_path: Path) -> None:
    ran = k8snetlint(tmp_path, "check", *ONLY, "--fix", "--unsafe-fixes", "-", stdin=BROKEN["cart.yaml"].encode())
    assert (ran.code, ran.err) == (2, "Error: standard input cannot be fixed; --diff shows what would change\n")
    ran = k8snetlint(tmp_path, "check", *ONLY, "--diff", "--unsafe-fixes", "-", stdin=BROKEN["cart.yaml"].encode())
    assert (ran.code, ran.out) == (1, DIFF.replace("cart.yaml", "-"))


def test_an_unused_comment_is_removed_without_asking(tmp_path: Path) -> None:
    text = CLEAN["cart.yaml"]
    write(tmp_path, {"cart.yaml": "# k8snetlint: ignore-file[SVC005] once\n" + text})
    assert k8snetlint(tmp_path, "check", *ONLY, "--extend-select", "TOOL003", "--fix", "-q").code == 0
    assert (tmp_path / "cart.yaml").read_text() == text


def test_templates_of_charts_are_fixed_once(tmp_path: Path) -> None:
    template = "# {{ .Release.Name }}\n" + BROKEN["cart.yaml"]
    write(
        tmp_path,
        {"chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "chart/templates/a.yaml": template},
    )
    ran = k8snetlint(tmp_path, "check", "--fix", "--unsafe-fixes", "--select", "SVC005")
    assert (ran.code, ran.err) == (0, "fixed 1 problem in 1 file\n")
    assert (tmp_path / "chart/templates/a.yaml").read_text() == template.replace("htttp", "http")


def test_what_is_context_to_one_unit_is_fixed_in_its_own(tmp_path: Path) -> None:
    applied = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web}\nspec: {path: ./app}\n"
    )
    write(tmp_path, {"flux/web.yaml": applied, "app/cart.yaml": BROKEN["cart.yaml"]})
    ran = k8snetlint(tmp_path, "check", "--fix", "--unsafe-fixes", "--select", "SVC005")
    assert (ran.code, ran.err) == (0, "fixed 1 problem in 1 file\n")
    assert (tmp_path / "app/cart.yaml").read_text() == CLEAN["cart.yaml"]
