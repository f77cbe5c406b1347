"""Questions over one or two sets of manifests, against network-config-analyzer's answers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
from ruamel.yaml import YAML

from k8snetlint.analysis.verdict import Holds, check_equivalent
from k8snetlint.policy.lowering import lower
from tests.cli.program import k8snetlint
from tests.clusters import cluster_in
from tests.shared import SHARED, needs_shared

from .connectivity import DIFFERENCES

HERE = ("--world", "closed", "--one-unit", "--isolated", "--allow-empty")


def _holds(case: Path, question: str, old: str, new: str) -> bool:
    ran = k8snetlint(case, "verify", question, old, new, *HERE, "-f", "json")
    assert ran.code in (0, 1), ran.err
    (found,) = json.loads(ran.out)["intents"]
    assert found["verdict"] != "unknown"
    return bool(found["verdict"] == "holds")


def _answer(case: Path, query: str) -> Any:
    if query == "equiv":
        return _holds(case, "--equivalent", "a", "b")
    if query == "containment":
        return _holds(case, "--implies", "a", "b")
    if query == "two_way_containment":
        there, back = _holds(case, "--implies", "a", "b"), _holds(case, "--implies", "b", "a")
        return {(True, True): "equal", (True, False): "a_subset_b", (False, True): "b_subset_a"}.get(
            (there, back), "neither"
        )
    policies = lower(cluster_in(case / "a"))
    return isinstance(check_equivalent(policies, attrs.evolve(policies, stages=())), Holds)


@needs_shared
def test_every_answer_is_the_same_or_argued(capsys: Any) -> None:
    entries = YAML(typ="safe").load(DIFFERENCES.read_text("utf-8"))
    argued = {case for entry in entries if entry.get("suite") == "queries" for case in entry["cases"]}
    tally: Counter[tuple[str, str]] = Counter()
    differing: dict[str, Any] = {}
    for path in sorted((SHARED / "oracle" / "queries" / "nca-k8s").glob("*/expected.json")):
        expected = json.loads(path.read_text("utf-8"))
        query = expected["query"]
        if query not in ("equiv", "containment", "two_way_containment", "vacuity"):
            continue
        found = _answer(path.parent, query)
        same = found == expected["result"]
        tally[query, "equal" if same else "argued"] += 1
        if not same:
            differing[path.parent.name] = (expected["result"], found)
    with capsys.disabled():
        print("", *(f"{query} {outcome}: {count}" for (query, outcome), count in sorted(tally.items())), sep="\n")
    assert {name: answers for name, answers in differing.items() if name not in argued} == {}
    assert sorted(argued - set(differing)) == []
