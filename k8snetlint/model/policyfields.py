"""Reading the fields of policies strictly: what is not understood is told with its path, and never taken for absent."""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from k8snetlint.source.tree import Node, Path

from .core import LabelSelector, selector_of
from .values import is_placeholder, name_of

_LABEL_VALUE = re.compile(r"(?=.{1,63}\Z)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_PREFIX = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PORT_NAME = re.compile(r"(?!.*--)(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


@attrs.frozen
class FieldProblem:
    """A part of a policy that says nothing an engine could rely on."""

    path: Path
    message: str


class FieldReader:
    """Collects the problems of one object while its fields are read.

    Every method returns None, or an empty list, where the field is absent or null, and also where it is not
    understood: then it is among the `problems`.
    """

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def refuse(self, path: Path, message: str) -> None:
        """Tells that a field is not understood."""
        self.problems.append(FieldProblem(path, message))

    def mapping(self, node: Node | None, path: Path, known: Iterable[str]) -> bool:
        """Whether a node is a mapping with none but known keys; None and null count as an empty one."""
        if node is None or node.value is None:
            return True
        if not node.is_mapping:
            self.refuse(path, f"{_name(path)} is not a mapping")
            return False
        unknown = [key for key in node.entries if key not in known]
        for key in unknown:
            self.refuse((*path, key), f"field `{key}` is not known here, so that what it is meant to say is not known")
        return not unknown

    def items(self, node: Node | None, path: Path) -> list[Node] | None:
        """The items of a sequence, none if it is absent; None if the node is something else."""
        if node is None or node.value is None:
            return []
        if not node.is_sequence:
            self.refuse(path, f"{_name(path)} is not a list")
            return None
        return node.items

    def text(self, node: Node | None, path: Path) -> str | None:
        """A string without placeholders; of another scalar the text as written, which is what was meant."""
        if node is None or node.value is None:
            return None
        text = name_of(node)
        if text is None:
            self.refuse(path, f"{_name(path)} is not a string")
        elif is_placeholder(text):
            self.refuse(path, f"{_name(path)} holds the placeholder `{text}`, whose value is not known")
            return None
        return text

    def selector(self, node: Node | None, path: Path) -> LabelSelector | None:
        """A label selector; None too if a part of it is not valid or not known yet."""
        if node is None or node.value is None:
            return None
        before = len(self.problems)
        if self.mapping(node, path, ("matchLabels", "matchExpressions")):
            self._labels(node.get("matchLabels"), (*path, "matchLabels"))
            expressions = (*path, "matchExpressions")
            for index, item in enumerate(self.items(node.get("matchExpressions"), expressions) or ()):
                self._requirement(item, (*expressions, index))
        return selector_of(node) if len(self.problems) == before else None

    def _labels(self, node: Node | None, path: Path) -> None:
        if node is None or node.value is None:
            return
        if not node.is_mapping:
            self.refuse(path, f"{_name(path)} is not a mapping")
            return
        for key, entry in node.entries.items():
            if is_placeholder(key):
                self.refuse((*path, key), f"the label key `{key}` holds a placeholder, whose value is not known")
            elif not is_label_key(key):
                self.refuse((*path, key), f"`{key}` is no label key, so the policy is rejected")
            if entry.node.value is not None:
                self._value(self.text(entry.node, (*path, key)), (*path, key))

    def _value(self, text: str | None, path: Path) -> None:
        if text is not None and not is_label_value(text):
            self.refuse(path, f"`{text}` is no label value, so the policy is rejected")

    def _requirement(self, node: Node, path: Path) -> None:
        if not self.mapping(node, path, ("key", "operator", "values")):
            return
        operator = self.text(node.get("operator"), (*path, "operator"))
        key = self.text(node.get("key"), (*path, "key"))
        if key is None:
            self.refuse(path, "an expression of a selector has no key")
        elif not is_label_key(key):
            self.refuse((*path, "key"), f"`{key}` is no label key, so the policy is rejected")
        values = self.items(node.get("values"), (*path, "values"))
        for index, value in enumerate(values or ()):
            self._value(self.text(value, (*path, "values", index)), (*path, "values", index))
        if operator not in OPERATORS:
            self.refuse(path, f"operator `{operator}` is not one of {', '.join(OPERATORS)}")
        elif operator in ("In", "NotIn") and not values:
            self.refuse(path, f"operator {operator} needs values")
        elif operator in ("Exists", "DoesNotExist") and values:
            self.refuse(path, f"operator {operator} takes no values")


def is_label_value(text: str) -> bool:
    """Whether the API server takes a text as the value of a label; the empty one it does."""
    return not text or _LABEL_VALUE.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """Whether the API server takes a text as the key of a label."""
    prefix, slash, name = text.rpartition("/")
    return bool(_LABEL_VALUE.fullmatch(name)) and (not slash or bool(_LABEL_PREFIX.fullmatch(prefix)))


def is_port_name(text: str) -> bool:
    """Whether the API server takes a text as the name of a port.

    Source: Kubernetes apimachinery, IsValidPortName.
    """
    return _PORT_NAME.fullmatch(text) is not None


def _name(path: Path) -> str:
    last = path[-1] if path else "it"
    return f"item {last}" if isinstance(last, int) else f"`{last}`"
