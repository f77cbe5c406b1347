"""Admin policies beside one another, and what they select."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.analysis.blocking import policies_of
from k8snetlint.analysis.ties import ties
from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check, cluster_check
from k8snetlint.model.adminpolicy import ADMIN, ALLOW, DENY, AdminPolicy, AdminRule, AdminSelector
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.model.core import LabelSelector
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Workload
from k8snetlint.source.tree import Path

from .admin_fields import BASELINE_POLICY
from .missing_services import are_together
from .policy_addresses import cluster_addresses

GROUP = "policy.networking.k8s.io"
KINDS = ("AdminNetworkPolicy", BASELINE_POLICY, "ClusterNetworkPolicy")
_ONLY_NAME = "default"


@cluster_check("ANP001")
def priority_conflict(ctx: Context) -> Iterator[Diagnostic]:
    """Policies of one tier and priority that decide the same traffic differently."""
    policies = ctx.once(policies_of)
    found: dict[int, tuple[AdminPolicy, AdminPolicy, bool]] = {}
    for tie in ties(policies):
        for policy, beside in ((tie.first, tie.second), (tie.second, tie.first)):
            found.setdefault(id(policy), (policy, beside, tie.is_met or not policies.peers.pods))
    for policy, beside, is_sure in found.values():
        if ctx.cluster.is_context(policy):
            continue
        yield ctx.report(
            policy,
            "spec",
            "priority",
            message=(
                f"`{policy.name}` has the priority of `{beside.name}` and decides some of the same traffic otherwise:"
                " which of them wins is undefined"
            ),
            severity=None if is_sure else Severity.NOTE,
            confidence=None if is_sure else Confidence.LOW,
            related=[ctx.location(beside, "spec", "priority", label="the same priority")],
            help="give each policy of a tier a priority of its own; the lower number comes first",
        )


@cluster_check("ANP008")
def baseline_singleton(ctx: Context) -> Iterator[Diagnostic]:
    """A baseline policy under another name than the one that is accepted, or a second one."""
    present = [
        policy
        for policy in ctx.cluster.of_kind(GROUP, BASELINE_POLICY)
        if not ctx.cluster.is_context(policy) and policy.root.get("metadata", "name") is not None
    ]
    for policy in present:
        if is_placeholder(policy.name):
            continue
        if policy.name and policy.name != _ONLY_NAME:
            fix = ctx.fix(f"Name it `{_ONLY_NAME}`", ctx.replace(policy, "metadata", "name", text=_ONLY_NAME))
            yield ctx.report(
                policy,
                "metadata",
                "name",
                message=f"a BaselineAdminNetworkPolicy is only accepted under the name `{_ONLY_NAME}`",
                help=f"name it `{_ONLY_NAME}`; there is one baseline for the cluster",
                fix=fix if len(present) == 1 else None,
            )
        elif policy is not present[0] and policy.name:
            yield ctx.report(
                policy,
                message="a second BaselineAdminNetworkPolicy: a cluster has one, and what is applied last replaces it",
                severity=None if are_together(ctx, present[0], policy) else Severity.NOTE,
                related=[ctx.location(present[0], "metadata", "name", label="the first one")],
                help="put the rules of both into one policy",
            )


@check("ANP009")
def selector_without_match(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A subject or peer that selects nothing in sight."""
    if not ctx.unit.shows_all or not ctx.cluster.workloads:
        return
    selected: list[tuple[AdminSelector, Path, str]] = []
    if policy.subject is not None:
        selected.append((policy.subject, ("spec", "subject"), "the subject"))
    for rule in (*policy.ingress, *policy.egress):
        selected += ((peer.selector, peer.path, "a peer") for peer in rule.peers if peer.selector is not None)
    for selector, path, what in selected:
        if _selects_something(selector, ctx):
            continue
        by_name = any(key == NAMESPACE_NAME_LABEL for key in selector.namespaces.keys)
        yield ctx.report(
            policy,
            *path,
            message=f"{what} of `{policy.name}` selects {'no namespace' if selector.pods is None else 'no pod'} in sight",
            confidence=Confidence.LOW if by_name else None,
            help="compare the labels with those of the namespaces and pods, letter by letter",
        )


def _selects_something(selector: AdminSelector, ctx: Context) -> bool:
    """Whether something in sight is selected, or might be: labels of namespaces that are not declared are not known."""
    pods = selector.pods or LabelSelector()
    if selector.namespaces.has_placeholders or pods.has_placeholders:
        return True
    if any(is_run_time_label(key) for key in pods.keys) or (selector.namespaces.is_empty and pods.is_empty):
        return True
    asks_labels = any(key != NAMESPACE_NAME_LABEL for key in selector.namespaces.keys)
    namespaces = ctx.cluster.namespaces
    if asks_labels and any(item.resource is None for item in namespaces.values()):
        return True
    chosen = {name for name, item in namespaces.items() if selector.namespaces.matches(_with_name(name, item.labels))}
    if selector.pods is None:
        return bool(chosen)
    return any(workload.namespace in chosen and pods.matches(workload.pod_labels) for workload in ctx.cluster.workloads)


def _with_name(name: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {**labels, NAMESPACE_NAME_LABEL: name}


@check("ANP013")
def networks_match_pods(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """Networks that hold pods too, or addresses that no policy sees."""
    known = ctx.once(cluster_addresses)
    for position, rule in enumerate(policy.egress):
        for peer in rule.peers:
            if peer.networks is None:
                continue
            covers = _whole_families(peer.networks)
            of_pods = bool(known.pods) and known.pods <= peer.networks
            if (covers or of_pods) and not _spares_pods(policy, position, ctx):
                what = f"every {covers} address" if covers else "the addresses of pods"
                verb = "denies" if rule.action == DENY else "allows" if rule.action == ALLOW else "passes on"
                yield ctx.report(
                    policy,
                    *peer.path,
                    "networks",
                    message=f"`{policy.name}` {verb} {what}: connections to pods and nodes of the cluster are among them",
                    severity=None if rule.action == DENY else Severity.NOTE,
                    confidence=None if rule.action == DENY else Confidence.LOW,
                    help="put a rule with action Pass to `namespaces: {}` before it, if only what is outside is meant",
                )
            elif (known.services and peer.networks and peer.networks <= known.services) or _is_service(
                peer.networks, ctx
            ):
                yield ctx.report(
                    policy,
                    *peer.path,
                    "networks",
                    message=(
                        f"`{policy.name}` names addresses of Services, which are rewritten to a pod's address before"
                        " policies look at them: the peer never matches"
                    ),
                    severity=Severity.NOTE,
                    help="select the pods behind the Service by `pods` or `namespaces`",
                )


def _whole_families(networks: AddressSet) -> str | None:
    found = [
        name for name, every in (("IPv4", AddressSet.all_v4()), ("IPv6", AddressSet.all_v6())) if every <= networks
    ]
    return " and ".join(found) or None


def _is_service(networks: AddressSet, ctx: Context) -> bool:
    ranges = list(networks.ranges())
    if len(ranges) != 1 or ranges[0][1] != ranges[0][2]:
        return False
    return Address(ranges[0][0], ranges[0][1]) in ctx.once(cluster_addresses).cluster_ips


def _spares_pods(policy: AdminPolicy, position: int, ctx: Context) -> bool:
    """Whether an earlier rule, of the policy or of one before it in its tier, lets or passes all pods through."""
    if any(map(_lets_pods_through, policy.egress[:position])):
        return True
    for kind in KINDS:
        for other in ctx.cluster.of_kind(GROUP, kind):
            if isinstance(other, AdminPolicy) and other.tier == policy.tier and other.priority < policy.priority:
                selector = other.subject
                is_for_all = selector is not None and _is_everyone(selector)
                if (is_for_all or selector == policy.subject) and any(map(_lets_pods_through, other.egress)):
                    return True
    return False


def _lets_pods_through(rule: AdminRule) -> bool:
    return (
        rule.action != DENY
        and rule.ports is None
        and any(peer.selector is not None and _is_everyone(peer.selector) for peer in rule.peers)
    )


def _is_everyone(selector: AdminSelector) -> bool:
    return selector.namespaces.is_empty and (selector.pods is None or selector.pods.is_empty)


@check("ANP015")
def alpha_version(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A policy of the first version of the API."""
    tier = "Admin" if policy.tier == ADMIN else "Baseline"
    yield ctx.report(
        policy,
        "apiVersion",
        message=f"{policy.kind} is superseded by ClusterNetworkPolicy with `tier: {tier}`",
        help="move when the network plugin serves v1alpha2: Allow becomes Accept, and `ports` becomes `protocols`",
    )


@check("ANP016")
def named_port_unresolved(policy: AdminPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A port by name that no pod in sight declares which the rule is about."""
    if not ctx.unit.shows_all:
        return
    for is_egress, rules in ((False, policy.ingress), (True, policy.egress)):
        for rule in rules:
            names = [port for port in rule.ports or () if port.name is not None and not is_placeholder(port.name)]
            destinations = [peer.selector for peer in rule.peers] if is_egress else [policy.subject]
            if not names or any(selector is None for selector in destinations):
                continue
            pods = [workload for workload in ctx.cluster.workloads if _is_selected(workload, destinations, ctx)]
            declared = {port.name for workload in pods for port in workload.ports}
            for port in names if pods else ():
                if port.name in declared:
                    continue
                form = "namedPort" if policy.kind != "ClusterNetworkPolicy" else "destinationNamedPort"
                yield ctx.report(
                    policy,
                    *port.path,
                    form,
                    message=(
                        f"no pod in sight that a rule of `{policy.name}` is about has a port `{port.name}`:"
                        " the entry matches nothing there"
                    ),
                    help="use a name that the containers declare, or the number of the port",
                )


def _is_selected(workload: Workload, selectors: Iterable[AdminSelector | None], ctx: Context) -> bool:
    namespace = workload.namespace or ""
    labels = _with_name(namespace, ctx.cluster.namespace_labels(namespace))
    return any(
        selector is not None
        and selector.namespaces.matches(labels)
        and (selector.pods is None or selector.pods.matches(workload.pod_labels))
        for selector in selectors
    )
