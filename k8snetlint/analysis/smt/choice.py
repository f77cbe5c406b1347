"""The cheapest of many possible changes: MaxSAT over formulas of named choices.

A formula says something of which choices are made; `Every()` is true and `Some()` is false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs
import z3

from k8snetlint.analysis.verdict import Undecided

from .terms import MEMORY_LIMIT_MB, Term

CHOICE_LIMIT = 50_000_000


@attrs.frozen
class Made:
    """The choice of that number is made."""

    number: int


@attrs.frozen
class Every:
    """All parts hold."""

    parts: tuple[Formula, ...] = ()


@attrs.frozen
class Some:
    """At least one part holds."""

    parts: tuple[Formula, ...] = ()


@attrs.frozen
class No:
    """The part does not hold."""

    part: Formula


Formula: TypeAlias = Made | Every | Some | No
TRUE, FALSE = Every(), Some()


def every(*parts: Formula) -> Formula:
    """The conjunction, without what changes nothing."""
    left = [part for part in parts if part != TRUE]
    if FALSE in left:
        return FALSE
    return left[0] if len(left) == 1 else Every(tuple(left))


def some(*parts: Formula) -> Formula:
    """The disjunction, without what changes nothing."""
    left = [part for part in parts if part != FALSE]
    if TRUE in left:
        return TRUE
    return left[0] if len(left) == 1 else Some(tuple(left))


@attrs.frozen
class Required:
    """Something that has to hold, by the number of what asks for it; None: it says what the choices mean."""

    formula: Formula
    asked_by: int | None = None


@attrs.frozen
class Conflict:
    """What asks for things that cannot hold together: none of it can be left out."""

    asked_by: tuple[int, ...]


def cheapest(
    required: Sequence[Required], costs: Mapping[int, int], most: int, limit: int = CHOICE_LIMIT
) -> tuple[frozenset[int], ...] | Conflict:
    """The sets of choices of least cost that satisfy all that is required: at most so many, where several are equal.

    Raises Undecided if the solver gives up.
    """
    problem = _Problem(required, costs, limit)
    least = problem.least_cost()
    if least is None:
        return Conflict(tuple(problem.core()))
    return tuple(problem.models(least, most))


class _Problem:
    def __init__(self, required: Sequence[Required], costs: Mapping[int, int], limit: int) -> None:
        self.required = required
        self.costs = costs
        self.limit = limit
        self.context = z3.Context()
        self._terms: dict[Formula, Term] = {}

    def least_cost(self) -> int | None:
        """What the cheapest choices cost; None where none satisfy everything."""
        optimizer = z3.Optimize(ctx=self.context)
        optimizer.set("rlimit", self.limit)
        for each in self.required:
            optimizer.add(self._term(each.formula))
        for number, cost in sorted(self.costs.items()):
            optimizer.add_soft(z3.Not(self._made(number)), cost)
        answer = optimizer.check()
        if answer == z3.unknown:
            raise Undecided(f"the solver gave up: {optimizer.reason_unknown()}")
        if answer == z3.unsat:
            return None
        return sum(self.costs[number] for number in self._chosen(optimizer.model()))

    def models(self, cost: int, most: int) -> Iterator[frozenset[int]]:
        """The different choices of that cost, those with the lowest numbers first."""
        if not cost:
            yield frozenset()
            return
        solver = self._solver()
        for each in self.required:
            solver.add(self._term(each.formula))
        solver.add(z3.PbEq([(self._made(number), weight) for number, weight in sorted(self.costs.items())], cost))
        found: list[frozenset[int]] = []
        while len(found) < most and solver.check() == z3.sat:
            chosen = self._chosen(solver.model())
            found.append(chosen)
            solver.add(z3.Or([z3.Not(self._made(number)) for number in sorted(chosen)]))
        if not found:
            raise Undecided(f"the solver gave up: {solver.reason_unknown()}")
        yield from sorted(found, key=sorted)

    def core(self) -> Iterator[int]:
        """Who asks for what cannot hold together, each of them needed for that."""
        askers = sorted({each.asked_by for each in self.required if each.asked_by is not None})
        left = list(askers)
        for asker in askers:
            without = [each for each in left if each != asker]
            if not self._is_possible(without):
                left = without
        return iter(left)

    def _is_possible(self, askers: Sequence[int]) -> bool:
        solver = self._solver()
        for each in self.required:
            if each.asked_by is None or each.asked_by in askers:
                solver.add(self._term(each.formula))
        answer = solver.check()
        if answer == z3.unknown:
            raise Undecided(f"the solver gave up: {solver.reason_unknown()}")
        return bool(answer == z3.sat)

    def _solver(self) -> Term:
        solver = z3.SolverFor("QF_FD", ctx=self.context)
        solver.set("rlimit", self.limit)
        solver.set("max_memory", MEMORY_LIMIT_MB)
        solver.set("random_seed", 0)
        return solver

    def _chosen(self, model: Term) -> frozenset[int]:
        return frozenset(
            number for number in self.costs if z3.is_true(model.eval(self._made(number), model_completion=True))
        )

    def _made(self, number: int) -> Term:
        return z3.Bool(f"choice-{number}", self.context)

    def _term(self, formula: Formula) -> Term:
        known = self._terms.get(formula)
        if known is None:
            match formula:
                case Made(number):
                    known = self._made(number)
                case Every(parts):
                    known = z3.And([z3.BoolVal(True, self.context), *map(self._term, parts)])
                case Some(parts):
                    known = z3.Or([z3.BoolVal(False, self.context), *map(self._term, parts)])
                case No(part):
                    known = z3.Not(self._term(part))
            self._terms[formula] = known
        return known
