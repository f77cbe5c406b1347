"""Single values set by a path such as `ingress.hosts[0].name`, as Helm's `--set` has it."""

from __future__ import annotations

import re

from k8snetlint.source.tree import PLAIN, Entry, Node, Scalar

_MAX_INDEX = 10_000
_STEP = re.compile(r"(?P<key>(?:\\.|[^\\.\[\]])+)|\[(?P<index>\d{1,5})\]|(?P<dot>\.)", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


def steps_of(path: str) -> tuple[str | int, ...]:
    """The keys and indices of a path. A backslash takes the meaning from a dot. Raises ValueError if it is none."""
    steps: list[str | int] = []
    offset = 0
    while offset < len(path):
        match = _STEP.match(path, offset)
        if match is None or (match["index"] is not None and int(match["index"]) > _MAX_INDEX):
            raise ValueError(path)
        if match["key"] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", match["key"]))
        elif match["index"] is not None:
            steps.append(int(match["index"]))
        offset = match.end()
    if not steps or isinstance(steps[0], int):
        raise ValueError(path)
    return tuple(steps)


def typed(node: Node) -> Node:
    """The scalar that the text of a node means: a boolean, null or a whole number; a list in braces; else the text."""
    text = node.value
    if not isinstance(text, str):
        return node
    if text.startswith("{") and text.endswith("}"):
        items = [typed(_with(node, part.strip())) for part in text[1:-1].split(",")] if text != "{}" else []
        return Node(items, node.start, node.end, node.source, node.style, node.via)
    if text in _WORDS:
        return _with(node, _WORDS[text])
    return _with(node, int(text)) if _NUMBER.fullmatch(text) else node


def assigned(root: Node | None, steps: tuple[str | int, ...], leaf: Node) -> Node:
    """A mapping with the value at a path set; what is on the way and not there is made at the leaf's place."""
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = list(root.items) if root is not None else []
        items += [_with(leaf, None) for _ in range(step + 1 - len(items))]
        items[step] = assigned(items[step], rest, leaf) if rest else leaf
        return _like(root, leaf, items)
    entries = dict(root.entries) if root is not None else {}
    old = entries.get(step)
    value = assigned(old.node if old is not None else None, rest, leaf) if rest else leaf
    entries[step] = Entry(old.key if old is not None else _with(leaf, step), value)
    return _like(root, leaf, entries)


def _with(node: Node, value: Scalar) -> Node:
    return Node(value, node.start, node.end, node.source, PLAIN, node.via)


def _like(root: Node | None, leaf: Node, value: list[Node] | dict[str, Entry]) -> Node:
    place = root if root is not None else leaf
    return Node(value, place.start, place.end, place.source, place.style, place.via)
