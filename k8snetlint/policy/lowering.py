"""Every policy of a cluster, lowered by its dialect and put in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource

from . import ir
from .enforcement import NEUTRAL, Enforcement
from .ir import Contribution, PolicyProblem, PolicySet, Stage, Tier
from .peers import Peers

Lowering = Callable[[Resource, Enforcement], Iterator[Contribution | PolicyProblem]]

# The dialect of each kind of policy, as a module of `dialects`: imported when the kind appears.
DIALECTS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("networking.k8s.io", "NetworkPolicy"): "kubernetes",
        ("policy.networking.k8s.io", "AdminNetworkPolicy"): "admin",
        ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): "admin",
        ("policy.networking.k8s.io", "ClusterNetworkPolicy"): "admin",
    }
)

# What else decides about traffic, and is not read: by group, its kinds.
UNREAD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cilium.io": ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
        "projectcalico.org": ("NetworkPolicy", "GlobalNetworkPolicy"),
        "crd.projectcalico.org": ("NetworkPolicy", "GlobalNetworkPolicy"),
        "crd.antrea.io": ("NetworkPolicy", "ClusterNetworkPolicy"),
        "security.istio.io": ("AuthorizationPolicy",),
        "policy.linkerd.io": ("AuthorizationPolicy", "Server"),
        "extensions": ("NetworkPolicy",),
        "k8s.cni.cncf.io": ("MultiNetworkPolicy",),
        "k8s.ovn.org": ("UserDefinedNetwork", "ClusterUserDefinedNetwork", "EgressFirewall"),
    }
)


def lower(cluster: Cluster, enforcement: Enforcement = NEUTRAL, pod_cidrs: tuple[str, ...] = ()) -> PolicySet:
    """The policies of a cluster and the peers that they are about, as the given plugin enforces them.

    Of policies with one name the last counts, as when they are applied one after the other.
    `pod_cidrs` are the address ranges of pods whose address no manifest tells.
    """
    peers = Peers(cluster, enforcement, pod_cidrs)
    contributions: list[Contribution] = []
    problems: list[PolicyProblem] = []
    if enforcement.enforces_policies:
        contributions += _own_node(peers)
        for resource in _policies(cluster):
            for made in _lowering(resource)(resource, enforcement):
                if isinstance(made, PolicyProblem):
                    problems.append(made)
                else:
                    contributions.append(made)
    problems += _unread(cluster)
    return PolicySet(_stages(contributions), tuple(problems), peers)


def _unread(cluster: Cluster) -> Iterator[PolicyProblem]:
    for group, kinds in UNREAD.items():
        for kind in kinds:
            if (group, kind) in DIALECTS:
                continue
            for resource in cluster.of_kind(group, kind):
                yield PolicyProblem(
                    resource, ("kind",), f"{kind} of {group} is not analysed: what it decides is not seen"
                )


def _policies(cluster: Cluster) -> list[Resource]:
    found: dict[tuple[str, str, str | None, str], Resource] = {}
    for group, kind in DIALECTS:
        for resource in cluster.of_kind(group, kind):
            found[group, kind, resource.namespace, resource.name] = resource
    return list(found.values())


def _lowering(resource: Resource) -> Lowering:
    module = import_module(f"{__package__}.dialects.{DIALECTS[resource.group, resource.kind]}")
    found: Lowering = module.lower
    return found


def _own_node(peers: Peers) -> Iterator[Contribution]:
    """What the node that a pod runs on may always do: open connections to it.

    Source: Kubernetes API reference, NetworkPolicySpec v1, `ingress`.
    """
    if not peers.enforcement.always_admits_own_node:
        return
    hosts = {peer.node for peer in peers.pods if peer.is_pod and peer.node is not None}
    for index, name in enumerate(sorted(hosts)):
        match = ir.Match(ir.NodeIs(name), ir.RunsOn(name), ir.ALL_CONNECTIONS)
        rule = ir.PolicyRule(ir.Action.ALLOW, match, None)
        yield Contribution(ir.INGRESS, ir.OWN_NODE_TIER, (0.0, name, index), rule)


def _stages(contributions: list[Contribution]) -> tuple[Stage, ...]:
    by_stage: dict[str, dict[ir.TierKey, list[Contribution]]] = {}
    for made in contributions:
        by_stage.setdefault(made.stage, {}).setdefault(made.tier, []).append(made)
    return tuple(
        Stage(name, tuple(_tier(key, by_stage[name][key]) for key in sorted(by_stage[name])))
        for name in ir.STAGE_ORDER
        if name in by_stage
    )


def _tier(key: ir.TierKey, contributions: list[Contribution]) -> Tier:
    contributions.sort(key=lambda made: made.rank)
    return Tier(key.name, tuple(made.rule for made in contributions))
