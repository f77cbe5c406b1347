"""What every object has, and label selectors."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from k8snetlint.diagnostic import ResourceId
from k8snetlint.source.tree import Document, Node

from .values import is_placeholder, items_of, string_map_of, text_of, texts_of


@attrs.frozen(eq=False)
class Resource:
    """An object of the manifests. Compared by identity: two documents may declare the same object.

    `namespace` is the effective one (the run's where the manifest names none), None for cluster-scoped kinds.
    `has_namespace` tells whether the manifest itself names it. `name` is empty where there is none or it is no string.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    document: Document
    has_namespace: bool

    @property
    def root(self) -> Node:
        """The document's root node."""
        return self.document.root

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def id(self) -> ResourceId:
        """The identity that outputs show."""
        return ResourceId(self.api_version, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        return str(self.id)


@attrs.frozen
class Requirement:
    """One entry of `matchExpressions`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet the requirement; an unknown operator meets nothing.

        NotIn and DoesNotExist hold where the key is absent.
        Source: Kubernetes API reference, LabelSelectorRequirement v1.
        """
        value = labels.get(self.key)
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        if self.operator == "Exists":
            return value is not None
        return self.operator == "DoesNotExist" and value is None


@attrs.frozen
class LabelSelector:
    """A label selector, kept symbolic. The empty one matches everything; absence is `None`, never an empty selector."""

    match_labels: tuple[tuple[str, str], ...] = ()
    match_expressions: tuple[Requirement, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it matches every set of labels."""
        return not self.match_labels and not self.match_expressions

    @property
    def has_placeholders(self) -> bool:
        """Whether a key or value is not known yet: what it matches cannot be told."""
        return any(is_placeholder(key) or is_placeholder(value) for key, value in self.match_labels) or any(
            is_placeholder(requirement.key) or any(map(is_placeholder, requirement.values))
            for requirement in self.match_expressions
        )

    @property
    def keys(self) -> frozenset[str]:
        """The label keys that it asks about."""
        return frozenset(key for key, _ in self.match_labels) | {item.key for item in self.match_expressions}

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a set of labels is selected."""
        get = labels.get
        for key, value in self.match_labels:
            if get(key) != value:
                return False
        return all(requirement.matches(labels) for requirement in self.match_expressions)

    def __str__(self) -> str:
        parts = [f"{key}={value}" for key, value in self.match_labels]
        for item in self.match_expressions:
            if item.operator in ("In", "NotIn"):
                parts.append(f"{item.key} {item.operator.lower()} ({', '.join(item.values)})")
            else:
                parts.append(item.key if item.operator == "Exists" else f"!{item.key}")
        return ", ".join(parts)


def selector_of(node: Node | None) -> LabelSelector | None:
    """The label selector at a node; None if the field is absent or null."""
    if node is None or node.value is None:
        return None
    requirements = tuple(
        Requirement(text_of(item.get("key")) or "", text_of(item.get("operator")) or "", texts_of(item.get("values")))
        for item in items_of(node.get("matchExpressions"))
    )
    return LabelSelector(tuple(string_map_of(node.get("matchLabels")).items()), requirements)


def label_map_selector(labels: Mapping[str, str]) -> LabelSelector:
    """The selector that a plain map of labels is, as in a Service."""
    return LabelSelector(tuple(labels.items()))
