"""Kustomizations and controllers' objects written to read what is not theirs, or to never end."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8snetlint.source.tree import Node
from k8snetlint.units import substitution
from k8snetlint.units.unit import Found

from .trees import an_object, found, names

SERVICE = an_object("Service", "web", "spec: {ports: [{port: 80}], selector: {a: b}}\n")
SECRET = "outside: secret-of-another\n"
# A field of a kustomization that reads a file or a folder: `PATH` is where.
READERS = {
    "resources": "resources: [s.yaml, PATH]",
    "bases": "resources: [s.yaml]\nbases: [PATH]",
    "components": "resources: [s.yaml]\ncomponents: [PATH]",
    "patches": "resources: [s.yaml]\npatches: [{path: PATH}]",
    "patchesStrategicMerge": "resources: [s.yaml]\npatchesStrategicMerge: [PATH]",
    "patchesJson6902": "resources: [s.yaml]\npatchesJson6902: [{target: {kind: Service, name: web, version: v1}, path: PATH}]",
    "replacements": "resources: [s.yaml]\nreplacements: [{path: PATH}]",
    "configurations": "resources: [s.yaml]\nconfigurations: [PATH]",
    "transformers": "resources: [s.yaml]\ntransformers: [PATH]",
    "generators": "resources: [s.yaml]\ngenerators: [PATH]",
    "files": "resources: [s.yaml]\nconfigMapGenerator: [{name: c, files: [x=PATH]}]",
    "envs": "resources: [s.yaml]\nsecretGenerator: [{name: c, envs: [PATH]}]",
    "env": "resources: [s.yaml]\nconfigMapGenerator: [{name: c, env: PATH}]",
    "valuesFile": "resources: [s.yaml]\nhelmCharts: [{name: c, valuesFile: PATH}]\nhelmGlobals: {chartHome: ../charts}",
}
CHART = {
    "charts/c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
    "charts/c/templates/x.yaml": an_object("ConfigMap", "x", "data: {{ toYaml .Values | nindent 2 }}\n"),
}


def everything(result: Found) -> str:
    """All that was read of the units."""
    return "\n".join(
        text
        for unit in result.units
        for document in unit.documents
        for text in (str(document.root.plain()), *(node.source.path for _, node in document.root.walk()))
    )


def reasons(result: Found) -> list[str]:
    return [reason.message for unit in result.units for reason in unit.incomplete_because]


@pytest.mark.parametrize("field", READERS)
@pytest.mark.parametrize("way", ["up", "absolute", "link", "link-to-folder"])
def test_nothing_outside_of_the_given_paths_is_read(tmp_path: Path, field: str, way: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.yaml").write_text(SECRET)
    (outside / "kustomization.yaml").write_text("resources: [y.yaml]\n")
    (outside / "y.yaml").write_text(an_object("Secret", "secret-of-another"))
    root = tmp_path / "given"
    (root / "app").mkdir(parents=True)
    (root / "app/link.yaml").symlink_to(outside / "x.yaml")
    (root / "app/folder").symlink_to(outside)
    is_folder = field in ("bases", "components")
    path = {
        "up": "../../outside" + ("" if is_folder else "/x.yaml"),
        "absolute": str(outside if is_folder else outside / "x.yaml"),
        "link": "folder" if is_folder else "link.yaml",
        "link-to-folder": "folder/." if is_folder else "folder/x.yaml",
    }[way]
    files = {**CHART, "app/kustomization.yaml": READERS[field].replace("PATH", path) + "\n", "app/s.yaml": SERVICE}
    result = found(root, files)
    app = [unit for unit in result.units if unit.name == "app"]
    assert [name for unit in app for name in names(unit)][:1] == ["Service/web"]
    assert "secret-of-another" not in everything(result)
    said = reasons(result)
    assert any("lies outside the given paths" in each or "absolute path" in each for each in said), said


@pytest.mark.parametrize("path", ["../../outside", "./link"])
def test_controllers_do_not_lead_out_of_the_given_paths(tmp_path: Path, path: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "given"
    outside.mkdir()
    (outside / "y.yaml").write_text(an_object("Secret", "secret-of-another"))
    root.mkdir()
    (root / "link").symlink_to(outside)
    text = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\n"
        f"spec: {{path: {path}}}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a}}\n"
        f"spec: {{source: {{path: {path}, directory: {{recurse: true}}}}}}\n"
    )
    result = found(root, {"f.yaml": text})
    assert [(unit.name, names(unit)) for unit in result.units] == [(".", ["Kustomization/k", "Application/a"])]
    assert len([reason for reason in reasons(result) if "that cannot be seen here" in reason]) == 2


COPIES = "".join(f"    - {{op: copy, from: /spec, path: /spec/x{number}}}\n" for number in range(40))
DEEP = "".join(f"    - {{op: add, path: /spec{'/x' * number}/x, value: {{}}}}\n" for number in range(90))
DEEPER = "".join(
    f"    - {{op: copy, from: /spec, path: /spec{'/x' * 89}/y{number}}}\n"
    f"    - {{op: copy, from: /spec{'/x' * 89}/y{number}, path: /spec{'/x' * 89}/x}}\n"
    for number in range(12)
)
PATCH = "resources: [s.yaml]\npatches:\n- target: {kind: Service}\n  patch: |\n"
SPEC_INTO_ITSELF = "".join(
    "- {source: {kind: Service, name: web, fieldPath: spec}, targets: "
    f"[{{select: {{kind: Service}}, fieldPaths: [spec.x{number}], options: {{create: true}}}}]}}\n"
    for number in range(40)
)
TEXT_INTO_ITSELF = (
    "- {source: {kind: ConfigMap, name: c, fieldPath: data.a}, targets: [{select: {kind: ConfigMap, name: c}, "
    "fieldPaths: [data.a], options: {delimiter: '-', index: 0}}]}\n"
) * 60
SETTINGS = an_object("ConfigMap", "c", "data: {a: x-y}\n")
LONG = an_object("ConfigMap", "c", f"data: {{a: {'x' * 1_000_000}}}\n")
ARGUMENTS = an_object("Pod", "p", "spec: {containers: [{name: c, args: [" + ", ".join(["$(A)"] * 2_000) + "]}]}\n")
BOMBS = {
    "copies": {"kustomization.yaml": PATCH + COPIES, "s.yaml": SERVICE},
    "depth": {"kustomization.yaml": PATCH + DEEP + DEEPER, "s.yaml": SERVICE},
    "replacements": {
        "kustomization.yaml": f"resources: [s.yaml]\nreplacements:\n{SPEC_INTO_ITSELF}",
        "s.yaml": SERVICE,
    },
    "texts": {"kustomization.yaml": f"resources: [s.yaml]\nreplacements:\n{TEXT_INTO_ITSELF}", "s.yaml": SETTINGS},
    "variables": {
        "kustomization.yaml": (
            "resources: [s.yaml]\nvars:\n"
            "- {name: A, objref: {kind: ConfigMap, name: c, apiVersion: v1}, fieldref: {fieldpath: data.a}}\n"
        ),
        "s.yaml": f"{LONG}---\n{ARGUMENTS}",
    },
    "prefixes": {
        "kustomization.yaml": f"resources: [s.yaml]\nnamePrefix: {'a' * 1_000_000}\n",
        "s.yaml": "---\n".join(an_object("ConfigMap", f"c{number}") for number in range(200)),
    },
    "labels": {
        "kustomization.yaml": f"resources: [s.yaml]\ncommonLabels: {{a: {'a' * 1_000_000}}}\n",
        "s.yaml": "---\n".join(an_object("ConfigMap", f"c{number}") for number in range(200)),
    },
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_grow_without_end_is_bounded(tmp_path: Path, name: str) -> None:
    result = found(tmp_path, BOMBS[name])
    assert [(problem.rule, problem.message) for problem in result.problems] == [
        ("TOOL005", "patches and objects are more than are worked through: the rest is left out")
    ]
    (unit,) = result.units
    assert not unit.complete
    assert sum(size(document.root) for document in unit.documents) < 20_000_000


def size(node: Node) -> int:
    return sum(1 + (len(each.value) if isinstance(each.value, str) else 0) for _, each in node.walk())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {
                "kustomization.yaml": PATCH + f"    - {{op: add, path: /spec{'/x' * 200}, value: 1}}\n",
                "s.yaml": SERVICE,
            },
            "a patch cannot be applied to Service `web`: its `path` has more than 100 steps",
        ),
        (
            {
                "kustomization.yaml": "resources: [s.yaml]\nconfigurations: [f.yaml]\ncommonLabels: {a: b}\n",
                "f.yaml": f"commonLabels: [{{path: spec{'/x' * 3000}, create: true}}]\n",
                "s.yaml": SERVICE,
            },
            "fields deeper than 100 steps are left as they are",
        ),
    ],
)
def test_paths_of_many_steps_are_not_followed(tmp_path: Path, files: dict[str, str], message: str) -> None:
    result = found(tmp_path, files)
    assert ([names(unit) for unit in result.units], reasons(result)) == ([["Service/web"]], [message])


def test_substituted_text_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(substitution, "MAX_CHARACTERS", 25)
    text = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\n"
        "spec: {path: ./a, postBuild: {substitute: {A: 0123456789}}}\n"
    )
    files = {"a/s.yaml": an_object("ConfigMap", "c", "data: {a: 'x${A}${A}${A}'}\n"), "f.yaml": text}
    (unit,) = [unit for unit in found(tmp_path, files).units if unit.name == "a"]
    assert unit.documents[0].root.at("data", "a").value == "x01234567890123456789${A}"


def test_parameters_that_would_fill_the_memory_stay_unknown(tmp_path: Path) -> None:
    template = (
        "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\n"
        f"parameters: [{{name: A, value: {'x' * 1_000}}}]\n"
        "objects:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c}\n  data: {a: '" + "${A}" * 60_000 + "'}\n"
    )
    (unit,) = found(tmp_path, {"t.yaml": template}).units
    assert unit.documents[0].root.at("data", "a").value == "${A}" * 60_000
