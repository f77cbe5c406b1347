"""What steps come to: whether a flow is allowed, as a formula over the steps that are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.manifests import SuggestedPeer
from k8snetlint.analysis.reference import matches, missing_connection, missing_part
from k8snetlint.analysis.smt.choice import FALSE, TRUE, Formula, Made, No, Required, every, some
from k8snetlint.model.networkpolicy import EGRESS, INGRESS, IPBlock, NetworkPolicyPeer, NetworkPolicyRule
from k8snetlint.policy import ir
from k8snetlint.policy.dialects.kubernetes import connections_of, peer_of
from k8snetlint.policy.ir import Action, PeerExpr, PolicySet, Stage, Tier
from k8snetlint.policy.peers import Flow, Peer

from .drafts import Draft, PortSpan, Step, StepKind

_STAGES = {INGRESS: ir.INGRESS, EGRESS: ir.EGRESS}
_TIER = ir.NETWORK_POLICY_TIER.name


class Effects:
    """Formulas over the steps that could be taken to the drafts of a policy set, which hold all of its NetworkPolicies."""

    def __init__(self, policies: PolicySet, drafts: Sequence[Draft], steps: Sequence[Step]) -> None:
        self.policies = policies
        self.drafts = drafts
        self._enforcement = policies.peers.enforcement
        self._steps: dict[tuple[int, str, int], list[tuple[int, Step]]] = {}
        self._numbers = {step: number for number, step in enumerate(steps)}
        self._slots: dict[tuple[int, str], set[int]] = {}
        for number, step in enumerate(steps):
            self._steps.setdefault((step.draft, step.direction, step.rule), []).append((number, step))
            if step.kind is StepKind.ADD_RULE:
                self._slots.setdefault((step.draft, step.direction), set()).add(step.rule)
        self._peers: dict[tuple[int, NetworkPolicyPeer | SuggestedPeer], PeerExpr] = {}
        self._subjects = {draft.number: draft.subject for draft in drafts}
        self._selecting: dict[int, tuple[Peer, list[Draft]]] = {}

    def with_steps(self, steps: Sequence[Step]) -> Effects:
        """The same with other steps; whom the drafts select is not asked again."""
        found = Effects(self.policies, self.drafts, steps)
        found._peers = self._peers
        found._selecting = self._selecting
        return found

    def allowed(self, flow: Flow) -> Formula:
        """Whether a flow is allowed."""
        if flow.is_to_itself:
            return TRUE
        return every(*(self._stage(direction, flow) for direction in (EGRESS, INGRESS)), *self._others(flow))

    def selecting(self, peer: Peer, direction: str) -> list[Draft]:
        """The drafts that are about a peer in a direction."""
        known = self._selecting.get(id(peer))
        if known is None:
            found = [draft for draft in self.drafts if matches(self._subjects[draft.number], peer)]
            # The peer is kept, so that its identity stays its own.
            known = self._selecting[id(peer)] = (peer, found)
        return [draft for draft in known[1] if direction in draft.directions]

    def matched(self, draft: Draft, rule: NetworkPolicyRule, flow: Flow, other: Peer) -> tuple[list[int], list[int]]:
        """The numbers of the written peers and ports of a rule that fit a flow, whose other end is given."""
        peers = [index for index, peer in enumerate(rule.peers) if matches(self._peer(draft, peer), other)]
        ports = [
            index
            for index, port in enumerate(rule.ports)
            if missing_connection(connections_of(attrs.evolve(rule, ports=(port,)), self._enforcement), flow) is None
        ]
        return peers, ports

    def meanings(self) -> Iterator[Required]:
        """What has to hold of the steps so that they make manifests that mean what the formulas say."""
        for draft in self.drafts:
            if draft.is_new:
                for direction in draft.directions:
                    isolates = self._made(StepKind.ISOLATE, draft.number, direction)
                    yield Required(some(No(isolates), self._made(StepKind.ADD_POLICY, draft.number)))
            for direction in draft.directions:
                yield from self._rule_meanings(draft, direction)

    def _rule_meanings(self, draft: Draft, direction: str) -> Iterator[Required]:
        rules = draft.rules(direction)
        for index, rule in enumerate(rules):
            own = self._steps.get((draft.number, direction, index), [])
            gone = some(*(Made(n) for n, step in own if step.kind is StepKind.REMOVE_RULE))
            for listed, remove, add in (
                (rule.peers, StepKind.REMOVE_PEER, StepKind.ADD_PEER),
                (rule.ports, StepKind.REMOVE_PORT, StepKind.ADD_PORT),
            ):
                removed = [Made(number) for number, step in own if step.kind is remove]
                if listed and len(removed) == len(listed):
                    added = [Made(number) for number, step in own if step.kind is add]
                    # A list that has become empty would stand for everyone.
                    yield Required(some(gone, *map(No, removed), *added))
        previous: Formula = TRUE
        for index in sorted(self._slots.get((draft.number, direction), ())):
            own = self._steps[draft.number, direction, index]
            exists = some(*(Made(number) for number, step in own if step.kind is StepKind.ADD_RULE))
            for kind in (StepKind.ADD_PEER, StepKind.ADD_PORT):
                parts = [Made(number) for number, step in own if step.kind is kind]
                yield Required(some(No(exists), *parts))
                yield from (Required(some(No(part), exists)) for part in parts)
            yield Required(some(No(exists), previous))
            if draft.is_new:
                yield Required(some(No(exists), self._made(StepKind.ISOLATE, draft.number, direction)))
            previous = exists

    def _made(self, kind: StepKind, draft: int, direction: str = "") -> Formula:
        number = self._numbers.get(Step(kind, draft, direction))
        return Made(number) if number is not None else FALSE

    def _others(self, flow: Flow) -> Iterator[Formula]:
        for stage in self.policies.stages:
            if stage.name not in _STAGES.values() and _decided(stage.tiers, flow) is Action.DENY:
                yield FALSE

    def _stage(self, direction: str, flow: Flow) -> Formula:
        stage = next((each for each in self.policies.stages if each.name == _STAGES[direction]), Stage("", ()))
        before, after = _around(stage)
        decided = _decided(before, flow)
        if decided is not None:
            return TRUE if decided is Action.ALLOW else FALSE
        subject, other = (flow.destination, flow.source) if direction == INGRESS else (flow.source, flow.destination)
        allows: list[Formula] = []
        isolates: list[Formula] = []
        for draft in self.selecting(subject, direction):
            isolates.append(self._made(StepKind.ISOLATE, draft.number, direction) if draft.is_new else TRUE)
            allows += self._rules(draft, direction, flow, other)
        allowed = some(*allows)
        if _decided(after, flow) is Action.DENY:
            return allowed
        return some(allowed, No(some(*isolates)))

    def _rules(self, draft: Draft, direction: str, flow: Flow, other: Peer) -> Iterator[Formula]:
        rules = draft.rules(direction)
        for index, rule in enumerate(rules):
            if rule.is_understood:
                own = self._steps.get((draft.number, direction, index), [])
                kept = No(some(*(Made(number) for number, step in own if step.kind is StepKind.REMOVE_RULE)))
                peers, ports = self.matched(draft, rule, flow, other)
                yield every(
                    kept,
                    self._listed(
                        bool(rule.peers),
                        (self._kept_peer(rule, item, own, other) for item in peers),
                        own,
                        StepKind.ADD_PEER,
                        [Made(n) for n, step in own if step.peer is not None and self.fits(draft, step.peer, other)],
                    ),
                    self._listed(
                        bool(rule.ports),
                        (_kept(own, StepKind.REMOVE_PORT, item) for item in ports),
                        own,
                        StepKind.ADD_PORT,
                        _opening(own, flow),
                    ),
                )
        for slot in sorted(self._slots.get((draft.number, direction), ())):
            own = self._steps[draft.number, direction, slot]
            fitting = [Made(n) for n, step in own if step.peer is not None and self.fits(draft, step.peer, other)]
            yield every(some(*fitting), some(*_opening(own, flow)))

    @staticmethod
    def _listed(
        is_list: bool, kept: Iterable[Formula], own: Sequence[tuple[int, Step]], kind: StepKind, fitting: list[Formula]
    ) -> Formula:
        """Whether the peers or ports of a rule fit; where it lists none, all do until one is added."""
        if is_list:
            return some(*kept, *fitting)
        return some(No(some(*(Made(number) for number, step in own if step.kind is kind))), *fitting)

    def _kept_peer(self, rule: NetworkPolicyRule, item: int, own: Sequence[tuple[int, Step]], other: Peer) -> Formula:
        excepted = [
            No(Made(number))
            for number, step in own
            if step.kind is StepKind.ADD_EXCEPTION
            and step.item == item
            and not other.addresses.isdisjoint(AddressSet.cidr(step.block))
        ]
        return every(_kept(own, StepKind.REMOVE_PEER, item), *excepted)

    def fits(self, draft: Draft, peer: SuggestedPeer, other: Peer) -> bool:
        """Whether a peer, written in a draft, means the other end of a flow."""
        return matches(self._peer(draft, peer), other)

    def _peer(self, draft: Draft, peer: NetworkPolicyPeer | SuggestedPeer) -> PeerExpr:
        key = (draft.number, peer)
        known = self._peers.get(key)
        if known is None:
            written = _read(peer) if isinstance(peer, SuggestedPeer) else peer
            known = self._peers[key] = peer_of(draft.policy, written)
        return known


def _read(peer: SuggestedPeer) -> NetworkPolicyPeer:
    block = IPBlock(peer.cidr, (), AddressSet.cidr(peer.cidr)) if peer.cidr is not None else None
    return NetworkPolicyPeer(peer.pods, peer.namespaces, block, ())


def _kept(own: Sequence[tuple[int, Step]], kind: StepKind, item: int) -> Formula:
    return No(some(*(Made(number) for number, step in own if step.kind is kind and step.item == item)))


def _opening(own: Sequence[tuple[int, Step]], flow: Flow) -> list[Formula]:
    return [
        Made(number)
        for number, step in own
        if step.kind is StepKind.ADD_PORT
        and (step.port is None or (flow.protocol, flow.port) in connections(step.port))
    ]


def connections(port: PortSpan) -> ConnectionSet:
    """The connections of a span of ports."""
    return ConnectionSet.span(*port)


def _around(stage: Stage) -> tuple[Sequence[Tier], Sequence[Tier]]:
    """The tiers before that of NetworkPolicies, and those after it."""
    names = [tier.name for tier in stage.tiers]
    if _TIER in names:
        at = names.index(_TIER)
        return stage.tiers[:at], stage.tiers[at + 1 :]
    at = names.index(ir.BASELINE_TIER.name) if ir.BASELINE_TIER.name in names else len(names)
    return stage.tiers[:at], stage.tiers[at:]


def _decided(tiers: Iterable[Tier], flow: Flow) -> Action | None:
    """What tiers decide about a flow; None where none does."""
    for tier in tiers:
        for rule in tier.rules:
            if missing_part(rule, flow) is None:
                if rule.action is Action.PASS:
                    break
                return rule.action
    return None
