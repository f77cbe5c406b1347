"""NetworkPolicy selectors that select nothing."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Fix, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import LabelSelector
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.networkpolicy import NetworkPolicy, NetworkPolicyPeer
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings
from k8snetlint.source.edit import Edit
from k8snetlint.source.tree import Path

from .existence import NearMiss, near_miss
from .missing_services import are_together
from .unseen import installed_namespaces, may_be_unseen
from .words import listed

_SYSTEM = frozenset({"kube-system", "kube-public", "openshift-dns", "openshift-ingress"})


def peers_of(policy: NetworkPolicy) -> Iterator[NetworkPolicyPeer]:
    """The understood peers of both directions."""
    for rule in (*policy.ingress, *policy.egress):
        yield from (peer for peer in rule.peers if peer.is_understood)


def policies_by_namespace(cluster: Cluster, settings: Settings) -> dict[str | None, list[NetworkPolicy]]:
    """The NetworkPolicies of each namespace."""
    found: dict[str | None, list[NetworkPolicy]] = {}
    for policy in cluster.all_of(NetworkPolicy):
        found.setdefault(policy.namespace, []).append(policy)
    return found


def workloads_by_labels(cluster: Cluster, settings: Settings) -> dict[tuple[str, str], list[Workload]]:
    """The workloads of all namespaces by each of their pods' labels."""
    found: dict[tuple[str, str], list[Workload]] = {}
    for workload in cluster.workloads:
        for label in workload.pod_labels.items():
            found.setdefault(label, []).append(workload)
    return found


def elsewhere(selector: LabelSelector, namespace: str | None, ctx: Context) -> list[Workload]:
    """The workloads of other namespaces that a selector with labels selects."""
    if not selector.match_labels:
        return []
    candidates = ctx.once(workloads_by_labels).get(selector.match_labels[0], [])
    return [item for item in candidates if item.namespace != namespace and selector.matches(item.pod_labels)]


def peer_namespaces(peer: NetworkPolicyPeer, policy: NetworkPolicy, ctx: Context) -> tuple[str, ...]:
    """The namespaces in sight that a peer's selectors speak of."""
    selector = peer.namespace_selector
    if selector is None:
        return (policy.namespace or "",)
    return tuple(name for name, item in ctx.cluster.namespaces.items() if selector.matches(item.labels))


def peer_workloads(peer: NetworkPolicyPeer, policy: NetworkPolicy, ctx: Context) -> tuple[Workload, ...]:
    """The workloads in sight that a peer's selectors select."""
    if peer.ip_block is not None:
        return ()
    pods = peer.pod_selector or LabelSelector()
    return tuple(
        workload
        for namespace in peer_namespaces(peer, policy, ctx)
        for workload in ctx.cluster.selected_workloads(namespace, pods)
    )


def _is_asked(selector: LabelSelector | None) -> bool:
    """Whether it can be told what a selector selects, and it asks for something."""
    return (
        selector is not None
        and not selector.is_empty
        and not selector.has_placeholders
        and not any(is_run_time_label(key) for key in selector.keys)
        and any(item.operator in ("In", "Exists") for item in selector.match_expressions) | bool(selector.match_labels)
    )


def _levels(namespaces: tuple[str, ...], ctx: Context) -> tuple[Severity | None, Confidence | None]:
    """Severity and confidence of "there are no such pods" in some namespaces; None stands for the rule's."""
    if not any(ctx.cluster.workloads_in(name) for name in namespaces) or _SYSTEM.intersection(namespaces):
        return Severity.NOTE, Confidence.LOW
    if not ctx.unit.is_complete_in(*namespaces):
        return Severity.NOTE, Confidence.LOW
    return None, None


def is_unseen(selector: LabelSelector, namespaces: tuple[str, ...], ctx: Context) -> bool:
    """Whether pods that a selector selects may be in one of some namespaces without being in sight."""
    installed = ctx.once(installed_namespaces)
    return any(may_be_unseen(ctx.cluster, installed, name, selector) for name in namespaces)


def _near_miss(selector: LabelSelector, namespaces: tuple[str, ...], ctx: Context) -> NearMiss | None:
    """The workload of one of some namespaces that a selector of labels alone nearly selects."""
    if selector.match_expressions:
        return None
    labels = dict(selector.match_labels)
    found = (near_miss(labels, name, False, ctx.cluster.workloads_in(name)) for name in namespaces)
    return next((item for item in found if item is not None and item.key and item.label), None)


@check("NP001")
def selector_no_match(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A policy that selects no pods."""
    selector = policy.pod_selector
    namespaces = (policy.namespace or "",)
    if selector is None or not _is_asked(selector) or ctx.cluster.selected_workloads(policy.namespace, selector):
        return
    if is_unseen(selector, namespaces, ctx) or _near_miss(selector, namespaces, ctx):
        return
    severity, confidence = _levels(namespaces, ctx)
    others = elsewhere(selector, policy.namespace, ctx)
    message = f"`{policy.name}` selects no pod of namespace `{policy.namespace}`, so it protects nothing"
    if others:
        message += f"; such pods are in {listed(sorted({str(item.namespace) for item in others})[:3])}"
        is_sure = any(are_together(ctx, policy, other) for other in others)
        if policy.has_namespace and severity is not None and is_sure:
            severity, confidence = Severity.WARNING, Confidence.MEDIUM
    yield ctx.report(
        policy,
        "spec",
        "podSelector",
        key=True,
        message=message,
        severity=severity,
        confidence=confidence,
        related=[ctx.location(item, *item.labels_path, key=True, label="such pods are here") for item in others[:1]],
        notes=[f"it selects {selector}"],
        help="correct the labels or the namespace, or remove the policy",
    )


@check("NP002")
def selector_near_miss(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A selector that lacks the pods by a slip of one label."""
    selector = policy.pod_selector
    if selector is not None and _is_asked(selector):
        yield from _near(policy, selector, (policy.namespace or "",), ("spec", "podSelector"), ctx)
    for peer in peers_of(policy):
        if peer.pod_selector is not None and _is_asked(peer.pod_selector):
            spot = (*peer.path, "podSelector")
            yield from _near(policy, peer.pod_selector, peer_namespaces(peer, policy, ctx), spot, ctx)


def _near(
    policy: NetworkPolicy, selector: LabelSelector, namespaces: tuple[str, ...], path: Path, ctx: Context
) -> Iterator[Diagnostic]:
    cluster = ctx.cluster
    if any(cluster.selected_workloads(name, selector) for name in namespaces) or is_unseen(selector, namespaces, ctx):
        return
    found = _near_miss(selector, namespaces, ctx)
    if found is None or found.key is None or found.label is None:
        return
    spot = (*path, "matchLabels", found.key)
    key = found.label
    asked = f"`{found.key}: {dict(selector.match_labels)[found.key]}`"
    instead = f"`{key}: {found.value}`"
    yield ctx.report(
        policy,
        *spot,
        key=found.key != found.label,
        message=(
            f"a selector of `{policy.name}` asks for {asked}, which no pod has;"
            f" `{found.workload.name}` has {instead}: did you mean that?"
        ),
        severity=None if ctx.unit.is_complete_in(found.workload.namespace) else Severity.NOTE,
        related=[ctx.location(found.workload, *found.workload.labels_path, key, key=True, label="nearly the same")],
        help=f"write {instead} if these pods are meant",
        fix=_near_fix(policy, spot, found, ctx),
    )


def _near_fix(policy: NetworkPolicy, spot: Path, found: NearMiss, ctx: Context) -> Fix | None:
    if found.key == found.label:
        return ctx.fix(f"Write `{found.value}`", ctx.replace(policy, *spot, text=str(found.value)))
    key = policy.root.key_at(*spot)
    edit = None if key.via else Edit(key.source, key.span, str(found.label))
    return ctx.fix(f"Write `{found.label}`", edit)


@check("NP003")
def peer_pod_selector_no_match(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A peer that selects no pods."""
    for rule in (*policy.ingress, *policy.egress):
        peers = [peer for peer in rule.peers if peer.is_understood]
        for peer in peers:
            pods = peer.pod_selector
            if pods is None or not _is_asked(pods) or _is_named_system(peer):
                continue
            if peer.namespace_selector is not None and peer.namespace_selector.has_placeholders:
                continue
            namespaces = peer_namespaces(peer, policy, ctx)
            if not namespaces or peer_workloads(peer, policy, ctx):
                continue
            if is_unseen(pods, namespaces, ctx) or _near_miss(pods, namespaces, ctx):
                continue
            if peer.namespace_selector is None and elsewhere(pods, policy.namespace, ctx):
                continue
            severity, confidence = _levels(namespaces, ctx)
            if any(_is_live(other, policy, ctx) for other in peers if other is not peer):
                severity, confidence = Severity.NOTE, Confidence.LOW
            where = "the namespaces it names" if peer.namespace_selector else f"namespace `{policy.namespace}`"
            yield ctx.report(
                policy,
                *peer.path,
                "podSelector",
                key=True,
                message=f"a peer of `{policy.name}` selects no pod of {where}, so it allows nothing",
                severity=severity,
                confidence=confidence,
                notes=[f"it selects {pods}"],
                help="correct the labels, or add a namespaceSelector if the pods are in another namespace",
            )


def _is_live(peer: NetworkPolicyPeer, policy: NetworkPolicy, ctx: Context) -> bool:
    return peer.ip_block is not None or bool(peer_workloads(peer, policy, ctx))


def _is_named_system(peer: NetworkPolicyPeer) -> bool:
    """Whether a peer speaks of the pods of a system namespace, which no repository holds."""
    selector = peer.namespace_selector
    return selector is not None and any(value in _SYSTEM for _, value in selector.match_labels)


@check("NP004")
def peer_namespace_no_match(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A peer that selects no namespace of the unit."""
    declared = [item for item in ctx.cluster.namespaces.values() if item.resource is not None]
    if not declared:
        return
    for peer in peers_of(policy):
        selector = peer.namespace_selector
        if selector is None or not _is_asked(selector) or _is_named_system(peer):
            continue
        if peer_namespaces(peer, policy, ctx):
            continue
        is_by_name = any(key == "kubernetes.io/metadata.name" for key in selector.keys)
        is_closed = len(declared) > 1 and ctx.unit.shows_all and not is_by_name
        yield ctx.report(
            policy,
            *peer.path,
            "namespaceSelector",
            key=True,
            message=f"a peer of `{policy.name}` selects namespaces by `{selector}`, and none here matches",
            confidence=None if is_closed else Confidence.LOW,
            help="correct the labels, or tell the namespaces that live elsewhere in the configuration's `external`",
        )
