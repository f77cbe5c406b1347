"""The syntax of label keys and values, and of selectors over them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.source.tree import Node, Path

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def value_fault(value: str) -> str | None:
    """What keeps a text from being a label value; None if nothing does.

    Source: Kubernetes apimachinery, IsValidLabelValue.
    """
    if len(value) > 63:
        return f"it has {len(value)} characters, and 63 are allowed"
    if value and not _NAME.fullmatch(value):
        return "letters, digits, `-`, `_` and `.` are allowed, with a letter or digit at both ends"
    return None


def key_fault(key: str) -> str | None:
    """What keeps a text from being a label key; None if nothing does.

    Source: Kubernetes apimachinery, IsQualifiedName.
    """
    prefix, slash, name = key.rpartition("/")
    if slash and (not prefix or len(prefix) > 253 or not _PREFIX.fullmatch(prefix)):
        return "what stands before `/` has to be a lower-case DNS name"
    if not name:
        return "it is empty"
    if len(name) > 63:
        return f"its name has {len(name)} characters, and 63 are allowed"
    if not _NAME.fullmatch(name):
        return "letters, digits, `-`, `_` and `.` are allowed, with a letter or digit at both ends"
    return None


def label_faults(node: Node | None, path: Path) -> Iterator[tuple[Path, bool, str]]:
    """Faults in a mapping of labels: path, whether the key is meant, and what is wrong."""
    for key, entry in node.entries.items() if node is not None else ():
        if not is_placeholder(key):
            fault = key_fault(key)
            if fault is not None:
                yield (*path, key), True, f"label key `{key}` is not valid: {fault}"
        value = text_of(entry.node)
        if value is not None and not is_placeholder(value):
            fault = value_fault(value)
            if fault is not None:
                yield (*path, key), False, f"label value `{shortened(value)}` is not valid: {fault}"


def selector_faults(node: Node | None, path: Path) -> Iterator[tuple[Path, bool, str]]:
    """Faults in a label selector that the API server refuses, as `label_faults` tells them.

    Source: Kubernetes apimachinery, ValidateLabelSelector.
    """
    if node is None or not node.is_mapping:
        return
    yield from label_faults(node.get("matchLabels"), (*path, "matchLabels"))
    for index, item in enumerate(items_of(node.get("matchExpressions"))):
        if item.is_mapping:
            yield from _requirement_faults(item, (*path, "matchExpressions", index))
        elif item.value is None:
            yield (*path, "matchExpressions", index), False, "an expression is empty"


def _requirement_faults(item: Node, path: Path) -> Iterator[tuple[Path, bool, str]]:
    key, operator = text_of(item.get("key")), text_of(item.get("operator"))
    if key is None and _is_absent(item.get("key")):
        yield path, False, "an expression has no `key`"
    elif key is not None and not is_placeholder(key):
        fault = key_fault(key)
        if fault is not None:
            yield (*path, "key"), False, f"label key `{key}` is not valid: {fault}"
    if operator is not None and is_placeholder(operator):
        return
    values = item.get("values")
    count = len(items_of(values))
    if operator is None and _is_absent(item.get("operator")):
        yield path, False, "an expression has no `operator`"
    elif operator is not None and operator not in OPERATORS:
        near = next((known for known in OPERATORS if known.lower() == operator.lower()), None)
        hint = f"did you mean `{near}`?" if near else "valid are In, NotIn, Exists and DoesNotExist"
        yield (*path, "operator"), False, f"operator `{operator}` is not known; {hint}"
    elif operator in ("In", "NotIn") and not count and (values is None or values.value is None or values.is_sequence):
        yield (*path, "operator"), False, f"operator {operator} needs at least one value"
    elif operator in ("Exists", "DoesNotExist") and count:
        yield (*path, "values"), True, f"operator {operator} takes no values"
    for index, value in enumerate(items_of(values)):
        text = text_of(value)
        fault = value_fault(text) if text is not None and not is_placeholder(text) else None
        if text is not None and fault is not None:
            yield (*path, "values", index), False, f"label value `{shortened(text)}` is not valid: {fault}"


def _is_absent(node: Node | None) -> bool:
    return node is None or node.value is None


def shortened(text: str) -> str:
    """A text, cut where it is long, without line ends."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 70 else f"{flat[:67]}..."
