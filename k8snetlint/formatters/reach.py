"""The answer to one question: for people, and the contract `k8snetlint/reach/v1`."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.addition import Addition, addition, path_text
from k8snetlint.analysis.reach import Answer, FlowAnswer, ReachVerdict, SideAnswer
from k8snetlint.analysis.reference import DESTINATION, PROTOCOL, SOURCE, Miss
from k8snetlint.policy.ir import Action, ConnectionExpr, PolicyRule
from k8snetlint.policy.peers import Peer

from .escape import terminal
from .json import JSON, dumped, location
from .outcome import Outcome, place_of, place_text, resource_json, rule_json

REACH_FORMATS = ("text", "json")
_COLOURS = {ReachVerdict.ALLOWED: "1;32", ReachVerdict.DENIED: "1;31"}
_SHOWN_MISSES = 10


def render(name: str, source: str, destination: str, answer: Answer, outcome: Outcome) -> str:
    """An answer in a format of REACH_FORMATS; source and destination as they were asked for."""
    if name == "json":
        return dumped(_json(source, destination, answer, outcome))
    return "\n".join(_text(source, destination, answer, outcome)) + "\n"


def _json(source: str, destination: str, answer: Answer, outcome: Outcome) -> dict[str, JSON]:
    return {
        **outcome.members("k8snetlint/reach/v1"),
        "source": source,
        "destination": destination,
        "verdict": answer.verdict.value,
        "reason": answer.reason,
        "protocol": answer.protocol,
        "port": answer.port,
        "backends": list(_backends(answer)),
        "path": [
            {
                "resource": resource_json(step.resource),
                "location": location(place_of(step.resource, step.path)),
                "text": step.text,
            }
            for step in answer.path
        ],
        "deciding": [dict(item) for item in _deciding(answer)],
        "flows": [_flow(flow) for flow in answer.flows],
    }


def _backends(answer: Answer) -> Iterator[JSON]:
    if not answer.path:
        return
    by_backend: dict[tuple[str, int], list[bool]] = {}
    for flow in answer.flows:
        by_backend.setdefault((str(flow.flow.destination), flow.flow.port), []).append(flow.is_allowed)
    for (name, port), allowed in by_backend.items():
        verdict = "allowed" if all(allowed) else "partial" if any(allowed) else "denied"
        yield {"backend": name, "port": port, "verdict": verdict, "reason": None}
    for name, reason in answer.unreachable:
        yield {"backend": name, "port": None, "verdict": "denied", "reason": reason}


def _deciding(answer: Answer) -> Iterator[dict[str, JSON]]:
    """What decides, each rule once: every side's rule of an allowed answer, the denying sides' of a denied one."""
    seen: list[dict[str, JSON]] = []
    for flow in answer.deciding:
        for side in flow.sides:
            decision = side.decision
            if not flow.is_allowed and decision.action is Action.ALLOW:
                continue
            for rule in side.isolating or (decision.rule,):
                item = rule_json(decision.stage, decision.action.value, rule)
                if isinstance(item, dict) and item not in seen:
                    seen.append(item)
    yield from seen


def _flow(flow: FlowAnswer) -> JSON:
    asked = flow.flow
    return {
        "source": str(asked.source),
        "destination": str(asked.destination),
        "protocol": asked.protocol,
        "port": asked.port,
        "verdict": "allowed" if flow.is_allowed else "denied",
        "sides": [_side(side, flow) for side in flow.sides],
    }


def _side(side: SideAnswer, flow: FlowAnswer) -> JSON:
    decision = side.decision
    more = addition(side, flow.flow) if decision.action is Action.DENY and not flow.is_allowed else None
    return {
        "deciding": rule_json(decision.stage, decision.action.value, decision.rule),
        "isolating": [rule_json(decision.stage, "deny", rule) for rule in side.isolating],
        "misses": [
            {"rule": rule_json(decision.stage, "allow", miss.rule), "part": miss.part, "text": _miss_text(miss)}
            for miss in side.misses
        ],
        "addition": None if more is None else _addition(more),
    }


def _addition(more: Addition) -> JSON:
    return {
        "text": more.text,
        "resource": None if more.resource is None else resource_json(more.resource),
        "location": None if more.resource is None else location(place_of(more.resource, more.path)),
        "yaml": "".join(f"{line}\n" for line in more.lines),
    }


def _text(source: str, destination: str, answer: Answer, outcome: Outcome) -> Iterator[str]:
    verdict = outcome.paint(answer.verdict.value, _COLOURS.get(answer.verdict, "1;33"))
    port = f" on {answer.protocol} {answer.port}" if answer.port else ""
    yield f"{verdict}: {terminal(source)} -> {terminal(destination)}{port}"
    if answer.reason is not None:
        yield f"  {terminal(answer.reason)}"
    for step in answer.path:
        yield f"  {terminal(step.text)} ({place_text(place_of(step.resource, step.path))})"
    for name, reason in answer.unreachable:
        yield f"  {terminal(name)} {terminal(reason)}"
    for flow in answer.flows:
        yield ""
        yield from _flow_text(flow, outcome)
    tail = outcome.tail()
    if tail:
        yield ""
        yield from tail


def _flow_text(flow: FlowAnswer, outcome: Outcome) -> Iterator[str]:
    asked = flow.flow
    word = outcome.paint("allowed", "32") if flow.is_allowed else outcome.paint("denied", "31")
    yield f"{terminal(str(asked.source))} -> {terminal(str(asked.destination))} {asked.protocol} {asked.port}: {word}"
    if flow.decision.is_self:
        yield "  a pod's connection to its own address never leaves it: no policy applies"
        return
    stages = {side.decision.stage for side in flow.sides}
    for stage in ("egress", "ingress"):
        if stage not in stages:
            yield f"  {stage}: allowed, no policy concerns it"
    for side in flow.sides:
        yield from _side_text(side, flow)


def _side_text(side: SideAnswer, flow: FlowAnswer) -> Iterator[str]:
    decision = side.decision
    subject = flow.flow.source if decision.stage == "egress" else flow.flow.destination
    for rule in decision.passed:
        yield f"  {decision.stage}: passed on by {_rule_text(rule)}"
    if decision.rule is None:
        yield f"  {decision.stage}: allowed, {_unselected(subject)}"
        return
    if decision.action is Action.ALLOW:
        yield f"  {decision.stage}: allowed by {_rule_text(decision.rule)}"
        return
    if not decision.rule.is_default:
        yield f"  {decision.stage}: denied by {_rule_text(decision.rule)}"
    for rule in side.isolating:
        origin = rule.origin
        if origin is not None:
            yield f"  {decision.stage}: denied, isolated by {_rule_text(rule)}"
    for miss in side.misses[:_SHOWN_MISSES]:
        yield f"    not by {_rule_text(miss.rule)}: {_miss_text(miss)}"
    if len(side.misses) > _SHOWN_MISSES:
        yield f"    nor by {len(side.misses) - _SHOWN_MISSES} more rules"
    more = addition(side, flow.flow)
    if more is not None:
        yield f"    to allow it: {terminal(more.text)}{':' if more.lines else ''}"
        for line in more.lines:
            yield f"      {terminal(line)}"


def _unselected(subject: Peer) -> str:
    """Why no policy decides on a side."""
    name = terminal(str(subject))
    if subject.is_pod:
        return f"no policy isolates {name}"
    return f"policies do not select {name}: " + ("it counts as a node" if subject.is_node else "it is no pod")


def _rule_text(rule: PolicyRule) -> str:
    if rule.origin is None:
        return "the cluster itself: a pod's own node reaches it"
    resource, path = rule.origin.resource, rule.origin.path
    where = f" {path_text(path)}" if path and not rule.is_default else ""
    return f"{terminal(str(resource))}{terminal(where)} ({place_text(place_of(resource, path))})"


def _miss_text(miss: Miss) -> str:
    """The first part of a rule that does not fit, in words."""
    if miss.part == SOURCE:
        return "it is about other sources"
    if miss.part == DESTINATION:
        return "it is about other destinations"
    opened = _connections_text(miss.rule.match.connections)
    return f"it is about other {'protocols' if miss.part == PROTOCOL else 'ports'}: {opened}"


def _connections_text(connections: ConnectionExpr) -> str:
    named = [f"the port named `{port.name}`" for port in connections.named]
    fixed = [str(connections.fixed)] if connections.fixed else []
    return ", ".join([*fixed, *named]) or "none"
