"""No check crashes over a manifest that holds anything at all where something else belongs.

The examples of all rules are spoilt: one to three values of each are replaced by one that does not belong there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy

import pytest

from k8snetlint.engine import INTERNAL_ERROR, run
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit
from tests.manifests import Steps, Value

from .examples import split

RULEBOOK = load()
SETTINGS = Settings(select=("ALL",), pedantic=True)
INTRUDERS: list[Value] = [None, "", 0, -1, 1.5, True, [], {}, "x", [None], {"a": None}, "${X}", ["a", 1], 10**20]
RUNS = 150


def examples() -> list[list[Value]]:
    """The documents of each example that parses."""
    found = []
    for info in RULEBOOK.rules.values():
        for example in info.examples:
            parsed = parse(SourceFile("example.yaml", split(example, info)[0]))
            if parsed.documents and not parsed.problems:
                found.append([document.root.plain() for document in parsed.documents])
    return found


def steps_of(value: Value, above: Steps = ()) -> Iterator[Steps]:
    """The paths of all values below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in items:
        yield (*above, step)
        yield from steps_of(below, (*above, step))


def spoilt(documents: list[Value], choice: random.Random) -> list[Value]:
    """A copy of documents with values that do not belong there."""
    copy = deepcopy(documents)
    for _ in range(choice.randint(1, 3)):
        parent = copy[choice.randrange(len(copy))]
        steps = list(steps_of(parent))
        if steps:
            path = choice.choice(steps)
            for step in path[:-1]:
                parent = parent[step]
            parent[path[-1]] = deepcopy(choice.choice(INTRUDERS))
    return copy


@pytest.mark.parametrize("seed", range(4))
def test_no_check_crashes(seed: int) -> None:
    choice = random.Random(seed)
    known = examples()
    for _ in range(RUNS):
        text = "---\n".join(f"{json.dumps(document)}\n" for document in spoilt(choice.choice(known), choice))
        unit = Unit("unit", "plain", parse(SourceFile("spoilt.yaml", text)).documents)
        outcome = run([unit], RULEBOOK, SETTINGS)
        crashes = [found.message for found in outcome.diagnostics if found.rule == INTERNAL_ERROR]
        assert crashes == [], text
