"""Functions on lists."""

from __future__ import annotations

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import GoList, LimitReached, NilList, Struct, Value, kind_of, truth

from .numbers import integer_of

MAX_ITEMS = 1_000_000


def equal(left: Value, right: Value) -> bool:
    """Go's reflect.DeepEqual: like values of different kinds are not equal."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if kind_of(left) != kind_of(right):
        return False
    return left is right if isinstance(left, Struct) else left == right


def _bounded(items: list[Value]) -> list[Value]:
    if len(items) > MAX_ITEMS:
        raise LimitReached(f"a list of more than {MAX_ITEMS:,} items")
    return items


def _like(source: list[Value], items: list[Value]) -> list[Value]:
    if isinstance(source, GoList):
        made = GoList(items)
        made.node = source.node
        return made
    return items


def _items(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    raise TypeError(f"a list is needed, not a value of kind {kind_of(value)}")


def _append(items: list[Value], item: Value) -> list[Value]:
    return _bounded(_like(items, [*items, item]))


def _concat(*lists: list[Value]) -> list[Value]:
    if sum(map(len, lists)) > MAX_ITEMS:
        raise LimitReached(f"a list of more than {MAX_ITEMS:,} items")
    return [item for items in lists for item in items] or NilList()


def _unique(items: list[Value]) -> list[Value]:
    kept: list[Value] = []
    scalars: set[tuple[str, object]] = set()
    for item in items:
        if item is None or isinstance(item, str | int | float):
            key = (kind_of(item), item)
            if key in scalars:
                continue
            scalars.add(key)
        elif any(equal(item, other) for other in kept):
            continue
        kept.append(item)
    return kept


def _without(items: list[Value], *unwanted: Value) -> list[Value]:
    return [item for item in items if not any(equal(item, other) for other in unwanted)]


def _has(needle: Value, items: Value) -> bool:
    return items is not None and any(equal(needle, item) for item in _items(items))


def _slice(items: Value, *bounds: Value) -> Value:
    if isinstance(items, list) and not items:
        return None
    numbers = [number for number in map(integer_of, bounds) if number >= 0]
    if len(numbers) != len(bounds) or len(numbers) > 2 or not isinstance(items, list):
        raise ValueError("the bounds are no integers that the list has")
    end = numbers[1] if len(numbers) > 1 else len(items)
    start = numbers[0] if numbers else 0
    if not start <= end <= len(items):
        raise ValueError(f"there is no part from {start} to {end} of {len(items)} items")
    return items[start:end]


def _chunk(size: int, items: list[Value]) -> list[Value]:
    if size <= 0:
        raise ValueError("the size is not positive")
    return [items[start : start + size] for start in range(0, len(items), size)]


def _compact(items: list[Value]) -> list[Value]:
    return [item for item in items if truth(item)]


def functions() -> Registry:
    """Functions on lists, each under its `must` name too."""
    named: Registry = {
        "append": Builtin(_append, "la"),
        "push": Builtin(_append, "la"),
        "prepend": Builtin(lambda items, item: _bounded([item, *items]), "la"),
        "first": Builtin(lambda items: items[0] if items else None, "l"),
        "last": Builtin(lambda items: items[-1] if items else None, "l"),
        "rest": Builtin(lambda items: items[1:] if items else NilList(), "l"),
        "initial": Builtin(lambda items: items[:-1] if items else NilList(), "l"),
        "reverse": Builtin(lambda items: items[::-1], "l"),
        "uniq": Builtin(_unique, "l"),
        "without": Builtin(_without, "la*"),
        "has": Builtin(_has, "aa"),
        "slice": Builtin(_slice, "aa*"),
        "compact": Builtin(_compact, "l"),
        "chunk": Builtin(_chunk, "il"),
    }
    must = {f"must{name.capitalize()}": function for name, function in named.items()}
    return {
        **named,
        **must,
        "list": Builtin(lambda *items: list(items), "a*"),
        "tuple": Builtin(lambda *items: list(items), "a*"),
        "concat": Builtin(_concat, "l*"),
    }
