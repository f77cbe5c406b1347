"""Values of charts, subcharts and users put together as Helm 4.3.1 does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.helm import render_chart

PRINTED = "v: {{ .Values | toJson }}\n"


def rendered(folder: Path, files: dict[str, object], given: object = None) -> dict[str, object]:
    """The values that each template sees, by the name of its chart."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    values = () if given is None else (parse(SourceFile("given", json.dumps(given))).documents[0].root,)
    made = render_chart(folder, "c", values=values)
    assert made.problems == ()
    return {
        each.template.removesuffix("/templates/a.yaml"): each.document.root.at("v").plain() for each in made.documents
    }


def with_subchart(
    root: object, sub: object, dependency: dict[str, object] | None = None, name: str = "sub"
) -> dict[str, object]:
    """A chart with one subchart, by their values."""
    head = {"apiVersion": "v2", "name": "c", "version": "1.0.0"}
    listed = {"dependencies": [{"name": name, "version": "1.0.0", "repository": "", **(dependency or {})}]}
    return {
        "Chart.yaml": head | listed,
        "values.yaml": root,
        "templates/a.yaml": PRINTED,
        f"charts/{name}/Chart.yaml": {"apiVersion": "v2", "name": name, "version": "1.0.0"},
        f"charts/{name}/values.yaml": sub,
        f"charts/{name}/templates/a.yaml": PRINTED,
    }


@pytest.mark.parametrize(
    ("given", "root", "sub", "seen_by_root", "seen_by_sub"),
    [
        ({}, {"a": 1}, {"b": 2}, {"a": 1, "sub": {"b": 2, "global": {}}}, {"b": 2, "global": {}}),
        ({}, {"sub": {"b": 3}}, {"b": 2}, {"sub": {"b": 3, "global": {}}}, {"b": 3, "global": {}}),
        ({"sub": {"b": 4}}, {"sub": {"b": 3}}, {"b": 2}, {"sub": {"b": 4, "global": {}}}, {"b": 4, "global": {}}),
        ({"a": None}, {"a": 1, "b": 2}, {}, {"b": 2, "sub": {"global": {}}}, {"global": {}}),
        ({"a": {"x": None}}, {"a": {"x": 1, "y": 2}}, {}, {"a": {"y": 2}, "sub": {"global": {}}}, {"global": {}}),
        ({}, {"a": None, "b": {"c": None}}, {}, {"b": {}, "sub": {"global": {}}}, {"global": {}}),
        ({"sub": {"b": None}}, {}, {"b": 2, "c": 3}, {"sub": {"c": 3, "global": {}}}, {"c": 3, "global": {}}),
        ({"a": [1]}, {"a": [1, 2]}, {}, {"a": [1], "sub": {"global": {}}}, {"global": {}}),
        (
            {},
            {"global": {"x": 1}},
            {"global": {"x": 2, "y": 3}},
            {"global": {"x": 1}, "sub": {"global": {"x": 1, "y": 3}}},
            {"global": {"x": 1, "y": 3}},
        ),
        (
            {"global": {"b": None}},
            {"global": {"b": 2.5, "c": 2.5}},
            {},
            {"global": {"c": 2.5}, "sub": {"global": {"b": 2.5, "c": 2.5}}},
            {"global": {"b": 2.5, "c": 2.5}},
        ),
    ],
)
def test_who_sees_which_values(
    tmp_path: Path, given: object, root: object, sub: object, seen_by_root: object, seen_by_sub: object
) -> None:
    assert rendered(tmp_path, with_subchart(root, sub), given) == {"c": seen_by_root, "c/charts/sub": seen_by_sub}


@pytest.mark.parametrize(
    ("dependency", "values", "takes_part"),
    [
        ({"condition": "sub.enabled"}, {"sub": {"enabled": False}}, False),
        ({"condition": "sub.enabled"}, {"sub": {"enabled": True}}, True),
        ({"condition": "none.at.all"}, {}, True),
        ({"condition": "none,sub.enabled"}, {"sub": {"enabled": False}}, False),
        ({"tags": ["db"]}, {"tags": {"db": False}}, False),
        ({"tags": ["db", "x"]}, {"tags": {"db": False, "x": True}}, True),
        ({"tags": ["db"], "condition": "sub.enabled"}, {"tags": {"db": False}, "sub": {"enabled": True}}, True),
        ({"version": "^1"}, {}, True),
    ],
)
def test_conditions_and_tags_decide_which_subcharts_take_part(
    tmp_path: Path, dependency: dict[str, object], values: object, takes_part: bool
) -> None:
    assert ("c/charts/sub" in rendered(tmp_path, with_subchart(values, {}, dependency))) is takes_part


def test_an_alias_is_the_name_of_the_values(tmp_path: Path) -> None:
    files = with_subchart({"db": {"a": 1}, "sub": {"a": 2}}, {"a": 0}, {"alias": "db"})
    assert rendered(tmp_path, files)["c/charts/sub"] == {"a": 1, "global": {}}


@pytest.mark.parametrize(
    ("imports", "sub", "expected"),
    [
        (["data"], {"exports": {"data": {"x": 1}}}, {"x": 1}),
        ([{"child": "a.b", "parent": "here"}], {"a": {"b": {"x": 1}}}, {"here": {"x": 1}}),
        ([{"child": "none", "parent": "here"}], {}, {}),
    ],
)
def test_values_that_are_imported_from_a_subchart(
    tmp_path: Path, imports: object, sub: object, expected: dict[str, object]
) -> None:
    seen = rendered(tmp_path, with_subchart({}, sub, {"import-values": imports}))["c"]
    assert isinstance(seen, dict)
    assert {key: item for key, item in seen.items() if key != "sub"} == expected


def test_what_the_chart_itself_says_goes_before_what_it_imports(tmp_path: Path) -> None:
    files = with_subchart({"x": 2}, {"exports": {"data": {"x": 1}}}, {"import-values": ["data"]})
    seen = rendered(tmp_path, files)["c"]
    assert isinstance(seen, dict)
    assert seen["x"] == 2


def test_a_library_lends_its_helpers_and_makes_nothing(tmp_path: Path) -> None:
    files = with_subchart({}, {}) | {
        "charts/sub/Chart.yaml": {"apiVersion": "v2", "name": "sub", "version": "1.0.0", "type": "library"},
        "charts/sub/templates/_h.tpl": '{{ define "sub.name" }}lent{{ end }}',
        "templates/a.yaml": 'v: {{ include "sub.name" . }}\n',
    }
    assert rendered(tmp_path, files) == {"c": "lent"}


def test_helpers_of_the_outer_chart_replace_those_of_inner_ones(tmp_path: Path) -> None:
    files = with_subchart({}, {}) | {
        "charts/sub/templates/_h.tpl": '{{ define "who" }}inner{{ end }}',
        "templates/_h.tpl": '{{ define "who" }}outer{{ end }}',
        "charts/sub/templates/a.yaml": 'v: {{ include "who" . }}\n',
    }
    assert rendered(tmp_path, files)["c/charts/sub"] == "outer"


def test_dependencies_of_the_first_chart_version_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    files = with_subchart({"sub": {"enabled": False}}, {})
    files["Chart.yaml"] = {"apiVersion": "v1", "name": "c", "version": "1.0.0"}
    listed = {"name": "sub", "version": "1.0.0", "repository": "", "condition": "sub.enabled"}
    files["requirements.yaml"] = {"dependencies": [listed]}
    assert set(rendered(tmp_path, files)) == {"c"}


def test_a_subchart_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text(
        "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, repository: https://x.y}\n"
    )
    (tmp_path / "templates" / "a.yaml").write_text("a: 1\n")
    made = render_chart(tmp_path, "c")
    assert [problem.message for problem in made.problems] == [
        "subchart `db` 1.0.0 is not in charts/: what it makes is not known"
    ]
    assert [each.document.root.plain() for each in made.documents] == [{"a": 1}]
