"""Code frames: lines of a file with labelled underlines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from k8snetlint.diagnostic import Location

from .escape import terminal
from .style import Style

_TAB = 4
_CUT = "…"


class _Mark(NamedTuple):
    line: int
    start: int
    end: int
    label: str
    is_primary: bool


def frame(primary: Location, related: Sequence[Location], gutter: int, width: int, style: Style) -> list[str]:
    """The lines of a frame: the primary location, then the related ones, those of one file together.

    `gutter` is the number of columns that line numbers take.
    """
    rows: list[str] = []
    source = primary.place.source
    together = [location for location in related if location.place.source is source]
    rows += _block("-->", [(primary, True), *((each, False) for each in together)], gutter, width, style)
    elsewhere: dict[str, list[Location]] = {}
    for location in related:
        if location.place.source is not source:
            elsewhere.setdefault(location.place.source.path, []).append(location)
    for path in sorted(elsewhere):
        rows += _block(":::", [(each, False) for each in elsewhere[path]], gutter, width, style)
    rows.append(style.dim(" " * gutter + " |"))
    return rows


def gutter_width(locations: Sequence[Location]) -> int:
    """The columns that the line numbers of locations take."""
    return max(len(str(location.place.source.position(location.place.span.start).line)) for location in locations)


def _mark(location: Location, is_primary: bool) -> _Mark:
    source, span = location.place
    start = source.position(span.start)
    line_end = source.line_span(start.line).end
    line_start = source.line_starts[start.line - 1]
    end = min(max(span.end, span.start), max(line_end, span.start))
    return _Mark(start.line, span.start - line_start, end - line_start, location.label or "", is_primary)


def _block(arrow: str, locations: list[tuple[Location, bool]], gutter: int, width: int, style: Style) -> list[str]:
    first = locations[0][0].place
    source = first.source
    position = source.position(first.span.start)
    bar = style.dim(" " * gutter + " |")
    place = f"{terminal(source.path)}:{position.line}:{position.column}"
    rows = [f"{' ' * gutter}{style.dim(arrow)} {place}"]
    if not source.text:
        return rows
    rows.append(bar)
    by_line: dict[int, list[_Mark]] = {}
    for location, is_primary in locations:
        mark = _mark(location, is_primary)
        by_line.setdefault(mark.line, []).append(mark)
    previous = 0
    for line in sorted(by_line):
        if previous and line == previous + 2:
            rows.append(_source_row(line - 1, source.line(line - 1), gutter, width, style))
        elif previous and line > previous + 2:
            rows.append(style.dim("..."))
        rows += _marked_rows(line, source.line(line), by_line[line], gutter, width, style)
        previous = line
    return rows


def _source_row(number: int, text: str, gutter: int, width: int, style: Style) -> str:
    cells, _ = _cells(text)
    shown = _window(cells, 0, max(width - gutter - 3, 20))[0]
    return f"{style.dim(f'{number:>{gutter}} |')} {shown}".rstrip()


def _marked_rows(number: int, text: str, marks: list[_Mark], gutter: int, width: int, style: Style) -> list[str]:
    cells, offsets = _cells(text)
    primary = next((mark for mark in marks if mark.is_primary), marks[0])
    room = max(width - gutter - 3, 20)
    shown, cut_before, shift = _window(cells, offsets[min(primary.start, len(text))], room)
    rows = [f"{style.dim(f'{number:>{gutter}} |')} {shown}".rstrip()]
    seen: set[_Mark] = set()
    for mark in sorted(marks, key=lambda mark: (mark.start, not mark.is_primary, mark.end)):
        if mark in seen:
            continue
        seen.add(mark)
        column = offsets[min(mark.start, len(text))] - cut_before + shift
        length = max(offsets[min(mark.end, len(text))] - offsets[min(mark.start, len(text))], 1)
        if column < shift or column > room:
            column, length = (0 if column < shift else room - 1), 1
        length = min(length, max(room - column, 1))
        underline = ("^" if mark.is_primary else "-") * length
        label = f" {terminal(mark.label)}" if mark.label else ""
        painted = style.primary(underline + label) if mark.is_primary else style.related(underline + label)
        rows.append(f"{style.dim(' ' * gutter + ' |')} {' ' * column}{painted}")
    return rows


def _cells(text: str) -> tuple[list[str], list[int]]:
    """What is shown for a line, a string for each column, and the column at which each code point begins.

    A wide character takes two columns, the second of them empty; a combining one none of its own.
    """
    if text.isascii() and text.isprintable():
        return list(text), list(range(len(text) + 1))
    cells: list[str] = []
    offsets: list[int] = []
    for character in text:
        offsets.append(len(cells))
        if character == "\t":
            cells += " " * (_TAB - len(cells) % _TAB)
        elif unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
            offsets[-1] = max(len(cells) - 1, 0)
            if cells:
                at = len(cells) - (2 if cells[-1] == "" and len(cells) > 1 else 1)
                cells[at] += character
        elif not character.isprintable():
            cells += terminal(character)
        elif unicodedata.east_asian_width(character) in "WF":
            cells += [character, ""]
        else:
            cells.append(character)
    offsets.append(len(cells))
    return cells, offsets


def _window(cells: list[str], focus: int, room: int) -> tuple[str, int, int]:
    """The part of a line around a column that fits in the room, how much is cut before it, and by how much it moves."""
    if len(cells) <= room:
        return "".join(cells), 0, 0
    start = 0 if focus < room * 3 // 4 else focus - room // 3
    start = min(start, len(cells) - room + 1) if start else 0
    if start and cells[start] == "":
        start += 1
    before = _CUT if start else ""
    end = start + room - len(before)
    after = _CUT if end < len(cells) else ""
    if after:
        end -= 1
        if cells[end] == "":
            end -= 1
    return before + "".join(cells[start:end]) + after, start, len(before)
