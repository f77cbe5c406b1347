"""Every scalar that a chart makes is placed at the text, or at the value, that made it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8snetlint.source.scalars import resolve_plain
from k8snetlint.source.tree import Node
from tests.shared import needs_shared

from .test_charts import CHARTS, chart, corpus_chart


def is_made_there(node: Node) -> bool:
    """Whether the place holds the value, or an action of a template that prints it."""
    text = node.place.text
    value = node.value
    if "{{" in text or node.via or resolve_plain(text) == value:
        return True
    written = "" if value is None else str(value).strip()
    return written[:20] in text or written.split("\n")[0][:15] in text


@needs_shared
def test_every_scalar_is_placed_at_what_made_it() -> None:
    wrong = []
    count = 0
    for path in sorted(CHARTS.iterdir()):
        for made in corpus_chart(path.name).documents:
            for steps, node in made.document.root.walk():
                if not isinstance(node.value, dict | list):
                    count += 1
                    if node.end > len(node.source.text) or not is_made_there(node):
                        wrong.append((path.name, steps, node.value, node.place.text))
    assert wrong == []
    assert count > 30_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab{}-.|$()\"'`/*:=, \n0", max_size=40))
def test_no_template_crashes(tmp_path: Path, text: str) -> None:
    chart(tmp_path, "a: {{ " + text + " }}")
    chart(tmp_path, text)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="abc 0-'#", max_size=30))
def test_text_without_actions_comes_out_as_it_is(tmp_path: Path, text: str) -> None:
    value = text.replace("'", "''")
    rendered = chart(tmp_path, f"a: '{value}'\n")
    assert [made.document.root.plain() for made in rendered.documents] == [{"a": text}]
