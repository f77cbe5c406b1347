"""Why a pair has the connections that it has: all connections in parts, each with the rules that decide it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Flow, Peer

from .blocking import opened
from .ends import ServiceEnd, resolve
from .reference import Decision, is_allowed, matches
from .verdict import first_connection


class Part(NamedTuple):
    """Connections of a pair that are decided alike."""

    connections: ConnectionSet
    decision: Decision


def explained(source: str, destination: str, cluster: Cluster, policies: PolicySet) -> Iterator[Part]:
    """All connections between two ends of a map, in parts; those of addresses that are decided differently apart."""
    for sender in _peers(source, cluster, policies):
        for receiver in _peers(destination, cluster, policies):
            yield from _parts(sender, receiver, policies)


def _peers(text: str, cluster: Cluster, policies: PolicySet) -> tuple[Peer, ...]:
    # What the map printed, to the letter: it may have no name, or share it, and then no user could ask for it.
    printed = tuple(peer for peer in policies.peers.pods if peer.text == text)
    if printed:
        return printed
    found = resolve(text, cluster, policies.peers, policies)
    return () if isinstance(found, ServiceEnd) else found


def _parts(source: Peer, destination: Peer, policies: PolicySet) -> Iterator[Part]:
    atoms = [ConnectionSet.everything()]
    for stage in policies.stages:
        for tier in stage.tiers:
            for rule in tier.rules:
                if matches(rule.match.source, source) and matches(rule.match.destination, destination):
                    held = opened(rule.match.connections, destination)
                    atoms = [part for atom in atoms for part in (atom & held, atom - held) if part]
    merged: dict[tuple[int, ...], Part] = {}
    for atom in atoms:
        decision = is_allowed(policies, Flow(source, destination, *first_connection(atom)))
        key = (int(decision.is_allowed), *(id(stage.rule) for stage in decision.stages))
        held = merged[key].connections | atom if key in merged else atom
        merged[key] = Part(held, decision)
    yield from merged.values()
