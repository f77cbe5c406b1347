"""Parts of policies that add nothing: taken away from the manifests, and what is left compared by the solver."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings

from k8snetlint import policy
from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.analysis import decided
from k8snetlint.analysis.containment import contradiction, excludes, implies
from k8snetlint.analysis.precedence import Shadowed, overridden_rules, shadowed_rules
from k8snetlint.analysis.redundancy import (
    PartKind,
    Redundant,
    is_vacuous,
    redundant_parts,
    vacuous_policies,
)
from k8snetlint.analysis.reference import decide, matches, missing_part
from k8snetlint.analysis.samples import samples
from k8snetlint.analysis.understood import Unsettled
from k8snetlint.analysis.verdict import Holds, Refuted, Undecided, World, check_equivalent
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.enforcement import NEUTRAL
from k8snetlint.policy.ir import (
    ALL_CONNECTIONS,
    NETWORK_POLICY_TIER,
    Action,
    Everything,
    LabelOperator,
    LabelTest,
    Match,
    PodLabel,
    PolicyRule,
    PolicySet,
    Stage,
    Tier,
)
from k8snetlint.policy.peers import Flow, Peer
from tests.analysis.random_clusters import clusters
from tests.analysis.test_engines_agree import BOUNDARIES, EXAMPLES, fuzzed
from tests.clusters import cluster_of

ROOT = Path(__file__).resolve().parents[2]
few = settings(parent=fuzzed, max_examples=max(1, EXAMPLES // 4))
EXTRA = (Peer("8.8.8.8", addresses=AddressSet.cidr("8.8.8.8/32")), Peer("red/new", "red", is_pod=True))

# Pods without addresses that blocks match: what is claimed must not rest on how a plugin treats these.
STRICT = attrs.evolve(NEUTRAL, blocks_match_pods=False)


def manifests(cluster: Cluster) -> dict[int, Any]:
    return {id(resource): resource.root.plain() for resource in cluster.resources}


def without(cluster: Cluster, parts: list[Redundant]) -> Cluster:
    """The cluster without some parts of its policies."""
    found = manifests(cluster)
    for part in sorted(parts, key=lambda part: [str(step).zfill(4) for step in part.path], reverse=True):
        if part.kind is PartKind.POLICY:
            del found[id(part.policy)]
            continue
        # Without policyTypes, a direction whose rules are gone would be open.
        types = part.policy.policy_types
        spec = found[id(part.policy)]["spec"]
        spec["policyTypes"] = list(types)
        items = spec
        for step in part.path[1:-1]:
            items = items[step]
        del items[part.path[-1]]
    return cluster_of("\n---\n".join(map(json.dumps, found.values())))


def network_policies_only(policies: PolicySet) -> PolicySet:
    stages = tuple(
        attrs.evolve(stage, tiers=tuple(tier for tier in stage.tiers if tier.name == NETWORK_POLICY_TIER.name))
        for stage in policies.stages
    )
    return attrs.evolve(policies, stages=stages)


@fuzzed
@given(clusters())
def test_what_adds_nothing_can_all_be_taken_away(cluster):
    policies = policy.lower(cluster)
    parts = [part for part in redundant_parts(policies) if isinstance(part, Redundant)]
    left = policy.lower(without(cluster, parts))
    for world in World:
        assert check_equivalent(policies, left, world) == Holds()


def stage_alone(policies: PolicySet, rules: tuple[PolicyRule, ...], stage: Stage) -> PolicySet:
    return attrs.evolve(policies, stages=(attrs.evolve(stage, tiers=(Tier("networkpolicy", rules),)),))


@few
@given(clusters())
def test_what_is_not_reported_adds_something(cluster):
    """Each rule that is left, taken away alone, changes what its stage says of some pod that could exist."""
    policies = network_policies_only(policy.lower(cluster, STRICT))
    parts = [part for part in redundant_parts(policies) if isinstance(part, Redundant)]
    left = policy.lower(without(cluster, parts), STRICT)
    deny = PolicyRule(Action.DENY, Match(Everything(), Everything(), ALL_CONNECTIONS), None)
    for stage in network_policies_only(left).stages:
        rules = tuple(rule for tier in stage.tiers for rule in tier.rules)
        for rule in rules:
            if rule.is_default:
                continue
            others = tuple(each for each in rules if each is not rule)
            verdict = check_equivalent(stage_alone(left, rules, stage), stage_alone(left, others, stage), World.OPEN)
            # A rule about nobody adds nothing either, and is for another rule to report.
            alone = check_equivalent(
                stage_alone(left, (rule, deny), stage), stage_alone(left, (deny,), stage), World.OPEN
            )
            assert isinstance(verdict, Refuted) or isinstance(alone, Holds), rule.origin


@fuzzed
@given(clusters())
def test_a_shadowed_rule_never_decides(cluster):
    policies = policy.lower(cluster)
    for found in (*shadowed_rules(policies), *overridden_rules(policies)):
        assert isinstance(found, Shadowed)
        stage = next(each for each in policies.stages if each.name == found.stage)
        everybody = [*policies.peers.pods, *EXTRA]
        for source in everybody:
            for destination in everybody:
                for port in BOUNDARIES:
                    flow = Flow(source, destination, "TCP", port)
                    decision = decide(stage, flow)
                    assert decision.rule is not found.rule
                    if missing_part(found.rule, flow) is None and found.rule.origin.resource.kind == "NetworkPolicy":
                        assert decision.action is not found.rule.action


POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: %s, namespace: shop}
spec: %s
"""


def policies_of(*specs: str) -> PolicySet:
    return policy.lower(cluster_of("---".join(POLICY % (f"p{number}", spec) for number, spec in enumerate(specs))))


def found_in(*specs: str, limit: int | None = None) -> list[tuple[str, str, tuple[str | int, ...]]]:
    return [
        (part.policy.name, part.kind.value if isinstance(part, Redundant) else "unsettled", part.path)
        for part in redundant_parts(policies_of(*specs), limit)
    ]


# What no single rule covers: the values of a label in two rules.
UNION = (
    "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}, "
    "{from: [{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [a]}]}}]}, "
    "{from: [{podSelector: {matchLabels: {tier: x}}}]}]}"
)


def test_several_rules_cover_one_together():
    assert found_in(UNION) == [("p0", "rule", ("spec", "ingress", 2))]
    (part,) = redundant_parts(policies_of(UNION))
    assert [rule.origin.path for rule in part.covered_by] == [("spec", "ingress", 0), ("spec", "ingress", 1)]


def test_what_the_solver_gives_up_on_is_neither_redundant_nor_not():
    assert found_in(UNION, limit=1) == [("p0", "unsettled", ("spec", "ingress", 2))]
    with pytest.raises(Undecided, match="the solver gave up"):
        is_vacuous(
            policies_of(
                UNION.replace(
                    "{tier: x}}}]}",
                    "{tier: x}}}]}, {from: [{namespaceSelector: {}}, {ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: '::/0'}}]}",
                )
            ),
            1,
        )


def test_work_is_bounded_and_said(monkeypatch):
    monkeypatch.setattr(decided, "BUDGET", 30)
    rules = ", ".join(f"{{from: [{{podSelector: {{matchLabels: {{app: a{number}}}}}}}]}}" for number in range(20))
    (left,) = redundant_parts(policies_of(f"{{podSelector: {{}}, ingress: [{rules}]}}"))
    assert isinstance(left, Unsettled)
    assert (left.path, left.reason) == (
        ("spec", "ingress", 18),
        "the policies are too many to compare all of them with one another",
    )


def test_of_two_equal_policies_the_later_one_is_superfluous():
    spec = "{podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: 80}]}]}"
    assert found_in(spec, spec) == [("p1", "policy", ())]


def test_a_policy_that_opens_nothing_is_not_superfluous():
    for other in ("{podSelector: {}}", "{podSelector: {matchLabels: {app: a}}}"):
        assert found_in(other, "{podSelector: {matchLabels: {app: a}}}") == []


def test_a_default_deny_of_a_whole_namespace_is_not_superfluous():
    assert found_in("{podSelector: {}}", "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}") == []


def test_a_pod_is_not_covered_by_a_block_of_all_addresses():
    selected = "{from: [{podSelector: {}}]}"
    assert found_in(f"{{podSelector: {{}}, ingress: [{selected}, {{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}]}}]}}") == []
    assert found_in(f"{{podSelector: {{}}, ingress: [{selected}, {{}}]}}") == [("p0", "rule", ("spec", "ingress", 0))]


def test_a_named_port_behind_a_block_may_be_a_pods():
    egress = "{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: http}]}"
    assert (
        found_in(f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{egress}, {{ports: [{{port: 53}}]}}]}}") == []
    )
    assert found_in(
        f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{egress}, {{ports: [{{protocol: TCP}}]}}]}}"
    ) == [("p0", "rule", ("spec", "egress", 0))]


def test_a_placeholder_proves_nothing():
    spec = "{podSelector: {matchLabels: {app: '${APP}'}}, ingress: [{}]}"
    assert found_in(spec, spec) == []


def test_without_doubt_the_solver_is_not_imported():
    code = """
import sys
from k8snetlint.analysis.redundancy import redundant_parts
from k8snetlint.policy import lower
from tests.clusters import cluster_of
def ask(spec):
    made = cluster_of(sys.argv[1] % ("p", spec))
    return len(list(redundant_parts(lower(made)))), "z3" in sys.modules
print(ask("{podSelector: {}, ingress: [{ports: [{port: 80}]}, {ports: [{port: 443}]}, {ports: [{port: 80}]}]}"))
print(ask(sys.argv[2]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, POLICY, UNION], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.splitlines() == ["(1, False)", "(1, True)"]


def test_policies_that_deny_nothing():
    everything = "{podSelector: {}, ingress: [{}]}"
    assert is_vacuous(policies_of("{podSelector: {}}", everything))
    assert not is_vacuous(policies_of("{podSelector: {}, policyTypes: [Ingress, Egress]}", everything))
    assert [found.name for found in vacuous_policies(policies_of("{podSelector: {}}", everything))] == []
    other = "{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress]}"
    assert [found.name for found in vacuous_policies(policies_of(other, everything))] == ["p1"]


TESTS = [
    LabelTest("app", operator, values)
    for operator in LabelOperator
    for values in (
        (("a",), ("a", "b"), ("ab",)) if operator not in (LabelOperator.EXISTS, LabelOperator.ABSENT) else ((),)
    )
]
TEXTS = (None, "", "a", "b", "ab", "ba", "c", "aba")


def test_label_algebra_agrees_with_trying_values():
    for first in TESTS:
        for second in TESTS:
            one, other = PodLabel(first), PodLabel(second)
            if implies(one, other):
                assert all(second.holds(text) for text in TEXTS if first.holds(text)), (first, second)
            if excludes(one, other):
                assert not any(first.holds(text) and second.holds(text) for text in TEXTS), (first, second)
    plain = [test for test in TESTS if "with" not in test.operator.value and "contains" not in test.operator.value]
    for first in plain:
        for second in plain:
            is_empty = not any(first.holds(text) and second.holds(text) for text in TEXTS)
            assert excludes(PodLabel(first), PodLabel(second)) == is_empty, (first, second)
            is_within = all(second.holds(text) for text in TEXTS if first.holds(text))
            assert implies(PodLabel(first), PodLabel(second)) == is_within, (first, second)


def test_three_tests_contradict_though_no_two_do():
    group = [
        LabelTest("app", LabelOperator.IN, ("a", "b")),
        LabelTest("app", LabelOperator.NOT_IN, ("a",)),
        LabelTest("app", LabelOperator.NOT_IN, ("b",)),
    ]
    assert contradiction(group) == tuple(group)
    assert contradiction(group[:2]) is None
    name = LabelTest("kubernetes.io/metadata.name", LabelOperator.ABSENT)
    assert contradiction([name]) is None
    assert contradiction([name], is_namespace=True) == (name,)


@few
@given(clusters())
def test_samples_are_what_they_are_samples_of(cluster):
    policies = policy.lower(cluster)
    for stage in policies.stages:
        for tier in stage.tiers:
            for rule in tier.rules:
                for side in (rule.match.source, rule.match.destination):
                    for sample in samples(side, policies.peers, rule.match.connections):
                        assert matches(side, sample), (side, sample.text)
