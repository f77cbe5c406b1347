from collections.abc import Mapping
from pathlib import Path

import pytest

from k8snetlint.diagnostic import Applicability, Confidence, Diagnostic, Fix, Location, Severity, Suppression
from k8snetlint.fixer import MAX_ROUNDS, fix, unified_diff, write_file
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Place, SourceFile, Span


def replacing(source: SourceFile, old: str, new: str, *, safe: bool = True, suppressed: bool = False) -> Diagnostic:
    start = source.text.index(old)
    span = Span(start, start + len(old))
    applicability = Applicability.SAFE if safe else Applicability.UNSAFE
    return Diagnostic(
        "SVC005",
        Severity.ERROR,
        Confidence.HIGH,
        "wrong",
        Location(Place(source, span)),
        fix=Fix("Mend", (Edit(source, span, new),), applicability),
        suppressed=Suppression("inline") if suppressed else None,
    )


def rules(*replacements: tuple[str, str]):  # type: ignore[no-untyped-def]
    """A diagnose function that replaces texts that are there."""
    original = SourceFile("a.yaml", "port: one two\n")

    def diagnose(texts: Mapping[str, str]) -> list[Diagnostic]:
        source = SourceFile("a.yaml", texts.get("a.yaml", original.text))
        return [replacing(source, old, new) for old, new in replacements if old in source.text]

    return original, diagnose


def test_fixes_are_repeated_until_none_is_left() -> None:
    source, diagnose = rules(("one", "uno"), ("uno", "eins"), ("two", "zwei"))
    fixed = fix(diagnose, [source], unsafe=False)
    assert (dict(fixed.texts), fixed.fixed, fixed.rounds, fixed.is_stable) == (
        {"a.yaml": "port: eins zwei\n"},
        3,
        2,
        True,
    )


def test_of_overlapping_fixes_the_first_is_applied() -> None:
    source, diagnose = rules(("one", "1"), ("one two", "12"))
    assert dict(fix(diagnose, [source], unsafe=False).texts) == {"a.yaml": "port: 1 two\n"}


def test_fixes_that_undo_each_other_end() -> None:
    source, diagnose = rules(("one", "uno"), ("uno", "one"))
    fixed = fix(diagnose, [source], unsafe=False)
    assert fixed.rounds <= MAX_ROUNDS
    assert not fixed.is_stable


def test_fixes_that_never_end_stop_after_the_last_round() -> None:
    source, diagnose = rules(("one", "one+"))
    fixed = fix(diagnose, [source], unsafe=False)
    assert (dict(fixed.texts), fixed.rounds, fixed.is_stable) == ({"a.yaml": f"port: one{'+' * 10} two\n"}, 10, False)


def test_a_fix_that_breaks_the_syntax_is_not_applied() -> None:
    source, diagnose = rules(("one", "[one"))
    assert dict(fix(diagnose, [source], unsafe=False).texts) == {}


@pytest.mark.parametrize(
    ("unsafe", "suppressed", "is_fixed"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_unsafe_and_suppressed(unsafe: bool, suppressed: bool, is_fixed: bool) -> None:
    source = SourceFile("a.yaml", "port: one\n")

    def diagnose(texts: Mapping[str, str]) -> list[Diagnostic]:
        return [] if texts else [replacing(source, "one", "two", safe=False, suppressed=suppressed)]

    assert bool(fix(diagnose, [source], unsafe=unsafe).texts) is is_fixed


def test_files_that_are_not_given_are_left_alone() -> None:
    source = SourceFile("other.yaml", "port: one\n")
    assert dict(fix(lambda texts: [replacing(source, "one", "two")], [], unsafe=False).texts) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encoding_mark_and_line_endings_are_kept(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("a: ü\r\nb: 1\n".encode(encoding))
    path.chmod(0o640)
    assert write_file(str(path), "a: ü\r\nb: 1\n", "a: ü\r\nb: 2\n") is None
    assert path.read_bytes() == "a: ü\r\nb: 2\n".encode(encoding)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 2\n")
    assert write_file(str(path), "a: 1\n", "a: 3\n") == "it changed meanwhile"
    assert path.read_text() == "a: 2\n"
    assert write_file(str(tmp_path / "none"), "", "") == "no such file or directory"


def test_a_symlink_stays_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n")
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    assert write_file(str(tmp_path / "link.yaml"), "a: 1\n", "a: 2\n") is None
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "a.yaml").read_text() == "a: 2\n"


def test_differences_are_what_patch_reads() -> None:
    assert unified_diff("s/a.yaml", "a: 1\nb: 2", "a: 1\nb: 3") == (
        "--- a/s/a.yaml\n+++ b/s/a.yaml\n@@ -1,2 +1,2 @@\n a: 1\n"
        "-b: 2\n\\ No newline at end of file\n+b: 3\n\\ No newline at end of file\n"
    )
