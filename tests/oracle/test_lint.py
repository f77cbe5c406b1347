"""The lint cases of other projects: every expected diagnostic is found, and none that must not be raised."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from k8snetlint.rulebook import load
from tests.shared import needs_shared

from .lint import cases, catalogue_scope, differences

FAMILIES = frozenset({"K8S", "PORT", "HOST", "SVC", "EP", "ING", "REF", "NP", "DISC"})
DIFFERENCES = Path(__file__).resolve().parents[1] / "oracle_differences.yaml"


@needs_shared
def test_cases_agree_or_the_difference_is_argued(capsys: pytest.CaptureFixture[str]) -> None:
    scope = catalogue_scope()
    argued = {
        (entry["case"], entry["rule"])
        for entry in YAML(typ="safe").load(DIFFERENCES)
        if "rule" in entry and "case" in entry
    }
    other = frozenset(name for name, (id_, _) in scope.items() if id_.rstrip("0123456789") not in FAMILIES)
    rulebook = load()
    tally: Counter[tuple[str, bool]] = Counter()
    unargued = []
    used = set()
    for case in cases():
        found = differences(case, rulebook, FAMILIES, other)
        used |= {(difference.case, difference.rule) for difference in found} & argued
        wrong = [difference for difference in found if (difference.case, difference.rule) not in argued]
        tally[case.parent.name, not wrong] += 1
        unargued += wrong
    with capsys.disabled():
        for source in sorted({source for source, _ in tally}):
            print(
                f"\n  {source}: {tally[source, True]} of {tally[source, True] + tally[source, False]} cases agree",
                end="",
            )
        print()
    assert unargued == []
    assert used == argued, "a difference that is argued and is none"
