"""Exposure to pods beyond the manifests, against what netpol-analyzer prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.exposure import Exposure, exposures
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import LabelOperator, LabelTest
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Peer
from tests.clusters import cluster_in
from tests.shared import SHARED, needs_shared

from .connectivity import DIFFERENCES

ROOT = SHARED / "oracle" / "exposure" / "netpol-analyzer"
OPERATORS = {
    "In": LabelOperator.IN,
    "NotIn": LabelOperator.NOT_IN,
    "Exists": LabelOperator.EXISTS,
    "DoesNotExist": LabelOperator.ABSENT,
}
ROW = re.compile(r"(?P<workload>\S+)\s+(?P<arrow>=>|<=)\s+(?P<pods>.+) : (?P<connections>.+)")
EXPRESSION = re.compile(r"\{Key:(?P<key>[^,]+),Operator:(?P<operator>\w+),Values:\[(?P<values>[^\]]*)\],\}")

Row = tuple[str, str, tuple[LabelTest, ...], tuple[LabelTest, ...]]


def label_tests(text: str) -> tuple[LabelTest, ...]:
    """The label tests between the braces of the peer's text."""
    found = []
    for match in EXPRESSION.finditer(text):
        values = tuple(sorted(match["values"].split()))
        found.append(LabelTest(match["key"], OPERATORS[match["operator"]], values))
    for key, value in re.findall(r"([^{},\s]+)=([^{},\s]*)", EXPRESSION.sub("", text)):
        found.append(LabelTest(key, LabelOperator.IN, (value,)))
    return tuple(sorted(found, key=lambda test: (test.key, test.operator.value, test.values)))


def ends_of(text: str) -> tuple[tuple[LabelTest, ...], tuple[LabelTest, ...]]:
    """Of what namespaces and pods the peer speaks."""
    if text == "entire-cluster":
        return (), ()
    where, _, pods = text.partition("/[")
    if where == "[all namespaces]":
        spaces: tuple[LabelTest, ...] = ()
    elif where.startswith("["):
        where, _, pods = text.partition("]/[")
        spaces = label_tests(where)
    else:
        spaces = (LabelTest(NAMESPACE_NAME_LABEL, LabelOperator.IN, (where,)),)
    return spaces, () if pods.startswith("all pods") else label_tests(pods)


def connections_of(text: str) -> ConnectionSet:
    """The connections as the peer writes them."""
    if text == "All Connections":
        return ConnectionSet.everything()
    found = ConnectionSet.nothing()
    if text == "No Connections":
        return found
    protocol = ""
    for part in text.split(","):
        words = part.split()
        protocol = words[0] if len(words) > 1 else protocol
        first, _, last = words[-1].partition("-")
        if not first.isdecimal():
            continue
        found |= ConnectionSet.span(protocol, int(first), int(last or first))
    return found


def expected(case: Path) -> dict[Row, ConnectionSet]:
    text = (case / "expected.txt").read_text("utf-8").partition("Exposure Analysis Result:")[2]
    found: dict[Row, ConnectionSet] = {}
    for line in text.splitlines():
        match = ROW.fullmatch(line.strip())
        if match is not None and "[External]" not in match["pods"] and "{" + "ingress" not in match["workload"]:
            direction = "egress" if match["arrow"] == "=>" else "ingress"
            row = (match["workload"], direction, *ends_of(match["pods"].strip()))
            found[row] = found.get(row, ConnectionSet.nothing()) | connections_of(match["connections"].strip())
    return found


def is_selected(pod: Peer, exposure: Exposure) -> bool:
    """Whether a pod of the manifests passes the tests of an exposure."""
    return all(test.holds(pod.namespace_labels.get(test.key)) for test in exposure.namespace_tests) and all(
        test.holds(pod.labels.get(test.key)) for test in exposure.pod_tests
    )


def differences(case: Path) -> Iterator[str]:
    wanted = expected(case)
    policies = lower(cluster_in(case / "manifests"))
    found = {
        (each.workload, each.direction, each.namespace_tests, each.pod_tests): each for each in exposures(policies)
    }
    for row, each in list(found.items()):
        # The peer leaves out most of what it finds a pod for: that its like could be created is of no interest to it.
        is_more_than_any = bool(each.namespace_tests or each.pod_tests)
        if row not in wanted and is_more_than_any and any(is_selected(pod, each) for pod in policies.peers.pods):
            del found[row]
    for row in sorted({*wanted, *found}, key=str):
        ours = found[row].connections if row in found else ConnectionSet.nothing()
        theirs = wanted.get(row, ConnectionSet.nothing())
        if ours != theirs:
            yield f"{row}: theirs {theirs}, ours {ours}"


@needs_shared
def test_every_exposure_is_the_same_or_argued() -> None:
    entries = YAML(typ="safe").load(DIFFERENCES.read_text("utf-8"))
    argued = {case for entry in entries if entry.get("suite") == "exposure" for case in entry["cases"]}
    cases = sorted(path.parent for path in ROOT.glob("*/expected.txt"))
    assert len(cases) == 40
    differing = {case.name: found for case in cases if (found := list(differences(case)))}
    assert {name: found for name, found in differing.items() if name not in argued} == {}
    assert sorted(argued - set(differing)) == []
