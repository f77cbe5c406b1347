"""The transformers that a kustomization's own fields name: namespace, prefixes, labels, annotations, replicas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8snetlint.source.tree import Node
from k8snetlint.units.classify import text_at

from .data import CLUSTER_SCOPED, NAMESPACES, NEVER_PREFIXED, REPLICAS, Field
from .nodes import change_at, copied, made, with_entry
from .resource import Resource


def changed_fields(
    resource: Resource, fields: Iterable[Field], change_of: Node, value: Node, key: str | None = None
) -> Resource:
    """The object with a value put at fields of its kind, or under a key of the mappings there."""
    root = resource.root
    place = change_of.place

    def put(old: Node | None) -> Node:
        if key is None:
            return value
        return with_entry(old if old is not None and old.is_mapping else made({}, place), key, value, place)

    for field in fields:
        if applies(field, resource):
            root = change_at(root, field.path, put, place, field.create)
    return resource.with_root(root)


def applies(field: Field, resource: Resource) -> bool:
    """Whether a field is one of the object's kind."""
    id_ = resource.id
    return (field.kind is None or field.kind == id_.kind) and (field.group is None or field.group == id_.group)


def in_namespace(resources: Iterable[Resource], value: Node, fields: Sequence[Field] = ()) -> list[Resource]:
    """The objects moved to a namespace; a Namespace takes its name."""
    moved = Node(value.value, value.start, value.end, value.source, value.style, (value.place,))
    return [_moved(resource, moved, fields) for resource in resources]


def _moved(resource: Resource, value: Node, fields: Sequence[Field]) -> Resource:
    id_, root, place = resource.id, resource.root, value.place
    if id_.kind == "Namespace" and not id_.group:
        root = change_at(root, ("metadata", "name"), lambda _: value, place)
    elif (id_.group, id_.kind) not in CLUSTER_SCOPED:
        root = change_at(root, ("metadata", "namespace"), lambda _: value, place, create=True)
    if id_.kind in ("RoleBinding", "ClusterRoleBinding"):
        root = change_at(root, ("subjects",), lambda old: _moved_subject(old, value), place)
    return changed_fields(resource.moved(root), (*NAMESPACES, *fields), value, value)


def _moved_subject(subject: Node | None, value: Node) -> Node | None:
    """The subject of a binding: the service account `default` is always that of the namespace."""
    if subject is None or text_at(subject, "kind") != "ServiceAccount" or text_at(subject, "name") != "default":
        return subject
    return with_entry(subject, "namespace", value, value.place)


def with_affix(resources: Iterable[Resource], value: Node, is_prefix: bool) -> list[Resource]:
    """The objects with a prefix or suffix to their names."""
    affix = str(value.value)
    found: list[Resource] = []
    for resource in resources:
        name = resource.root.get("metadata", "name")
        if name is None or resource.id.kind in NEVER_PREFIXED:
            found.append(resource)
            continue
        root = _affixed(resource.root, ("metadata", "name"), value, is_prefix)
        found.append(resource.renamed(root, affix if is_prefix else "", "" if is_prefix else affix))
    return found


def _affixed(root: Node, path: tuple[str, ...], value: Node, is_prefix: bool) -> Node:
    def change(old: Node | None) -> Node | None:
        if old is None or old.is_mapping:
            return old
        text = f"{value.value}{old.value}" if is_prefix else f"{old.value}{value.value}"
        return copied(old, text, value.place)

    return change_at(root, path, change, value.place)


def with_affix_at(
    resources: Iterable[Resource], value: Node, is_prefix: bool, fields: Sequence[Field]
) -> list[Resource]:
    """The objects with a prefix or suffix to the given fields alone."""
    found: list[Resource] = []
    for resource in resources:
        root = resource.root
        for field in fields:
            if applies(field, resource):
                root = _affixed(root, field.path, value, is_prefix)
        found.append(resource.with_root(root))
    return found


def with_pairs(resources: Iterable[Resource], pairs: Node, fields: Sequence[Field]) -> list[Resource]:
    """The objects with labels or annotations put at fields."""
    found = list(resources)
    for key, entry in pairs.entries.items():
        node = entry.node
        text = node.value if isinstance(node.value, str) else node.place.text
        value = Node(text, node.start, node.end, node.source, node.style, (node.place,))
        found = [changed_fields(resource, fields, entry.key, value, key) for resource in found]
    return found


def with_replicas(resources: Iterable[Resource], counts: Node, fields: Sequence[Field] = ()) -> list[Resource]:
    """The objects with the numbers of replicas that are given for their names."""
    found = list(resources)
    for item in counts.items:
        name, count = text_at(item, "name"), item.get("count")
        if count is None:
            continue
        value = Node(count.value, count.start, count.end, count.source, count.style, (count.place,))
        found = [
            changed_fields(resource, (*REPLICAS, *fields), value, value) if name in resource.names else resource
            for resource in found
        ]
    return found
