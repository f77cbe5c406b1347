"""What `map` adds on demand: what decides each pair, exposure, requirements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.connectivity import ConnectivityMap
from k8snetlint.analysis.explanation import Part, explained
from k8snetlint.analysis.exposure import Exposure
from k8snetlint.formatters.escape import terminal
from k8snetlint.formatters.json import JSON, location
from k8snetlint.formatters.outcome import Outcome, place_of, place_text, rule_json
from k8snetlint.policy.ir import Action, PolicySet
from k8snetlint.source.text import Place


class Needed(NamedTuple):
    """A requirement and whether it is allowed; None where that cannot be told."""

    source: str
    destination: str
    connections: ConnectionSet
    confidence: str
    is_allowed: bool | None
    origin: Place


def deciding_json(source: str, destination: str, policies: PolicySet) -> list[JSON]:
    """The rules that allow what a pair is allowed, each once."""
    found: list[JSON] = []
    for part in explained(source, destination, policies.peers.cluster, policies):
        for stage in part.decision.stages if part.decision.is_allowed else ():
            item = rule_json(stage.stage, stage.action.value, stage.rule)
            if stage.rule is not None and item not in found:
                found.append(item)
    return found


def exposure_json(found: Iterable[Exposure]) -> list[JSON]:
    """The member `exposure`."""
    return [
        {
            "workload": each.workload,
            "direction": each.direction,
            "namespaceLabels": dict(each.namespace_labels),
            "podLabels": dict(each.pod_labels),
            "ports": each.connections.as_lists(),
        }
        for each in found
    ]


def requirements_json(found: Iterable[Needed]) -> list[JSON]:
    """The member `requirements`."""
    return [
        {
            "source": each.source,
            "destination": each.destination,
            "ports": each.connections.as_lists(),
            "confidence": each.confidence,
            "allowed": each.is_allowed,
            "origin": location(each.origin),
        }
        for each in found
    ]


def explained_parts(shown: ConnectivityMap, policies: PolicySet, outcome: Outcome) -> Iterator[str]:
    """Text: each pair with its connections in parts, and the lines that decide each part."""
    for source, reached in shown.by_source():
        for each in reached:
            yield f"{terminal(source)} -> {terminal(each.destination)}\n"
            for part in explained(source, each.destination, policies.peers.cluster, policies):
                yield f"  {_part_text(part)}\n"
    tail = outcome.tail()
    if tail:
        yield "\n" + "\n".join(tail) + "\n"


def _part_text(part: Part) -> str:
    allowed = part.decision.is_allowed
    words = []
    for stage in part.decision.stages:
        if not allowed and stage.action is Action.ALLOW:
            continue
        origin = stage.rule.origin if stage.rule is not None else None
        if origin is not None:
            where = place_text(place_of(origin.resource, origin.path))
            words.append(f"{stage.stage} by {terminal(str(origin.resource))} ({where})")
    why = "; ".join(words) or "no policy concerns it"
    return f"{'allowed' if allowed else 'denied '} {part.connections}: {why}"


def exposure_text(found: Sequence[Exposure]) -> Iterator[str]:
    """Text: what pods beyond the manifests could."""
    yield "\nexposure to pods that are not in the manifests:\n"
    for each in found:
        who = "any pod"
        labels = [f"{key}={value}" for key, value in each.pod_labels.items()]
        spaces = [f"{key}={value}" for key, value in each.namespace_labels.items()]
        if labels or spaces:
            who = f"pods labelled {', '.join(labels)}" if labels else "any pod"
            who += f" in namespaces labelled {', '.join(spaces)}" if spaces else " in any namespace"
        arrow = "<-" if each.direction == "ingress" else "->"
        yield f"  {terminal(each.workload)} {arrow} {terminal(who)}  {each.connections}\n"
    if not found:
        yield "  none\n"


def requirements_text(found: Sequence[Needed]) -> Iterator[str]:
    """Text: what the manifests need, and whether policies allow it."""
    yield "\nneeded by the manifests:\n"
    words = {True: "allowed", False: "BLOCKED", None: "unknown"}
    for each in found:
        ends = f"{terminal(each.source)} -> {terminal(each.destination)}  {each.connections}"
        yield f"  {words[each.is_allowed]}: {ends} ({place_text(each.origin)})\n"
    if not found:
        yield "  nothing\n"
