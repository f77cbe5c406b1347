"""Connections that the manifests need and the policies block."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.blocking import (
    Blocked,
    allowing_rules,
    blocked,
    denying_sides,
    is_isolated,
    may_be_unseen,
    nearest_miss,
    needs_of,
    opened_on,
    opened_text,
    peer_of,
    policies_of,
)
from k8snetlint.analysis.ends import ingress_controllers
from k8snetlint.analysis.reach import FlowAnswer, SideAnswer
from k8snetlint.analysis.reference import isolating_rules
from k8snetlint.analysis.requirements import Client, Requirement
from k8snetlint.analysis.routing import Backend, backends
from k8snetlint.diagnostic import Diagnostic, Location, Severity
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.policy.ir import EGRESS, INGRESS, PolicyRule, PolicySet
from k8snetlint.policy.peers import Flow, Peer


@cluster_check("NP044")
def networkpolicy_blocks_dependency(ctx: Context) -> Iterator[Diagnostic]:
    """An address in a variable, argument or file that the policies block."""
    policies = ctx.once(policies_of)
    for need in ctx.once(needs_of):
        if need.client is not Client.WORKLOAD or need.workload is None or need.is_to_itself:
            continue
        source = policies.peers.of(need.workload)
        found = blocked(need, (source,), policies) if source is not None else None
        if found is not None and not ctx.cluster.is_context(need.resource):
            yield _report(ctx, found, f"{need.workload}", policies)


@cluster_check("NP042")
def networkpolicy_blocks_ingress_backend(ctx: Context) -> Iterator[Diagnostic]:
    """A backend of an Ingress or route whose pods do not admit the controller."""
    policies = ctx.once(policies_of)
    for need in ctx.once(needs_of):
        if need.client is not Client.INGRESS_CONTROLLER or ctx.cluster.is_context(need.resource):
            continue
        found = blocked(need, ingress_controllers(), policies)
        if found is None or not found.is_total or _may_admit_unseen(ctx, need, policies):
            continue
        yield _report(ctx, found, "the ingress controller", policies)


def _may_admit_unseen(ctx: Context, need: Requirement, policies: PolicySet) -> bool:
    """Whether a rule on a backend's port may well be meant for a client that the manifests do not hold."""
    for backend in need.backends:
        peer = peer_of(backend, policies)
        if peer is None or backend.port is None:
            continue
        for rule in allowing_rules(policies, INGRESS, peer, backend.protocol, backend.port):
            if may_be_unseen(rule.match.source, ctx.cluster, policies, peer.namespace):
                return True
    return False


@cluster_check("NP041")
def networkpolicy_blocks_service(ctx: Context) -> Iterator[Diagnostic]:
    """A Service port that no source at all can reach, because of the policies on its pods."""
    policies = ctx.once(policies_of)
    for service in ctx.cluster.services:
        if ctx.cluster.is_context(service):
            continue
        for port in service.ports:
            reached = [backend for backend in backends(ctx.cluster, service, port) if backend.port is not None]
            peers = [(peer, backend) for backend in reached if (peer := peer_of(backend, policies)) is not None]
            if peers and all(_is_closed(policies, peer, backend) for peer, backend in peers):
                yield _dead_port(ctx, policies, service, port, *peers[0])


def _is_closed(policies: PolicySet, peer: Peer, backend: Backend) -> bool:
    return is_isolated(policies, INGRESS, peer) and not any(
        allowing_rules(policies, INGRESS, peer, backend.protocol, backend.port or 0)
    )


def _dead_port(
    ctx: Context, policies: PolicySet, service: Service, port: ServicePort, peer: Peer, backend: Backend
) -> Diagnostic:
    is_needed = any(need.service is service and need.service_port is port for need in ctx.once(needs_of))
    return ctx.report(
        service,
        *port.path,
        "port",
        message=(
            f"nothing can reach port {port} of the Service: it leads to {backend.protocol} {backend.port} of {peer}, "
            f"and the policies that isolate those pods open {opened_on(policies, peer) or 'no port'}"
        ),
        severity=_level(ctx, policies, Severity.ERROR if is_needed else Severity.WARNING),
        related=_isolating(ctx, policies, peer),
        help=f"allow {backend.protocol} {backend.port} in an ingress rule that selects {peer}",
    )


def _report(ctx: Context, found: Blocked, client: str, policies: PolicySet) -> Diagnostic:
    """The diagnostic of a blocked requirement, at the line that states it."""
    need = found.requirement
    answer = found.flows[0]
    sides = denying_sides(answer)
    flow = answer.flow
    port = f"{flow.protocol} {flow.port}"
    what = f"{need.written}" if str(flow.port) in need.written else f"{need.written}, which is {port} of the pods"
    reasons = " and ".join(_reason(side, answer, need) for side in sides)
    scope = "" if found.is_total else f" for {len({a.flow.destination.text for a in found.flows})} of its backends"
    related: list[Location] = []
    for side in sides:
        related += _related(ctx, side)
    opens = [side for side in sides if side.decision.rule is None or side.decision.rule.is_default]
    directions = " and ".join("egress" if side.decision.stage == EGRESS else "ingress" for side in opens or sides)
    subject = flow.destination if INGRESS in directions else flow.source
    return ctx.report(
        need.resource,
        *need.path,
        primary=Location(need.place, "needed here"),
        message=f"{client} needs {what}, but policies block it{scope}: {reasons}",
        severity=_level(ctx, policies, ctx.rule.severity),
        confidence=min(ctx.rule.confidence, need.confidence),
        related=related[:6],
        notes=(f"for example {flow.source} -> {flow.destination} {port} is denied",),
        help=f"allow {port} in an {directions} rule that selects {subject}",
    )


def _reason(side: SideAnswer, answer: FlowAnswer, need: Requirement) -> str:
    """Why one side denies, in a clause: the deny rule, the port opened instead, or that no rule admits it."""
    rule = side.decision.rule
    flow = answer.flow
    if rule is not None and not rule.is_default and rule.origin is not None:
        return f"{rule.origin.resource} denies it"
    is_egress = side.decision.stage == EGRESS
    who, other = (flow.source, flow.destination) if is_egress else (flow.destination, flow.source)
    miss = nearest_miss(side)
    if miss is not None and miss.part in ("port", "protocol") and miss.rule.origin is not None:
        opened = opened_text(miss.rule, flow.destination)
        service_port = need.service_port.number if need.service_port is not None else None
        is_service_port = service_port != flow.port and f" {service_port}" in f" {opened}"
        hint = ", the Service's port," if is_service_port else ","
        return f"{miss.rule.origin.resource} opens {opened}{hint} not {flow.protocol} {flow.port}"
    isolating = next((rule.origin.resource for rule in side.isolating if rule.origin is not None), None)
    verb = f"lets {who} out to {other}" if is_egress else f"admits {other} to {who}"
    return f"no {side.decision.stage} rule {verb}" + (f", which {isolating} isolates" if isolating else "")


def _related(ctx: Context, side: SideAnswer) -> list[Location]:
    """The nearest rule first, with the part that does not fit, then the policies that isolate."""
    found: list[Location] = []
    rule = side.decision.rule
    if rule is not None and not rule.is_default:
        found += _at(ctx, rule, "denied here")
    miss = nearest_miss(side)
    if miss is not None:
        label = {"port": "other port", "protocol": "other protocol"}.get(miss.part, "other peers")
        found += _at(ctx, miss.rule, label, "ports" if miss.part in ("port", "protocol") else "")
    for isolating in side.isolating:
        found += _at(ctx, isolating, f"isolates for {side.decision.stage}", "podSelector")
    return list(dict.fromkeys(found))


def _at(ctx: Context, rule: PolicyRule, label: str, field: str = "") -> list[Location]:
    """The place of a rule, or of a field of it where it has that."""
    if rule.origin is None:
        return []
    path = rule.origin.path
    if field and rule.origin.resource.root.get(*path, field) is not None:
        return [ctx.location(rule.origin.resource, *path, field, label=label, key=True)]
    return [ctx.near(rule.origin.resource, *path, label=label)]


def _isolating(ctx: Context, policies: PolicySet, peer: Peer) -> list[Location]:
    someone = Flow(Peer("anyone"), peer, "TCP", 1)
    rules = (rule for stage in policies.stages if stage.name == INGRESS for rule in isolating_rules(stage, someone))
    return [location for rule in rules for location in _at(ctx, rule, "isolates the pods", "podSelector")][:3]


def _level(ctx: Context, policies: PolicySet, severity: Severity) -> Severity:
    """The severity, as far as what is in sight proves it: an allow may stand in what is not."""
    return severity if ctx.unit.complete and not policies.problems else Severity.NOTE
