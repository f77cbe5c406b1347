"""Documents, positions and problems of YAML and JSON text."""

import pytest

from k8snetlint.source.parse import Parsed, ProblemKind, parse
from k8snetlint.source.text import SourceFile


def parsed(text: str) -> Parsed:
    return parse(SourceFile("a.yaml", text))


def plain(text: str) -> list[object]:
    return [document.root.plain() for document in parsed(text).documents]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: yes", {"a": True}),
        ("a: 'yes'", {"a": "yes"}),
        ("a: 0400", {"a": 256}),
        ("a: 0x1F", {"a": 31}),
        ("a: 1_000", {"a": 1000}),
        ("a: '1_000'", {"a": "1_000"}),
        ("a: 08", {"a": 8.0}),
        ("a: =", {"a": "="}),
        ("a: 2001-01-01", {"a": "2001-01-01"}),
        ("a: 190:20:30", {"a": "190:20:30"}),
        ("{1.0: a, 1e3: b, 1.5: c, .inf: d}", {"1": "a", "1000": "b", "1.5": "c", ".inf": "d"}),
        ("a: ~\nb:", {"a": None, "b": None}),
        ("5432: x", {"5432": "x"}),
        ("on: x", {"true": "x"}),
        ("a: !!str 80", {"a": "80"}),
        ("a: &x {p: 1, q: 1}\nb:\n  <<: *x\n  q: 2\n", {"a": {"p": 1, "q": 1}, "b": {"q": 2, "p": 1}}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
    ],
)
def test_scalars_resolve_as_kubernetes_reads_them(text: str, expected: object) -> None:
    assert plain(text) == [expected]


def test_a_broken_document_costs_itself_alone() -> None:
    result = parsed("a: 1\n---\nb: c: d\n---\ne: 'x\n---\nf: 1\n")
    assert [(document.index, document.root.plain()) for document in result.documents] == [(0, {"a": 1}), (3, {"f": 1})]
    assert [problem.place.source.position(problem.place.span.start) for problem in result.problems] == [(3, 5), (6, 1)]
    assert {problem.kind for problem in result.problems} == {ProblemKind.SYNTAX}


def test_the_last_of_duplicate_keys_counts_and_both_places_are_known() -> None:
    result = parsed("a: 1\na: 2\n")
    assert result.documents[0].root.plain() == {"a": 2}
    (problem,) = result.problems
    assert problem.kind is ProblemKind.DUPLICATE_KEY
    assert problem.place.span == (5, 6)
    assert problem.related is not None
    assert problem.related.span == (0, 1)


def test_a_colon_in_a_flow_collection_is_part_of_the_text() -> None:
    text = "a: 1\n---\nb: [web:80, 'x']  # c\nd: &p 3\ne: *p\n---\nf: g: h\n---\ni: [\n  j:1 ]\n"
    result = parsed(text)
    assert [(document.index, document.root.plain()) for document in result.documents] == [
        (0, {"a": 1}),
        (1, {"b": ["web:80", "x"], "d": 3, "e": 3}),
        (3, {"i": ["j:1"]}),
    ]
    assert [problem.place.source.position(problem.place.span.start) for problem in result.problems] == [(7, 5)]
    root = result.documents[1].root
    assert [node.place.text for _, node in root.walk()][1:] == ["[web:80, 'x']", "web:80", "'x'", "3", "*p"]


def test_spans_leave_out_comments_anchors_and_the_line_end() -> None:
    root = parsed("a: &port 80  # the port\nb:\n  c: |\n    x\n\n# end\nd: *port\n").documents[0].root
    assert root.at("a").place.text == "80"
    assert root.at("b").place.text == "c: |\n    x"
    assert root.at("d").place.text == "*port"


def test_a_stream_of_json_objects_has_positions() -> None:
    result = parsed('{"a": 1}\n{"b": [true, "\\ud83d\\ude00"]}\n')
    assert [document.root.plain() for document in result.documents] == [{"a": 1}, {"b": [True, "😀"]}]
    assert result.documents[1].root.at("b", 0).place.text == "true"


@pytest.mark.parametrize(
    "text", ["[" * 10_000, "{" * 10_000, "a:\n" + "".join(" " * n + "b:\n" for n in range(1, 400))]
)
def test_depth_is_bounded(text: str) -> None:
    result = parsed(text)
    assert result.documents == ()
    assert [problem.kind for problem in result.problems] == [ProblemKind.LIMIT]


def test_an_alias_bomb_is_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    result = parsed("\n".join(lines))
    assert result.documents == ()
    assert [problem.kind for problem in result.problems] == [ProblemKind.LIMIT]


def test_values_of_bulky_kinds_are_not_built() -> None:
    text = (
        "kind: Big\nmetadata: {name: x}\nspec: {a: [1, {b: 2}], c: {a: 3}}\nstatus: 1\n---\nkind: Small\nspec: {a: 1}\n"
    )
    documents = parse(SourceFile("a.yaml", text), bulky={"Big": frozenset({"a"})}).documents
    assert [document.root.plain() for document in documents] == [
        {"kind": "Big", "metadata": {"name": "x"}, "spec": {"c": {"a": 3}}},
        {"kind": "Small", "spec": {"a": 1}},
    ]
