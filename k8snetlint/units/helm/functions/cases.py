"""The styles in which names of several words are written."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from k8snetlint.units.helm.runtime import Builtin, Registry

CONNECTOR, PUNCTUATION, NUMBER, UPPER, LOWER, OTHER, NOTHING = range(7)

_CONNECTORS = re.compile(r"[-_\s]+")
_WORD = re.compile(r"[-_\s]+|[^\W\d_]+|\d+|.", re.DOTALL)


class _Word(NamedTuple):
    kind: int
    text: str


def _words(text: str) -> list[_Word]:
    """A text in words of one kind; of the last capital before small letters the next word begins."""
    found: list[_Word] = []
    for match in _WORD.finditer(text):
        run = match[0]
        if not run[0].isalpha():
            kind = _kind(run[0])
            if found and found[-1].kind == kind and kind in (PUNCTUATION, OTHER):
                found[-1] = _Word(kind, found[-1].text + run)
            else:
                found.append(_Word(kind, run))
            continue
        start = 0
        while start < len(run):
            end = start
            while end < len(run) and run[end].isupper():
                end += 1
            if end - start > 1:
                end -= end < len(run)
                found.append(_Word(UPPER, run[start:end]))
                start = end
                continue
            kind = UPPER if end > start else LOWER
            while end < len(run) and not run[end].isupper():
                end += 1
            found.append(_Word(kind, run[start:end]))
            start = end
    return found


def _kind(character: str) -> int:
    if _CONNECTORS.match(character):
        return CONNECTOR
    if character.isnumeric():
        return NUMBER
    return PUNCTUATION if unicodedata.category(character)[0] == "P" else OTHER


def separated(text: str, connector: str) -> str:
    """The words of a text in small letters with a connector between them.

    Numbers keep to the word before them, unless small letters follow: `Bld4Floor3rd` is `bld4_floor_3rd`.
    """
    words = [*_words(text), _Word(NOTHING, "")]
    parts: list[str] = []
    index = 0

    def write(word: _Word) -> None:
        if word.kind == CONNECTOR:
            parts.append(connector * len(word.text))
        else:
            parts.append(word.text.lower() if word.kind == UPPER else word.text)

    def write_run() -> None:
        nonlocal index
        while words[index].kind in (LOWER, NUMBER):
            write(words[index])
            index += 1

    def connect(*besides: int) -> None:
        if words[index].kind not in (CONNECTOR, PUNCTUATION, *besides):
            parts.append(connector)

    while words[index].kind != NOTHING:
        word = words[index]
        write(word)
        index += 1
        following = words[index]
        if word.kind in (CONNECTOR, PUNCTUATION) or following.kind == NOTHING:
            continue
        if word.kind == NUMBER:
            write_run()
            connect(NOTHING)
        elif following.kind != NUMBER:
            connect()
        elif words[index + 1].kind == LOWER:
            parts.append(connector)
            write_run()
            connect(NOTHING)
        elif words[index + 1].kind != NOTHING:
            write(following)
            index += 1
            connect()
    return "".join(parts)


def pascal(text: str) -> str:
    """The words of a text without connectors, each with a capital; of several connectors in a row one goes."""
    parts: list[str] = []
    offset = 0
    for match in [*_CONNECTORS.finditer(text), None]:
        end = match.start() if match else len(text)
        parts.append(_capital(text[offset:end]))
        if match is not None:
            is_inside = match.start() > 0 and match.end() < len(text)
            parts.append(match[0][1:] if is_inside else match[0])
            offset = match.end()
    return "".join(parts)


def _capital(word: str) -> str:
    if not word[:1].isupper():
        return word[:1].upper() + word[1:]
    end = 1
    while end < len(word) and word[end].isupper():
        end += 1
    return word[0] + word[1:end].lower() + word[end:]


def functions() -> Registry:
    """Functions on the case of names."""
    return {
        "snakecase": Builtin(lambda text: separated(text, "_"), "s", derives=True),
        "kebabcase": Builtin(lambda text: separated(text, "-"), "s", derives=True),
        "camelcase": Builtin(pascal, "s", derives=True),
    }
