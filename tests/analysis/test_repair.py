"""The smallest change that makes intents hold: against trying every smaller one, on random clusters and by example."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import combinations
from math import comb

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.intents import Intent, Selection
from k8snetlint.analysis.podselectors import selected
from k8snetlint.analysis.proof import IntentProver
from k8snetlint.analysis.repair import Impossible, Repair, Unrepaired, repair
from k8snetlint.analysis.repair.candidates import Asked, Candidates, new_drafts, present_drafts, representatives
from k8snetlint.analysis.repair.drafts import Draft, Step, StepKind, policy_of, revised
from k8snetlint.analysis.repair.effects import Effects
from k8snetlint.analysis.verdict import Holds, Unknown, World
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import label_map_selector
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.policy.enforcement import enforcement_of
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Flow
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place, SourceFile, Span
from tests.analysis.random_clusters import NAMESPACES, VALUES, clusters
from tests.clusters import cluster_of

EXAMPLES = int(os.environ.get("K8SNETLINT_FUZZ_EXAMPLES", "40"))
# Sets of single steps that are tried at most for one cluster.
MOST_TRIED = 400
PLACE = Place(SourceFile("intents.yaml", ""), Span(0, 0))
CLOSED, OPEN = World.CLOSED, World.OPEN


def intent(
    sources: Selection,
    destinations: Selection,
    is_allow: bool,
    ports: ConnectionSet | None = None,
    world: World = CLOSED,
) -> Intent:
    connections = ports if ports is not None else ConnectionSet.everything()
    return Intent("i", (sources,), (destinations,), connections, is_allow, world, PLACE)


def repaired(cluster: Cluster, intents: Sequence[Intent]) -> Repair | Impossible | Unrepaired:
    found = repair(cluster, lower(cluster), intents, Settings(), lambda _: True, frozenset((*NAMESPACES, "shop")))
    assert isinstance(found, Repair | Impossible | Unrepaired)
    return found


def changed(cluster: Cluster, found: Repair) -> Cluster:
    replaced = {
        id(change.policy): policy_of(change.manifest, change.namespace) for change in found.changes if change.policy
    }
    added = [policy_of(change.manifest, change.namespace) for change in found.changes if not change.policy]
    return cluster.revised(replaced, added)


def all_hold(cluster: Cluster, intents: Sequence[Intent]) -> bool:
    prover = IntentProver(cluster, lower(cluster))
    return all(isinstance(prover.verdict(each), Holds) for each in intents)


def selections() -> st.SearchStrategy[Selection]:
    names = st.sampled_from([f"p{number}" for number in range(4)])
    labels = st.sampled_from(VALUES).map(lambda value: label_map_selector({"app": value}))
    return st.one_of(
        names.map(lambda name: Selection(workload=name)),
        st.sampled_from(NAMESPACES).map(lambda name: Selection(namespace=name)),
        labels.map(lambda selector: Selection(selector=selector)),
        names.map(lambda name: Selection(excluded=(Selection(workload=name),))),
        st.sampled_from(["10.0.0.0/24", "8.8.8.8/32"]).map(lambda text: Selection(addresses=AddressSet.cidr(text))),
        st.just(Selection(is_external=True)),
        st.just(Selection(is_any=True)),
    )


PORTS = st.sampled_from(
    [None, ConnectionSet.span("TCP", 80, 80), ConnectionSet.span("UDP", 53, 80), ConnectionSet.of("TCP")]
)
INTENTS = st.lists(
    st.builds(intent, selections(), selections(), st.booleans(), PORTS, st.sampled_from([CLOSED, CLOSED, OPEN])),
    min_size=1,
    max_size=3,
)


@settings(
    max_examples=EXAMPLES,
    # Every step of shrinking tries hundreds of changes.
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    database=None,
    derandomize="K8SNETLINT_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(clusters(), INTENTS)
def test_a_repair_holds_and_nothing_smaller_does(cluster: Cluster, intents: list[Intent]) -> None:
    found = repaired(cluster, intents)
    if isinstance(found, Unrepaired):
        verdicts = [IntentProver(cluster, lower(cluster)).verdict(each) for each in intents]
        assert any(isinstance(verdict, Unknown) for verdict in verdicts)
        return
    if isinstance(found, Impossible):
        assert isinstance(repaired(cluster, found.intents), Impossible)
        assert not smaller(cluster, found.intents, 3)
        return
    assert all_hold(changed(cluster, found), intents)
    assert not smaller(cluster, intents, found.cost)


def smaller(cluster: Cluster, intents: Sequence[Intent], cost: int) -> list[tuple[Step, ...]]:
    """The sets of fewer single steps than a number after which all intents hold: all of them are tried."""
    drafts, steps = choices(cluster, intents)
    found = []
    for size in range(cost):
        if comb(len(steps), size) > MOST_TRIED:
            break
        for tried in combinations(steps, size):
            if is_writable(drafts, tried) and all_hold(applied(cluster, drafts, tried), intents):
                found.append(tried)
    return found


def choices(cluster: Cluster, intents: Sequence[Intent]) -> tuple[list[Draft], tuple[Step, ...]]:
    policies = lower(cluster)
    prover = IntentProver(cluster, policies)
    asked = [
        Asked(Flow(each.source, each.destination, *port, each.through_service), intent.is_allow, number)
        for number, intent in enumerate(intents)
        for each in prover.demands(intent)
        for port in representatives(each.connections, [other.connections for other in intents])
    ]
    groups = selected(policies.peers.pods)
    drafts = present_drafts(cluster, policies.peers.enforcement, cluster.all_of(NetworkPolicy))
    drafts += new_drafts(cluster, len(drafts), asked, groups, frozenset(NAMESPACES))
    return drafts, Candidates(drafts, Effects(policies, drafts, ()), intents, asked, groups).steps()


def is_writable(drafts: Sequence[Draft], steps: Sequence[Step]) -> bool:
    """Whether steps make a manifest that means what they say: no list is emptied, nothing is added to nothing."""
    for step in steps:
        draft = drafts[step.draft]
        same = [
            each for each in steps if (each.draft, each.direction, each.rule) == (step.draft, step.direction, step.rule)
        ]
        kinds = [each.kind for each in same]
        isolated = [way for way in draft.directions if Step(StepKind.ISOLATE, step.draft, way) in steps]
        if draft.is_new and (Step(StepKind.ADD_POLICY, step.draft) not in steps or not isolated):
            return False
        if draft.is_new and step.rule >= 0 and Step(StepKind.ISOLATE, step.draft, step.direction) not in steps:
            return False
        rules = draft.rules(step.direction) if step.direction else ()
        if step.rule >= len(rules):
            if not {StepKind.ADD_RULE, StepKind.ADD_PEER, StepKind.ADD_PORT} <= set(kinds):
                return False
        elif step.rule >= 0 and StepKind.REMOVE_RULE not in kinds:
            rule = rules[step.rule]
            if rule.peers and kinds.count(StepKind.REMOVE_PEER) == len(rule.peers) and StepKind.ADD_PEER not in kinds:
                return False
            if rule.ports and kinds.count(StepKind.REMOVE_PORT) == len(rule.ports) and StepKind.ADD_PORT not in kinds:
                return False
    return True


def applied(cluster: Cluster, drafts: Sequence[Draft], steps: Sequence[Step]) -> Cluster:
    touched = [draft for draft in drafts if any(step.draft == draft.number for step in steps)]
    made = {draft.number: policy_of(revised(draft, steps), draft.policy.namespace or "") for draft in touched}
    return cluster.revised(
        {id(draft.policy): made[draft.number] for draft in touched if not draft.is_new},
        [made[draft.number] for draft in touched if draft.is_new],
    )


PODS = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: 5432}]}
"""
WEB, API, DB = (Selection(namespace="shop", workload=name) for name in ("web", "api", "db"))
POSTGRES = ConnectionSet.span("TCP", 5432, 5432)


def steps_for(spec: str | None, *intents: Intent) -> list[str]:
    """The steps of the repair of a policy `p` beside the pods, in words."""
    policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: "
    cluster = cluster_of(PODS + (policy + spec if spec is not None else ""))
    found = repaired(cluster, intents)
    assert isinstance(found, Repair)
    assert all_hold(changed(cluster, found), intents)
    steps = [step for change in found.changes for step in change.steps]
    assert len(steps) == found.cost
    return steps


def test_a_peer_takes_the_place_of_a_wide_one() -> None:
    assert steps_for(
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}",
        intent(WEB, DB, False),
        intent(API, DB, True, POSTGRES),
    ) == [
        "NetworkPolicy shop/p: remove spec.ingress[0].from[0]",
        "NetworkPolicy shop/p: add pods with app=api to spec.ingress[0]",
    ]


def test_the_port_of_the_pods_is_opened_for_a_service() -> None:
    assert steps_for(
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]}",
        intent(WEB, Selection(service="shop/db"), True, ConnectionSet.span("TCP", 80, 80)),
    ) == ["NetworkPolicy shop/p: open TCP 5432 in spec.ingress[0]"]


def test_a_block_gets_an_exception() -> None:
    assert steps_for(
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}",
        intent(Selection(addresses=AddressSet.cidr("10.1.0.0/16")), DB, False),
        intent(Selection(addresses=AddressSet.cidr("10.2.0.0/16")), DB, True, POSTGRES),
    ) == ["NetworkPolicy shop/p: except 10.1.0.0/16 in spec.ingress[0].from[0]"]


def test_a_range_is_cut() -> None:
    ports = ConnectionSet.span("TCP", 5000, 5499)
    assert steps_for(
        "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5000, endPort: 6000}]}]}",
        intent(WEB, DB, False, ConnectionSet.span("TCP", 5500, 5500)),
        intent(WEB, DB, True, ports),
    ) == [
        "NetworkPolicy shop/p: remove spec.ingress[0].ports[0]",
        "NetworkPolicy shop/p: open TCP 5000-5499 in spec.ingress[0]",
    ]


def test_an_open_pod_gets_a_policy_that_holds_for_every_pod_there_could_be() -> None:
    assert steps_for(
        None,
        intent(Selection(excluded=(API,)), DB, False, world=OPEN),
        intent(API, DB, True, POSTGRES),
    ) == [
        "add NetworkPolicy shop/db for pods with app=db",
        "NetworkPolicy shop/db: isolate for ingress",
        "NetworkPolicy shop/db: add a rule to spec.ingress",
        "NetworkPolicy shop/db: add pods with app=api to a rule added to spec.ingress",
        "NetworkPolicy shop/db: open TCP 5432 in a rule added to spec.ingress",
    ]


@pytest.mark.parametrize(
    ("excluded", "peer"),
    [
        (Selection(namespace="dev"), "every pod of namespaces with kubernetes.io/metadata.name notin (dev)"),
        (Selection(selector=label_map_selector({"app": "x"})), "pods with app notin (x) of every namespace"),
    ],
)
def test_all_but_some_are_let_in(excluded: Selection, peer: str) -> None:
    others = Selection(excluded=(excluded,))
    spec = "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5432}], from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    assert steps_for(
        spec, intent(others, DB, True, POSTGRES, OPEN), intent(attrs.evolve(excluded), DB, False, POSTGRES, OPEN)
    ) == [f"NetworkPolicy shop/p: add {peer} to spec.ingress[0]"]


def test_egress_stays_isolated_when_its_last_rule_goes() -> None:
    spec = "{podSelector: {matchLabels: {app: web}}, egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}"
    assert steps_for(spec, intent(WEB, DB, False)) == ["NetworkPolicy shop/p: remove spec.egress[0]"]


def test_what_cannot_hold_together_is_named() -> None:
    low = ConnectionSet.span("TCP", 1, 100)
    intents = [
        attrs.evolve(intent(WEB, DB, False, low), name="a"),
        attrs.evolve(intent(API, DB, True), name="b"),
        attrs.evolve(intent(Selection(namespace="shop"), DB, True, ConnectionSet.span("TCP", 80, 80)), name="c"),
    ]
    found = repaired(cluster_of(PODS), intents)
    assert isinstance(found, Impossible)
    assert [each.name for each in found.intents] == ["a", "c"]


ADMIN = """\
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: deny}
spec:
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {}}]}]
"""


def test_what_an_admin_policy_decides_no_network_policy_changes() -> None:
    found = repaired(cluster_of(PODS + ADMIN), [intent(WEB, DB, True, POSTGRES)])
    assert isinstance(found, Impossible)
    assert len(found.intents) == 1


@pytest.mark.parametrize(
    ("cni", "more", "reason"),
    [
        ("flannel", "", "flannel enforces no policy: no change would change anything"),
        (None, "[", "a policy is not understood, and what it allows is not known"),
    ],
)
def test_what_is_not_known_is_not_repaired(cni: str | None, more: str, reason: str) -> None:
    policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
    cluster = cluster_of(PODS + (policy + "spec: {podSelector: []}\n" if more else ""))
    policies = lower(cluster, enforcement_of(cni))
    found = repair(cluster, policies, [intent(WEB, DB, True)], Settings(), lambda _: True, frozenset())
    assert found == Unrepaired(reason)


def test_pods_that_differ_in_their_namespace_alone_are_told_apart() -> None:
    labels = label_map_selector({"team": "a"})
    elsewhere = attrs.evolve(Selection(), namespace_selector=labels)
    spec = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"
    assert steps_for(spec, intent(elsewhere, DB, False, world=OPEN), intent(API, DB, True, POSTGRES)) == [
        "NetworkPolicy shop/p: add pods with app=api to spec.ingress[0]",
        "NetworkPolicy shop/p: remove spec.ingress[0].from[0]",
    ]
