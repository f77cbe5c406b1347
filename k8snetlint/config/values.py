"""Typed values out of a configuration's nodes; what does not fit is a problem at its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node

from .problem import ConfigProblem

T = TypeVar("T")


class Values:
    """Reads values, and keeps what is wrong with them and where those that are right stand."""

    def __init__(self) -> None:
        self.problems: list[ConfigProblem] = []
        self.origins: dict[str, Place] = {}

    def wrong(self, node: Node, message: str, help_: str | None = None) -> None:
        """Notes a problem at a node."""
        self.problems.append(ConfigProblem(message, node.place, help_))

    def mapping(self, node: Node, where: str, known: Iterable[str]) -> dict[str, Node]:
        """The entries of a mapping that takes certain keys only."""
        if not self._is(node, node.is_mapping, where, "a mapping"):
            return {}
        names = tuple(known)
        result: dict[str, Node] = {}
        for name, entry in node.entries.items():
            if name in names:
                result[name] = entry.node
                continue
            near = difflib.get_close_matches(name.replace("_", "-"), names, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{each}`' for each in names)}"
            self.wrong(entry.key, f"unknown key `{name}` in {where}; {hint}")
        return result

    def named(self, node: Node, where: str) -> dict[str, Node]:
        """The entries of a mapping whose keys are the user's."""
        if not self._is(node, node.is_mapping, where, "a mapping"):
            return {}
        return {name: entry.node for name, entry in node.entries.items()}

    def items(self, node: Node, where: str) -> list[Node]:
        """The items of a list."""
        return node.items if self._is(node, node.is_sequence, where, "a list") else []

    def text(self, node: Node, where: str) -> str | None:
        """A string that is not empty."""
        if not self._is(node, isinstance(node.value, str) and bool(node.value), where, "a string"):
            return None
        return str(node.value)

    def texts(self, node: Node, where: str) -> tuple[str, ...]:
        """A list of strings, or one string alone."""
        if isinstance(node.value, str):
            return (node.value,)
        return tuple(text for item in self.items(node, where) if (text := self.text(item, where)) is not None)

    def flag(self, node: Node, where: str) -> bool:
        """A boolean."""
        return self._is(node, isinstance(node.value, bool), where, "true or false") and bool(node.value)

    def number(self, node: Node, where: str, low: int, high: int) -> int | None:
        """An integer within limits."""
        value = node.value
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        if not self._is(node, fits, where, f"an integer from {low} to {high}"):
            return None
        return value if isinstance(value, int) else None

    def choice(self, node: Node, where: str, choices: Mapping[str, T]) -> T | None:
        """What one of certain words means."""
        value = node.value
        if isinstance(value, str) and value in choices:
            return choices[value]
        near = difflib.get_close_matches(str(value), choices, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"valid are {', '.join(f'`{each}`' for each in choices)}"
        self.wrong(node, f"`{where}` is {_described(node)}; {hint}")
        return None

    def converted(self, node: Node, where: str, what: str, convert: Callable[[str], T]) -> T | None:
        """What a string is converted to; `convert` raises ValueError for what is not `what`."""
        text = self.text(node, where) if isinstance(node.value, str) else str(node.value)
        if text is None:
            return None
        try:
            return convert(text)
        except ValueError:
            self.wrong(node, f"`{where}` is {_described(node)} where {what} is expected")
            return None

    def _is(self, node: Node, fits: bool, where: str, what: str) -> bool:
        if not fits:
            self.wrong(node, f"`{where}` is {_described(node)} where {what} is expected")
        return fits


def _described(node: Node) -> str:
    value = node.value
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    name = {str: "the string", bool: "the boolean", int: "the integer", float: "the number"}[type(value)]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{name} `{text}`"
