"""Blocks of admin policies that hold some of the addresses which a pod may have: whether it is denied is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.model.core import Resource
from k8snetlint.policy.ir import ALL_CONNECTIONS, EGRESS, Action, PolicyRule, PolicySet
from k8snetlint.policy.peers import Peer
from k8snetlint.source.tree import Path

from .ends import blocks_in
from .reference import matches
from .understood import admin_rules

# Where clusters take the addresses of pods from. Source: RFC 1918 and RFC 6598.
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")


@attrs.frozen
class PartialBlock:
    """A rule that takes traffic away from a block of addresses, and a pod that may have one of them."""

    resource: Resource
    path: Path
    peer: Peer


def partial_blocks(policies: PolicySet) -> Iterator[PartialBlock]:
    """The rules of this sort that no rule before them spares pods from: what they take away is taken to be open."""
    unknown = policies.peers.unknown_addresses
    likely = unknown & _private() if unknown == AddressSet.all_v4() else unknown
    unplaced = [peer for peer in policies.peers.pods if peer.is_pod and peer.addresses and peer.addresses == unknown]
    for stage, _, rules in admin_rules(policies) if unplaced else ():
        for number, rule in enumerate(rules if stage.name == EGRESS else ()):
            if rule.action is Action.ALLOW or rule.origin is None:
                continue
            if rule.action is Action.PASS and all(later.action is Action.PASS for later in rules[number + 1 :]):
                continue
            if not any(block & likely for block in blocks_in(rule.match.destination)):
                continue
            subjects = [peer for peer in policies.peers.pods if matches(rule.match.source, peer)]
            doubtful = [peer for peer in unplaced if not matches(rule.match.destination, peer)]
            if subjects and doubtful and not any(_spares(each, rule, subjects, doubtful) for each in rules[:number]):
                yield PartialBlock(rule.origin.resource, rule.origin.path, doubtful[0])


def _spares(earlier: PolicyRule, rule: PolicyRule, sources: Sequence[Peer], destinations: Sequence[Peer]) -> bool:
    """Whether an earlier rule decides everything between some peers that a rule may be about."""
    if earlier.match.connections not in (ALL_CONNECTIONS, rule.match.connections):
        return False
    return all(matches(earlier.match.source, peer) for peer in sources) and all(
        matches(earlier.match.destination, peer) for peer in destinations
    )


def _private() -> AddressSet:
    found = AddressSet()
    for text in _PRIVATE:
        found |= AddressSet.cidr(text)
    return found
