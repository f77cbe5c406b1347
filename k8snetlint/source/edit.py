"""Text edits that leave every other byte alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .text import SourceFile, Span


class Edit(NamedTuple):
    """The replacement of a span of a file by a text; the span may be empty."""

    source: SourceFile
    span: Span
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits applied.

    Raises ValueError if two of them overlap: which of them to leave out is the caller's decision.
    """
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        if edit.span.start < done:
            raise ValueError(f"edits overlap at offset {edit.span.start}")
        pieces += (text[done : edit.span.start], edit.text)
        done = edit.span.end
    return "".join([*pieces, text[done:]])
