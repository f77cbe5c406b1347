"""YAML as Helm's `toYaml` prints it, character by character: charts take checksums of it."""

from __future__ import annotations

import base64
import functools
import re

from k8snetlint.source.tree import Node

from .functions.formatting import json_number
from .values import MAX_TEXT, Bytes, GoMap, LimitReached, Piece, Struct, Text, Value, float_text, nodes_of

BEST_WIDTH = 80
_WORDS = frozenset(
    [
        "y",
        "Y",
        "yes",
        "Yes",
        "YES",
        "on",
        "On",
        "ON",
        "true",
        "True",
        "TRUE",
        "n",
        "N",
        "no",
        "No",
        "NO",
        "off",
        "Off",
        "OFF",
        "false",
        "False",
        "FALSE",
        "~",
        "null",
        "Null",
        "NULL",
        ".nan",
        ".NaN",
        ".NAN",
        ".inf",
        ".Inf",
        ".INF",
        "+.inf",
        "+.Inf",
        "+.INF",
        "-.inf",
        "-.Inf",
        "-.INF",
        "<<",
    ]
)
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_DATE = re.compile(
    r"[0-9]{4}-(?:1[0-2]|0?[1-9])-(?:3[01]|[12][0-9]|0?[1-9])"
    r"(?:(?:[Tt](?:2[0-3]|[01]?[0-9]):[0-5]?[0-9]:[0-5]?[0-9](?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))"
    r"|(?: (?:2[0-3]|[01]?[0-9]):[0-5]?[0-9]:[0-5]?[0-9](?:\.[0-9]+)?))?"
)
_SAFE = re.compile(r"[A-Za-z/][A-Za-z0-9_./=+-]*")
_UNPRINTABLE = re.compile(r"[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_BREAKS = "\n\r\x85\u2028\u2029"
_ESCAPED = {
    "\0": "\\0",
    "\a": "\\a",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    "\x1b": "\\e",
    '"': '\\"',
    "\\": "\\\\",
    "\x85": "\\N",
    "\xa0": "\\_",
    "\u2028": "\\L",
    "\u2029": "\\P",
}


def dump(value: Value, *, pretty: bool = False) -> Text:
    """The YAML of a value without a final line break, each scalar with its origin.

    `pretty` is the style of another library: lists of a mapping stand right of its key, and no line is folded.
    Raises ValueError for what JSON cannot hold, LimitReached for what is longer than any manifest.
    """
    writer = _Writer(pretty)
    writer.block(value, 0, at_line_start=True)
    text = "".join(writer.parts)
    traced = Text.of(text, writer.closed())
    return traced.slice(0, len(text) - 1) if text.endswith("\n") else traced


class _Writer:
    """Collects the text and, for each part of it, what it shows."""

    def __init__(self, pretty: bool) -> None:
        self.pretty = pretty
        self.column = 0
        self.parts: list[str] = []
        self.pieces: list[Piece] = []
        self.literal = 0
        self.size = 0

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.column = self.column + len(text) if text[-1:] != "\n" else 0
        self.literal += len(text)
        self.size += len(text)
        if self.size > MAX_TEXT:
            raise LimitReached("a value printed as YAML is longer than any manifest")

    def write_traced(self, text: str, nodes: tuple[Node, ...]) -> None:
        if not nodes:
            self.write(text)
            return
        if self.literal:
            self.pieces.append(Piece(self.literal, None, ()))
            self.literal = 0
        self.parts.append(text)
        self.pieces.append(Piece(len(text), None, nodes))
        self.size += len(text)

    def closed(self) -> tuple[Piece, ...]:
        if self.literal:
            self.pieces.append(Piece(self.literal, None, ()))
            self.literal = 0
        return tuple(self.pieces)

    def block(self, value: Value, level: int, *, at_line_start: bool) -> None:
        """Writes a value and the line break after it; the cursor stands after `key:`, after `- `, or on a new line."""
        if isinstance(value, dict) and value:
            self._mapping(value, level, at_line_start)
        elif isinstance(value, list) and value:
            self._sequence(value, level, at_line_start)
        else:
            self._scalar(value, level, () if isinstance(value, dict | list) else nodes_of(value), at_line_start)

    def _mapping(self, value: dict[str, Value], level: int, at_line_start: bool) -> None:
        pad = " " * level
        if not at_line_start:
            self.write("\n")
        for index, key in enumerate(sorted_keys(value)):
            item = value[key]
            # The first key of a mapping in a list stands beside the dash.
            self.write((pad if index or not at_line_start else "") + scalar_text(key, level, is_key=True) + ":")
            if isinstance(item, dict) and item:
                self._mapping(item, level + 2, at_line_start=False)
            elif isinstance(item, list) and item:
                self._sequence(item, level + 2 if self.pretty else level, at_line_start=False)
            else:
                flag = (
                    value.flag(key) if (item is None or isinstance(item, bool)) and isinstance(value, GoMap) else None
                )
                nodes = (flag,) if flag is not None else () if isinstance(item, dict | list) else nodes_of(item)
                self._scalar(item, level, nodes, at_line_start=False)

    def _sequence(self, value: list[Value], level: int, at_line_start: bool) -> None:
        pad = " " * level
        if not at_line_start:
            self.write("\n")
        for index, item in enumerate(value):
            self.write((pad if index or not at_line_start else "") + "- ")
            self.block(item, level + 2, at_line_start=True)

    def _scalar(self, value: Value, level: int, nodes: tuple[Node, ...], at_line_start: bool) -> None:
        if not at_line_start:
            self.write(" ")
        level = level if not at_line_start else max(level - 2, 0)
        if self.pretty and isinstance(value, float):
            text = _exact(value)
        else:
            text = scalar_text(value, level)
            if not self.pretty and self.column + len(text) > BEST_WIDTH and isinstance(value, str):
                text = _folded(text, self.column, " " * (level + 2))
        self.write_traced(text, nodes)
        self.write("\n")


def scalar_text(value: Value, level: int = 0, *, is_key: bool = False) -> str:
    """A scalar, or an empty collection, as YAML; `level` is the indentation of its key."""
    if isinstance(value, Bytes):
        value = base64.b64encode(value.encode(errors="surrogateescape")).decode()
    if isinstance(value, str):
        if _SAFE.fullmatch(value) and value not in _WORDS:
            return value
        return _string(value, level, is_key)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    assert isinstance(value, Struct)
    return "{}"


def _number(value: float) -> str:
    text = json_number(value) if value else "0"
    # Read back as YAML, whole numbers are integers as far as 64 bits hold them; others print as `%g` does.
    if "e" not in text and "." not in text and -(2**63) <= int(text) < 2**64:
        return text
    return float_text(float(text))


def _exact(value: float) -> str:
    return float_text(value).replace("Inf", ".inf").replace("NaN", ".nan")


def _folded(text: str, column: int, pad: str) -> str:
    """A scalar that stands at a column, broken at single spaces behind the best width as libyaml's emitter does."""
    if text[0] == "|":
        return text
    quote = text[0] if text[0] in "'\"" else ""
    parts: list[str] = []
    start = 0
    while True:
        at = text.find(" ", max(start, start + BEST_WIDTH + 1 - column))
        if at < 0:
            break
        end = at
        while text[end : end + 1] == " ":
            end += 1
        is_single = end == at + 1 or quote == '"'
        if at == start or not is_single or (quote and (at == 1 or end == len(text) - 1)):
            # More than one space, or one at an end: the line cannot be broken here.
            parts.append(text[start:end])
            column += end - start
            start = end
            continue
        parts.append(f"{text[start:at]}\n{pad}" + ("\\" if end > at + 1 else ""))
        column = len(pad) + (end > at + 1)
        start = at + 1
    parts.append(text[start:])
    return "".join(parts)


def resolves_to_string(text: str) -> bool:
    """Whether the plain scalar is a string to the YAML library that Helm uses."""
    if text in _WORDS or text == "":
        return False
    first = text[0]
    if first not in "0123456789+-.":
        return True
    if _DATE.fullmatch(text) or _BASE_60.fullmatch(text):
        return False
    plain = text.replace("_", "") if first != "." else text
    return not (_INTEGER.fullmatch(plain) or _FLOAT.fullmatch(plain))


def _string(text: str, level: int, is_key: bool) -> str:
    special = bool(_UNPRINTABLE.search(text))
    breaks = any(mark in text for mark in _BREAKS)
    spaced_break = any(f" {mark}" in text for mark in _BREAKS) if breaks else False
    if "\n" in text:
        # Literal, unless that could not be read back.
        if is_key or special or spaced_break or text.endswith(" "):
            return _double_quoted(text)
        return _literal(text, level)
    if not resolves_to_string(text):
        return _double_quoted(text)
    if special or spaced_break or any(f"{mark} " in text for mark in _BREAKS):
        return _double_quoted(text)
    if breaks or text[0] == " " or text[-1] == " " or _has_indicator(text):
        return "'" + text.replace("'", "''") + "'"
    return text


def _has_indicator(text: str) -> bool:
    if text[:3] in ("---", "..."):
        return True
    first = text[0]
    if first in "#,[]{}&*!|>'\"%@`" or (first in "?:-" and (len(text) == 1 or text[1] in " \t")):
        return True
    return ": " in text or ":\t" in text or text.endswith(":") or " #" in text or "\t#" in text


def _literal(text: str, level: int) -> str:
    header = "|"
    if text[0] in " " or text[0] in _BREAKS:
        header += "2"
    if text[-1] not in _BREAKS:
        header += "-"
    elif len(text) == 1 or text[-2] in _BREAKS:
        header += "+"
    pad = " " * (level + 2)
    lines = text.split("\n")
    ended = lines.pop() == "" if text.endswith("\n") else False
    body = "\n".join(pad + line if line else "" for line in (lines if ended else text.split("\n")))
    return f"{header}\n{body}"


def _double_quoted(text: str) -> str:
    return f'"{"".join(_escaped(character) for character in text)}"'


def _escaped(character: str) -> str:
    known = _ESCAPED.get(character)
    if known is not None:
        return known
    code = ord(character)
    if not _UNPRINTABLE.match(character) and code != 0xFEFF:
        return character
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def sorted_keys(value: dict[str, Value]) -> list[str]:
    """The keys in the order of Helm's YAML library: letters after other characters, digits by their number."""
    keys = list(value)
    if len(keys) < 2:
        return keys
    if all(key.isascii() and key.isalpha() for key in keys):
        return sorted(keys)
    return sorted(keys, key=functools.cmp_to_key(_compared))


def _compared(left: str, right: str) -> int:
    for index in range(min(len(left), len(right))):
        a, b = left[index], right[index]
        if a == b:
            continue
        if a.isalpha() and b.isalpha():
            return -1 if a < b else 1
        if a.isalpha() or b.isalpha():
            return -1 if b.isalpha() else 1
        return _compared_numbers(left, right, index)
    return len(left) - len(right)


def _compared_numbers(left: str, right: str, index: int) -> int:
    before = 0
    if left[index] == "0" or right[index] == "0":
        back = index - 1
        while back >= 0 and left[back].isdigit():
            if left[back] != "0":
                before = 1
                break
            back -= 1
    sides = []
    for text in (left, right):
        end, number = index, before
        while end < len(text) and text[end] in "0123456789":
            number = number * 10 + int(text[end])
            end += 1
        sides.append((number, end, text[index]))
    return -1 if sides[0] < sides[1] else 1
