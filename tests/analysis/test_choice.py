"""The cheapest choices: against trying all of them, and what cannot hold together."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8snetlint.analysis.smt.choice import (
    FALSE,
    TRUE,
    Conflict,
    Every,
    Formula,
    Made,
    No,
    Required,
    Some,
    cheapest,
    every,
    some,
)
from k8snetlint.analysis.verdict import Undecided

NUMBERS = range(6)


def holds(formula: Formula, made: frozenset[int]) -> bool:
    match formula:
        case Made(number):
            return number in made
        case Every(parts):
            return all(holds(part, made) for part in parts)
        case Some(parts):
            return any(holds(part, made) for part in parts)
        case No(part):
            return not holds(part, made)


FORMULAS = st.recursive(
    st.builds(Made, st.sampled_from(NUMBERS)),
    lambda inner: (
        st.builds(No, inner)
        | st.lists(inner, max_size=3).map(lambda parts: every(*parts))
        | st.lists(inner, max_size=3).map(lambda parts: some(*parts))
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(st.lists(FORMULAS, max_size=4), st.lists(st.integers(1, 3), min_size=6, max_size=6))
def test_nothing_is_cheaper(formulas: list[Formula], weights: list[int]) -> None:
    costs = dict(enumerate(weights))
    required = [Required(formula, index) for index, formula in enumerate(formulas)]
    possible = [
        frozenset(made)
        for size in range(len(NUMBERS) + 1)
        for made in combinations(NUMBERS, size)
        if all(holds(formula, frozenset(made)) for formula in formulas)
    ]
    found = cheapest(required, costs, 100)
    if isinstance(found, Conflict):
        assert possible == []
        left = [formulas[index] for index in found.asked_by]
        subsets = [frozenset(made) for size in range(7) for made in combinations(NUMBERS, size)]
        assert not any(all(holds(formula, made) for formula in left) for made in subsets)
        for index in range(len(left)):
            rest = left[:index] + left[index + 1 :]
            assert any(all(holds(formula, made) for formula in rest) for made in subsets)
        return
    least = min(sum(costs[number] for number in made) for made in possible)
    best = [made for made in possible if sum(costs[number] for number in made) == least]
    assert sorted(map(sorted, found)) == sorted(map(sorted, best))


def test_what_holds_already_costs_nothing() -> None:
    assert cheapest([Required(TRUE, 0)], {0: 1}, 5) == (frozenset(),)
    assert cheapest([], {}, 5) == (frozenset(),)
    assert cheapest([Required(FALSE, 3), Required(Made(0), 4)], {0: 1}, 5) == Conflict((3,))


def test_giving_up_is_no_answer() -> None:
    pigeons, holes = range(9), range(8)
    at = {(pigeon, hole): Made(pigeon * 8 + hole) for pigeon in pigeons for hole in holes}
    required = [Required(some(*(at[pigeon, hole] for hole in holes)), 0) for pigeon in pigeons]
    required += [
        Required(No(every(at[one, hole], at[other, hole])), 0)
        for hole in holes
        for one, other in combinations(pigeons, 2)
    ]
    with pytest.raises(Undecided):
        cheapest(required, dict.fromkeys(range(72), 1), 1, limit=1000)
