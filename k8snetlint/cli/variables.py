"""Placeholders `${NAME}` answered by the variables that the user gives."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from k8snetlint.source.scalars import resolve_plain
from k8snetlint.source.tree import PLAIN, Document, Entry, Node
from k8snetlint.units.unit import Found

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::[-=][^}]*)?\}")


def answered(found: Found, variables: Mapping[str, str]) -> Found:
    """The units with the placeholders of known variables replaced; a value keeps its place, and is not fixed."""
    if not variables:
        return found
    units = tuple(
        attrs.evolve(
            unit,
            documents=tuple(_document(document, variables) for document in unit.documents),
            context=tuple(_document(document, variables) for document in unit.context),
        )
        for unit in found.units
    )
    return attrs.evolve(found, units=units)


def _document(document: Document, variables: Mapping[str, str]) -> Document:
    root = _answered(document.root, variables)
    return document if root is document.root else Document(document.index, root, document.comment_start)


def _answered(node: Node, variables: Mapping[str, str]) -> Node:
    """The node itself where nothing in it is replaced. As deep as a document may be, which is bounded."""
    value = node.value
    if isinstance(value, str):
        if "${" not in value:
            return node
        text = _PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), value)
        if text == value:
            return node
        scalar = resolve_plain(text) if node.style == PLAIN else text
        return Node(scalar, node.start, node.end, node.source, node.style, (*node.via, node.place))
    if isinstance(value, dict):
        entries = {name: Entry(entry.key, _answered(entry.node, variables)) for name, entry in value.items()}
        if all(entries[name].node is entry.node for name, entry in value.items()):
            return node
        return Node(entries, node.start, node.end, node.source, node.style, node.via)
    if isinstance(value, list):
        items = [_answered(item, variables) for item in value]
        if all(one is other for one, other in zip(items, value, strict=True)):
            return node
        return Node(items, node.start, node.end, node.source, node.style, node.via)
    return node
