"""Variables that Flux puts into objects after they are built."""

from __future__ import annotations

import re

from k8snetlint.source.scalars import resolve_plain
from k8snetlint.source.text import Place
from k8snetlint.source.tree import BLOCK, Document, Entry, Node, Scalar

from .classify import text_at

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[=-])([^{}]*))?\}")
# How much text is put in for one Kustomization; variables beyond it stay placeholders.
MAX_CHARACTERS = 50_000_000
_DISABLED = "kustomize.toolkit.fluxcd.io/substitute"


def substituted(documents: tuple[Document, ...], settings: Node) -> tuple[Document, ...]:
    """The objects with the variables of `postBuild` put in.

    A value that is a variable alone stands where the variable is set. A variable that is not set here stays a
    placeholder; so does one with a default where more variables come from elsewhere (`substituteFrom`).
    Source: Flux, Kustomization: post build variable substitution.
    """
    build = settings.get("postBuild")
    if build is None:
        return documents
    given = build.get("substitute")
    known = {name: entry.node for name, entry in given.entries.items()} if given is not None else {}
    elsewhere = build.get("substituteFrom")
    has_more = elsewhere is not None and bool(elsewhere.items)
    if not known and has_more:
        return documents
    putting = _Putting(known, has_more)
    return tuple(putting.document(document) for document in documents)


class _Putting:
    """The variables of one Kustomization on their way into objects."""

    def __init__(self, known: dict[str, Node], has_more: bool) -> None:
        self.known = known
        self.has_more = has_more
        self.left = MAX_CHARACTERS

    def document(self, document: Document) -> Document:
        """The object with variables put in; itself where nothing changes or its metadata says not to."""
        root = document.root
        if any(text_at(root, "metadata", field, _DISABLED) == "disabled" for field in ("labels", "annotations")):
            return document
        new = self.node(root)
        return document if new is root else Document(document.index, new, document.comment_start)

    def node(self, node: Node) -> Node:
        """As deep as a document may be, which is bounded."""
        value = node.value
        if isinstance(value, str):
            return self._scalar(node, value) if "${" in value else node
        if isinstance(value, dict):
            entries: dict[str, Entry] = {}
            for key, entry in value.items():
                new_key = self._text(key, [])[0] if "${" in key else key
                entries[new_key] = Entry(entry.key, self.node(entry.node))
            if all(key in entries and entries[key].node is entry.node for key, entry in value.items()):
                return node
            return Node(entries, node.start, node.end, node.source, node.style, node.via)
        if isinstance(value, list):
            items = [self.node(item) for item in value]
            if all(new is old for new, old in zip(items, value, strict=True)):
                return node
            return Node(items, node.start, node.end, node.source, node.style, node.via)
        return node

    def _scalar(self, node: Node, value: str) -> Node:
        via: list[Place] = []
        text, is_changed = self._text(value, via)
        if not is_changed:
            return node
        whole = _REFERENCE.fullmatch(value)
        origin = self.known.get(whole[1]) if whole is not None and whole[1] is not None else None
        if origin is not None:
            via = [*origin.via, *node.via, node.place]
            return Node(
                self._typed(text, node.style), origin.start, origin.end, origin.source, origin.style, tuple(via)
            )
        return Node(
            self._typed(text, node.style), node.start, node.end, node.source, node.style, (*node.via, *via, node.place)
        )

    def _text(self, value: str, via: list[Place]) -> tuple[str, bool]:
        is_changed = False

        def put_in(match: re.Match[str]) -> str:
            nonlocal is_changed
            name = match[1]
            if name is None:
                is_changed = True
                return "${"
            node = self.known.get(name)
            if node is not None and not isinstance(node.value, dict | list):
                text = node.value if isinstance(node.value, str) else node.place.text
                self.left -= len(text)
                if self.left < 0:
                    return match[0]
                is_changed = True
                via.append(node.place)
                return text
            if match[2] is not None and not self.has_more:
                is_changed = True
                return match[3]
            return match[0]

        return _REFERENCE.sub(put_in, value), is_changed

    @staticmethod
    def _typed(text: str, style: str) -> Scalar:
        """The value that a text becomes: the objects are written as YAML without quotes that they do not need."""
        if style == BLOCK:
            return text
        if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            return text[1:-1]
        return resolve_plain(text)
