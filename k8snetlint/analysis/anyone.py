"""Questions in which one end is any pod that anyone could create: answered by an allowed and a denied example."""

from __future__ import annotations

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import AnyPod, PolicySet
from k8snetlint.policy.peers import Peer

from .ends import End, ServiceEnd
from .reach import Answer, FlowAnswer, ReachVerdict, Step, explain, reach
from .routing import dialled_backends
from .verdict import Prover, Question, Side, Undecided, World

ANY = "any"


def reach_any(
    cluster: Cluster,
    policies: PolicySet,
    source: tuple[Peer, ...] | None,
    destination: End | None,
    protocol: str = "TCP",
    port: int = 0,
) -> Answer:
    """Whether every flow from the source to the destination passes; None is any pod, in the manifests or not.

    `partial` comes with a flow that passes and one that does not.
    """
    path: tuple[Step, ...] = ()
    unreachable: tuple[tuple[str, str], ...] = ()
    pods = policies.peers.pods
    sides: list[tuple[Side, ConnectionSet]] = []
    if isinstance(destination, ServiceEnd):
        way = reach(cluster, policies.peers, policies, (), destination)
        path, unreachable, protocol, port = way.path, way.unreachable, way.protocol, way.port
        for backend in dialled_backends(cluster, destination.service, destination.port):
            peer = policies.peers.of(backend.workload) if backend.workload is not None else None
            if peer is not None and backend.port is not None:
                sides.append((_side((peer,)), ConnectionSet.span(backend.protocol, backend.port, backend.port)))
        if not sides:
            return way
    else:
        sides.append((_side(destination, pods), ConnectionSet.span(protocol, port, port)))
    prover = Prover(policies)
    flows: list[FlowAnswer] = []
    try:
        for side, connections in sides:
            question = Question(_side(source, pods), side, connections)
            for expected in (True, False):
                found = prover.find_flow(question, expected, World.OPEN)
                if found is not None:
                    flows.append(explain(policies, found))
    except Undecided as undecided:
        return Answer(ReachVerdict.UNKNOWN, protocol, port, path, tuple(flows), unreachable, str(undecided))
    allowed = {flow.is_allowed for flow in flows} | ({False} if unreachable else set())
    verdict = ReachVerdict.PARTIAL
    if len(allowed) == 1:
        verdict = ReachVerdict.ALLOWED if True in allowed else ReachVerdict.DENIED
    reason = None if flows else "there is no pair of two different ends"
    if verdict is ReachVerdict.PARTIAL and source is None:
        reason = "some pods may and some may not; one of each is shown"
    return Answer(verdict if flows else ReachVerdict.UNKNOWN, protocol, port, path, tuple(flows), unreachable, reason)


def _side(peers: tuple[Peer, ...] | None, everyone: tuple[Peer, ...] = ()) -> Side:
    if peers is None:
        return Side(everyone, AddressSet(), AnyPod())
    inside = tuple(peer for peer in peers if peer.index is not None)
    addresses = AddressSet()
    for peer in peers:
        if peer.index is None:
            addresses |= peer.addresses
    return Side(inside, addresses)
