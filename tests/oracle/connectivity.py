"""The connectivity cases of other analyzers: what they expect, and how it is compared."""

from __future__ import annotations

import importlib.util
import json
import re
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

from ruamel.yaml import YAML

from k8snetlint import policy
from k8snetlint.analysis.reachability import Connectivity, connectivity
from k8snetlint.policy.enforcement import NEUTRAL, Enforcement
from tests.clusters import cluster_in
from tests.shared import SHARED

ROOT = SHARED / "oracle" / "connectivity"
DIFFERENCES = Path(__file__).resolve().parents[1] / "oracle_differences.yaml"
# Kinds and features of dialects and networks that are not this module's subject.
FOREIGN = ("Calico", "Istio", "GlobalNetworkPolicy", "AuthorizationPolicy", "Sidecar", "Cilium", "livesim")


def cases() -> list[Path]:
    """The folders of all cases whose policies are of Kubernetes itself."""
    if not ROOT.is_dir():
        return []
    found = [path.parent for path in sorted(ROOT.glob("*/*/expected.json"))]
    return [path for path in found if not path.name.startswith(("calico__", "istio__")) and not _is_foreign(path)]


def _is_foreign(path: Path) -> bool:
    features = expected(path).get("features", [])
    return any(feature.startswith(FOREIGN) for feature in features)


def expected(case: Path) -> dict[str, Any]:
    """What the peer expects of a case."""
    found: dict[str, Any] = json.loads((case / "expected.json").read_text("utf-8"))
    return found


def actual(case: Path, enforcement: Enforcement = NEUTRAL) -> dict[str, Any]:
    """The same from this project's algebra."""
    return written(connectivity(policy.lower(cluster_in(case / "manifests"), enforcement)))


def written(found: Connectivity) -> dict[str, Any]:
    """A map as its JSON, without what only the command knows."""
    rows = []
    for row in found.rows():
        ends = [
            end.text if not hasattr(end, "range_texts") else ",".join(end.range_texts())
            for end in (row.source, row.destination)
        ]
        rows.append({"source": ends[0], "destination": ends[1], "ports": row.connections.as_lists()})
    return {"connections": rows}


def comparer() -> ModuleType:
    """The program that compares two maps by their meaning."""
    spec = importlib.util.spec_from_file_location("compare", SHARED / "oracle" / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed() -> dict[str, dict[str, Any]]:
    """The cases in which this project decides otherwise: `source/case` to the entry with the reason."""
    entries = YAML(typ="safe").load(DIFFERENCES.read_text("utf-8"))
    return {case: entry for entry in entries if entry.get("suite") == "connectivity" for case in entry["cases"]}


def differences(module: ModuleType, case: Path, found: dict[str, Any], scratch: Path) -> list[str]:
    """The rows that differ, in words. Rows of ingress controllers are the subject of another suite."""
    answer = scratch / "actual.json"
    answer.write_text(json.dumps(found), "utf-8")
    options = Namespace(
        ignore_src=[re.compile(r"\{ingress-controller\}")],
        ignore_dst=[],
        ignore_ipv6=False,
        networks=False,
        strip_kind=False,
        workloads=False,
        no_scope=False,
    )
    rows, _, _, _ = module.compare(str(case / "expected.json"), str(answer), options)
    return [
        f"{module.kind_of(e, a)} {module.show_peer(s)} => {module.show_peer(d)}: "
        f"expected {module.show_ports(e[0])} | actual {module.show_ports(a[0])}"
        for s, d, _, e, a in rows
    ]
