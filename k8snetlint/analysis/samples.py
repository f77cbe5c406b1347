"""A few pods and addresses that an expression stands for: enough to refute most claims about all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice, product

import attrs

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import (
    AllOf,
    AnyOf,
    AnyPod,
    ConnectionExpr,
    Everything,
    HasAddress,
    InNamespace,
    LabelTest,
    Match,
    NamespaceLabel,
    PeerExpr,
    PodLabel,
    PolicySet,
    ServiceAccountIs,
)
from k8snetlint.policy.peers import DeclaredPort, Flow, Peer, Peers

from .reference import matches
from .verdict import first_connection

# What no manifest is likely to say, so that a sample differs from what is selected wherever it may.
_NAMESPACE, _VALUE = "any-namespace", "any-value"
_FIRST_PORT = 61_001
_OUTSIDE = (AddressSet.single(Address.parse("2001:db8::1")), AddressSet.single(Address.parse("192.0.2.1")))
_LIMIT = 16


def samples(peer: PeerExpr, peers: Peers, connections: ConnectionExpr) -> Iterator[Peer]:
    """At most a few peers of an expression, imagined ones, none where it asks for more than labels and addresses.

    Each pod declares the named ports of the connections, by numbers of its own, and has no address.
    """
    for atoms in islice(alternatives(peer), _LIMIT):
        yield from _made(atoms, peers, connections)


def example(match: Match, policies: PolicySet) -> Flow | None:
    """One flow of a match, between peers of the cluster where they are of it; None where none is found."""
    peers = policies.peers
    sides = []
    for side in (match.source, match.destination):
        present = (pod for pod in peers.pods if matches(side, pod))
        imagined = (
            attrs.evolve(pod, addresses=peers.unknown_addresses) if pod.is_pod else pod
            for pod in samples(side, peers, match.connections)
        )
        sides.append(list(islice(chain(present, imagined), _LIMIT)))
    for source, destination in product(*sides):
        opened = opened_on(match.connections, destination)
        is_pair = source is not destination and (source.is_pod or destination.is_pod)
        if is_pair and opened and matches(match.source, source) and matches(match.destination, destination):
            return Flow(source, destination, *first_connection(opened))
    return None


def opened_on(connections: ConnectionExpr, destination: Peer) -> ConnectionSet:
    """What connections are on one destination, which resolves the names among them."""
    opened = connections.fixed
    for name in connections.named if destination.is_pod else ():
        for port in destination.ports:
            if port.name == name.name and name.protocol in (None, port.protocol):
                opened |= ConnectionSet.span(port.protocol, port.number, port.number)
    return opened


def alternatives(peer: PeerExpr) -> Iterator[tuple[PeerExpr, ...]]:
    """The expression as a choice between conjunctions."""
    match peer:
        case AnyOf(parts):
            for part in parts:
                yield from alternatives(part)
        case AllOf(parts):
            for chosen in product(*(list(alternatives(part)) for part in parts)):
                yield tuple(atom for atoms in chosen for atom in atoms)
        case _:
            yield (peer,)


def _made(atoms: tuple[PeerExpr, ...], peers: Peers, connections: ConnectionExpr) -> Iterator[Peer]:
    blocks = [atom.addresses for atom in atoms if isinstance(atom, HasAddress)]
    if blocks:
        if len(blocks) == len(atoms) == 1:
            yield from (_address(held) for held in _corners(blocks[0]))
        return
    if all(isinstance(atom, Everything) for atom in atoms):
        yield from map(_address, _OUTSIDE)
    namespace, account = None, "default"
    of_pods: dict[str, list[LabelTest]] = {}
    of_namespaces: dict[str, list[LabelTest]] = {}
    for atom in atoms:
        match atom:
            case InNamespace(name):
                namespace = name
            case PodLabel(test):
                of_pods.setdefault(test.key, []).append(test)
            case NamespaceLabel(test):
                of_namespaces.setdefault(test.key, []).append(test)
            case ServiceAccountIs(name):
                account = name
            case Everything() | AnyPod():
                pass
            case _:
                return
    labels = _labels(of_pods)
    where = _namespace(namespace, of_namespaces, peers)
    if labels is not None and where is not None:
        yield Peer(
            f"{where[NAMESPACE_NAME_LABEL]}/any-pod",
            namespace=where[NAMESPACE_NAME_LABEL],
            namespace_labels=where,
            labels=labels,
            service_account=account,
            ports=tuple(
                DeclaredPort(port.name, port.protocol or "TCP", _FIRST_PORT + number)
                for number, port in enumerate(connections.named)
            ),
            is_pod=True,
        )


def _address(held: AddressSet) -> Peer:
    return Peer(held.range_texts()[0].partition("-")[0], addresses=held)


def _corners(addresses: AddressSet) -> Iterator[AddressSet]:
    for version, first, last in islice(addresses.ranges(), 4):
        for value in dict.fromkeys((first, last)):
            yield AddressSet.span(version, value, value)


def _namespace(name: str | None, tests: dict[str, list[LabelTest]], peers: Peers) -> dict[str, str] | None:
    """The labels of a namespace that passes tests; None where the one of that name, or any, does not."""
    if name is None:
        name = _value(tests.get(NAMESPACE_NAME_LABEL, ()), _NAMESPACE)
        if name is None:
            return None
    elif not all(test.holds(name) for test in tests.get(NAMESPACE_NAME_LABEL, ())):
        return None
    declared = peers.cluster.namespaces.get(name)
    if declared is not None and declared.resource is not None:
        labels = dict(peers.labels_of_namespace(name))
        passes = all(test.holds(labels.get(key)) for key, group in tests.items() for test in group)
        return labels if passes else None
    found = _labels({key: group for key, group in tests.items() if key != NAMESPACE_NAME_LABEL})
    return {**found, NAMESPACE_NAME_LABEL: name} if found is not None else None


def _labels(tests: dict[str, list[LabelTest]]) -> dict[str, str] | None:
    """As few labels as pass tests; None where this finds none."""
    found: dict[str, str] = {}
    for key, group in tests.items():
        if all(test.holds(None) for test in group):
            continue
        value = _value(group, _VALUE)
        if value is None:
            return None
        found[key] = value
    return found


def _value(tests: Iterable[LabelTest], other: str) -> str | None:
    group = list(tests)
    mentioned = [value for test in group for value in test.values]
    return next((value for value in (other, *mentioned) if all(test.holds(value) for test in group)), None)
