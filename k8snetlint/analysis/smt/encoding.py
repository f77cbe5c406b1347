"""The open world: policies as formulas over every pod that anyone could create.

A side is a point of the closed world or an imagined pod. Points are numbered, addresses among them, since policies cut
the address space into finitely many parts. All is quantifier-free and finite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import z3

from k8snetlint.algebra import bits
from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.analysis.containment import excludes
from k8snetlint.analysis.reachability import Group
from k8snetlint.analysis.universe import Universe
from k8snetlint.analysis.verdict import Question, Side, candidates, flow_at, lonely_points, side_bits
from k8snetlint.analysis.vocabulary import OTHER, Vocabulary
from k8snetlint.policy.ir import (
    Action,
    ConnectionExpr,
    Match,
    PeerExpr,
    PolicyRule,
    PolicySet,
    Stage,
    Tier,
)
from k8snetlint.policy.peers import Flow, Peer

from .imagined import ImaginedPod
from .terms import (
    NO_PROTOCOL,
    PROTOCOL_WIDTH,
    RESOURCE_LIMIT,
    Term,
    any_of,
    bounded_solver,
    first_decision,
    is_connection,
    is_satisfiable,
    stage_verdict,
    value_of,
)


class Encoding:
    """Policy sets as formulas, encoded once; a question is a set of assumptions.

    `sides` are the expressions of the imagined pods of all questions that will be asked. Formulas of this package that
    say more of a flow are made of its terms, and solved by its solvers.
    """

    def __init__(
        self,
        universe: Universe,
        policy_sets: Sequence[PolicySet],
        sides: Iterable[PeerExpr] = (),
        resource_limit: int | None = None,
    ) -> None:
        self._universe = universe
        self._limit = RESOURCE_LIMIT if resource_limit is None else resource_limit
        self.context = context = z3.Context()
        vocabulary = Vocabulary(policy_sets, sides)
        self._imagined = len(universe.points)
        width = max(1, self._imagined.bit_length())
        self._points = {side: z3.BitVec(side, width, context) for side in ("source", "destination")}
        self._pods = {side: ImaginedPod(side, vocabulary, context) for side in ("source", "destination")}
        self.protocol = z3.BitVec("protocol", PROTOCOL_WIDTH, context)
        self.port = z3.BitVec("port", 16, context)
        order = sorted(range(universe.first_address), key=lambda index: _neighbourhood(universe.points[index].example))
        self._at = (*order, *range(universe.first_address, self._imagined))
        self._numbers = {index: number for number, index in enumerate(self._at)}
        self._members: dict[tuple[str, PeerExpr], Term] = {}
        self._meanings: dict[tuple[str, PeerExpr], Term] = {}
        self._connections: dict[ConnectionSet, Term] = {}
        self._matched: dict[ConnectionExpr, Term] = {}
        self._rules: dict[Match, Term] = {}
        self._obeyed: list[Term] = list(self._ranges())
        self._formulas = {id(policies): self._allowed(policies.stages) for policies in policy_sets}

    def find_flow(self, question: Question, outcomes: Sequence[tuple[PolicySet, bool]]) -> Flow | None:
        """A flow in question on which each policy set says what is asked of it; None if there is none.

        Each question has a solver of its own, so that no answer depends on what was asked before; it knows only the
        rules that can be about a flow in question. Raises Undecided if the resources do not suffice.
        """
        asked = [self.is_in_question(question)]
        rules: list[PolicyRule] = []
        is_about = self._relevance(question)
        for policies, outcome in outcomes:
            stages = [
                Stage(stage.name, tuple(Tier(tier.name, tuple(filter(is_about, tier.rules))) for tier in stage.tiers))
                for stage in policies.stages
            ]
            rules += (rule for stage in stages for tier in stage.tiers for rule in tier.rules)
            verdict = self._allowed(stages)
            asked.append(verdict if outcome else z3.Not(verdict))
        needed = {key: self._meanings[key] for rule in rules for key in _sides(rule)}
        solver = self._solver(needed.values())
        solver.add(*asked)
        return self.flow(solver.model(), question) if is_satisfiable(solver) else None

    def _relevance(self, question: Question) -> Callable[[PolicyRule], bool]:
        """A test that tells which rules can be about a flow in question."""
        points = self._universe.points
        asked = {"source": question.sources, "destination": question.destinations}
        here = {name: side_bits(points, side) for name, side in asked.items()}
        known: dict[object, bool] = {}

        def is_met(side: str, peer: PeerExpr) -> bool:
            found = known.get((side, peer))
            if found is None:
                imagined = asked[side].imagined
                is_imagined = imagined is not None and not excludes(imagined, peer)
                found = known[side, peer] = is_imagined or bool(here[side] & self._universe.members(peer))
            return found

        def is_open(connections: ConnectionExpr) -> bool:
            found = known.get(connections)
            if found is None:
                found = bool(connections.named) or not connections.fixed.isdisjoint(question.connections)
                known[connections] = found
            return found

        def is_about(rule: PolicyRule) -> bool:
            match = rule.match
            return (
                is_open(match.connections)
                and is_met("source", match.source)
                and is_met("destination", match.destination)
            )

        return is_about

    def find_exception(
        self, question: Question, match: Match, rules: Sequence[PolicyRule], action: Action | None
    ) -> Flow | None:
        """A flow in question of a match that no rule is about, or whose first rule does something else than `action`.

        `action` None: whatever a rule does is well. The rules are of the policy sets, and so is one with the match.
        Raises Undecided if the resources do not suffice.
        """
        decided = first_decision(self.context, rules, self._matches, lambda rule: action in (None, rule.action))
        asked = self._matches(PolicyRule(Action.ALLOW, match, None))
        solver = self._solver(self._meanings.values())
        solver.add(self.is_in_question(question), asked, z3.Not(decided))
        return self.flow(solver.model(), question) if is_satisfiable(solver) else None

    def find_disagreement(self, question: Question, policies: PolicySet, groups: Iterable[Group]) -> Flow | None:
        """A flow in question of which groups of points and the formula of a policy set say different things."""
        tests = [
            z3.And(
                self.is_at("source", group.sources),
                self.is_at("destination", group.destinations),
                self._is_connection(group.connections),
            )
            for group in groups
        ]
        in_groups = any_of(self.context, tests)
        solver = self._solver(self._meanings.values())
        solver.add(self.is_in_question(question), in_groups != self._formulas[id(policies)])
        return self.flow(solver.model(), question) if is_satisfiable(solver) else None

    def solver(self) -> Term:
        """A solver that knows what every flow obeys, and can be asked again and again."""
        return self._solver(self._meanings.values(), is_asked_again=True)

    def _solver(self, meanings: Iterable[Term], is_asked_again: bool = False) -> Term:
        return bounded_solver(self.context, self._limit, (*self._obeyed, *meanings), is_asked_again)

    def _ranges(self) -> Iterable[Term]:
        for side in self._points:
            yield z3.ULE(self._points[side], self._imagined)
            yield from self._pods[side].constraints()
        yield self.protocol != NO_PROTOCOL
        yield self.port != 0
        # Two pods in a namespace of one name, whose labels nobody declares, still see the same labels.
        source, destination = self._pods["source"], self._pods["destination"]
        for key in source.namespace_labels:
            together = z3.And(source.namespace == destination.namespace, source.namespace != OTHER)
            yield z3.Implies(together, source.namespace_labels[key] == destination.namespace_labels[key])

    def verdict(self, policies: PolicySet, port: Term | None = None, source: int | None = None) -> Term:
        """Whether a policy set allows the flow; with `port`, at that one instead; with `source`, from that point."""
        changed = [] if port is None else [(self.port, port)]
        if source is not None:
            for (side, peer), term in self._members.items():
                if side == "source":
                    is_member = bool(self._universe.members(peer) >> source & 1)
                    changed.append((term, z3.BoolVal(is_member, self.context)))
        formula = self._formulas[id(policies)]
        return z3.substitute(formula, *changed) if changed else formula

    def is_at_hand(self, side: str) -> Term:
        """Whether a side is no imagined pod."""
        return z3.Not(self._is_imagined(side))

    def is_at(self, side: str, points: int) -> Term:
        """Whether a side is one of some points, given as bits; neighbours are compared as ranges."""
        spans: list[list[int]] = []
        for number in sorted(self._numbers[index] for index in bits.indices(points)):
            if spans and spans[-1][1] == number - 1:
                spans[-1][1] = number
            else:
                spans.append([number, number])
        point = self._points[side]
        tests = [
            point == first if first == last else z3.And(z3.UGE(point, first), z3.ULE(point, last))
            for first, last in spans
        ]
        return any_of(self.context, tests)

    def _is_imagined(self, side: str) -> Term:
        return self._points[side] == self._imagined

    def _is_member(self, side: str, peer: PeerExpr) -> Term:
        known = self._members.get((side, peer))
        if known is None:
            known = z3.FreshBool(f"{side}.in", self.context)
            imagined = z3.And(self._is_imagined(side), self._pods[side].is_in(peer))
            self._meanings[side, peer] = known == z3.Or(self.is_at(side, self._universe.members(peer)), imagined)
            self._members[side, peer] = known
        return known

    def _is_connection(self, connections: ConnectionSet) -> Term:
        known = self._connections.get(connections)
        if known is None:
            known = is_connection(self.context, self.protocol, self.port, connections)
            self._connections[connections] = known
        return known

    def _matches_connection(self, connections: ConnectionExpr) -> Term:
        if not connections.named:
            return self._is_connection(connections.fixed)
        known = self._matched.get(connections)
        if known is None:
            tests = [
                z3.And(self.is_at("destination", members), self._is_connection(opened))
                for members, opened in self._universe.resolved(connections)
            ]
            imagined = [self._is_connection(connections.fixed)]
            for name in connections.named:
                for protocol in PROTOCOLS if name.protocol is None else (name.protocol,):
                    declared = self._pods["destination"].ports[name.name, protocol]
                    is_protocol = self.protocol == PROTOCOLS.index(protocol)
                    imagined.append(z3.And(is_protocol, self.port == declared))
            tests.append(z3.And(self._is_imagined("destination"), z3.Or(imagined)))
            known = self._matched[connections] = z3.Or(tests)
        return known

    def _allowed(self, stages: Iterable[Stage]) -> Term:
        return z3.And([z3.BoolVal(True, self.context), *(self._stage_allows(stage) for stage in stages)])

    def _stage_allows(self, stage: Stage) -> Term:
        return stage_verdict(self.context, stage, self._matches)

    def _matches(self, rule: PolicyRule) -> Term:
        match = rule.match
        known = self._rules.get(match)
        if known is None:
            known = self._rules[match] = z3.And(
                self._is_member("source", match.source),
                self._is_member("destination", match.destination),
                self._matches_connection(match.connections),
            )
        return known

    def is_in_question(self, question: Question) -> Term:
        """Whether the flow is one of those that a question is about."""
        tests = [self._is_connection(question.connections)]
        held = {"source": question.sources, "destination": question.destinations}
        for side, asked in held.items():
            tests.append(self._is_on(side, asked))
        for index in bits.indices(lonely_points(self._universe.points, question)):
            number = self._numbers[index]
            tests.append(z3.Or(self._points["source"] != number, self._points["destination"] != number))
        outside = [self.is_at(side, self._universe.outside) for side in held]
        tests.append(z3.Not(z3.And(outside)))
        return z3.And(tests)

    def _is_on(self, side: str, asked: Side) -> Term:
        concrete = self.is_at(side, side_bits(self._universe.points, asked))
        if asked.imagined is None:
            return concrete
        return z3.Or(concrete, z3.And(self._is_imagined(side), self._pods[side].is_in(asked.imagined)))

    def source_point(self, model: Term) -> int:
        """The point of a model's source; the number of points, if it is an imagined pod."""
        number = value_of(model, self._points["source"])
        return self._at[number] if number < self._imagined else self._imagined

    def flow(self, model: Term, question: Question) -> Flow:
        """The flow of a model, between peers of a question."""
        numbers = {side: value_of(model, term) for side, term in self._points.items()}
        pods = {side: self._pods[side].peer(model, f"any-{side}") for side in self._pods}
        protocol = PROTOCOLS[value_of(model, self.protocol)]
        port = value_of(model, self.port)
        points = self._universe.points
        if all(number < self._imagined for number in numbers.values()):
            ends = flow_at(points, question, self._at[numbers["source"]], self._at[numbers["destination"]])
            if ends is None:
                raise AssertionError("the solver found a flow that is not in question")
            return Flow(*ends, protocol, port)
        sides = [
            pods[side] if numbers[side] == self._imagined else candidates(points[self._at[numbers[side]]], asked)[0]
            for side, asked in (("source", question.sources), ("destination", question.destinations))
        ]
        return Flow(sides[0], sides[1], protocol, port)


def _sides(rule: PolicyRule) -> tuple[tuple[str, PeerExpr], tuple[str, PeerExpr]]:
    return ("source", rule.match.source), ("destination", rule.match.destination)


def _neighbourhood(peer: Peer) -> tuple[object, ...]:
    """What brings peers together that selectors select together: sets of them are few ranges of numbers then."""
    labels = sorted(peer.namespace_labels.items())
    return (labels, peer.namespace or "", sorted(peer.labels.items()))
