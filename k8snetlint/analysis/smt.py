"""The open world: policies as formulas over every pod that anyone could create. The only importer of z3.

A side is a point of the closed world or an imagined pod. Points are numbered, addresses among them, since policies cut
the address space into finitely many parts; an imagined pod is its namespace and labels, each a small bit-vector over
the values that policies mention, besides *absent* and *other*. All is quantifier-free and finite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import z3

from k8snetlint.algebra import bits
from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import (
    Action,
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
    RunsOn,
    ServiceAccountIs,
    Tier,
)
from k8snetlint.policy.peers import DeclaredPort, Flow, Peer

from .reachability import Group
from .universe import Universe
from .verdict import Question, Side, Undecided, candidates, flow_at, side_bits
from .vocabulary import ABSENT, FIRST_VALUE, OTHER, Vocabulary, number_of, text_of

RESOURCE_LIMIT = 200_000_000
MEMORY_LIMIT_MB = 2_000

# z3 publishes no types: its terms are opaque to the checker.
Term: TypeAlias = Any


class _ImaginedPod:
    """The fields of one side's imagined pod as terms."""

    def __init__(self, name: str, vocabulary: Vocabulary, context: Term) -> None:
        self._context = context
        self._vocabulary = vocabulary
        self.namespace = _vector(f"{name}.namespace", len(vocabulary.namespaces), context)
        self.account = _vector(f"{name}.account", len(vocabulary.accounts), context)
        self.labels = {key: _vector(f"{name}.label.{key}", len(v), context) for key, v in vocabulary.labels.items()}
        self.namespace_labels = {
            key: _vector(f"{name}.namespace.{key}", len(values), context)
            for key, values in vocabulary.namespace_labels.items()
        }
        self.ports = {
            (port, protocol): z3.BitVec(f"{name}.port.{port}.{protocol}", 16, context)
            for port in vocabulary.port_names
            for protocol in PROTOCOLS
        }

    def constraints(self) -> list[Term]:
        """What every pod obeys: fields in range; a declared namespace has the labels that it has."""
        words = self._vocabulary
        made = [
            self.namespace != ABSENT,
            _in_range(self.namespace, words.namespaces),
            self.account != ABSENT,
            _in_range(self.account, words.accounts),
        ]
        made += [_in_range(self.labels[key], values) for key, values in words.labels.items()]
        made += [_in_range(self.namespace_labels[key], values) for key, values in words.namespace_labels.items()]
        for number, name in enumerate(words.namespaces):
            declared = words.declared_labels(name)
            for key, values in words.namespace_labels.items() if declared is not None else ():
                value = number_of(declared.get(key) if declared is not None else None, values)
                made.append(z3.Implies(self.namespace == number + FIRST_VALUE, self.namespace_labels[key] == value))
        return made

    def is_in(self, peer: PeerExpr) -> Term:
        """Whether the pod is one of those that an expression stands for."""
        true, false = z3.BoolVal(True, self._context), z3.BoolVal(False, self._context)
        words = self._vocabulary
        match peer:
            case Everything() | AnyPod():
                return true
            case Nothing() | IsNode() | NodeIs() | RunsOn():
                return false
            case InNamespace(name):
                return self._is_one_of(self.namespace, words.namespaces, [name])
            case NamespaceLabel(test) if test.key == NAMESPACE_NAME_LABEL:
                return self._passes(self.namespace, words.namespaces, test)
            case NamespaceLabel(test):
                return self._passes(self.namespace_labels[test.key], words.namespace_labels[test.key], test)
            case PodLabel(test):
                return self._passes(self.labels[test.key], words.labels[test.key], test)
            case ServiceAccountIs(name):
                return self._is_one_of(self.account, words.accounts, [name])
            case HasAddress(addresses):
                known = words.peers.unknown_addresses
                return true if known and known <= addresses else false
            case AllOf(parts):
                return z3.And([true, *(self.is_in(part) for part in parts)])
            case AnyOf(parts):
                return z3.Or([false, *(self.is_in(part) for part in parts)])
            case Not(part):
                return z3.Not(self.is_in(part))

    def _passes(self, field: Term, values: tuple[str, ...], test: LabelTest) -> Term:
        numbers = [number + FIRST_VALUE for number, value in enumerate(values) if test.holds(value)]
        if test.holds(None):
            numbers.append(ABSENT)
        if test.operator in (LabelOperator.NOT_IN, LabelOperator.EXISTS):
            numbers.append(OTHER)
        return z3.Or([z3.BoolVal(False, self._context), *(field == number for number in numbers)])

    def _is_one_of(self, field: Term, values: tuple[str, ...], wanted: list[str]) -> Term:
        return z3.Or([z3.BoolVal(False, self._context), *(field == number_of(value, values) for value in wanted)])

    def peer(self, model: Term, name: str) -> Peer:
        """The pod of a model, with names of its own where any other would do."""
        words = self._vocabulary
        # Two namespaces that nobody mentions need not be one.
        is_other = model.eval(self.namespace, model_completion=True).as_long() == OTHER
        namespace = f"of-{name}" if is_other else _text(model, self.namespace, words.namespaces) or ""
        labels = _texts(model, self.labels, words.labels)
        declared = words.declared_labels(namespace)
        if declared is None:
            declared = _texts(model, self.namespace_labels, words.namespace_labels)
            declared = {**declared, NAMESPACE_NAME_LABEL: namespace}
        ports = tuple(
            DeclaredPort(port, protocol, number)
            for (port, protocol), field in self.ports.items()
            if (number := model.eval(field, model_completion=True).as_long())
        )
        return Peer(
            f"{namespace}/{name}",
            namespace=namespace,
            namespace_labels=declared,
            labels=labels,
            service_account=_text(model, self.account, words.accounts),
            ports=ports,
            addresses=words.peers.unknown_addresses,
            is_pod=True,
        )


class Encoding:
    """Policy sets as formulas, encoded once; a question is a set of assumptions.

    `sides` are the expressions of the imagined pods of all questions that will be asked.
    """

    def __init__(
        self,
        universe: Universe,
        policy_sets: Sequence[PolicySet],
        sides: Iterable[PeerExpr] = (),
        resource_limit: int = RESOURCE_LIMIT,
    ) -> None:
        self._universe = universe
        self._limit = resource_limit
        self._context = context = z3.Context()
        vocabulary = Vocabulary(policy_sets, sides)
        self._imagined = len(universe.points)
        width = max(1, self._imagined.bit_length())
        self._points = {side: z3.BitVec(side, width, context) for side in ("source", "destination")}
        self._pods = {side: _ImaginedPod(side, vocabulary, context) for side in ("source", "destination")}
        self._protocol = z3.BitVec("protocol", 2, context)
        self._port = z3.BitVec("port", 16, context)
        self._members: dict[tuple[str, PeerExpr], Term] = {}
        self._matched: dict[ConnectionExpr, Term] = {}
        self._definitions: list[Term] = list(self._ranges())
        self._verdicts = {id(policies): self._allowed(policies) for policies in policy_sets}
        self._solver = self._made_solver()

    def find_flow(self, question: Question, outcomes: Sequence[tuple[PolicySet, bool]]) -> Flow | None:
        """A flow in question on which each policy set says what is asked of it; None if there is none.

        A found one is solved again in a solver of its own, so that it does not depend on what was asked before.
        Raises Undecided if the resources do not suffice.
        """
        asked = [self._is_in_question(question)]
        for policies, outcome in outcomes:
            verdict = self._verdicts[id(policies)]
            asked.append(verdict if outcome else z3.Not(verdict))
        literal = z3.FreshBool("question", self._context)
        self._solver.add(z3.Implies(literal, z3.And(asked)))
        if not self._decided(self._solver, literal):
            return None
        fresh = self._made_solver()
        fresh.add(*asked)
        self._decided(fresh)
        return self._flow(fresh.model(), question)

    def find_disagreement(self, question: Question, policies: PolicySet, groups: Iterable[Group]) -> Flow | None:
        """A flow in question of which groups of points and the formula of a policy set say different things."""
        in_groups = z3.Or(
            [
                z3.BoolVal(False, self._context),
                *(
                    z3.And(
                        self._is_at("source", group.sources),
                        self._is_at("destination", group.destinations),
                        self._is_connection(group.connections),
                    )
                    for group in groups
                ),
            ]
        )
        solver = self._made_solver()
        solver.add(self._is_in_question(question), in_groups != self._verdicts[id(policies)])
        return self._flow(solver.model(), question) if self._decided(solver) else None

    def _made_solver(self) -> Term:
        solver = z3.SolverFor("QF_BV", ctx=self._context)
        solver.set("rlimit", self._limit)
        solver.set("max_memory", MEMORY_LIMIT_MB)
        solver.set("random_seed", 0)
        solver.add(*self._definitions)
        return solver

    def _decided(self, solver: Term, *literals: Term) -> bool:
        answer = solver.check(*literals)
        if answer == z3.unknown:
            raise Undecided(f"the solver gave up: {solver.reason_unknown()}")
        return bool(answer == z3.sat)

    def _ranges(self) -> Iterable[Term]:
        for side in self._points:
            yield z3.ULE(self._points[side], self._imagined)
            yield from self._pods[side].constraints()
        yield self._protocol != 3
        yield self._port != 0
        # Two pods in a namespace of one name, whose labels nobody declares, still see the same labels.
        source, destination = self._pods["source"], self._pods["destination"]
        for key in source.namespace_labels:
            together = z3.And(source.namespace == destination.namespace, source.namespace != OTHER)
            yield z3.Implies(together, source.namespace_labels[key] == destination.namespace_labels[key])

    def _is_at(self, side: str, points: int) -> Term:
        """Whether a side is one of some points; neighbours are compared as ranges."""
        spans: list[list[int]] = []
        for index in bits.indices(points):
            if spans and spans[-1][1] == index - 1:
                spans[-1][1] = index
            else:
                spans.append([index, index])
        point = self._points[side]
        tests = [
            point == first if first == last else z3.And(z3.UGE(point, first), z3.ULE(point, last))
            for first, last in spans
        ]
        return z3.Or([z3.BoolVal(False, self._context), *tests])

    def _is_imagined(self, side: str) -> Term:
        return self._points[side] == self._imagined

    def _is_member(self, side: str, peer: PeerExpr) -> Term:
        known = self._members.get((side, peer))
        if known is None:
            known = z3.FreshBool(f"{side}.in", self._context)
            imagined = z3.And(self._is_imagined(side), self._pods[side].is_in(peer))
            self._definitions.append(known == z3.Or(self._is_at(side, self._universe.members(peer)), imagined))
            self._members[side, peer] = known
        return known

    def _is_connection(self, connections: ConnectionSet) -> Term:
        tests = [z3.BoolVal(False, self._context)]
        for protocol, ports in connections.items():
            for first, last in ports:
                within = [z3.UGE(self._port, first), z3.ULE(self._port, last)]
                tests.append(z3.And(self._protocol == PROTOCOLS.index(protocol), *within))
        return z3.Or(tests)

    def _matches_connection(self, connections: ConnectionExpr) -> Term:
        if not connections.named:
            return self._is_connection(connections.fixed)
        known = self._matched.get(connections)
        if known is None:
            tests = [
                z3.And(self._is_at("destination", members), self._is_connection(opened))
                for members, opened in self._universe.resolved(connections)
            ]
            imagined = [self._is_connection(connections.fixed)]
            for name in connections.named:
                for protocol in PROTOCOLS if name.protocol is None else (name.protocol,):
                    declared = self._pods["destination"].ports[name.name, protocol]
                    is_protocol = self._protocol == PROTOCOLS.index(protocol)
                    imagined.append(z3.And(is_protocol, self._port == declared))
            tests.append(z3.And(self._is_imagined("destination"), z3.Or(imagined)))
            known = self._matched[connections] = z3.Or(tests)
        return known

    def _allowed(self, policies: PolicySet) -> Term:
        verdict = z3.BoolVal(True, self._context)
        for stage in policies.stages:
            decided = z3.BoolVal(True, self._context)
            for tier in reversed(stage.tiers):
                decided = self._tier(tier, decided)
            verdict = z3.And(verdict, decided)
        named = z3.FreshBool("allowed", self._context)
        self._definitions.append(named == verdict)
        return named

    def _tier(self, tier: Tier, following: Term) -> Term:
        """What a tier decides, and else the next: rules from the last to the first, equal actions together."""
        runs: list[tuple[Action, list[PolicyRule]]] = []
        for rule in tier.rules:
            if runs and runs[-1][0] is rule.action:
                runs[-1][1].append(rule)
            else:
                runs.append((rule.action, [rule]))
        outcomes = {
            Action.ALLOW: z3.BoolVal(True, self._context),
            Action.DENY: z3.BoolVal(False, self._context),
            Action.PASS: following,
        }
        decided = following
        for action, rules in reversed(runs):
            decided = z3.If(z3.Or([self._matches(rule) for rule in rules]), outcomes[action], decided)
        return decided

    def _matches(self, rule: PolicyRule) -> Term:
        match = rule.match
        return z3.And(
            self._is_member("source", match.source),
            self._is_member("destination", match.destination),
            self._matches_connection(match.connections),
        )

    def _is_in_question(self, question: Question) -> Term:
        tests = [self._is_connection(question.connections)]
        held = {"source": question.sources, "destination": question.destinations}
        for side, asked in held.items():
            tests.append(self._is_on(side, asked))
        points = self._universe.points
        both = side_bits(points, question.sources) & side_bits(points, question.destinations)
        for index in bits.indices(both & self._universe.inside):
            if flow_at(points, question, index, index) is None:
                tests.append(z3.Or(self._points["source"] != index, self._points["destination"] != index))
        outside = [self._is_at(side, self._universe.outside) for side in held]
        tests.append(z3.Not(z3.And(outside)))
        return z3.And(tests)

    def _is_on(self, side: str, asked: Side) -> Term:
        concrete = self._is_at(side, side_bits(self._universe.points, asked))
        if asked.imagined is None:
            return concrete
        return z3.Or(concrete, z3.And(self._is_imagined(side), self._pods[side].is_in(asked.imagined)))

    def _flow(self, model: Term, question: Question) -> Flow:
        numbers = {side: model.eval(term, model_completion=True).as_long() for side, term in self._points.items()}
        pods = {side: self._pods[side].peer(model, f"any-{side}") for side in self._pods}
        protocol = PROTOCOLS[model.eval(self._protocol, model_completion=True).as_long()]
        port = model.eval(self._port, model_completion=True).as_long()
        source, destination = numbers["source"], numbers["destination"]
        points = self._universe.points
        if source < self._imagined and destination < self._imagined:
            ends = flow_at(points, question, source, destination)
            if ends is None:
                raise AssertionError("the solver found a flow that is not in question")
            return Flow(*ends, protocol, port)
        sides = [
            pods[side] if numbers[side] == self._imagined else candidates(points[numbers[side]], asked)[0]
            for side, asked in (("source", question.sources), ("destination", question.destinations))
        ]
        return Flow(sides[0], sides[1], protocol, port)


def _vector(name: str, values: int, context: Term) -> Term:
    return z3.BitVec(name, (values + FIRST_VALUE - 1).bit_length(), context)


def _in_range(field: Term, values: Sequence[str]) -> Term:
    return z3.ULE(field, len(values) + FIRST_VALUE - 1)


def _text(model: Term, field: Term, values: Sequence[str]) -> str | None:
    number: int = model.eval(field, model_completion=True).as_long()
    return text_of(number, values)


def _texts(model: Term, fields: Mapping[str, Term], values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    found = {key: _text(model, field, values[key]) for key, field in fields.items()}
    return {key: text for key, text in found.items() if text is not None}
