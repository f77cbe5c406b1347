"""Objects written as YAML again, each with the names of the files that it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from k8snetlint.source.tree import Document, Node
from k8snetlint.source.write import scalar_text

_BLOCK = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\r\t\u2028\u2029\ufeff\ud800-\udfff]*\Z")


def write_yaml(documents: Iterable[Document]) -> str:
    """The documents as one YAML text; each begins with a comment that names the files it came from."""
    return "".join(
        f"---\n# from: {', '.join(map(_printable, sources_of(document)))}\n"
        + "\n".join(_lines(document.root, 0))
        + "\n"
        for document in documents
    )


def yaml_text(root: Node) -> str:
    """A value as YAML text."""
    return "\n".join(_lines(root, 0)) + "\n"


def sources_of(document: Document) -> tuple[str, ...]:
    """The files that a document's values are written in and were made by, its own first."""
    found = {document.source.path: None}
    for _, node in document.root.walk():
        found[node.source.path] = None
        for place in node.via:
            found[place.source.path] = None
    first, *rest = found
    return (first, *sorted(rest))


def _printable(path: str) -> str:
    return path.encode("unicode_escape").decode() if not path.isprintable() else path


def _lines(node: Node, depth: int) -> Iterator[str]:
    """The lines of a collection, or of a scalar that stands alone."""
    indent = "  " * depth
    value = node.value
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from _entry(f"{indent}{scalar_text(key)}:", entry.node, depth)
    elif isinstance(value, list) and value:
        for item in value:
            if item.value and (item.is_mapping or item.is_sequence):
                first, *rest = _lines(item, depth + 1)
                yield f"{indent}- {first.lstrip(' ')}"
                yield from rest
            else:
                yield from _entry(f"{indent}-", item, depth)
    else:
        yield f"{indent}{_inline(node)}"


def _entry(start: str, node: Node, depth: int) -> Iterator[str]:
    value = node.value
    if isinstance(value, dict | list) and value:
        yield start
        yield from _lines(node, depth + 1 if isinstance(value, dict) else depth)
    elif isinstance(value, str) and _is_block(value):
        yield f"{start} |{'' if value.endswith(chr(10)) else '-'}"
        yield from (f"{'  ' * (depth + 1)}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{start} {_inline(node)}"


def _is_block(text: str) -> bool:
    """Whether a text reads the same as a block scalar of plain indentation."""
    return (
        "\n" in text.removesuffix("\n")
        and not text.startswith((" ", "\n"))
        and not text.endswith("\n\n")
        and _BLOCK.match(text.replace("\n", "")) is not None
    )


def _inline(node: Node) -> str:
    value = node.value
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list) else scalar_text(value)
