"""What every formula is made of: connections, tiers, and the bounds of a solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, TypeAlias

import z3

from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.analysis.verdict import Undecided
from k8snetlint.policy.ir import Action, PolicyRule, Stage, Tier

RESOURCE_LIMIT = 200_000_000
MEMORY_LIMIT_MB = 2_000
# Protocols are numbered in the order of PROTOCOLS; a vector of their width has room for one that is none.
PROTOCOL_WIDTH = 2
NO_PROTOCOL = len(PROTOCOLS)

# z3 publishes no types: its terms are opaque to the checker.
Term: TypeAlias = Any


def any_of(context: Term, tests: Iterable[Term]) -> Term:
    """Whether one of the tests holds; false where there is none."""
    return z3.Or([z3.BoolVal(False, context), *tests])


def is_connection(context: Term, protocol: Term, port: Term, connections: ConnectionSet) -> Term:
    """Whether a protocol and port are in a connection set."""
    tests: list[Term] = []
    for name, ports in connections.items():
        for first, last in ports:
            within = [z3.UGE(port, first), z3.ULE(port, last)]
            tests.append(z3.And(protocol == PROTOCOLS.index(name), *within))
    return any_of(context, tests)


def stage_verdict(context: Term, stage: Stage, matches: Callable[[PolicyRule], Term]) -> Term:
    """Whether a stage allows, where `matches` says whether a rule is about the flow."""
    decided = z3.BoolVal(True, context)
    for tier in reversed(stage.tiers):
        decided = _tier_verdict(context, tier, decided, matches)
    return decided


def _tier_verdict(context: Term, tier: Tier, following: Term, matches: Callable[[PolicyRule], Term]) -> Term:
    """What a tier decides, and else the next: rules from the last to the first, equal actions together."""
    runs: list[tuple[Action, list[PolicyRule]]] = []
    for rule in tier.rules:
        if runs and runs[-1][0] is rule.action:
            runs[-1][1].append(rule)
        else:
            runs.append((rule.action, [rule]))
    outcomes = {
        Action.ALLOW: z3.BoolVal(True, context),
        Action.DENY: z3.BoolVal(False, context),
        Action.PASS: following,
    }
    decided = following
    for action, rules in reversed(runs):
        decided = z3.If(z3.Or([matches(rule) for rule in rules]), outcomes[action], decided)
    return decided


def first_decision(
    context: Term,
    rules: Sequence[PolicyRule],
    matches: Callable[[PolicyRule], Term],
    is_wanted: Callable[[PolicyRule], bool],
) -> Term:
    """Whether some rule is about the flow, and the first one that is, is a wanted one."""
    decided = z3.BoolVal(False, context)
    for wanted, group in reversed([(key, list(items)) for key, items in groupby(rules, is_wanted)]):
        met = any_of(context, map(matches, group))
        decided = z3.Or(met, decided) if wanted else z3.And(z3.Not(met), decided)
    return decided


def bounded_solver(
    context: Term, resource_limit: int, definitions: Iterable[Term], is_asked_again: bool = False
) -> Term:
    """A solver of bit-vectors with a bound that does not depend on the machine, and a fixed seed.

    Unless it `is_asked_again`, with more added, it goes straight to a SAT solver: a quarter of the time for one answer.
    """
    steps = ("simplify", "bit-blast", "sat")
    solver = z3.SolverFor("QF_BV", ctx=context) if is_asked_again else z3.Then(*steps, ctx=context).solver()
    solver.set("rlimit", resource_limit)
    solver.set("max_memory", MEMORY_LIMIT_MB)
    solver.set("random_seed", 0)
    solver.add(*definitions)
    return solver


def is_satisfiable(solver: Term, *literals: Term) -> bool:
    """Whether what a solver holds, and the literals, can be true together. Raises Undecided if it gives up."""
    answer = solver.check(*literals)
    if answer == z3.unknown:
        raise Undecided(f"the solver gave up: {solver.reason_unknown()}")
    return bool(answer == z3.sat)


def value_of(model: Term, term: Term) -> int:
    """The number that a bit-vector has in a model."""
    number: int = model.eval(term, model_completion=True).as_long()
    return number
