"""YAML and JSON text to documents: libyaml's events, built into nodes that keep their positions."""

from __future__ import annotations

import enum
import gc
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import attrs

from . import json as positioned_json
from .events import (
    COLON_IN_FLOW,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLProblem,
    open_events,
)
from .scalars import key_text, resolve_plain, resolve_tagged
from .text import Place, SourceFile, Span
from .tree import BLOCK, PLAIN, QUOTED, Document, Entry, Node

MAX_DEPTH = 200
MAX_DOCUMENTS = 100_000
MAX_EXPANDED_NODES = 2_000_000

_STYLES = {"": PLAIN, "'": QUOTED, '"': QUOTED, "|": BLOCK, ">": BLOCK}
_BUILT_KEYS = frozenset({"apiVersion", "kind", "metadata", "spec"})
# The anchor and tag before a scalar: not part of the text to change.
_PROPERTIES = re.compile(r"(?:[&!]\S*\s*)*")
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


class ProblemKind(enum.Enum):
    """What is wrong with a text."""

    SYNTAX = "syntax"
    DUPLICATE_KEY = "duplicate-key"
    LIMIT = "limit"


@attrs.frozen
class Problem:
    """Something wrong with a text. `related` is the other place of a conflict."""

    kind: ProblemKind
    message: str
    place: Place
    related: Place | None = None


@attrs.frozen
class Parsed:
    """The documents of one file in their order, and what is wrong with it.

    A document that is broken is not among the documents; those before and after it are.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


class _Stop(Exception):  # noqa: N818 (ends one document; never leaves this module)
    """The document cannot be built: a limit, or an alias to nothing."""

    def __init__(self, kind: ProblemKind, message: str, offset: int, length: int = 1) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.offset = offset
        self.length = length


def parse(source: SourceFile, bulky: Mapping[str, frozenset[str]] = MappingProxyType({})) -> Parsed:
    """The documents of a source file.

    Scalars resolve as Kubernetes' decoder does: YAML 1.1 booleans and octals, the last of duplicate keys, merge keys.
    Of a document whose kind is in `bulky`, `apiVersion`, `kind`, `metadata` and `spec` are built, without the keys of
    `spec` that are given there. JSON is built whole.
    """
    text = source.text
    with collection_paused():
        if text.lstrip()[:1] in ("{", "["):
            read = positioned_json.read(source, MAX_DEPTH)
            if read is not None:
                documents = tuple(Document(index, root, root.start) for index, root in enumerate(read.roots))
                problems = tuple(
                    Problem(ProblemKind.DUPLICATE_KEY, _duplicate(key.value), key.place, first.place)
                    for key, first in read.duplicates
                )
                return Parsed(documents, problems)
        return _Builder(source, bulky).run()


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pauses the collector while much is built: none of it is garbage, and all of it would be visited again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _duplicate(key: object) -> str:
    return (
        f"key `{key}` stands twice in one mapping: only the last value counts, and the API server rejects the manifest"
    )


class _Builder:
    """Builds the documents of one text, resuming at the next separator after an error."""

    def __init__(self, source: SourceFile, bulky: Mapping[str, frozenset[str]]) -> None:
        self.source = source
        self.bulky = bulky
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        # Of the document being read: the anchored node and the number of values in it.
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.resolved: dict[str, Any] = {}
        self.built = 0
        self.index = 0

    def run(self) -> Parsed:
        text = self.source.text
        base = 0
        pure = False
        while base < len(text) or base == 0:
            get = open_events(text[base:] if base else text, pure=pure)
            before = (len(self.documents), len(self.problems), self.index)
            try:
                self._read_stream(get, base)
                break
            except YAMLProblem as problem:
                if problem.message.endswith(COLON_IN_FLOW) and not pure:
                    del self.documents[before[0] :], self.problems[before[1] :]
                    self.index = before[2]
                    pure = True
                    continue
                offset = min(base + problem.index, len(text))
                start = min(base + problem.start, offset)
                self._add_problem(ProblemKind.SYNTAX, problem.message, offset, 1, start)
            except _Stop as stop:
                offset = stop.offset
                self._add_problem(stop.kind, stop.message, offset, stop.length, offset)
            self.index += 1
            # A separator on the line of the error itself has been read already.
            following = _SEPARATOR.search(text, offset if text[offset - 1 : offset] == "\n" else offset + 1)
            if following is None or len(self.problems) > MAX_DOCUMENTS:
                break
            base = max(following.start(), base + 1)
        return Parsed(tuple(self.documents), tuple(self.problems))

    def _add_problem(self, kind: ProblemKind, message: str, offset: int, length: int, context: int) -> None:
        text = self.source.text
        # An error at the very end points at the last character that is there.
        start = min(offset, max(len(text.rstrip()) - 1, 0))
        place = Place(self.source, Span(start, min(start + length, len(text))))
        related = Place(self.source, Span(context, context + 1)) if context < start else None
        self.problems.append(Problem(kind, message, place, related))

    def _read_stream(self, get: Callable[[], Any], base: int) -> None:
        comment_start = base
        while True:
            event = get()
            kind = type(event)
            if kind is DocumentStartEvent:
                if self.index >= MAX_DOCUMENTS:
                    message = f"more than {MAX_DOCUMENTS:,} documents in one file: the rest is not read"
                    raise _Stop(ProblemKind.LIMIT, message, event.start_mark.index + base)
                self.anchors = {}
                self.built = 0
                root = self._read_document(get, base)
                self.documents.append(Document(self.index, root, comment_start))
                self.index += 1
            elif kind is DocumentEndEvent:
                comment_start = event.end_mark.index + base
            elif kind is StreamEndEvent:
                return

    def _read_document(self, get: Callable[[], Any], base: int) -> Node:
        """The root of the document whose start was just read.

        One loop over events with an explicit stack: this is where most of a run's time goes, and calls would double it.
        """
        source = self.source
        text = source.text
        memory = self.resolved
        # A frame for each collection around the open one: its value, its node, the key waiting for a value, its anchor,
        # and the nodes built before it.
        frames: list[tuple[Any, Any, Any, Any, int]] = []
        value: Any = None
        owner: Any = None
        key: Node | None = None
        anchor: str | None = None
        before = 0
        left_out: frozenset[str] | None = None
        while True:
            event = get()
            kind = type(event)
            if kind is ScalarEvent:
                scalar = event.value
                style = event.style
                start = event.start_mark.index + base
                end = event.end_mark.index + base
                if event.anchor is not None or event.tag is not None:
                    start = _PROPERTIES.match(text, start, end).end()  # type: ignore[union-attr]  # it matches nothing too
                if event.tag is not None and event.tag != "!":
                    node = Node(resolve_tagged(scalar, event.tag), start, end, source, _STYLES[style or ""])
                elif not style:
                    plain = memory.get(scalar, memory)
                    if plain is memory:
                        plain = memory[scalar] = resolve_plain(scalar)
                    node = Node(plain, start, end, source)
                elif style in "|>":
                    # libyaml ends a block scalar at the next token: cut back to its last character.
                    node = Node(scalar, start, start + len(text[start:end].rstrip()), source, BLOCK)
                else:
                    node = Node(scalar, start, end, source, QUOTED)
                self.built += 1
                if event.anchor is not None:
                    self.anchors[event.anchor] = (node, 1)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(frames) >= MAX_DEPTH:
                    message = f"nested deeper than {MAX_DEPTH} levels: the document is not read"
                    raise _Stop(ProblemKind.LIMIT, message, event.start_mark.index + base)
                if owner is not None:
                    frames.append((value, owner, key, anchor, before))
                value = {} if kind is MappingStartEvent else []
                owner = Node(value, event.start_mark.index + base, event.end_mark.index + base, source)
                key = None
                anchor = event.anchor
                before = self.built
                self.built += 1
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = owner
                if event.end_mark.index > event.start_mark.index:
                    node.end = event.end_mark.index + base
                elif value:
                    # libyaml ends a block collection at the next token, beyond comments: cut back to the last child.
                    last = value[-1] if kind is SequenceEndEvent else next(reversed(value.values())).node
                    node.end = max(last.end, node.start)
                if kind is MappingEndEvent and "<<" in value:
                    self._merge(value)
                if anchor is not None:
                    self.anchors[anchor] = (node, self.built - before)
                if not frames:
                    return node  # type: ignore[no-any-return]  # a Node: the loop's state is untyped for speed
                value, owner, key, anchor, before = frames.pop()
            else:
                node = self._aliased(event, base)

            if owner is None:
                return node
            if type(value) is list:
                value.append(node)
            elif key is None:
                key = node
                if left_out is not None and _is_left_out(node.value, len(frames), left_out):
                    _drain_value(get)
                    key = None
            else:
                name = key.value if type(key.value) is str else key_text(key)
                if name in value:
                    self._report_duplicate(name, key, value.pop(name).key)
                value[name] = Entry(key, node)
                if name == "kind" and not frames and self.bulky and type(node.value) is str:
                    left_out = self.bulky.get(node.value)
                key = None

    def _report_duplicate(self, name: str, key: Node, first: Node) -> None:
        self.problems.append(Problem(ProblemKind.DUPLICATE_KEY, _duplicate(name), key.place, first.place))

    def _aliased(self, event: Any, base: int) -> Node:
        """The anchored value again, at the alias's own place."""
        start, end = event.start_mark.index + base, event.end_mark.index + base
        known = self.anchors.get(event.anchor)
        if known is None:
            message = f"alias `*{event.anchor}` has no anchor `&{event.anchor}` before it"
            raise _Stop(ProblemKind.SYNTAX, message, start, end - start)
        node, size = known
        self.built += size
        if self.built > MAX_EXPANDED_NODES:
            message = f"aliases expand to more than {MAX_EXPANDED_NODES:,} values: the document is not read"
            raise _Stop(ProblemKind.LIMIT, message, start, end - start)
        return Node(node.value, start, end, self.source, node.style)

    def _merge(self, mapping: dict[str, Entry]) -> None:
        """Replaces the merge key of a mapping by the entries that it brings: its own win, then the first source's."""
        merge = mapping["<<"]
        if merge.key.style != PLAIN:
            return
        sources = merge.node.items if merge.node.is_sequence else [merge.node]
        if not all(item.is_mapping for item in sources):
            message = "a merge key `<<` takes a mapping or a list of mappings"
            raise _Stop(ProblemKind.SYNTAX, message, merge.node.start, max(merge.node.end - merge.node.start, 1))
        del mapping["<<"]
        for item in sources:
            for name, entry in item.entries.items():
                mapping.setdefault(name, entry)


def _is_left_out(key: object, depth: int, left_out: frozenset[str]) -> bool:
    """Whether the value of a key in a bulky document is not built: by its name, at the top or a level below."""
    return (depth == 0 and key not in _BUILT_KEYS) or (depth == 1 and key in left_out)


def _drain_value(get: Callable[[], Any]) -> None:
    """Reads past one value without building it."""
    depth = 0
    while True:
        kind = type(get())
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            depth += 1
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            depth -= 1
        if depth == 0:
            return
