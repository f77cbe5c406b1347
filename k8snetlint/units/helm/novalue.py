"""Go's mark for a missing value, which Helm takes out of what a template printed."""

from __future__ import annotations

from collections.abc import Iterator

from .provenance import Site
from .runtime import Frame
from .values import NO_VALUE, Piece, Text


def without_no_value(text: Text) -> Text:
    """The text without Go's mark for a missing value, as Helm leaves it out."""
    return _cleared(text, ())[0] if NO_VALUE in text else text


def printed(frame: Frame) -> tuple[Text, tuple[Site, ...]]:
    """What a file printed, as Helm leaves it, and which of its actions printed what."""
    text, sites = frame.text(), tuple(frame.sites)
    return _cleared(text, sites) if NO_VALUE in text else (text, sites)


def _cleared(text: Text, sites: tuple[Site, ...]) -> tuple[Text, tuple[Site, ...]]:
    """The text without the mark; the sites count the pieces that are left."""
    kept = [range(start, end) for start, end in _between(text)]
    pieces: list[Piece] = []
    # The first new piece of each old one.
    moved: list[int] = []
    offset = 0
    for length, mark, origins in text.pieces:
        moved.append(len(pieces))
        for part in kept:
            if part.start >= offset + length:
                break
            left, right = max(offset, part.start), min(offset + length, part.stop)
            if left < right:
                pieces.append(Piece(right - left, mark, origins))
        offset += length
        while kept and kept[0].stop <= offset:
            kept.pop(0)
    moved.append(len(pieces))
    cleared = Text.of(text.replace(NO_VALUE, ""), tuple(pieces))
    return cleared, tuple(Site(moved[first], moved[last], mark) for first, last, mark in sites)


def _between(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while True:
        end = text.find(NO_VALUE, start)
        yield start, len(text) if end < 0 else end
        if end < 0:
            return
        start = end + len(NO_VALUE)
