"""Values that are not known before something else fills them in."""

from __future__ import annotations

import re

from .tree import Node

_MARKED = re.compile(
    r"""
    \$\{[^{}]*\} | \$\([A-Za-z_][\w.-]*\) | \$[A-Z_][A-Z0-9_]*\b   # ${VAR}, ${VAR:=x}, $(VAR), $VAR
    | \{\{ | <[A-Za-z_][\w\ .:/-]*> | __[A-Za-z0-9][\w-]*?__       # {{ value }}, <value>, __VALUE__
    | %%\w+%% | %[A-Z][A-Z0-9_]*% | @[A-Z][A-Z0-9_]*@              # %%value%%, %VALUE%, @VALUE@
    """,
    re.VERBOSE,
)
_MARKS = ("$", "{{", "<", "__", "%", "@")
_SHOUTED = re.compile(r"[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)*")
_BOOLEANS = frozenset({"TRUE", "FALSE", "YES", "NO", "ON", "OFF", "Y", "N", "NULL"})


def is_placeholder(value: object) -> bool:
    """Whether a value is a text that holds a placeholder: it may become anything, and proves nothing."""
    if not isinstance(value, str):
        return False
    for mark in _MARKS:
        if mark in value:
            return _MARKED.search(value) is not None
    return False


def is_template_key(key: str) -> bool:
    """Whether a mapping's key is what YAML makes of the inner braces of an unquoted `{{ value }}`."""
    return key.startswith("{") and key.endswith("}")


def is_unknown(node: Node) -> bool:
    """Whether a node where a number, boolean or collection is expected is a placeholder."""
    value = node.value
    if isinstance(value, dict):
        return len(value) == 1 and is_template_key(next(iter(value)))
    return isinstance(value, str) and stands_for_a_value(value)


def stands_for_a_value(text: str) -> bool:
    """Whether a text where a number, boolean or collection is expected can only be meant as a placeholder.

    That is a marked one, and also a bare word in capitals such as `PORT` or `HELMSUBST_REPLICAS`.
    """
    return is_placeholder(text) or (_SHOUTED.fullmatch(text) is not None and text not in _BOOLEANS)
