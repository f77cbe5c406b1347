"""What a change of the policies opens: connections that were denied before it, with the rule that lets them in now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import Action, PolicyRule, PolicySet

from .connectivity import connectivity_map
from .difference import difference
from .explanation import Part, explained

# How many changed pairs are explained.
MAX_PAIRS = 200


class State(NamedTuple):
    """A cluster under its policies, before or after a change."""

    cluster: Cluster
    policies: PolicySet


class Opened(NamedTuple):
    """Connections of a pair that a stage denied before and does not deny now.

    `rule` is the one that allows them now; None where no policy isolates the pod in that direction any more.
    """

    source: str
    destination: str
    connections: ConnectionSet
    stage: str
    rule: PolicyRule | None


def opened(old: State, new: State) -> Iterator[Opened]:
    """What the new state allows between workloads, and addresses, of both states that the old one denied.

    What a new workload may do is no change of what the others may.
    """
    found = difference(connectivity_map(*old), connectivity_map(*new))
    fresh = set(found.added)
    pairs = 0
    for change in found.changes:
        gained = change.new - change.old
        if not gained or change.source in fresh or change.destination in fresh:
            continue
        pairs += 1
        if pairs > MAX_PAIRS:
            return
        denied = [part for part in explained(change.source, change.destination, *old) if not part.decision.is_allowed]
        for part in explained(change.source, change.destination, *new):
            if part.decision.is_allowed:
                yield from _gained(change.source, change.destination, part, denied, gained)


def _gained(source: str, destination: str, part: Part, denied: list[Part], gained: ConnectionSet) -> Iterator[Opened]:
    """What a part that is allowed now gained, by the stage that denied it before."""
    rules = {stage.stage: stage.rule for stage in part.decision.stages}
    gains: dict[str, ConnectionSet] = {}
    for before in denied:
        for stage in before.decision.stages:
            if stage.action is Action.DENY:
                held = before.connections & part.connections & gained
                gains[stage.stage] = gains.get(stage.stage, ConnectionSet.nothing()) | held
    for name, connections in gains.items():
        if connections:
            yield Opened(source, destination, connections, name, rules.get(name))
