"""Secrets, as far as rules read them."""

from __future__ import annotations

import attrs

from .core import Resource
from .values import text_of


@attrs.frozen(eq=False)
class Secret(Resource):
    """A Secret: its type, empty where none is written, and the keys that it holds. Values are never read."""

    type: str
    keys: frozenset[str]


def build_secret(resource: Resource) -> Secret:
    """The Secret that a resource is."""
    root = resource.root
    keys: set[str] = set()
    for field in ("data", "stringData"):
        node = root.get(field)
        if node is not None:
            keys.update(node.entries)
    return Secret(**attrs.asdict(resource, recurse=False), type=text_of(root.get("type")) or "", keys=frozenset(keys))
