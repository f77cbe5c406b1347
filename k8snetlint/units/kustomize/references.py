"""References by name that follow the objects they mean to their new names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8snetlint.source.tree import Node
from k8snetlint.units.classify import text_at

from .data import CLUSTER_SCOPED, NAME_REFERENCES, Field, Target
from .nodes import change_at, copied, with_entry
from .resource import Resource
from .transform import applies


class References:
    """Objects by what they are and were called."""

    def __init__(self, resources: Sequence[Resource], more: Iterable[tuple[Target, tuple[Field, ...]]] = ()) -> None:
        self.table = (*NAME_REFERENCES, *more)
        self.known: dict[tuple[str, str], list[Resource]] = {}
        for resource in resources:
            for name in dict.fromkeys(id_.name for id_ in resource.ids[:-1]):
                self.known.setdefault((resource.id.kind, name), []).append(resource)

    def followed(self, resource: Resource) -> Resource:
        """The object with its references brought up to date."""
        root = resource.root
        for target, fields in self.table:
            for field in fields:
                if applies(field, resource):
                    root = change_at(
                        root,
                        field.path,
                        lambda old, target=target: self._referred(old, target, resource),  # type: ignore[misc]  # mypy cannot type the default
                        root.place,
                    )
        return resource.with_root(root)

    def _referred(self, node: Node | None, target: Target, referrer: Resource) -> Node | None:
        if node is None:
            return None
        if node.is_mapping:
            return self._referred_mapping(node, target, referrer)
        if not isinstance(node.value, str):
            return node
        found = self._meant(self.known.get((target.kind, node.value), ()), target, referrer)
        if found is None or found.id.name == node.value:
            return node
        return _renamed(node, found)

    def _referred_mapping(self, node: Node, target: Target, referrer: Resource) -> Node:
        """A reference with a name and a namespace: the subject of a binding, the Service of a webhook."""
        name = node.get("name")
        kind = text_at(node, "kind")
        if name is None or not isinstance(name.value, str) or (kind and kind != target.kind):
            return node
        namespace = text_at(node, "namespace")
        candidates = self.known.get((target.kind, name.value), ())
        if namespace:
            candidates = [
                each
                for each in candidates
                if any(id_.namespace == namespace and id_.name == name.value for id_ in each.ids)
            ] or [each for each in candidates if each.id.namespace == namespace]
        found = self._meant(candidates, target, referrer)
        if found is None:
            return node
        new_name = _renamed(name, found)
        node = with_entry(node, "name", new_name, new_name.place) if found.id.name != name.value else node
        moved = found.root.get("metadata", "namespace")
        if moved is not None and moved.value != namespace:
            value = Node(moved.value, moved.start, moved.end, moved.source, moved.style, (*moved.via, moved.place))
            node = with_entry(node, "namespace", value, moved.place)
        return node

    def _meant(self, candidates: Sequence[Resource], target: Target, referrer: Resource) -> Resource | None:
        """The one object that a reference means: of the same namespace, and renamed the same way, where in doubt."""
        found = [each for each in candidates if target.group is None or each.id.group == target.group]
        if not _is_cluster_scoped(referrer):
            found = [
                each
                for each in found
                if _is_cluster_scoped(each)
                or each.id.kind == "ServiceAccount"
                or each.id.namespace == referrer.id.namespace
            ]
        if len(found) > 1:
            alike = [each for each in found if (each.prefixes, each.suffixes) == (referrer.prefixes, referrer.suffixes)]
            found = alike or found
        if not found or any(each.id.name != found[0].id.name for each in found):
            return None
        return found[0]


def _is_cluster_scoped(resource: Resource) -> bool:
    return (resource.id.group, resource.id.kind) in CLUSTER_SCOPED


def _renamed(node: Node, resource: Resource) -> Node:
    """The reference with the object's new name; what made the name made the reference."""
    name = resource.root.at("metadata", "name")
    return copied(node, resource.id.name, name.place, *name.via)
