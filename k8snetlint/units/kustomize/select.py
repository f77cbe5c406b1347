"""Which objects a patch, a replacement or a count of replicas is meant for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from k8snetlint.source.tree import Node
from k8snetlint.units.classify import text_at

from .resource import Id, Resource

_LONGEST_PATTERN = 500
_MOST_QUANTIFIERS = 3
_SELECTOR = re.compile(
    r"\s*(?:(?P<absent>!)?(?P<key>[\w./-]+)(?:\s*(?P<op>=|==|!=)\s*(?P<value>[\w.-]*)"
    r"|\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*\Z"
)


class PatternError(Exception):
    """A pattern that is no regular expression, or one that could take too long."""


def pattern(text: str) -> re.Pattern[str]:
    """The regular expression of a target's name, kind or namespace: it has to match the whole.

    Raises PatternError.
    """
    quantifiers = len(re.findall(r"[*+?{]", text))
    if len(text) > _LONGEST_PATTERN or quantifiers > _MOST_QUANTIFIERS or re.search(r"\)[*+?{]", text):
        raise PatternError(f"the pattern `{text[:60]}` is too complex")
    try:
        return re.compile(rf"(?:{text})\Z")
    except re.error:
        raise PatternError(f"`{text[:60]}` is not a regular expression") from None


def selected(resources: Iterable[Resource], target: Node) -> list[Resource]:
    """The objects that a target of a patch selects. Raises PatternError."""
    tests = {field: pattern(text_at(target, field)) for field in ("group", "version", "kind", "name", "namespace")}
    given = {field for field in tests if text_at(target, field)}
    found: list[Resource] = []
    for resource in resources:
        if not all(_matches(resource, field, tests[field]) for field in given):
            continue
        labels = text_at(target, "labelSelector")
        annotations = text_at(target, "annotationSelector")
        if labels and not selector_matches(labels, resource.root.get("metadata", "labels")):
            continue
        if annotations and not selector_matches(annotations, resource.root.get("metadata", "annotations")):
            continue
        found.append(resource)
    return found


def _matches(resource: Resource, field: str, test: re.Pattern[str]) -> bool:
    if field in ("name", "namespace"):
        return any(test.match(getattr(id_, field)) is not None for id_ in resource.ids)
    return test.match(getattr(resource.id, field)) is not None


def selector_matches(selector: str, labels: Node | None) -> bool:
    """Whether labels satisfy a selector such as `app=web,tier!=db,env in (a,b),!old`."""
    entries = labels.entries if labels is not None else {}
    # A comma in parentheses belongs to a list of values.
    for part in re.split(r",(?![^()]*\))", selector):
        match = _SELECTOR.match(part)
        if match is None:
            return False
        entry = entries.get(match["key"])
        value = str(entry.node.value) if entry is not None else None
        if match["set"]:
            values = {item.strip() for item in match["values"].split(",")}
            fits = (value in values) if match["set"] == "in" else value not in values
        elif match["op"]:
            fits = (value != match["value"]) if match["op"] == "!=" else value == match["value"]
        else:
            fits = (value is None) if match["absent"] else value is not None
        if not fits:
            return False
    return True


def with_id(resources: Iterable[Resource], wanted: Id) -> list[Resource]:
    """The objects that have or had an identity; those that have it now, if there are any."""
    listed = list(resources)
    present = [resource for resource in listed if resource.id == wanted]
    return present or [resource for resource in listed if wanted in resource.ids]
