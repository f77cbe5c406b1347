"""Strategic merge patches, as kustomize applies them."""

from __future__ import annotations

from k8snetlint.source.tree import Entry, Node

from .data import NO_KEYS, Keys
from .nodes import copied

DIRECTIVE = "$patch"


def merged(base: Node | None, patch: Node, keys: Keys) -> Node | None:
    """What a patch makes of a value; None where it removes it.

    A list whose items have merge keys is merged item by item, the patch's items first; any other is replaced. A value
    that comes from the patch keeps its place in the patch.
    """
    if patch.value is None:
        return None
    if patch.is_mapping:
        directive = directive_of(patch)
        if directive == "delete":
            return None
        if directive == "replace" or base is None or not base.is_mapping:
            return _cleaned(patch, keys)
        return _merged_mapping(base, patch, keys)
    if patch.is_sequence:
        return _merged_sequence(base, patch, keys)
    return patch


def directive_of(patch: Node) -> str | None:
    """The `$patch` directive of a mapping."""
    entry = patch.entries.get(DIRECTIVE)
    return str(entry.node.value) if entry is not None else None


def _merged_mapping(base: Node, patch: Node, keys: Keys) -> Node:
    entries = dict(base.entries)
    for name, entry in patch.entries.items():
        if name.startswith("$"):
            _apply_list_directive(entries, name, entry.node)
            continue
        old = entries.get(name)
        new = merged(old.node if old is not None else None, entry.node, keys.below(name))
        if new is None:
            entries.pop(name, None)
        elif old is None:
            entries[name] = Entry(entry.key, new)
        elif new is not old.node:
            entries[name] = Entry(old.key, new)
    return copied(base, entries)


def _apply_list_directive(entries: dict[str, Entry], name: str, value: Node) -> None:
    directive, _, field = name.partition("/")
    old = entries.get(field)
    if directive == "$deleteFromPrimitiveList" and old is not None and old.node.is_sequence:
        removed = {str(item.value) for item in value.items}
        items = [item for item in old.node.items if str(item.value) not in removed]
        entries[field] = Entry(old.key, copied(old.node, items))


def _merged_sequence(base: Node | None, patch: Node, keys: Keys) -> Node:
    directives = [directive_of(item) if item.is_mapping else None for item in patch.items]
    if "replace" in directives:
        kept = [item for item, directive in zip(patch.items, directives, strict=True) if directive != "replace"]
        return _cleaned(copied(patch, kept), keys)
    if base is None or not base.is_sequence:
        return _cleaned(patch, keys)
    if keys.is_set:
        known = {str(item.value) for item in base.items}
        return copied(base, [*base.items, *(item for item in patch.items if str(item.value) not in known)])
    names = [name for name in keys.keys if any(name in item.entries for item in (*base.items, *patch.items))]
    if not names:
        return _cleaned(patch, keys)
    by_key = {_key(item, names): item for item in reversed(base.items)}
    items: list[Node] = []
    taken: set[tuple[str, ...]] = set()
    for item in patch.items:
        key = _key(item, names)
        taken.add(key)
        new = merged(by_key.get(key), item, Keys(fields=keys.fields))
        if new is not None:
            items.append(new)
    items += (item for item in base.items if _key(item, names) not in taken)
    return copied(base, items)


def _key(item: Node, names: list[str]) -> tuple[str, ...]:
    return tuple(str(item.entries[name].node.value) if name in item.entries else "" for name in names)


def _cleaned(patch: Node, keys: Keys = NO_KEYS) -> Node:
    """A value that a patch brings, without the directives and the nulls that only mean removal."""
    if patch.is_mapping:
        entries = {
            name: Entry(entry.key, _cleaned(entry.node, keys.below(name)))
            for name, entry in patch.entries.items()
            if not name.startswith("$") and entry.node.value is not None
        }
        return copied(patch, entries) if len(entries) < len(patch.entries) or entries else patch
    if patch.is_sequence:
        kept = [item for item in patch.items if not (item.is_mapping and directive_of(item) == "delete")]
        return copied(patch, [_cleaned(item, keys) for item in kept])
    return patch
