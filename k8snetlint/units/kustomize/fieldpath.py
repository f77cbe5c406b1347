"""Dotted paths of replacements and variables: `spec.containers.[name=web].image`, `spec.rules.*.host`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from k8snetlint.source.text import Place
from k8snetlint.source.tree import Entry, Node

from .nodes import copied, made

_STEP = re.compile(r"\[([^\]]*)\]|((?:\\.|[^.\\\[])+)|\.")
_LONGEST_PATH = 1000


class FieldPathError(Exception):
    """A path that cannot be followed."""


class Step(NamedTuple):
    """One step of a path: a name, the number of an item, `*`, or the items with a field of some value."""

    name: str
    field: str | None = None


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path. Raises FieldPathError if it has none or is too long."""
    steps: list[Step] = []
    for match in _STEP.finditer(path[: _LONGEST_PATH + 1]):
        if match[1] is not None:
            field, separator, value = match[1].partition("=")
            steps.append(Step(value, field) if separator else Step(match[1]))
        elif match[2] is not None:
            steps.append(Step(re.sub(r"\\(.)", r"\1", match[2])))
    if not steps or len(path) > _LONGEST_PATH:
        raise FieldPathError(f"`{path[:60]}` is no path of a field")
    return tuple(steps)


def found_at(node: Node, steps: tuple[Step, ...]) -> list[Node]:
    """The values at a path."""
    if not steps:
        return [node]
    return [value for child in _children(node, steps[0]) for value in found_at(child, steps[1:])]


def _children(node: Node, step: Step) -> list[Node]:
    if step.name == "*" and step.field is None:
        return [entry.node for entry in node.entries.values()] or node.items
    if node.is_mapping:
        entry = node.entries.get(step.name) if step.field is None else None
        return [entry.node] if entry is not None else []
    return [item for index, item in enumerate(node.items) if _is_meant(item, index, step)]


def _is_meant(item: Node, index: int, step: Step) -> bool:
    if step.field is not None:
        if not step.field:
            return str(item.value) == step.name
        field = item.get(*step.field.split("."))
        return field is not None and _text(field) == step.name
    return (step.name == "*") or (step.name.isdecimal() and int(step.name) == index)


def _text(node: Node) -> str:
    value = node.value
    return value if isinstance(value, str) else node.place.text


def changed_at(
    node: Node, steps: tuple[Step, ...], change: Callable[[Node | None], Node], place: Place, create: bool
) -> tuple[Node, int]:
    """The node with the values at a path changed, and how many they were."""
    if not steps:
        return change(node), 1
    step = steps[0]
    if node.is_mapping and step.name != "*" and step.field is None:
        return _changed_entry(node, steps, change, place, create)
    count = 0
    if node.is_mapping and step.name == "*" and step.field is None:
        entries = dict(node.entries)
        for name, entry in node.entries.items():
            new, changes = changed_at(entry.node, steps[1:], change, place, create)
            entries[name] = Entry(entry.key, new)
            count += changes
        return (copied(node, entries), count) if count else (node, 0)
    if not node.is_sequence:
        return node, 0
    items = list(node.items)
    for index, item in enumerate(node.items):
        if _is_meant(item, index, step):
            items[index], changes = changed_at(item, steps[1:], change, place, create)
            count += changes
    if not count and create and step.field:
        item = made({step.field: Entry(made(step.field, place), made(step.name, place))}, place)
        item, count = changed_at(item, steps[1:], change, place, create)
        items.append(item)
    return (copied(node, items), count) if count else (node, 0)


def _changed_entry(
    node: Node, steps: tuple[Step, ...], change: Callable[[Node | None], Node], place: Place, create: bool
) -> tuple[Node, int]:
    name = steps[0].name
    entry = node.entries.get(name)
    if entry is None:
        if not create:
            return node, 0
        if len(steps) == 1:
            new, count = change(None), 1
        else:
            is_list = steps[1].field is not None
            new, count = changed_at(made([] if is_list else {}, place), steps[1:], change, place, create)
        key = made(name, place)
    else:
        key = entry.key
        new, count = changed_at(entry.node, steps[1:], change, place, create)
    return (copied(node, {**node.entries, name: Entry(key, new)}), count) if count else (node, 0)
