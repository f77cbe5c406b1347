"""Proofs of intents: their sides as peers, addresses and imagined pods, and a verdict on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import attrs

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import LabelSelector
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.services import Service
from k8snetlint.policy.ir import (
    AnyPod,
    InNamespace,
    LabelOperator,
    LabelTest,
    NamespaceLabel,
    Not,
    Nothing,
    PeerExpr,
    PodLabel,
    PolicySet,
    all_of,
    any_of,
)
from k8snetlint.policy.peers import Flow, Peer

from .ends import UnknownEnd
from .intents import Intent, Selection
from .reachability import allowed_connections
from .reference import is_allowed
from .routing import dialled_backends
from .verdict import Holds, Prover, Question, Refuted, Side, Unknown, Verdict, World, first_connection

_NO_ADDRESSES = AddressSet()
_NO_POD = Nothing()
_OPERATORS = {
    "In": LabelOperator.IN,
    "NotIn": LabelOperator.NOT_IN,
    "Exists": LabelOperator.EXISTS,
    "DoesNotExist": LabelOperator.ABSENT,
}


@attrs.frozen
class _Ends:
    """What a side stands for. `nodes` are asked about one by one; `services` count with their own ports."""

    peers: tuple[Peer, ...] = ()
    addresses: AddressSet = _NO_ADDRESSES
    imagined: PeerExpr = _NO_POD
    nodes: tuple[Peer, ...] = ()
    services: tuple[Service, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.peers or self.addresses or self.nodes or self.services) and self.imagined == Nothing()

    def side(self, world: World) -> Side:
        imagined = self.imagined if world is World.OPEN and self.imagined != Nothing() else None
        return Side(self.peers, self.addresses, imagined)


class Demand(NamedTuple):
    """What an intent says of one pair of the closed world: these connections are allowed, or none of them is."""

    source: Peer
    destination: Peer
    connections: ConnectionSet
    through_service: bool = False


class IntentProver:
    """Proves intents about one cluster."""

    def __init__(self, cluster: Cluster, policies: PolicySet) -> None:
        self.cluster = cluster
        self.policies = policies
        self._prover = Prover(policies)

    def verdict(self, intent: Intent) -> Verdict:
        """Whether an intent holds. Unknown, with the reason, where a side selects nothing."""
        try:
            sources = self._ends(intent.sources, intent.world)
            destinations = self._ends(intent.destinations, intent.world)
        except UnknownEnd as error:
            return Unknown(str(error))
        for word, ends in (("from", sources), ("to", destinations)):
            if ends.is_empty:
                return Unknown(f"`{word}` selects nothing")
        found = list(self._verdicts(intent, sources, destinations))
        if not found:
            return Unknown("there is no pair of two different ends to ask about")
        for kind in (Refuted, Unknown):
            for each in found:
                if isinstance(each, kind):
                    return each
        return found[0]

    def demands(self, intent: Intent, cuts: Iterable[AddressSet] = ()) -> Iterator[Demand]:
        """What an intent says of every pair of the closed world, as `verdict` asks it. Raises UnknownEnd.

        Addresses are represented by one of each part that policies, or the sets in `cuts`, tell apart.
        """
        sources = self._ends(intent.sources, World.CLOSED)
        destinations = self._ends(intent.destinations, World.CLOSED)
        outside = [point.addresses for point in self._prover.universe.points if point.addresses is not None]
        for cut in cuts:
            outside = [part for addresses in outside for part in (addresses & cut, addresses - cut) if part]
        senders, receivers = (
            [*ends.peers, *_representatives(outside, ends.addresses)] for ends in (sources, destinations)
        )
        asked = intent.connections
        for source in senders:
            for destination in receivers:
                if source is not destination and (source.index is not None or destination.index is not None):
                    yield Demand(source, destination, asked)
        if senders == receivers and len(sources.peers) == len(senders) == 1:
            yield Demand(senders[0], senders[0] if senders[0].is_single else attrs.evolve(senders[0]), asked)
        yield from (Demand(node, peer, asked) for node in sources.nodes for peer in destinations.peers)
        yield from (Demand(peer, node, asked) for node in destinations.nodes for peer in sources.peers)
        for service in destinations.services:
            for peer, connections in self._service_backends(service, asked):
                for source in (*senders, *sources.nodes):
                    if source.index is not None or peer.index is not None:
                        other = attrs.evolve(peer) if source is peer else peer
                        yield Demand(source, other, connections, True)

    def _service_backends(self, service: Service, asked: ConnectionSet) -> Iterator[tuple[Peer, ConnectionSet]]:
        """The pods behind the ports of a Service that are asked about, with the connections that lead to them."""
        for port in service.ports:
            if port.number is None or (port.protocol, port.number) not in asked:
                continue
            for backend in dialled_backends(self.cluster, service, port):
                peer = self._backend(backend.workload, backend.address) if backend.port is not None else None
                if peer is not None and backend.port is not None:
                    yield peer, ConnectionSet.span(backend.protocol, backend.port, backend.port)

    def _verdicts(self, intent: Intent, sources: _Ends, destinations: _Ends) -> Iterator[Verdict]:
        source_side, destination_side = sources.side(intent.world), destinations.side(intent.world)
        if _has_pairs(source_side, destination_side):
            yield self._asked(Question(source_side, destination_side, intent.connections), intent)
        if (
            len(sources.peers) == 1
            and sources.peers == destinations.peers
            and not sources.addresses
            and not destinations.addresses
        ):
            yield self._of_pair(sources.peers[0], sources.peers[0], intent.connections, intent)
        for node in sources.nodes:
            for peer in destinations.peers:
                yield self._of_pair(node, peer, intent.connections, intent)
        for node in destinations.nodes:
            for peer in sources.peers:
                yield self._of_pair(peer, node, intent.connections, intent)
        for service in destinations.services:
            yield from self._to_service(service, sources, intent)

    def _asked(self, question: Question, intent: Intent) -> Verdict:
        if intent.is_allow:
            return self._prover.check_always_allows(question, intent.world)
        return self._prover.check_never_allows(question, intent.world)

    def _of_pair(
        self, source: Peer, destination: Peer, asked: ConnectionSet, intent: Intent, *, through_service: bool = False
    ) -> Verdict:
        """The verdict on one pair; a pod to itself is subject to policy only by way of a Service."""
        is_self = source is destination
        if is_self and source.is_single and not through_service:
            allowed = ConnectionSet.everything()
        else:
            other = attrs.evolve(destination) if is_self else destination
            allowed = allowed_connections(self.policies, source, other)
        against = asked - allowed if intent.is_allow else asked & allowed
        example = against or asked
        flow = Flow(source, destination, *first_connection(example), through_service)
        decision = is_allowed(self.policies, flow)
        return Refuted(flow, decision) if against else Holds(flow, decision)

    def _to_service(self, service: Service, sources: _Ends, intent: Intent) -> Iterator[Verdict]:
        name = f"Service {service.namespace}/{service.name}"
        asked = list(self._service_backends(service, intent.connections))
        for peer, connections in asked:
            others = tuple(each for each in sources.peers if each is not peer)
            side = attrs.evolve(sources, peers=others).side(intent.world)
            target = Side((peer,)) if peer.index is not None else Side((), peer.addresses)
            if _has_pairs(side, target):
                yield self._asked(Question(side, target, connections), intent)
            for each in (*sources.nodes, *(each for each in sources.peers if each is peer)):
                yield self._of_pair(each, peer, connections, intent, through_service=True)
        if not asked:
            yield Unknown(f"{name} has no backend on the ports in question")

    def _backend(self, workload: object, address: str | None) -> Peer | None:
        for peer in self.policies.peers.pods if workload is not None else ():
            if any(each is workload for each in peer.workloads):
                return peer
        try:
            return self.policies.peers.at(Address.parse(address or ""))
        except ValueError:
            return None

    def _ends(self, selections: Iterable[Selection], world: World) -> _Ends:
        peers: dict[int, Peer] = {}
        addresses = AddressSet()
        imagined: list[PeerExpr] = []
        nodes: list[Peer] = []
        services: list[Service] = []
        for selection in selections:
            ends = self._selected(selection, world)
            peers.update({id(peer): peer for peer in ends.peers})
            addresses |= ends.addresses
            imagined.append(ends.imagined)
            nodes += ends.nodes
            services += ends.services
        return _Ends(tuple(peers.values()), addresses, any_of(*imagined), tuple(nodes), tuple(services))

    def _selected(self, selection: Selection, world: World) -> _Ends:
        if selection.service is not None:
            return _Ends(services=(self._service(selection.service),))
        if selection.addresses is not None:
            return self._at(selection.addresses)
        if selection.is_external:
            everywhere = AddressSet.everything() if self._has_v6 else AddressSet.all_v4()
            return _Ends(addresses=everywhere - self._known_addresses())
        peers = [peer for peer in self.policies.peers.pods if self._fits(peer, selection)]
        imagined = self._imagined(selection)
        if selection.excluded is not None:
            out = self._ends(selection.excluded, world)
            left_out = {id(peer) for peer in out.peers}
            peers = [peer for peer in peers if id(peer) not in left_out]
            imagined = all_of(AnyPod(), imagined, Not(out.imagined))
        return _Ends(tuple(peers), imagined=imagined)

    def _fits(self, peer: Peer, selection: Selection) -> bool:
        if selection.namespace is not None and peer.namespace != selection.namespace:
            return False
        if selection.selector is not None and not selection.selector.matches(peer.labels):
            return False
        by_namespace = selection.namespace_selector
        if by_namespace is not None and not by_namespace.matches(peer.namespace_labels):
            return False
        return selection.workload is None or _is_named(peer, selection.workload)

    def _imagined(self, selection: Selection) -> PeerExpr:
        """The pods that anyone could create and that are of the selection; one like a workload counts as its pod."""
        parts: list[PeerExpr] = [AnyPod()]
        if selection.namespace is not None:
            parts.append(InNamespace(selection.namespace))
        parts += _tests(selection.selector, PodLabel)
        parts += _tests(selection.namespace_selector, NamespaceLabel)
        if selection.workload is not None:
            like = [_like(peer) for peer in self.policies.peers.pods if self._fits(peer, selection)]
            parts.append(any_of(*like))
        return all_of(*parts)

    def _service(self, text: str) -> Service:
        namespace, _, name = text.rpartition("/")
        service = self.cluster.service(namespace or "default", name)
        if service is None:
            raise UnknownEnd(f"there is no Service `{text}`")
        return service

    def _at(self, addresses: AddressSet) -> _Ends:
        """All that has its address in a set: pods and nodes, Services, and the outside for the rest."""
        peers = []
        for peer in self.policies.peers.pods:
            own = self._own_addresses(peer)
            if own and own <= addresses:
                peers.append(peer)
        nodes = [
            self.policies.peers.node_peer(node, Address(version, first))
            for node in self.policies.peers.nodes.values()
            for version, first, last in node.addresses.ranges()
            if AddressSet.span(version, first, last) <= addresses
        ]
        services = []
        taken = self._known_addresses()
        for service in self.cluster.services:
            single = _single(service.cluster_ip)
            if single and single <= addresses:
                services.append(service)
            taken |= single
        outside = addresses - taken
        if outside.v6 and not self._has_v6:
            # No policy tells IPv6 addresses apart: one stands for all.
            address = Address(6, outside.v6.intervals[0][0])
            nodes.append(Peer(str(address), addresses=AddressSet.single(address)))
            outside = AddressSet(outside.v4)
        return _Ends(tuple(peers), outside, Nothing(), tuple(nodes), tuple(services))

    @property
    def _has_v6(self) -> bool:
        points = self._prover.universe.points
        return any(point.addresses is not None and bool(point.addresses.v6) for point in points)

    def _known_addresses(self) -> AddressSet:
        found = AddressSet()
        for peer in self.policies.peers.pods:
            found |= self._own_addresses(peer)
        for node in self.policies.peers.nodes.values():
            found |= node.addresses
        return found

    def _own_addresses(self, peer: Peer) -> AddressSet:
        found = AddressSet()
        for workload in peer.workloads:
            if workload.kind == "Pod" and not peer.is_node:
                node = workload.root.get("status", "podIP")
                found |= _single(str(node.value) if node is not None else None)
        return found


def _representatives(parts: Iterable[AddressSet], wanted: AddressSet) -> Iterator[Peer]:
    """An address of each part that is wanted."""
    for part in parts:
        for version, first, _ in (part & wanted).ranges():
            address = Address(version, first)
            yield Peer(str(address), addresses=AddressSet.single(address))
            break


def _single(text: str | None) -> AddressSet:
    try:
        return AddressSet.single(Address.parse(text or ""))
    except ValueError:
        return AddressSet()


def _has_pairs(source: Side, destination: Side) -> bool:
    """Whether a question has a flow: two different ends, not both outside."""
    insides = bool(source.peers or source.imagined), bool(destination.peers or destination.imagined)
    if not (any(insides) and (insides[0] or source.addresses) and (insides[1] or destination.addresses)):
        return False
    alone = len(source.peers) == 1 and source.peers == destination.peers
    return not (
        alone
        and not source.addresses
        and not destination.addresses
        and source.imagined is None
        and destination.imagined is None
    )


def _is_named(peer: Peer, text: str) -> bool:
    """Whether a peer is the one that a name means: `name`, `namespace/name`, `kind/name`, or as it is printed."""
    if text == peer.text:
        return True
    first, _, name = text.rpartition("/")
    own = peer.text.partition("[")[0].partition("/")[2]
    names = {own, *(workload.name for workload in peer.workloads)}
    kinds = {peer.text.partition("[")[2].rstrip("]").lower(), *(each.kind.lower() for each in peer.workloads)}
    return name in names and (not first or first == peer.namespace or first.lower() in kinds)


def _like(peer: Peer) -> PeerExpr:
    labels = [(key, value) for key, value in peer.labels.items() if not is_run_time_label(key)]
    tests = [PodLabel(LabelTest(key, LabelOperator.IN, (value,))) for key, value in labels]
    return all_of(InNamespace(peer.namespace or ""), *tests)


def _tests(selector: LabelSelector | None, kind: type[PodLabel] | type[NamespaceLabel]) -> Iterator[PeerExpr]:
    if selector is None:
        return
    for key, value in selector.match_labels:
        yield kind(LabelTest(key, LabelOperator.IN, (value,)))
    for item in selector.match_expressions:
        if item.operator in _OPERATORS:
            yield kind(LabelTest(item.key, _OPERATORS[item.operator], tuple(sorted(set(item.values)))))
