"""The connectivity map as users see it: names, address ranges, who reaches whom, and what ingress controllers reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import attrs

from k8snetlint.algebra import bits
from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Peer

from .ends import INGRESS_CONTROLLER, ingress_controllers
from .reachability import Connectivity, Group, allowed_connections, connectivity
from .routing import routed_backends

Chosen = Callable[[str, str], bool]


class Reached(NamedTuple):
    """An end that is reached, and on which connections."""

    destination: str
    connections: ConnectionSet


class GroupedConnection(NamedTuple):
    """Everyone in one set reaches everyone in another; the sets are given by their numbers."""

    sources: int
    destinations: int
    connections: ConnectionSet


@attrs.frozen
class Grouped:
    """A map in groups: sets of names, and the connections between them. A name to itself does not count."""

    sets: tuple[tuple[str, ...], ...]
    connections: tuple[GroupedConnection, ...]


@attrs.frozen(eq=False)
class ConnectivityMap:
    """Who reaches whom on which ports.

    `workloads` are all names of workloads, sorted. `ways_in` are what ingress controllers reach. `chosen` tells which
    pairs of names are to be shown, None for all of them.
    """

    workloads: tuple[str, ...]
    connectivity: Connectivity
    ways_in: tuple[Reached, ...]
    chosen: Chosen | None = None

    def by_source(self) -> Iterator[tuple[str, list[Reached]]]:
        """Every source that reaches something, sorted by name, with what it reaches, sorted; none reaches itself."""
        for name, reached in self._all_by_source():
            if self.chosen is not None:
                reached = [each for each in reached if self.chosen(name, each.destination)]
            if reached:
                yield name, reached

    def _all_by_source(self) -> Iterator[tuple[str, list[Reached]]]:
        peers, addresses = self._sources
        known: dict[tuple[int, ...], list[Reached]] = {}
        entries: list[tuple[str, tuple[int, ...]]] = [*peers]
        outside: dict[tuple[Reached, ...], AddressSet] = {}
        for held, groups in addresses:
            reached = tuple(self._reached(groups, known))
            outside[reached] = outside.get(reached, AddressSet()) | held
        of_outside = {text: list(reached) for reached, held in outside.items() for text in held.range_texts()}
        entries += ((text, ()) for text in of_outside)
        if self.ways_in:
            entries.append((INGRESS_CONTROLLER, ()))
            of_outside[INGRESS_CONTROLLER] = list(self.ways_in)
        entries.sort()
        for name, same in groupby(entries, key=itemgetter(0)):
            groups = tuple(dict.fromkeys(number for _, each in same for number in each))
            reached_here = of_outside[name] if name in of_outside else self._reached(groups, known)
            yield name, [each for each in reached_here if each.destination != name]

    @cached_property
    def _sources(self) -> tuple[list[tuple[str, tuple[int, ...]]], list[tuple[AddressSet, tuple[int, ...]]]]:
        peers: list[tuple[str, tuple[int, ...]]] = []
        addresses: list[tuple[AddressSet, tuple[int, ...]]] = []
        for point, groups in zip(self.connectivity.points, self._memberships[0], strict=True):
            if point.addresses is not None:
                addresses.append((point.addresses, groups))
            else:
                peers += ((peer.text, groups) for peer in point.peers)
        return peers, addresses

    @cached_property
    def _memberships(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """For each point the groups that it is a source of, and those that it is a destination of."""
        sources: list[list[int]] = [[] for _ in self.connectivity.points]
        destinations: list[list[int]] = [[] for _ in self.connectivity.points]
        for number, group in enumerate(self.connectivity.groups):
            for index in bits.indices(group.sources):
                sources[index].append(number)
            for index in bits.indices(group.destinations):
                destinations[index].append(number)
        return [tuple(each) for each in sources], [tuple(each) for each in destinations]

    def _reached(self, groups: tuple[int, ...], known: dict[tuple[int, ...], list[Reached]]) -> list[Reached]:
        found = known.get(groups)
        if found is None:
            found = []
            parts: list[tuple[AddressSet, ConnectionSet]] = []
            for number in groups:
                peers, addresses = self._destinations[number]
                found += peers
                if addresses:
                    parts.append((addresses, self.connectivity.groups[number].connections))
            if self._has_namesakes:
                found, parts = _united(found), _disjoint(parts)
            outside: dict[ConnectionSet, AddressSet] = {}
            for addresses, held in parts:
                outside[held] = outside.get(held, AddressSet()) | addresses
            for held, addresses in outside.items():
                found += (Reached(text, held) for text in addresses.range_texts())
            # No two have one destination, so that connections are never compared.
            found.sort()
            known[groups] = found
        return found

    @cached_property
    def _has_namesakes(self) -> bool:
        """Whether two peers have one text: pods of one controller that policies tell apart."""
        texts = [peer.text for point in self.connectivity.points for peer in point.peers]
        return len(set(texts)) < len(texts)

    @cached_property
    def _destinations(self) -> list[tuple[list[Reached], AddressSet]]:
        found: list[tuple[list[Reached], AddressSet]] = []
        for group in self.connectivity.groups:
            peers, addresses = self.connectivity.members(group.destinations)
            found.append(([Reached(peer.text, group.connections) for peer in peers], addresses))
        return found

    def grouped(self) -> Grouped:
        """The map in groups, as it was computed. Not for a map of which only some pairs are shown."""
        numbers: dict[tuple[str, ...], int] = {}
        known: dict[int, int] = {}

        def number(points: int) -> int:
            if points not in known:
                known[points] = numbers.setdefault(self._texts(points), len(numbers))
            return known[points]

        found = [
            GroupedConnection(number(group.sources), number(group.destinations), group.connections)
            for group in self.connectivity.groups
        ]
        for held, names in _by_connections(self.ways_in).items():
            source = numbers.setdefault((INGRESS_CONTROLLER,), len(numbers))
            found.append(GroupedConnection(source, numbers.setdefault(names, len(numbers)), held))
        return Grouped(tuple(numbers), tuple(found))

    def _texts(self, points: int) -> tuple[str, ...]:
        peers, addresses = self.connectivity.members(points)
        return (*(peer.text for peer in peers), *addresses.range_texts())

    def classes(self) -> Grouped:
        """The map between disjoint sets of names: those of one set reach, and are reached by, the same."""
        sources, destinations = self._memberships
        ways_in = {each.destination: each.connections for each in self.ways_in}
        members: dict[tuple[object, ...], list[str]] = {}
        outside: dict[tuple[object, ...], AddressSet] = {}
        groups_of: dict[tuple[object, ...], tuple[tuple[int, ...], tuple[int, ...]]] = {}
        for point, out, into in zip(self.connectivity.points, sources, destinations, strict=True):
            for peer in point.peers:
                key: tuple[object, ...] = (out, into, ways_in.get(peer.text))
                members.setdefault(key, []).append(peer.text)
                groups_of[key] = (out, into)
            if point.addresses is not None:
                key = (out, into, "outside")
                outside[key] = outside.get(key, AddressSet()) | point.addresses
                groups_of[key] = (out, into)
        sets = {key: tuple(sorted(found)) for key, found in members.items()}
        sets.update({key: held.range_texts() for key, held in outside.items()})
        order = sorted(sets, key=lambda key: (key in outside, sets[key]))
        connections = list(self._between(order, groups_of, self.connectivity.groups))
        for number, of_set in enumerate(order):
            held = of_set[2]
            if isinstance(held, ConnectionSet):
                connections.append(GroupedConnection(len(order), number, held))
        names = [sets[key] for key in order]
        if self.ways_in:
            names.append((INGRESS_CONTROLLER,))
        return Grouped(tuple(names), tuple(sorted(connections, key=lambda each: each[:2])))

    @staticmethod
    def _between(
        order: list[tuple[object, ...]],
        groups_of: dict[tuple[object, ...], tuple[tuple[int, ...], tuple[int, ...]]],
        groups: tuple[Group, ...],
    ) -> Iterator[GroupedConnection]:
        senders: list[list[int]] = [[] for _ in groups]
        receivers: list[list[int]] = [[] for _ in groups]
        for number, key in enumerate(order):
            out, into = groups_of[key]
            for group in out:
                senders[group].append(number)
            for group in into:
                receivers[group].append(number)
        for number, group_ in enumerate(groups):
            for source in senders[number]:
                for destination in receivers[number]:
                    yield GroupedConnection(source, destination, group_.connections)


def connectivity_map(cluster: Cluster, policies: PolicySet, chosen: Chosen | None = None) -> ConnectivityMap:
    """The map of a cluster under its policies."""
    names = tuple(sorted(peer.text for peer in policies.peers.pods))
    return ConnectivityMap(names, connectivity(policies), tuple(_ways_in(cluster, policies)), chosen)


def _ways_in(cluster: Cluster, policies: PolicySet) -> Iterator[Reached]:
    """What the ingress controllers reach: the ports that routes lead to, as far as policies let them through."""
    wanted: dict[int, tuple[Peer, ConnectionSet]] = {}
    for way in routed_backends(cluster):
        backend = way.backend
        peer = policies.peers.of(backend.workload) if backend.workload is not None else None
        if peer is not None and backend.port is not None:
            port = ConnectionSet.span(backend.protocol, backend.port, backend.port)
            _, held = wanted.get(id(peer), (peer, ConnectionSet.nothing()))
            wanted[id(peer)] = (peer, held | port)
    (controller,) = ingress_controllers()
    allowed = [(peer, held & allowed_connections(policies, controller, peer)) for peer, held in wanted.values()]
    yield from sorted(_united(Reached(peer.text, held) for peer, held in allowed if held))


def _united(reached: Iterable[Reached]) -> list[Reached]:
    """What is reached, with all connections to one name together."""
    found: dict[str, ConnectionSet] = {}
    for name, held in reached:
        found[name] = found[name] | held if name in found else held
    return [Reached(name, held) for name, held in found.items()]


def _disjoint(parts: Iterable[tuple[AddressSet, ConnectionSet]]) -> list[tuple[AddressSet, ConnectionSet]]:
    """Addresses by what they are reached on, as parts that have no address in common."""
    found: list[tuple[AddressSet, ConnectionSet]] = []
    for addresses, connections in parts:
        refined: list[tuple[AddressSet, ConnectionSet]] = []
        for known, held in found:
            refined += [(known & addresses, held | connections), (known - addresses, held)]
            addresses -= known
        found = [(known, held) for known, held in (*refined, (addresses, connections)) if known]
    return found


def _by_connections(reached: Iterable[Reached]) -> dict[ConnectionSet, tuple[str, ...]]:
    found: dict[ConnectionSet, list[str]] = {}
    for each in reached:
        found.setdefault(each.connections, []).append(each.destination)
    return {held: tuple(names) for held, names in found.items()}
