"""What counts as a value that is not known yet, and what only looks like one."""

import pytest

from k8snetlint.source.placeholder import is_placeholder, stands_for_a_value


@pytest.mark.parametrize(
    "text",
    [
        *("${PORT}", "${PORT:=80}", "${PORT:-}", "a-${NAME}-b", "$(PORT)", "$(service.port)", "$PORT", "ns-$NAMESPACE"),
        *("<port>", "<your port>", "__PORT__", "a__port-name__b", "{{ .Values.port }}", "{{port}}"),
        *("%%port%%", "%PORT%", "@PORT@"),
    ],
)
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)
    assert stands_for_a_value(text)


@pytest.mark.parametrize(
    "text",
    ["", "http", "80", "a<b", "a > b", "100%", "50% of 60%", "me@example.com", "$5", "a__b", "{a}", "^/(.*)$", "$1"],
)
def test_other_texts(text: str) -> None:
    assert not is_placeholder(text)
    assert not stands_for_a_value(text)


@pytest.mark.parametrize("text", ["PORT", "HELMSUBST_PORT", "MY-PORT", "REPLICAS2"])
def test_words_in_capitals_stand_for_a_value_but_may_be_texts(text: str) -> None:
    assert stands_for_a_value(text)
    assert not is_placeholder(text)


@pytest.mark.parametrize("text", ["TRUE", "FALSE", "YES", "NO", "ON", "OFF", "NULL"])
def test_booleans_in_capitals_stand_for_themselves(text: str) -> None:
    assert not stands_for_a_value(text)


@pytest.mark.parametrize("value", [None, 80, True, 1.5, ["${PORT}"]])
def test_only_texts_are_placeholders(value: object) -> None:
    assert not is_placeholder(value)
