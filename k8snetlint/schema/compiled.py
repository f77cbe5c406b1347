"""The fast way to know that a document is valid: closures over nodes, compiled field by field as documents need them.

A field's rule is the set of Python types that are fine at a glance, and a check for the other values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from k8snetlint.source.placeholder import is_placeholder, is_template_key, is_unknown
from k8snetlint.source.tree import Node

from .shapes import shape

Check = Callable[[Node], bool]


class Rule(NamedTuple):
    """What is accepted in one place."""

    types: frozenset[type]
    check: Check


def _refuse(node: Node) -> bool:
    return False


def _is_whole(node: Node) -> bool:
    value = node.value
    return value.is_integer() if isinstance(value, float) else is_unknown(node)


_NULL = type(None)
_ANYTHING = Rule(frozenset({str, int, float, bool, _NULL, list, dict}), _refuse)
_NOTHING = Rule(frozenset(), _refuse)
_SIMPLE = {
    "*": _ANYTHING,
    "s": Rule(frozenset({str, _NULL}), is_unknown),
    "i": Rule(frozenset({int, _NULL}), _is_whole),
    "n": Rule(frozenset({int, float, _NULL}), is_unknown),
    "b": Rule(frozenset({bool, _NULL}), is_unknown),
    "is": Rule(frozenset({int, str, _NULL}), _is_whole),
    "q": Rule(frozenset({int, float, str, _NULL}), is_unknown),
    "o": Rule(frozenset({dict, _NULL}), is_unknown),
}


def compile_type(code: str, minor: int) -> Rule:
    """The rule for a type code; what it refers to is compiled when a document first comes there."""
    simple = _SIMPLE.get(code)
    if simple is not None:
        return simple
    null_only = frozenset({_NULL})
    if code.startswith("="):
        return Rule(null_only, _enumeration(frozenset(code[1:].split("|"))))
    if code.startswith("[]"):
        return Rule(null_only, _sequence(compile_type(code[2:], minor)))
    if code.startswith("{}"):
        return Rule(null_only, _mapping(compile_type(code[2:], minor)))
    return Rule(null_only, _object(code[1:], minor))


def _enumeration(allowed: frozenset[str]) -> Check:
    def check(node: Node) -> bool:
        value = node.value
        if isinstance(value, str):
            return value in allowed or is_placeholder(value)
        return is_unknown(node)

    return check


def _sequence(rule: Rule) -> Check:
    types, check_item = rule

    def check(node: Node) -> bool:
        value = node.value
        if type(value) is not list:
            return is_unknown(node)
        return all(type(item.value) in types or check_item(item) for item in value)

    return check


def _mapping(rule: Rule) -> Check:
    types, check_value = rule

    def check(node: Node) -> bool:
        value = node.value
        if type(value) is not dict:
            return is_unknown(node)
        return all(type(child.value) in types or check_value(child) for _, child in value.values())

    return check


class _Fields(dict[str, Rule]):
    """Rules by field, compiled when they are first asked for; a field that does not exist accepts nothing."""

    def __init__(self, codes: dict[str, str], minor: int, *, is_open: bool) -> None:
        super().__init__()
        self._codes = codes
        self._minor = minor
        self._is_open = is_open

    def __missing__(self, field: str) -> Rule:
        code = self._codes.get(field)
        if code is None:
            return _ANYTHING if self._is_open or is_placeholder(field) or is_template_key(field) else _NOTHING
        rule = self[field] = compile_type(code, self._minor)
        return rule


def _object(name: str, minor: int) -> Check:
    rules: _Fields | None = None
    required: frozenset[str] = frozenset()

    def check(node: Node) -> bool:
        nonlocal rules, required
        value = node.value
        if type(value) is not dict:
            return is_unknown(node)
        if rules is None:
            current = shape(name, minor)
            rules, required = _Fields(current.fields, minor, is_open=current.is_open), current.required
        for field, (_, child) in value.items():
            types, check_value = rules[field]
            if type(child.value) not in types and not check_value(child):
                return False
        return value.keys() >= required or is_unknown(node)

    return check
