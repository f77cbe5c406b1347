"""What the solver gives up on is said as TOOL006, and never taken for a proof."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import k8snetlint, write

POLICIES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {}
  ingress:
    - from: [{podSelector: {matchLabels: {app: a}}}]
    - from: [{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [a]}]}}]
    - from: [{podSelector: {matchLabels: {tier: x}}}]
"""
EVERYONE = """\
    - from: [{namespaceSelector: {matchLabels: {team: a}}}]
    - from: [{namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [a]}]}}]
    - from: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: "::/0"}}]
"""
ADMIN = """\
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: all}
spec:
  priority: 5
  subject: {namespaces: {}}
  ingress:
    - {action: Deny, from: [{namespaces: {matchLabels: {team: a}}}]}
    - {action: Deny, from: [{namespaces: {matchExpressions: [{key: team, operator: NotIn, values: [a]}]}}]}
    - {action: Allow, from: [{namespaces: {matchLabels: {env: test}}}]}
"""
CONFIG = "rules:\n  TOOL006:\n    resource-limit: 1\n"


def said(directory: Path, *arguments: str) -> list[tuple[str, str, int, str]]:
    """Rule, severity, line and message of what is said of policies that only the solver can compare."""
    rules = "NP037,NP038,NP050,ANP010,ANP011"
    ran = k8snetlint(directory, "check", "m", "--select", rules, "-f", "json", *arguments)
    assert ran.code in (0, 1), ran.err
    return [
        (each["rule"], each["severity"], each["location"]["line"], each["message"])
        for each in json.loads(ran.out)["diagnostics"]
    ]


def test_a_rule_is_redundant_undecided_or_silent(tmp_path: Path) -> None:
    write(tmp_path, {"m/shop.yaml": POLICIES})
    assert said(tmp_path) == [
        (
            "NP038",
            "note",
            9,
            "ingress rule 3 of `web` adds nothing: ingress rule 1 and ingress rule 2 allow all that it allows",
        )
    ]
    write(tmp_path, {".k8snetlint.yaml": CONFIG})
    (found,) = said(tmp_path)
    assert found[:3] == ("TOOL006", "note", 9)
    assert found[3].startswith("networkpolicy-rule-redundant is undecided for `web`: the solver gave up")
    for name in ("TOOL006", "TOOL", "undecided"):
        assert said(tmp_path, "--ignore", name) == []


def test_every_rule_that_asks_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"m/shop.yaml": POLICIES + EVERYONE + "---\n" + ADMIN})
    proved = {(rule, line) for rule, _, line, _ in said(tmp_path)}
    assert {("ANP010", 23), ("NP050", 3)} <= proved
    write(tmp_path, {".k8snetlint.yaml": CONFIG})
    found = said(tmp_path)
    undecided = {message.partition(" is undecided")[0] for rule, severity, _, message in found if rule == "TOOL006"}
    assert undecided == {
        "networkpolicy-rule-redundant",
        "networkpolicy-vacuous",
        "cluster-policy-rule-shadowed",
        "cluster-policy-overrides-networkpolicy",
    }
    assert {severity for rule, severity, _, _ in found if rule == "TOOL006"} == {"note"}
    assert not {("ANP010", 23), ("NP050", 3)} & {(rule, line) for rule, _, line, _ in found}
