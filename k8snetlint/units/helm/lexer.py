"""The tokens of Go's text/template: text, and what stands between `{{` and `}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Kinds of tokens. Space counts inside actions: `(a).b` is a field of a, `(a) .b` two arguments.
TEXT, OPEN, CLOSE, SPACE, FIELD, DOT, VARIABLE, WORD, STRING, NUMBER, CHARACTER, SIGN = (
    "text",
    "open",
    "close",
    "space",
    "field",
    "dot",
    "variable",
    "word",
    "string",
    "number",
    "character",
    "sign",
)

_SPACES = " \t\r\n"
_COMMENT = re.compile(r"\{\{(?P<left>-[ \t\r\n]+)?/\*(?:[^*]|\*(?!/))*\*/(?P<right>[ \t\r\n]+-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""
    (?P<close>[ \t\r\n]+-\}\}|\}\})
    |(?P<space>[ \t\r\n]+)
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9]+)?|0[bB][01_]+|0[oO][0-7_]+
        |(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)(?!\w))
    |(?P<field>\.[^\W\d]\w*)
    |(?P<dot>\.)
    |(?P<variable>\$\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<string>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)
    |(?P<character>'(?:[^'\\\n]|\\[^\n])+')
    |(?P<sign>:=|[=|(),])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A token and where it stands: `start` and `end` are offsets into the template's text.

    `text` is the token as written; of `TEXT` it is what is left after trim markers took their spaces.
    """

    kind: str
    text: str
    start: int
    end: int


class TemplateSyntaxError(Exception):
    """The text is no template; `offset` is where that shows."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a template.

    Raises TemplateSyntaxError when it gets to an action that is not closed or to a character that no token begins with.
    """
    offset, trims = 0, False
    while True:
        opening = text.find("{{", offset)
        end = len(text) if opening < 0 else opening
        start, stop = offset, end
        if trims:
            while start < stop and text[start] in _SPACES:
                start += 1
        if (
            opening >= 0
            and text[opening + 2 : opening + 3] == "-"
            and text[opening + 3 : opening + 4] in tuple(_SPACES)
        ):
            while stop > start and text[stop - 1] in _SPACES:
                stop -= 1
        if stop > start:
            yield Token(TEXT, text[start:stop], start, stop)
        if opening < 0:
            return
        comment = _COMMENT.match(text, opening)
        if comment is not None:
            offset, trims = comment.end(), comment["right"] is not None
            continue
        yield Token(OPEN, "{{", opening, opening + 2)
        offset = opening + 2
        if text[offset : offset + 1] == "-" and text[offset + 1 : offset + 2] in tuple(_SPACES):
            offset += 2
        if text.startswith("/*", offset) or (text[offset : offset + 3].strip() and _is_comment(text, offset)):
            raise TemplateSyntaxError("comment is not closed, or something follows it before `}}`", opening)
        while True:
            match = _TOKEN.match(text, offset)
            if match is None:
                raise _broken(text, opening, offset)
            kind = match.lastgroup or ""
            yield Token(kind, match[0], offset, match.end())
            offset = match.end()
            if kind == CLOSE:
                trims = match[0] != "}}"
                break


def _is_comment(text: str, offset: int) -> bool:
    while text[offset : offset + 1] in tuple(_SPACES):
        offset += 1
    return text.startswith("/*", offset)


def _broken(text: str, opening: int, offset: int) -> TemplateSyntaxError:
    if offset >= len(text):
        return TemplateSyntaxError("action is not closed by `}}`", opening)
    character = text[offset]
    if character in "\"`'":
        return TemplateSyntaxError(f"{character} has no end", offset)
    return TemplateSyntaxError(f"unexpected {character!r} in action", offset)


_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)


def unquoted(token: Token) -> str:
    """The text that a string or character constant stands for, by Go's escapes."""
    if token.text[0] == "`":
        return token.text[1:-1]
    body = token.text[1:-1]
    if "\\" not in body:
        return body

    def replaced(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code or match[4]:
            number = int(code, 16) if code else int(match[4], 8)
            if number > 0x10FFFF or 0xD800 <= number < 0xE000:
                raise TemplateSyntaxError(f"escape {match[0]} is no character", token.start)
            return chr(number)
        if match[5] not in _ESCAPES:
            raise TemplateSyntaxError(f"unknown escape {match[0]}", token.start)
        return _ESCAPES[match[5]]

    return _ESCAPE.sub(replaced, body)
