"""The steps that could help: what the intents speak of, added to policies and taken from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.analysis.intents import Intent, Selection
from k8snetlint.analysis.manifests import SuggestedPeer, free_name, namespace_named
from k8snetlint.analysis.podselectors import Selected, all_labels
from k8snetlint.analysis.verdict import World
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL, Cluster
from k8snetlint.model.core import LabelSelector, Requirement
from k8snetlint.model.networkpolicy import EGRESS, INGRESS, NetworkPolicy
from k8snetlint.policy.enforcement import Enforcement
from k8snetlint.policy.peers import Flow, Peer

from .drafts import LAST_PORT, Draft, PortSpan, Step, StepKind, new_policy
from .effects import Effects, connections

# New rules that a policy may get in one direction, parts that a set of ports may be cut into, blocks of a side.
_NEW_RULES = 2
_MOST_SPANS = 6
_MOST_BLOCKS = 8
_MOST_NEW_POLICIES = 40


@attrs.frozen(eq=False)
class Asked:
    """One flow that an intent decides; `intent` is its number."""

    flow: Flow
    is_allowed: bool
    intent: int

    def ends(self, direction: str) -> tuple[Peer, Peer]:
        """The subject of a direction's policies and the other end."""
        source, destination = self.flow.source, self.flow.destination
        return (destination, source) if direction == INGRESS else (source, destination)


def present_drafts(cluster: Cluster, enforcement: Enforcement, editable: Iterable[NetworkPolicy]) -> list[Draft]:
    """The NetworkPolicies that are in effect, of one name the last one."""
    may_change = {id(policy) for policy in editable}
    found: dict[tuple[str | None, str], NetworkPolicy] = {}
    for policy in cluster.all_of(NetworkPolicy):
        found[policy.namespace, policy.name] = policy
    return [
        Draft(number, policy, is_editable=id(policy) in may_change and policy.pod_selector is not None)
        for number, policy in enumerate(found.values())
        if enforcement.has_named_ports or not _has_named_ports(policy)
    ]


def _has_named_ports(policy: NetworkPolicy) -> bool:
    return any(isinstance(port.port, str) for rule in policy.ingress + policy.egress for port in rule.ports)


def new_drafts(
    cluster: Cluster, first: int, asked: Iterable[Asked], groups: Sequence[Selected], namespaces: frozenset[str]
) -> Iterator[Draft]:
    """Policies that could be added: for the pods in question, and for the whole of their namespaces.

    `namespaces` are those in whose manifests there is a place for them.
    """
    subjects = {id(end): end for each in asked for end in (each.flow.destination, each.flow.source) if end.is_pod}
    wanted = [group for group in groups if any(id(peer) in subjects for peer in group.peers)]
    taken: dict[str, set[str]] = {}
    for policy in cluster.all_of(NetworkPolicy):
        taken.setdefault(policy.namespace or "", set()).add(policy.name)
    named = {workload.namespace for workload in cluster.workloads if workload.has_namespace}
    candidates = [(group.namespace, group.peers[0].text, group.selector) for group in wanted[:_MOST_NEW_POLICIES]]
    whole = dict.fromkeys(group.namespace for group in wanted)
    candidates += [(namespace, f"{namespace}/default-deny", LabelSelector()) for namespace in whole]
    for namespace, text, selector in dict.fromkeys(candidates):
        if namespace in namespaces:
            name = free_name(text.partition("/")[2].partition("[")[0], taken.setdefault(namespace, set()))
            says = namespace in named
            yield Draft(first, new_policy(name, namespace, selector, says_namespace=says), is_new=True)
            first += 1


class Candidates:
    """Collects the steps that could change the verdict on a flow that an intent decides."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        effects: Effects,
        intents: Sequence[Intent],
        asked: Sequence[Asked],
        groups: Sequence[Selected],
    ) -> None:
        self.drafts = drafts
        self.effects = effects
        self.intents = intents
        self.asked = asked
        self._group_of = {id(peer): group for group in groups for peer in group.peers}
        self._spans: dict[int, list[PortSpan | None]] = {}
        self._others: dict[tuple[int, str], list[SuggestedPeer]] = {}

    def steps(self) -> tuple[Step, ...]:
        """The steps, each once, in an order that does not depend on chance."""
        found: dict[Step, None] = {}
        for each in self.asked:
            for direction in (EGRESS, INGRESS):
                subject, other = each.ends(direction)
                for draft in self.effects.selecting(subject, direction) if subject.is_pod else ():
                    if draft.is_editable:
                        found.update(dict.fromkeys(self._of(draft, direction, each, other)))
        return tuple(sorted(found, key=lambda step: (step.draft, step.direction, step.rule)))

    def _of(self, draft: Draft, direction: str, each: Asked, other: Peer) -> Iterator[Step]:
        if draft.is_new:
            yield Step(StepKind.ADD_POLICY, draft.number)
            yield Step(StepKind.ISOLATE, draft.number, direction)
        yield from (
            self._additions(draft, direction, each, other)
            if each.is_allowed
            else self._removals(draft, direction, each, other)
        )

    def _additions(self, draft: Draft, direction: str, each: Asked, other: Peer) -> Iterator[Step]:
        fitting = [peer for peer in self._peers(each.intent, direction) if self.effects.fits(draft, peer, other)]
        opening = [
            port
            for port in self._ports(each.intent)
            if port is None or (each.flow.protocol, each.flow.port) in connections(port)
        ]
        present = len(draft.rules(direction))
        for rule in range(present + _NEW_RULES):
            if rule >= present:
                yield Step(StepKind.ADD_RULE, draft.number, direction, rule)
            for peer in fitting:
                yield Step(StepKind.ADD_PEER, draft.number, direction, rule, peer=peer)
            for port in opening:
                if port is not None or rule >= present:
                    yield Step(StepKind.ADD_PORT, draft.number, direction, rule, port=port)

    def _removals(self, draft: Draft, direction: str, each: Asked, other: Peer) -> Iterator[Step]:
        for index, rule in enumerate(draft.rules(direction)):
            peers, ports = self.effects.matched(draft, rule, each.flow, other)
            if not rule.is_understood or (rule.peers and not peers) or (rule.ports and not ports):
                continue
            yield Step(StepKind.REMOVE_RULE, draft.number, direction, index)
            for item in peers:
                yield Step(StepKind.REMOVE_PEER, draft.number, direction, index, item)
                block = rule.peers[item].ip_block
                if block is not None:
                    for text in self._exceptions(each.intent, direction, block.addresses):
                        yield Step(StepKind.ADD_EXCEPTION, draft.number, direction, index, item, block=text)
            for item in ports:
                yield Step(StepKind.REMOVE_PORT, draft.number, direction, index, item)
                port = rule.ports[item]
                if isinstance(port.port, int | None):
                    last = LAST_PORT if port.port is None else port.end_port or port.port
                    held = ConnectionSet.span(port.protocol, port.port or 1, last)
                    yield from self._rest(draft, direction, index, held, each.intent)
            if not rule.ports:
                yield from self._rest(draft, direction, index, ConnectionSet.everything(), each.intent)

    def _rest(self, draft: Draft, direction: str, rule: int, held: ConnectionSet, intent: int) -> Iterator[Step]:
        """What is left of open ports without those that an intent forbids, as ports to add."""
        left = spans_of(held - self.intents[intent].connections)
        if len(left) <= _MOST_SPANS:
            for port in left:
                yield Step(StepKind.ADD_PORT, draft.number, direction, rule, port=port)

    def _ports(self, intent: int) -> list[PortSpan | None]:
        known = self._spans.get(intent)
        if known is None:
            asked = self.intents[intent].connections
            # To a Service the ports in question are those of the pods behind it.
            flows = [each.flow for each in self.asked if each.intent == intent]
            if any(flow.through_service for flow in flows):
                asked = ConnectionSet.nothing()
                for flow in flows:
                    asked |= ConnectionSet.span(flow.protocol, flow.port, flow.port)
            known = [*spans_of(asked)]
            if asked == ConnectionSet.everything():
                known.append(None)
            self._spans[intent] = known
        return known

    def _peers(self, intent: int, direction: str) -> list[SuggestedPeer]:
        """What could be written for the other side of an intent: each of its pods, and what it says by itself."""
        known = self._others.get((intent, direction))
        if known is None:
            asked = self.intents[intent]
            found: dict[SuggestedPeer, None] = {}
            for each in self.asked:
                if each.intent == intent:
                    _, other = each.ends(direction)
                    found.update(dict.fromkeys(self._exact(other, asked.world)))
            side = asked.sources if direction == INGRESS else asked.destinations
            for selection in side:
                found.update(dict.fromkeys(_broad(selection)))
            known = self._others[intent, direction] = list(found)
        return known

    def _exact(self, peer: Peer, world: World) -> Iterator[SuggestedPeer]:
        group = self._group_of.get(id(peer))
        if group is not None:
            # In the open world a pod counts as one of a workload only if it has all of its labels.
            selector = group.selector if world is World.CLOSED else all_labels(peer)
            yield SuggestedPeer(selector, namespace_named(group.namespace))
        elif not peer.is_pod:
            yield from (SuggestedPeer(cidr=text) for text in peer.addresses.cidr_texts()[:_MOST_BLOCKS])

    def _exceptions(self, intent: int, direction: str, block: AddressSet) -> Iterator[str]:
        asked = self.intents[intent]
        for selection in asked.sources if direction == INGRESS else asked.destinations:
            for text in selection.addresses.cidr_texts()[:_MOST_BLOCKS] if selection.addresses is not None else ():
                if AddressSet.cidr(text) <= block and AddressSet.cidr(text) != block:
                    yield text


def _broad(selection: Selection) -> Iterator[SuggestedPeer]:
    """What a side says, where a policy can say it too."""
    if selection.addresses is not None:
        yield from (SuggestedPeer(cidr=text) for text in selection.addresses.cidr_texts()[:_MOST_BLOCKS])
        return
    if selection.is_external:
        yield SuggestedPeer(cidr="0.0.0.0/0")
        return
    if selection.service is not None or selection.workload is not None:
        return
    if selection.excluded is not None:
        yield from _all_but(selection.excluded)
        return
    namespaces = selection.namespace_selector or LabelSelector()
    if selection.namespace is not None:
        if selection.namespace_selector is not None:
            return
        namespaces = namespace_named(selection.namespace)
    yield SuggestedPeer(selection.selector, namespaces)


def _all_but(excluded: Sequence[Selection]) -> Iterator[SuggestedPeer]:
    """What says all pods but some, where a policy can; and all pods, where those may be among them."""
    everywhere = LabelSelector()
    names = [each.namespace for each in excluded]
    if all(each == Selection(namespace=each.namespace) for each in excluded) and None not in names:
        values = tuple(sorted({name for name in names if name is not None}))
        others = Requirement(NAMESPACE_NAME_LABEL, "NotIn", values)
        yield SuggestedPeer(namespaces=LabelSelector((), (others,)))
    selectors = [each.selector for each in excluded if each == Selection(selector=each.selector)]
    if len(selectors) == len(excluded) == 1 and selectors[0] is not None and len(selectors[0].match_labels) == 1:
        ((key, value),) = selectors[0].match_labels
        if not selectors[0].match_expressions:
            yield SuggestedPeer(LabelSelector((), (Requirement(key, "NotIn", (value,)),)), everywhere)
    yield SuggestedPeer(None, everywhere)


def spans_of(held: ConnectionSet) -> list[PortSpan]:
    """The parts of a set of connections, each of one protocol and without a gap."""
    return [PortSpan(protocol, first, last) for protocol, ports in held.items() for first, last in ports]


def representatives(held: ConnectionSet, cuts: Iterable[ConnectionSet]) -> list[tuple[str, int]]:
    """A connection of each part of a set that the cuts tell apart."""
    parts = [held]
    for cut in dict.fromkeys(cuts):
        parts = [piece for part in parts for piece in (part & cut, part - cut) if piece]
    found = []
    for part in parts:
        protocol, ports = next(part.items())
        found.append((protocol, ports.intervals[0][0]))
    return sorted(found, key=lambda each: (PROTOCOLS.index(each[0]), each[1]))


def cuts_of(intents: Iterable[Intent], drafts: Iterable[Draft], peers: Iterable[Peer]) -> Iterator[ConnectionSet]:
    """The sets of connections that intents and policies speak of."""
    for intent in intents:
        yield intent.connections
    for peer in peers:
        for declared in peer.ports:
            yield ConnectionSet.span(declared.protocol, declared.number, declared.number)
    for draft in drafts:
        for rule in draft.policy.ingress + draft.policy.egress:
            for port in rule.ports:
                if port.is_understood and not isinstance(port.port, str):
                    last = LAST_PORT if port.port is None else port.end_port or port.port
                    yield ConnectionSet.span(port.protocol, port.port or 1, last)
                    if port.port is not None:
                        # Without endPort, as some plugins read it.
                        yield ConnectionSet.span(port.protocol, port.port, port.port)
