"""Functions on strings."""

from __future__ import annotations

import re
import textwrap

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import (
    MAX_TEXT,
    UNKNOWN,
    LimitReached,
    Piece,
    Text,
    TextList,
    Value,
    is_unknown,
    text_map,
)

from .formatting import string_of

# What Go's unicode.IsSpace accepts.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def part(text: str, start: int, end: int) -> str:
    """A slice that keeps its origin; offsets as Python's slices take them, not negative."""
    end = min(max(end, 0), len(text))
    start = min(max(start, 0), end)
    if start == 0 and end == len(text):
        return text
    return text.slice(start, end) if isinstance(text, Text) else text[start:end]


def trim(text: str, characters: str = SPACE) -> str:
    """The text without those characters at both ends."""
    start = len(text) - len(text.lstrip(characters))
    return part(text, start, max(len(text.rstrip(characters)), start))


def _trim_all(characters: str, text: str) -> str:
    return trim(text, characters) if characters and not is_unknown(text) else text


def _trim_suffix(suffix: str, text: str) -> str:
    return part(text, 0, len(text) - len(suffix)) if suffix and text.endswith(suffix) else text


def _trim_prefix(prefix: str, text: str) -> str:
    return part(text, len(prefix), len(text)) if text.startswith(prefix) else text


def trunc(count: int, text: str) -> str:
    """The first characters, or the last ones for a negative count; what is unknown stays so."""
    if is_unknown(text):
        return text
    if count < 0 and len(text) + count > 0:
        return part(text, len(text) + count, len(text))
    return part(text, 0, count) if count >= 0 else text


def _substr(start: int, end: int, text: str) -> str:
    if is_unknown(text):
        return text
    if start < 0:
        return part(text, 0, end)
    return part(text, start, len(text) if end < 0 or end > len(text) else end)


def indent(count: int, text: str) -> str:
    """The text with spaces before each line."""
    breaks = text.count("\n")
    if count < 0:
        raise ValueError("the indentation is negative")
    if len(text) + (breaks + 1) * count > MAX_TEXT:
        raise LimitReached("an indented text is longer than any manifest")
    pad = " " * count
    result = pad + text.replace("\n", "\n" + pad) if breaks else pad + text
    if not isinstance(text, Text):
        return result
    return Text.of(result, _indented(text, count, breaks))


def _indented(text: Text, count: int, breaks: int) -> tuple[Piece, ...]:
    pieces = [Piece(count, None, ())] if count else []
    if not breaks or not count:
        return (*pieces, *text.pieces)
    offset = 0
    for piece in text.pieces:
        end = offset + piece.length
        inside = text.count("\n", offset, end)
        if not inside:
            pieces.append(piece)
        elif piece.nodes:
            pieces.append(Piece(piece.length + inside * count, piece.mark, piece.nodes))
        else:
            start = offset
            while start < end:
                line_end = text.find("\n", start, end) + 1 or end
                pieces.extend(text.slice(start, line_end).pieces if line_end - start < piece.length else (piece,))
                if text[line_end - 1] == "\n":
                    pieces.append(Piece(count, piece.mark, ()))
                start = line_end
        offset = end
    return tuple(pieces)


def _nindent(count: int, text: str) -> str:
    inner = indent(count, text)
    if isinstance(inner, Text):
        return Text.of("\n" + inner, (Piece(1, None, ()), *inner.pieces))
    return "\n" + inner


def _replace(old: str, new: str, text: str) -> str:
    found = text.count(old)
    if len(text) + found * (len(new) - len(old)) > MAX_TEXT:
        raise LimitReached("replacing yields a text that is longer than any manifest")
    return text.replace(old, new) if found else text


def _repeat(count: int, text: str) -> str:
    if count < 0:
        raise ValueError("the count is negative")
    if count * len(text) > MAX_TEXT:
        raise LimitReached(f"`repeat {count}` yields a text that is longer than any manifest")
    return text * count


def strings_of(value: Value) -> list[str]:
    """The strings of a list, without its nils; one value is a list of itself."""
    if isinstance(value, list):
        return [string_of(item) for item in value if item is not None]
    return [] if value is None else [string_of(value)]


def _join(separator: str, value: Value) -> str:
    items = strings_of(value)
    if sum(map(len, items)) + len(separator) * len(items) > MAX_TEXT:
        raise LimitReached("joining yields a text that is longer than any manifest")
    if len(items) == 1:
        return items[0]
    if not any(isinstance(item, Text) for item in items):
        return separator.join(items)
    pieces: list[Piece] = []
    for index, item in enumerate(items):
        if index and separator:
            pieces.append(Piece(len(separator), None, ()))
        pieces.extend(item.pieces if isinstance(item, Text) else (Piece(len(item), None, ()),))
    return Text.of(separator.join(items), tuple(pieces))


def split_text(separator: str, text: str, most: int = -1) -> list[Value]:
    """The parts of a text between separators, each with its origin; the single characters for no separator."""
    if most == 0:
        return []
    if not separator:
        return [part(text, index, index + 1) for index in range(len(text))]
    parts: list[Value] = []
    start = 0
    while most < 0 or len(parts) < most - 1:
        found = text.find(separator, start)
        if found < 0:
            break
        parts.append(part(text, start, found))
        start = found + len(separator)
    parts.append(part(text, start, len(text)))
    return parts


def _numbered(parts: list[Value]) -> dict[str, Value]:
    missing = UNKNOWN if any(UNKNOWN in str(item) for item in parts) else ""
    return text_map({f"_{index}": item for index, item in enumerate(parts)}, missing)


def _title(text: str) -> str:
    return re.sub(r"(?<![\w'])[^\W\d_]", lambda match: match[0].upper(), text)


def _untitle(text: str) -> str:
    return re.sub(r"(^|(?<=\s))\S", lambda match: match[0].lower(), text)


def _initials(text: str) -> str:
    return "".join(word[0] for word in text.split())


def _wrap(width: int, separator: str, text: str, *, breaks_words: bool) -> str:
    return separator.join(textwrap.wrap(text, max(width, 1), break_long_words=breaks_words, break_on_hyphens=False))


def _abbreviation(width: int, text: str) -> str:
    return text if width < 4 or len(text) <= width else text[: width - 3] + "..."


def _abbreviation_both(left: int, right: int, text: str) -> str:
    if right < 4 or (left > 0 and right < 7) or len(text) <= right:
        return text
    left = min(left, len(text))
    if len(text) - left < right - 3:
        left = len(text) - (right - 3)
    if left <= 4:
        return text[: right - 3] + "..."
    if left + right - 3 < len(text):
        return "..." + _abbreviation(right - 3, text[left:])
    return "..." + text[len(text) - (right - 3) :]


def _sorted(value: Value) -> Value:
    return TextList(sorted(strings_of(value)) if value is not None else ["<nil>"])


def functions() -> Registry:
    """Functions on strings."""
    return {
        "trim": Builtin(trim, "s"),
        "trimAll": Builtin(_trim_all, "ss"),
        "trimall": Builtin(_trim_all, "ss"),
        "trimSuffix": Builtin(_trim_suffix, "ss"),
        "trimPrefix": Builtin(_trim_prefix, "ss"),
        "trunc": Builtin(trunc, "is"),
        "substr": Builtin(_substr, "iis"),
        "indent": Builtin(indent, "is"),
        "nindent": Builtin(_nindent, "is"),
        "replace": Builtin(_replace, "sss", derives=True),
        "repeat": Builtin(_repeat, "is", derives=True),
        "upper": Builtin(str.upper, "s", derives=True),
        "lower": Builtin(str.lower, "s", derives=True),
        "title": Builtin(_title, "s", derives=True),
        "untitle": Builtin(_untitle, "s", derives=True),
        "swapcase": Builtin(str.swapcase, "s", derives=True),
        "nospace": Builtin(lambda text: "".join(text.split()), "s", derives=True),
        "initials": Builtin(_initials, "s", derives=True),
        "plural": Builtin(lambda one, many, count: one if count == 1 else many, "ssi"),
        "wrap": Builtin(lambda width, text: _wrap(width, "\n", text, breaks_words=False), "is", derives=True),
        "wrapWith": Builtin(
            lambda width, separator, text: _wrap(width, separator, text, breaks_words=True), "iss", derives=True
        ),
        "abbrev": Builtin(_abbreviation, "is", derives=True),
        "abbrevboth": Builtin(_abbreviation_both, "iis", derives=True),
        "contains": Builtin(lambda needle, text: needle in text, "ss"),
        "hasPrefix": Builtin(lambda prefix, text: text.startswith(prefix), "ss"),
        "hasSuffix": Builtin(lambda suffix, text: text.endswith(suffix), "ss"),
        "join": Builtin(_join, "sa"),
        "split": Builtin(lambda separator, text: _numbered(split_text(separator, text)), "ss"),
        "splitn": Builtin(lambda separator, most, text: _numbered(split_text(separator, text, most)), "sis"),
        "splitList": Builtin(lambda separator, text: TextList(split_text(separator, text)), "ss"),
        "toStrings": Builtin(lambda value: TextList(strings_of(value)), "a"),
        "sortAlpha": Builtin(_sorted, "a"),
        "hello": Builtin(lambda: "Hello!", ""),
    }
