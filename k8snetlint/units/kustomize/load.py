"""Files and inline texts as objects and patches, read as kustomize reads YAML."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import BLOCK, PLAIN, Entry, Node
from k8snetlint.units.classify import objects_of
from k8snetlint.units.files import Files

from .resource import Resource

# What is a boolean to Kubernetes' decoder and a string to kustomize, which quotes it when it writes it.
_OLD_BOOLEAN = re.compile(r"\b(?:y|yes|n|no|on|off)\b", re.IGNORECASE)
_INLINE_SEPARATOR = re.compile(r"^[ \t]*---[ \t]*\r?$", re.MULTILINE)


class Loader:
    """Reads each file once; what it returns is shared between kustomizations."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._resources: dict[SourceFile, tuple[Resource, ...]] = {}
        self._roots: dict[SourceFile, tuple[Node, ...]] = {}

    def resources(self, source: SourceFile) -> tuple[Resource, ...]:
        """The objects that a file declares."""
        known = self._resources.get(source)
        if known is None:
            fix = _OLD_BOOLEAN.search(source.text) is not None
            known = self._resources[source] = tuple(
                Resource(
                    _as_strings(item.root) if fix else item.root,
                    index=item.index,
                    comment_start=item.comment_start,
                )
                for document in self.files.parsed(source).documents
                for item in objects_of(document)
            )
        return known

    def roots(self, source: SourceFile) -> tuple[Node, ...]:
        """The roots of a file's documents, whatever they are."""
        known = self._roots.get(source)
        if known is None:
            fix = _OLD_BOOLEAN.search(source.text) is not None
            roots = (document.root for document in self.files.parsed(source).documents)
            known = self._roots[source] = tuple(_as_strings(root) if fix else root for root in roots)
        return known

    def inline(self, node: Node) -> tuple[Node, ...]:
        """The roots of a text that stands in a scalar of another file, with places in that file."""
        return inline_roots(node, _as_strings)


def inline_roots(node: Node, read: Callable[[Node], Node] | None = None) -> tuple[Node, ...]:
    """The roots of a text that stands in a scalar, with places in the scalar's file; `read` is applied to each first."""
    text = node.value
    if not isinstance(text, str):
        return ()
    written = node.source.text
    line_end = written.find("\n", node.start, node.end)
    if node.style != BLOCK or written[node.start] != "|" or line_end < 0:
        # Folded or quoted: what is written is not what is read, so that only the whole can be pointed at.
        roots = _parsed(node.source.path, text, read)
        for root in roots:
            for _, inner in root.walk():
                inner.start, inner.end, inner.source = node.start, node.end, node.source
        return roots
    found: list[Node] = []
    start = line_end + 1
    ends = [match.span() for match in _INLINE_SEPARATOR.finditer(written, start, node.end)]
    for end, next_start in [*ends, (node.end, node.end)]:
        roots = _parsed(node.source.path, written[start:end], read)
        for root in roots:
            _move(root, start, node.source)
        found += roots
        start = next_start
    return tuple(found)


def _parsed(path: str, text: str, read: Callable[[Node], Node] | None) -> tuple[Node, ...]:
    roots = (document.root for document in parse(SourceFile(path, text)).documents)
    return tuple(read(root) if read is not None else root for root in roots if root.value is not None)


def _move(root: Node, offset: int, source: SourceFile) -> None:
    """Shifts nodes that were just parsed, and nobody else has seen, to where their text stands in its file."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        node.start += offset
        node.end += offset
        node.source = source
        for entry in node.entries.values():
            stack += (entry.key, entry.node)
        stack += node.items


def _as_strings(node: Node) -> Node:
    """The node with the booleans of YAML 1.1 as the strings that they are in YAML 1.2."""
    value = node.value
    if isinstance(value, dict):
        changed = {
            key: (entry if (new := _as_strings(entry.node)) is entry.node else Entry(entry.key, new))
            for key, entry in value.items()
        }
        if all(changed[key] is value[key] for key in value):
            return node
        return Node(changed, node.start, node.end, node.source, node.style, node.via)
    if isinstance(value, list):
        items = [_as_strings(item) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return node
        return Node(items, node.start, node.end, node.source, node.style, node.via)
    if isinstance(value, bool) and node.style == PLAIN:
        text = node.place.text
        if _OLD_BOOLEAN.fullmatch(text):
            return Node(text, node.start, node.end, node.source, node.style, node.via)
    return node
