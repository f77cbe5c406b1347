"""Rendered text to documents whose every node says which template line or which value made it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from k8snetlint.source.parse import Problem, parse
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import BLOCK, QUOTED, Document, Node, Scalar

from .values import Piece, Text

MAX_VIA = 8
_SEPARATOR = re.compile(r"(?:\A|\s*\n)---\s*")


class Site(NamedTuple):
    """An action of the outermost template that printed several pieces, from `first` up to but not including `last`."""

    first: int
    last: int
    mark: Place | None


def documents_of(
    text: Text, fallback: Place | None, sites: tuple[Site, ...] = ()
) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """The documents of a rendered text and what is wrong with it, all at their origins.

    `fallback` is the place of what no template has printed yet.
    """
    if fallback is None:
        fallback = next((piece.mark for piece in text.pieces if piece.mark is not None), None)
    if fallback is None:
        fallback = next(
            (node.place for piece in text.pieces for node in piece.nodes), Place(SourceFile("", ""), Span(0, 0))
        )
    # The C parser takes no subclass of str.
    written = str(text)
    origins = _Origins(text, written, fallback, sites)
    documents: list[Document] = []
    problems: list[Problem] = []
    for start, end in _parts(written):
        # Helm ends each part with a line end of its own: a block scalar that keeps its line ends gets one more.
        source = SourceFile(fallback.source.path, f"{written[start:end]}\n")
        parsed = parse(source)
        origins.source, origins.base = source, start
        documents += (origins.moved_document(document, len(documents)) for document in parsed.documents)
        problems += map(origins.moved_problem, parsed.problems)
    return tuple(documents), tuple(problems)


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """The parts of a rendered text that are read one by one.

    A line that begins with `---` ends a part whatever follows on it: trimmed white space may have joined lines.
    Source: Helm, releaseutil.SplitManifests.
    """
    start = 0
    for separator in _SEPARATOR.finditer(text):
        if text[start : separator.start()].strip():
            yield start, separator.start()
        start = separator.end()
    if text[start:].strip():
        yield start, len(text)


class _Origins:
    """Moves nodes from their place in a rendered text to what made them."""

    def __init__(self, text: Text, written: str, fallback: Place, sites: tuple[Site, ...]) -> None:
        self.text = written
        # The part that is being moved, and where it begins in the whole text.
        self.source = fallback.source
        self.base = 0
        self.fallback = fallback
        self.pieces = text.pieces or (Piece(len(text), fallback, ()),)
        self.starts: list[int] = []
        offset = 0
        for piece in self.pieces:
            self.starts.append(offset)
            offset += piece.length
        self.sites: list[Place | None] = [None] * len(self.pieces)
        for site in sites:
            for index in range(site.first, min(site.last, len(self.pieces))):
                self.sites[index] = site.mark
        self.moved: set[int] = set()

    def moved_document(self, document: Document, index: int) -> Document:
        """The document with every node at its origin."""
        at = document.comment_start + self.base
        start = self.template_place(at, at + 1)
        self.move(document.root)
        root = document.root
        comment_start = start.span.start if start.source is root.source else root.start
        return Document(index, root, min(comment_start, root.start))

    def moved_problem(self, problem: Problem) -> Problem:
        """The problem at the template that printed the text."""
        related = None if problem.related is None else self._at(problem.related.span)
        return Problem(problem.kind, problem.message, self._at(problem.place.span), related)

    def _at(self, span: Span) -> Place:
        return self.template_place(span.start + self.base, span.end + self.base)

    def move(self, node: Node) -> None:
        """Gives a node, its keys and all below it their origins."""
        value = node.value
        start, end = node.start + self.base, node.end + self.base
        if isinstance(value, dict | list):
            node.source, (node.start, node.end) = self.template_place(start, end)
            if id(value) in self.moved:
                return
            self.moved.add(id(value))
            if isinstance(value, dict):
                for entry in value.values():
                    self._move_once(entry.key)
                    self._move_once(entry.node)
            else:
                for item in value:
                    self._move_once(item)
            return
        self._move_scalar(node, value, start, end)

    def _move_once(self, node: Node) -> None:
        # A merge key brings the same nodes into several mappings.
        if node.source is not self.source:
            return
        self.move(node)

    def _move_scalar(self, node: Node, value: Scalar, start: int, end: int) -> None:
        if node.style == QUOTED and end - start > 2:
            inner = self._covering(start + 1, end - 1)
            first, last = inner if inner[0] == inner[1] and self.pieces[inner[0]].nodes else self._covering(start, end)
        elif node.style == BLOCK:
            # The indicator is the template's, the lines below may be a value.
            body = self.text.find("\n", start, end) + 1 or start
            while body < end and self.text[body] in " \n":
                body += 1
            first, last = self._covering(min(body, max(end - 1, start)), end)
        else:
            first, last = self._covering(start, end)
        if first == last:
            piece = self.pieces[first]
            site = self.sites[first]
            mark = site or piece.mark or self.fallback
            if len(piece.nodes) == 1:
                made_by = piece.nodes[0]
                if _shows(value, made_by):
                    node.source, node.start, node.end, node.style = (
                        made_by.source,
                        made_by.start,
                        made_by.end,
                        made_by.style,
                    )
                    marks = (mark,) if piece.mark is None or piece.mark is mark else (piece.mark, mark)
                    node.via = (*made_by.via, *marks)[-MAX_VIA:]
                    return
            elif not piece.nodes:
                place = self._verbatim(first, start, end)
                if place is not None:
                    node.source, (node.start, node.end) = place
                    node.via = (site,) if site is not None and site.source is not place.source else ()
                    return
                node.source, (node.start, node.end) = piece.mark or mark
                node.via = (site,) if site is not None and piece.mark is not None and site is not piece.mark else ()
                return
        node.source, (node.start, node.end) = self.template_place(start, end)
        node.via = self._values(first, last)

    def _values(self, first: int, last: int) -> tuple[Place, ...]:
        found: dict[Place, None] = {}
        for piece in self.pieces[first : last + 1]:
            for made_by in piece.nodes:
                found[made_by.place] = None
            # Of a value that is a template itself, the part that is printed.
            if not piece.nodes and piece.mark is not None and "templates/" not in piece.mark.source.path:
                found[piece.mark] = None
            if len(found) >= MAX_VIA:
                break
        return tuple(found)[:MAX_VIA]

    def _covering(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last piece that a part of the text lies in."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        return first, max(bisect_right(self.starts, max(end - 1, start)) - 1, first)

    def _verbatim(self, index: int, start: int, end: int) -> Place | None:
        """The place of a part that the template holds as it stands."""
        piece = self.pieces[index]
        mark = piece.mark
        if mark is None or piece.nodes or mark.span.end - mark.span.start != piece.length:
            return None
        left = mark.span.start + start - self.starts[index]
        right = left + end - start
        if mark.source.text[left:right] != self.text[start:end]:
            return None
        return Place(mark.source, Span(left, right))

    def template_place(self, start: int, end: int) -> Place:
        """The part of the template that printed a part of the text; of several templates, the first one's."""
        first, last = self._covering(start, end)
        head = self._edge(first, start, min(end, self.starts[first] + self.pieces[first].length))
        if first == last:
            return head
        tail = self._edge(last, max(start, self.starts[last]), end)
        index = last
        while tail.source is not head.source and index > first:
            index -= 1
            tail = self._edge(index, max(start, self.starts[index]), self.starts[index] + self.pieces[index].length)
        return Place(head.source, Span(min(head.span.start, tail.span.start), max(head.span.end, tail.span.end)))

    def _edge(self, index: int, start: int, end: int) -> Place:
        site = self.sites[index]
        if site is not None:
            return site
        return self._verbatim(index, start, max(end, start)) or self.pieces[index].mark or self.fallback


def _shows(value: Scalar, node: Node) -> bool:
    """Whether the scalar is the node's value, however it is quoted."""
    return _plain(value) == _plain(node.value)


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
