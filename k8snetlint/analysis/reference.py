"""The oracle: is this one flow allowed? A literal transcription of the API documents, slow on purpose.

Explanations and witnesses of the other engines are replayed here before they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.policy.ir import (
    INGRESS,
    L7,
    Action,
    AllOf,
    AnyOf,
    AnyPod,
    ConnectionExpr,
    Everything,
    HasAddress,
    InNamespace,
    IsNode,
    NamespaceLabel,
    NodeIs,
    Not,
    Nothing,
    PeerExpr,
    PodLabel,
    PolicyRule,
    PolicySet,
    RunsOn,
    ServiceAccountIs,
    Stage,
)
from k8snetlint.policy.peers import Flow, Peer

SOURCE, DESTINATION, PROTOCOL, PORT = "source", "destination", "protocol", "port"


@attrs.frozen
class StageDecision:
    """What one stage says of a flow.

    `rule` is the rule that decides, None where no rule matches and the default allows.
    `passed` are the PASS rules that matched on the way to it.
    """

    stage: str
    action: Action
    rule: PolicyRule | None
    tier: str | None
    passed: tuple[PolicyRule, ...] = ()


@attrs.frozen
class Decision:
    """The verdict on one flow, with what every stage says; `is_self` is a pod's connection to itself."""

    is_allowed: bool
    stages: tuple[StageDecision, ...]
    is_self: bool = False


@attrs.frozen
class Miss:
    """An allow rule for this subject that does not match, and the first part of it that does not fit.

    `part` is `source`, `destination`, `protocol` or `port`.
    """

    rule: PolicyRule
    part: str


def is_allowed(policies: PolicySet, flow: Flow) -> Decision:
    """Whether the policies let the flow pass, and which rule of each stage decides.

    A pod reaches itself at its own address whatever the policies say; through a Service it is subject to them.
    """
    stages = tuple(decide(stage, flow) for stage in policies.stages)
    is_self = flow.is_to_itself
    return Decision(is_self or all(stage.action is Action.ALLOW for stage in stages), stages, is_self)


def decide(stage: Stage, flow: Flow) -> StageDecision:
    """What one stage says: the first matching rule of each tier, until one allows or denies."""
    passed: list[PolicyRule] = []
    for tier in stage.tiers:
        for rule in tier.rules:
            if missing_part(rule, flow) is None:
                if rule.action is Action.PASS:
                    passed.append(rule)
                    break
                return StageDecision(stage.name, rule.action, rule, tier.name, tuple(passed))
    return StageDecision(stage.name, Action.ALLOW, None, None, tuple(passed))


def isolating_rules(stage: Stage, flow: Flow) -> tuple[PolicyRule, ...]:
    """The default denies that apply to the subject: one for each policy that isolates it in this direction."""
    return tuple(
        rule for tier in stage.tiers for rule in tier.rules if rule.is_default and missing_part(rule, flow) is None
    )


def misses(stage: Stage, flow: Flow) -> Iterator[Miss]:
    """Every allow rule of the stage for the flow's subject that does not match, in the order of the tiers."""
    is_destination = stage.name in (INGRESS, L7)
    for tier in stage.tiers:
        for rule in tier.rules:
            if rule.action is not Action.ALLOW:
                continue
            subject = rule.match.destination if is_destination else rule.match.source
            if not matches(subject, flow.destination if is_destination else flow.source):
                continue
            part = missing_part(rule, flow)
            if part is not None:
                yield Miss(rule, part)


def missing_part(rule: PolicyRule, flow: Flow) -> str | None:
    """The first part of the rule that the flow does not fit; None if the rule matches.

    The subject's side is tried first by the stage's nature: of source and destination the one that fails is named,
    and where both fail the destination is named only if the source fits.
    """
    if not matches(rule.match.source, flow.source):
        return SOURCE
    if not matches(rule.match.destination, flow.destination):
        return DESTINATION
    return missing_connection(rule.match.connections, flow)


def missing_connection(connections: ConnectionExpr, flow: Flow) -> str | None:
    """The part of a rule's connections that a flow does not fit, `protocol` or `port`; None if it fits."""
    if (flow.protocol, flow.port) in connections.fixed:
        return None
    protocols = {protocol for protocol, _ in connections.fixed.items()}
    for port in connections.named:
        for declared in flow.destination.ports if flow.destination.is_pod else ():
            if declared.name != port.name or port.protocol not in (None, declared.protocol):
                continue
            if (declared.protocol, declared.number) == (flow.protocol, flow.port):
                return None
        protocols.add(port.protocol or flow.protocol)
    return PORT if flow.protocol in protocols else PROTOCOL


def matches(peer: PeerExpr, candidate: Peer) -> bool:
    """Whether a concrete peer is one of those that a peer expression stands for."""
    # The commonest come first: rules are looked up with this by the million.
    match peer:
        case AllOf(parts):
            for part in parts:  # noqa: SIM110 (a generator costs a third more)
                if not matches(part, candidate):
                    return False
            return True
        case InNamespace(name):
            return candidate.is_pod and candidate.namespace == name
        case PodLabel(test):
            return candidate.is_pod and test.holds(candidate.labels.get(test.key))
        case Everything():
            return True
        case NamespaceLabel(test):
            return candidate.is_pod and test.holds(candidate.namespace_labels.get(test.key))
        case AnyPod():
            return candidate.is_pod
        case AnyOf(parts):
            return any(matches(part, candidate) for part in parts)
        case HasAddress(addresses):
            return bool(candidate.addresses) and candidate.addresses <= addresses
        case Nothing():
            return False
        case ServiceAccountIs(name):
            return candidate.is_pod and candidate.service_account == name
        case IsNode(tests):
            return candidate.is_node and all(test.holds(candidate.node_labels.get(test.key)) for test in tests)
        case NodeIs(name):
            return candidate.is_node and candidate.node == name
        case RunsOn(name):
            return candidate.is_pod and candidate.node == name
        case Not(part):
            return not matches(part, candidate)
