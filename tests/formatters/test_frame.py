import pytest

from k8snetlint.diagnostic import Location, Severity
from k8snetlint.formatters.frame import frame, gutter_width
from k8snetlint.formatters.style import Style
from k8snetlint.source.text import Place, SourceFile, Span


def at(source: SourceFile, text: str, label: str | None = None) -> Location:
    start = source.text.index(text)
    return Location(Place(source, Span(start, start + len(text))), label)


def shown(primary: Location, *related: Location, width: int = 80) -> str:
    gutter = gutter_width([primary, *related])
    return "\n".join(frame(primary, related, gutter, width, Style(colour=False)))


def test_lines_between_are_shown_if_one_and_left_out_if_more() -> None:
    source = SourceFile("a.yaml", "one\ntwo\nthree\nfour\nfive\nsix\n")
    assert shown(at(source, "three", "here"), at(source, "one", "there"), at(source, "six")) == (
        """\
 --> a.yaml:3:1
  |
1 | one
  | --- there
2 | two
3 | three
  | ^^^^^ here
...
6 | six
  | ---
  |"""
    )


@pytest.mark.parametrize(
    ("line", "shown_line", "underline"),
    [
        ("\tkey: bad", "    key: bad", "         ^^^"),
        ("a\tb: bad", "a   b: bad", "       ^^^"),
        ("日本: bad", "日本: bad", "      ^^^"),
        ("e\u0301a: bad", "e\u0301a: bad", "    ^^^"),
        ("日\u0301: bad", "日\u0301: bad", "    ^^^"),
        ("a\x1b[31m: bad", "a\\x1b[31m: bad", "           ^^^"),
        ("a\u202e: bad", "a\\u202e: bad", "         ^^^"),
    ],
)
def test_underlines_stand_below_what_they_mean(line: str, shown_line: str, underline: str) -> None:
    rows = shown(at(SourceFile("a.yaml", line + "\n"), "bad")).splitlines()
    assert rows[2:4] == [f"1 | {shown_line}", f"  | {underline}"]


def test_wide_characters_are_underlined_in_full() -> None:
    rows = shown(at(SourceFile("a.yaml", "a: 日本語\n"), "日本")).splitlines()
    assert rows[3] == "  |    ^^^^"


def test_several_marks_of_one_line_are_told_apart() -> None:
    source = SourceFile("a.yaml", "from: 10 to: 5\n")
    assert shown(at(source, "5", "ends"), at(source, "10", "starts")).splitlines()[2:] == [
        "1 | from: 10 to: 5",
        "  |       -- starts",
        "  |              ^ ends",
        "  |",
    ]


def test_long_lines_are_cut_around_the_mark() -> None:
    source = SourceFile("a.yaml", "a: " + "x" * 500 + " bad " + "y" * 500 + "\n")
    rows = shown(at(source, "bad", "here"), width=60).splitlines()
    assert all(len(row) <= 61 for row in rows[2:3])
    line, underline = rows[2], rows[3]
    assert line.startswith("1 | …")
    assert line.endswith("…")
    assert line[underline.index("^") : underline.index("^") + 3] == "bad"


def test_a_mark_at_the_end_of_a_line_or_file_is_one_column() -> None:
    source = SourceFile("a.yaml", "a: b\n")
    assert shown(Location(Place(source, Span(4, 4)), "missing")).splitlines()[3] == "  |     ^ missing"
    assert shown(Location(Place(source, Span(5, 5)))).splitlines()[2:4] == ["2 |", "  | ^"]


def test_a_span_over_lines_is_cut_at_the_first() -> None:
    source = SourceFile("a.yaml", "a:\n  b: 1\n")
    assert shown(at(source, "a:\n  b")).splitlines()[2:4] == ["1 | a:", "  | ^^"]


def test_files_without_text_have_no_lines() -> None:
    assert shown(Location(Place(SourceFile("x", ""), Span(0, 0)))) == " --> x:1:1\n  |"


def test_colour_is_only_added() -> None:
    source = SourceFile("a.yaml", "a: bad\n")
    painted = frame(at(source, "bad", "here"), (), 1, 80, Style(True, Severity.ERROR))
    assert painted[3] == "\x1b[1;34m  |\x1b[0m    \x1b[1;31m^^^ here\x1b[0m"
