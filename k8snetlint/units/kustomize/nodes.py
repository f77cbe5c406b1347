"""Changed copies of nodes: what is not on the way to a change is shared, and no node is written to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8snetlint.source.text import Place
from k8snetlint.source.tree import QUOTED, Entry, Node, Scalar

_CHARACTERS_A_STEP = 100
# Values lie no deeper than a document may be, and what is put into them.
MAX_DEPTH = 200
MAX_STEPS_OF_A_PATH = 100
Change = Callable[[Node | None], Node | None]


def weight(node: Node, limit: int) -> int:
    """How much a value holds, in steps of work; more than `limit` where it is more, or lies too deep.

    What is shared counts as often as it is met: so does whoever goes through it.
    """
    count = 0
    stack = [(node, 0)]
    while stack and count <= limit:
        current, depth = stack.pop()
        if depth > MAX_DEPTH:
            return limit + 1
        count += 1
        value = current.value
        if isinstance(value, dict):
            stack.extend((entry.node, depth + 1) for entry in value.values())
        elif isinstance(value, list):
            stack.extend((item, depth + 1) for item in value)
        elif isinstance(value, str):
            count += len(value) // _CHARACTERS_A_STEP
    return count


def made(value: Scalar | list[Node] | dict[str, Entry], place: Place, style: str = QUOTED) -> Node:
    """A value that a transformer made: it stands at the transformer's place, which is also named in `via`."""
    return Node(value, place.span.start, place.span.end, place.source, style, (place,))


def copied(node: Node, value: Scalar | list[Node] | dict[str, Entry], *via: Place) -> Node:
    """The node at its own place with another value, changed by the transformers named."""
    return Node(value, node.start, node.end, node.source, node.style, (*node.via, *via) if via else node.via)


def with_entry(node: Node, key: str, value: Node | None, place: Place) -> Node:
    """A mapping with a key set, or without it for None; `place` is where a new key comes from."""
    entries = dict(node.entries)
    if value is None:
        entries.pop(key, None)
    else:
        old = entries.get(key)
        entries[key] = Entry(old.key if old is not None else made(key, place), value)
    return copied(node, entries)


def change_at(node: Node, path: Sequence[str], change: Change, place: Place, create: bool = False) -> Node:
    """The node with every value at a path changed; sequences on the way are gone through item by item.

    A change to None removes the value. With `create` mappings on the way that are not there are made.
    """
    value = node.value
    if len(path) > MAX_STEPS_OF_A_PATH:
        return node
    if isinstance(value, list):
        items = [change_at(item, path, change, place, create) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return node
        return copied(node, items)
    if not isinstance(value, dict):
        return node
    key = path[0]
    if key.endswith("[]"):
        # A list of that name is gone through; one that is not there is not made.
        key = key[:-2]
        path = (key, *path[1:])
        create = create and key in value
    if key == "*":
        for name in list(value):
            node = change_at(node, (name, *path[1:]), change, place, create)
        return node
    entry = value.get(key)
    old = entry.node if entry is not None else None
    if len(path) == 1:
        if old is not None and old.is_sequence:
            new: Node | None = _each(old, change)
        else:
            new = change(old) if old is not None or create else None
    elif old is None or old.value is None:
        new = change_at(made({}, place), path[1:], change, place, create) if create else old
        if new is not None and not new.value and create:
            new = old
    else:
        new = change_at(old, path[1:], change, place, create)
    if new is old:
        return node
    return with_entry(node, key, new, place)


def _each(node: Node, change: Change) -> Node:
    items = [new for new in map(change, node.items) if new is not None]
    if len(items) == len(node.items) and all(new is old for new, old in zip(items, node.items, strict=True)):
        return node
    return copied(node, items)
