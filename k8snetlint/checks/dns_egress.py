"""Pods that policies cut off from the cluster's DNS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8snetlint.analysis.blocking import policies_of
from k8snetlint.analysis.dns import reaches_dns
from k8snetlint.analysis.statements import statements_of
from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.networkpolicy import EGRESS as EGRESS_TYPE
from k8snetlint.model.networkpolicy import NetworkPolicy, NetworkPolicyRule
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Peer
from k8snetlint.settings import Settings
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Span
from k8snetlint.source.tree import Path

# The port of the API server's own pods: policies see it where clients write 443.
_API_SERVER = 6443
_DNS_RULE = (
    "- to:",
    "    - namespaceSelector:",
    "        matchLabels:",
    "          kubernetes.io/metadata.name: kube-system",
    "      podSelector:",
    "        matchLabels:",
    "          k8s-app: kube-dns",
    "  ports:",
    "    - protocol: UDP",
    "      port: 53",
    "    - protocol: TCP",
    "      port: 53",
)
# Where API servers listen: who talks to nothing else finds it by its address in a variable.
_API_PORTS = (6443, 16443)


def names_used(cluster: Cluster, settings: Settings) -> Mapping[int, str]:
    """A host name that each workload uses, by the workload's identity."""
    found: dict[int, str] = {}
    for statement in statements_of(cluster, settings):
        if statement.mention.host.lower() != "localhost":
            found.setdefault(id(statement.workload), statement.mention.host)
    return found


@cluster_check("NP025")
def networkpolicy_egress_without_dns(ctx: Context) -> Iterator[Diagnostic]:
    """A policy that isolates pods for egress, where no policy lets them out to DNS."""
    policies = ctx.once(policies_of)
    isolating = [
        policy
        for policy in ctx.cluster.all_of(NetworkPolicy)
        if EGRESS_TYPE in policy.policy_types and policy.pod_selector is not None
    ]
    told: set[int] = set()
    # A policy with rules says more of what its pods do than a bare deny: of two for one pod, it is the one reported.
    for policy in sorted(isolating, key=lambda policy: not policy.egress):
        subjects = _subjects(policy, policies)
        cut_off = [
            peer
            for peer in subjects
            if id(peer) not in told
            and not reaches_dns(ctx.cluster, policies, peer)
            and not _is_shut_on_purpose(peer, isolating, ctx)
        ]
        if not cut_off or ctx.cluster.is_context(policy):
            continue
        told.update(map(id, cut_off))
        yield _cut_off(ctx, policy, cut_off)


def _subjects(policy: NetworkPolicy, policies: PolicySet) -> list[Peer]:
    """The peers that a policy selects; where there are none in sight, a pod as its labels describe it."""
    selector = policy.pod_selector
    if selector is None:
        return []
    found = [
        peer
        for peer in policies.peers.pods
        if peer.is_pod and peer.namespace == policy.namespace and selector.matches(peer.labels)
    ]
    labels = dict(selector.match_labels)
    imagined = Peer(
        "a pod that it selects",
        namespace=policy.namespace,
        namespace_labels=policies.peers.labels_of_namespace(policy.namespace),
        labels=labels,
        is_pod=True,
    )
    return found or [imagined]


def _is_shut_on_purpose(peer: Peer, isolating: list[NetworkPolicy], ctx: Context) -> bool:
    """Whether pods need no names as far as anyone can see: nothing in sight says that they use one.

    A policy for these very pods lets them out to nobody, or to the API server alone, whose address they are given.
    """
    used = ctx.once(names_used)
    if peer.index is None or any(id(workload) in used for workload in peer.workloads):
        return False
    return any(
        policy.namespace == peer.namespace
        and policy.pod_selector is not None
        and not policy.pod_selector.is_empty
        and all(_is_to_api_server(rule) for rule in policy.egress)
        and policy.pod_selector.matches(peer.labels)
        for policy in isolating
    )


def _is_to_api_server(rule: NetworkPolicyRule) -> bool:
    return bool(rule.ports) and all(port.port == _API_SERVER and port.end_port is None for port in rule.ports)


def _cut_off(ctx: Context, policy: NetworkPolicy, peers: list[Peer]) -> Diagnostic:
    used = ctx.once(names_used)
    workloads = [workload for peer in peers for workload in peer.workloads]
    user = next((workload for workload in workloads if id(workload) in used), None)
    only_blocks = all(peer.ip_block is not None for rule in policy.egress for peer in rule.peers)
    only_to_api = all(rule.ports and all(port.port in _API_PORTS for port in rule.ports) for rule in policy.egress)
    expects_names = user is not None or not (only_blocks or only_to_api)
    who = f"{peers[0]}" if len(peers) == 1 else f"{len(peers)} workloads that it selects"
    example = f": {user} uses `{used[id(user)]}`" if user is not None else ""
    path: Path = ("spec", "egress") if policy.root.get("spec", "egress") is not None else ("spec", "policyTypes")
    if policy.root.get(*path) is None:
        path = ("spec",)
    return ctx.report(
        policy,
        *path,
        key=True,
        message=f"{who} cannot look up names: egress is isolated, and no policy lets it out to DNS on UDP 53{example}",
        label="no rule for DNS",
        severity=Severity.WARNING if expects_names and ctx.unit.shows_all else Severity.NOTE,
        help="add an egress rule to the DNS pods in kube-system, for UDP and TCP 53",
        fix=ctx.fix("Allow DNS", _dns_edit(policy)),
    )


def _dns_edit(policy: NetworkPolicy) -> Edit | None:
    """The edit that appends a rule for DNS to a block sequence of egress rules; None where it is not written so."""
    node = policy.root.get("spec", "egress")
    items = node.items if node is not None else []
    if not items or items[-1].via or items[-1].source is not policy.root.source:
        return None
    last = items[-1]
    text = last.source.text
    line = text.rfind("\n", 0, last.start) + 1
    indent = text[line : last.start]
    if indent.strip() != "-" or not indent.lstrip().startswith("-"):
        return None
    margin = indent[: len(indent) - len(indent.lstrip())]
    written = "".join(f"\n{margin}{rule_line}" for rule_line in _DNS_RULE)
    return Edit(last.source, Span(last.end, last.end), written)
