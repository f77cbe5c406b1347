"""What pods that the manifests do not hold could reach, or be reached by: read off the peers that rules speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import (
    EGRESS,
    AllOf,
    AnyOf,
    InNamespace,
    LabelOperator,
    LabelTest,
    NamespaceLabel,
    PeerExpr,
    PodLabel,
    PolicySet,
)
from k8snetlint.policy.peers import Peer

from .reachability import allowed_connections
from .reference import matches

_SOME_VALUE = "any-value"


class Exposure(NamedTuple):
    """What a pod with those labels could open to a workload (`ingress`), or be opened by it (`egress`).

    Labels that are not listed do not matter. No labels at all: every pod that anyone could create.
    """

    workload: str
    direction: str
    namespace_labels: Mapping[str, str]
    pod_labels: Mapping[str, str]
    connections: ConnectionSet


def exposures(policies: PolicySet) -> Iterator[Exposure]:
    """For each workload and direction what any pod could, and what pods with labels that rules ask for could beyond."""
    for peer in sorted(policies.peers.pods, key=lambda each: each.text):
        for direction in ("ingress", "egress"):
            anyone = _imagined({}, {}, policies)
            common = _between(peer, anyone, direction, policies)
            if common:
                yield Exposure(peer.text, direction, {}, {}, common)
            seen: set[tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]] = set()
            for namespace_labels, labels in _asked_for(peer, direction, policies):
                key = (tuple(sorted(namespace_labels.items())), tuple(sorted(labels.items())))
                if key in seen or not (namespace_labels or labels):
                    continue
                seen.add(key)
                held = _between(peer, _imagined(namespace_labels, labels, policies), direction, policies)
                if held != common and held:
                    yield Exposure(peer.text, direction, dict(key[0]), dict(key[1]), held)


def _between(peer: Peer, other: Peer, direction: str, policies: PolicySet) -> ConnectionSet:
    ends = (peer, other) if direction == EGRESS else (other, peer)
    return allowed_connections(policies, *ends)


def _asked_for(peer: Peer, direction: str, policies: PolicySet) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    for stage in policies.stages:
        for tier in stage.tiers if stage.name == direction else ():
            for rule in tier.rules:
                match = rule.match
                subject, other = match.source, match.destination
                if direction != EGRESS:
                    subject, other = other, subject
                if matches(subject, peer):
                    for alternative in other.parts if isinstance(other, AnyOf) else (other,):
                        yield _labels(alternative)


def _labels(peer: PeerExpr) -> tuple[dict[str, str], dict[str, str]]:
    """Labels that fit an expression as far as its positive tests go."""
    namespace_labels: dict[str, str] = {}
    labels: dict[str, str] = {}
    for part in peer.parts if isinstance(peer, AllOf) else (peer,):
        match part:
            case InNamespace(name):
                namespace_labels[NAMESPACE_NAME_LABEL] = name
            case NamespaceLabel(test):
                namespace_labels.update(_label(test))
            case PodLabel(test):
                labels.update(_label(test))
            case _:
                pass
    return namespace_labels, labels


def _label(test: LabelTest) -> dict[str, str]:
    if test.operator is LabelOperator.IN and test.values:
        return {test.key: test.values[0]}
    return {test.key: _SOME_VALUE} if test.operator is LabelOperator.EXISTS else {}


def _imagined(namespace_labels: Mapping[str, str], labels: Mapping[str, str], policies: PolicySet) -> Peer:
    name = namespace_labels.get(NAMESPACE_NAME_LABEL)
    known = policies.peers.cluster.namespaces
    found = dict(policies.peers.labels_of_namespace(name)) if name in known else {}
    return Peer(
        "an imagined pod",
        namespace=name or "\0elsewhere",
        namespace_labels={NAMESPACE_NAME_LABEL: name or "\0elsewhere", **found, **namespace_labels},
        labels=labels,
        addresses=policies.peers.unknown_addresses,
        is_pod=True,
    )
