"""What ingress controllers reach, by `map` on the command line, against netpol-analyzer's cases."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.cli.program import k8snetlint
from tests.shared import needs_shared

from .connectivity import DIFFERENCES, cases, comparer, expected


def _differing(case: Path, scratch: Path) -> list[str]:
    answer = scratch / "actual.json"
    where = ("--one-unit", "--isolated", "--allow-empty")
    ran = k8snetlint(case / "manifests", "map", *where, "-f", "json", "-o", str(answer))
    assert ran.code == 0, ran.err
    module = comparer()
    everyone_else = re.compile(r"^(?!\{ingress-controller\}$)")
    options = Namespace(
        ignore_src=[everyone_else],
        ignore_dst=[],
        ignore_ipv6=False,
        networks=False,
        strip_kind=False,
        workloads=False,
        no_scope=False,
    )
    rows, _, _, _ = module.compare(str(case / "expected.json"), str(answer), options)
    return [
        f"{module.kind_of(e, a)} {module.show_peer(d)}: {module.show_ports(e[0])} | {module.show_ports(a[0])}"
        for _, d, _, e, a in rows
    ]


def _listed() -> dict[str, dict[str, Any]]:
    entries = YAML(typ="safe").load(DIFFERENCES.read_text("utf-8"))
    return {case: entry for entry in entries if entry.get("suite") == "ways_in" for case in entry["cases"]}


@needs_shared
def test_the_ways_in_are_the_same_or_the_difference_is_argued(tmp_path: Path) -> None:
    asked = [case for case in cases() if case.parent.name.startswith("netpol-analyzer")]
    with_ways_in = 0
    differing: dict[str, list[str]] = {}
    for case in asked:
        with_ways_in += any(row["src"] == "{ingress-controller}" for row in expected(case)["connections"])
        found = _differing(case, tmp_path)
        if found:
            differing[f"{case.parent.name}/{case.name}"] = found
    print(f"{len(asked)} cases, {with_ways_in} with ways in, {len(differing)} differ")
    assert with_ways_in == 14
    listed = _listed()
    assert {name: found for name, found in differing.items() if name not in listed} == {}
    assert sorted(set(listed) - set(differing)) == []
