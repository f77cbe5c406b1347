"""Regular expressions: RE2's syntax by way of Python's `re`, bounded against backtracking."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import LimitReached, NilList, TextList, Value

from .strings import part

MAX_SUBJECT = 200_000
MAX_WORK = 50_000_000_000
MAX_NESTED_SUBJECT = 64
MAX_REPEATED_SUBJECT = 512

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_NAMED_CLASS = re.compile(r"\[:(\w+):\]")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|.", re.DOTALL)
_QUANTIFIER = re.compile(r"[*+]|\{\d+,\}|\{\d+(?:,\d+)?\}")


def compiled(pattern: str, subject: str) -> re.Pattern[str]:
    """The pattern for Python. Raises LimitReached where matching it could take longer than reading the subject."""

    multiline = "(?m" in pattern

    def rewritten(match: re.Match[str]) -> str:
        atom = match[0]
        if atom[0] == "[":
            return _NAMED_CLASS.sub(lambda named: _CLASSES.get(named[1], named[0]), atom)
        return r"\Z" if atom == r"\z" or (atom == "$" and not multiline) else atom

    _bound_work(pattern, subject)
    return re.compile(_ATOM.sub(rewritten, pattern), re.ASCII)


def _bound_work(pattern: str, subject: str) -> None:
    if len(subject) > MAX_SUBJECT or len(pattern) > 10_000:
        raise LimitReached("a regular expression is applied to a text that is too long")
    unbounded, nested = 0, False
    groups: list[int] = []
    last = 0
    position = 0
    while position < len(pattern):
        quantifier = _QUANTIFIER.match(pattern, position)
        if quantifier and position:
            if (
                quantifier[0] in "*+"
                or quantifier[0].endswith(",}")
                or int(re.findall(r"\d+", quantifier[0])[-1]) > 100
            ):
                nested = nested or last > 0
                unbounded += 1
                last = 1
            position = quantifier.end()
            continue
        atom = _ATOM.match(pattern, position)
        assert atom is not None
        if atom[0] == "(":
            groups.append(unbounded)
        elif atom[0] == ")" and groups:
            last = unbounded - groups.pop()
        elif atom[0] != "?":
            last = 0
        position = atom.end()
    # A group that is opened by a sign of its own, as in versions and host names, cannot be read in two ways.
    if nested and len(subject) > MAX_NESTED_SUBJECT:
        raise LimitReached("a regular expression repeats a group that itself repeats: matching it could take forever")
    if unbounded > 1 and len(subject) > MAX_REPEATED_SUBJECT and len(subject) ** min(unbounded, 3) > MAX_WORK:
        raise LimitReached("a regular expression with many repetitions is applied to a long text")


_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")


def _replacement(template: str, match: re.Match[str]) -> str:
    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return match[int(name)] or "" if name.isdigit() else match[name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(group, template)


def _matches(pattern: str, text: str) -> Iterator[re.Match[str]]:
    """The matches one after the other; unlike Python, Go takes no empty one right behind another."""
    last = -1
    for match in compiled(pattern, text).finditer(text):
        if match.end() > match.start() or match.start() != last:
            yield match
        last = match.end()


def _replaced(pattern: str, text: str, replacement: Callable[[re.Match[str]], str]) -> str:
    parts: list[str] = []
    start = 0
    for match in _matches(pattern, text):
        parts += (text[start : match.start()], replacement(match))
        start = match.end()
    return "".join((*parts, text[start:])) if parts else text


def _find_all(pattern: str, text: str, most: int) -> list[Value]:
    found = TextList()
    for match in _matches(pattern, text):
        if 0 <= most <= len(found):
            break
        found.append(part(text, match.start(), match.end()))
    return found or NilList()


def _find(pattern: str, text: str) -> str:
    match = compiled(pattern, text).search(text)
    return part(text, match.start(), match.end()) if match else ""


def _replace_all(pattern: str, text: str, template: str) -> str:
    return _replaced(pattern, text, lambda match: _replacement(template, match))


def _replace_literally(pattern: str, text: str, replacement: str) -> str:
    return _replaced(pattern, text, lambda match: replacement)


def _split(pattern: str, text: str, most: int) -> list[Value]:
    if most == 0:
        return NilList()
    parts: list[Value] = []
    start = 0
    for match in _matches(pattern, text):
        if most > 0 and len(parts) == most - 1:
            break
        if match.end() == match.start() and match.start() in (0, len(text)):
            continue
        parts.append(part(text, start, match.start()))
        start = match.end()
    return TextList([*parts, part(text, start, len(text))])


def functions() -> Registry:
    """Regular expressions, each under its `must` name too."""
    named: Registry = {
        "regexMatch": Builtin(lambda pattern, text: compiled(pattern, text).search(text) is not None, "ss"),
        "regexFind": Builtin(_find, "ss"),
        "regexFindAll": Builtin(_find_all, "ssi"),
        "regexReplaceAll": Builtin(_replace_all, "sss", derives=True),
        "regexReplaceAllLiteral": Builtin(_replace_literally, "sss", derives=True),
        "regexSplit": Builtin(_split, "ssi"),
    }
    must = {f"must{name[0].upper()}{name[1:]}": function for name, function in named.items()}
    return {
        **named,
        **must,
        "regexQuoteMeta": Builtin(lambda text: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text), "s"),
    }
