"""What policies state, and what they do to the workloads at hand."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.connectivity import connectivity_map
from k8snetlint.analysis.difference import difference
from k8snetlint.analysis.effects import (
    Effect,
    Finding,
    empty_parts,
    findings,
    redundant_parts_here,
    unisolated,
)
from k8snetlint.analysis.ends import UnknownEnd, resolve
from k8snetlint.analysis.reachability import connectivity_in
from k8snetlint.analysis.smt.encoding import Encoding
from k8snetlint.analysis.stated import (
    check_extends_nothing,
    check_forbids,
    check_permits,
    check_strongly_equivalent,
)
from k8snetlint.analysis.universe import Universe
from k8snetlint.analysis.verdict import Holds, Refuted, World, check_equivalent, everyone
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.lowering import lower
from tests.clusters import cluster_of

PODS = "".join(
    f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: {name}}}
spec:
  containers:
    - {{name: main, image: registry.example/main:1}}
---
"""
    for name in ("web", "cart", "db")
)
DB_DAEMONS = """\
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: peers
spec:
  selector:
    matchLabels: {app: peers}
  template:
    metadata:
      labels: {app: peers}
    spec:
      containers:
        - {name: main, image: registry.example/main:1}
---
"""


def policy(name: str, to: str, sender: str, port: int = 80) -> str:
    return f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {name}
spec:
  podSelector:
    matchLabels: {{app: {to}}}
  ingress:
    - from:
        - podSelector:
            matchLabels: {{app: {sender}}}
      ports:
        - port: {port}
---
"""


def policies(*texts: str) -> PolicySet:
    return lower(cluster_of("".join((PODS, *texts))))


def names(parts):
    return [(part.policy.name, part.rule.origin.path if part.rule else None) for part in parts]


def test_a_specification_speaks_only_of_what_it_states():
    specification = policies(policy("cart", "cart", "web"))
    wider = policies(policy("cart", "cart", "web"), policy("more", "cart", "db"))
    other = policies(policy("cart", "cart", "web", 81))
    assert isinstance(check_permits(specification, wider), Holds)
    refuted = check_permits(specification, other)
    assert isinstance(refuted, Refuted)
    assert (refuted.witness.source.text, refuted.witness.destination.text) == ("default/web[Pod]", "default/cart[Pod]")
    assert isinstance(check_forbids(specification, other), Holds)
    assert isinstance(check_forbids(specification, wider), Refuted)
    assert isinstance(check_extends_nothing(specification, wider), Holds)
    assert isinstance(check_extends_nothing(wider, specification), Refuted)
    assert isinstance(check_permits(specification, wider, World.OPEN), Holds)


def test_policies_of_one_name_are_compared_one_by_one():
    first = policies(policy("a", "cart", "web"), policy("b", "db", "cart"))
    swapped = policies(policy("b", "cart", "web"), policy("a", "db", "cart"))
    assert isinstance(check_equivalent(first, swapped), Holds)
    assert isinstance(check_strongly_equivalent(first, swapped), Refuted)
    assert check_strongly_equivalent(first, policies(policy("a", "cart", "web"))) is None
    assert isinstance(check_strongly_equivalent(first, first), Holds)


def test_parts_that_meet_no_workload_or_change_nothing():
    found = policies(
        policy("cart", "cart", "web"),
        policy("again", "cart", "web"),
        policy("typo", "carts", "web"),
        policy("nobody", "db", "webb"),
    )
    assert names(empty_parts(found)) == [("nobody", ("spec", "ingress", 0)), ("typo", None)]
    assert names(redundant_parts_here(found)) == [
        ("again", None),
        ("cart", None),
        ("typo", None),
        ("nobody", ("spec", "ingress", 0)),
    ]
    assert [(each.effect, names([each.part])) for each in findings(found)] == [
        (Effect.EMPTY, [("nobody", ("spec", "ingress", 0))]),
        (Effect.EMPTY, [("typo", None)]),
        (Effect.REDUNDANT, [("again", None)]),
        (Effect.REDUNDANT, [("cart", None)]),
    ]
    assert sorted((peer.text, stage) for peer, stage in unisolated(found)) == [
        ("default/cart[Pod]", "egress"),
        ("default/db[Pod]", "egress"),
        ("default/web[Pod]", "egress"),
        ("default/web[Pod]", "ingress"),
    ]


def test_without_policies_everything_is_vacuous():
    assert list(findings(policies())) == [Finding(Effect.VACUOUS)]


def test_pods_of_one_workload_reach_one_another_only_if_allowed():
    closed = policy("peers", "peers", "web")
    open_ = policy("peers", "peers", "web") + policy("among", "peers", "peers")
    first, second = policies(DB_DAEMONS, closed), policies(DB_DAEMONS, open_)
    refuted = check_equivalent(first, second)
    assert isinstance(refuted, Refuted)
    assert refuted.witness.source is refuted.witness.destination
    assert names(redundant_parts_here(second)) == []


def test_pods_of_one_controller_that_policies_tell_apart_are_one_row_each_way():
    def replica(name: str, track: str) -> str:
        return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: cart, track: {track}}}
  ownerReferences:
    - {{apiVersion: apps/v1, kind: ReplicaSet, name: cart, uid: "1", controller: true}}
spec:
  containers:
    - {{name: main, image: registry.example/main:1}}
---
"""

    only_web = policy("stable", "cart", "web").replace("app: cart", "track: stable")
    egress = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: out
spec:
  podSelector:
    matchLabels: {track: stable}
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock: {cidr: 192.0.2.0/24}
      ports:
        - port: 443
"""
    cluster = cluster_of(PODS + replica("cart-a", "stable") + replica("cart-b", "canary") + only_web + egress)
    rows = {
        (name, each.destination): str(each.connections)
        for name, reached in connectivity_map(cluster, lower(cluster)).by_source()
        for each in reached
    }
    assert rows["default/web[Pod]", "default/cart[ReplicaSet]"] == "all"
    assert [end for source, end in rows if source == "default/cart[ReplicaSet]"] == [
        "0.0.0.0-255.255.255.255",
        "default/cart[Pod]",
        "default/db[Pod]",
        "default/web[Pod]",
    ]


def test_a_change_for_some_pods_of_a_controller_is_no_less_a_change():
    def replica(name: str, track: str) -> str:
        return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: cart, track: {track}}}
  ownerReferences:
    - {{apiVersion: apps/v1, kind: ReplicaSet, name: cart, uid: "1", controller: true}}
spec:
  containers:
    - {{name: main, image: registry.example/main:1}}
---
"""

    def shown(port: int):
        text = policy("stable", "cart", "web", port).replace("app: cart", "track: stable")
        cluster = cluster_of(PODS + replica("cart-a", "stable") + replica("cart-b", "canary") + text)
        return connectivity_map(cluster, lower(cluster))

    found = difference(shown(80), shown(81))
    assert [(each.source, each.destination, str(each.old), str(each.new)) for each in found.changes] == [
        ("default/web[Pod]", "default/cart[ReplicaSet]", "TCP 80", "TCP 81")
    ]
    assert difference(shown(80), shown(80)).is_empty


def test_the_solver_asks_about_pods_of_one_workload_too():
    found = policies(DB_DAEMONS, policy("peers", "peers", "peers"), policy("web", "web", "db"))
    universe = Universe((found,), found.peers.pods)
    groups = connectivity_in(universe, found).groups
    encoding = Encoding(universe, (found,))
    assert encoding.find_disagreement(everyone(found), found, groups) is None
    (point,) = (number for number, each in enumerate(universe.points) if "peers" in each.example.text)
    others = [group for group in groups if not (group.sources & group.destinations) >> point & 1]
    flow = encoding.find_disagreement(everyone(found), found, others)
    assert flow is not None
    assert (flow.source.text, flow.destination.text) == ("default/peers[DaemonSet]", "default/peers[DaemonSet]")


def test_pods_of_one_controller_are_one_end():
    pods = "".join(
        f"""\
apiVersion: v1
kind: Pod
metadata:
  name: api-{track}
  labels: {{app: api, track: {track}}}
  ownerReferences:
    - {{apiVersion: apps/v1, kind: ReplicaSet, name: api, uid: "1", controller: true}}
spec:
  containers:
    - {{name: main, image: registry.example/main:1}}
---
"""
        for track in ("stable", "canary")
    )
    cluster = cluster_of(PODS + pods + policy("stable", "api", "web").replace("app: api", "track: stable"))
    found = lower(cluster)
    ends = resolve("default/api", cluster, found.peers, found)
    assert [peer.text for peer in ends] == ["default/api[ReplicaSet]"] * 2
    with pytest.raises(UnknownEnd, match="no workload `default/apis`"):
        resolve("default/apis", cluster, found.peers, found)
