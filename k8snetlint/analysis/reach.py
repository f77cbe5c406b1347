"""One question, explained: who may reach what on which port, and which lines decide."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

import attrs

from k8snetlint.algebra.addresses import Address
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service
from k8snetlint.model.values import text_of
from k8snetlint.model.workloads import Workload
from k8snetlint.policy.ir import Action, PolicyRule, PolicySet
from k8snetlint.policy.peers import Flow, Peer, Peers
from k8snetlint.source.tree import Path

from .ends import NODE_PORT_TYPES, DeadEnd, End, ServiceEnd, ingress_controllers
from .hosts import HostEnd
from .reference import Decision, Miss, StageDecision, is_allowed, isolating_rules, misses
from .routing import Backend, backends, dialled_backends


class ReachVerdict(enum.Enum):
    """The answer to one question."""

    ALLOWED = "allowed"
    DENIED = "denied"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


@attrs.frozen
class Step:
    """One hop on the way: the object and place that lead on."""

    resource: Resource
    path: Path
    text: str


@attrs.frozen
class SideAnswer:
    """What one stage says: its decision; where it denies, what isolates the subject and what each rule lacks."""

    decision: StageDecision
    isolating: tuple[PolicyRule, ...] = ()
    misses: tuple[Miss, ...] = ()


@attrs.frozen
class FlowAnswer:
    """The answer for one source and one destination."""

    flow: Flow
    decision: Decision
    sides: tuple[SideAnswer, ...]

    @property
    def is_allowed(self) -> bool:
        """Whether the flow passes."""
        return self.decision.is_allowed


@attrs.frozen
class Answer:
    """The answer to a question. `unreachable` are backends that no packet reaches, with the reason.

    `reason` says why where no flow does.
    """

    verdict: ReachVerdict
    protocol: str
    port: int
    path: tuple[Step, ...]
    flows: tuple[FlowAnswer, ...]
    unreachable: tuple[tuple[str, str], ...] = ()
    reason: str | None = None

    @property
    def deciding(self) -> tuple[FlowAnswer, ...]:
        """The flows that say why: the denied ones where any is, else all."""
        return tuple(flow for flow in self.flows if not flow.is_allowed) or self.flows


def reach(
    cluster: Cluster,
    peers: Peers,
    policies: PolicySet,
    source: tuple[Peer, ...],
    destination: End | DeadEnd | HostEnd,
    protocol: str = "TCP",
    port: int = 0,
) -> Answer:
    """Whether the source reaches the destination; protocol and port count only where that is no Service or host.

    Requests for a host end at an ingress controller: what is asked of its backends is asked for that.
    """
    if isinstance(destination, ServiceEnd):
        return _reach_service(cluster, peers, policies, source, destination)
    if isinstance(destination, HostEnd):
        return _reach_host(cluster, peers, policies, destination)
    if isinstance(destination, DeadEnd):
        return _dead(destination)
    flows = [explain(policies, Flow(origin, target, protocol, port)) for origin in source for target in destination]
    return Answer(_verdict(flow.is_allowed for flow in flows), protocol, port, (), tuple(flows))


def _reach_service(
    cluster: Cluster,
    peers: Peers,
    policies: PolicySet,
    source: tuple[Peer, ...],
    end: ServiceEnd,
    is_controller: bool = False,
) -> Answer:
    """The answer for a client that dials the Service, or for a controller, which knows the endpoints themselves."""
    service, service_port = end.service, end.port
    target = service_port.effective_target
    is_headless = (service.is_headless or bool(end.pods)) and not is_controller
    path = [*_aliases(end.aliases), Step(service, service_port.path, _forwarding(end, is_headless))]
    if end.is_at_node:
        at_node = f"every node takes nodePort {service_port.node_port}/{service_port.protocol} for {service}"
        path.insert(0, Step(service, (*service_port.path, "nodePort"), at_node))
    if any(peer.addresses and not (peer.is_pod or peer.is_node) for peer in source):
        path += _from_outside(service)
    flows: list[FlowAnswer] = []
    unreachable: list[tuple[str, str]] = []
    for backend in _lead(cluster, end, is_controller):
        where = str(backend.workload or backend.address)
        if backend.port is None:
            unreachable.append((where, f"declares no {backend.protocol} port named `{target}`"))
            continue
        peer = _peer_of(backend, peers)
        if peer is None:
            continue
        if backend.workload is not None:
            undeclared = _undeclared(backend.workload, backend.protocol, backend.port)
            step = f"{where} is selected and receives it on port {backend.port}/{backend.protocol}{undeclared}"
            path.append(Step(backend.workload, backend.workload.labels_path, step))
        for origin in source:
            flow = Flow(origin, peer, backend.protocol, backend.port, through_service=True)
            flows.append(explain(policies, flow))
    verdicts = [flow.is_allowed for flow in flows] + [False] * len(unreachable)
    reason = None
    if not verdicts:
        verdict = ReachVerdict.UNKNOWN if service.is_external_name else ReachVerdict.DENIED
        reason = _reason_for_no_backend(service)
    else:
        verdict = _verdict(verdicts)
    number = service_port.number or 0
    return Answer(verdict, service_port.protocol, number, tuple(path), tuple(flows), tuple(unreachable), reason)


def _from_outside(service: Service) -> Iterator[Step]:
    """What the answer for an address outside of the cluster rests on."""
    if service.type not in NODE_PORT_TYPES:
        if service.root.get("spec", "externalIPs") is None:
            inside = f"{service} has type {service.type}: its address means nothing outside of the cluster"
            yield Step(service, ("spec",), f"{inside}; asked is what policies say")
    elif text_of(service.root.get("spec", "externalTrafficPolicy")) != "Local":
        masked = "policies may see a node's address instead of the client's: externalTrafficPolicy is not Local"
        yield Step(service, ("spec", "type"), masked)


def _lead(cluster: Cluster, end: ServiceEnd, is_controller: bool) -> tuple[Backend, ...]:
    """Where the end leads: a pod that is dialled by its own name takes the very port that is dialled."""
    if end.pods:
        return tuple(Backend(workload, None, end.port.protocol, end.port.number) for workload in end.pods)
    lead = backends if is_controller else dialled_backends
    return lead(cluster, end.service, end.port)


def _aliases(aliases: tuple[Service, ...]) -> Iterator[Step]:
    for service in aliases:
        yield Step(service, ("spec", "externalName"), f"{service} is an alias of `{service.external_name}`")


def _forwarding(end: ServiceEnd, is_headless: bool) -> str:
    service, port = end.service, end.port
    if end.pods:
        return f"the name is that of a pod behind {service}, on the port that is asked for"
    if is_headless:
        return f"{service} is headless: its name stands for the pods themselves, on the port that is asked for"
    target = port.effective_target
    where = f"the pods' port named `{target}`" if isinstance(target, str) else f"port {target} of the pods"
    return f"{service} port {port} forwards to {where}"


def _undeclared(workload: Workload, protocol: str, number: int) -> str:
    """That a pod declares ports and not this one, for the end of a sentence; it may listen there all the same."""
    declared = [port for port in workload.ports if port.number is not None]
    if not declared or any((port.number, port.protocol) == (number, protocol) for port in declared):
        return ""
    return (
        f", which it does not declare; it declares {', '.join(f'{port.number}/{port.protocol}' for port in declared)}"
    )


def _dead(end: DeadEnd) -> Answer:
    verdict = ReachVerdict.UNKNOWN if end.is_alias else ReachVerdict.DENIED
    at = end.path if end.service.root.get(*end.path) is not None else ("metadata", "name")
    step = Step(end.service, at, f"the name or address is that of {end.service}")
    return Answer(verdict, end.protocol, end.number, (*_aliases(end.aliases), step), (), (), end.reason)


def _reach_host(cluster: Cluster, peers: Peers, policies: PolicySet, end: HostEnd) -> Answer:
    """What the ingress controller, wherever it runs, may open to the backends of a host."""
    path: list[Step] = []
    flows: list[FlowAnswer] = []
    unreachable: list[tuple[str, str]] = []
    verdicts: list[ReachVerdict] = []
    for way in end.ways:
        path.append(Step(way.route, way.path, way.text))
        if way.service is None or way.port is None:
            unreachable.append((way.backend, way.fault or ""))
            verdicts.append(ReachVerdict.DENIED)
            continue
        end_of_way = ServiceEnd(way.service, way.port)
        answer = _reach_service(cluster, peers, policies, ingress_controllers(), end_of_way, is_controller=True)
        path += answer.path
        flows += answer.flows
        unreachable += answer.unreachable
        if answer.reason is not None:
            unreachable.append((str(way.service), answer.reason))
        verdicts.append(answer.verdict)
    if not verdicts:
        return Answer(ReachVerdict.DENIED, "TCP", end.port, (), (), (), f"no path of `{end.host}` fits")
    verdict = verdicts[0] if len(set(verdicts)) == 1 else ReachVerdict.PARTIAL
    return Answer(verdict, "TCP", end.port, tuple(dict.fromkeys(path)), tuple(flows), tuple(unreachable))


def _reason_for_no_backend(service: Service) -> str:
    name = f"Service {service.namespace}/{service.name}"
    if service.is_external_name:
        return f"{name} is an alias of `{service.external_name}`: where that leads, the manifests do not say"
    if service.label_selector is None:
        return f"{name} has no selector, and no Endpoints or EndpointSlice is written for this port"
    return f"{name} has no backend: no workload of its namespace has the labels `{service.label_selector}`"


def _peer_of(backend: Backend, peers: Peers) -> Peer | None:
    if backend.workload is not None:
        return peers.of(backend.workload)
    try:
        return peers.at(Address.parse(backend.address or ""))
    except ValueError:
        return None


def _verdict(allowed: Iterable[bool]) -> ReachVerdict:
    answers = set(allowed)
    if answers == {True}:
        return ReachVerdict.ALLOWED
    return ReachVerdict.PARTIAL if True in answers else ReachVerdict.DENIED


def explain(policies: PolicySet, flow: Flow) -> FlowAnswer:
    """The decision on a flow, with what isolates each side that denies it and what each of its allow rules lacks."""
    decision = is_allowed(policies, flow)
    by_name = {stage.name: stage for stage in policies.stages}
    sides: list[SideAnswer] = []
    for decided in decision.stages:
        if decided.action is Action.ALLOW or decision.is_self:
            sides.append(SideAnswer(decided))
            continue
        stage = by_name[decided.stage]
        is_default = decided.rule is not None and decided.rule.is_default
        isolating = isolating_rules(stage, flow) if is_default else ()
        sides.append(SideAnswer(decided, isolating, tuple(misses(stage, flow)) if is_default else ()))
    return FlowAnswer(flow, decision, tuple(sides))
