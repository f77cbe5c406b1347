"""TOML as charts write it into configuration files."""

from __future__ import annotations

import re

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import MAX_TEXT, LimitReached, Struct, Value, float_text

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_TO_ESCAPE = re.compile(r'[\x00-\x1f\x7f"\\]')


def to_toml(value: Value) -> str:
    """A value as the TOML library that Helm uses writes it: keys in order, plain values before tables.

    Raises ValueError for what TOML cannot hold.
    """
    parts: list[str] = []
    if isinstance(value, dict):
        _Writer(parts).table(value, ())
    else:
        parts.append(_inline(value))
    return "".join(parts)


class _Writer:
    def __init__(self, parts: list[str]) -> None:
        self.parts = parts
        self.size = 0

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)
        if self.size > MAX_TEXT:
            raise LimitReached("a value printed as TOML is longer than any manifest")

    def table(self, value: dict[str, Value], path: tuple[str, ...]) -> None:
        pad = "  " * (len(path) - 1)
        inner = "  " * len(path)
        if len(path) == 1:
            self.add("\n" if self.parts else "")
        if path:
            self.add(f"{pad}[{_dotted(path)}]\n")
        self.entries(value, path, inner)

    def entries(self, value: dict[str, Value], path: tuple[str, ...], pad: str) -> None:
        names = [name for name in sorted(value) if value[name] is not None]
        for name in names:
            item = value[name]
            if not isinstance(item, dict) and not _is_tables(item):
                self.add(f"{pad}{_key(name)} = {_inline(item)}\n")
        for name in names:
            item = value[name]
            if isinstance(item, dict):
                self.table(item, (*path, name))
            elif isinstance(item, list) and _is_tables(item):
                for each in item:
                    assert isinstance(each, dict)
                    self.add("\n" if self.parts else "")
                    self.add(f"{pad}[[{_dotted((*path, name))}]]\n")
                    self.entries(each, (*path, name), pad + "  ")


def _is_tables(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(map(_key, path))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return '"' + _TO_ESCAPE.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"


def _inline(value: Value) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_key(name)} = {_inline(value[name])}" for name in sorted(value) if value[name] is not None)
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, Struct) and value.printed:
        return _quoted(value.printed)
    raise ValueError("TOML has no null")


def _float(number: float) -> str:
    if number != number:
        return "nan"
    if number in (float("inf"), float("-inf")):
        return "inf" if number > 0 else "-inf"
    text = float_text(number)
    return text if "." in text or "e" in text else f"{text}.0"


def functions() -> Registry:
    """Functions that write TOML."""
    return {"toToml": Builtin(_to_toml, "a"), "mustToToml": Builtin(to_toml, "a")}


def _to_toml(value: Value) -> str:
    try:
        return to_toml(value)
    except ValueError as error:
        return str(error)
