"""NetworkPolicies as they could be changed: the single steps of a change, and the manifest after some of them."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import NamedTuple

import attrs

from k8snetlint.analysis.addition import path_text
from k8snetlint.analysis.manifests import SuggestedPeer, namespace_named, peer_value, selector_value
from k8snetlint.model.build import build_cluster
from k8snetlint.model.core import LabelSelector
from k8snetlint.model.networkpolicy import EGRESS, INGRESS, NetworkPolicy, NetworkPolicyRule
from k8snetlint.policy.dialects.selectors import pods_with
from k8snetlint.policy.ir import InNamespace, PeerExpr, all_of
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Plain

LAST_PORT = 65535
DIRECTIONS = (INGRESS, EGRESS)
FIELDS = {INGRESS: ("ingress", "from"), EGRESS: ("egress", "to")}


class PortSpan(NamedTuple):
    """Ports of one protocol from `first` to `last`, both included."""

    protocol: str
    first: int
    last: int

    def __str__(self) -> str:
        if (self.first, self.last) == (1, LAST_PORT):
            return self.protocol
        return f"{self.protocol} {self.first}" + (f"-{self.last}" if self.last > self.first else "")


class StepKind(enum.Enum):
    """What a single step does to a policy. Each counts as one change."""

    REMOVE_RULE = "remove rule"
    REMOVE_PEER = "remove peer"
    REMOVE_PORT = "remove port"
    ADD_EXCEPTION = "add exception"
    ADD_PEER = "add peer"
    ADD_PORT = "add port"
    ADD_RULE = "add rule"
    ADD_POLICY = "add policy"
    ISOLATE = "isolate"


@attrs.frozen
class Step:
    """A single step. What of the fields counts depends on the kind.

    `draft` is the policy's number; `rule` the rule's, those after the last one stand for rules to be added; `item` that
    of a peer or port. A rule that is added without `port` opens every one.
    """

    kind: StepKind
    draft: int
    direction: str = ""
    rule: int = -1
    item: int = -1
    peer: SuggestedPeer | None = None
    port: PortSpan | None = None
    block: str = ""


@attrs.frozen(eq=False)
class Draft:
    """A policy that could be changed, or one that could be added: `is_new`. `policy` is what it is now."""

    number: int
    policy: NetworkPolicy
    is_new: bool = False
    is_editable: bool = True

    @property
    def subject(self) -> PeerExpr:
        """The pods that it selects; the whole namespace where that is not known."""
        namespace = InNamespace(self.policy.namespace or "")
        selector = self.policy.pod_selector
        return all_of(namespace, pods_with(selector)) if selector is not None else namespace

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions in which it isolates, or could."""
        return DIRECTIONS if self.is_new else self.policy.policy_types

    def rules(self, direction: str) -> tuple[NetworkPolicyRule, ...]:
        """The rules that are in effect in a direction."""
        return self.policy.rules(direction) if self.policy.pod_selector is not None else ()

    def written(self, peer: SuggestedPeer) -> SuggestedPeer:
        """A peer as it is written in this policy: pods of the own namespace without a selector of namespaces."""
        if peer.cidr is not None or peer.namespaces != namespace_named(self.policy.namespace or ""):
            return peer
        return SuggestedPeer(peer.pods or LabelSelector())


def new_policy(name: str, namespace: str, selector: LabelSelector, *, says_namespace: bool) -> NetworkPolicy:
    """A policy that is to be added, before it isolates anyone."""
    metadata: dict[str, Plain] = {"name": name, **({"namespace": namespace} if says_namespace else {})}
    spec: dict[str, Plain] = {"podSelector": selector_value(selector), "policyTypes": []}
    return policy_of(
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}, namespace
    )


def policy_of(manifest: Plain, namespace: str) -> NetworkPolicy:
    """The policy that a manifest is, in the namespace where it names none."""
    parsed = parse(SourceFile("", json.dumps(manifest)))
    (found,) = build_cluster(parsed.documents, attrs.evolve(Settings(), namespace=namespace)).resources
    assert isinstance(found, NetworkPolicy)  # only manifests of policies come here
    return found


def revised(draft: Draft, steps: Iterable[Step]) -> Plain:
    """The manifest of a policy after some steps."""
    mine = [step for step in steps if step.draft == draft.number]
    manifest = deepcopy(draft.policy.root.plain())
    spec = manifest["spec"] if isinstance(manifest, dict) else None
    if not isinstance(spec, dict):
        return manifest
    for direction in DIRECTIONS:
        here = [step for step in mine if step.direction == direction]
        changed = [step for step in here if step.kind is not StepKind.ISOLATE]
        if changed:
            field, key = FIELDS[direction]
            spec[field] = list(_rules(spec.get(field), key, changed, draft))
    if (
        not draft.is_new
        and not draft.policy.has_policy_types
        and EGRESS in draft.policy.policy_types
        and not spec["egress"]
    ):
        # Without policyTypes it was the egress rules that said that egress is isolated.
        spec["policyTypes"] = [INGRESS, EGRESS]
    isolated: list[Plain] = [d for d in DIRECTIONS if Step(StepKind.ISOLATE, draft.number, d) in mine]
    if isolated:
        spec["policyTypes"] = isolated
    return manifest


def _rules(listed: Plain, key: str, steps: list[Step], draft: Draft) -> Iterator[Plain]:
    rules = listed if isinstance(listed, list) else []
    for index, rule in enumerate(rules):
        own = [step for step in steps if step.rule == index]
        if not any(step.kind is StepKind.REMOVE_RULE for step in own):
            yield _rule(rule, key, own, draft) if own else rule
    for index in sorted({step.rule for step in steps if step.kind is StepKind.ADD_RULE}):
        yield _rule({}, key, [step for step in steps if step.rule == index], draft)


def _rule(rule: Plain, key: str, steps: list[Step], draft: Draft) -> Plain:
    found: dict[str, Plain] = dict(rule) if isinstance(rule, dict) else {}
    gone = {step.item for step in steps if step.kind is StepKind.REMOVE_PEER}
    peers = [_excepted(peer, index, steps) for index, peer in enumerate(_listed(found.get(key))) if index not in gone]
    peers += [peer_value(draft.written(step.peer)) for step in steps if step.peer is not None]
    if peers:
        found[key] = peers
    gone = {step.item for step in steps if step.kind is StepKind.REMOVE_PORT}
    ports = [port for index, port in enumerate(_listed(found.get("ports"))) if index not in gone]
    ports += [_port(step.port) for step in steps if step.kind is StepKind.ADD_PORT and step.port is not None]
    if ports:
        found["ports"] = ports
    return found


def _listed(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else []


def _excepted(peer: Plain, index: int, steps: list[Step]) -> Plain:
    blocks: list[Plain] = [s.block for s in steps if s.kind is StepKind.ADD_EXCEPTION and s.item == index]
    if not blocks or not isinstance(peer, dict) or not isinstance(peer["ipBlock"], dict):
        return peer
    block = peer["ipBlock"]
    return {**peer, "ipBlock": {**block, "except": [*_listed(block.get("except")), *blocks]}}


def _port(port: PortSpan) -> Plain:
    found: dict[str, Plain] = {"protocol": port.protocol}
    if (port.first, port.last) != (1, LAST_PORT):
        found["port"] = port.first
        if port.last > port.first:
            found["endPort"] = port.last
    return found


def step_text(step: Step, draft: Draft) -> str:
    """A step in words."""
    name = f"NetworkPolicy {draft.policy.namespace}/{draft.policy.name}"
    if step.kind is StepKind.ADD_POLICY:
        selector = draft.policy.pod_selector
        whom = f"pods with {selector}" if selector is not None and not selector.is_empty else "every pod"
        return f"add {name} for {whom}"
    if step.kind is StepKind.ISOLATE:
        return f"{name}: isolate for {step.direction.lower()}"
    field, key = FIELDS[step.direction]
    rule = path_text(("spec", field, step.rule))
    is_added = step.rule >= len(draft.policy.rules(step.direction))
    where = f"a rule added to spec.{field}" if is_added else rule
    match step.kind:
        case StepKind.REMOVE_RULE:
            return f"{name}: remove {rule}"
        case StepKind.REMOVE_PEER:
            return f"{name}: remove {rule}.{key}[{step.item}]"
        case StepKind.REMOVE_PORT:
            return f"{name}: remove {rule}.ports[{step.item}]"
        case StepKind.ADD_EXCEPTION:
            return f"{name}: except {step.block} in {rule}.{key}[{step.item}]"
        case StepKind.ADD_RULE:
            return f"{name}: add a rule to spec.{field}"
    if step.peer is not None:
        return f"{name}: add {draft.written(step.peer)} to {where}"
    return f"{name}: open {step.port if step.port is not None else 'every port'} in {where}"
