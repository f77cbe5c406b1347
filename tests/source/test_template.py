import pytest

from k8snetlint.source.template import template_action


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("{{- if .Values.x }}\na: b\n", 0),
        ("a: b\n  {% if x %}\n", 7),
        ("name: {{ .Release.Name }}\n", 6),
        ("ports:\n- {{ port }}\n", 9),
        ("- name: {{ x }}\n", 8),
    ],
)
def test_actions_in_place_of_values(text: str, start: int) -> None:
    span = template_action(text)
    assert span is not None
    assert span.start == start


@pytest.mark.parametrize(
    "text", ["a: '{{ x }}'\n", 'a: "{{ x }}"\n', "# {{ x }}\n", "a: {b: {c: d}}\n", "a: x {{ y }}\n"]
)
def test_texts_that_may_be_plain_yaml(text: str) -> None:
    assert template_action(text) is None
