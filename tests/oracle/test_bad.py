"""Input that netpol-analyzer refuses or warns of: what `check` says of it, and what `map` still shows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cli.program import k8snetlint
from tests.shared import SHARED, needs_shared

from .connectivity import DIFFERENCES

ROOT = SHARED / "oracle" / "bad"
# What the peer says, and the rules of this project that say it. Without a rule it is said by what the map lacks.
MEANS: Mapping[str, tuple[str, ...]] = {
    "exactly one field must be set in a rule peer": ("ANP003",),
    "exactly one field must be set in a subject": ("ANP003",),
    "exactly one field must be set in an AdminNetworkPolicyPort": ("ANP006",),
    "from field must be defined": ("ANP004",),
    "to field must be defined": ("ANP004",),
    "unrecognized action": ("ANP005",),
    "Invalid Priority Value": ("ANP002",),
    "assigned the same priority": ("ANP001",),
    "is already exists": ("K8S003",),
    "only one baseline admin network policy": ("ANP008",),
    "CIDR error": ("NP009",),
    "invalid CIDR address": ("ANP007", "NP009"),
    "port range 10-1": ("ANP006", "NP014"),
    "named port is not defined for IP addresses": ("ANP014",),
    "port name: ": ("ANP016",),
    "cannot convert named port for an IP destination": ("NP016",),
    "endPort field cannot be defined": ("NP014",),
    "cannot have both IPBlock": ("NP008",),
    "cannot have empty rule peer": ("NP008",),
    "selector error": ("NP040",),
    "found character that cannot start any token": ("K8S001",),
    "cannot restore slice from map": ("K8S005",),
    "unrecognized type": ("K8S005",),
    "is missing in": ("K8S014",),
    "no relevant Kubernetes network policy": ("NP035",),
    "network policies are blocking ingress connections": ("NP042",),
    "user-defined-network": (),
    "UserDefinedNetwork": (),
}
# Of these the policies, or a part of a file, are not understood: the map says that it is not complete.
REFUSED = frozenset(
    {"ANP002", "ANP003", "ANP004", "ANP005", "ANP006", "ANP007", "NP008", "NP009", "NP014", "NP040", "K8S001"}
)


def cases() -> list[Path]:
    return sorted(path.parent for path in ROOT.glob("*/*/expected_error.json"))


def messages(case: Path) -> Iterator[str]:
    """What the peer says of a case, each thing once."""
    expected = json.loads((case / "expected_error.json").read_text("utf-8"))
    yield from dict.fromkeys(text for each in expected["expectations"] for text in each["contains"])


def rules_for(message: str) -> tuple[str, ...] | None:
    return next((rules for words, rules in MEANS.items() if words in message), None)


@needs_shared
def test_what_the_peer_says_is_said_or_argued(capsys: Any) -> None:
    entries = YAML(typ="safe").load(DIFFERENCES.read_text("utf-8"))
    argued = {case for entry in entries if entry.get("suite") == "bad" for case in entry["cases"]}
    tally: Counter[str] = Counter()
    unsaid: dict[str, list[str]] = {}
    for case in cases():
        checked = k8snetlint(case, "check", "manifests", "--one-unit", "--isolated", "--pedantic", "-f", "json")
        is_empty = checked.code == 3 and checked.err.startswith("nothing to analyse")
        assert checked.code in (0, 1) or is_empty, checked.err
        placed = {each["rule"] for each in json.loads(checked.out)["diagnostics"] if each["location"]["line"] > 0}
        mapped = k8snetlint(case, "map", "manifests", "--one-unit", "--isolated", "--allow-empty", "-f", "json")
        assert mapped.code == 0, mapped.err
        found = json.loads(mapped.out)
        if placed & REFUSED:
            assert found["complete"] is False, case.name
        for message in messages(case):
            rules = rules_for(message)
            if rules is None and is_empty:
                rules = ()
            is_said = rules is not None and bool(placed.intersection(rules))
            if rules == ():
                is_said = is_empty or any("k8s.ovn.org" in each["message"] for each in found["incomplete_because"])
            tally["said" if is_said else "argued"] += 1
            if not is_said:
                unsaid.setdefault(case.name, []).append(message)
    with capsys.disabled():
        print("", *(f"{outcome}: {count}" for outcome, count in sorted(tally.items())), sep="\n")
    assert {case: said for case, said in unsaid.items() if case not in argued} == {}
    assert sorted(argued - set(unsaid)) == []


@needs_shared
@pytest.mark.parametrize("name", ["bad_netpols__subdir1", "np_test_with_empty_port_range", "anp_bad_path_test_9"])
def test_the_rest_of_the_cluster_is_still_analysed(name: str) -> None:
    (case,) = (path for path in cases() if path.name == name)
    mapped = k8snetlint(case, "map", "manifests", "--one-unit", "--isolated", "-f", "json")
    found = json.loads(mapped.out)
    assert len(found["workloads"]) > 1
    assert found["connections"] != []
    assert [each["location"]["line"] > 1 for each in found["incomplete_because"]] == [True]
