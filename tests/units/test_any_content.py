"""Kustomizations and controllers' objects with anything in their fields: never a failure, and always an end."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .trees import an_object, found

FIELDS = [
    "resources",
    "bases",
    "components",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
    "vars",
    "images",
    "replicas",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "openapi",
    "configurations",
    "transformers",
    "generators",
    "helmCharts",
    "helmGlobals",
    "kind",
    "apiVersion",
]
INNER = [
    "name",
    "path",
    "patch",
    "target",
    "kind",
    "namespace",
    "labels",
    "pairs",
    "fields",
    "includeSelectors",
    "files",
    "literals",
    "envs",
    "behavior",
    "options",
    "source",
    "sourceValue",
    "targets",
    "select",
    "fieldPaths",
    "fieldPath",
    "delimiter",
    "index",
    "create",
    "objref",
    "fieldref",
    "count",
    "chartHome",
    "op",
    "from",
    "value",
    "annotations",
    "type",
    "reject",
    "group",
    "version",
    "apiVersion",
]
SCALARS = st.sampled_from(
    [
        None,
        1,
        -1,
        0,
        True,
        False,
        1.5,
        "",
        "x",
        "s.yaml",
        "p.yaml",
        "./b",
        "../b",
        "Service",
        "web",
        "spec.ports",
        "spec.ports.0.port",
        "spec.*.x",
        "[name=a]",
        "a=b",
        "/spec/ports/0",
        "/spec/-",
        "add",
        "copy",
        "remove",
        "move",
        "$(X)",
        "[]",
        "{}",
        "- {op: add, path: /spec/x, value: 1}",
        "kind: Service\nmetadata: {name: web}\n$patch: delete",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=4),
    max_leaves=12,
)
SERVICE = an_object("Service", "web", "spec: {ports: [{name: a, port: 80}], selector: {a: b}}\n")
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(content=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5), patch=VALUES)
def test_of_a_kustomization(tmp_path: Path, content: dict[str, object], patch: object) -> None:
    files = {
        "kustomization.yaml": json.dumps({"resources": ["s.yaml"], **content}),
        "s.yaml": SERVICE,
        "p.yaml": json.dumps(patch),
        "b/kustomization.yaml": "resources: [t.yaml]\n",
        "b/t.yaml": an_object("Service", "t"),
    }
    names = [unit.name for unit in found(tmp_path, files).units]
    assert "." in names
    assert set(names) <= {".", "b"}


SPEC = st.dictionaries(
    st.sampled_from(
        [
            "path",
            "targetNamespace",
            "namePrefix",
            "patches",
            "components",
            "commonMetadata",
            "postBuild",
            "source",
            "sources",
            "destination",
            "kustomize",
            "directory",
            "helm",
            "chart",
            "values",
        ]
    ),
    VALUES
    | st.just("./a")
    | st.just({"path": "./a"})
    | st.just([{"path": "./a"}])
    | st.fixed_dictionaries({"substitute": VALUES, "substituteFrom": VALUES}),
    max_size=5,
)


@MANY
@given(spec=SPEC | VALUES, kind=st.sampled_from(["Kustomization", "Application", "ApplicationSet", "HelmRelease"]))
def test_of_a_controllers_object(tmp_path: Path, spec: object, kind: str) -> None:
    groups = {"Kustomization": "kustomize.toolkit.fluxcd.io/v1", "HelmRelease": "helm.toolkit.fluxcd.io/v2"}
    api_version = groups.get(kind, "argoproj.io/v1alpha1")
    root = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    files = {"f.yaml": json.dumps(root), "a/s.yaml": SERVICE.replace("web", "${A:=web}")}
    names = {unit.name for unit in found(tmp_path, files).units}
    assert names in ({"."}, {".", "a"})
