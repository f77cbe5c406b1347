"""Values that are not known before something else fills them in."""

from __future__ import annotations

import re

from k8snetlint.source.tree import Node

_MARKED = re.compile(
    r"""
    \$\{[^{}]+\} | \$\([^()]+\) | \$[A-Z_][A-Z0-9_]*\b  # ${VAR}, $(VAR), $VAR
    | \{\{.*\}\} | <[A-Za-z_][\w\ .:-]*> | __\w+?__     # {{ value }}, <value>, __VALUE__
    | %[A-Z][A-Z0-9_]*% | @[A-Z][A-Z0-9_]*@            # %VALUE%, @VALUE@
    """,
    re.DOTALL | re.VERBOSE,
)
_SHOUTED = re.compile(r"[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)*")
_BOOLEANS = frozenset({"TRUE", "FALSE", "YES", "NO", "ON", "OFF", "Y", "N", "NULL"})


def is_placeholder(text: str) -> bool:
    """Whether a text holds a mark that a substitution will replace: its value is unknown."""
    return _MARKED.search(text) is not None


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
