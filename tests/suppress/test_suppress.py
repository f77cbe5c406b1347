from datetime import date

import attrs
import pytest

from k8snetlint.diagnostic import Confidence, Diagnostic, Location, ResourceId, Severity
from k8snetlint.rulebook import load
from k8snetlint.settings import IgnoreSettings, Settings
from k8snetlint.source.edit import apply_edits
from k8snetlint.source.parse import parse
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.suppress import apply_suppressions
from k8snetlint.units.unit import Unit

RULEBOOK = load()
TODAY = date(2026, 6, 1)
CART = ResourceId("v1", "Service", "default", "cart")


def at(source: SourceFile, text: str, rule: str = "SVC005") -> Diagnostic:
    start = source.text.index(text)
    place = Place(source, Span(start, start + len(text)))
    return Diagnostic(rule, Severity.ERROR, Confidence.HIGH, "wrong", Location(place), CART)


def applied(source: SourceFile, *diagnostics: Diagnostic, settings: Settings | None = None) -> list[Diagnostic]:
    unit = Unit("shop", "plain", parse(source).documents)
    settings = settings or Settings()
    return list(apply_suppressions(diagnostics, [source], [unit], settings, RULEBOOK, TODAY, is_whole=True))


def outcomes(diagnostics: list[Diagnostic]) -> list[tuple[str, str | None, str | None]]:
    return [
        (
            each.rule,
            each.suppressed.kind if each.suppressed else None,
            each.suppressed.reason if each.suppressed else None,
        )
        for each in diagnostics
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: 1\nport: bad # k8snetlint: ignore[SVC005] known\n", "bad"),
        ("a: 1\nport: bad  #k8snetlint:ignore[ SVC005 , PORT001 ]: known\n", "bad"),
        ("a: 1\n# k8snetlint: ignore[SVC005] known\nport: bad\n", "bad"),
        ("a: 1\n# k8snetlint: ignore[SVC005] known\n# more\n\nspec:\n  ports:\n  - port: bad\nz: 1\n", "bad"),
        ("a: 1\nports:\n  # k8snetlint: ignore[SVC005] known\n  - port: 1\n    target: bad\n", "bad"),
        ("a: 1\nports:\n# k8snetlint: ignore[SVC005] known\n- port: 1\n  target: bad\n", "bad"),
        ("# k8snetlint: ignore-document[SVC005] known\na: 1\nb: bad\n", "bad"),
        ("x: 1\n--- # k8snetlint: ignore-document[SVC005] known\na: 1\nb: bad\n", "bad"),
        ("x: 1\n---\n# k8snetlint: ignore-document[SVC005] known\na: 1\nb: bad\n", "bad"),
        ("x: 1\n---\na: 1 # k8snetlint: ignore-document[SVC005] known\nb: bad\n", "bad"),
        (
            "# licence\n# k8snetlint: ignore-file[service-target-port-name-undefined] known\n---\na: 1\n---\nb: bad\n",
            "bad",
        ),
        ("# k8snetlint: ignore-file[SVC] known\na: 1\nb: bad\n", "bad"),
        ("# k8snetlint: ignore-file[ALL] known\na: 1\nb: bad\n", "bad"),
    ],
)
def test_comments_suppress(text: str, where: str) -> None:
    source = SourceFile("a.yaml", text)
    found = [each for each in applied(source, at(source, where)) if each.rule == "SVC005"]
    assert outcomes(found) == [("SVC005", "inline", "known")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "# k8snetlint: ignore[SVC005] x\na: 1\nb: bad\n",
            "this ignore matches nothing: `SVC005` is not reported here",
        ),
        (
            "spec:\n  # k8snetlint: ignore[SVC005]\n  a: 1\n  b: bad\n",
            "this ignore matches nothing: `SVC005` is not reported here",
        ),
        (
            "a: 1\n# k8snetlint: ignore-document[SVC005]\nb: bad\n",
            "this ignore-document does nothing: it stands below the first line of its document",
        ),
        (
            "a: 1\n---\n# k8snetlint: ignore-file[SVC005]\nb: bad\n",
            "this ignore-file does nothing: it stands below the top of the file",
        ),
        ("b: bad # k8snetlint: ignore\n", "this ignore names no rule, so it does nothing"),
        ("b: bad # k8snetlint: ignore[SVC999]\n", "this ignore names `SVC999`, which is no rule"),
        ("b: bad # k8snetlint: disable[SVC005]\n", "`disable` is nothing that a k8snetlint comment can say"),
        (
            "---\n# k8snetlint: ignore-document[SVC005]\na: 1\n---\nb: bad\n",
            "this ignore matches nothing: `SVC005` is not reported here",
        ),
    ],
)
def test_comments_that_do_nothing_are_reported(text: str, message: str) -> None:
    source = SourceFile("a.yaml", text)
    result = applied(source, at(source, "bad"))
    assert sorted((each.rule, each.suppressed) for each in result) == [("SVC005", None), ("TOOL003", None)]
    assert [each.message for each in result if each.rule == "TOOL003"] == [message]


def test_partly_used_comments_say_what_is_not() -> None:
    source = SourceFile("a.yaml", "b: bad # k8snetlint: ignore[SVC005, PORT001]\n")
    result = applied(source, at(source, "bad"))
    assert [(each.rule, each.message) for each in result if not each.suppressed] == [
        ("TOOL003", "this ignore is in part unused: `PORT001` is not reported here")
    ]


def test_an_ignore_of_a_rule_that_is_off_is_not_unused() -> None:
    source = SourceFile("a.yaml", "b: bad # k8snetlint: ignore[SVC005]\n")
    assert applied(source, settings=Settings(ignore=("SVC005",))) == []


@pytest.mark.parametrize(
    "text",
    [
        "data:\n  x: |\n    b: bad # k8snetlint: ignore[SVC005]\n",
        "x: ' # k8snetlint: ignore[SVC005] bad'\n",
        "b: bad#k8snetlint: ignore[SVC005]\n",
    ],
)
def test_strings_are_no_comments(text: str) -> None:
    source = SourceFile("a.yaml", text)
    assert outcomes(applied(source, at(source, "bad"))) == [("SVC005", None, None)]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: 1\n  # k8snetlint: ignore[SVC005] x\nb: 2\n", "a: 1\nb: 2\n"),
        ("a: 1  # k8snetlint: ignore[SVC005] x\r\nb: 2\n", "a: 1\r\nb: 2\n"),
        ("a: 1\n# k8snetlint: ignore[SVC005]", "a: 1\n"),
    ],
)
def test_unused_comments_can_be_removed(text: str, after: str) -> None:
    (unused,) = applied(SourceFile("a.yaml", text))
    assert unused.fix is not None
    assert apply_edits(text, unused.fix.edits) == after


ANNOTATED = """\
apiVersion: v1
kind: Service
metadata:
  name: cart
  annotations:
    k8snetlint.dev/ignore: "SVC005: by design; PORT001, PORT002"
spec: bad
"""


def test_annotations_suppress_on_their_object() -> None:
    source = SourceFile("a.yaml", ANNOTATED)
    here = at(source, "bad")
    elsewhere = attrs.evolve(here, resource=ResourceId("v1", "Service", "default", "other"))
    other_rule = attrs.evolve(here, rule="PORT002", message="x")
    result = applied(source, here, elsewhere, other_rule)
    assert sorted(outcomes(result), key=str) == [
        ("PORT002", "annotation", None),
        ("SVC005", "annotation", "by design"),
        ("SVC005", None, None),
        ("TOOL003", None, None),
    ]
    assert [each.message for each in result if each.rule == "TOOL003"] == [
        "this ignore is in part unused: `PORT001` is not reported here"
    ]


def test_an_annotation_of_a_policy_covers_what_its_isolation_does() -> None:
    policy = SourceFile("p.yaml", ANNOTATED.replace("v1\nkind: Service", "networking.k8s.io/v1\nkind: NetworkPolicy"))
    service = SourceFile("a.yaml", "spec: bad\n")
    isolated, near = (
        attrs.evolve(at(service, "bad"), related=(Location(Place(policy, Span(0, 5)), label),))
        for label in ("isolates the pods", "nearly the same")
    )
    units = [Unit("u", "plain", parse(policy).documents)]
    result = apply_suppressions([isolated, near], [service, policy], units, Settings(), RULEBOOK, TODAY, is_whole=False)
    found = [
        (each.related[0].label, outcome)
        for each, outcome in zip(result, outcomes(list(result)), strict=True)
        if each.related
    ]
    assert found == [
        ("isolates the pods", ("SVC005", "annotation", "by design")),
        ("nearly the same", ("SVC005", None, None)),
    ]


def test_annotations_that_name_no_rule_are_reported() -> None:
    source = SourceFile("a.yaml", ANNOTATED.replace("SVC005: by design; PORT001, PORT002", "by design"))
    assert [each.message for each in applied(source)] == ["the annotation `k8snetlint.dev/ignore` does not name rules"]


PLACE = Place(SourceFile(".k8snetlint.yaml", "ignores: []\n"), Span(0, 7))


@pytest.mark.parametrize(
    ("ignore", "is_suppressed"),
    [
        (IgnoreSettings(("SVC005",)), True),
        (IgnoreSettings(("SVC",), kind="Service", namespace="def*", name="cart", path="shop/"), True),
        (IgnoreSettings(("SVC005",), path="*.yaml"), True),
        (IgnoreSettings(("SVC005",), path="shop/*/a.yaml"), False),
        (IgnoreSettings(("SVC005",), kind="Pod"), False),
        (IgnoreSettings(("PORT001",)), False),
        (IgnoreSettings(("SVC005",), expires="2026-06-01"), True),
        (IgnoreSettings(("SVC005",), expires="2026-05-31"), False),
    ],
)
def test_configured_ignores(ignore: IgnoreSettings, is_suppressed: bool) -> None:
    source = SourceFile("shop/a.yaml", "b: bad\n")
    settings = Settings(ignores=(attrs.evolve(ignore, reason="known", place=PLACE),))
    result = [each for each in applied(source, at(source, "bad"), settings=settings) if each.rule == "SVC005"]
    assert outcomes(result) == [("SVC005", "config", "known") if is_suppressed else ("SVC005", None, None)]


def test_configured_ignores_that_do_nothing_are_reported() -> None:
    source = SourceFile("a.yaml", "b: bad\n")
    settings = Settings(
        ignores=(
            IgnoreSettings(("SVC005",), expires="2026-05-31", place=PLACE),
            IgnoreSettings(("PORT001",), place=PLACE),
        )
    )
    assert [(each.rule, each.severity.label, each.message) for each in applied(source, settings=settings)] == [
        ("TOOL003", "note", "this ignore matches nothing: `PORT001` is not reported where it says"),
        ("TOOL004", "warning", "this ignore of `SVC005` expired on 2026-05-31: it no longer suppresses anything"),
    ]


def test_ignores_by_path() -> None:
    source = SourceFile("infra/shop/a.yaml", "b: bad\n")
    for glob, kind in (("shop/**", "config"), ("other/**", None)):
        settings = Settings(root="infra", per_path_ignores={glob: ("SVC005",)})
        result = applied(source, at(source, "bad"), settings=settings)
        assert outcomes(result) == [("SVC005", kind, f"per-path-ignores: {glob}" if kind else None)]
