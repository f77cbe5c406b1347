"""JSON 6902 patches: operations at a place given by a JSON pointer."""

from __future__ import annotations

from collections.abc import Callable

from k8snetlint.source.tree import Entry, Node, Plain
from k8snetlint.units.classify import text_at

from .nodes import MAX_STEPS_OF_A_PATH, copied


class PatchError(Exception):
    """An operation cannot be applied; the node is the operation."""

    def __init__(self, message: str, node: Node) -> None:
        super().__init__(message)
        self.message = message
        self.node = node


def patched(root: Node, operations: Node, weigh: Callable[[Node], None]) -> Node:
    """A value after the operations. Values that they bring keep their place in the patch; `weigh` is told of copies.

    Raises PatchError at the first operation that cannot be applied.
    """
    for operation in operations.items:
        root = _applied(root, operation, weigh)
    return root


def _applied(root: Node, operation: Node, weigh: Callable[[Node], None]) -> Node:
    name = text_at(operation, "op")
    steps = _steps(operation, "path")
    value = operation.get("value")
    if name in ("add", "replace"):
        if value is None:
            raise PatchError(f"`{name}` has no value", operation)
        return _set(root, steps, value, operation, is_new=name == "add")
    if name == "remove":
        return _set(root, steps, None, operation, is_new=False)
    if name in ("copy", "move"):
        origin = _steps(operation, "from")
        moved = _found(root, origin, operation)
        weigh(moved)
        if name == "move":
            root = _set(root, origin, None, operation, is_new=False)
        return _set(root, steps, moved, operation, is_new=True)
    if name == "test":
        if value is not None and not _same(_found(root, steps, operation).plain(), value.plain()):
            raise PatchError(f"the value at `{text_at(operation, 'path')}` is not the one tested for", operation)
        return root
    raise PatchError(f"`{name}` is no operation of a JSON patch", operation)


def _steps(operation: Node, field: str) -> list[str]:
    pointer = text_at(operation, field)
    if pointer.count("/") > MAX_STEPS_OF_A_PATH:
        raise PatchError(f"its `{field}` has more than {MAX_STEPS_OF_A_PATH} steps", operation)
    if pointer and not pointer.startswith("/"):
        pointer = f"/{pointer}"
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _found(root: Node, steps: list[str], operation: Node) -> Node:
    node = root
    for step in steps:
        child = node.get(step) if node.is_mapping else _item(node, step)
        if child is None:
            raise _missing(step, operation)
        node = child
    return node


def _item(node: Node, step: str) -> Node | None:
    index = _index(step, len(node.items))
    return node.items[index] if index is not None and index < len(node.items) else None


def _index(step: str, length: int) -> int | None:
    if not step.lstrip("-").isdecimal() or len(step) > 9:
        return None
    index = int(step)
    if index < 0:
        index += length
    return index if index >= 0 else None


def _set(root: Node, steps: list[str], value: Node | None, operation: Node, is_new: bool) -> Node:
    """The root with the value put at the steps, or taken away for None."""
    if not steps:
        if value is None:
            raise PatchError("a patch cannot remove the whole object", operation)
        return value
    step, rest = steps[0], steps[1:]
    if root.is_mapping:
        entry = root.entries.get(step)
        entries = dict(root.entries)
        if rest:
            if entry is None:
                raise _missing(step, operation)
            entries[step] = Entry(entry.key, _set(entry.node, rest, value, operation, is_new))
        elif value is None:
            if entry is None:
                raise _missing(step, operation)
            del entries[step]
        else:
            # kustomize's library takes `replace` of a key that is not there for `add`.
            key = entry.key if entry is not None else _key(operation, step)
            entries[step] = Entry(key, value)
        return copied(root, entries)
    if not root.is_sequence:
        raise _missing(step, operation)
    items = list(root.items)
    if step == "-" and not rest and is_new and value is not None:
        return copied(root, [*items, value])
    index = _index(step, len(items))
    if index is None or index > len(items) or (index == len(items) and (rest or not is_new)):
        raise _missing(step, operation)
    if rest:
        items[index] = _set(items[index], rest, value, operation, is_new)
    elif value is None:
        del items[index]
    elif is_new:
        items.insert(index, value)
    else:
        items[index] = value
    return copied(root, items)


def _key(operation: Node, step: str) -> Node:
    """The key of a new entry: it stands in the pointer of the operation."""
    path = operation.at("path")
    return Node(step, path.start, path.end, path.source, path.style, (path.place,))


def _missing(step: str, operation: Node) -> PatchError:
    path = text_at(operation, "path")
    return PatchError(f"there is no `{step}` on the way of `{path}`", operation)


def _same(one: Plain, other: Plain) -> bool:
    return one == other and type(one) is type(other)
