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
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import Action, LabelOperator, LabelTest, PolicySet
from k8snetlint.source.text import Place

_OPERATORS = {
    LabelOperator.IN: "In",
    LabelOperator.NOT_IN: "NotIn",
    LabelOperator.EXISTS: "Exists",
    LabelOperator.ABSENT: "DoesNotExist",
}


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
            "namespaceLabels": _labels(each.namespace_tests),
            "podLabels": _labels(each.pod_tests),
            "namespaceExpressions": _expressions(each.namespace_tests),
            "podExpressions": _expressions(each.pod_tests),
            "ports": each.connections.as_lists(),
        }
        for each in found
    ]


def _is_label(test: LabelTest) -> bool:
    return test.operator is LabelOperator.IN and len(test.values) == 1


def _labels(tests: Iterable[LabelTest]) -> JSON:
    """The tests that ask for one value."""
    return {test.key: test.values[0] for test in tests if _is_label(test)}


def _expressions(tests: Iterable[LabelTest]) -> JSON:
    """The other tests, as a selector writes them."""
    return [
        {"key": test.key, "operator": _OPERATORS.get(test.operator, test.operator.value), "values": list(test.values)}
        for test in tests
        if not _is_label(test)
    ]


def _test_text(test: LabelTest) -> str:
    """A test as `kubectl` writes selectors."""
    if _is_label(test):
        return f"{test.key}={test.values[0]}"
    match test.operator:
        case LabelOperator.EXISTS:
            return test.key
        case LabelOperator.ABSENT:
            return f"!{test.key}"
        case LabelOperator.NOT_IN:
            return f"{test.key} notin ({', '.join(test.values)})"
    return f"{test.key} {test.operator.value} ({', '.join(test.values)})"


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
        labels, spaces = _texts(each.pod_tests), _texts(each.namespace_tests)
        if labels or spaces:
            who = f"pods with {labels}" if labels else "any pod"
            who += _where(each.namespace_tests, spaces) if spaces else " in any namespace"
        arrow = "<-" if each.direction == "ingress" else "->"
        yield f"  {terminal(each.workload)} {arrow} {terminal(who)}  {each.connections}\n"
    if not found:
        yield "  none\n"


def _texts(tests: Iterable[LabelTest]) -> str:
    return ", ".join(map(_test_text, tests))


def _where(tests: Sequence[LabelTest], text: str) -> str:
    if len(tests) == 1 and _is_label(tests[0]) and tests[0].key == NAMESPACE_NAME_LABEL:
        return f" in namespace {tests[0].values[0]}"
    return f" in namespaces with {text}"


def requirements_text(found: Sequence[Needed]) -> Iterator[str]:
    """Text: what the manifests need, and whether policies allow it."""
    yield "\nneeded by the manifests:\n"
    words = {True: "allowed", False: "BLOCKED", None: "unknown"}
    for each in found:
        ends = f"{terminal(each.source)} -> {terminal(each.destination)}  {each.connections}"
        yield f"  {words[each.is_allowed]}: {ends} ({place_text(each.origin)})\n"
    if not found:
        yield "  nothing\n"
