"""Comparisons, defaults and questions about kinds."""

from __future__ import annotations

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import TemplateError, Value, is_unknown, kind_of, truth, type_of

_BASIC = {"int64": "int"}


def _same(left: Value, right: Value) -> bool:
    """Go's `eq` of two values. Raises TemplateError for kinds that cannot be compared."""
    if is_unknown(left) or is_unknown(right):
        return False
    first, second = kind_of(left), kind_of(right)
    first, second = _BASIC.get(first, first), _BASIC.get(second, second)
    if first in ("map", "slice") or second in ("map", "slice"):
        if left is None or right is None:
            return False
        raise TemplateError("maps and lists cannot be compared with eq or ne")
    if first != second:
        if left is None or right is None:
            return False
        raise TemplateError(f"a value of kind {kind_of(left)} cannot be compared with one of kind {kind_of(right)}")
    return left == right


def _equal(left: Value, right: Value, *others: Value) -> bool:
    return any(_same(left, other) for other in (right, *others))


def _less(left: Value, right: Value) -> bool:
    if is_unknown(left) or is_unknown(right):
        return False
    first, second = kind_of(left), kind_of(right)
    if _BASIC.get(first, first) != _BASIC.get(second, second):
        raise TemplateError(f"a value of kind {first} cannot be compared with one of kind {second}")
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    if isinstance(left, int | float) and isinstance(right, int | float) and not isinstance(left, bool):
        return left < right
    raise TemplateError(f"values of kind {first} have no order")


def _at_most(left: Value, right: Value) -> bool:
    return _less(left, right) or _same(left, right)


def _default(fallback: Value, *given: Value) -> Value:
    return given[0] if given and truth(given[0]) else fallback


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if truth(value)), None)


def _ternary(if_true: Value, if_false: Value, condition: Value) -> Value:
    if not isinstance(condition, bool):
        raise TemplateError(f"the last argument of `ternary` is a boolean, not a value of kind {kind_of(condition)}")
    return if_true if condition else if_false


def _kind(value: Value) -> str:
    return kind_of(value)


def _is_type(name: str, value: Value) -> bool:
    return type_of(value) == name


def _is_like(name: str, value: Value) -> bool:
    return type_of(value).lstrip("*") == name.lstrip("*")


def functions() -> Registry:
    """Comparisons, defaults and questions about kinds."""
    return {
        "eq": Builtin(_equal, "aaa*"),
        "ne": Builtin(lambda left, right: not _same(left, right), "aa"),
        "lt": Builtin(_less, "aa"),
        "le": Builtin(_at_most, "aa"),
        "gt": Builtin(lambda left, right: _less(right, left), "aa"),
        "ge": Builtin(lambda left, right: _at_most(right, left), "aa"),
        "not": Builtin(lambda value: not truth(value), "a"),
        "default": Builtin(_default, "aa*"),
        "empty": Builtin(lambda value: not truth(value), "a"),
        "coalesce": Builtin(_coalesce, "a*"),
        "all": Builtin(lambda *values: all(map(truth, values)), "a*"),
        "any": Builtin(lambda *values: any(map(truth, values)), "a*"),
        "ternary": Builtin(_ternary, "aaa"),
        "kindOf": Builtin(_kind, "a"),
        "kindIs": Builtin(lambda kind, value: kind_of(value) == kind, "sa"),
        "typeOf": Builtin(type_of, "a"),
        "typeIs": Builtin(_is_type, "sa"),
        "typeIsLike": Builtin(_is_like, "sa"),
    }
