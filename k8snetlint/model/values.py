"""Reading values out of nodes: the type that a field has to have, or nothing; and values that are not known yet."""

from __future__ import annotations

from collections.abc import Mapping

from k8snetlint.source.placeholder import is_placeholder as is_placeholder
from k8snetlint.source.tree import Node


def text_of(node: Node | None) -> str | None:
    """The string at a node; None if it is absent or no string."""
    value = node.value if node is not None else None
    return value if type(value) is str else None


def name_of(node: Node | None) -> str | None:
    """The name at a node: a string, or the text of another scalar, which the API server refuses but a person meant.

    None if it is absent, null, a mapping or a sequence.
    """
    value = node.value if node is not None else None
    if type(value) is str:
        return value
    if node is None or value is None or isinstance(value, dict | list):
        return None
    return node.place.text


def integer_of(node: Node | None) -> int | None:
    """The integer at a node; None if it is absent or no integer. A float without fraction is one, as in JSON."""
    value = node.value if node is not None else None
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    return None


def boolean_of(node: Node | None) -> bool | None:
    """The boolean at a node; None if it is absent or no boolean."""
    value = node.value if node is not None else None
    return value if type(value) is bool else None


def int_or_string_of(node: Node | None) -> int | str | None:
    """The port number or name at a node; None if it is absent or neither."""
    value = node.value if node is not None else None
    if type(value) is str:
        return value
    return integer_of(node)


def items_of(node: Node | None) -> list[Node]:
    """The items of a sequence; none if it is absent or no sequence."""
    return node.items if node is not None else []


def texts_of(node: Node | None) -> tuple[str, ...]:
    """The strings of a sequence; other items are left out."""
    return tuple(item.value for item in node.items if type(item.value) is str) if node is not None else ()


def string_map_of(node: Node | None) -> Mapping[str, str]:
    """The entries of a mapping to scalars, as `name_of` reads them; null is the empty string, as to the decoder."""
    if node is None or type(node.value) is not dict:
        return {}
    found: dict[str, str] = {}
    for key, entry in node.value.items():
        value = entry.node.value
        if type(value) is str:
            found[key] = value
        elif value is None:
            found[key] = ""
        elif not isinstance(value, dict | list):
            found[key] = entry.node.place.text
    return found
