"""What formats do with many diagnostics, and with what was not analysed."""

import attrs

from k8snetlint.diagnostic import Confidence, Diagnostic, Incompleteness, Location, Report, Severity
from k8snetlint.formatters import render
from k8snetlint.formatters.context import RenderContext
from k8snetlint.rulebook import load
from k8snetlint.source.text import Place, SourceFile, Span

SOURCE = SourceFile("a.yaml", "bad\n" * 30)
CONTEXT = RenderContext(load(), "1.0")


def report(count: int, reasons: int = 0) -> Report:
    diagnostics = tuple(
        Diagnostic(
            "SVC005",
            Severity.ERROR,
            Confidence.HIGH if index % 2 else Confidence.MEDIUM,
            f"number {index}",
            Location(Place(SOURCE, Span(4 * index, 4 * index + 3))),
        )
        for index in range(count)
    )
    because = tuple(Incompleteness(f"reason {index}") for index in range(reasons))
    return Report(diagnostics, (SOURCE,), complete=not because, incomplete_because=because, documents=1)


def test_github_shows_the_ten_surest_of_a_level() -> None:
    rows = render("github", report(15), CONTEXT).splitlines()
    assert [row.rpartition(" ")[2] for row in rows[:10]] == ["1", "3", "5", "7", "9", "11", "13", "0", "2", "4"]
    assert rows[10:] == ["and 5 more errors", "found 15 errors in 1 file"]


def test_text_lists_some_reasons_and_counts_the_others() -> None:
    text = render("text", report(0, 7), CONTEXT)
    assert text == (
        "not everything was analysed:\n"
        + "".join(f"  reason {index}\n" for index in range(5))
        + "  and 2 more (--verbose lists them)\nno problems found in 1 file\n"
    )


def unseen(count: int) -> Report:
    found = report(count, 1)
    diagnostics = (
        attrs.evolve(each, rule="TOOL002", severity=Severity.NOTE, units=("a", "b")) for each in found.diagnostics
    )
    return attrs.evolve(found, diagnostics=(*diagnostics, *report(1).diagnostics))


def test_text_counts_notes_on_what_is_not_analysed_where_they_would_bury_the_rest() -> None:
    few, many = render("text", unseen(5), CONTEXT), render("text", unseen(6), CONTEXT)
    assert few.count("note[TOOL002]") == 5
    assert many.count("[TOOL002]") == 1
    assert many.count("error[SVC005]: number 0") == 1
    assert many.endswith(
        "not everything was analysed:\n  reason 0\n"
        "  6 notes [TOOL002] on it are not shown (--verbose shows them; `k8snetlint units` says what each unit lacks)\n"
        "found 1 error, 6 notes in 1 file\n"
    )
    assert render("text", unseen(6), attrs.evolve(CONTEXT, verbose=True)).count("note[TOOL002]") == 6
    assert render("text", unseen(6), attrs.evolve(CONTEXT, quiet=True)).count("note[TOOL002]") == 6


def test_text_names_some_units_and_counts_the_others() -> None:
    found = report(1)
    many = attrs.evolve(found, diagnostics=(attrs.evolve(found.diagnostics[0], units=tuple("abcdefg")),))
    assert "= units: a, b, c, d, e and 2 more\n" in render("text", many, CONTEXT)
    assert "= units: a, b, c, d, e, f, g\n" in render("text", many, attrs.evolve(CONTEXT, verbose=True))


def test_statistics_count_by_rule() -> None:
    context = RenderContext(load(), "1.0", statistics=True)
    assert render("text", report(2), context).endswith(
        "     2 SVC005 service-target-port-name-undefined\n"
        "1 file, 1 document, 0 resources, 120 bytes\n"
        "found 2 errors in 1 file\n"
    )
