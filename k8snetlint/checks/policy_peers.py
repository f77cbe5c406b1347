"""Peers of NetworkPolicies that mean something else than they seem to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from k8snetlint.diagnostic import Confidence, Diagnostic, Fix, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.model.networkpolicy import NetworkPolicy, NetworkPolicyPeer
from k8snetlint.model.values import is_placeholder
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Span

from .policy_selectors import elsewhere, is_unseen, peer_workloads, peers_of
from .words import listed

_NAME_KEYS = frozenset({"name", "ns", "namespace"})
_UNLABELLED = frozenset({"kube-system", "kube-public", "kube-node-lease", "default"})
_DNS_LABELS = frozenset(
    {
        ("k8s-app", "kube-dns"),
        ("k8s-app", "coredns"),
        ("app.kubernetes.io/name", "coredns"),
        ("app", "kube-dns"),
        ("app", "coredns"),
    }
)
_DNS_NAMESPACES = frozenset({"kube-system", "openshift-dns"})


@check("NP005")
def namespace_name_label(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A namespace that is named through a label which it does not carry."""
    namespaces = ctx.cluster.namespaces
    for peer in peers_of(policy):
        selector = peer.namespace_selector
        if selector is None or any(selector.matches(item.labels) for item in namespaces.values()):
            continue
        for key, value in selector.match_labels:
            if key == NAMESPACE_NAME_LABEL or is_placeholder(key) or is_placeholder(value):
                continue
            namespace = namespaces.get(value)
            declared = namespace.resource if namespace is not None else None
            path = (*peer.path, "namespaceSelector", "matchLabels", key)
            if declared is not None and namespace is not None and key not in namespace.labels:
                message = (
                    f"`{policy.name}` names namespace `{value}` by the label `{key}`, which it does not carry:"
                    " the peer allows nobody"
                )
                severity, confidence = None, None
                related = [ctx.location(declared, "metadata", "name", label=f"has no label {key}")]
            elif declared is None and key in _NAME_KEYS:
                message = (
                    f"`{policy.name}` names namespace `{value}` by the label `{key}`, which no namespace has unless"
                    " somebody sets it"
                )
                is_certain = value in _UNLABELLED
                severity = None if is_certain else Severity.NOTE
                confidence, related = Confidence.MEDIUM, []
            else:
                continue
            written = policy.root.key_at(*path)
            edit = None if written.via else Edit(written.source, written.span, NAMESPACE_NAME_LABEL)
            yield ctx.report(
                policy,
                *path,
                key=True,
                message=message,
                severity=severity,
                confidence=confidence,
                related=related,
                help=f"select it by `{NAMESPACE_NAME_LABEL}: {value}`, which every namespace has",
                fix=ctx.fix(f"Select by {NAMESPACE_NAME_LABEL}", edit),
            )


@check("NP006")
def peer_in_wrong_namespace(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A podSelector alone whose pods are all in another namespace."""
    for peer in peers_of(policy):
        pods = peer.pod_selector
        if peer.namespace_selector is not None or pods is None or pods.has_placeholders or _is_dns(peer):
            continue
        if peer_workloads(peer, policy, ctx) or is_unseen(pods, (policy.namespace or "",), ctx):
            continue
        others = elsewhere(pods, policy.namespace, ctx)
        if not others:
            continue
        names = sorted({str(item.namespace) for item in others})
        is_sure = policy.has_namespace and all(item.has_namespace for item in others)
        yield ctx.report(
            policy,
            *peer.path,
            "podSelector",
            key=True,
            message=(
                f"a podSelector alone looks in `{policy.namespace}` only, where no pod has `{pods}`:"
                f" they are in {listed(names[:3])}, and `{policy.name}` does not admit them"
            ),
            severity=None if is_sure and ctx.unit.shows_all else Severity.NOTE,
            confidence=None if is_sure else Confidence.LOW,
            related=[ctx.location(others[0], *others[0].labels_path, key=True, label="the pods are here")],
            help=f"add to the same entry a namespaceSelector with `{NAMESPACE_NAME_LABEL}: {names[0]}`",
            fix=_with_namespace(policy, peer, names[0], ctx),
        )


def _with_namespace(policy: NetworkPolicy, peer: NetworkPolicyPeer, namespace: str, ctx: Context) -> Fix | None:
    """The fix that puts a namespaceSelector in front of a peer's podSelector, in block or flow style."""
    node = policy.root.at(*peer.path)
    key = policy.root.key_at(*peer.path, "podSelector")
    if node.via or key.via or key.source is not node.source:
        return None
    title = f"Look in namespace {namespace}"
    text = node.source.text
    if text[node.start] == "{":
        entry = f"namespaceSelector: {{matchLabels: {{{NAMESPACE_NAME_LABEL}: {namespace}}}}}, "
        return ctx.fix(title, Edit(node.source, Span(key.start, key.start), entry))
    indent = " " * (key.start - (text.rfind("\n", 0, key.start) + 1))
    entry = f"namespaceSelector:\n{indent}  matchLabels:\n{indent}    {NAMESPACE_NAME_LABEL}: {namespace}\n{indent}"
    return ctx.fix(title, Edit(node.source, Span(key.start, key.start), entry))


@check("NP007")
def and_or_confusion(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A namespaceSelector and a podSelector in two entries where one was meant."""
    for rule in (*policy.ingress, *policy.egress):
        for first, second in pairwise(rule.peers):
            by_namespace, by_pod = (first, second) if second.namespace_selector is None else (second, first)
            namespaces, pods = by_namespace.namespace_selector, by_pod.pod_selector
            if namespaces is None or by_namespace.pod_selector is not None or namespaces.is_empty:
                continue
            if pods is None or by_pod.namespace_selector is not None or pods.is_empty:
                continue
            if pods.has_placeholders or namespaces.matches(ctx.cluster.namespace_labels(policy.namespace)):
                continue
            if peer_workloads(by_pod, policy, ctx) or is_unseen(pods, (policy.namespace or "",), ctx):
                continue
            pods_there = elsewhere(pods, policy.namespace, ctx)
            is_meant = any(_is_in(item.namespace, by_namespace, ctx) for item in pods_there)
            # Who lists more than the two knows that entries are alternatives.
            is_list = len(rule.peers) > 2
            yield ctx.report(
                policy,
                *by_pod.path,
                "podSelector",
                key=True,
                message=(
                    f"two entries mean OR: `{policy.name}` admits every pod of the namespaces with `{namespaces}`, and"
                    f" besides pods with `{pods}` of `{policy.namespace}`; for both at once they have to be one entry"
                ),
                severity=Severity.NOTE if is_list else None,
                confidence=None if is_meant else Confidence.MEDIUM,
                related=[
                    ctx.location(policy, *by_namespace.path, "namespaceSelector", key=True, label="every pod of these")
                ],
                help="remove the dash before the second one, if the pods of those namespaces are meant",
                fix=_joined(policy, second, ctx),
            )


def _is_in(namespace: str | None, peer: NetworkPolicyPeer, ctx: Context) -> bool:
    selector = peer.namespace_selector
    return selector is not None and selector.matches(ctx.cluster.namespace_labels(namespace))


def _joined(policy: NetworkPolicy, peer: NetworkPolicyPeer, ctx: Context) -> Fix | None:
    """The fix that makes a block entry the continuation of the one before it."""
    key = policy.root.key_at(*peer.path, "podSelector" if peer.pod_selector is not None else "namespaceSelector")
    text = key.source.text
    start = text.rfind("\n", 0, key.start) + 1
    lead = text[start : key.start]
    if key.via or lead.strip() != "-":
        return None
    dash = start + lead.index("-")
    return ctx.fix("Join the two entries", Edit(key.source, Span(dash, dash + 1), " "))


def _is_dns(peer: NetworkPolicyPeer) -> bool:
    return peer.pod_selector is not None and any(item in _DNS_LABELS for item in peer.pod_selector.match_labels)


@check("NP026")
def dns_peer_in_wrong_namespace(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """The DNS pods, looked for in the policy's own namespace."""
    if policy.namespace in _DNS_NAMESPACES:
        return
    for rule in policy.egress:
        for peer in rule.peers:
            if not peer.is_understood or peer.namespace_selector is not None or not _is_dns(peer):
                continue
            if peer_workloads(peer, policy, ctx):
                continue
            yield ctx.report(
                policy,
                *peer.path,
                "podSelector",
                key=True,
                message=(
                    f"`{policy.name}` looks for the DNS pods in `{policy.namespace}`, but they are in `kube-system`:"
                    " names stay unresolved"
                ),
                confidence=None if policy.has_namespace else Confidence.MEDIUM,
                help=f"add to the same entry a namespaceSelector with `{NAMESPACE_NAME_LABEL}: kube-system`",
                fix=_with_namespace(policy, peer, "kube-system", ctx),
            )
