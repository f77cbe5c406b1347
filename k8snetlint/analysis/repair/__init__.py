"""The smallest change to NetworkPolicies that makes intents hold: MaxSAT over single steps, and proofs of the result.

What the intents say of the workloads in the manifests is required from the beginning. What they say of pods that anyone
could create is proved afterwards: a flow that refutes it is required too, and the change is looked for anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs

from k8snetlint.algebra.addresses import AddressSet
from k8snetlint.analysis.connectivity import connectivity_map
from k8snetlint.analysis.difference import Difference, difference
from k8snetlint.analysis.ends import UnknownEnd
from k8snetlint.analysis.intents import Intent
from k8snetlint.analysis.podselectors import selected
from k8snetlint.analysis.proof import IntentProver
from k8snetlint.analysis.smt.choice import Conflict, Formula, No, Required, cheapest
from k8snetlint.analysis.verdict import Refuted, Undecided, Unknown
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Plain

from .candidates import Asked, Candidates, cuts_of, new_drafts, present_drafts, representatives
from .drafts import Draft, Step, policy_of, revised, step_text
from .effects import Effects

_MOST_ROUNDS = 25
_MOST_FLOWS = 60_000
_MOST_STEPS = 4_000
# Changes of one size that are compared by how many connections they touch.
_MOST_COMPARED = 16
_MOST_PEERS_COMPARED = 150


@attrs.frozen
class Change:
    """A policy that changes: `policy` is None where it is added. `manifest` is what it is then, `steps` in words."""

    policy: NetworkPolicy | None
    namespace: str
    manifest: Plain
    steps: tuple[str, ...]


@attrs.frozen
class Repair:
    """A smallest change after which all intents hold; no change where they hold already. `cost` counts its steps."""

    changes: tuple[Change, ...]
    cost: int
    effect: Difference


@attrs.frozen
class Impossible:
    """No change of the policies that may change makes these intents hold together; without one of them, one does."""

    intents: tuple[Intent, ...]


@attrs.frozen
class Unrepaired:
    """It is not known how the intents could be made to hold, for the reason given."""

    reason: str


Outcome = Repair | Impossible | Unrepaired


def repair(
    cluster: Cluster,
    policies: PolicySet,
    intents: Sequence[Intent],
    settings: Settings,
    is_editable: Callable[[NetworkPolicy], bool],
    namespaces: frozenset[str],
) -> Outcome:
    """The smallest change after which the intents hold.

    Only policies that are editable change; policies are added only to `namespaces`.
    """
    if not policies.peers.enforcement.enforces_policies:
        return Unrepaired(f"{policies.peers.enforcement.name} enforces no policy: no change would change anything")
    if policies.problems:
        return Unrepaired("a policy is not understood, and what it allows is not known")
    editable = [policy for policy in cluster.all_of(NetworkPolicy) if is_editable(policy)]
    search = _Search(cluster, policies, intents, settings, editable, namespaces)
    try:
        return search.outcome()
    except (Undecided, UnknownEnd) as error:
        return Unrepaired(str(error))


class _Search:
    def __init__(
        self,
        cluster: Cluster,
        policies: PolicySet,
        intents: Sequence[Intent],
        settings: Settings,
        editable: Sequence[NetworkPolicy],
        namespaces: frozenset[str],
    ) -> None:
        self.cluster = cluster
        self.policies = policies
        self.intents = intents
        self.settings = settings
        self.namespaces = namespaces
        self.present = present_drafts(cluster, policies.peers.enforcement, editable)
        self.groups = selected(policies.peers.pods)
        self._map = connectivity_map(cluster, policies)

    def outcome(self) -> Outcome:
        """The change that makes the intents hold, or why there is none."""
        prover = IntentProver(self.cluster, self.policies)
        for intent in self.intents:
            verdict = prover.verdict(intent)
            if isinstance(verdict, Unknown):
                return Unrepaired(f"intent `{intent.name}` is unknown: {verdict.reason}")
        asked = self._asked(prover)
        for _ in range(_MOST_ROUNDS):
            chosen = self._chosen(asked)
            if isinstance(chosen, Impossible):
                return chosen
            drafts, steps = chosen
            changed = self._changed(drafts, steps)
            more = list(self._refuting(*changed))
            if not more:
                return self._repair(drafts, steps, changed)
            known = {_key(each) for each in asked}
            if all(_key(each) in known for each in more):
                raise AssertionError("a change does not do what its formula says")
            asked += more
        raise Undecided(f"no change was found that can be proved for every pod, in {_MOST_ROUNDS} rounds")

    def _asked(self, prover: IntentProver) -> list[Asked]:
        """What the intents say of the closed world: one flow for each part of the ports that anything tells apart."""
        blocks = [each for intent in self.intents for each in _blocks(intent)]
        cuts = list(dict.fromkeys(cuts_of(self.intents, self.present, self.policies.peers.pods)))
        found: list[Asked] = []
        for number, intent in enumerate(self.intents):
            for demand in prover.demands(intent, blocks):
                for protocol, port in representatives(demand.connections, cuts):
                    flow = Flow(demand.source, demand.destination, protocol, port, demand.through_service)
                    found.append(Asked(flow, intent.is_allow, number))
                if len(found) > _MOST_FLOWS:
                    raise Undecided(f"the intents speak of more than {_MOST_FLOWS:,} flows")
        return found

    def _chosen(self, asked: Sequence[Asked]) -> tuple[list[Draft], tuple[Step, ...]] | Impossible:
        added = new_drafts(self.cluster, len(self.present), asked, self.groups, self.namespaces)
        drafts = _numbered([*self.present, *added])
        effects = Effects(self.policies, drafts, ())
        steps = Candidates(drafts, effects, self.intents, asked, self.groups).steps()
        if len(steps) > _MOST_STEPS:
            raise Undecided(f"there are more than {_MOST_STEPS:,} single steps to choose from")
        effects = effects.with_steps(steps)
        required: dict[tuple[Formula, int | None], Required] = {}
        for each in asked:
            allowed = effects.allowed(each.flow)
            formula = allowed if each.is_allowed else No(allowed)
            required.setdefault((formula, each.intent), Required(formula, each.intent))
        all_required = [*effects.meanings(), *required.values()]
        found = cheapest(all_required, dict.fromkeys(range(len(steps)), 1), _MOST_COMPARED)
        if isinstance(found, Conflict):
            return Impossible(tuple(self.intents[number] for number in found.asked_by))
        choices = [tuple(steps[number] for number in sorted(choice)) for choice in found]
        return drafts, self._gentlest(drafts, choices)

    def _gentlest(self, drafts: Sequence[Draft], choices: Sequence[tuple[Step, ...]]) -> tuple[Step, ...]:
        """Of changes of one size the one that touches the fewest connections."""
        if len(choices) == 1 or len(self.policies.peers.pods) > _MOST_PEERS_COMPARED:
            return choices[0]
        return min(choices, key=lambda steps: len(self._effect(self._changed(drafts, steps)).changes))

    def _changed(self, drafts: Sequence[Draft], steps: Sequence[Step]) -> tuple[Cluster, PolicySet]:
        """The cluster and its policies after some steps."""
        touched = {step.draft for step in steps}
        replaced: dict[int, NetworkPolicy] = {}
        added: list[NetworkPolicy] = []
        for draft in drafts:
            if draft.number in touched:
                policy = policy_of(revised(draft, steps), draft.policy.namespace or "")
                if draft.is_new:
                    added.append(policy)
                else:
                    replaced[id(draft.policy)] = policy
        cluster = self.cluster.revised(replaced, added)
        return cluster, lower(cluster, self.policies.peers.enforcement, self.settings.cluster.pod_cidrs)

    def _refuting(self, cluster: Cluster, policies: PolicySet) -> Iterator[Asked]:
        """The flows that refute the intents about a changed cluster, of the peers of the present one."""
        prover = IntentProver(cluster, policies)
        for number, intent in enumerate(self.intents):
            verdict = prover.verdict(intent)
            if isinstance(verdict, Unknown):
                raise Undecided(f"whether `{intent.name}` holds after the change is unknown: {verdict.reason}")
            if isinstance(verdict, Refuted):
                witness = verdict.witness
                source, destination = (self._known(end) for end in (witness.source, witness.destination))
                if witness.source is witness.destination and witness.through_service:
                    destination = attrs.evolve(destination)
                flow = witness._replace(source=source, destination=destination)
                yield Asked(flow, intent.is_allow, number)

    def _known(self, peer: Peer) -> Peer:
        return peer if peer.index is None else self.policies.peers.pods[peer.index]

    def _effect(self, changed: tuple[Cluster, PolicySet]) -> Difference:
        return difference(self._map, connectivity_map(*changed))

    def _repair(self, drafts: Sequence[Draft], steps: Sequence[Step], changed: tuple[Cluster, PolicySet]) -> Repair:
        changes = []
        for draft in drafts:
            own = [step for step in steps if step.draft == draft.number]
            if own:
                texts = tuple(step_text(step, draft) for step in own)
                policy = None if draft.is_new else draft.policy
                changes.append(Change(policy, draft.policy.namespace or "", revised(draft, own), texts))
        return Repair(tuple(changes), len(steps), self._effect(changed))


def _numbered(drafts: Iterable[Draft]) -> list[Draft]:
    return [attrs.evolve(draft, number=number) for number, draft in enumerate(drafts)]


def _blocks(intent: Intent) -> Iterator[AddressSet]:
    for selection in (*intent.sources, *intent.destinations):
        if selection.addresses is not None:
            yield selection.addresses


def _key(asked: Asked) -> tuple[object, ...]:
    flow = asked.flow
    ends = tuple(_end_key(end) for end in (flow.source, flow.destination))
    return (asked.intent, ends, flow.protocol, flow.port, flow.through_service)


def _end_key(end: Peer) -> tuple[object, ...]:
    """What tells an end from others: of an imagined pod all that policies can ask about it."""
    if end.index is not None:
        return (end.index,)
    labels = (tuple(sorted(each.items())) for each in (end.labels, end.namespace_labels))
    return (end.text, end.namespace, *labels, end.service_account, end.ports, end.node, end.is_node)


__all__ = ["Change", "Impossible", "Outcome", "Repair", "Unrepaired", "repair"]
