"""What expressions of peers imply by their text alone, in any cluster: True is sure, False only says "not by this".

What labels there are need not be known for it; z3 decides what this leaves open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
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
    Match,
    NamespaceLabel,
    NodeIs,
    Not,
    Nothing,
    PeerExpr,
    PodLabel,
    RunsOn,
    ServiceAccountIs,
)

_OF_PODS = (AnyPod, InNamespace, NamespaceLabel, PodLabel, ServiceAccountIs, RunsOn)
_ANY_VALUE = (LabelOperator.EXISTS, LabelOperator.NOT_IN)


def match_implies(first: Match, second: Match) -> bool:
    """Whether every flow of the first match is one of the second."""
    return (
        connections_imply(first.connections, second.connections)
        and implies(first.source, second.source)
        and implies(first.destination, second.destination)
    )


def match_excludes(first: Match, second: Match) -> bool:
    """Whether no flow is of both matches."""
    a, b = first.connections, second.connections
    if not a.named and not b.named and a.fixed.isdisjoint(b.fixed):
        return True
    return excludes(first.source, second.source) or excludes(first.destination, second.destination)


def is_empty_match(match: Match) -> bool:
    """Whether a match has no flow in any cluster."""
    connections = match.connections
    is_closed = not connections.fixed and not connections.named
    return is_closed or is_empty(match.source) or is_empty(match.destination)


def connections_imply(first: ConnectionExpr, second: ConnectionExpr) -> bool:
    """Whether, on every destination, the first opens nothing that the second does not."""
    if not first.fixed <= second.fixed:
        return False
    covered = {protocol for protocol, ports in second.fixed.items() if len(ports.intervals) == 1 and _is_all(ports)}
    return all(
        name in second.named or name._replace(protocol=None) in second.named or name.protocol in covered
        for name in first.named
    ) or len(covered) == len(("TCP", "UDP", "SCTP"))


def _is_all(ports: Iterable[tuple[int, int]]) -> bool:
    return list(ports) == [(1, 65535)]


def implies(first: PeerExpr, second: PeerExpr) -> bool:
    """Whether every peer of the first is one of the second."""
    if first == second or isinstance(second, Everything) or is_empty(first):
        return True
    if isinstance(first, AnyOf):
        return all(implies(part, second) for part in first.parts)
    if isinstance(second, AllOf):
        return all(implies(first, part) for part in second.parts)
    if isinstance(second, AnyOf):
        return any(implies(first, part) for part in second.parts)
    if isinstance(first, AllOf):
        return any(implies(part, second) for part in first.parts)
    return _atom_implies(first, second)


def _atom_implies(first: PeerExpr, second: PeerExpr) -> bool:
    match first, second:
        case _, AnyPod():
            return isinstance(first, _OF_PODS)
        case PodLabel(test), PodLabel(other):
            return test_implies(test, other)
        case NamespaceLabel(test), NamespaceLabel(other):
            return test_implies(test, other)
        case InNamespace(name), NamespaceLabel(test):
            return test.key == NAMESPACE_NAME_LABEL and test.holds(name)
        case NamespaceLabel(test), InNamespace(name):
            is_name = test.key == NAMESPACE_NAME_LABEL and test.operator is LabelOperator.IN
            return is_name and test.values == (name,)
        case HasAddress(addresses), HasAddress(others):
            return addresses <= others
        case IsNode(tests), IsNode(others):
            return all(any(test_implies(test, other) for test in tests) for other in others)
        case NodeIs(), IsNode(others):
            return not others
    return False


def test_implies(first: LabelTest, second: LabelTest) -> bool:
    """Whether every value, absence among them, that passes the first test passes the second."""
    if first.key != second.key:
        return False
    if first == second:
        return True
    match first.operator:
        case LabelOperator.IN:
            return all(second.holds(value) for value in first.values)
        case LabelOperator.ABSENT:
            return second.holds(None)
        case LabelOperator.NOT_IN:
            return second.operator is LabelOperator.NOT_IN and set(second.values) <= set(first.values)
    return second.operator is LabelOperator.EXISTS


def excludes(first: PeerExpr, second: PeerExpr) -> bool:
    """Whether no peer is in both."""
    for one, other in ((first, second), (second, first)):
        if isinstance(one, AnyOf):
            return all(excludes(part, other) for part in one.parts)
    mine = first.parts if isinstance(first, AllOf) else (first,)
    theirs = second.parts if isinstance(second, AllOf) else (second,)
    for parts, other in ((mine, second), (theirs, first)):
        if any(isinstance(part, Not) and implies(other, part.part) for part in parts):
            return True
    return any(_atoms_exclude(a, b) for a in mine for b in theirs) or is_empty(first) or is_empty(second)


def _atoms_exclude(first: PeerExpr, second: PeerExpr) -> bool:
    if isinstance(first, PodLabel) and isinstance(second, PodLabel) and first.test.key != second.test.key:
        return False
    match first, second:
        case InNamespace(name), InNamespace(other):
            return name != other
        case (InNamespace(name), NamespaceLabel(test)) | (NamespaceLabel(test), InNamespace(name)):
            return test.key == NAMESPACE_NAME_LABEL and not test.holds(name)
        case (PodLabel(test), PodLabel(other)) | (NamespaceLabel(test), NamespaceLabel(other)):
            return test.key == other.key and not _has_value((test, other), False)
        case ServiceAccountIs(name), ServiceAccountIs(other):
            return name != other
        case HasAddress(addresses), HasAddress(others):
            return addresses.isdisjoint(others)
        case (IsNode() | NodeIs(), AnyPod() | InNamespace() | NamespaceLabel() | PodLabel() | RunsOn()):
            return True
        case (AnyPod() | InNamespace() | NamespaceLabel() | PodLabel() | RunsOn(), IsNode() | NodeIs()):
            return True
        case (_, AnyOf()) | (AnyOf(), _):
            return excludes(first, second)
    return False


def is_empty(peer: PeerExpr) -> bool:
    """Whether no peer can be of an expression, in any cluster."""
    match peer:
        case Nothing():
            return True
        case HasAddress(addresses):
            return not addresses
        case AnyOf(parts):
            return all(map(is_empty, parts))
        case AllOf(parts):
            if any(map(is_empty, parts)) or any(_atoms_exclude(a, b) for a, b in combinations(parts, 2)):
                return True
            of_pods = [part.test for part in parts if isinstance(part, PodLabel)]
            of_namespaces = [part.test for part in parts if isinstance(part, NamespaceLabel)]
            return contradiction(of_pods) is not None or contradiction(of_namespaces, is_namespace=True) is not None
        case NamespaceLabel(test):
            return contradiction((test,), is_namespace=True) is not None
    return False


def contradiction(tests: Sequence[LabelTest], is_namespace: bool = False) -> tuple[LabelTest, ...] | None:
    """A smallest group of tests of one label that no value passes, in their order; None if each label has one.

    Every namespace has the label of its name: a test for its absence contradicts itself.
    """
    by_key: dict[str, list[LabelTest]] = {}
    for test in tests:
        by_key.setdefault(test.key, []).append(test)
    for key, group in by_key.items():
        is_present = is_namespace and key == NAMESPACE_NAME_LABEL
        if len(group) == 1 and not is_present and (group[0].values or group[0].operator is not LabelOperator.IN):
            continue
        for size in range(1, min(len(group), 4) + 1):
            for chosen in combinations(group, size):
                if not _has_value(chosen, is_present):
                    return chosen
    return None


def _has_value(tests: Sequence[LabelTest], is_present: bool) -> bool:
    """Whether some value of a label, or its absence, may pass all of some tests."""
    if not is_present and all(test.holds(None) for test in tests):
        return True
    listed = [test for test in tests if test.operator is LabelOperator.IN]
    if listed:
        return any(all(test.holds(value) for test in tests) for value in listed[0].values)
    # Any text but a few values is left, or the tests look into the text: those are not told apart here.
    return not any(test.operator is LabelOperator.ABSENT for test in tests)


def has_blocks(peer: PeerExpr) -> bool:
    """Whether an expression asks for addresses."""
    match peer:
        case HasAddress():
            return True
        case AllOf(parts) | AnyOf(parts):
            return any(map(has_blocks, parts))
        case Not(part):
            return has_blocks(part)
    return False


def asks_nodes(peer: PeerExpr) -> bool:
    """Whether an expression asks for nodes, or what runs on one: the open world imagines pods only."""
    match peer:
        case IsNode() | NodeIs() | RunsOn():
            return True
        case AllOf(parts) | AnyOf(parts):
            return any(map(asks_nodes, parts))
        case Not(part):
            return asks_nodes(part)
    return False
