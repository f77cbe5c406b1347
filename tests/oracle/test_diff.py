"""`diff` on the command line against netpol-analyzer's cases."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ruamel.yaml import YAML

from tests.cli.program import k8snetlint
from tests.shared import SHARED, needs_shared

from .connectivity import DIFFERENCES, comparer


@needs_shared
def test_every_difference_is_the_same_or_argued(tmp_path: Path) -> None:
    module = comparer()
    options = Namespace(
        ignore_src=[],
        ignore_dst=[],
        ignore_ipv6=False,
        networks=False,
        strip_kind=False,
        workloads=False,
        no_scope=False,
    )
    entries = YAML(typ="safe").load(DIFFERENCES.read_text("utf-8"))
    argued = {case for entry in entries if entry.get("suite") == "diff" for case in entry["cases"]}
    cases = sorted(path.parent for path in (SHARED / "oracle" / "diff").glob("*/*/expected.json"))
    differing: set[str] = set()
    answer = tmp_path / "actual.json"
    for case in cases:
        where = ("--one-unit", "--isolated", "--allow-empty")
        ran = k8snetlint(case, "diff", "old", "new", *where, "-f", "json", "-o", str(answer))
        assert ran.code in (0, 1), ran.err
        if module.compare(str(case / "expected.json"), str(answer), options)[0]:
            differing.add(case.name)
    print(f"{len(cases)} cases, {len(differing)} argued")
    assert len(cases) > 40
    assert differing == argued
