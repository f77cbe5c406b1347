"""NetworkPolicies that are to be written: as values, and as the manifests that they come to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

import attrs

from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.model.core import LabelSelector, label_map_selector
from k8snetlint.source.tree import Plain

from .wants import Because

_IGNORE = "k8snetlint.dev/ignore"
_LONGEST_NAME = 63


@attrs.frozen
class SuggestedPeer:
    """An entry of `from` or `to`: pods by their labels, of the namespaces of some labels or the own one; or a block."""

    pods: LabelSelector | None = None
    namespaces: LabelSelector | None = None
    cidr: str | None = None

    def __str__(self) -> str:
        """Whom it means, in words."""
        if self.cidr is not None:
            return self.cidr
        pods = f"pods with {self.pods}" if self.pods is not None and not self.pods.is_empty else "every pod"
        return pods if self.namespaces is None else f"{pods} of {_namespaces_text(self.namespaces)}"


@attrs.frozen
class SuggestedRule:
    """An entry of `ingress` or `egress`: no peers mean anyone. `ports` are protocol and number, sorted."""

    peers: tuple[SuggestedPeer, ...]
    ports: tuple[tuple[str, int], ...]
    because: tuple[Because, ...]


@attrs.frozen
class SuggestedPolicy:
    """A NetworkPolicy of both directions. `namespace` is None where the manifests leave it to whoever applies them.

    `subjects` are the workloads that it is for, none for a default deny. `unneeded` are the Service ports in front of
    them that it leaves shut.
    """

    name: str
    namespace: str | None
    pods: LabelSelector
    subjects: tuple[str, ...] = ()
    unneeded: tuple[str, ...] = ()
    ingress: tuple[SuggestedRule, ...] = ()
    egress: tuple[SuggestedRule, ...] = ()


def manifest(policy: SuggestedPolicy) -> dict[str, Plain]:
    """The policy as the API reads it."""
    metadata: dict[str, Plain] = {"name": policy.name}
    if policy.namespace is not None:
        metadata["namespace"] = policy.namespace
    ignored = list(_ignored(policy))
    if ignored:
        metadata["annotations"] = {_IGNORE: "; ".join(ignored)}
    spec: dict[str, Plain] = {
        "podSelector": selector_value(policy.pods),
        "policyTypes": ["Ingress", "Egress"],
    }
    for field, key, rules in (("ingress", "from", policy.ingress), ("egress", "to", policy.egress)):
        if rules:
            spec[field] = [_rule(rule, key) for rule in rules]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _ignored(policy: SuggestedPolicy) -> Iterator[str]:
    """What rules would say of connections that the policy shuts because nothing needs them."""
    if policy.unneeded:
        yield f"NP041: nothing in the manifests needs {', '.join(policy.unneeded)}"
    if policy.pods.is_empty and policy.subjects and not policy.egress:
        yield f"NP025: nothing in the manifests says that {', '.join(policy.subjects)} uses a name"


def _rule(rule: SuggestedRule, key: str) -> Plain:
    ports: list[Plain] = [{"protocol": protocol, "port": number} for protocol, number in rule.ports]
    return {key: [peer_value(peer) for peer in rule.peers], "ports": ports} if rule.peers else {"ports": ports}


def peer_value(peer: SuggestedPeer) -> Plain:
    """An entry of `from` or `to` as it is written."""
    if peer.cidr is not None:
        return {"ipBlock": {"cidr": peer.cidr}}
    found: dict[str, Plain] = {}
    if peer.namespaces is not None:
        found["namespaceSelector"] = selector_value(peer.namespaces)
    if peer.pods is not None:
        found["podSelector"] = selector_value(peer.pods)
    return found


def selector_value(selector: LabelSelector) -> Plain:
    """A selector as it is written; the empty one is an empty mapping."""
    found: dict[str, Plain] = {}
    if selector.match_labels:
        found["matchLabels"] = dict(selector.match_labels)
    if selector.match_expressions:
        found["matchExpressions"] = [
            {"key": item.key, "operator": item.operator, **({"values": list(item.values)} if item.values else {})}
            for item in selector.match_expressions
        ]
    return found


def _namespaces_text(selector: LabelSelector) -> str:
    if selector.is_empty:
        return "every namespace"
    keys = [key for key, _ in selector.match_labels]
    if keys == [NAMESPACE_NAME_LABEL] and not selector.match_expressions:
        return f"namespace {selector.match_labels[0][1]}"
    return f"namespaces with {selector}"


def namespace_named(name: str) -> LabelSelector:
    """The selector of the one namespace of that name."""
    return label_map_selector({NAMESPACE_NAME_LABEL: name})


def free_name(name: str, taken: set[str]) -> str:
    """A valid name that is not taken yet, as near to a text as it can be; it is taken then."""
    valid = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "workload"
    if len(valid) > _LONGEST_NAME:
        valid = f"{valid[: _LONGEST_NAME - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    candidates: Mapping[int, str] = {0: valid, 1: f"{valid[: _LONGEST_NAME - 10].rstrip('-')}-suggested"}
    number = 0
    while (chosen := candidates.get(number, f"{valid[: _LONGEST_NAME - 6].rstrip('-')}-{number}")) in taken:
        number += 1
    taken.add(chosen)
    return chosen
