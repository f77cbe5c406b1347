"""The smallest addition to the policies that would let a denied flow pass one side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.model.core import Resource
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.policy.ir import INGRESS
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.source.tree import Path

from .ends import INGRESS_CONTROLLER
from .reach import SideAnswer
from .reference import PORT, PROTOCOL, Miss

_GROUP = "networking.k8s.io"


@attrs.frozen
class Addition:
    """What to do: a sentence, the object and place it is about, and the lines of YAML to add there, if any."""

    text: str
    resource: Resource | None = None
    path: Path = ()
    lines: tuple[str, ...] = ()


def addition(side: SideAnswer, flow: Flow) -> Addition | None:
    """The smallest addition that makes a denying side allow the flow; None if the rule that denies has no origin."""
    rule = side.decision.rule
    if rule is None or rule.origin is None:
        return None
    if not rule.is_default:
        resource = rule.origin.resource
        text = f"put a rule that allows it before the one that denies it in {resource}, or narrow that one"
        return Addition(text, resource, rule.origin.path)
    resource = _narrowest(side, rule.origin.resource)
    if resource.group != _GROUP:
        return Addition(f"add a rule that allows it to {resource}", resource, rule.origin.path)
    near = _open_the_port(side.misses)
    if near is not None and near.rule.origin is not None:
        where = near.rule.origin
        return Addition(
            f"add the port to {path_text(where.path)} of {where.resource}",
            where.resource,
            where.path,
            ("ports:", *(f"  {line}" for line in _port_lines(flow))),
        )
    field = "ingress" if side.decision.stage == INGRESS else "egress"
    subject = flow.destination if side.decision.stage == INGRESS else flow.source
    lasting = _lasting(subject)
    if lasting and not _selects_some(resource):
        # A rule in a policy for the whole namespace would open the port of every pod in it.
        return Addition(f"add a NetworkPolicy for {subject}", lines=tuple(_policy(side, flow, subject, lasting)))
    return Addition(
        f"add a rule to spec.{field} of {resource}",
        resource,
        ("spec", field),
        tuple(_rule(side, flow, resource.namespace)),
    )


def _narrowest(side: SideAnswer, first: Resource) -> Resource:
    """The isolating policy to add to: of several one that does not select the whole namespace."""
    policies = [rule.origin.resource for rule in side.isolating if rule.origin is not None] or [first]
    return next((each for each in policies if _selects_some(each)), policies[0])


def _selects_some(policy: Resource) -> bool:
    selector = policy.root.get("spec", "podSelector")
    return selector is not None and bool(selector.entries)


def _open_the_port(misses: tuple[Miss, ...]) -> Miss | None:
    return next((miss for miss in misses if miss.part in (PORT, PROTOCOL) and miss.rule.origin is not None), None)


def _policy(side: SideAnswer, flow: Flow, subject: Peer, labels: Mapping[str, str]) -> Iterator[str]:
    """A policy of its own for the subject's pods."""
    field = "ingress" if side.decision.stage == INGRESS else "egress"
    name = subject.text.partition("[")[0].rpartition("/")[2]
    yield from ("apiVersion: networking.k8s.io/v1", "kind: NetworkPolicy", "metadata:")
    yield from (f"  name: {name}-{field}", f"  namespace: {subject.namespace}", "spec:", "  podSelector:")
    yield "    matchLabels:"
    yield from (f"      {key}: {_scalar(value)}" for key, value in labels.items())
    yield f"  policyTypes: [{field.capitalize()}]"
    yield f"  {field}:"
    yield from (f"    {line}" for line in _rule(side, flow, subject.namespace))


def _lasting(peer: Peer) -> Mapping[str, str]:
    """The labels of a pod that manifests write."""
    return {key: value for key, value in peer.labels.items() if not is_run_time_label(key)}


def _rule(side: SideAnswer, flow: Flow, namespace: str | None) -> Iterator[str]:
    is_ingress = side.decision.stage == INGRESS
    other = flow.source if is_ingress else flow.destination
    yield f"- {'from' if is_ingress else 'to'}:"
    for line in _peer_lines(other, namespace):
        yield f"    {line}"
    yield "  ports:"
    for line in _port_lines(flow):
        yield f"    {line}"


def _port_lines(flow: Flow) -> Iterator[str]:
    yield f"- port: {flow.port}"
    if flow.protocol != "TCP":
        yield f"  protocol: {flow.protocol}"


def _peer_lines(peer: Peer, own_namespace: str | None) -> Iterator[str]:
    if not peer.is_pod:
        for text in peer.addresses.cidr_texts() or ("0.0.0.0/0",):
            yield "- ipBlock:"
            yield f"    cidr: {text}"
        return
    labels = _lasting(peer)
    dash = "- "
    if peer.namespace != own_namespace:
        yield f"{dash}namespaceSelector:"
        yield "    matchLabels:"
        name = "<the controller's namespace>" if peer.text == INGRESS_CONTROLLER else peer.namespace
        yield f"      {NAMESPACE_NAME_LABEL}: {name}"
        dash = "  "
    if labels:
        yield f"{dash}podSelector:"
        yield "    matchLabels:"
        for key, value in labels.items():
            yield f"      {key}: {_scalar(value)}"
    elif peer.namespace == own_namespace:
        yield f"{dash}podSelector: {{}}"


def _scalar(value: str) -> str:
    is_plain = value[:1].isalpha() and value.lower() not in (
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "y",
        "n",
    )
    return value if is_plain else f'"{value}"'


def path_text(path: Path) -> str:
    """A path as `spec.ingress[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
