"""Questions that another analyzer asks of two configurations of its test cases: is one within the other, are they equal?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import attrs

from k8snetlint import policy
from k8snetlint.analysis.verdict import Holds, check_equivalent, check_implies
from k8snetlint.policy.ir import PolicySet
from tests.clusters import cluster_in
from tests.shared import SHARED, needs_shared

ROOT = SHARED / "oracle" / "queries" / "nca-k8s"


def holds(check: Callable[[PolicySet, PolicySet], object], first: PolicySet, second: PolicySet) -> bool:
    return isinstance(check(first, second), Holds)


def equiv(first: PolicySet, second: PolicySet) -> object:
    return holds(check_equivalent, first, second)


def containment(first: PolicySet, second: PolicySet) -> object:
    return holds(check_implies, first, second)


def two_way_containment(first: PolicySet, second: PolicySet) -> object:
    answers = {
        (True, True): "equal",
        (True, False): "a_subset_b",
        (False, True): "b_subset_a",
        (False, False): "neither",
    }
    return answers[holds(check_implies, first, second), holds(check_implies, second, first)]


def vacuity(first: PolicySet, _: PolicySet) -> object:
    return holds(check_equivalent, first, attrs.evolve(first, stages=()))


QUERIES = {"equiv": equiv, "containment": containment, "two_way_containment": two_way_containment, "vacuity": vacuity}


def lowered(folder: Path) -> PolicySet:
    return policy.lower(cluster_in(folder))


@needs_shared
def test_every_answer_is_the_same():
    tally: Counter[str] = Counter()
    differing: dict[str, tuple[object, object]] = {}
    for path in sorted(ROOT.glob("*/expected.json")):
        expected = json.loads(path.read_text("utf-8"))
        query = QUERIES.get(expected["query"])
        if query is None:
            continue
        tally[expected["query"]] += 1
        first = lowered(path.parent / "a")
        second = lowered(path.parent / "b") if (path.parent / "b").is_dir() else first
        answer = query(first, second)
        if answer != expected["result"]:
            differing[path.parent.name] = (expected["result"], answer)
    assert tally == {"equiv": 24, "containment": 24, "two_way_containment": 19, "vacuity": 24}
    assert differing == {}
