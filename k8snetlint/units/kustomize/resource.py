"""An object on its way through kustomizations: its value, and the names it had."""

from __future__ import annotations

from typing import NamedTuple

from k8snetlint.source.tree import Node
from k8snetlint.units.classify import text_at

from .data import CLUSTER_SCOPED

DEFAULT_NAMESPACE = "default"


class Id(NamedTuple):
    """What tells an object from the others; a namespace that is not named is `default`."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str


def id_of(root: Node) -> Id:
    """The identity that an object has as it is written."""
    group, _, version = text_at(root, "apiVersion").rpartition("/")
    kind = text_at(root, "kind")
    namespace = text_at(root, "metadata", "namespace")
    if (group, kind) in CLUSTER_SCOPED:
        namespace = ""
    elif not namespace:
        namespace = DEFAULT_NAMESPACE
    return Id(group, version, kind, namespace, name_of(root))


def name_of(root: Node) -> str:
    """The name of an object as text; empty where it has none."""
    node = root.get("metadata", "name")
    return str(node.value) if node is not None and isinstance(node.value, str | int) else ""


class Resource:
    """An object with its history. Never changed after it was built.

    `ids` are those it had, the first one first and the present one last; one that a transformer of names left as it was
    stands there twice. `prefixes` and `suffixes` were added to its
    name on the way. `index` and `comment_start` are those of the document it was read from.
    """

    __slots__ = ("comment_start", "ids", "index", "needs_hash", "prefixes", "root", "suffixes")

    def __init__(
        self,
        root: Node,
        ids: tuple[Id, ...] = (),
        prefixes: tuple[str, ...] = (),
        suffixes: tuple[str, ...] = (),
        needs_hash: bool = False,
        index: int = 0,
        comment_start: int = 0,
    ) -> None:
        present = id_of(root)
        self.root = root
        self.ids = ids if ids and ids[-1] == present else (*ids, present)
        self.prefixes = prefixes
        self.suffixes = suffixes
        self.needs_hash = needs_hash
        self.index = index
        self.comment_start = comment_start

    @property
    def id(self) -> Id:
        """The present identity."""
        return self.ids[-1]

    @property
    def names(self) -> set[str]:
        """Every name that the object has or had."""
        return {id_.name for id_ in self.ids}

    def with_root(self, root: Node) -> Resource:
        """The object with another value."""
        if root is self.root:
            return self
        return Resource(root, self.ids, self.prefixes, self.suffixes, self.needs_hash, self.index, self.comment_start)

    def moved(self, root: Node) -> Resource:
        """The object with a value that a transformer of namespaces made."""
        ids = (*self.ids, self.id) if self.id == id_of(root) else self.ids
        return Resource(root, ids, self.prefixes, self.suffixes, self.needs_hash, self.index, self.comment_start)

    def renamed(self, root: Node, prefix: str = "", suffix: str = "") -> Resource:
        """The object with a value in which a prefix or suffix was added to the name."""
        prefixes = (*self.prefixes, prefix) if prefix else self.prefixes
        suffixes = (*self.suffixes, suffix) if suffix else self.suffixes
        return Resource(root, self.ids, prefixes, suffixes, self.needs_hash, self.index, self.comment_start)

    def hashed(self, needs_hash: bool) -> Resource:
        """The object with or without a name that ends in the hash of its content."""
        return Resource(self.root, self.ids, self.prefixes, self.suffixes, needs_hash, self.index, self.comment_start)
