"""Charts of strangers: nothing outside of them is read, nothing takes forever."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8snetlint.settings import Settings
from k8snetlint.source.discover import DiscoverOptions, discover
from k8snetlint.units.find import find_units
from k8snetlint.units.helm import render_chart
from k8snetlint.units.helm.files import MAX_TOTAL_SIZE, archive_files, folder_files
from k8snetlint.units.helm.functions import function_library
from k8snetlint.units.helm.lexer import TemplateSyntaxError, tokens
from k8snetlint.units.helm.parser import parse_template

from .test_charts import chart

SECRET = "do-not-read-me"


def packed(members: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A packed chart with these members and symbolic links."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type = tarfile.SYMTYPE
            info.linkname = target
            archive.addfile(info)
    return out.getvalue()


HEAD = b"apiVersion: v2\nname: sub\nversion: 1.0.0\n"


@pytest.mark.parametrize(
    "action",
    [
        '{{ .Files.Get "../secret" }}',
        '{{ .Files.Get "link" }}',
        '{{ .Files.Get "folder/secret" }}',
        '{{ (.Files.Glob "**").AsConfig }}',
        '{{ range $name, $_ := .Files.Glob "../*" }}{{ $.Files.Get $name }}{{ end }}',
        '{{ .Files.Lines "/etc/passwd" }}',
        '{{ tpl (.Files.Get "../secret") . }}',
        '{{ .Files.Get "templates/../../secret" }}',
    ],
)
def test_no_action_reads_outside_of_the_chart(tmp_path: Path, action: str) -> None:
    (tmp_path / "secret").write_text(SECRET)
    folder = tmp_path / "chart"
    folder.mkdir()
    os.symlink(tmp_path / "secret", folder / "link")
    os.symlink(tmp_path, folder / "folder")
    rendered = chart(folder, f"a: |\n  x{action}\n")
    assert [SECRET in str(made.document.root.plain()) for made in rendered.documents] == [False]
    assert "root:" not in str(rendered.documents[0].document.root.plain())


@pytest.mark.parametrize("name", ["templates", "values.yaml", "charts", "Chart.yaml"])
def test_links_out_of_the_chart_are_not_followed_and_are_said(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text(f"secret: {SECRET}\n")
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    (folder / "templates" / "b.yaml").write_text("a: {{ .Values | toJson }}\n")
    target = outside if "." not in name else outside / "a.yaml"
    path = folder / name
    if path.is_dir():
        (path / "b.yaml").unlink()
        path.rmdir()
    path.unlink(missing_ok=True)
    os.symlink(target, path)
    rendered = render_chart(folder, "c")
    assert SECRET not in str([made.document.root.plain() for made in rendered.documents])
    assert any(
        f"c/{name} is not read: it is a symbolic link out of the chart" == each.message for each in rendered.problems
    )


def test_links_within_the_chart_are_followed(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "one").write_text("inside")
    os.symlink("files/one", tmp_path / "two")
    rendered = chart(tmp_path, 'a: {{ .Files.Get "two" }}')
    assert rendered.documents[0].document.root.plain() == {"a": "inside"}


def test_a_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    os.symlink(tmp_path, tmp_path / "again")
    assert any(path == "again" for path, _ in folder_files(tmp_path).refused)


@pytest.mark.parametrize(
    "name", ["../Chart.yaml", "sub/../../x", "/etc/x", "sub/a/../../../x", "..\\x", "sub/c:/x", "x"]
)
def test_members_of_packed_charts_stay_inside(name: str) -> None:
    files = archive_files(packed({"sub/Chart.yaml": HEAD, name: b"x"}))
    assert list(files.contents) == ["Chart.yaml"]
    assert [path for path, _ in files.refused] == [name.replace("\\", "/")]


def test_links_in_packed_charts_are_no_files() -> None:
    files = archive_files(packed({"sub/Chart.yaml": HEAD}, {"sub/values.yaml": "/etc/passwd"}))
    assert list(files.contents) == ["Chart.yaml"]


def test_a_packed_subchart_is_rendered(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    data = packed(
        {"sub/Chart.yaml": HEAD, "sub/templates/b.yaml": b"b: {{ .Values.x }}\n", "sub/values.yaml": b"x: 2\n"}
    )
    (tmp_path / "charts" / "sub-1.0.0.tgz").write_bytes(data)
    rendered = chart(tmp_path, "a: 1\n")
    assert [made.document.root.plain() for made in rendered.documents] == [{"b": 2}, {"a": 1}]
    place = rendered.documents[0].document.root.at("b").place
    assert (place.source.path, place.text) == ("shop/charts/sub-1.0.0.tgz/values.yaml", "2")


@pytest.mark.parametrize(
    "data", [b"", b"no archive", gzip.compress(b"no tar" * 100, mtime=0), packed({"sub/Chart.yaml": HEAD})[:-20]]
)
def test_a_packed_chart_that_is_broken_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "sub.tgz").write_bytes(data)
    rendered = chart(tmp_path, "a: 1\n")
    assert {"a": 1} in [made.document.root.plain() for made in rendered.documents]
    if data[:2] != b"\x1f\x8b" or len(data) < 100:
        assert rendered.problems


def test_a_packed_chart_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    zeros = bytes(1_000_000)
    data = packed(
        {"sub/Chart.yaml": HEAD} | {f"sub/{number}": zeros for number in range(MAX_TOTAL_SIZE // 1_000_000 + 2)}
    )
    assert len(data) < 1_000_000
    files = archive_files(data)
    assert files.limit_reached
    assert sum(map(len, files.contents.values())) <= MAX_TOTAL_SIZE


@pytest.mark.parametrize(
    "template",
    [
        "a: {{ until 1000000000 | len }}",
        "{{ range until 99999 }}{{ range until 99999 }}x{{ end }}{{ end }}",
        'a: {{ repeat 1000000000 "x" }}',
        'a: {{ repeat 1000000 "x" | repeat 1000 }}',
        'a: {{ printf "%1000000d" 1 }}',
        'a: {{ printf "%*d" 1000000 1 }}',
        '{{ define "r" }}{{ include "r" . }}{{ end }}a: {{ include "r" . }}',
        '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
        '{{ define "r" }}{{ tpl "{{ include \\"r\\" . }}" . }}{{ end }}a: {{ include "r" . }}',
        '{{ $d := dict }}{{ $_ := set $d "d" $d }}a: {{ toYaml $d }}',
        '{{ $d := dict }}{{ $_ := set $d "d" $d }}a: {{ toJson $d }}',
        '{{ $d := dict }}{{ $_ := set $d "d" $d }}a: {{ $d }}',
        '{{ $d := dict }}{{ $_ := set $d "d" $d }}a: {{ deepCopy $d }}',
        '{{ $x := "x" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}a: {{ $x }}',
        "{{ $x := list 1 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}a: {{ len $x }}",
        '{{ $x := dict }}{{ range until 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}a: {{ toYaml $x }}',
        'a: {{ indent 100000000 "x" }}',
        "a: {{ seq 1 1000000000 }}",
        'a: {{ regexMatch "^(a+)+$" (repeat 5000 "a" | printf "%sb") }}',
        'a: {{ replace "a" (repeat 10000 "b") (repeat 10000 "a") }}',
        'a: {{ join (repeat 10000 "b") (until 10000) }}',
        "a: " + "{{ if true }}" * 500 + "x" + "{{ end }}" * 500,
        "a: {{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    ],
)
def test_work_is_bounded_and_said(tmp_path: Path, template: str) -> None:
    start = time.process_time()
    rendered = chart(tmp_path, template)
    assert time.process_time() - start < 20
    assert [made.document.root.plain() for made in rendered.documents] == []
    assert rendered.limit_reached or rendered.problems
    assert not rendered.is_complete


def test_a_bound_that_is_met_is_reported(tmp_path: Path) -> None:
    chart(tmp_path, "a: {{ until 1000000000 | len }}\n")
    inputs = discover((".",), DiscoverOptions(directory=str(tmp_path)))
    found = find_units(inputs, Settings())
    assert [(problem.rule, problem.place.source.path) for problem in found.problems] == [
        ("TOOL005", "templates/a.yaml")
    ]
    assert [unit.complete for unit in found.units] == [False]


_WORDS = st.sampled_from(
    [
        *("{{", "}}", "{{-", "-}}", "{{/*", "*/}}", " ", "\n", "a", ":", "|", "(", ")", ",", ".", "$", "$x", ":=", "="),
        *(".Values", ".a", '"s"', "`r`", "'c'", "1", "-1", "1.5", "0x1", "nil", "true", "if", "else", "end", "range"),
        *("with", "define", "template", "block", "include", "break", "continue", "list", "dict", "printf", "index"),
    ]
)
_TEMPLATES = (
    st.lists(_WORDS, max_size=25).map(" ".join) | st.lists(_WORDS, max_size=25).map("".join) | st.text(max_size=60)
)


@settings(max_examples=300, deadline=None)
@given(_TEMPLATES)
def test_no_text_crashes_the_parser(text: str) -> None:
    with suppress(TemplateSyntaxError):
        list(tokens(text))
    with suppress(TemplateSyntaxError):
        parse_template("t", text)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_TEMPLATES)
def test_no_template_crashes_rendering(tmp_path: Path, text: str) -> None:
    chart(tmp_path, text, "a: 1\n")


_ARGUMENTS = st.sampled_from(
    [
        '""',
        '"a"',
        '"-1"',
        "0",
        "-1",
        "2",
        "1.5",
        "true",
        "nil",
        ".Values.l",
        ".Values.m",
        ".Values.n",
        "(list)",
        "(dict)",
        ".",
    ]
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(function_library())), st.lists(_ARGUMENTS, max_size=4))
def test_no_argument_crashes_a_function(tmp_path: Path, name: str, arguments: list[str]) -> None:
    chart(tmp_path, f"a: {{{{ {name} {' '.join(arguments)} | quote }}}}", "l: [1, null, x]\nm: {a: {b: 1}}\nn: null\n")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=60).filter(
        lambda text: "{{" not in text
    )
)
def test_text_without_actions_is_printed_as_it_stands(tmp_path: Path, text: str) -> None:
    rendered = chart(tmp_path, f"a: |1+\n x{text}\n")
    assert [made.document.root.plain() for made in rendered.documents] == [{"a": f"x{text}\n\n"}]
