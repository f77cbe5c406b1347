"""Ignores in the annotation `k8snetlint.dev/ignore` of an object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.source.tree import Document, Node
from k8snetlint.units.unit import Unit

from .directive import Directive

ANNOTATION = "k8snetlint.dev/ignore"
# How the labels of places begin at which a policy isolates the pods in question.
_ISOLATES = "isolates"
_ENTRY = re.compile(r"\s*(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)\s*(?::\s*(?P<reason>.*))?", re.DOTALL)


def read_annotations(units: Sequence[Unit]) -> list[Directive]:
    """The ignores that annotations of the units' objects hold: `SVC005, NP014: reason`, several after `;`."""
    directives: dict[tuple[int, int, int], Directive] = {}
    for unit in units:
        for document in unit.documents:
            node = document.root.get("metadata", "annotations", ANNOTATION)
            if node is None or not isinstance(node.value, str):
                continue
            for number, directive in enumerate(_directives(document, node)):
                directives.setdefault((id(node.source), node.start, number), directive)
    return list(directives.values())


def _directives(document: Document, node: Node) -> Iterator[Directive]:
    root = document.root
    identity = tuple(_text(root, *path) for path in (("apiVersion",), ("kind",), ("metadata", "name")))
    namespace = _text(root, "metadata", "namespace")

    def is_covered(diagnostic: Diagnostic) -> bool:
        # What a policy's isolation does to other objects is the policy's own doing: one that shuts pods on purpose
        # says so on itself, and not on each Service in front of them.
        if any(
            location.place.source is root.source
            and root.start <= location.place.span.start < root.end
            and (location.label or "").startswith(_ISOLATES)
            for location in diagnostic.related
        ):
            return True
        resource = diagnostic.resource
        if resource is None or (resource.api_version, resource.kind, resource.name) != identity:
            return False
        return not namespace or resource.namespace == namespace

    for part in re.split(r"[;\n]", str(node.value)):
        if not part.strip():
            continue
        entry = _ENTRY.fullmatch(part)
        if entry is None:
            problem = (f"the annotation `{ANNOTATION}` does not name rules", 'write for example "SVC005: reason"')
            yield Directive(node.place, (), None, is_covered, problem)
            continue
        selectors = tuple(selector.strip() for selector in entry["rules"].split(","))
        yield Directive(node.place, selectors, (entry["reason"] or "").strip() or None, is_covered)


def _text(root: Node, *path: str) -> str:
    node = root.get(*path)
    return "" if node is None or node.scalar is None else str(node.scalar)
