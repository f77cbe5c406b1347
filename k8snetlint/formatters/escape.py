"""User text made harmless in each output: manifests come from strangers."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL, and the characters that reorder or hide text on a terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_XML_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_XML_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def terminal(text: str) -> str:
    """Text in which what would steer a terminal stands as an escape: `\\x1b`."""
    return _CONTROL.sub(_visible, text) if not text.isprintable() else text


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    named = {9: "\\t", 10: "\\n", 13: "\\r"}.get(code)
    return named or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def workflow_data(text: str) -> str:
    """Text as the message of a GitHub workflow command."""
    return _bare(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """Text as a property of a GitHub workflow command."""
    return workflow_data(text).replace(":", "%3A").replace(",", "%2C")


def _bare(text: str) -> str:
    return _CONTROL.sub(lambda match: match[0] if match[0] in "\r\n" else _visible(match), text)


def xml(text: str) -> str:
    """Text as XML character data or an attribute's value; what XML cannot hold stands as an escape."""
    return _XML_FORBIDDEN.sub(_visible, text).translate(_XML_ENTITIES)


def markdown(text: str) -> str:
    """Text on one line in which nothing is markup but what stands between single backticks, which is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0 or any(not part.strip() for part in parts[1::2]):
        return _MARKDOWN.sub(r"\\\1", terminal(text))
    return "".join(
        markdown_code(part) if index % 2 else _MARKDOWN.sub(r"\\\1", terminal(part)) for index, part in enumerate(parts)
    )


def markdown_code(text: str) -> str:
    """Text as inline code that may stand in a table."""
    bare = terminal(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", bare)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{bare}{pad}{fence}"
