"""Fingerprints: what makes a diagnostic the same one when lines move, wording changes, or units come and go."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from .diagnostic import Diagnostic
from .source.text import SourceFile
from .source.tree import Document, Entry, Node

_LENGTH = 32
_SEPARATOR = "\x00"


def with_fingerprints(
    diagnostics: Iterable[Diagnostic],
    documents: Callable[[SourceFile], Sequence[Document]],
    shown: Callable[[str], str],
) -> tuple[Diagnostic, ...]:
    """The diagnostics, in their order, with their fingerprints.

    `documents` gives the objects of a file as written there, before any overlay's transformers; `shown` turns a path
    relative to the working directory into one that is the same for everyone.
    """
    indices: dict[SourceFile, _Objects] = {}
    seen: dict[str, int] = {}
    result: list[Diagnostic] = []
    for diagnostic in diagnostics:
        source = diagnostic.primary.place.source
        if source not in indices:
            indices[source] = _Objects(documents(source))
        parts = (diagnostic.rule, shown(source.path), *_identity(diagnostic, indices[source]))
        base = _SEPARATOR.join(parts)
        ordinal = seen.get(base, 0)
        seen[base] = ordinal + 1
        digest = hashlib.sha256(f"{base}{_SEPARATOR}{ordinal}".encode("utf-8", "surrogatepass")).hexdigest()
        result.append(attrs.evolve(diagnostic, fingerprint=digest[:_LENGTH]))
    return tuple(result)


class _Objects:
    """The objects of one file, found by offset."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = sorted(documents, key=lambda document: document.root.start)
        self.starts = [document.root.start for document in self.documents]

    def at(self, offset: int) -> Document | None:
        """The object that an offset lies in."""
        index = bisect_right(self.starts, offset) - 1
        return self.documents[index] if index >= 0 else None


def _identity(diagnostic: Diagnostic, objects: _Objects) -> list[str]:
    source, span = diagnostic.primary.place
    document = objects.at(span.start) if diagnostic.resource is not None else None
    if document is None:
        line = source.line(source.position(span.start).line).strip()
        return ["line", line] if diagnostic.resource is None else ["object", *map(str, diagnostic.resource), line]
    root = document.root
    group = _text(root, "apiVersion").rpartition("/")[0]
    namespace, name = _text(root, "metadata", "namespace"), _text(root, "metadata", "name")
    place = _steps(root, span.start)
    # A missing field is reported at its parent: its own name tells it from its missing siblings.
    last = diagnostic.path[-1] if diagnostic.path else None
    if isinstance(last, str) and place[-1:] != [last]:
        place.append(last)
    return ["object", group, _text(root, "kind"), namespace, name, *place]


def _text(root: Node, *path: str) -> str:
    node = root.get(*path)
    return "" if node is None or node.scalar is None else str(node.scalar)


def _steps(root: Node, offset: int) -> list[str]:
    """The way to the deepest value at an offset; elements of lists by name, else by port, else by index."""
    steps: list[str] = []
    node = root
    while True:
        if isinstance(node.value, dict):
            child = _entry_at(node.value, offset)
            if child is None:
                return steps
            steps.append(child[0])
            node = child[1]
        elif isinstance(node.value, list):
            index = bisect_right([item.start for item in node.value], offset) - 1
            if index < 0:
                return steps
            node = node.value[index]
            named = _text(node, "name") or _text(node, "port") or _text(node, "containerPort")
            steps.append(named or str(index))
        else:
            return steps


def _entry_at(entries: Mapping[str, Entry], offset: int) -> tuple[str, Node] | None:
    best: tuple[int, str, Node] | None = None
    for name, entry in entries.items():
        key, node = entry
        if key.start <= offset < max(node.end, key.end) + 1 and (best is None or key.start > best[0]):
            best = (key.start, name, node)
    return None if best is None else (best[1], best[2])
