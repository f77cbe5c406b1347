"""Policies that are not understood in part, and what plugins leave out."""

from __future__ import annotations

import pytest

from k8snetlint import policy
from k8snetlint.analysis.reference import decide, is_allowed, isolating_rules, misses
from k8snetlint.analysis.ties import ties
from k8snetlint.policy.enforcement import NEUTRAL, PLUGINS, enforcement_of
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Flow
from tests.clusters import cluster_of

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]}
---
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
"""
ADMIN = """
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: p}
spec:
"""


def lowered(spec: str, plugin: str | None = None, head: str = POLICY) -> PolicySet:
    return policy.lower(cluster_of(PODS + head + spec), enforcement_of(plugin))


def opens(policies: PolicySet, port: int, protocol: str = "TCP") -> bool:
    web, db = policies.peers.pods
    return is_allowed(policies, Flow(web, db, protocol, port)).is_allowed


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        (
            "  podSelector: {}\n  ingress: [{form: [], ports: [{port: 80}]}]",
            ("spec", "ingress", 0, "form"),
            "field `form` is not known here, so that what it is meant to say is not known",
        ),
        (
            "  podSelector: {}\n  ingress: [{from: [{podSelector: {matchLabels: {app: '${APP}'}}}]}]",
            ("spec", "ingress", 0, "from", 0, "podSelector", "matchLabels", "app"),
            "`app` holds the placeholder `${APP}`, whose value is not known",
        ),
        (
            "  podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/40}}]}]",
            ("spec", "ingress", 0, "from", 0, "ipBlock", "cidr"),
            "`10.0.0.0/40` is not a CIDR",
        ),
        (
            "  podSelector: {}\n  ingress: [{ports: [{port: 80, endPort: 70}]}]",
            ("spec", "ingress", 0, "ports", 0, "endPort"),
            "the port range is empty: it ends at 70, before it starts at 80",
        ),
        (
            "  podSelector: {}\n  ingress: [{ports: [{port: '80'}]}]",
            ("spec", "ingress", 0, "ports", 0, "port"),
            "`80` is no port name, so the policy is rejected",
        ),
        (
            "  podSelector: {}\n  policyTypes: [ingress]",
            ("spec", "policyTypes", 0),
            "policy type `ingress` is neither Ingress nor Egress",
        ),
        (
            "  podSelector: {}\n  policyTypes: [Egress, null]\n  egress: [{}]",
            ("spec", "policyTypes", 1),
            "policy type `` is neither Ingress nor Egress",
        ),
        (
            "  podSelector: {}\n  policyTypes: ['${TYPE}']",
            ("spec", "policyTypes", 0),
            "item 0 holds the placeholder `${TYPE}`, whose value is not known",
        ),
        (
            "  podSelector: {}\n  policyTypes: [Ingress, Egress, Ingress]",
            ("spec", "policyTypes"),
            "3 policy types are listed, so the policy is rejected",
        ),
        (
            "  podSelector: {}\n  ingress: [{from: [{}]}]",
            ("spec", "ingress", 0, "from", 0),
            "a peer that names neither selector nor ipBlock is not valid",
        ),
        (
            "  podSelector: {matchLabels: {app: '${APP}'}}\n  ingress: [{}]",
            ("spec", "podSelector", "matchLabels", "app"),
            "`app` holds the placeholder `${APP}`, whose value is not known",
        ),
    ],
)
def test_what_is_not_understood_allows_nothing_and_is_told(spec, path, message):
    policies = lowered(spec)
    assert [(problem.path, problem.message) for problem in policies.problems] == [(path, message)]
    assert not opens(policies, 80)


def test_a_deny_that_is_not_understood_denies_everything():
    rule = "  priority: 1\n  subject: {namespaces: {}}\n  ingress: [{action: Pass, from: [{pod: {}}]}]"
    policies = lowered(rule, head=ADMIN)
    assert [problem.path for problem in policies.problems] == [("spec", "ingress", 0, "from", 0, "pod")]
    assert not opens(policies, 80)


def test_a_range_of_one_port_is_none_in_the_newer_version():
    head = ADMIN.replace("v1alpha1", "v1alpha2").replace("AdminNetworkPolicy", "ClusterNetworkPolicy")
    port = "protocols: [{tcp: {destinationPort: {range: {start: 80, end: 80}}}}]"
    rule = f"  tier: Admin\n  priority: 1\n  subject: {{namespaces: {{}}}}\n  ingress: [{{action: Deny, from: [{{namespaces: {{}}}}], {port}}}]"
    policies = lowered(rule, head=head)
    path = ("spec", "ingress", 0, "protocols", 0, "tcp", "destinationPort", "range")
    message = "the port range starts and ends at 80, so the policy is rejected"
    assert [(problem.path, problem.message) for problem in policies.problems] == [(path, message)]
    assert not opens(policies, 443)


@pytest.mark.parametrize(
    ("plugin", "opened"),
    [
        (None, {80, 85, 5432}),
        ("calico", {80, 85, 5432}),
        ("weave", {80, 85, 90, 5432}),
        ("flannel", {80, 85, 90, 5432}),
    ],
)
def test_plugins_leave_out_what_they_do_not_know(plugin, opened):
    spec = "  podSelector: {}\n  ingress: [{ports: [{port: 80, endPort: 85}, {port: sql}]}]"
    policies = lowered(spec, plugin)
    assert {port for port in (80, 85, 90, 5432) if opens(policies, port)} == opened


def test_a_range_is_its_first_port_where_ranges_are_not_known():
    policies = lowered("  podSelector: {}\n  ingress: [{ports: [{port: 80, endPort: 85}]}]", "weave")
    assert [opens(policies, port) for port in (80, 85)] == [True, False]


def test_what_differs_is_said_in_words():
    assert NEUTRAL.differences() == ()
    assert PLUGINS["flannel"].differences() == ("policies have no effect",)
    assert PLUGINS["cilium"].differences() == (
        "an ipBlock never matches pods",
        "an ipBlock never matches nodes",
        "AdminNetworkPolicy, BaselineAdminNetworkPolicy has no effect",
    )


def test_a_denial_names_the_isolating_policy_and_the_part_that_does_not_fit():
    spec = "  podSelector: {matchLabels: {app: db}}\n  ingress: [{ports: [{port: 80}]}, {from: [{podSelector: {matchLabels: {app: x}}}]}]"
    policies = lowered(spec)
    web, db = policies.peers.pods
    flow = Flow(web, db, "TCP", 5432)
    (stage,) = policies.stages
    decision = decide(stage, flow)
    assert decision.rule is not None
    assert decision.rule.origin is not None
    assert (decision.rule.is_default, decision.rule.origin.path, decision.tier) == (True, ("spec",), "networkpolicy")
    assert [rule.origin.resource.name for rule in isolating_rules(stage, flow) if rule.origin] == ["p"]
    found = [(miss.rule.origin.path, miss.part) for miss in misses(stage, flow) if miss.rule.origin]
    assert found == [(("spec", "ingress", 0), "port"), (("spec", "ingress", 1), "source")]


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy"),
        ("security.istio.io/v1", "AuthorizationPolicy"),
        ("k8s.ovn.org/v1", "UserDefinedNetwork"),
        ("extensions/v1beta1", "NetworkPolicy"),
    ],
)
def test_what_else_decides_about_traffic_is_said_not_to_be_read(api_version, kind):
    if (api_version.partition("/")[0], kind) in policy.lowering.DIALECTS:
        pytest.skip("it is read")
    text = f"{PODS}apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: p, namespace: shop}}\nspec: {{}}\n"
    (problem,) = policy.lower(cluster_of(text)).problems
    group = api_version.partition("/")[0]
    assert problem.message == f"{kind} of {group} is not analysed: what it decides is not seen"
    assert problem.path == ("kind",)


@pytest.mark.parametrize(
    "selector", ["{matchLabels: {app@b: web}}", "{matchExpressions: [{key: app, operator: In, values: [a b]}]}"]
)
def test_labels_that_cannot_be_are_not_understood(selector):
    (problem,) = lowered(f"  podSelector: {selector}\n  policyTypes: [Ingress]\n").problems
    assert problem.message.endswith("so the policy is rejected")


@pytest.mark.parametrize(("second", "priority", "is_met"), [("Allow", 5, True), ("Deny", 5, None), ("Allow", 6, None)])
def test_policies_of_one_priority_that_disagree_are_a_tie(second, priority, is_met):
    rule = "ingress: [{{action: {}, from: [{{namespaces: {{}}}}]}}]\n"
    subject = "  subject: {namespaces: {}}\n  "
    first = f"  priority: 5\n{subject}{rule.format('Deny')}---\n"
    other = ADMIN.replace("name: p", "name: q") + f"  priority: {priority}\n{subject}{rule.format(second)}"
    found = list(ties(policy.lower(cluster_of(PODS + ADMIN + first + other))))
    assert [(tie.first.name, tie.second.name, tie.is_met) for tie in found] == (
        [] if is_met is None else [("p", "q", True)]
    )


@pytest.mark.parametrize(("block", "is_open"), [("10.0.0.0/8", True), ("10.0.0.0/9", False)])
def test_blocks_that_together_hold_every_address_hold_that_of_any_pod(block, is_open):
    most = "{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}"
    peers = f"{most}, {{podSelector: {{matchLabels: {{app: x}}}}}}, {{ipBlock: {{cidr: {block}}}}}"
    assert opens(lowered(f"  podSelector: {{}}\n  ingress: [{{from: [{peers}]}}]"), 80) is is_open
