"""Input that is broken or hostile: a clear message, the right exit code, bounded time and memory, nothing written."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from .program import CLEAN, k8snetlint, write

ROOT = Path(__file__).parents[2]
EMPTY = "nothing to analyse: no Kubernetes manifest was found (--allow-empty accepts that)\n"
GOOD = CLEAN["cart.yaml"]


def messages(directory: Path, *arguments: str) -> tuple[int, list[tuple[str, str, str]]]:
    """The exit code, and rule, path and message of each diagnostic."""
    ran = k8snetlint(directory, "check", "-f", "json", *arguments)
    found = json.loads(ran.out)["diagnostics"]
    return ran.code, [(each["rule"], each["location"]["path"], each["message"]) for each in found]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x7fELF\x01\0\0\0\xff\xfe", "`a.yaml` is binary"),
        (b"kind: \xff\n", "`a.yaml` is not valid UTF-8: byte 0xff at offset 6"),
        (b"#" * 16_000_001, "`a.yaml` is larger than 16,000,000 bytes: it is not read"),
    ],
)
def test_a_file_that_is_no_text_is_said_and_the_others_are_analysed(
    tmp_path: Path, content: bytes, message: str
) -> None:
    write(tmp_path, {"a.yaml": content})
    assert messages(tmp_path) == (3, [("TOOL002", "a.yaml", message)])
    write(tmp_path, {"b.yaml": GOOD})
    code, found = messages(tmp_path)
    assert code == 0
    assert ("TOOL002", "a.yaml", message) in found


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment\n", b"---\n---\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_nothing_to_analyse(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"a.yaml": content})
    ran = k8snetlint(tmp_path, "check", "a.yaml")
    assert (ran.code, ran.err) == (3, EMPTY)
    assert k8snetlint(tmp_path, "check", "--allow-empty", "a.yaml").code == 0


def test_symlinks_that_lead_nowhere_are_said(tmp_path: Path) -> None:
    write(tmp_path, {"b.yaml": GOOD})
    (tmp_path / "dangling.yaml").symlink_to("nothing")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "up").symlink_to(".")
    code, found = messages(tmp_path)
    assert code == 0
    assert [each for each in found if each[0] == "TOOL002"] == [
        ("TOOL002", "dangling.yaml", "`dangling.yaml` is a symlink to `nothing`, which does not exist"),
        ("TOOL002", "loop.yaml", "`loop.yaml` is a symlink that leads back to itself"),
    ]


def test_paths_that_are_not_there_exit_2(tmp_path: Path) -> None:
    write(tmp_path, {"b.yaml": GOOD})
    for path, message in (
        ("none.yaml", "there is no file or directory `none.yaml`"),
        ("*.none", "there is no file or directory `*.none`"),
        ("b.yaml/c", "there is no file or directory `b.yaml/c`"),
    ):
        assert k8snetlint(tmp_path, "check", "b.yaml", path) == (2, "", f"Error: {message}\n")


def test_a_directory_is_no_configuration(tmp_path: Path) -> None:
    write(tmp_path, {"b.yaml": GOOD})
    ran = k8snetlint(tmp_path, "check", "--config", str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert "is a directory" in ran.err


def test_a_directory_where_a_file_is_written(tmp_path: Path) -> None:
    write(tmp_path, {"b.yaml": GOOD})
    ran = k8snetlint(tmp_path, "check", "-o", ".")
    assert (ran.code, ran.err) == (2, "Error: `.` cannot be written: is a directory\n")


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("a: " * 10_000 + "b\n", None, None),
        ("[" * 10_000, "TOOL005", "nested deeper than 200 levels: the document is not read"),
        ("{a: " * 10_000, "TOOL005", "nested deeper than 200 levels: the document is not read"),
        ("- " * 10_000 + "a\n", "TOOL005", "nested deeper than 200 levels: the document is not read"),
        ("a: [" + "1," * 200_000, "K8S001", None),
        ('"' + "a" * 1_000_000, "K8S001", None),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
                for before, name in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            "TOOL005",
            "aliases expand to more than 2,000,000 values: the document is not read",
        ),
    ],
    ids=["colons", "brackets", "braces", "dashes", "endless-sequence", "endless-string", "alias-bomb"],
)
def test_hostile_text_costs_its_document_alone(
    tmp_path: Path, text: str, rule: str | None, message: str | None
) -> None:
    write(tmp_path, {"a.yaml": f"{GOOD}---\n{text}\n", "b.yaml": GOOD.replace("cart", "web")})
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", "k8snetlint", "check", "-f", "json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=30,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000)),
    )
    report = json.loads(ran.stdout)
    assert report["statistics"]["resources"] == 4
    assert ran.returncode in (0, 1)
    if rule is not None:
        found = [each["message"] for each in report["diagnostics"] if each["rule"] == rule]
        assert len(found) == 1
        assert message is None or found == [message]


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(100_000_000)
    assert messages(tmp_path) == (
        3,
        [("TOOL002", "a.yaml", "`a.yaml` is larger than 16,000,000 bytes: it is not read")],
    )


def test_bad_input_is_never_written(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.yaml": b"kind: \xff\n",
        "b.yaml": "a: [\n",
        "c.yaml": "a: 1\na: 2\n",
        "d.yaml": GOOD,
    }
    write(tmp_path, files)
    k8snetlint(tmp_path, "check", "--fix", "--unsafe-fixes", "--select", "SVC,K8S,TOOL")
    for name in ("a.yaml", "b.yaml", "d.yaml"):
        content = files[name]
        assert (tmp_path / name).read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]


def test_a_failure_inside_says_where_to_report_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"b.yaml": GOOD})

    def fail(*arguments: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("k8snetlint.cli.pipeline.find_units", fail)
    ran = k8snetlint(tmp_path, "check")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("k8snetlint 0.1.0 failed inside: RuntimeError: out of order (test_bad_input.py, line ")
    assert ran.err.endswith("at https://github.com/k8snetlint/k8snetlint/issues\n")


def test_a_check_that_fails_is_reported_and_exits_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"b.yaml": GOOD})

    def fail(*arguments: object) -> None:
        raise RuntimeError("out of order")

    import k8snetlint.checks.service_ports
    import k8snetlint.engine

    assert k8snetlint.checks.service_ports
    monkeypatch.setitem(k8snetlint.engine._RESOURCE_CHECKS, "SVC005", fail)
    code, found = messages(tmp_path, "--select", "SVC005")
    assert (code, found) == (
        3,
        [("TOOL001", "b.yaml", "rule SVC005 failed on Service default/cart: RuntimeError: out of order")],
    )
