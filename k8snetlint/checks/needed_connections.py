"""Connections that the manifests need and the policies block."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.blocking import (
    Blocked,
    allowing_rules,
    is_isolated,
    needs_of,
    opened_on,
    peer_of,
    policies_of,
)
from k8snetlint.analysis.judgement import judgements
from k8snetlint.analysis.latelabels import when_running
from k8snetlint.analysis.reference import isolating_rules
from k8snetlint.analysis.requirements import Ground
from k8snetlint.analysis.routing import Backend, backends
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.policy.ir import INGRESS, PolicySet
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.source.text import Place

from .needs import level, place_of_rule, told


def _blocked(ctx: Context, ground: Ground) -> Iterator[Blocked]:
    """The needs of a ground that the policies block, of what is reported on."""
    for need, found in ctx.once(judgements).of:
        is_asked = need.ground is ground and not ctx.cluster.is_context(need.resource)
        if is_asked and found.is_allowed is False and found.blocked is not None:
            yield found.blocked


@cluster_check("NP044")
def networkpolicy_blocks_dependency(ctx: Context) -> Iterator[Diagnostic]:
    """An address in a variable, argument or file that the policies block."""
    # Of those who read a line of a ConfigMap or Secret some may not use it, if others may have what it needs.
    held = {
        need.place
        for need, found in ctx.once(judgements).of
        if need.ground is Ground.ADDRESS and need.resource is not need.workload and found.is_allowed
    }
    for blocked in _blocked(ctx, Ground.ADDRESS):
        need = blocked.requirement
        if not need.is_to_itself:
            confidence = Confidence.LOW if need.place in held else None
            yield told(ctx, blocked, f"{need.workload}", ctx.once(judgements).policies, confidence=confidence)


@cluster_check("NP042")
def networkpolicy_blocks_ingress_backend(ctx: Context) -> Iterator[Diagnostic]:
    """A backend of an Ingress or route whose pods do not admit the controller."""
    for found in _blocked(ctx, Ground.ROUTE):
        controller = found.requirement.workload
        client = f"the ingress controller {controller}" if controller is not None else "the ingress controller"
        # One on the host network comes from a node's address, and is let in to the pods of its own node.
        is_sure = controller is not None and not controller.host_network and found.is_total
        severity = Severity.ERROR if is_sure else None
        yield told(ctx, found, client, ctx.once(judgements).policies, severity=severity)


@cluster_check("NP043")
def networkpolicy_blocks_webhook(ctx: Context) -> Iterator[Diagnostic]:
    """A webhook, aggregated API or conversion whose pods do not admit the API server."""
    for found in _blocked(ctx, Ground.CALL):
        flow = found.flows[0].flow
        advice = (
            f"allow {flow.protocol} {flow.port} in an ingress rule without `from`, or from the API server's addresses by "
            "an `ipBlock`: no selector selects it"
        )
        yield told(ctx, found, "the API server", ctx.once(judgements).policies, advice=advice)


@cluster_check("NP046")
def networkpolicy_blocks_monitoring(ctx: Context) -> Iterator[Diagnostic]:
    """A target of a monitor or an annotation whose pods do not admit Prometheus."""
    for found, more in _grouped(_blocked(ctx, Ground.SCRAPE)):
        need = found.requirement
        known = f"the Prometheus {need.workload}" if need.workload is not None else f"the {need.client_object}"
        who = known if need.client_object is not None else "whatever Prometheus scrapes it"
        yield told(ctx, found, who, ctx.once(judgements).policies, more=more)


@cluster_check("NP047")
def networkpolicy_blocks_peers(ctx: Context) -> Iterator[Diagnostic]:
    """Pods of one StatefulSet that do not reach each other."""
    for found, more in _grouped(_blocked(ctx, Ground.PEERS)):
        client = f"every pod of {found.requirement.workload}"
        yield told(ctx, found, client, ctx.once(judgements).policies, more=more)


@cluster_check("NP048")
def networkpolicy_blocks_api_server_egress(ctx: Context) -> Iterator[Diagnostic]:
    """A client of the API whose egress is isolated, with no rule that lets it out to the API server."""
    for found in _blocked(ctx, Ground.API):
        advice = (
            "allow egress to the API server's addresses by an `ipBlock`, on its own port: 6443 with most distributions"
        )
        yield told(ctx, found, f"{found.requirement.workload}", ctx.once(judgements).policies, advice=advice)


def _grouped(blocked: Iterator[Blocked]) -> Iterator[tuple[Blocked, str]]:
    """The first blocked need of each line, and in words how many more that line states."""
    by_place: dict[Place, list[Blocked]] = {}
    for found in blocked:
        by_place.setdefault(found.requirement.place, []).append(found)
    for group in by_place.values():
        others = sorted({found.requirement.written for found in group[1:]} - {group[0].requirement.written})
        yield group[0], f" and {', '.join(others)}" if others else ""


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
        rule
        for subject in (peer, *when_running(peer, policies))
        for rule in allowing_rules(policies, INGRESS, subject, backend.protocol, backend.port or 0)
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
            f"and the policies that isolate those pods open {opened_on(policies, peer) or 'no port'}{_door(port, peer, policies)}"
        ),
        severity=level(ctx, policies, Severity.ERROR if is_needed else Severity.WARNING),
        related=isolating_locations(ctx, policies, peer),
        help=f"allow {backend.protocol} {backend.port} in an ingress rule that selects {peer}",
    )


def _door(port: ServicePort, peer: Peer, policies: PolicySet) -> str:
    """What a number is that policies open instead of the pods' port, if clients dial it."""
    for what, number in (("nodePort", port.node_port), ("port", port.number)):
        if number is not None and any(allowing_rules(policies, INGRESS, peer, port.protocol, number)):
            return f"; {number} is the {what} of the Service, and policies see the port of the pod"
    return ""


def isolating_locations(ctx: Context, policies: PolicySet, peer: Peer) -> list[Location]:
    """The policies that isolate a pod for ingress, at their selectors; three at most."""
    someone = Flow(Peer("anyone"), peer, "TCP", 1)
    rules = (rule for stage in policies.stages if stage.name == INGRESS for rule in isolating_rules(stage, someone))
    return [location for rule in rules for location in place_of_rule(ctx, rule, "isolates the pods", "podSelector")][:3]
