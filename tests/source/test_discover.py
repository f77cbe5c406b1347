import io
import os
from pathlib import Path

import pytest

from k8snetlint.source.discover import DiscoverOptions, InputProblemKind, Inputs, discover
from k8snetlint.source.text import SourceFile


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def found(root: Path, *paths: str, **options: object) -> Inputs:
    return discover(paths or (".",), DiscoverOptions(directory=str(root), **options))  # type: ignore[arg-type]


def paths_of(inputs: Inputs) -> list[str]:
    return [source.path for source in inputs.files]


def problems_of(inputs: Inputs) -> list[tuple[InputProblemKind, str]]:
    return [(problem.kind, problem.message) for problem in inputs.problems]


def test_directory_gives_manifests_in_order_of_their_paths(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"b.yml": "b", "a/z.yaml": "z", "a/c.json": "{}", "a/x.txt": "x", ".git/config.yaml": "g", "UP.YAML": "u"},
    )
    assert paths_of(found(tmp_path)) == ["UP.YAML", "a/c.json", "a/z.yaml", "b.yml"]
    assert paths_of(found(tmp_path, "a", "a/z.yaml", str(tmp_path / "a"))) == ["a/c.json", "a/z.yaml"]


def test_a_named_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    write(tmp_path, {"x.txt": "x", ".gitignore": "x.txt\n"})
    assert paths_of(found(tmp_path, "x.txt")) == ["x.txt"]


def test_paths_outside_the_working_directory_are_shown_relative(tmp_path: Path) -> None:
    write(tmp_path, {"here/a.yaml": "", "there/b.yaml": ""})
    assert paths_of(found(tmp_path / "here", "../there")) == ["../there/b.yaml"]


def test_globs_are_expanded(tmp_path: Path) -> None:
    write(tmp_path, {"a/x.yaml": "", "a/b/y.yaml": "", "z.yaml": ""})
    assert paths_of(found(tmp_path, "a/**/*.yaml")) == ["a/b/y.yaml", "a/x.yaml"]
    assert problems_of(found(tmp_path, "*.nothing")) == [
        (InputProblemKind.MISSING, "there is no file or directory `*.nothing`")
    ]


def test_ignore_files_nest_and_negate(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".gitignore": "*.gen.yaml\n/build/\n!keep.gen.yaml\n# comment\nsecret\\ .yaml\ndeep/**/x.yaml\n",
            "a.gen.yaml": "",
            "keep.gen.yaml": "",
            "build/b.yaml": "",
            "sub/build/b.yaml": "",
            "sub/.gitignore": "keep.gen.yaml\n!c.gen.yaml\n",
            "sub/keep.gen.yaml": "",
            "sub/c.gen.yaml": "",
            "secret .yaml": "",
            "deep/x.yaml": "",
            "deep/1/2/x.yaml": "",
            "deep/1/y.yaml": "",
        },
    )
    assert paths_of(found(tmp_path)) == ["deep/1/y.yaml", "keep.gen.yaml", "sub/build/b.yaml", "sub/c.gen.yaml"]


def test_ignore_files_above_count_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".gitignore": "*.yaml\n",
            "repository/.git/info/exclude": "private.yaml\n",
            "repository/.gitignore": "shop/tmp.yaml\n",
            "repository/shop/tmp.yaml": "",
            "repository/shop/private.yaml": "",
            "repository/shop/cart.yaml": "",
        },
    )
    assert paths_of(found(tmp_path / "repository", "shop")) == ["shop/cart.yaml"]


def test_exclusions_overrule_ignore_files(tmp_path: Path) -> None:
    write(tmp_path, {"a/x.yaml": "", "a/.gitignore": "!x.yaml\n", "y.yaml": ""})
    assert paths_of(found(tmp_path, exclude=("a/",))) == ["y.yaml"]
    assert paths_of(found(tmp_path, exclude=("x.yaml",), exclude_directory=str(tmp_path / "a"))) == ["y.yaml"]


def test_symlinks_stay_within_the_given_paths(tmp_path: Path) -> None:
    write(tmp_path, {"in/a.yaml": "a", "out/b.yaml": "b"})
    inside = tmp_path / "in"
    (inside / "again.yaml").symlink_to("a.yaml")
    (inside / "out.yaml").symlink_to("../out/b.yaml")
    (inside / "up").symlink_to("..")
    (inside / "gone.yaml").symlink_to("nowhere")
    (inside / "loop.yaml").symlink_to("loop.yaml")
    (inside / "self").symlink_to(".")
    inputs = found(tmp_path, "in")
    assert paths_of(inputs) == ["in/a.yaml"]
    assert problems_of(inputs) == [
        (InputProblemKind.DANGLING, "`in/gone.yaml` is a symlink to `nowhere`, which does not exist"),
        (InputProblemKind.LOOP, "`in/loop.yaml` is a symlink that leads back to itself"),
        (InputProblemKind.OUTSIDE, "the symlink `in/out.yaml` leaves the given paths: it is not followed"),
        (InputProblemKind.OUTSIDE, "the symlink `in/up` leaves the given paths: it is not followed"),
    ]


def test_a_named_symlink_is_followed(tmp_path: Path) -> None:
    write(tmp_path, {"out/b.yaml": "b"})
    (tmp_path / "link.yaml").symlink_to("out/b.yaml")
    (tmp_path / "gone").symlink_to("nowhere")
    assert [source.text for source in found(tmp_path, "link.yaml").files] == ["b"]
    assert problems_of(found(tmp_path, "gone")) == [
        (InputProblemKind.DANGLING, "`gone` is a symlink to `nowhere`, which does not exist")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    text = "kind: Ünïcode\r\nname: \U0001f600\n"
    write(tmp_path, {"a.yaml": text.encode(encoding)})
    assert [source.text for source in found(tmp_path).files] == [text]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x7fELF\0\1\2\xff", "`a.yaml` is binary"),
        (b"a: b\0c", "`a.yaml` is binary: it has NUL characters"),
        (b"a: b\nc: \xff\n", "`a.yaml` is not valid UTF-8: byte 0xff at offset 8"),
        (b"\xff\xfea\0b", "`a.yaml` is not valid UTF-16: byte 0x62 at offset 4"),
        ("a".encode("utf-32"), "`a.yaml` is UTF-32, which Kubernetes' tools do not read"),
    ],
)
def test_what_is_not_text_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    write(tmp_path, {"a.yaml": content})
    inputs = found(tmp_path)
    assert inputs.files == ()
    assert problems_of(inputs) == [(InputProblemKind.NOT_TEXT, message)]


def test_an_invalid_byte_has_a_position(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": b"a: \xc3\xa9\nc: \xff\n"})
    (problem,) = found(tmp_path).problems
    assert problem.place.source.position(problem.place.span.start) == (2, 4)


def test_too_large_files_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "a" * 101, "b.yaml": "b" * 100})
    inputs = found(tmp_path, max_file_size=100)
    assert paths_of(inputs) == ["b.yaml"]
    assert problems_of(inputs) == [
        (InputProblemKind.TOO_LARGE, "`a.yaml` is larger than 100 bytes: it is not read"),
    ]


def test_json_may_be_larger_than_yaml(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.yaml": "#" * 16_000_001, "b.json": "[" + " " * 16_000_000 + "]", "c.yaml": " {" + " " * 16_000_000},
    )
    inputs = found(tmp_path)
    assert paths_of(inputs) == ["b.json", "c.yaml"]
    assert problems_of(inputs) == [
        (InputProblemKind.TOO_LARGE, "`a.yaml` is larger than 16,000,000 bytes: it is not read"),
    ]


def test_devices_are_read_within_bounds(tmp_path: Path) -> None:
    inputs = found(tmp_path, "/dev/zero", max_file_size=1000)
    assert [problem.kind for problem in inputs.problems] == [InputProblemKind.TOO_LARGE]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_are_said(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": ""})
    (tmp_path / "a.yaml").chmod(0)
    assert problems_of(found(tmp_path)) == [
        (InputProblemKind.UNREADABLE, "`a.yaml` cannot be read: permission denied"),
    ]


def test_templates_are_said_only_if_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml.j2": "{{ x }}", "b.yml.tpl": "", "_helpers.tpl": "", "c.yaml": ""})
    inputs = found(tmp_path)
    assert (paths_of(inputs), inputs.templates, inputs.problems) == (["c.yaml"], ("a.yaml.j2", "b.yml.tpl"), ())
    assert problems_of(found(tmp_path, "a.yaml.j2")) == [
        (InputProblemKind.TEMPLATE, "`a.yaml.j2` is a template by its name: it is not analysed")
    ]


def test_standard_input_may_have_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.yaml": "old", "b.yaml": "b"})
    for paths, name, expected in [
        (["-"], None, [("-", "new")]),
        (["-"], "a.yaml", [("a.yaml", "new")]),
        ([".", "-"], "a.yaml", [("a.yaml", "new"), ("b.yaml", "b")]),
    ]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"new")))
        inputs = found(tmp_path, *paths, stdin_filename=name)
        assert [(source.path, source.text) for source in inputs.files] == expected


def test_referenced_files_are_read_below_the_roots_only(tmp_path: Path) -> None:
    write(tmp_path, {"in/a.yaml": "a", "in/values.txt": "v", "out.yaml": "o"})
    (tmp_path / "in/link.txt").symlink_to("../out.yaml")
    inputs = found(tmp_path, "in")
    assert inputs.read("in/a.yaml") is inputs.files[0]
    values = inputs.read("in/x/../values.txt")
    assert isinstance(values, SourceFile)
    assert (values.path, values.text) == ("in/values.txt", "v")
    assert inputs.read("in/values.txt") is values
    for path in ("out.yaml", "in/../out.yaml", "in/link.txt", "/etc/hostname"):
        problem = inputs.read(path)
        assert not isinstance(problem, SourceFile)
        assert problem.kind is InputProblemKind.OUTSIDE
    missing = inputs.read("in/none")
    assert not isinstance(missing, SourceFile)
    assert (missing.kind, missing.message) == (InputProblemKind.MISSING, "there is no file `in/none`")
    assert inputs.is_file("in/values.txt")
    assert not inputs.is_file("out.yaml")
    assert inputs.is_directory("in")
    assert inputs.names_below("in") == ("a.yaml", "link.txt", "values.txt")
