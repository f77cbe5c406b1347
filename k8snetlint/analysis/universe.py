"""The points of the closed world: equal peers merged, the address space cut where policies cut it; sets as bits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

import attrs

from k8snetlint.algebra import bits
from k8snetlint.algebra.addresses import BITS, AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.algebra.intervals import IntervalSet
from k8snetlint.policy.ir import (
    AllOf,
    AnyOf,
    AnyPod,
    ConnectionExpr,
    Everything,
    HasAddress,
    InNamespace,
    IsNode,
    LabelOperator,
    LabelTest,
    NamespaceLabel,
    NodeIs,
    Not,
    Nothing,
    PeerExpr,
    PodLabel,
    PolicyRule,
    PolicySet,
    PortName,
    RunsOn,
    ServiceAccountIs,
)
from k8snetlint.policy.peers import Node, Peer

_Key = TypeVar("_Key", bound=Hashable)
_OTHER = "\0other"
_TEXT_OPERATORS = (LabelOperator.STARTS_WITH, LabelOperator.ENDS_WITH, LabelOperator.CONTAINS)


@attrs.frozen(eq=False)
class Point:
    """Peers that no policy tells apart, or addresses outside that none tells apart.

    `example` is one of the peers, or what an address of the set is to policies.
    """

    example: Peer
    peers: tuple[Peer, ...] = ()
    addresses: AddressSet | None = None


class Mentioned:
    """What the policies ask about: all else cannot matter."""

    def __init__(self, policy_sets: Iterable[PolicySet], blocks: Iterable[AddressSet] = ()) -> None:
        self.namespaces: set[str] = set()
        self.accounts: set[str] = set()
        self.hosts: set[str] = set()
        self.blocks: dict[AddressSet, None] = dict.fromkeys(blocks)
        self.port_names: set[str] = set()
        self.asks_nodes = False
        self.pod_tests: dict[str, dict[LabelTest, None]] = {}
        self.namespace_tests: dict[str, dict[LabelTest, None]] = {}
        seen: set[PeerExpr] = set()
        for rule in _rules(policy_sets):
            self.port_names.update(port.name for port in rule.match.connections.named)
            for side in (rule.match.source, rule.match.destination):
                if side not in seen:
                    seen.add(side)
                    self.visit(side)

    def visit(self, peer: PeerExpr) -> None:
        """Takes in what an expression asks about."""
        match peer:
            case InNamespace(name):
                self.namespaces.add(name)
            case NamespaceLabel(test):
                self.namespace_tests.setdefault(test.key, {})[test] = None
            case PodLabel(test):
                self.pod_tests.setdefault(test.key, {})[test] = None
            case ServiceAccountIs(name):
                self.accounts.add(name)
            case HasAddress(addresses):
                self.blocks[addresses] = None
            case IsNode():
                self.asks_nodes = True
            case NodeIs(name) | RunsOn(name):
                self.hosts.add(name)
            case AllOf(parts) | AnyOf(parts):
                for part in parts:
                    self.visit(part)
            case Not(part):
                self.visit(part)
            case Everything() | Nothing() | AnyPod():
                pass

    @cached_property
    def _pod_values(self) -> dict[str, set[str] | None]:
        return {key: _values(tests) for key, tests in self.pod_tests.items()}

    @cached_property
    def _namespace_values(self) -> dict[str, set[str] | None]:
        return {key: _values(tests) for key, tests in self.namespace_tests.items()}

    def key(self, peer: Peer) -> tuple[object, ...]:
        """Equal for two peers that no policy tells apart."""
        return (
            peer.is_pod,
            peer.is_node,
            peer.namespace if peer.namespace in self.namespaces else None,
            peer.service_account if peer.service_account in self.accounts else None,
            peer.node if peer.node in self.hosts else None,
            _projected(peer.namespace_labels, self._namespace_values),
            _projected(peer.labels, self._pod_values),
            tuple(port for port in peer.ports if port.name in self.port_names),
            peer.addresses if self.blocks else None,
            frozenset(peer.node_labels.items()) if self.asks_nodes else None,
        )


def _rules(policy_sets: Iterable[PolicySet]) -> Iterator[PolicyRule]:
    for policies in policy_sets:
        for stage in policies.stages:
            for tier in stage.tiers:
                yield from tier.rules


def _values(tests: Iterable[LabelTest]) -> set[str] | None:
    """The values that tests tell apart from all others; None if they look into the text."""
    values: set[str] = set()
    for test in tests:
        if test.operator in _TEXT_OPERATORS:
            return None
        values.update(test.values)
    return values


def _projected(labels: Mapping[str, str], values: Mapping[str, set[str] | None]) -> frozenset[tuple[str, str]]:
    found = []
    for key, value in labels.items():
        if key in values:
            known = values[key]
            found.append((key, value if known is None or value in known else _OTHER))
    return frozenset(found)


class Universe:
    """All points of some policy sets, and the sets of points that their expressions stand for.

    Peers come first, in the order of their first members; points of addresses after them, from `first_address` on.
    Addresses of nodes are points of their own only where a policy asks for nodes: elsewhere an address is outside, and
    a map shows no rows for what a pod's own node may do.
    """

    def __init__(
        self, policy_sets: Sequence[PolicySet], peers: Iterable[Peer], blocks: Iterable[AddressSet] = ()
    ) -> None:
        """The address space is cut at the boundaries of `blocks` too."""
        mentioned = Mentioned(policy_sets, blocks)
        merged: dict[tuple[object, ...], list[Peer]] = {}
        for peer in peers:
            merged.setdefault(mentioned.key(peer), []).append(peer)
        inside = [Point(group[0], tuple(group)) for group in merged.values()]
        nodes = list(policy_sets[0].peers.nodes.values()) if mentioned.asks_nodes else []
        self.first_address = len(inside)
        self.points: tuple[Point, ...] = (
            *inside,
            *_address_points(mentioned.blocks, nodes, _has_v6(mentioned, inside)),
        )
        self.all = bits.full(len(self.points))
        self.inside = bits.full(self.first_address)
        self.outside = self.all ^ self.inside
        self._pods = bits.of(index for index, point in enumerate(self.points) if point.example.is_pod)
        self._known: dict[PeerExpr, int] = {}
        self._resolved: dict[ConnectionExpr, tuple[tuple[int, ConnectionSet], ...]] = {}
        self._index()

    def _index(self) -> None:
        self._labels: dict[str, dict[str, int]] = {}
        self._namespace_labels: dict[str, dict[str, int]] = {}
        examples = [point.example for point in self.points]
        pods = [peer if peer.is_pod else None for peer in examples]
        self._by_namespace = _gathered((peer.namespace,) if peer else () for peer in pods)
        labels = _gathered(peer.labels.items() if peer else () for peer in pods)
        of_namespaces = _gathered(peer.namespace_labels.items() if peer else () for peer in pods)
        for table, found in ((self._labels, labels), (self._namespace_labels, of_namespaces)):
            for (key, value), members in found.items():
                table.setdefault(key, {})[value] = members
        self._ports = _gathered(peer.ports if peer else () for peer in pods)
        self._addresses = _AddressIndex([peer.addresses for peer in examples])

    def members(self, peer: PeerExpr) -> int:
        """The points that an expression stands for."""
        known = self._known.get(peer)
        if known is None:
            known = self._known[peer] = self._evaluated(peer)
        return known

    def _evaluated(self, peer: PeerExpr) -> int:
        match peer:
            case Everything():
                return self.all
            case Nothing():
                return 0
            case AnyPod():
                return self._pods
            case InNamespace(name):
                return self._pods & self._by_namespace.get(name, 0)
            case NamespaceLabel(test):
                return self._pods & self._labelled(self._namespace_labels.get(test.key, {}), test)
            case PodLabel(test):
                return self._pods & self._labelled(self._labels.get(test.key, {}), test)
            case HasAddress(addresses):
                return self._addresses.within(addresses)
            case AllOf(parts):
                met = self.all
                for part in parts:
                    met &= self.members(part)
                return met
            case AnyOf(parts):
                joined = 0
                for part in parts:
                    joined |= self.members(part)
                return joined
            case Not(part):
                return self.all & ~self.members(part)
            case ServiceAccountIs(name):
                return self._where(lambda point: point.is_pod and point.service_account == name)
            case RunsOn(name):
                return self._where(lambda point: point.is_pod and point.node == name)
            case NodeIs(name):
                return self._where(lambda point: point.is_node and point.node == name)
            case IsNode(tests):
                return self._where(
                    lambda point: point.is_node and all(test.holds(point.node_labels.get(test.key)) for test in tests)
                )

    def _where(self, holds: Callable[[Peer], bool]) -> int:
        return bits.of(index for index, point in enumerate(self.points) if holds(point.example))

    def _labelled(self, by_value: Mapping[str, int], test: LabelTest) -> int:
        met = 0
        if test.operator in (LabelOperator.EXISTS, LabelOperator.ABSENT):
            chosen: Iterable[int] = by_value.values()
        elif test.operator in (LabelOperator.IN, LabelOperator.NOT_IN):
            chosen = (by_value.get(value, 0) for value in test.values)
        else:
            chosen = (members for value, members in by_value.items() if test.holds(value))
        for members in chosen:
            met |= members
        return self.all & ~met if test.operator in (LabelOperator.ABSENT, LabelOperator.NOT_IN) else met

    def resolved(self, connections: ConnectionExpr) -> tuple[tuple[int, ConnectionSet], ...]:
        """The connections by destination: disjoint sets of points that together are all, each with its connections."""
        known = self._resolved.get(connections)
        if known is None:
            known = self._resolved[connections] = tuple(self._resolutions(connections))
        return known

    def _resolutions(self, connections: ConnectionExpr) -> Iterator[tuple[int, ConnectionSet]]:
        parts = {connections.fixed: self.all}
        for name in connections.named:
            for opened, members in self._named(name):
                refined: dict[ConnectionSet, int] = {}
                for held, at in parts.items():
                    for key, part in ((held | opened, at & members), (held, at & ~members)):
                        if part:
                            refined[key] = refined.get(key, 0) | part
                parts = refined
        for held, at in parts.items():
            yield at, held

    def _named(self, name: PortName) -> Iterator[tuple[ConnectionSet, int]]:
        for (declared, protocol, number), members in self._ports.items():
            if declared == name.name and name.protocol in (None, protocol) and protocol in ("TCP", "UDP", "SCTP"):
                yield ConnectionSet.span(protocol, number, number), members


def _gathered(keys: Iterable[Iterable[_Key]]) -> dict[_Key, int]:
    """For each key the set of the positions at which it is found."""
    found: dict[_Key, list[int]] = {}
    for index, at_point in enumerate(keys):
        for key in at_point:
            found.setdefault(key, []).append(index)
    return {key: bits.of(members) for key, members in found.items()}


class _AddressIndex:
    """Which points have all their addresses in a given set."""

    def __init__(self, addresses: list[AddressSet]) -> None:
        self._single: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        self._several: dict[AddressSet, int] = {}
        several: dict[AddressSet, list[int]] = {}
        for index, held in enumerate(addresses):
            spans = list(held.ranges())
            if len(spans) == 1 and spans[0][1] == spans[0][2]:
                self._single[spans[0][0]].append((spans[0][1], index))
            elif spans:
                several.setdefault(held, []).append(index)
        for found in self._single.values():
            found.sort()
        self._several = {held: bits.of(members) for held, members in several.items()}

    def within(self, addresses: AddressSet) -> int:
        members: list[int] = []
        for version, first, last in addresses.ranges():
            found = self._single[version]
            start, end = bisect_left(found, (first, -1)), bisect_right(found, (last, len(found) + (1 << 62)))
            members += (index for _, index in found[start:end])
        met = bits.of(members)
        for held, points in self._several.items():
            if held <= addresses:
                met |= points
        return met


def _has_v6(mentioned: Mentioned, inside: list[Point]) -> bool:
    return any(block.v6 for block in mentioned.blocks) or any(point.example.addresses.v6 for point in inside)


def _address_points(blocks: Iterable[AddressSet], nodes: list[Node], with_v6: bool) -> Iterator[Point]:
    """The address space in parts that lie inside or outside each block as a whole, and belong to one node or none."""
    sets = [*blocks, *(node.addresses for node in nodes)]
    first_node = len(sets) - len(nodes)
    parts: dict[int, dict[int, list[tuple[int, int]]]] = {}
    for version in (4, 6) if with_v6 else (4,):
        changes: dict[int, int] = {0: 0}
        for position, held in enumerate(sets):
            for first, last in held.family(version):
                changes[first] = changes.get(first, 0) ^ 1 << position
                changes[last + 1] = changes.get(last + 1, 0) ^ 1 << position
        end = 1 << BITS[version]
        cuts = sorted(cut for cut in changes if cut < end)
        inside = 0
        for cut, following in zip(cuts, [*cuts[1:], end], strict=True):
            inside ^= changes[cut]
            parts.setdefault(inside, {}).setdefault(version, []).append((cut, following - 1))
    for inside, by_version in parts.items():
        held = AddressSet(IntervalSet(by_version.get(4, ())), IntervalSet(by_version.get(6, ())))
        of_nodes = inside >> first_node
        node = nodes[bits.lowest(of_nodes)] if of_nodes else None
        example = Peer(
            ",".join(held.range_texts()),
            addresses=held,
            node=node.name if node is not None else None,
            node_labels=node.labels if node is not None else {},
            is_node=node is not None,
        )
        yield Point(example, addresses=held)
