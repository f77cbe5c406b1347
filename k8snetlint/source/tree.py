"""Values with positions: what a document says, and where each part of it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from .text import Place, SourceFile, Span

Scalar: TypeAlias = str | int | float | bool | None
Path: TypeAlias = tuple[str | int, ...]
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"

PLAIN, QUOTED, BLOCK = "plain", "quoted", "block"


class Entry(NamedTuple):
    """One key of a mapping with its value."""

    key: Node
    node: Node


class Node:
    """A value and the place it is written at. Never changed after it was built.

    `value` is a scalar, a list of nodes, or a dict from key text to `Entry`.
    `source` is the file that the span lies in; in a rendered unit neighbours differ: a span is never used alone.
    `style` is `plain`, `quoted` or `block` for scalars (`block` for literal and folded ones).
    `via` are the places of the transformers (patches, kustomization fields, template lines) that changed the value.
    """

    __slots__ = ("end", "source", "start", "style", "value", "via")

    # A plain class: it is built some hundred thousand times a run, and a frozen one takes three times as long.
    def __init__(
        self,
        value: Scalar | list[Node] | dict[str, Entry],
        start: int,
        end: int,
        source: SourceFile,
        style: str = PLAIN,
        via: tuple[Place, ...] = (),
    ) -> None:
        self.value = value
        self.start = start
        self.end = end
        self.source = source
        self.style = style
        self.via = via

    def __repr__(self) -> str:
        return f"Node({self.plain()!r} at {self.source.path}:{self.start}-{self.end})"

    @property
    def span(self) -> Span:
        """Where the value is written, in `source`."""
        return Span(self.start, self.end)

    @property
    def place(self) -> Place:
        """The span with its file."""
        return Place(self.source, Span(self.start, self.end))

    def part(self, start: int, end: int) -> Place:
        """The place of a part of a string, by offsets into its value.

        The whole scalar where the text is not written as its value reads: escapes, folded lines.
        """
        text = self.source.text
        value = self.value
        if isinstance(value, str):
            written = text[self.start : self.end]
            wanted = value[start:end]
            first = 1 if self.style == QUOTED else 0
            if written[first : first + len(value)] == value:
                return Place(self.source, Span(self.start + first + start, self.start + first + end))
            # Block scalars are indented: a part that stands once in the value stands once in the text.
            if value.count(wanted) == 1 and written.count(wanted) == 1:
                at = self.start + written.index(wanted)
                return Place(self.source, Span(at, at + len(wanted)))
            if self.style == BLOCK and wanted in written:
                at = self.start + _nth(written, wanted, value.count(wanted, 0, start))
                return Place(self.source, Span(at, at + len(wanted)))
        return self.place

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_sequence(self) -> bool:
        """Whether the value is a sequence."""
        return isinstance(self.value, list)

    @property
    def entries(self) -> dict[str, Entry]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a sequence; empty for anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def scalar(self) -> Scalar:
        """The scalar; None for a mapping or a sequence."""
        return None if isinstance(self.value, dict | list) else self.value

    def get(self, *path: str | int) -> Node | None:
        """The node at a path, or None if a step of it is not there."""
        node: Node = self
        for step in path:
            value = node.value
            if isinstance(value, dict):
                entry = value.get(step) if isinstance(step, str) else None
                if entry is None:
                    return None
                node = entry.node
            elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
                node = value[step]
            else:
                return None
        return node

    def at(self, *path: str | int) -> Node:
        """The node at a path. Raises KeyError if a step of it is not there: a typo in a check must not pass unseen."""
        node = self.get(*path)
        if node is None:
            raise KeyError(f"no {'.'.join(map(str, path))} in {self.source.path}")
        return node

    def key_at(self, *path: str | int) -> Node:
        """The key under which the value at a path stands; the value itself for a list item."""
        parent = self.at(*path[:-1])
        last = path[-1]
        if isinstance(parent.value, dict) and isinstance(last, str):
            if last not in parent.value:
                raise KeyError(f"no {'.'.join(map(str, path))} in {self.source.path}")
            return parent.value[last].key
        return self.at(*path)

    def nearest(self, *path: str | int) -> Node:
        """The deepest key (or list item) on the way to a path: where to point when a field is missing.

        The root's first key when not even the first step is there.
        """
        for length in range(len(path), 0, -1):
            if self.get(*path[:length]) is not None:
                return self.key_at(*path[:length])
        for entry in self.entries.values():
            return entry.key
        return self

    def plain(self) -> Plain:
        """The value without positions."""
        value = self.value
        if isinstance(value, dict):
            return {key: entry.node.plain() for key, entry in value.items()}
        if isinstance(value, list):
            return [item.plain() for item in value]
        return value

    def walk(self) -> Iterator[tuple[Path, Node]]:
        """Every node below this one and itself, with its path, in document order."""
        stack: list[tuple[Path, Node]] = [((), self)]
        while stack:
            path, node = stack.pop()
            yield path, node
            value = node.value
            if isinstance(value, dict):
                stack.extend(((*path, key), entry.node) for key, entry in reversed(value.items()))
            elif isinstance(value, list):
                stack.extend(((*path, index), value[index]) for index in range(len(value) - 1, -1, -1))


def _nth(text: str, part: str, number: int) -> int:
    """The offset of the occurrence of that number, from 0; of the last one where there are fewer."""
    at = text.index(part)
    for _ in range(number):
        following = text.find(part, at + 1)
        if following < 0:
            break
        at = following
    return at


class Document:
    """One document of a file: its index there and its root.

    `comment_start` is the offset where the document's text begins, its leading comments included.
    """

    __slots__ = ("comment_start", "index", "root")

    def __init__(self, index: int, root: Node, comment_start: int = 0) -> None:
        self.index = index
        self.root = root
        self.comment_start = comment_start

    def __repr__(self) -> str:
        return f"Document({self.index}, {self.root!r})"

    @property
    def source(self) -> SourceFile:
        """The file of the root."""
        return self.root.source
