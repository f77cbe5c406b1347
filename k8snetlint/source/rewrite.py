"""Text edits that turn a written value into another one, and leave what both have in common as it is written.

Block collections are edited entry by entry; a value in flow style is written anew as a whole, on its line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher

from .edit import Edit
from .text import Span
from .tree import Node, Plain
from .write import block_lines, flow_text


class Unwritable(ValueError):  # noqa: N818 (it says what the value is, not that the program went wrong)
    """A value whose text cannot be edited: it is made by something else than its own text, or written too oddly."""


def rewritten(root: Node, wanted: Plain) -> tuple[Edit, ...]:
    """The edits of a root's file after which the root holds `wanted`. Raises Unwritable."""
    if not is_written(root):
        raise Unwritable("the value is not written in one file")
    return tuple(_Writer(root).value(root, wanted))


def is_written(root: Node) -> bool:
    """Whether everything below a node is written in its own file, and nothing has changed it since."""
    return all(node.source is root.source and not node.via for _, node in root.walk())


def added_document(text: str, value: Plain) -> str:
    """A file's text with one more document at its end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [*block_lines(value), ""]
    if text and not text.endswith(("\n", "\r")):
        lines.insert(0, "")
    if text.strip():
        lines.insert(0 if not lines or lines[0] else 1, "---")
    return text + newline.join(lines)


class _Writer:
    def __init__(self, root: Node) -> None:
        self.source = root.source
        self.text = root.source.text
        self.newline = "\r\n" if "\r\n" in self.text else "\n"

    def value(self, node: Node, wanted: Plain) -> Iterator[Edit]:
        """The edits for a value that stands where it may be written on one line."""
        if node.plain() == wanted:
            return
        if self._is_block(node) and wanted:
            if isinstance(wanted, dict) and node.is_mapping and node.entries.keys() <= wanted.keys():
                yield from self._entries(node, wanted)
                return
            if isinstance(wanted, list) and node.is_sequence and all(map(self._has_own_line, node.items)):
                yield from self._items(node, wanted)
                return
        yield Edit(self.source, node.span, self._flow(node, wanted))

    def _entries(self, node: Node, wanted: dict[str, Plain]) -> Iterator[Edit]:
        for name, entry in node.entries.items():
            old = entry.node
            if old.plain() == wanted[name]:
                continue
            if (
                (self._is_block(old) and not wanted[name])
                or old.start == old.end
                or not self._same_kind(old, wanted[name])
            ):
                colon = self.text.index(":", entry.key.end)
                yield Edit(
                    self.source,
                    Span(colon + 1, max(colon + 1, old.end)),
                    self._after_colon(old, entry.key, wanted[name]),
                )
            else:
                yield from self.value(old, wanted[name])
        added = {name: value for name, value in wanted.items() if name not in node.entries}
        if added:
            first = next(iter(node.entries.values())).key
            at = self._line_end(self._end(node))
            yield Edit(self.source, Span(at, at), self._lines(added, " " * self._column(first)))

    def _after_colon(self, old: Node, key: Node, value: Plain) -> str:
        if not isinstance(value, dict | list) or not value:
            return f" {self._flow(old, value)}"
        return self._lines(value, " " * (self._column(key) + 2))

    def _items(self, node: Node, wanted: list[Plain]) -> Iterator[Edit]:
        items = node.items
        margin = " " * self._dash(items[0])
        before = [json.dumps(item.plain(), sort_keys=True) for item in items]
        after = [json.dumps(item, sort_keys=True) for item in wanted]
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        for tag, first, last, new_first, new_last in matcher.get_opcodes():
            if tag == "equal":
                continue
            # What stands in the place of something else is that thing changed; the rest went or came.
            paired = min(last - first, new_last - new_first)
            for offset in range(paired):
                yield from self.value(items[first + offset], wanted[new_first + offset])
            for item in items[first + paired : last]:
                start, end = self._previous_line_end(item), self._line_end(self._end(item))
                yield Edit(self.source, Span(start, end), "")
            for value in wanted[new_first + paired : new_last]:
                at = first + paired
                place = self._line_end(self._end(items[at - 1])) if at else self._previous_line_end(items[0])
                yield Edit(self.source, Span(place, place), self._lines([value], margin))

    def _lines(self, value: Plain, margin: str) -> str:
        return "".join(f"{self.newline}{margin}{line}" for line in block_lines(value))

    def _flow(self, node: Node, wanted: Plain) -> str:
        inside = self.text[node.start + 1 : node.end].lstrip()
        is_json = self.text.lstrip().startswith("{") or (self.text[node.start] == "{" and inside.startswith('"'))
        return flow_text(wanted, as_json=is_json)

    def _is_block(self, node: Node) -> bool:
        return bool(node.entries or node.items) and self.text[node.start] not in "[{"

    @staticmethod
    def _same_kind(node: Node, value: Plain) -> bool:
        return node.is_mapping == isinstance(value, dict) and node.is_sequence == isinstance(value, list)

    def _has_own_line(self, item: Node) -> bool:
        """Whether an item's dash is the first thing on its line, so that the line can go."""
        start = self.text.rfind("\n", 0, item.start) + 1
        return start > 0 and self.text[start : item.start].strip() == "-"

    def _dash(self, item: Node) -> int:
        start = self.text.rfind("\n", 0, item.start) + 1
        return self.text.index("-", start) - start

    def _column(self, node: Node) -> int:
        return node.start - (self.text.rfind("\n", 0, node.start) + 1)

    def _end(self, node: Node) -> int:
        """Where the text of a value ends; a null that is not written ends with its key."""
        if node.entries:
            last = list(node.entries.values())[-1]
            return max(self._end(last.node), last.key.end)
        return self._end(node.items[-1]) if self._is_block(node) and node.items else node.end

    def _line_end(self, offset: int) -> int:
        end = self.text.find("\n", offset)
        end = len(self.text) if end < 0 else end
        return end - 1 if end > offset and self.text[end - 1] == "\r" else end

    def _previous_line_end(self, item: Node) -> int:
        start = self.text.rfind("\n", 0, item.start)
        return start - 1 if self.text[start - 1 : start] == "\r" else start
