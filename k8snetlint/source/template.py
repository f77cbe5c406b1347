"""Text that is a template for manifests, not a manifest."""

from __future__ import annotations

import re

from .text import Span

TEMPLATE_SUFFIXES = (
    ".tpl",
    ".tmpl",
    ".gotmpl",
    ".template",
    ".j2",
    ".jinja",
    ".jinja2",
    ".erb",
    ".mustache",
    ".ytt",
    ".envsubst",
)
_MANIFEST_BEFORE_SUFFIX = re.compile(r"\.(?:ya?ml|json)(?:\.[a-z0-9]+)+\Z", re.IGNORECASE)

# `@NAME@`, and `{NAME}` with more text behind it, are no YAML either way.
_VARIABLE = r"@[A-Za-z_][A-Za-z0-9_]*@|\{[A-Za-z_][A-Za-z0-9_]*\}(?=[^\s,}\]])"
# Where an action cannot be part of a quoted or block scalar: it begins a line, or it is a value or an item.
_ACTION = re.compile(
    r"^[ \t]*(?:\{\{|\{%|\{#|<%)"
    rf"|^[ \t]*(?:- +)*[^\s#'\"{{][^#'\"\n]*:[ \t]+(\{{\{{|\{{%|<%|{_VARIABLE})"
    r"|^[ \t]*- +(\{\{|\{%|<%)",
    re.MULTILINE,
)


def has_template_suffix(path: str) -> bool:
    """Whether the name says that the file is a template for a manifest: `.yaml.j2`, `.yml.tpl`."""
    lowered = path.lower()
    return lowered.endswith(TEMPLATE_SUFFIXES) and _MANIFEST_BEFORE_SUFFIX.search(lowered) is not None


def template_action(text: str, start: int = 0, end: int | None = None) -> Span | None:
    """The first template action between two offsets that stands where YAML has a value or a line of its own.

    For a text that does not parse: in one that does, the same characters may be the content of a block scalar.
    """
    match = _ACTION.search(text, start, len(text) if end is None else end)
    if match is None:
        return None
    at = match.start(match.lastindex) if match.lastindex else match.end() - 2
    return Span(at, at + 2)
