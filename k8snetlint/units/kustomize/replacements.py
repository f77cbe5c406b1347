"""Replacements: a field of one object put into fields of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from k8snetlint.source.text import Place
from k8snetlint.source.tree import Entry, Node, Scalar
from k8snetlint.units.classify import text_at

from .fieldpath import FieldPathError, changed_at, found_at, steps_of
from .nodes import copied
from .resource import Resource
from .work import Work

Value: TypeAlias = Scalar | list[Node] | dict[str, Entry]


def replace(work: Work, replacement: Node) -> None:
    """Applies one replacement; what it cannot find is noted."""
    place = replacement.place
    given = replacement.get("source")
    literal = replacement.get("sourceValue")
    if given is None and literal is None:
        work.fail("a replacement has no source", place)
        return
    try:
        value = literal if given is None else _source_value(work, given)
        if value is None:
            return
        targets = replacement.get("targets")
        for target in targets.items if targets is not None else ():
            _apply(work, target, value, place)
    except FieldPathError as error:
        work.fail(str(error), place)


def _source_value(work: Work, given: Node) -> Node | None:
    found = [resource for resource in work.resources if _is_selected(resource, given)]
    if len(found) != 1:
        kind, name = text_at(given, "kind"), text_at(given, "name")
        many = "more than one object is" if found else "no object is"
        work.miss(f"{many} the source `{kind} {name}` of a replacement", given.place)
        return None
    path = text_at(given, "fieldPath") or "metadata.name"
    nodes = found_at(found[0].root, steps_of(path))
    if not nodes:
        work.miss(f"the source of a replacement has no field `{path}`", given.place)
        return None
    node = nodes[0]
    delimiter = text_at(given, "options", "delimiter")
    if delimiter:
        parts = str(node.value).split(delimiter)
        index = _number(given.get("options", "index"))
        if not 0 <= index < len(parts):
            work.miss(f"the source of a replacement has no part number {index}", given.place)
            return None
        return copied(node, parts[index], node.place)
    return node


def _apply(work: Work, target: Node, value: Node, place: Place) -> None:
    select = target.get("select")
    if select is None:
        work.fail("a target of a replacement selects nothing", target.place)
        return
    rejected = target.get("reject")
    paths = [str(item.value) for item in _items(target.get("fieldPaths"))] or ["metadata.name"]
    create = target.get("options", "create")
    is_created = create is not None and create.value is True
    for index, resource in enumerate(work.resources):
        if not _is_selected(resource, select) or any(_is_selected(resource, item) for item in _items(rejected)):
            continue
        work.step(1)
        root = resource.root
        for path in paths:
            work.weigh(value)
            root, count = changed_at(
                root, steps_of(path), lambda old: _put(work, old, value, target, place), place, is_created
            )
            if not count and resource.id.kind != "CustomResourceDefinition":
                work.miss(f"the target `{resource.id.kind} {resource.id.name}` of a replacement has no `{path}`", place)
        work.resources[index] = resource.with_root(root)


def _put(work: Work, old: Node | None, value: Node, target: Node, place: Place) -> Node:
    """The value in place of an old one, or of a part of it."""
    delimiter = text_at(target, "options", "delimiter")
    if old is None or not delimiter or not isinstance(old.value, str):
        scalar = value.value if old is None else _as_typed(value.value, old.value)
        return Node(scalar, value.start, value.end, value.source, value.style, (*value.via, place))
    parts = old.value.split(delimiter)
    index = _number(target.get("options", "index"))
    text = str(value.value)
    if index < 0:
        parts.insert(0, text)
    elif index >= len(parts):
        parts.append(text)
    else:
        parts[index] = text
    new = copied(old, delimiter.join(parts), value.place, place)
    work.weigh(new)
    return new


def _as_typed(value: Value, old: Value) -> Value:
    """A value as one of the type that stood there, as kustomize keeps it."""
    if isinstance(value, dict | list) or isinstance(old, dict | list):
        return value
    if isinstance(old, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(old, int) and not isinstance(old, bool) and isinstance(value, str) and value.isdecimal():
        return int(value[:18])
    return value


def _number(node: Node | None) -> int:
    return node.value if node is not None and isinstance(node.value, int) else 0


def _items(node: Node | None) -> Iterator[Node]:
    yield from node.items if node is not None else ()


def _is_selected(resource: Resource, select: Node) -> bool:
    """Whether all that a selector names fits: the kind now, the name and namespace at any time."""
    group, version = text_at(select, "group"), text_at(select, "version")
    kind, name, namespace = (text_at(select, field) for field in ("kind", "name", "namespace"))
    id_ = resource.id
    if (group and id_.group != group) or (version and id_.version != version) or (kind and id_.kind != kind):
        return False
    return any(
        (not name or each.name == name) and (not namespace or each.namespace == namespace) for each in resource.ids
    )
