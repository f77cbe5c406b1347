"""What a plain YAML scalar is to Kubernetes' decoder: YAML 1.1, as Go's yaml package version 2 resolves it."""

from __future__ import annotations

import math
import re

from .tree import Node, Scalar

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_START = frozenset("0123456789+-.")
# Source: Go's strconv.ParseInt with base 0, underscores taken out beforehand.
_INTEGER = re.compile(r"[-+]?(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?:0|[1-9][0-9]*))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_LONGEST_NUMBER = 400


def resolve_plain(text: str) -> Scalar:
    """The value of a plain scalar. Timestamps, `=` and sexagesimal numbers are strings, as they are to Kubernetes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or len(text) > _LONGEST_NUMBER:
        return text
    digits = text.replace("_", "") if "_" in text else text
    integer = _INTEGER.match(digits)
    if integer is not None:
        sign = -1 if digits[0] == "-" else 1
        for name, base in (("x", 16), ("b", 2), ("o", 8)):
            if integer[name] is not None:
                return sign * int(integer[name], base)
        return int(digits)
    if _FLOAT.match(digits):
        return float(digits)
    return text


def resolve_tagged(text: str, tag: str) -> Scalar:
    """The value of a scalar with an explicit tag; tags that are not YAML's own leave it a string."""
    if tag == "tag:yaml.org,2002:str" or not tag.startswith("tag:yaml.org,2002:"):
        return text
    value = resolve_plain(text)
    if tag == "tag:yaml.org,2002:float" and isinstance(value, int):
        return float(value)
    return value


def key_text(key: Node) -> str:
    """The text of a mapping key: JSON has only strings for keys, and the decoder converts the others."""
    value = key.value
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return key.place.text
    if isinstance(value, float):
        # A number without a fraction has none in the text either; what is no number keeps its own.
        if not math.isfinite(value):
            return key.place.text
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else str(value)
    return str(value)
