"""Two sets of manifests against each other: whether the policies of both allow the same, with what each side says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import attrs

from k8snetlint.algebra.addresses import Address, parse_range
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Flow, Peer

from .connectivity import connectivity_map
from .difference import difference
from .reference import Decision, is_allowed
from .stated import check_forbids, check_permits
from .universe import Mentioned
from .verdict import Holds, Refuted, Unknown, Verdict, World, check_equivalent, check_implies, first_connection

EQUIVALENT, IMPLIES = "equivalent", "implies"


@attrs.frozen
class Comparison:
    """The verdict on two sets of manifests. Where it is refuted, what each side says of the witness."""

    verdict: Verdict
    old: Decision | None = None
    new: Decision | None = None


COMPARISONS: Mapping[str, Callable[[PolicySet, PolicySet, World], Verdict]] = MappingProxyType(
    {
        EQUIVALENT: check_equivalent,
        IMPLIES: check_implies,
        "permits": check_permits,
        "forbids": check_forbids,
    }
)


def compare(old: PolicySet, new: PolicySet, question: str, world: World) -> Comparison:
    """The answer to one of `COMPARISONS`: whether both allow the same, the second all that the first allows, and so on.

    In the closed world a workload of one name is one workload, also where its labels or ports have changed, and only
    workloads of both sides are compared. In the open world so are all pods that anyone could create: it is unknown
    where nothing refutes it, but policies ask for labels of a namespace that the two sides declare differently.
    """
    verdict = COMPARISONS[question](old, new, world)
    if isinstance(verdict, Refuted):
        return Comparison(verdict, is_allowed(old, verdict.witness), is_allowed(new, verdict.witness))
    if isinstance(verdict, Holds):
        is_of_all = question in (EQUIVALENT, IMPLIES)
        found = _of_changed_workloads(old, new, question == EQUIVALENT) if is_of_all else None
        if found is not None:
            flow, there = found
            decision = is_allowed(old, flow)
            return Comparison(Refuted(flow, decision), decision, is_allowed(new, there))
        relabelled = next(_relabelled(old, new), None) if world is World.OPEN else None
        if relabelled is not None:
            return Comparison(Unknown(f"the labels of namespace {relabelled} differ between the two sides"))
    return Comparison(verdict)


def _of_changed_workloads(old: PolicySet, new: PolicySet, is_equivalence: bool) -> tuple[Flow, Flow] | None:
    """A flow between workloads of both sides on which these differ, as each side sees it."""
    before, after = (_by_name(policies) for policies in (old, new))
    common = before.keys() & after.keys()
    if all(_look(before[name]) == _look(after[name]) for name in common):
        return None
    maps = (connectivity_map(policies.peers.cluster, policies) for policies in (old, new))
    for change in difference(*maps).changes:
        lost = change.old - change.new
        differing = lost or (change.new - change.old if is_equivalence else lost)
        ends = [_ends(name, before, after, old, new) for name in (change.source, change.destination)]
        if differing and ends[0] is not None and ends[1] is not None:
            connection = first_connection(differing)
            return Flow(ends[0][0], ends[1][0], *connection), Flow(ends[0][1], ends[1][1], *connection)
    return None


def _by_name(policies: PolicySet) -> dict[str, Peer]:
    """The peers that are the only one of their name."""
    found: dict[str, list[Peer]] = {}
    for peer in policies.peers.pods:
        found.setdefault(peer.text, []).append(peer)
    return {name: peers[0] for name, peers in found.items() if len(peers) == 1}


def _look(peer: Peer) -> tuple[object, ...]:
    """What policies can see of a peer."""
    return (
        dict(peer.labels),
        dict(peer.namespace_labels),
        peer.ports,
        peer.addresses,
        peer.service_account,
        peer.is_pod,
        peer.node,
    )


def _ends(
    name: str, before: dict[str, Peer], after: dict[str, Peer], old: PolicySet, new: PolicySet
) -> tuple[Peer, Peer] | None:
    """A name of a map on both sides; None for a workload that is on one side only, and for ingress controllers."""
    if name in before and name in after:
        return before[name], after[name]
    if name.endswith(("]", "}")):
        return None
    version, first, _ = next(parse_range(name).ranges())
    address = Address(version, first)
    return old.peers.at(address), new.peers.at(address)


def _relabelled(old: PolicySet, new: PolicySet) -> Iterator[str]:
    """The namespaces that both sides declare, with different values of a label that policies ask for."""
    keys = Mentioned((old, new)).namespace_tests
    for name, here in old.peers.cluster.namespaces.items():
        there = new.peers.cluster.namespaces.get(name)
        if here.resource is None or there is None or there.resource is None:
            continue
        if any(here.labels.get(key) != there.labels.get(key) for key in keys):
            yield name
