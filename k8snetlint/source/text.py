"""Source files as text, and the arithmetic of positions in them."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of code points in a source file's text."""

    start: int
    end: int


class Position(NamedTuple):
    """A 1-based line and column, counted in code points."""

    line: int
    column: int


class SourceFile:
    """The text of one input and the path it was read from.

    `path` is what the user is shown: relative to the working directory, with `/` between; `-` for standard input.
    Compared by identity: two files of equal text are two places.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    def __repr__(self) -> str:
        return f"SourceFile({self.path!r})"

    @cached_property
    def line_starts(self) -> list[int]:
        """Offsets at which the lines begin; LF, CRLF and a lone CR end a line."""
        text = self.text
        starts = [0]
        if "\r" not in text:
            find = text.find
            offset = find("\n")
            while offset >= 0:
                starts.append(offset + 1)
                offset = find("\n", offset + 1)
            return starts
        for offset, character in enumerate(text):
            if character == "\n" or (character == "\r" and text[offset + 1 : offset + 2] != "\n"):
                starts.append(offset + 1)
        return starts

    def position(self, offset: int) -> Position:
        """The line and column of a code point offset."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line_span(self, line: int) -> Span:
        """The extent of a 1-based line without its line ending."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return Span(start, end)

    def line(self, line: int) -> str:
        """The text of a 1-based line without its line ending."""
        span = self.line_span(line)
        return self.text[span.start : span.end]


class Place(NamedTuple):
    """A span together with the file that it lies in."""

    source: SourceFile
    span: Span

    @property
    def text(self) -> str:
        """The text that stands at the place."""
        return self.source.text[self.span.start : self.span.end]
