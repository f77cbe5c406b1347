"""Ignores in comments: `# k8snetlint: ignore[SVC005] reason`, `ignore-document[...]`, `ignore-file[...]`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.source.edit import Edit
from k8snetlint.source.parse import parse
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import PLAIN, Document, Node

from .directive import Directive

_MARKER = "k8snetlint:"
_COMMENT = re.compile(
    r"(?:(?:(?<=[ \t])|^)#|(?P<action>\{\{(?:-[ \t]+)?/\*))[ \t]*k8snetlint:[ \t]*"
    r"(?P<word>[\w-]*)[ \t]*(?P<list>\[[^\]\r\n]*\])?[ \t]*(?P<reason>(?:(?!\*/)[^\r\n])*)"
    r"(?P<close>(?(action)\*/(?:[ \t]+-)?\}\}))",
    re.MULTILINE,
)
_ACTION = r"\{\{[^\r\n]*\}\}[ \t]*"
_NOTHING = re.compile(rf"(?:[ \t]*(?:#[^\r\n]*|---[ \t]*(?:#[^\r\n]*)?|{_ACTION})?(?:\r\n|\r|\n))*[ \t]*\Z")
# Actions of templates that print nothing themselves.
_CONTROL = re.compile(r"\{\{(?:-[ \t]+)?[ \t]*(?:(?:if|else|end|with|range|define|block)\b|/\*|\$\w+[ \t]*:?=)")
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


def read_comments(source: SourceFile) -> Iterator[Directive]:
    """The ignores in a file's comments. What looks like one within a string is none."""
    text = source.text
    if _MARKER not in text:
        return
    reader: _Reader | None = None
    for match in _COMMENT.finditer(text):
        reader = reader or _Reader(source)
        if not reader.is_in_string(match.start()):
            yield reader.directive(match)


def places_of(diagnostic: Diagnostic) -> tuple[Place, ...]:
    """Where a comment may stand that is about a diagnostic: at its place, and wherever what stands there was made."""
    return (diagnostic.primary.place, *diagnostic.primary.via)


class _Reader:
    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.documents = parse(source).documents
        self.strings = sorted(
            (node.start, node.end)
            for document in self.documents
            for _, node in document.root.walk()
            if isinstance(node.value, str) and node.style != PLAIN
        )

    def is_in_string(self, offset: int) -> bool:
        """Whether an offset lies in a quoted or block scalar."""
        return any(start <= offset < end for start, end in self.strings)

    def directive(self, match: re.Match[str]) -> Directive:
        """The ignore that a comment is."""
        source = self.source
        end = match.end("list") if match["list"] is not None else match.end("word")
        place = Place(source, Span(match.start(), end))
        selectors = tuple(part.strip() for part in (match["list"] or "")[1:-1].split(",") if part.strip())
        reason = match["reason"].strip().strip(":- ") or None
        scope: Span | None = None
        problem: tuple[str, str] | None = None
        word = match["word"]
        if word not in ("ignore", "ignore-document", "ignore-file"):
            words = "`ignore[...]`, `ignore-document[...]` or `ignore-file[...]`"
            problem = (f"`{word}` is nothing that a k8snetlint comment can say", f"write {words}")
        elif not selectors:
            problem = ("this ignore names no rule, so it does nothing", f"write for example `{word}[SVC005]`")
        elif word == "ignore":
            scope = self._value_span(match.start(), match.end())
        elif word == "ignore-file":
            scope = Span(0, len(source.text) + 1)
            if not _NOTHING.match(source.text[: self._line(match.start()).start]) or not self._is_alone(match.start()):
                problem = (
                    "this ignore-file does nothing: it stands below the top of the file",
                    "move it before the first document",
                )
        else:
            scope = self._document_span(match.start())
            if scope is None:
                problem = (
                    "this ignore-document does nothing: it stands below the first line of its document",
                    "move it before the document's first key",
                )

        def is_covered(diagnostic: Diagnostic) -> bool:
            return scope is not None and any(
                place.source is source and scope.start <= place.span.start < scope.end
                for place in places_of(diagnostic)
            )

        return Directive(place, selectors, reason, is_covered, problem, self._removal(match))

    def _line(self, offset: int) -> Span:
        return self.source.line_span(self.source.position(offset).line)

    def _is_alone(self, offset: int) -> bool:
        """Whether nothing but blanks stands before a comment on its line."""
        return not self.source.text[self._line(offset).start : offset].strip()

    def _removal(self, match: re.Match[str]) -> Edit:
        source = self.source
        line = source.position(match.start()).line
        if not self._is_alone(match.start()):
            before = source.text[self._line(match.start()).start : match.start()]
            return Edit(source, Span(match.start() - (len(before) - len(before.rstrip())), match.end()), "")
        starts = source.line_starts
        end = starts[line] if line < len(starts) else len(source.text)
        return Edit(source, Span(starts[line - 1], end), "")

    def _value_span(self, offset: int, end: int) -> Span:
        """What an `ignore` covers: its line, or the value of the key or the item below where it stands alone."""
        line = self._line(offset)
        text = self.source.text
        if not self._is_alone(offset) or text[end : line.end].strip():
            return Span(line.start, line.end + 1)
        number = self.source.position(offset).line
        while number < len(self.source.line_starts):
            number += 1
            below = self.source.line_span(number)
            content = text[below.start : below.end].lstrip(" \t")
            if content and not content.startswith("#") and not _CONTROL.match(content):
                start = below.end - len(content)
                return self._span_from(start, below.end)
        return Span(line.start, line.end + 1)

    def _span_from(self, start: int, line_end: int) -> Span:
        """The extent of the outermost key or item that begins on a line at an offset; else the rest of the line."""
        is_item = self.source.text.startswith("-", start)
        for document in self.documents:
            if not document.root.start <= line_end:
                continue
            for _, node in document.root.walk():
                found = _item_from(node, start, line_end) if is_item else _entry_from(node, start)
                if found is not None:
                    return Span(start, max(found, line_end) + 1)
        if "{{" in self.source.text:
            return self._indented_span(start, line_end)
        return Span(start, line_end + 1)

    def _indented_span(self, start: int, line_end: int) -> Span:
        """The extent of what begins on a line of a template: the lines below that are indented further."""
        source = self.source
        number = source.position(start).line
        column = start - self._line(start).start
        is_key = source.text[start:line_end].rstrip().endswith(":")
        end = line_end
        while number < len(source.line_starts):
            number += 1
            below = source.line_span(number)
            content = source.text[below.start : below.end].lstrip(" \t")
            indent = below.end - len(content) - below.start
            is_own_item = is_key and indent == column and content.startswith("- ")
            if content and not content.startswith("{{") and indent <= column and not is_own_item:
                break
            end = below.end
        return Span(start, end + 1)

    def _document_span(self, offset: int) -> Span | None:
        """The extent of the document at whose beginning an offset lies."""
        for document in self.documents:
            first_line = self._line(document.root.start)
            if self._beginning(document) <= offset <= max(first_line.end, document.root.start):
                return Span(document.comment_start, document.root.end + 1)
        text = self.source.text
        if "{{" not in text:
            return None
        # A template may be no YAML: its documents lie between the separators.
        ends = [match.start() for match in _SEPARATOR.finditer(text)]
        start = max((end for end in ends if end <= offset), default=0)
        end = min((end for end in ends if end > offset), default=len(text))
        return Span(start, end + 1) if _NOTHING.match(text[start : self._line(offset).start]) else None

    def _beginning(self, document: Document) -> int:
        return self._line(document.comment_start).start


def _entry_from(node: Node, start: int) -> int | None:
    for entry in node.entries.values():
        if entry.key.start == start:
            return max(entry.node.end, entry.key.end)
    return None


def _item_from(node: Node, start: int, line_end: int) -> int | None:
    # The item's own span begins behind its dash.
    if node.is_sequence and node.start <= start:
        for item in node.items:
            if start < item.start <= line_end:
                return item.end
    return None
