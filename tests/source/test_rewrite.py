"""Text edits that turn one value into another: whatever both are, and however the first is written."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8snetlint.source.edit import apply_edits
from k8snetlint.source.parse import parse
from k8snetlint.source.rewrite import Unwritable, added_document, rewritten
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import Node, Plain
from k8snetlint.source.write import block_lines, flow_text

SCALARS = st.sampled_from(["a", "true", "12", "x: y", "# no", "-", "", 7, 0, True, False, None, "é"])
KEYS = st.sampled_from(["from", "to", "ports", "a b", "k8s-app"])


def values(leaves: st.SearchStrategy[Plain]) -> st.SearchStrategy[Plain]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    )


PLAINS: st.SearchStrategy[Plain] = values(SCALARS)
ROOTS = st.dictionaries(KEYS, PLAINS, min_size=1, max_size=3)


@st.composite
def written(draw: st.DrawFn, value: Plain, margin: str = "") -> list[str]:
    """Lines that say a value: block or flow at each level, lists indented or not, comments between."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 3)) == 0:
        return [flow_text(value, as_json=draw(st.booleans()))]
    lines: list[str] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in pairs:
        inner = draw(written(entry))
        if isinstance(value, list):
            first, *rest = inner
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        else:
            is_block = isinstance(entry, dict | list) and inner[0][0] not in "[{"
            name = flow_text(key)
            if not is_block:
                lines += [f"{name}: {inner[0]}{draw(st.sampled_from(['', '  # why']))}"]
            else:
                step = draw(st.sampled_from(["", "  "])) if isinstance(entry, list) else "  "
                lines += [f"{name}:", *(f"{step}{line}" for line in inner)]
        if draw(st.integers(0, 4)) == 0 and margin == "":
            lines.append("# between")
    return lines


def root_of(text: str) -> Node:
    parsed = parse(SourceFile("a.yaml", text))
    assert not parsed.problems, (text, parsed.problems)
    return parsed.documents[0].root


@st.composite
def changed(draw: st.DrawFn, value: Plain) -> Plain:
    """A value with something added, removed or replaced somewhere below."""
    if isinstance(value, list) and draw(st.booleans()):
        items: list[Plain] = [draw(changed(item)) if draw(st.booleans()) else item for item in value]
        if items and draw(st.booleans()):
            items.pop(draw(st.integers(0, len(items) - 1)))
        if draw(st.booleans()):
            items.insert(draw(st.integers(0, len(items))), draw(PLAINS))
        return items
    if isinstance(value, dict) and draw(st.booleans()):
        found = {key: draw(changed(entry)) if draw(st.booleans()) else entry for key, entry in value.items()}
        if draw(st.booleans()):
            found[draw(KEYS)] = draw(PLAINS)
        if len(found) > 1 and draw(st.integers(0, 3)) == 0:
            found.pop(draw(st.sampled_from(sorted(found))))
        return found
    return draw(PLAINS)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Plain]:
    value: Plain = draw(ROOTS)
    lines = draw(written(value))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    end = draw(st.sampled_from(["", newline]))
    before = draw(st.sampled_from(["", f"# head{newline}", f"---{newline}"]))
    wanted = draw(changed(value))
    return before + newline.join(lines) + end, wanted if isinstance(wanted, dict) and wanted else draw(ROOTS)


@settings(max_examples=400, deadline=None, database=None, derandomize=True)
@given(cases())
def test_what_is_read_afterwards_is_what_was_wanted(case: tuple[str, Plain]) -> None:
    text, wanted = case
    after = apply_edits(text, rewritten(root_of(text), deepcopy(wanted)))
    assert root_of(after).plain() == wanted, (text, after)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(PLAINS)
def test_lines_say_the_value(value: Plain) -> None:
    assert root_of("\n".join(block_lines({"a": value}))).plain() == {"a": value}
    assert root_of(flow_text({"a": value})).plain() == {"a": value}
    assert root_of(flow_text({"a": value}, as_json=True)).plain() == {"a": value}


POLICY = """\
spec:
  # whom
  podSelector: {}
  ingress:
    # web
    - from:
      - podSelector: {matchLabels: {app: web}}  # the shop front
      - podSelector:
          matchLabels:
            app: api
      ports:
        - port: 80
    - ports: [{port: 443}]  # all
"""


def test_the_rest_stays_as_it_is_written() -> None:
    root = root_of(POLICY)
    wanted = root.plain()
    assert isinstance(wanted, dict)
    spec = wanted["spec"]
    assert isinstance(spec, dict)
    spec["ingress"] = [
        {
            "from": [
                {"podSelector": {"matchLabels": {"app": "web"}}},
                {"podSelector": {"matchLabels": {"app": "job"}}},
            ],
            "ports": [{"port": 80}, {"port": 8080, "protocol": "TCP"}],
        },
        {"ports": [{"port": 443}, {"port": 444}]},
        {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    ]
    spec["egress"] = []
    assert (
        apply_edits(POLICY, rewritten(root, wanted))
        == """\
spec:
  # whom
  podSelector: {}
  ingress:
    # web
    - from:
      - podSelector: {matchLabels: {app: web}}  # the shop front
      - podSelector:
          matchLabels:
            app: job
      ports:
        - port: 80
        - port: 8080
          protocol: TCP
    - ports: [{port: 443}, {port: 444}]  # all
    - from:
        - ipBlock:
            cidr: "10.0.0.0/8"
  egress: []
"""
    )


def test_all_items_gone_leaves_an_empty_list() -> None:
    assert (
        apply_edits(POLICY, rewritten(root_of(POLICY), {"spec": {"podSelector": {}, "ingress": []}}))
        == """\
spec:
  # whom
  podSelector: {}
  ingress: []  # all
"""
    )


def test_what_is_made_elsewhere_is_not_edited() -> None:
    root = root_of("a: 1\n")
    root.at("a").via = (Place(SourceFile("patch.yaml", ""), Span(0, 0)),)
    with pytest.raises(Unwritable):
        rewritten(root, {"a": 2})


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "a: 1\n"),
        ("b: 2\n", "b: 2\n---\na: 1\n"),
        ("b: 2", "b: 2\n---\na: 1\n"),
        ("b: 2\r\n", "b: 2\r\n---\r\na: 1\r\n"),
    ],
)
def test_a_document_is_added(text: str, after: str) -> None:
    assert added_document(text, {"a": 1}) == after
