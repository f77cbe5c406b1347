"""Values that a program wrote, at the places of the files that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from k8snetlint.source.parse import ProblemKind, parse
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import QUOTED, Document, Entry, Node, Scalar

from .classify import BULKY, objects_of, text_at
from .kustomize.work import Reason

Identity: TypeAlias = tuple[str, str, str, str]

# What tells the items of a list apart.
_KEYS = ("name", "containerPort", "port", "mountPath", "key", "path", "host")


class Lines:
    """The lines `key: value` of a file that stand there once."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self._found: dict[str, Place | None] = {}
        start = 0
        for line in source.text.splitlines(keepends=True):
            key, separator, value = line.strip().removeprefix("- ").partition(": ")
            text = value.strip().strip("\"'")
            if separator and text:
                at = line.rindex(text) + start
                known = f"{key}: {text}"
                self._found[known] = None if known in self._found else Place(source, Span(at, at + len(text)))
            start += len(line)

    def place(self, key: str, value: Scalar) -> Place | None:
        """Where a value stands under its key; None where that is nowhere, or in several places."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return self._found.get(f"{key}: {text}")


def aligned(node: Node, known: Node | None, place: Place, lines: Lines | None = None, key: str = "") -> Node:
    """The value with the places of a known object where both agree.

    What differs stands where the known value does, else where its parent does, and names that place in `via`: it is not
    written there. `lines` are those of the file that the object was made of. As deep as a document may be, which is
    bounded.
    """
    value = node.value
    if known is not None:
        place = known.place
    if isinstance(value, dict):
        entries: dict[str, Entry] = {}
        before = known.entries if known is not None else {}
        for name, entry in value.items():
            old = before.get(name)
            new = aligned(entry.node, old.node if old is not None else None, place, lines, name)
            entries[name] = Entry(old.key if old is not None else _made(name, place), new)
        is_same = known is not None and len(before) == len(entries) and known.is_mapping
        if (
            known is not None
            and is_same
            and all(name in before and before[name].node is entry.node for name, entry in entries.items())
        ):
            return known
        return _collection(entries, known, place)
    if isinstance(value, list):
        old_items = known.items if known is not None else []
        items = [aligned(item, _like(item, index, old_items), place, lines) for index, item in enumerate(value)]
        is_same = known is not None and len(items) == len(old_items) and known.is_sequence
        if known is not None and is_same and all(new is old for new, old in zip(items, old_items, strict=True)):
            return known
        return _collection(items, known, place)
    if known is not None and not known.is_mapping and not known.is_sequence and _is_equal(known.scalar, value):
        return known
    found = lines.place(key, value) if lines is not None and key else None
    if found is not None:
        return Node(value, found.span.start, found.span.end, found.source, QUOTED, (found,))
    return _made(value, place)


def _is_equal(one: Scalar, other: Scalar) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _made(value: Scalar, place: Place) -> Node:
    return Node(value, place.span.start, place.span.end, place.source, QUOTED, (place,))


def _collection(value: list[Node] | dict[str, Entry], known: Node | None, place: Place) -> Node:
    if known is not None:
        return Node(value, known.start, known.end, known.source, known.style, known.via)
    return Node(value, place.span.start, place.span.end, place.source, QUOTED, (place,))


def _like(item: Node, index: int, items: Sequence[Node]) -> Node | None:
    """The item of a list that another one's item comes from: of the same name, else at the same place."""
    if item.is_mapping:
        for key in _KEYS:
            name = item.get(key)
            if name is not None and not name.is_mapping:
                same = [each for each in items if (other := each.get(key)) is not None and other.value == name.value]
                if len(same) == 1:
                    return same[0]
    elif not item.is_sequence:
        same = [each for each in items if not each.is_mapping and each.value == item.value]
        if same:
            return same[0]
    return items[index] if index < len(items) else None


def parsed_output(text: str, place: Place) -> tuple[list[Document], list[Reason]]:
    """The objects that a program wrote, and what of it cannot be read; `place` is where to point then."""
    parsed = parse(SourceFile("output", text), BULKY)
    reasons = [
        Reason(f"what the program writes cannot be parsed: {problem.message}", place)
        for problem in parsed.problems
        if problem.kind is not ProblemKind.DUPLICATE_KEY
    ]
    return [each for document in parsed.documents for each in objects_of(document)], reasons


def by_identity(documents: Iterable[Document]) -> dict[Identity, Document]:
    """Objects by their identity, the first of several."""
    found: dict[Identity, Document] = {}
    for document in documents:
        found.setdefault(identity_of(document.root), document)
    return found


def identity_of(root: Node) -> Identity:
    """API version, kind, namespace and name as they are written."""
    name = root.get("metadata", "name")
    return (
        text_at(root, "apiVersion"),
        text_at(root, "kind"),
        text_at(root, "metadata", "namespace"),
        str(name.value) if name is not None else "",
    )
