"""The section `[tool.k8snetlint]` of a pyproject.toml as nodes with positions.

The standard library's parser gives none: keys are found again by their lines, a value stands where its key does.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import Entry, Node

from .problem import ConfigProblem

_SECTION = ("tool", "k8snetlint")
_LINE = re.compile(r"^[ \t]*(?:\[\[?(?P<table>[^\]\n]+)\]\]?|(?P<key>[A-Za-z0-9_\-.\"' \t]+?)[ \t]*=)", re.MULTILINE)
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")


def read_toml(source: SourceFile) -> tuple[Node | None, tuple[ConfigProblem, ...]]:
    """The root of the section, empty where there is none, or what is wrong with the file."""
    try:
        value: object = tomllib.loads(source.text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        starts = source.line_starts
        start = starts[min(int(at[1]), len(starts)) - 1] + int(at[2]) - 1 if at else len(source.text)
        message = _AT.sub("", str(error)).strip()
        return None, (
            ConfigProblem(f"not TOML: {message[:1].lower()}{message[1:]}", Place(source, Span(start, start))),
        )
    for name in _SECTION:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    spans = _key_spans(source.text)
    head = next((span for path, span in spans.items() if path[:2] == _SECTION), Span(0, 0))
    return _node(value, _SECTION, head, spans, source), ()


def _key_spans(text: str) -> dict[tuple[str, ...], Span]:
    """Where keys and table headers stand; of an array's tables, the first."""
    spans: dict[tuple[str, ...], Span] = {}
    table: tuple[str, ...] = ()
    for match in _LINE.finditer(text):
        name = "table" if match["table"] is not None else "key"
        parts = tuple(a or b or c for a, b, c in _PART.findall(match[name]))
        path = parts if name == "table" else (*table, *parts)
        if name == "table":
            table = parts
        start = match.start(name) + len(match[name]) - len(match[name].lstrip())
        span = Span(start, start + len(match[name].strip()))
        for length in range(1, len(path) + 1):
            spans.setdefault(path[:length], span)
    return spans


def _node(
    value: object,
    path: tuple[str, ...],
    near: Span,
    spans: Mapping[tuple[str, ...], Span],
    source: SourceFile,
) -> Node:
    span = spans.get(path, near)
    if isinstance(value, dict):
        entries: dict[str, Entry] = {}
        for name, item in value.items():
            below = (*path, str(name))
            at = spans.get(below, span)
            key = Node(str(name), at.start, at.end, source)
            entries[str(name)] = Entry(key, _node(item, below, at, spans, source))
        return Node(entries, span.start, span.end, source)
    if isinstance(value, list):
        return Node([_node(item, path, span, spans, source) for item in value], span.start, span.end, source)
    scalar = value if isinstance(value, str | int | float | bool) else str(value)
    return Node(scalar, span.start, span.end, source)
