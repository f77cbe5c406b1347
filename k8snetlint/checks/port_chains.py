"""Ports on their way from a Service or node into pods: what one hop passes on and the next refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import TypeAlias

import attrs

from k8snetlint.analysis.blocking import needs_of, opened_on, policies_of
from k8snetlint.analysis.ends import NODE_PORT_TYPES
from k8snetlint.analysis.portpath import Admission, Chain, Door, Hop, chains_of, entries
from k8snetlint.analysis.reference import missing_connection
from k8snetlint.analysis.requirements import Client
from k8snetlint.analysis.understood import Unsettled
from k8snetlint.analysis.verdict import Undecided
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.networkpolicy import NetworkPolicy, NetworkPolicyPort
from k8snetlint.model.services import Service
from k8snetlint.model.values import text_of
from k8snetlint.model.workloads import Workload
from k8snetlint.policy.ir import (
    INGRESS,
    Action,
    AllOf,
    AnyOf,
    Everything,
    HasAddress,
    IsNode,
    NodeIs,
    Not,
    PeerExpr,
    PolicyRule,
    PolicySet,
)
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.settings import Settings

from .missing_services import are_together
from .needed_connections import isolating_locations
from .needs import level, place_of_rule
from .policy_ports import mentions, used_service_ports
from .undecided import resource_limit, undecided
from .words import listed


@attrs.frozen(eq=False)
class _Ways:
    """The chains of a cluster, by entry, and what the pods' policies are."""

    chains: tuple[tuple[Chain, ...], ...]
    policies: PolicySet
    admission: Admission

    def peer(self, chain: Chain) -> Peer | None:
        return self.policies.peers.of(chain.workload)


def _ways(cluster: Cluster, settings: Settings) -> _Ways:
    policies = policies_of(cluster, settings)
    own = (entry for entry in entries(cluster) if not cluster.is_context(entry.resource))
    found = tuple(chains for entry in own if (chains := tuple(chains_of(cluster, entry))))
    return _Ways(found, policies, Admission(policies))


@cluster_check("PORT022")
def port_chain_broken(ctx: Context) -> Iterator[Diagnostic]:
    """A port that one hop passes on and the next refuses, where no single object shows it."""
    ways = ctx.once(_ways)
    said: set[_End] = set()
    for chain, diagnostic in _opened_at_the_door(ctx, ways):
        said.add(_end(chain))
        yield diagnostic
    for chains in ways.chains:
        if chains[0].entry.door is Door.SERVICE:
            yield from _closed_in_part(ctx, ways, chains, said)
            said.update(map(_end, chains))
    shown: set[tuple[Peer | None, str, int | None]] = set()
    for chain in (chain for chains in ways.chains for chain in chains if chain.entry.door is Door.HOST_PORT):
        # Pods of one controller, as a dump lists them, are one peer.
        key = (ways.peer(chain), chain.entry.protocol, chain.port)
        if _end(chain) not in said and ways.admission.is_closed(chain) and key not in shown:
            shown.add(key)
            yield _closed_host_port(ctx, ways, chain)


@cluster_check("NP056")
def published_service_shut_to_outside(ctx: Context) -> Iterator[Diagnostic]:
    """A nodePort or load balancer in front of pods whose policies let in pods only."""
    ways = ctx.once(_ways)
    for chains in ways.chains:
        service = chains[0].entry.resource
        if chains[0].entry.door is not Door.SERVICE or not isinstance(service, Service):
            continue
        if service.type not in NODE_PORT_TYPES or service.root.get("spec", "externalIPs") is not None:
            continue
        rules = [_for_pods_only(ways, chain) for chain in chains]
        if all(rules):
            yield _shut_to_outside(ctx, ways, chains, [rule for each in rules for rule in each])


def _for_pods_only(ways: _Ways, chain: Chain) -> list[PolicyRule]:
    """The rules that open where a chain comes out; none where the pods are not isolated or some opens to the outside."""
    peer = ways.peer(chain)
    about = ways.admission.rules_about(peer) if peer is not None else []
    if peer is None or chain.port is None or not any(rule.is_default for rule in about):
        return []
    flow = Flow(peer, peer, chain.entry.protocol, chain.port)
    opening = [
        rule
        for rule in about
        if rule.action is Action.ALLOW and missing_connection(rule.match.connections, flow) is None
    ]
    if any(rule.origin is None or _may_be_outside(rule.match.source) for rule in opening):
        return []
    return opening


def _may_be_outside(peer: PeerExpr) -> bool:
    """Whether an expression may stand for an address or node."""
    match peer:
        case AllOf(parts):
            return all(map(_may_be_outside, parts))
        case AnyOf(parts):
            return any(map(_may_be_outside, parts))
        case Everything() | HasAddress() | IsNode() | NodeIs() | Not():
            return True
    return False


def _shut_to_outside(ctx: Context, ways: _Ways, chains: tuple[Chain, ...], rules: list[PolicyRule]) -> Diagnostic:
    first, service = chains[0], chains[0].entry.resource
    origins = [rule.origin for rule in rules if rule.origin is not None]
    is_sure = all(are_together(ctx, service, origin.resource) for origin in origins)
    is_local = text_of(service.root.get("spec", "externalTrafficPolicy")) == "Local"
    lost = (
        "nothing from outside gets in" if is_local else "from outside only what enters at a pod's own node may get in"
    )
    return ctx.report(
        service,
        "spec",
        "type",
        message=(
            f"{first.entry.protocol} {first.port} of {first.workload} is published on every node, but the policies there"
            f" let in pods only: {lost}"
        ),
        severity=level(ctx, ways.policies, ctx.rule.severity if is_sure else Severity.NOTE),
        confidence=None if is_sure else Confidence.LOW,
        related=[place for rule in rules[:3] for place in place_of_rule(ctx, rule, "lets in pods only")],
        help="add a rule for the addresses of clients, or of the nodes, as they are masked; or use type ClusterIP",
    )


_End: TypeAlias = tuple[int, str, int | None]


def _end(chain: Chain) -> _End:
    """Where a chain comes out."""
    return id(chain.workload), chain.entry.protocol, chain.port


def _opened_at_the_door(ctx: Context, ways: _Ways) -> Iterator[tuple[Chain, Diagnostic]]:
    """Rules that open the number that clients dial instead of the one where it comes out."""
    targets = {_end(chain) for chains in ways.chains for chain in chains}
    rules = _opening_rules(ways.policies)
    said: set[tuple[int, object]] = set()
    for chain in (chain for chains in ways.chains if not _is_dead(ways, chains) for chain in chains):
        peer, entry, workload = ways.peer(chain), chain.entry, chain.workload
        if peer is None or chain.port is None or chain.port == entry.number or entry.number not in rules:
            continue
        if _end(attrs.evolve(chain, port=entry.number)) in targets or mentions([workload], entry.number):
            continue
        if any(declared.number == entry.number for declared in workload.ports):
            continue
        about = {id(rule) for rule in ways.admission.rules_about(peer)}
        for rule, policy, port in rules[entry.number]:
            key = (id(policy), port.path)
            if key in said or id(rule) not in about or not _opens_only_the_door(rule, peer, chain):
                continue
            if entry.door is Door.SERVICE and any(each.port is port for each in used_service_ports(policy, ctx)):
                continue
            try:
                flow = _refused_flow(ctx, ways, chain, rule, peer)
            except Undecided as given_up:
                said.add(key)
                for diagnostic in undecided(ctx, Unsettled(policy, (*port.path, "port"), str(given_up))):
                    yield chain, diagnostic
                continue
            if flow is not None:
                said.add(key)
                yield chain, _opened_instead(ctx, ways, chain, policy, port, flow)


def _is_dead(ways: _Ways, chains: tuple[Chain, ...]) -> bool:
    """Whether nothing at all gets through a Service port: NP041 says so."""
    return chains[0].entry.door is not Door.HOST_PORT and all(map(ways.admission.is_closed, chains))


def _opening_rules(policies: PolicySet) -> Mapping[int, list[tuple[PolicyRule, NetworkPolicy, NetworkPolicyPort]]]:
    """The ingress rules that open a single number, by the number."""
    found: dict[int, list[tuple[PolicyRule, NetworkPolicy, NetworkPolicyPort]]] = {}
    for stage in policies.stages:
        for rule in (rule for tier in stage.tiers for rule in tier.rules if stage.name == INGRESS):
            policy = rule.origin.resource if rule.origin is not None else None
            if rule.action is not Action.ALLOW or not isinstance(policy, NetworkPolicy) or rule.origin is None:
                continue
            written = next((each for each in policy.ingress if each.path == rule.origin.path), None)
            for port in written.ports if written is not None else ():
                if isinstance(port.port, int) and port.end_port is None and port.is_understood:
                    found.setdefault(port.port, []).append((rule, policy, port))
    return found


def _opens_only_the_door(rule: PolicyRule, peer: Peer, chain: Chain) -> bool:
    """Whether a rule opens the number dialled for the chain's protocol, and not the one where it comes out."""
    dialled = Flow(peer, peer, chain.entry.protocol, chain.entry.number)
    reached = dialled._replace(port=chain.port or 0)
    connections = rule.match.connections
    return missing_connection(connections, dialled) is None and missing_connection(connections, reached) is not None


def _refused_flow(ctx: Context, ways: _Ways, chain: Chain, rule: PolicyRule, peer: Peer) -> Flow | None:
    """A flow that a rule is meant for and that is refused; of a pod that could be created where nobody is at hand."""
    sources = rule.match.source
    if ways.admission.has_peers(sources, besides=peer):
        return ways.admission.shifted_flow(chain, sources)
    from k8snetlint.analysis.smt.portpaths import PortPaths

    return PortPaths(ctx.cluster, ways.policies, resource_limit(ctx.settings)).unseen_shift(chain, sources)


def _opened_instead(
    ctx: Context, ways: _Ways, chain: Chain, policy: NetworkPolicy, port: NetworkPolicyPort, flow: Flow
) -> Diagnostic:
    entry = chain.entry
    related = [ctx.location(hop.resource, *hop.path, label=label) for hop, label in _shown_hops(chain)]
    field = "port" if entry.door is Door.SERVICE else entry.door.value
    what = f"the {field}" if entry.resource is chain.workload else f"the {field} of {entry.resource}"
    source = flow.source.text if flow.source.workloads or not flow.source.is_pod else "a pod that this rule lets in"
    return ctx.report(
        policy,
        *port.path,
        "port",
        message=(
            f"{entry.number} is {what} in front of {entry.protocol} {chain.port} of {chain.workload}: policies see the port"
            f" of the pod, so whom `{policy.name}` lets in at {entry.number} is refused"
        ),
        severity=level(ctx, ways.policies, ctx.rule.severity),
        related=related,
        notes=(f"for example {source} -> {flow.destination} {flow.protocol} {flow.port} is denied",),
        help=f"write {chain.port}, the port of the pods",
        fix=ctx.fix(f"Write {chain.port}", ctx.replace(policy, *port.path, "port", text=str(chain.port))),
    )


def _shown_hops(chain: Chain) -> Iterator[tuple[Hop, str]]:
    """The hops with what is said of each, every place once."""
    seen: set[object] = set()
    for hop in chain.hops:
        key = (id(hop.resource), hop.path)
        if key in seen or hop.number is None or hop.resource.root.get(*hop.path) is None:
            continue
        seen.add(key)
        yield (
            hop,
            "dialled here"
            if hop is chain.hops[0]
            else f"leads to {hop.number}"
            if hop is chain.hops[1]
            else "declared here",
        )


def _closed_in_part(ctx: Context, ways: _Ways, chains: tuple[Chain, ...], said: Set[_End]) -> Iterator[Diagnostic]:
    """Backends that no client gets into, beside backends that clients do get into."""
    landing = [chain for chain in chains if chain.port is not None and ways.peer(chain) is not None]
    shut = [chain for chain in landing if ways.admission.is_closed(chain)]
    closed = [chain for chain in shut if _end(chain) not in said]
    port = chains[0].entry.service_port
    if not closed or len(shut) == len(landing) or port is None:
        return
    first, peer = closed[0], ways.peer(closed[0])
    # A client in sight that needs the port is where NP044 says the same.
    if any(need.service_port is port and need.client is Client.WORKLOAD for need in ctx.once(needs_of)):
        return
    if peer is None or any(chain.workload.is_job or chain.workload.is_synthetic for chain in closed):
        return
    opened = opened_on(ways.policies, peer) or "no port"
    is_sure = all(are_together(ctx, chain.entry.resource, chain.workload) for chain in closed)
    names = listed(str(chain.workload) for chain in closed[:3])
    whose = "whose policies" if first.refusal is None else "which declares no such port and whose policies"
    yield ctx.report(
        first.entry.resource,
        *port.path,
        "port",
        message=(
            f"port {port} leads to {first.entry.protocol} {first.port} of {names} too, {whose} open {opened}:"
            " what is forwarded there is dropped, though other pods answer"
        ),
        severity=level(ctx, ways.policies, Severity.WARNING if is_sure else Severity.NOTE),
        related=[*_selected(ctx, first.workload), *isolating_locations(ctx, ways.policies, peer)],
        help=f"allow {first.entry.protocol} {first.port} in an ingress rule for {names}, or do not select these pods",
    )


def _selected(ctx: Context, workload: Workload) -> list[Location]:
    if workload.root.get(*workload.labels_path) is None:
        return []
    return [ctx.location(workload, *workload.labels_path, label="selected too", key=True)]


def _closed_host_port(ctx: Context, ways: _Ways, chain: Chain) -> Diagnostic:
    workload, peer = chain.workload, ways.peer(chain)
    opened = opened_on(ways.policies, peer) if peer is not None else ""
    return ctx.report(
        workload,
        *chain.entry.path,
        message=(
            f"hostPort {chain.entry.number} leads to {chain.entry.protocol} {chain.port}, and the policies that isolate"
            f" these pods open {opened or 'no port'}: nothing gets in from elsewhere"
        ),
        severity=level(ctx, ways.policies, Severity.WARNING),
        related=isolating_locations(ctx, ways.policies, peer) if peer is not None else (),
        help=f"allow {chain.entry.protocol} {chain.port} in an ingress rule that selects {workload}",
    )
