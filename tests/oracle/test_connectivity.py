"""The maps that other analyzers expect of their own test cases."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest

from k8snetlint.policy.enforcement import NEUTRAL
from tests.oracle.connectivity import actual, cases, comparer, differences, expected, listed
from tests.shared import needs_shared


@needs_shared
def test_every_case_is_met_or_argued(tmp_path, capsys):
    module, argued = comparer(), listed()
    tally: Counter[tuple[str, str, str]] = Counter()
    wrong: list[str] = []
    seen: set[str] = set()
    for case in cases():
        name = f"{case.parent.name}/{case.name}"
        seen.add(name)
        rows = differences(module, case, actual(case), tmp_path)
        if rows and name not in argued:
            wrong.append(f"{name}: {len(rows)} rows, such as {rows[0]}")
        elif not rows and name in argued:
            wrong.append(f"{name} is equal, but listed as different")
        for feature in expected(case).get("features") or ["none"]:
            tally[case.parent.name, feature, "argued" if rows else "equal"] += 1
    wrong += [f"{name} is listed, but there is no such case" for name in argued if name not in seen]
    with capsys.disabled():
        for (source, feature, outcome), count in sorted(tally.items()):
            print(f"\n{source:24} {feature:28} {outcome:7} {count}", end="")
    assert wrong == []


@needs_shared
@pytest.mark.parametrize("name", [name for name, entry in listed().items() if "equal_under" in entry])
def test_the_assumption_of_the_peer_explains_the_difference(name, tmp_path):
    (case,) = (case for case in cases() if f"{case.parent.name}/{case.name}" == name)
    assumption = attrs.evolve(NEUTRAL, **listed()[name]["equal_under"])
    assert differences(comparer(), case, actual(case, assumption), tmp_path) == []
