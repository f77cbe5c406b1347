"""Text edits that several checks propose."""

from __future__ import annotations

from k8snetlint.model.core import Resource
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Place, Span


def without_key(resource: Resource, *path: str | int) -> Edit | None:
    """The edit that deletes the line of a key and its scalar; None where it shares the line with something else."""
    node = resource.root.get(*path)
    parent = resource.root.get(*path[:-1])
    if node is None or parent is None or node.via or len(parent.entries) < 2 or node.is_mapping or node.is_sequence:
        return None
    key = resource.root.key_at(*path)
    text = node.source.text
    if key.source is not node.source or "\n" in text[key.start : node.end]:
        return None
    start = text.rfind("\n", 0, key.start) + 1
    end = text.find("\n", node.end)
    end = len(text) if end < 0 else end + 1
    if text[start : key.start].strip() or text[node.end : end].strip():
        return None
    return Edit(node.source, Span(start, end), "")


def with_items(resource: Resource, *path: str | int, items: list[str]) -> Edit | None:
    """The edit that appends scalars to a written sequence of scalars; None where its form does not allow it."""
    node = resource.root.get(*path)
    if node is None or node.via or not node.items or any(item.source is not node.source for item in node.items):
        return None
    text = node.source.text
    last = node.items[-1]
    if text[node.start] == "[":
        return Edit(node.source, Span(last.end, last.end), "".join(f", {item}" for item in items))
    line = text.rfind("\n", 0, last.start) + 1
    lead = text[line : last.start]
    if lead.strip() != "-":
        return None
    return Edit(node.source, Span(last.end, last.end), "".join(f"\n{lead}{item}" for item in items))


def line_end(text: str, offset: int) -> int:
    """Where the line of an offset ends: before its line end, whichever that is."""
    end = text.find("\n", offset)
    if end < 0:
        return len(text)
    return end - 1 if text[end - 1] == "\r" and end > offset else end


def with_entry(resource: Resource, *path: str | int, entry: str) -> Edit | None:
    """The edit that adds a line `key: value` below a scalar or flow entry at a path, in a block mapping.

    None where the entry does not end its line, or its key does not begin one (but for a list's dash).
    """
    node = resource.root.get(*path)
    if node is None or node.via:
        return None
    key = resource.root.key_at(*path)
    text = node.source.text
    if key.source is not node.source:
        return None
    start = text.rfind("\n", 0, key.start) + 1
    end = line_end(text, node.end)
    lead = text[start : key.start]
    if lead.replace("- ", "  ").strip() or text[node.end : end].split("#", 1)[0].strip():
        return None
    return Edit(node.source, Span(end, end), f"\n{' ' * len(lead)}{entry}")


def without_item(resource: Resource, *path: str | int) -> Edit | None:
    """The edit that takes an item out of a written sequence; None where it is alone or shares a line in block style."""
    node = resource.root.get(*path)
    parent = resource.root.get(*path[:-1])
    if node is None or parent is None or node.via or parent.via or len(parent.items) < 2:
        return None
    if node.source is not parent.source:
        return None
    text = node.source.text
    if text[parent.start] == "[":
        index = int(path[-1])
        if index + 1 < len(parent.items):
            return Edit(node.source, Span(node.start, parent.items[index + 1].start), "")
        return Edit(node.source, Span(parent.items[index - 1].end, node.end), "")
    start = text.rfind("\n", 0, node.start) + 1
    end = text.find("\n", node.end)
    end = len(text) if end < 0 else end + 1
    if text[start : node.start].strip() != "-" or text[node.end : end].split("#", 1)[0].strip():
        return None
    return Edit(node.source, Span(start, end), "")


def above_key(resource: Resource, *path: str | int, entry: str) -> Edit | None:
    """The edit that adds a line `key: value` above the key at a path; None where that key does not begin its line."""
    key = resource.root.key_at(*path)
    text = key.source.text
    start = text.rfind("\n", 0, key.start) + 1
    lead = text[start : key.start]
    if key.via or lead.strip():
        return None
    return Edit(key.source, Span(start, start), f"{lead}{entry}\n")


def renamed(place: Place, old: str, new: str) -> Edit | None:
    """The edit that writes `new` for `old` at a place; None where that does not stand there once."""
    if place.text.count(old) != 1:
        return None
    start = place.span.start + place.text.index(old)
    return Edit(place.source, Span(start, start + len(old)), new)
