"""Which pods policies isolate, and whether anything enforces them."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check, cluster_check
from k8snetlint.model.adminpolicy import AdminPolicy
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import LabelSelector, Requirement, Resource, selector_of
from k8snetlint.model.networkpolicy import INGRESS, NetworkPolicy
from k8snetlint.model.values import items_of
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Node

from .policy_selectors import policies_by_namespace

_CALICO = ("projectcalico.org", "crd.projectcalico.org")
_ENFORCERS = ("calico", "cilium", "kube-router", "antrea", "weave", "ovn", "kube-network-policies", "canal", "romana")
_NOT_ENFORCING = ("flannel", "kubenet", "bridge")
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})


@attrs.frozen
class Isolation:
    """Which policies of every dialect there are, by the namespaces and pods that they select.

    `selectors` maps a namespace to pod selectors; under None stand those of all namespaces. `unknown` holds the
    namespaces in which some policy selects pods in a way that is not looked into here, None for all of them.
    """

    selectors: dict[str | None, list[LabelSelector]]
    unknown: frozenset[str | None]

    def is_selected(self, workload: Workload) -> bool:
        """Whether some policy selects a workload's pods, or may."""
        if workload.namespace in self.unknown or None in self.unknown:
            return True
        selectors = (*self.selectors.get(workload.namespace, ()), *self.selectors.get(None, ()))
        return any(selector.matches(workload.pod_labels) for selector in selectors)


def isolation(cluster: Cluster, settings: Settings) -> Isolation:
    """What the policies of a cluster select."""
    selectors: dict[str | None, list[LabelSelector]] = {}
    unknown: set[str | None] = set()
    for resource in cluster.resources:
        namespace = resource.namespace
        if isinstance(resource, NetworkPolicy):
            if resource.pod_selector is None:
                unknown.add(namespace)
            else:
                selectors.setdefault(namespace, []).append(resource.pod_selector)
        elif isinstance(resource, AdminPolicy):
            _add_subject(resource, cluster, selectors, unknown)
        elif resource.group == "cilium.io" and resource.kind.endswith("NetworkPolicy"):
            for spec in (resource.root.get("spec"), *items_of(resource.root.get("specs"))):
                if spec is not None and spec.get("endpointSelector") is not None:
                    selectors.setdefault(namespace, []).append(_cilium_selector(spec.get("endpointSelector")))
        elif resource.group in _CALICO and resource.kind in ("NetworkPolicy", "GlobalNetworkPolicy"):
            unknown.add(namespace)
    return Isolation(selectors, frozenset(unknown))


def _add_subject(
    policy: AdminPolicy,
    cluster: Cluster,
    selectors: dict[str | None, list[LabelSelector]],
    unknown: set[str | None],
) -> None:
    if policy.subject is None:
        unknown.add(None)
        return
    for name, namespace in cluster.namespaces.items():
        if policy.subject.namespaces.matches(namespace.labels):
            selectors.setdefault(name, []).append(policy.subject.pods or LabelSelector())


def _cilium_selector(node: Node | None) -> LabelSelector:
    """A Cilium endpoint selector without the source prefixes of its keys."""
    selector = selector_of(node) or LabelSelector()
    return LabelSelector(
        tuple((_plain(key), value) for key, value in selector.match_labels),
        tuple(Requirement(_plain(item.key), item.operator, item.values) for item in selector.match_expressions),
    )


def _plain(key: str) -> str:
    source, colon, rest = key.partition(":")
    return rest if colon and source in ("k8s", "any") else key


@check("NP035")
def pod_not_isolated(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A pod that no policy selects."""
    if workload.host_network or ctx.once(isolation).is_selected(workload):
        return
    yield ctx.report(
        workload,
        message=f"no policy selects the pods of `{workload.name}`, so every pod of the cluster can reach them",
        help="write a policy for these pods, or a default deny for the namespace",
    )


@check("NP036")
def namespace_without_default_deny(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A namespace whose future pods are open."""
    if resource.name in _SYSTEM:
        return
    policies = ctx.once(policies_by_namespace).get(resource.name, ())
    for policy in policies:
        selects_all = policy.pod_selector is not None and policy.pod_selector.is_empty
        if selects_all and INGRESS in policy.policy_types:
            return
    found = ctx.once(isolation)
    selectors = (*found.selectors.get(None, ()), *found.selectors.get(resource.name, ()))
    own = {id(policy.pod_selector) for policy in policies}
    if any(selector.is_empty and id(selector) not in own for selector in selectors):
        return
    if not found.unknown.isdisjoint((resource.name, None)):
        return
    yield ctx.report(
        resource,
        message=f"namespace `{resource.name}` has no default deny, so a new pod is open until a policy selects it",
        help="add a NetworkPolicy with `podSelector: {}` and `policyTypes: [Ingress]` and no rules",
    )


@cluster_check("NP049")
def plugin_not_enforcing(ctx: Context) -> Iterator[Diagnostic]:
    """Policies on a network plugin that does not look at them."""
    policies = ctx.cluster.all_of(NetworkPolicy)
    policy = next((item for item in policies if not ctx.cluster.is_context(item)), None)
    if policy is None:
        return
    configured = ctx.settings.cni
    installed = None
    if configured is None:
        names = [(workload, _text(workload)) for workload in ctx.cluster.workloads]
        if any(word in text for _, text in names for word in _ENFORCERS):
            return
        installed = next((w for w, text in names if w.kind == "DaemonSet" and "flannel" in text), None)
        if installed is None:
            return
    elif configured not in _NOT_ENFORCING:
        return
    count = f"the {len(policies)} policies" if len(policies) > 1 else "the policy"
    yield ctx.report(
        policy,
        message=f"{count} of this unit have no effect: {configured or 'flannel'} does not enforce NetworkPolicies"
        if len(policies) > 1
        else f"`{policy.name}` has no effect: {configured or 'flannel'} does not enforce NetworkPolicies",
        related=[ctx.location(installed, "metadata", "name", label="the network plugin")] if installed else (),
        help="add a plugin that enforces them, such as Calico beside flannel, or flannel's own `netpol.enabled`",
    )


def _text(workload: Workload) -> str:
    return " ".join((workload.name, *(container.image for container in workload.containers))).lower()


@check("HOST011")
def host_network_selected(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A policy that selects pods on the host network."""
    selector = policy.pod_selector
    if selector is None:
        return
    selected = ctx.cluster.selected_workloads(policy.namespace, selector)
    hosts = [workload for workload in selected if workload.host_network]
    # A policy for the whole namespace is there for the other pods of it.
    if not hosts or (selector.is_empty and len(hosts) < len(selected)):
        return
    is_meant = len(hosts) == len(selected) and not selector.is_empty
    names = ", ".join(f"`{workload.name}`" for workload in hosts[:3])
    yield ctx.report(
        policy,
        "spec",
        "podSelector" if policy.root.get("spec", "podSelector") is not None else "",
        primary=None if policy.root.get("spec", "podSelector") is not None else ctx.near(policy, "spec"),
        key=True,
        message=f"`{policy.name}` selects pods on the host network ({names}), which most plugins leave out of policies",
        severity=None if is_meant else Severity.NOTE,
        confidence=None if is_meant else Confidence.MEDIUM,
        related=[ctx.location(hosts[0], *hosts[0].spec_path, "hostNetwork", key=True, label="on the host network")],
        help="guard these pods by the node's firewall or a host policy of the plugin, and not by a NetworkPolicy",
    )
