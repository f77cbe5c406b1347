"""Kustomize variables: `$(NAME)` stands for a field of some object."""

from __future__ import annotations

import re
from collections.abc import Sequence

from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node
from k8snetlint.units.classify import text_at

from .data import VARIABLE_FIELDS, Field
from .fieldpath import FieldPathError, found_at, steps_of
from .nodes import change_at, copied
from .resource import Resource
from .transform import applies
from .work import Work

_REFERENCE = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")


def resolve(work: Work) -> None:
    """Puts the values of variables in where they are referred to."""
    values: dict[str, tuple[Node, Place]] = {}
    for variable in work.variables:
        name = text_at(variable, "name")
        value = _value(work, variable)
        if value is None:
            work.miss(f"the variable `{name}` names no value that is there", variable.place)
        else:
            values[name] = (value, variable.place)
    if not values:
        return
    fields = (*VARIABLE_FIELDS, *work.fields.variables)
    work.step(len(work.resources))
    work.resources = [_resolved(work, resource, values, fields) for resource in work.resources]


def _value(work: Work, variable: Node) -> Node | None:
    reference = variable.get("objref")
    if reference is None:
        return None
    group, _, _ = text_at(reference, "apiVersion").rpartition("/")
    if not text_at(reference, "apiVersion"):
        group = text_at(reference, "group")
    kind, name = text_at(reference, "kind"), text_at(reference, "name")
    namespace = text_at(reference, "namespace")
    path = text_at(variable, "fieldref", "fieldPath") or text_at(variable, "fieldref", "fieldpath") or "metadata.name"
    for resource in work.resources:
        if any(
            id_.kind == kind
            and id_.name == name
            and (not group or id_.group == group)
            and (not namespace or id_.namespace == namespace)
            for id_ in resource.ids
        ):
            try:
                nodes = found_at(resource.root, steps_of(path))
            except FieldPathError:
                return None
            return nodes[0] if nodes else None
    return None


def _resolved(
    work: Work, resource: Resource, values: dict[str, tuple[Node, Place]], fields: Sequence[Field]
) -> Resource:
    root = resource.root
    for field in fields:
        if applies(field, resource):
            root = change_at(root, field.path, lambda old: _replaced(work, old, values), root.place)
    return resource.with_root(root)


def _replaced(work: Work, node: Node | None, values: dict[str, tuple[Node, Place]]) -> Node | None:
    if node is None:
        return None
    if node.is_mapping:
        changed = node
        for key in node.entries:
            changed = change_at(changed, (key,), lambda old: _replaced(work, old, values), node.place)
        return changed
    text = node.value
    if not isinstance(text, str) or "$(" not in text:
        return node
    via: list[Place] = []
    whole = _REFERENCE.fullmatch(text)
    if whole is not None and whole[1] in values:
        value, place = values[whole[1]]
        work.weigh(value)
        return copied(node, value.value, value.place, place)

    def put_in(match: re.Match[str]) -> str:
        known = values.get(match[1])
        if known is None:
            return match[0]
        via.extend((known[0].place, known[1]))
        work.weigh(known[0])
        return str(known[0].value)

    new = _REFERENCE.sub(put_in, text)
    return copied(node, new, *via) if via else node
