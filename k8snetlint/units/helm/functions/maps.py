"""Functions on maps."""

from __future__ import annotations

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import (
    GoList,
    GoMap,
    LimitReached,
    Text,
    TextList,
    TextMap,
    Value,
    plain_map,
    put,
    truth,
)

from .formatting import string_of
from .lists import equal

MAX_VALUES = 1_000_000


def copied(value: Value, budget: list[int] | None = None) -> Value:
    """A deep copy of maps and lists, each at its old place."""
    budget = [MAX_VALUES] if budget is None else budget
    budget[0] -= 1
    if budget[0] < 0:
        raise LimitReached(f"a copy of more than {MAX_VALUES:,} values")
    if isinstance(value, dict):
        return GoMap.like(value, {key: copied(item, budget) for key, item in value.items()})
    if isinstance(value, list):
        items = GoList([copied(item, budget) for item in value])
        items.node = value.node if isinstance(value, GoList) else None
        return items
    return value


def merge_into(target: dict[str, Value], source: dict[str, Value], *, overwrite: bool) -> None:
    """Merges a map into another, as Sprig's library does: empty values count as absent unless overwriting."""
    if target is source:
        return
    for key, item in source.items():
        has = key in target
        old = target.get(key)
        if item is None:
            if overwrite:
                put(target, source, key, None)
            continue
        if isinstance(item, dict) and isinstance(old, dict):
            if truth(old):
                merge_into(old, item, overwrite=overwrite)
                continue
            merge_into(old, item, overwrite=overwrite)
        if overwrite or not has or not truth(old):
            put(target, source, key, item)


def _merge(target: dict[str, Value], *sources: dict[str, Value], overwrite: bool = False) -> Value:
    for source in sources:
        merge_into(target, source, overwrite=overwrite)
    return target


def _overwrite(target: dict[str, Value], *sources: dict[str, Value]) -> Value:
    return _merge(target, *sources, overwrite=True)


def _dict(*pairs: Value) -> GoMap:
    made = plain_map({})
    for index in range(0, len(pairs), 2):
        made[string_of(pairs[index])] = pairs[index + 1] if index + 1 < len(pairs) else ""
    return made


def _set(target: dict[str, Value], key: str, value: Value) -> Value:
    target[key] = value
    if isinstance(target, GoMap):
        target.flags.pop(key, None)
    return target


def _unset(target: dict[str, Value], key: str) -> Value:
    target.pop(key, None)
    return target


def _pick(source: dict[str, Value], *keys: str) -> Value:
    return GoMap.like(source, {key: source[key] for key in keys if key in source})


def _omit(source: dict[str, Value], *keys: str) -> Value:
    return GoMap.like(source, {key: item for key, item in source.items() if key not in keys})


def _keys(*maps: dict[str, Value]) -> list[Value]:
    # Go gives them in no order; in sorted order at least two runs agree.
    return TextList(key for each in maps for key in sorted(each))


def _values(source: dict[str, Value]) -> list[Value]:
    return [source[key] for key in sorted(source)]


def _deep_copy(value: Value) -> Value:
    if value is None:
        raise TypeError("nil has no copy")
    return copied(value)


def _pluck(key: str, *maps: dict[str, Value]) -> list[Value]:
    return [each[key] for each in maps if key in each]


def _dig(*arguments: Value) -> Value:
    *keys, default, holder = arguments
    if not all(isinstance(key, str) for key in keys):
        raise TypeError("`dig` takes strings as keys")
    for key in keys:
        if not isinstance(holder, dict):
            raise TypeError(f"what {key} is looked up in is no map")
        if key not in holder:
            return default
        holder = holder[str(key)]
    return holder


def _index(holder: Value, *keys: Value) -> Value:
    if holder is None:
        raise TypeError("nil has no index: what is looked up is not set")
    for key in keys:
        if isinstance(holder, dict):
            if not isinstance(key, str):
                raise TypeError("a map is indexed by strings")
            holder = holder.get(key, holder.missing if isinstance(holder, TextMap) else None)
        elif isinstance(holder, list | str):
            if isinstance(key, bool) or not isinstance(key, int):
                raise TypeError("a list is indexed by integers")
            if not 0 <= key < len(holder):
                raise IndexError(f"index {key} is not in a list of {len(holder)}")
            holder = ord(holder[key]) if isinstance(holder, str) else holder[key]
        elif holder is None:
            raise TypeError("nil has no index: what is looked up is not set")
        else:
            raise TypeError("only maps and lists have an index")
    return holder


def _get(source: dict[str, Value], key: str) -> Value:
    return source.get(key, "")


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode()) if isinstance(value, Text) or not value.isascii() else len(value)
    if isinstance(value, dict | list):
        return len(value)
    raise TypeError("nil has no length" if value is None else "only strings, lists and maps have a length")


def functions() -> Registry:
    """Functions on maps, and those on anything that holds values."""
    return {
        "dict": Builtin(_dict, "a*"),
        "get": Builtin(_get, "ds"),
        "set": Builtin(_set, "dsa"),
        "unset": Builtin(_unset, "ds"),
        "hasKey": Builtin(lambda source, key: key in source, "ds"),
        "pluck": Builtin(_pluck, "sd*"),
        "keys": Builtin(_keys, "d*"),
        "values": Builtin(_values, "d"),
        "pick": Builtin(_pick, "ds*"),
        "omit": Builtin(_omit, "ds*"),
        "merge": Builtin(_merge, "dd*"),
        "mustMerge": Builtin(_merge, "dd*"),
        "mergeOverwrite": Builtin(_overwrite, "dd*"),
        "mustMergeOverwrite": Builtin(_overwrite, "dd*"),
        "dig": Builtin(_dig, "aaaa*"),
        "deepCopy": Builtin(_deep_copy, "a"),
        "mustDeepCopy": Builtin(_deep_copy, "a"),
        "deepEqual": Builtin(equal, "aa"),
        "index": Builtin(_index, "aa*"),
        "len": Builtin(_length, "a"),
    }
