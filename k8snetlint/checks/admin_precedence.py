"""Rules of admin policies that never decide, that undo NetworkPolicies, and that cut pods off from what all need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.analysis.blocking import policies_of
from k8snetlint.analysis.dns import DNS_LABELS, DNS_NAMESPACES
from k8snetlint.analysis.precedence import Shadowed, overridden_rules, shadowed_rules
from k8snetlint.analysis.reference import decide, matches
from k8snetlint.analysis.samples import example, samples
from k8snetlint.analysis.understood import admin_rules
from k8snetlint.analysis.wording import witness_text
from k8snetlint.diagnostic import Diagnostic, Fix, Location, Severity
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.core import Resource
from k8snetlint.policy.ir import (
    ADMIN_TIER,
    EGRESS,
    Action,
    AllOf,
    AnyOf,
    InNamespace,
    LabelOperator,
    NamespaceLabel,
    PeerExpr,
    PodLabel,
    PolicyRule,
    PolicySet,
    Stage,
)
from k8snetlint.policy.peers import DeclaredPort, Flow, Peer
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Span

from .undecided import resource_limit, undecided

_DNS_PORT, _API_PORT = 53, 6443
_DNS_NAMESPACE = "kube-system"


@cluster_check("ANP010")
def rule_shadowed(ctx: Context) -> Iterator[Diagnostic]:
    """A rule to which earlier ones leave nothing."""
    policies = ctx.once(policies_of)
    for found in shadowed_rules(policies, resource_limit(ctx.settings)):
        if not isinstance(found, Shadowed):
            yield from undecided(ctx, found)
            continue
        origin = found.rule.origin
        if origin is None or ctx.cluster.is_context(origin.resource):
            continue
        covering = _listed_rules(found.covered_by, origin.resource)
        verb = "decides" if len(found.covered_by) == 1 else "decide"
        if found.changes_nothing:
            consequence = f"{verb} all of its traffic before it, in the same way"
        else:
            words = " or ".join(sorted({_action(rule) for rule in found.covered_by}))
            consequence = f"{verb} all of its traffic before it, by {words}"
        yield ctx.report(
            origin.resource,
            *origin.path,
            message=f"{_rule_name(found.rule)} of `{origin.resource.name}` never takes effect: {covering} {consequence}",
            severity=Severity.NOTE if found.changes_nothing else None,
            related=_locations(ctx, found.covered_by, "decides first"),
            notes=_witness(policies, found.rule),
            help="remove it" if found.changes_nothing else "put it before the rule that covers it, or narrow that one",
        )


@cluster_check("ANP011")
def networkpolicy_overridden(ctx: Context) -> Iterator[Diagnostic]:
    """A NetworkPolicy that the admin tier turns into its opposite."""
    policies = ctx.once(policies_of)
    for found in overridden_rules(policies, resource_limit(ctx.settings)):
        if not isinstance(found, Shadowed):
            yield from undecided(ctx, found)
            continue
        origin = found.rule.origin
        if origin is None or ctx.cluster.is_context(origin.resource):
            continue
        covering = _listed_rules(found.covered_by, origin.resource)
        is_one = len(found.covered_by) == 1
        name = origin.resource.name
        if found.rule.is_default:
            path: tuple[str | int, ...] = ("spec", "podSelector")
            path = path if origin.resource.root.get(*path) is not None else ("spec",)
            does = "decides first, and allows" if is_one else "decide first, and allow"
            message = f"`{name}` restricts no {found.stage}: {covering} {does} all of it"
        else:
            path = origin.path
            does = "decides first, and denies" if is_one else "decide first, and deny"
            message = f"{_rule_name(found.rule)} of `{name}` allows nothing: {covering} {does} all of it"
        yield ctx.report(
            origin.resource,
            *path,
            key=found.rule.is_default,
            message=message,
            related=_locations(ctx, found.covered_by, "decides first"),
            notes=_witness(policies, found.rule),
            help="remove it if the admin policy is meant, or have that one Pass what NetworkPolicies are to decide",
        )


@attrs.frozen
class _Server:
    """Something that most pods need: a flow's destination with what it is called."""

    peer: Peer
    protocol: str
    port: int
    text: str


@cluster_check("ANP012")
def blocks_dns_or_system(ctx: Context) -> Iterator[Diagnostic]:
    """A Deny of the admin tier that shuts DNS off, or the system's pods from the API server."""
    policies = ctx.once(policies_of)
    servers = _dns_servers(policies)
    for stage, tier, rules in admin_rules(policies):
        for rule in rules if tier == ADMIN_TIER.name else ():
            if rule.action is not Action.DENY or rule.origin is None or ctx.cluster.is_context(rule.origin.resource):
                continue
            flows = _cut(stage, rule, policies, servers)
            if flows:
                yield _blocking(ctx, policies, stage, rule, flows)


def _cut(stage: Stage, rule: PolicyRule, policies: PolicySet, servers: Sequence[Peer]) -> list[tuple[str, Flow]]:
    """What a rule shuts off, each with a flow that it decides."""
    found: list[tuple[str, Flow]] = []
    sources = _some(rule.match.source, policies, rule)
    clients = [peer for peer in sources if peer.namespace not in DNS_NAMESPACES]
    dns = _decided(stage, rule, (Flow(peer, server, "UDP", _DNS_PORT) for peer in clients for server in servers))
    if dns is not None:
        found.append(("DNS", dns))
    system = [server for server in servers if matches(rule.match.source, server)]
    if stage.name == EGRESS and system:
        anywhere = AddressSet.all_v4()
        api = Peer(anywhere.range_texts()[0], addresses=anywhere, is_node=True)
        calls = _decided(stage, rule, (Flow(peer, api, "TCP", _API_PORT) for peer in system))
        if calls is not None:
            found.append(("the API server for the pods of kube-system", calls))
    return found


def _decided(stage: Stage, rule: PolicyRule, flows: Iterator[Flow]) -> Flow | None:
    return next((flow for flow in flows if decide(stage, flow).rule is rule), None)


def _dns_servers(policies: PolicySet) -> list[Peer]:
    """The DNS pods in sight, or else one as most clusters have it."""
    found = [
        pod
        for pod in policies.peers.pods
        if pod.namespace in DNS_NAMESPACES and any(pod.labels.get(key) == value for key, value in DNS_LABELS)
    ]
    usual = Peer(
        f"{_DNS_NAMESPACE}/coredns",
        namespace=_DNS_NAMESPACE,
        namespace_labels=policies.peers.labels_of_namespace(_DNS_NAMESPACE),
        labels=dict(DNS_LABELS[:1]),
        ports=(DeclaredPort("dns", "UDP", _DNS_PORT), DeclaredPort("dns-tcp", "TCP", _DNS_PORT)),
        addresses=policies.peers.unknown_addresses,
        is_pod=True,
    )
    return found or [usual]


def _some(side: PeerExpr, policies: PolicySet, rule: PolicyRule) -> list[Peer]:
    """The pods in sight that a side of a rule selects, or else some that it would."""
    present = [pod for pod in policies.peers.pods if matches(side, pod)]
    unknown = policies.peers.unknown_addresses
    imagined = samples(side, policies.peers, rule.match.connections)
    return present or [attrs.evolve(peer, addresses=unknown) for peer in imagined if peer.is_pod]


def _blocking(
    ctx: Context, policies: PolicySet, stage: Stage, rule: PolicyRule, flows: list[tuple[str, Flow]]
) -> Diagnostic:
    assert rule.origin is not None  # only rules that a policy states are looked at
    what = " and ".join(text for text, _ in flows)
    subject = rule.match.source if stage.name == EGRESS else rule.match.destination
    return ctx.report(
        rule.origin.resource,
        *rule.origin.path,
        message=f"{_rule_name(rule)} of `{rule.origin.resource.name}` denies {what}, and no NetworkPolicy can allow it",
        severity=Severity.NOTE if stage.name == EGRESS and _is_narrow(subject) else None,
        notes=[witness_text(policies, flow) for _, flow in flows],
        help="put a rule before it that allows UDP and TCP 53 to the DNS pods, or except kube-system",
        fix=_with_dns(ctx, rule.origin.resource, stage, rule) if flows[0][0] == "DNS" else None,
    )


def _is_narrow(subject: PeerExpr) -> bool:
    """Whether a subject is a chosen few: namespaces by name or pods by label, where isolation may be meant."""
    match subject:
        case PodLabel() | InNamespace():
            return True
        case NamespaceLabel(test):
            return test.operator in (LabelOperator.IN, LabelOperator.EXISTS)
        case AllOf(parts):
            return any(map(_is_narrow, parts))
        case AnyOf(parts):
            return all(map(_is_narrow, parts))
    return False


def _with_dns(ctx: Context, policy: Resource, stage: Stage, rule: PolicyRule) -> Fix | None:
    """The fix that writes a rule for DNS before one of a block sequence of egress rules."""
    if stage.name != EGRESS or rule.origin is None:
        return None
    node = policy.root.at(*rule.origin.path)
    text = node.source.text
    line = text.rfind("\n", 0, node.start) + 1
    lead = text[line : node.start]
    if node.via or node.source is not policy.root.source or lead.strip() != "-":
        return None
    margin, inner = lead[: lead.index("-")], " " * len(lead)
    is_v2 = policy.kind == "ClusterNetworkPolicy"
    namespace = "{kubernetes.io/metadata.name: kube-system}"
    dns = f"namespaceSelector: {{matchLabels: {namespace}}}, podSelector: {{matchLabels: {{k8s-app: kube-dns}}}}"
    if is_v2:
        ports = [f"{protocol}: {{destinationPort: {{number: 53}}}}" for protocol in ("udp", "tcp")]
    else:
        ports = [f"portNumber: {{protocol: {protocol}, port: 53}}" for protocol in ("UDP", "TCP")]
    lines = (
        f"{margin}- name: allow-dns",
        f"{inner}action: {'Accept' if is_v2 else 'Allow'}",
        f"{inner}to:",
        f"{inner}  - pods: {{{dns}}}",
        f"{inner}{'protocols' if is_v2 else 'ports'}:",
        *(f"{inner}  - {port}" for port in ports),
    )
    written = "".join(f"{each}\n" for each in lines)
    return ctx.fix("Allow DNS before it", Edit(node.source, Span(line, line), written))


def _rule_name(rule: PolicyRule) -> str:
    assert rule.origin is not None  # only rules that a policy states are named
    return f"{rule.origin.path[1]} rule {int(rule.origin.path[2]) + 1}"


def _listed_rules(rules: Sequence[PolicyRule], own: Resource) -> str:
    names = [
        _rule_name(rule) if rule.origin.resource is own else f"{_rule_name(rule)} of `{rule.origin.resource.name}`"
        for rule in rules[:2]
        if rule.origin is not None
    ]
    more = [f"{len(rules) - 2} more"] if len(rules) > 2 else []
    return " and ".join([*names, *more])


def _action(rule: PolicyRule) -> str:
    """The action of a rule as its policy writes it."""
    assert rule.origin is not None  # only rules that a policy states are named
    written = rule.origin.resource.root.get(*rule.origin.path, "action")
    return f"{written.value if written is not None else rule.action.value}"


def _locations(ctx: Context, rules: Sequence[PolicyRule], label: str) -> list[Location]:
    return [
        ctx.location(rule.origin.resource, *rule.origin.path, label=label)
        for rule in rules[:4]
        if rule.origin is not None
    ]


def _witness(policies: PolicySet, rule: PolicyRule) -> list[str]:
    flow = example(rule.match, policies)
    return [witness_text(policies, flow)] if flow is not None else []
