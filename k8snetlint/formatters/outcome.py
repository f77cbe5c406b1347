"""What the outputs of `map`, `reach`, `diff` and `verify` share."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from k8snetlint.diagnostic import Incompleteness
from k8snetlint.model.core import Resource
from k8snetlint.policy.ir import PolicyRule
from k8snetlint.source.text import Place, Span
from k8snetlint.source.tree import Path

from .escape import terminal
from .json import JSON, header, location

_SHOWN_REASONS = 5


@attrs.frozen
class Outcome:
    """Where an answer comes from, and how it is to be shown. `assumptions` are said in verbose text."""

    unit: str
    version: str
    incomplete_because: tuple[Incompleteness, ...] = ()
    colour: bool = False
    verbose: bool = False
    quiet: bool = False
    assumptions: tuple[str, ...] = ()

    def members(self, schema: str) -> dict[str, JSON]:
        """The members that the JSON of each of these commands begins with."""
        found = header(schema, not self.incomplete_because, self.incomplete_because, self.version)
        return {**found, "unit": self.unit}

    def paint(self, text: str, code: str) -> str:
        """Text in a colour of the terminal, where colours are on."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def tail(self) -> list[str]:
        """The lines that text ends with: what was assumed and what was not analysed."""
        rows = [f"assumed: {terminal(each)}" for each in self.assumptions] if self.verbose else []
        reasons = list(dict.fromkeys(reason_text(reason) for reason in self.incomplete_because))
        if not reasons:
            return rows
        shown: Sequence[str] = reasons if self.verbose else reasons[:_SHOWN_REASONS]
        rows += ["not everything was analysed:", *(f"  {reason}" for reason in shown)]
        if len(shown) < len(reasons):
            rows.append(f"  and {len(reasons) - len(shown):,} more (--verbose lists them)")
        return rows


def reason_text(reason: Incompleteness) -> str:
    """A reason on one line, with its place."""
    return (
        terminal(reason.message) if reason.place is None else f"{place_text(reason.place)}: {terminal(reason.message)}"
    )


def place_text(place: Place) -> str:
    """A place as `path:line`, made harmless for a terminal."""
    return f"{terminal(place.source.path)}:{place.source.position(place.span.start).line}"


def place_of(resource: Resource, path: Path) -> Place:
    """The place of a part of an object: its first line, or what is nearest to it where it is not written."""
    node = resource.root.get(*path) if path else resource.root.get("metadata", "name")
    if node is None:
        node = resource.root.nearest(*path)
    source, text = node.source, node.source.text
    ends = [node.end, *(at for ending in "\r\n" if (at := text.find(ending, node.start, node.end)) >= 0)]
    end = min(ends)
    return Place(source, Span(node.start, node.start + len(text[node.start : end].rstrip())))


def resource_json(resource: Resource) -> JSON:
    """An object's identity as JSON outputs write it."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
    }


def rule_json(stage: str, action: str, rule: PolicyRule | None) -> JSON:
    """What decides on one side; nothing but stage and action where no policy does."""
    origin = rule.origin if rule is not None else None
    return {
        "stage": stage,
        "action": action,
        "resource": None if origin is None else resource_json(origin.resource),
        "location": None if origin is None else location(place_of(origin.resource, origin.path)),
    }
