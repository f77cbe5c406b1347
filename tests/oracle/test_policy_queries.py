"""Questions about single policies and rules, and about what policies state, against network-config-analyzer's answers."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.algebra.intervals import IntervalSet
from k8snetlint.analysis.effects import Part, empty_parts, findings, redundant_parts_here, unisolated
from k8snetlint.analysis.stated import (
    check_extends_nothing,
    check_forbids,
    check_permits,
    check_strongly_equivalent,
)
from k8snetlint.analysis.verdict import Holds, Refuted, Verdict
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.lowering import lower
from tests.cli.program import k8snetlint
from tests.clusters import cluster_in
from tests.shared import SHARED, needs_shared

from .connectivity import DIFFERENCES, comparer

ROOT = SHARED / "oracle" / "queries"


def _holds(verdict: Verdict | None) -> bool:
    assert verdict is None or isinstance(verdict, Holds | Refuted)
    return isinstance(verdict, Holds)


def _parts(parts: Iterable[Part]) -> dict[str, Any]:
    found: dict[str, Any] = {"count": 0, "policies": [], "ingress_rules": {}, "egress_rules": {}}
    for part in parts:
        found["count"] += 1
        name = f"{part.policy.namespace}/{part.policy.name}"
        if part.rule is None:
            found["policies"].append(name)
        else:
            assert part.rule.origin is not None
            found[f"{part.stage}_rules"].setdefault(name, []).append(int(part.rule.origin.path[-1]) + 1)
    found["policies"].sort()
    return found


def _sanity(policies: PolicySet) -> dict[str, Any]:
    count = len(list(findings(policies)))
    return {"passed": not count, "count": count}


def _captured(policies: PolicySet) -> dict[str, Any]:
    count = len({(peer.text, stage) for peer, stage in unisolated(policies)})
    return {"holds": not count, "count": count}


ONE: Mapping[str, Callable[[PolicySet], Any]] = {
    "all_captured": _captured,
    "emptiness": lambda policies: _parts(empty_parts(policies)),
    "redundancy": lambda policies: _parts(redundant_parts_here(policies)),
    "sanity": _sanity,
}
TWO: Mapping[str, Callable[[PolicySet, PolicySet], Any]] = {
    "forbids": lambda a, b: _holds(check_forbids(a, b)),
    "interferes": lambda a, b: not _holds(check_extends_nothing(a, b)),
    "permits": lambda a, b: _holds(check_permits(a, b)),
    "strong_equiv": lambda a, b: _holds(check_strongly_equivalent(a, b)),
}


def _policies(folder: Path) -> PolicySet:
    return lower(cluster_in(folder))


def _answer(case: Path, query: str) -> Any:
    if query in ONE:
        return ONE[query](_policies(case / "a"))
    return TWO[query](_policies(case / "a"), _policies(case / "b"))


def _cases(source: str, queries: Iterable[str]) -> list[tuple[Path, dict[str, Any]]]:
    paths = sorted((ROOT / source).glob("*/expected.json"))
    read = [(path.parent, json.loads(path.read_text("utf-8"))) for path in paths]
    return [(case, expected) for case, expected in read if expected["query"] in queries]


def _judged(differing: Mapping[str, Any], queries: Iterable[str], tally: Counter[tuple[str, str]], capsys: Any) -> None:
    entries = YAML(typ="safe").load(DIFFERENCES.read_text("utf-8"))
    listed = [case for entry in entries if entry.get("suite") == "policy_queries" for case in entry["cases"]]
    argued = {case for case in listed if any(f"__{query}__" in case for query in queries)}
    with capsys.disabled():
        print("", *(f"{query} {outcome}: {count}" for (query, outcome), count in sorted(tally.items())), sep="\n")
    assert {name: answers for name, answers in differing.items() if name not in argued} == {}
    assert sorted(argued - set(differing)) == []


@needs_shared
def test_every_answer_is_the_same_or_argued(capsys: Any) -> None:
    tally: Counter[tuple[str, str]] = Counter()
    differing: dict[str, Any] = {}
    for case, expected in _cases("nca-k8s", (*ONE, *TWO)):
        found, query, result = _answer(case, expected["query"]), expected["query"], expected["result"]
        wanted = {key: result[key] for key in found} if isinstance(result, dict) else result
        tally[query, "equal" if found == wanted else "argued"] += 1
        if found != wanted:
            differing[case.name] = (wanted, found)
    for source in ("nca-calico", "nca-istio"):
        tally[f"{source}, another dialect", "left out"] = len(list((ROOT / source).glob("*/expected.json")))
    _judged(differing, (*ONE, *TWO), tally, capsys)


@needs_shared
def test_what_the_peer_rejects_is_reported_at_its_place(capsys: Any) -> None:
    tally: Counter[tuple[str, str]] = Counter()
    differing: dict[str, Any] = {}
    for case, expected in _cases("nca-k8s", ("validate",)):
        ran = k8snetlint(case, "check", ".", "--one-unit", "--isolated", "-f", "json")
        found = [each for each in json.loads(ran.out)["diagnostics"] if each["severity"] in ("error", "warning")]
        at = {(Path(each["location"]["path"]).name, each["location"]["line"]) for each in found}
        error = expected["peer_error"]
        # The peer names the block that holds what is wrong, this project the line in it.
        is_met = any(error["file"] in (None, name) and (error["line"] or 1) <= line for name, line in at)
        tally["validate", "equal" if is_met else "argued"] += 1
        if not is_met:
            differing[case.name] = (error, at)
    _judged(differing, ("validate",), tally, capsys)


def _connections(lists: Mapping[str, list[tuple[int, int]]]) -> ConnectionSet:
    return ConnectionSet.from_mapping({protocol: IntervalSet(map(tuple, spans)) for protocol, spans in lists.items()})


def _rows(changes: Iterable[Mapping[str, Any]], of: str, other: str) -> dict[str, Any]:
    rows = []
    for change in changes:
        had, has = _connections(change[other]), _connections(change[of])
        rows.append({"src": change["source"], "dst": change["destination"], "ports": (has - had).as_lists()})
    return {"schema": "connectivity-oracle/v1", "connections": rows}


@needs_shared
def test_what_changes_is_the_same_or_argued(tmp_path: Path, capsys: Any) -> None:
    module, tally, differing = comparer(), Counter[tuple[str, str]](), dict[str, Any]()
    options = Namespace(
        ignore_src=[],
        ignore_dst=[],
        ignore_ipv6=True,
        networks=False,
        strip_kind=False,
        workloads=False,
        no_scope=False,
    )
    for case, expected in _cases("nca-k8s", ("semantic_diff",)):
        ran = k8snetlint(case, "diff", "a", "b", "--one-unit", "--isolated", "--allow-empty", "-f", "json")
        assert ran.code in (0, 1), ran.err
        changes = json.loads(ran.out)["changes"]
        rows: list[Any] = []
        for name, of, other in (("added", "new", "old"), ("removed", "old", "new")):
            wanted = {"schema": "connectivity-oracle/v1", "connections": expected["result"][name]}
            paths = (tmp_path / "expected.json", tmp_path / "actual.json")
            for path, content in zip(paths, (wanted, _rows(changes, of, other)), strict=True):
                path.write_text(json.dumps(content), "utf-8")
            rows += module.compare(*map(str, paths), options)[0]
        tally["semantic_diff", "argued" if rows else "equal"] += 1
        if rows:
            differing[case.name] = rows[:3]
    _judged(differing, ("semantic_diff",), tally, capsys)
