"""`--render program`: the programs `kustomize` and `helm` render, in a world of their own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from k8snetlint.source.tree import Node
from k8snetlint.units import programs
from k8snetlint.units.programs import MissingProgramError
from k8snetlint.units.unit import Found, Unit

from .trees import an_object, found, names

SERVICE = an_object("Service", "web", "spec:\n  selector: {app: web}\n  ports: [{port: 80}]\n")
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": SERVICE,
    "over/kustomization.yaml": "resources: [../base]\nnamespace: shop\n",
}
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "chart/values.yaml": "port: 80\n",
    "chart/templates/web.yaml": an_object(
        "Service", "{{ .Release.Name }}", "spec:\n  type: ClusterIP\n  ports: [{port: {{ .Values.port }}}]\n"
    ),
}
# Writes what it was called with, and where, to a file beside it; prints what is said for its command.
FAKE = """#!{python}
import json, os, sys
said = {said!r}
command = sys.argv[1]
if command != "version":
    tree = sorted(os.path.relpath(os.path.join(at, name)) for at, _, names in os.walk(".") for name in names)
    texts = {{name: open(name).read() for name in tree if name.endswith(".yaml")}}
    with open({log!r}, "w") as file:
        json.dump({{"arguments": sys.argv[1:], "environment": dict(os.environ), "texts": texts}}, file)
text, error = said[command]
sys.stdout.write(text)
sys.stderr.write(error)
sys.exit(1 if error else 0)
"""
needs_kustomize = pytest.mark.skipif(shutil.which("kustomize") is None, reason="kustomize is not installed")
needs_helm = pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed")


class Fake:
    """A program of a name that says what it is told to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.setenv("SECRET", "token")

    def says(self, name: str, output: str = "", error: str = "") -> None:
        said = {"version": ("v1.2.3\nmore\n", ""), "build": (output, error), "template": (output, error)}
        path = self.folder / name
        path.write_text(FAKE.format(python=sys.executable, said=said, log=str(self.folder / "log")))
        path.chmod(0o755)

    @property
    def log(self) -> dict[str, object]:
        log: dict[str, object] = json.loads((self.folder / "log").read_text())
        return log


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path / "bin", monkeypatch)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "tree"


def rendered(root: Path, files: dict[str, str]) -> Found:
    root.mkdir(exist_ok=True)
    return found(root, files, render="program", kube_version=(1, 34))


def unit_of(root: Path, files: dict[str, str]) -> Unit:
    (unit,) = rendered(root, files).units
    return unit


def reasons(unit: Unit) -> list[str]:
    return [reason.message for reason in unit.incomplete_because]


def origin(node: Node) -> tuple[str, str, list[str]]:
    return node.source.path, node.place.text, [f"{place.source.path}: {place.text}" for place in node.via]


BUILT = """
apiVersion: v1
kind: Service
metadata:
  annotations:
    config.kubernetes.io/origin: |
      path: ../base/web.yaml
  name: web
  namespace: shop
spec:
  ports:
  - port: 80
    protocol: TCP
  selector:
    app: other
"""


def test_what_kustomize_builds_has_the_places_of_its_files(tree: Path, fake: Fake) -> None:
    fake.says("kustomize", BUILT)
    result = rendered(tree, FILES)
    assert result.programs == ("kustomize v1.2.3",)
    (unit,) = result.units
    (document,) = unit.documents
    root = document.root
    assert "annotations" not in root.at("metadata").entries
    assert origin(root.at("metadata", "name")) == ("base/web.yaml", "web", [])
    assert origin(root.at("metadata", "namespace"))[:2] == ("over/kustomization.yaml", "shop")
    assert origin(root.at("spec", "ports", 0, "port")) == ("base/web.yaml", "80", [])
    # What is not written there names the place that it came by.
    assert origin(root.at("spec", "ports", 0, "protocol"))[::2] == ("base/web.yaml", ["base/web.yaml: {port: 80}"])
    assert origin(root.at("spec", "selector", "app")) == ("base/web.yaml", "web", ["base/web.yaml: web"])
    assert root.at("spec", "selector", "app").value == "other"


def test_kustomize_runs_on_a_copy_in_a_world_of_its_own(tree: Path, fake: Fake) -> None:
    fake.says("kustomize", BUILT)
    outside = tree.parent / "outside.yaml"
    outside.write_text(an_object("Secret", "outside"))
    tree.mkdir()
    (tree / "link.yaml").symlink_to(outside)
    files = {
        **FILES,
        "over/kustomization.yaml": (
            "resources: [../base, 'https://example.org/base?ref=1', ../../outside, /etc]\nnamespace: shop\n"
        ),
    }
    unit = unit_of(tree, files)
    assert reasons(unit) == [
        "the remote base `https://example.org/base?ref=1` is not fetched",
        "`../outside` lies outside the given paths: it is not read",
        "kustomize refuses the absolute path `/etc`: it is not read",
    ]
    log = fake.log
    texts = log["texts"]
    assert isinstance(texts, dict)
    assert texts == {
        **FILES,
        "over/kustomization.yaml": ('resources:\n- "../base"\nnamespace: shop\nbuildMetadata:\n- originAnnotations\n'),
    }
    arguments, environment = log["arguments"], log["environment"]
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    assert arguments[0] == "build"
    assert arguments[1:] == [os.path.join(os.path.dirname(environment["HOME"]), "tree", "over")]
    assert environment["PATH"] == ""
    assert environment["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert environment["GIT_ALLOW_PROTOCOL"] == "none"
    assert "SECRET" not in environment
    assert not os.path.exists(environment["HOME"])
    assert (tree / "over/kustomization.yaml").read_text() == files["over/kustomization.yaml"]


def test_charts_of_kustomizations_are_left_out_and_said(tree: Path, fake: Fake) -> None:
    fake.says("kustomize", BUILT)
    unit = unit_of(tree, {**FILES, "over/kustomization.yaml": "resources: [../base]\nhelmCharts: [{name: x}]\n"})
    assert reasons(unit) == ["`helmCharts` are left out: `kustomize` would start `helm` for them, which fetches"]
    texts = fake.log["texts"]
    assert isinstance(texts, dict)
    assert "helmCharts" not in texts["over/kustomization.yaml"]


def test_a_failure_of_kustomize_is_said(tree: Path, fake: Fake) -> None:
    fake.says(
        "kustomize", error="warning: x\nError: accumulating resources: accumulating resources from 'y': no\nbye\n"
    )
    result = rendered(tree, FILES)
    assert [(unit.documents, reasons(unit)) for unit in result.units] == [
        ((), ["`kustomize` failed: accumulating resources from 'y': no"])
    ]
    assert [(problem.rule, problem.place.text) for problem in result.problems] == [("TOOL002", "resources: [../base]")]


def test_what_takes_too_long_or_is_too_much_is_given_up(
    tree: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.says("kustomize", BUILT)
    monkeypatch.setattr(programs, "MAX_OUTPUT", 100)
    result = rendered(tree, FILES)
    assert [problem.message for problem in result.problems] == ["`kustomize` writes more than 100 bytes"]
    assert [problem.rule for problem in result.problems] == ["TOOL005"]
    path = fake.folder / "kustomize"
    path.write_text(f"#!{sys.executable}\nimport sys, time\nif sys.argv[1] == 'build': time.sleep(60)\n")
    monkeypatch.setattr(programs, "TIMEOUT_S", 1)
    result = rendered(tree, FILES)
    assert [problem.message for problem in result.problems] == ["`kustomize` took more than 1 s"]
    monkeypatch.setattr(programs, "TOTAL_S", 0)
    result = rendered(tree, FILES)
    assert [problem.message for problem in result.problems] == ["`kustomize` is not started: programs took 0 s already"]


def test_a_program_that_is_not_there_is_named(tree: Path, fake: Fake) -> None:
    with pytest.raises(MissingProgramError, match="`kustomize` is not installed, and `--render program` needs it"):
        rendered(tree, FILES)
    assert found(tree, {}, render="auto").programs == ()
    assert found(tree, {}, render="never").programs == ()


def test_no_program_is_needed_where_nothing_is_rendered(tree: Path, fake: Fake) -> None:
    result = rendered(tree, {"web.yaml": SERVICE})
    assert ([names(unit) for unit in result.units], result.programs) == ([["Service/web"]], ())


MADE = """---
# Source: web/templates/web.yaml
apiVersion: v1
kind: Service
metadata:
  name: release-name
spec:
  type: ClusterIP
  ports: [{port: 80}]
---
# Source: web/templates/web.yaml
apiVersion: v1
kind: Service
metadata:
  name: another
spec:
  type: ClusterIP
  ports: [{port: 81}]
"""


def test_what_helm_makes_has_the_places_of_its_files(tree: Path, fake: Fake) -> None:
    fake.says("helm", MADE)
    result = rendered(tree, CHART)
    assert result.programs == ("helm v1.2.3",)
    (unit,) = result.units
    first, second = (document.root for document in unit.documents)
    assert origin(first.at("spec", "ports", 0, "port"))[:2] == ("chart/values.yaml", "80")
    assert origin(first.at("kind")) == ("chart/templates/web.yaml", "Service", [])
    # An object that k8snetlint does not make itself is matched by the text of the template's lines.
    assert origin(second.at("spec", "type")) == (
        "chart/templates/web.yaml",
        "ClusterIP",
        ["chart/templates/web.yaml: ClusterIP"],
    )
    assert origin(second.at("spec", "ports", 0, "port"))[:2] == ("chart/templates/web.yaml", "apiVersion: v1")


def test_helm_runs_on_a_copy_of_the_chart(tree: Path, fake: Fake) -> None:
    fake.says("helm", MADE)
    release = an_object(
        "HelmRelease",
        "--post-renderer=sh",
        "  namespace: shop\nspec:\n  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository}}}\n"
        "  values: {port: 9}\n",
        "helm.toolkit.fluxcd.io/v2",
    )
    rendered(tree, {**CHART, "chart/values.schema.json": '{"$ref": "https://example.org/"}', "release.yaml": release})
    log = fake.log
    assert log["arguments"] == [
        "template",
        "--namespace=shop",
        "--kube-version=v1.34.0",
        "--skip-tests",
        "--values=values-0.yaml",
        "--",
        "--post-renderer=sh",
        "./chart",
    ]
    assert log["texts"] == {**CHART, "values-0.yaml": "port: 9\n"}


@needs_kustomize
def test_kustomize_itself(tmp_path: Path) -> None:
    files = {
        **FILES,
        "over/kustomization.yaml": (
            "resources: [../base]\nnamespace: shop\nnamePrefix: live-\n"
            "patches:\n- target: {kind: Service}\n  patch: |\n"
            "    - {op: replace, path: /spec/ports/0/port, value: 81}\n"
        ),
        "flux.yaml": (
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: over}\n"
            "spec: {path: ./over, nameSuffix: -x}\n"
        ),
    }
    result = rendered(tmp_path, files)
    (unit,) = [unit for unit in result.units if unit.name == "over"]
    assert (names(unit), reasons(unit)) == (["Service/live-web-x"], [])
    port = unit.documents[0].root.at("spec", "ports", 0, "port")
    assert (port.value, origin(port)[:2]) == (81, ("over/kustomization.yaml", "81"))
    assert result.programs[0].startswith("kustomize v")


@needs_helm
def test_helm_itself(tmp_path: Path) -> None:
    result = rendered(tmp_path, CHART)
    (unit,) = result.units
    assert (names(unit), reasons(unit)) == (["Service/release-name"], [])
    assert origin(unit.documents[0].root.at("spec", "ports", 0, "port"))[:2] == ("chart/values.yaml", "80")
    assert result.programs[0].startswith("helm v")
