"""Whether rules in order always decide the same way what a match is about: the question behind every redundancy.

A few imagined pods refute most claims, the text of the expressions proves most of the others; then the closed world is
asked by set algebra, and only what it leaves standing is put to the solver, for every pod that could exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import attrs

from k8snetlint.algebra import bits
from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.policy.ir import (
    Action,
    AllOf,
    AnyOf,
    InNamespace,
    LabelOperator,
    LabelTest,
    Match,
    NamespaceLabel,
    PeerExpr,
    PolicyRule,
    PolicySet,
    Stage,
    Tier,
    all_of,
    any_of,
)
from k8snetlint.policy.peers import Peer, Peers

from .containment import asks_nodes, has_blocks, match_excludes, match_implies
from .reachability import Group
from .reference import matches
from .samples import opened_on, samples
from .universe import Mentioned, Universe
from .verdict import Undecided, World, everyone

# Of more rules than this it is not found out which of them are really needed.
FEW = 8
# What one set of questions may cost, in comparisons of a flow with a rule: some seconds. A proof costs many for each.
BUDGET = 2_000_000
_PROOF_COST = 500


class Deciding:
    """Answers, for one policy set, how rules in order decide the flows of a match.

    Pods count as having no address that a block could match: what is proved holds for plugins that match pods by
    address, and for those that do not. Both address families count, whether or not the policies speak of them.
    """

    def __init__(self, policies: PolicySet, resource_limit: int | None = None) -> None:
        """`resource_limit` bounds each question to the solver; None is its usual bound."""
        self._policies = policies
        self._limit = resource_limit
        self._namespaces: dict[str, PeerExpr] = {}
        self._left = BUDGET

    @property
    def is_exhausted(self) -> bool:
        """Whether the budget is used up: no further question will be answered."""
        return self._left <= 0

    def spend(self, cost: int) -> None:
        """Takes the cost of a piece of work from the budget. Raises Undecided when there is none left."""
        self._left -= cost
        if self.is_exhausted:
            raise Undecided("the policies are too many to compare all of them with one another")

    def decides(
        self, match: Match, rules: Sequence[PolicyRule], action: Action | None, world: World = World.OPEN
    ) -> bool:
        """Whether the first rule that matches a flow of the match is always there and does `action`; None: anything.

        Of nodes nothing is imagined: what asks for them is only proved by its text. A pod to itself is no flow.
        Raises Undecided if the solver gives up, or the budget is used up.
        """
        if world is World.CLOSED:
            return _holds_here(self._universe(match, rules), match, rules, action)
        self.spend(len(rules))
        if not rules or self._is_refuted_by_sample(match, rules, action):
            return False
        match = self._with_known_labels(match)
        if _is_proved_by_text(match, rules, action):
            return True
        # Of pods behind a block nothing is imagined, and only pods give names to ports: what these open is not known.
        is_unimagined = bool(match.connections.named) and has_blocks(match.destination)
        if is_unimagined or asks_nodes(match.source) or asks_nodes(match.destination):
            return False
        relevant = [rule for rule in rules if not match_excludes(match, rule.match)]
        universe = self._universe(match, relevant)
        return _holds_here(universe, match, relevant, action) and self._is_proved(universe, match, relevant, action)

    @cached_property
    def _peers(self) -> Peers:
        peers = self._policies.peers
        return Peers(peers.cluster, attrs.evolve(peers.enforcement, blocks_match_pods=False))

    def _with_known_labels(self, match: Match) -> Match:
        """The same match, with the labels of declared namespaces said along with their names."""
        return Match(self._known(match.source), self._known(match.destination), match.connections)

    def _known(self, peer: PeerExpr) -> PeerExpr:
        if isinstance(peer, AllOf):
            return all_of(*map(self._known, peer.parts))
        if isinstance(peer, AnyOf):
            return any_of(*map(self._known, peer.parts))
        if not isinstance(peer, InNamespace):
            return peer
        if peer.name not in self._namespaces:
            peers = self._policies.peers
            declared = peers.cluster.namespaces.get(peer.name)
            labels = peers.labels_of_namespace(peer.name) if declared is not None and declared.resource else {}
            tests = [LabelTest(key, LabelOperator.IN, (value,)) for key, value in labels.items()]
            missing = self._mentioned.namespace_tests.keys() - labels.keys() if labels else ()
            tests += [LabelTest(key, LabelOperator.ABSENT) for key in sorted(missing)]
            self._namespaces[peer.name] = all_of(peer, *map(NamespaceLabel, tests))
        return self._namespaces[peer.name]

    @cached_property
    def _mentioned(self) -> Mentioned:
        return Mentioned((self._policies,))

    def _policies_of(self, match: Match, rules: Sequence[PolicyRule]) -> PolicySet:
        """A policy set of a question alone: what no rule of it mentions cannot matter."""
        asked = PolicyRule(Action.ALLOW, match, None)
        return PolicySet((Stage("asked", (Tier("asked", (*rules, asked)),)),), (), self._peers)

    def _universe(self, match: Match, rules: Sequence[PolicyRule]) -> Universe:
        return Universe((self._policies_of(match, rules),), self._peers.pods, (AddressSet.all_v6(),))

    def _is_refuted_by_sample(self, match: Match, rules: Sequence[PolicyRule], action: Action | None) -> bool:
        peers = self._policies.peers
        for destination in samples(match.destination, peers, match.connections):
            opened = opened_on(match.connections, destination)
            for source in samples(match.source, peers, match.connections) if opened else ():
                if (source.is_pod or destination.is_pod) and not _decides_pair(
                    source, destination, opened, rules, action
                ):
                    return True
        return False

    def _is_proved(self, universe: Universe, match: Match, rules: Sequence[PolicyRule], action: Action | None) -> bool:
        # Each rule may mention values of its own, and each value is a term of every rule.
        self.spend(_PROOF_COST * (4 + len(rules)) + 10 * len(rules) ** 2)
        from .smt.encoding import Encoding

        policies = self._policies_of(match, rules)
        encoding = Encoding(universe, (policies,), (), self._limit)
        return encoding.find_exception(everyone(policies, World.OPEN), match, rules, action) is None


def covering(
    deciding: Deciding, match: Match, rules: Sequence[PolicyRule], action: Action | None
) -> tuple[PolicyRule, ...]:
    """Few of some rules that together decide a match as they all do: one alone if one does, none that is not needed."""
    single = next((rule for rule in rules if match_implies(match, rule.match)), None)
    if single is not None:
        return (single,)
    needed = [rule for rule in rules if not match_excludes(match, rule.match) and action in (None, rule.action)]
    for rule in list(needed) if len(needed) <= FEW else ():
        left = [each for each in needed if each is not rule]
        try:
            if deciding.decides(match, [each for each in rules if each in left], action):
                needed = left
        except Undecided:
            continue
    return tuple(needed)


def _decides_pair(
    source: Peer, destination: Peer, opened: ConnectionSet, rules: Sequence[PolicyRule], action: Action | None
) -> bool:
    left = opened
    for rule in rules:
        if not matches(rule.match.source, source) or not matches(rule.match.destination, destination):
            continue
        decided = left & opened_on(rule.match.connections, destination)
        if decided:
            if action is not None and rule.action is not action:
                return False
            left -= decided
            if not left:
                return True
    return False


def _is_proved_by_text(match: Match, rules: Sequence[PolicyRule], action: Action | None) -> bool:
    """Whether one rule is about all of the match, and none before it does something else with a part of it."""
    for rule in rules:
        if action is not None and rule.action is not action:
            if not match_excludes(match, rule.match):
                return False
        elif match_implies(match, rule.match):
            return True
    return False


def _holds_here(universe: Universe, match: Match, rules: Sequence[PolicyRule], action: Action | None) -> bool:
    """The answer for the peers of the cluster and all addresses, by set algebra."""
    left = list(_regions(universe, match))
    for rule in rules:
        kept: list[Group] = []
        for other in _regions(universe, rule.match):
            for region in left:
                parts = list(_without(region, other))
                is_met = parts != [region]
                if is_met and action is not None and rule.action is not action:
                    return False
                kept += parts
            left, kept = kept, []
        if not left:
            return True
    return not any(_has_flow(universe, region) for region in left)


def _regions(universe: Universe, match: Match) -> list[Group]:
    sources, destinations = universe.members(match.source), universe.members(match.destination)
    found = [Group(sources, at & destinations, held) for at, held in universe.resolved(match.connections)]
    return [region for region in found if region.sources and region.destinations and region.connections]


def _without(region: Group, other: Group) -> list[Group]:
    """The parts of a region outside another: the region itself where they do not meet."""
    sources, destinations = region.sources & other.sources, region.destinations & other.destinations
    connections = region.connections & other.connections if sources and destinations else ConnectionSet.nothing()
    if not connections:
        return [region]
    parts = [
        Group(region.sources & ~sources, region.destinations, region.connections),
        Group(sources, region.destinations & ~destinations, region.connections),
        Group(sources, destinations, region.connections - connections),
    ]
    return [part for part in parts if part.sources and part.destinations and part.connections]


def _has_flow(universe: Universe, region: Group) -> bool:
    """Whether a region has two different ends, not both outside."""
    inside = universe.inside
    if region.sources & ~inside and region.destinations & inside:
        return True
    sources = region.sources & inside
    if not sources or not region.destinations:
        return False
    if region.destinations & ~inside or (sources | region.destinations).bit_count() > 1:
        return True
    return len(universe.points[bits.lowest(sources)].peers) > 1
