"""How a connection that is needed and blocked is told: at the line that states it, with the nearest rule and why."""

from __future__ import annotations

from k8snetlint.analysis.blocking import Blocked, denying_sides, nearest_miss, opened_text
from k8snetlint.analysis.reach import FlowAnswer, SideAnswer
from k8snetlint.analysis.requirements import Ground, Requirement
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context
from k8snetlint.policy.ir import EGRESS, INGRESS, PolicyRule, PolicySet
from k8snetlint.policy.peers import Flow

# Groups whose policies are not read, and never open what a NetworkPolicy shuts: they ask proxies, or only deny.
_NEVER_OPEN = frozenset({"security.istio.io", "policy.linkerd.io", "k8s.ovn.org"})


def told(
    ctx: Context,
    found: Blocked,
    client: str,
    policies: PolicySet,
    *,
    severity: Severity | None = None,
    confidence: Confidence | None = None,
    advice: str | None = None,
    more: str = "",
) -> Diagnostic:
    """The diagnostic of a blocked requirement, at the line that states it."""
    need = found.requirement
    answer = found.flows[0]
    sides = denying_sides(answer)
    flow = answer.flow
    port = f"{flow.protocol} {flow.port}"
    is_plain = need.ground is Ground.API or need.written.endswith(f":{flow.port}")
    what = need.written if is_plain else f"{need.written}, which is {port} of the pods"
    if need.ground is Ground.API:
        what = "the API server"
    it = "them" if more else "it"
    reasons = " and ".join(reason(side, answer, need) for side in sides)
    scope = "" if found.is_total else f" for {len({a.flow.destination.text for a in found.flows})} of its backends"
    related: list[Location] = []
    for side in sides:
        related += related_of_side(ctx, side, flow)
    opens = [side for side in sides if side.decision.rule is None or side.decision.rule.is_default]
    directions = " and ".join("egress" if side.decision.stage == EGRESS else "ingress" for side in opens or sides)
    subject = flow.destination if INGRESS in directions else flow.source
    return ctx.report(
        need.resource,
        *need.path,
        primary=Location(need.place, "needed here"),
        message=f"{client} needs {what}{more}, but policies block {it}{scope}: {reasons}",
        severity=level(ctx, policies, severity or ctx.rule.severity),
        confidence=confidence or min(ctx.rule.confidence, need.confidence),
        related=related[:6],
        notes=(f"for example {flow.source} -> {flow.destination} {port} is denied",),
        help=advice or f"allow {port} in an {directions} rule that selects {subject}",
    )


def reason(side: SideAnswer, answer: FlowAnswer, need: Requirement | None = None) -> str:
    """Why one side denies, in a clause: the deny rule, the port opened instead, or that no rule admits it."""
    rule = side.decision.rule
    flow = answer.flow
    if rule is not None and not rule.is_default and rule.origin is not None:
        return f"{rule.origin.resource} denies it"
    is_egress = side.decision.stage == EGRESS
    who, other = (flow.source, flow.destination) if is_egress else (flow.destination, flow.source)
    miss = nearest_miss(side, flow)
    if miss is not None and miss.part in ("port", "protocol") and miss.rule.origin is not None:
        opened = opened_text(miss.rule, flow.destination)
        service_port = need.service_port.number if need is not None and need.service_port is not None else None
        is_service_port = service_port != flow.port and f" {service_port}" in f" {opened}"
        hint = ", the Service's port," if is_service_port else ","
        return f"{miss.rule.origin.resource} opens {opened}{hint} not {flow.protocol} {flow.port}"
    isolating = next((rule.origin.resource for rule in side.isolating if rule.origin is not None), None)
    verb = f"lets {who} out to {other}" if is_egress else f"admits {other} to {who}"
    return f"no {side.decision.stage} rule {verb}" + (f", which {isolating} isolates" if isolating else "")


def related_of_side(ctx: Context, side: SideAnswer, flow: Flow) -> list[Location]:
    """The nearest rule first, with the part that does not fit, then the policies that isolate."""
    found: list[Location] = []
    rule = side.decision.rule
    if rule is not None and not rule.is_default:
        found += place_of_rule(ctx, rule, "denied here")
    miss = nearest_miss(side, flow)
    if miss is not None:
        label = {"port": "other port", "protocol": "other protocol"}.get(miss.part, "other peers")
        peers = "to" if side.decision.stage == EGRESS else "from"
        found += place_of_rule(ctx, miss.rule, label, "ports" if miss.part in ("port", "protocol") else peers)
    for isolating in side.isolating:
        found += place_of_rule(ctx, isolating, f"isolates for {side.decision.stage}", "podSelector")
    return list(dict.fromkeys(found))


def place_of_rule(ctx: Context, rule: PolicyRule, label: str, field: str = "") -> list[Location]:
    """The place of a rule, or of a field of it where it has that."""
    if rule.origin is None:
        return []
    path = rule.origin.path
    if field and rule.origin.resource.root.get(*path, field) is not None:
        return [ctx.location(rule.origin.resource, *path, field, label=label, key=True)]
    return [ctx.near(rule.origin.resource, *path, label=label)]


def level(ctx: Context, policies: PolicySet, severity: Severity) -> Severity:
    """The severity, as far as what is in sight proves it: an allow may stand in what is not, or is not read."""
    may_open = any(problem.resource.group not in _NEVER_OPEN for problem in policies.problems)
    return severity if ctx.unit.shows_all and not may_open else Severity.NOTE
