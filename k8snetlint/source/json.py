"""JSON objects, and streams of them, with positions: libyaml reads neither streams nor surrogate pairs."""

from __future__ import annotations

import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # documented nowhere, there since Python 2.6
from typing import NamedTuple

from .text import SourceFile
from .tree import PLAIN, QUOTED, Entry, Node

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_LONGEST_NUMBER = 400


class Read(NamedTuple):
    """The roots of a JSON text, and the pairs of keys that collide: the later and the earlier."""

    roots: list[Node]
    duplicates: list[tuple[Node, Node]]


def read(source: SourceFile, max_depth: int) -> Read | None:
    """The values of a text that is JSON or a stream of JSON values; None if it is neither, or nested too deeply."""
    reader = _Reader(source, max_depth)
    text = source.text
    roots: list[Node] = []
    offset = _skip(text, 0)
    try:
        while offset < len(text):
            node = reader.value(offset, 0)
            if not isinstance(node.value, dict | list):
                return None
            roots.append(node)
            offset = _skip(text, node.end)
    except (ValueError, IndexError):
        return None
    return Read(roots, reader.duplicates)


def _skip(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


class _Reader:
    def __init__(self, source: SourceFile, max_depth: int) -> None:
        self.source = source
        self.text = source.text
        self.max_depth = max_depth
        self.duplicates: list[tuple[Node, Node]] = []

    def value(self, offset: int, depth: int) -> Node:
        """The value that begins at the offset. Raises ValueError or IndexError where the text is not JSON."""
        character = self.text[offset]
        if character == '"':
            text, end = scanstring(self.text, offset + 1, True)
            return Node(text, offset, end, self.source, QUOTED)
        if character in "{[":
            if depth >= self.max_depth:
                raise ValueError("nested too deeply")
            return self._mapping(offset, depth) if character == "{" else self._sequence(offset, depth)
        if character in _WORDS:
            word, constant = _WORDS[character]
            if not self.text.startswith(word, offset):
                raise ValueError("not a JSON word")
            return Node(constant, offset, offset + len(word), self.source, PLAIN)
        number = _NUMBER.match(self.text, offset)
        if number is None or number.end() - offset > _LONGEST_NUMBER:
            raise ValueError("not a JSON value")
        plain = number[1] is None and number[2] is None
        return Node(int(number[0]) if plain else float(number[0]), offset, number.end(), self.source, PLAIN)

    def _mapping(self, offset: int, depth: int) -> Node:
        text = self.text
        entries: dict[str, Entry] = {}
        at = _skip(text, offset + 1)
        if text[at] == "}":
            return Node(entries, offset, at + 1, self.source)
        while True:
            if text[at] != '"':
                raise ValueError("not a JSON key")
            name, end = scanstring(text, at + 1, True)
            key = Node(name, at, end, self.source, QUOTED)
            at = _skip(text, end)
            if text[at] != ":":
                raise ValueError("no colon after a key")
            node = self.value(_skip(text, at + 1), depth + 1)
            if name in entries:
                self.duplicates.append((key, entries.pop(name).key))
            entries[name] = Entry(key, node)
            at = _skip(text, node.end)
            if text[at] == "}":
                return Node(entries, offset, at + 1, self.source)
            if text[at] != ",":
                raise ValueError("no comma between entries")
            at = _skip(text, at + 1)

    def _sequence(self, offset: int, depth: int) -> Node:
        text = self.text
        items: list[Node] = []
        at = _skip(text, offset + 1)
        if text[at] == "]":
            return Node(items, offset, at + 1, self.source)
        while True:
            node = self.value(at, depth + 1)
            items.append(node)
            at = _skip(text, node.end)
            if text[at] == "]":
                return Node(items, offset, at + 1, self.source)
            if text[at] != ",":
                raise ValueError("no comma between items")
            at = _skip(text, at + 1)
