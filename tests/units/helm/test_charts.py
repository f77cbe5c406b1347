"""Charts rendered: equal to what Helm makes of them, at their origins, and harmless."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Plain
from k8snetlint.units.helm import RenderedChart, render_chart
from k8snetlint.units.helm.files import folder_files
from tests.shared import SHARED, needs_shared

CHARTS = SHARED / "corpus" / "charts"
RENDERED = SHARED / "corpus" / "rendered-charts"
UNKNOWN = "__k8snetlint_unknown__"

# Charts that differ from what Helm makes of them, and where.
DIFFERENT: dict[str, str] = {}


def objects(values: list[Plain]) -> dict[tuple[str, ...], list[Plain]]:
    found: dict[tuple[str, ...], list[Plain]] = {}
    for value in values:
        assert isinstance(value, dict)
        if value.get("kind") in ("Secret", "CustomResourceDefinition"):
            continue
        metadata = value.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        # A random name is not known here, and another one each time there.
        found.setdefault((str(value.get("apiVersion")), str(value.get("kind")), str(name)), []).append(value)
    return found


def is_same(ours: Plain, theirs: Plain) -> bool:
    if isinstance(ours, str) and UNKNOWN in ours.lower():
        return True
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(is_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    return ours == theirs and type(ours) is type(theirs)


@functools.cache
def corpus_chart(name: str) -> RenderedChart:
    """A chart of the corpus, rendered once for all tests."""
    return render_chart(CHARTS / name, name, release_name="rel")


def differences(name: str) -> Iterator[str]:
    rendered = corpus_chart(name)
    ours = objects([made.document.root.plain() for made in rendered.documents if not made.is_crd])
    text = (RENDERED / f"{name}.yaml").read_text(encoding="utf-8")
    theirs = objects(
        [document.root.plain() for document in parse(SourceFile("", text)).documents if document.root.value]
    )
    unknown = [key for key in ours if UNKNOWN in key[2].lower()]
    for key in ours.keys() | theirs.keys():
        if key not in ours:
            if not any(key[:2] == other[:2] for other in unknown):
                yield f"{key} is missing"
        elif key in theirs:
            pairs = zip(ours[key], theirs[key], strict=False)
            if len(ours[key]) != len(theirs[key]) or not all(is_same(a, b) for a, b in pairs):
                yield f"{key} differs"
        elif key not in unknown:
            yield f"{key} is not Helm's"


@needs_shared
def test_charts_are_what_helm_makes_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    names = sorted(path.name for path in CHARTS.iterdir())
    different = {name for name in names if list(differences(name))}
    with capsys.disabled():
        print(f"\n  {len(names) - len(different)} of {len(names)} charts are equal")
    assert different == set(DIFFERENT)


def chart(folder: Path, template: str, values: str = "") -> RenderedChart:
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text(values)
    (folder / "templates" / "a.yaml").write_text(template)
    return render_chart(folder, "shop")


def plain(rendered: RenderedChart) -> list[Plain]:
    assert rendered.problems == ()
    return [made.document.root.plain() for made in rendered.documents]


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("a: {{ .Values.port }}", "port: 80", {"a": 80}),
        ("a: {{ .Values.port | quote }}", "port: 80", {"a": "80"}),
        ("a: {{ ((.Values.no).such).thing | default 1 }}", "", {"a": 1}),
        ("{{- range $k, $v := .Values.m }}\n{{ $k }}: {{ $v }}\n{{- end }}", "m: {b: 2, a: 1}", {"a": 1, "b": 2}),
        ("a:\n{{ toYaml .Values.m | indent 2 }}", "m: {x: [1, 'y']}", {"a": {"x": [1, "y"]}}),
        ('a: {{ printf "%s-%d" "x" 3 }}', "", {"a": "x-3"}),
        ("{{ if .Values.list }}a: 1{{ else }}a: 2{{ end }}", "list: []", {"a": 2}),
        ('{{ define "n" }}{{ . | upper }}{{ end }}a: {{ include "n" "x" }}', "", {"a": "X"}),
        ("a: {{ tpl .Values.t . }}", "t: '{{ .Release.Name }}'", {"a": "release-name"}),
        ("a: {{ randAlphaNum 5 }}", "", {"a": UNKNOWN}),
        ("a: {{ mulf 1.5 0x1p2 }}", "", {"a": 6}),
    ],
)
def test_templates(tmp_path: Path, template: str, values: str, expected: object) -> None:
    found = plain(chart(tmp_path, template, values))
    assert [
        {k: v.lower() if isinstance(v, str) and v.lower() == UNKNOWN else v for k, v in d.items()} for d in found
    ] == [expected]


def test_a_value_is_placed_where_a_person_wrote_it(tmp_path: Path) -> None:
    rendered = chart(tmp_path, "kind: Service\nport: {{ .Values.port }}\n", "# the port\nport: 8080\n")
    root = rendered.documents[0].document.root
    assert (root.at("port").source.path, root.at("port").place.text) == ("shop/values.yaml", "8080")
    assert [(via.source.path, via.text) for via in root.at("port").via] == [
        ("shop/templates/a.yaml", "{{ .Values.port }}")
    ]
    assert (root.at("kind").source.path, root.at("kind").place.text) == ("shop/templates/a.yaml", "Service")


def test_text_after_a_separator_on_its_line_is_the_next_document(tmp_path: Path) -> None:
    assert plain(chart(tmp_path, "a: 1\n\n---\n{{- if true -}}\n# c\nb: 2\n{{- end }}")) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    "template",
    [
        "a: {{ until 1000000000 | len }}",
        'a: {{ repeat 1000000000 "x" }}',
        '{{ define "r" }}{{ include "r" . }}{{ end }}a: {{ include "r" . }}',
    ],
)
def test_work_is_bounded(tmp_path: Path, template: str) -> None:
    rendered = chart(tmp_path, template)
    assert rendered.documents == ()
    assert rendered.limit_reached
    assert not rendered.is_complete


def test_nothing_outside_the_chart_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key")
    folder = tmp_path / "chart"
    folder.mkdir()
    os.symlink(tmp_path / "secret", folder / "link")
    rendered = chart(folder, 'a: "{{ .Files.Get "../secret" }}{{ .Files.Get "link" }}"')
    assert [made.document.root.plain() for made in rendered.documents] == [{"a": ""}]


def test_what_is_not_rendered_costs_its_template_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "b.yaml").write_text('b: {{ required "no b" .Values.b }}')
    rendered = chart(tmp_path, "a: 1")
    assert [made.document.root.plain() for made in rendered.documents] == [{"a": 1}]
    assert [problem.place.source.path if problem.place else None for problem in rendered.problems] == [
        "shop/templates/b.yaml"
    ]
    assert "no b" in rendered.problems[0].message


@pytest.mark.parametrize(
    ("pattern", "ignored"),
    [
        ("*.txt", {"a.txt", "sub/a.txt"}),
        ("/a.txt", {"a.txt"}),
        ("sub/", {"sub/a.txt"}),
        ("sub/*.txt", {"sub/a.txt"}),
        ("[!a]*.md", {"a.md"}),
        ("[^a]*.md", {"b.md"}),
        ("# a.txt", set()),
        ("**/a.txt", set()),
        ("  a.txt  ", {"a.txt", "sub/a.txt"}),
    ],
)
def test_files_that_the_chart_ignores(tmp_path: Path, pattern: str, ignored: set[str]) -> None:
    names = {"a.txt", "a.md", "b.md", "sub/a.txt"}
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    (tmp_path / ".helmignore").write_text(pattern + "\n")
    assert names - folder_files(tmp_path).contents.keys() == ignored
