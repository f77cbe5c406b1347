"""NetworkPolicies that do what they say, and could say it better."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.networkpolicy import EGRESS, INGRESS, NetworkPolicy, NetworkPolicyPort, NetworkPolicyRule
from k8snetlint.source.edit import Edit

from .edits import above_key, with_entry, without_item

_DNS_PORT = 53
_OPENSHIFT_DNS_PORT = 5353
_FEWEST_PORTS = 3


@check("NP023")
def networkpolicy_policy_types_missing(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A policy that leaves its directions to be guessed."""
    spec = policy.root.get("spec")
    if policy.has_policy_types or spec is None or not spec.entries:
        return
    types = ", ".join(policy.policy_types)
    first = next(iter(spec.entries))
    yield ctx.report(
        policy,
        "spec",
        key=True,
        message=f"`{policy.name}` has no policyTypes: it is for {' and '.join(policy.policy_types)}, which only a reader who"
        " knows the defaults can tell",
        help=f"write `policyTypes: [{types}]`",
        fix=ctx.fix("Write out policyTypes", above_key(policy, "spec", first, entry=f"policyTypes: [{types}]")),
    )


@check("NP027")
def networkpolicy_dns_wrong_port(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A rule for DNS on a port that the platform's DNS pods do not have."""
    wanted = ctx.option("dns-port", _OPENSHIFT_DNS_PORT)
    rules = policy.egress if EGRESS in policy.policy_types else ()
    opened = [(rule, port) for rule in rules for port in rule.ports]
    if wanted == _DNS_PORT or any(not rule.ports for rule in rules) or any(_opens(port, wanted) for _, port in opened):
        return
    for rule, port in opened:
        # To an address outside, port 53 is what the resolver there has.
        if port.port == _DNS_PORT and not any(peer.ip_block is not None for peer in rule.peers):
            yield ctx.report(
                policy,
                *port.path,
                "port",
                message=f"opens port {_DNS_PORT}, but the DNS pods listen on {wanted}, and policies see the pod's port",
                help=f"open {wanted} as well",
            )


def _opens(port: NetworkPolicyPort, number: int) -> bool:
    if port.port is None:
        return True
    return isinstance(port.port, int) and port.port <= number <= (port.end_port or port.port)


@check("NP030")
def networkpolicy_empty_pod_selector(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """A rule for some port, opened on every pod of a namespace."""
    if policy.pod_selector is None or not policy.pod_selector.is_empty or INGRESS not in policy.policy_types:
        return
    rule = next((rule for rule in policy.ingress if rule.ports), None)
    if rule is not None:
        has_selector = policy.root.get("spec", "podSelector") is not None
        yield ctx.report(
            policy,
            "spec",
            *(("podSelector",) if has_selector else ()),
            key=True,
            message=f"`{policy.name}` opens {_listed(rule)} on every pod of the namespace, not only on those that serve it",
            related=[ctx.location(policy, *rule.path, "ports", label="opened here", key=True)],
            help="select the pods that serve the port, and keep the empty selector for denying all",
        )


def _listed(rule: NetworkPolicyRule) -> str:
    numbers = [str(port.port) for port in rule.ports if port.port is not None]
    return f"port{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}" if numbers else "a protocol"


@check("NP053")
def networkpolicy_long_port_list(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """Ports in a row, each with an entry of its own."""
    for rule in (*policy.ingress, *policy.egress):
        single = [port for port in rule.ports if isinstance(port.port, int) and port.end_port is None]
        numbered = sorted(single, key=lambda port: (port.protocol, port.port))
        for _, run in groupby(enumerate(numbered), key=lambda item: (item[1].protocol, _number(item[1]) - item[0])):
            ports = [port for _, port in run]
            if len(ports) < _FEWEST_PORTS:
                continue
            first, last = ports[0], ports[-1]
            edits = [with_entry(policy, *first.path, "port", entry=f"endPort: {last.port}")]
            edits += [without_item(policy, *port.path) for port in ports[1:]]
            yield ctx.report(
                policy,
                *first.path,
                "port",
                message=f"ports {first.port} to {last.port}/{first.protocol} have {len(ports)} entries, where one with"
                " endPort says the same",
                help=f"write `endPort: {last.port}` here, and remove the other entries",
                fix=ctx.fix("Write the range", *_apart(edits)),
            )


def _number(port: NetworkPolicyPort) -> int:
    return port.port if isinstance(port.port, int) else 0


def _apart(edits: list[Edit | None]) -> list[Edit | None]:
    """The edits, none at all where one of them cannot be made."""
    return edits if all(edits) else []
