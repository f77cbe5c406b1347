"""The least-privilege NetworkPolicies for what manifests call for, as though there were no NetworkPolicy yet.

Each namespace gets a default deny in both directions, and each workload one policy with what is called for. The values
here are what would be written; `formatters.suggestion` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL, Cluster
from k8snetlint.model.core import LabelSelector, Requirement, label_map_selector
from k8snetlint.model.networkpolicy import EGRESS, INGRESS, NetworkPolicy
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Peer, Peers
from k8snetlint.settings import Settings

from .dns import DNS_LABELS
from .manifests import SuggestedPeer, SuggestedPolicy, SuggestedRule, free_name, namespace_named
from .podselectors import Selected, selected
from .wants import SYSTEM_NAMESPACES, Because, Beyond, End, Notice, Operated, Want, Wants, wants

DEFAULT_DENY = "default-deny"
_ANYONE: tuple[SuggestedPeer, ...] = ()


@attrs.frozen
class Suggestion:
    """The policies, and what a reader has to know of them."""

    policies: tuple[SuggestedPolicy, ...]
    notices: tuple[Notice, ...]


def suggestion(cluster: Cluster, policies: PolicySet, settings: Settings) -> Suggestion:
    """The policies for what a cluster calls for, by namespace and name. Present policies are not built upon."""
    return _Writer(cluster, policies.peers, wants(cluster, policies, settings)).suggestion()


class _Rules:
    """The rules of one direction of one policy as they come together: ports and reasons by the other end."""

    def __init__(self) -> None:
        self.ports: dict[tuple[SuggestedPeer, ...], dict[tuple[str, int], None]] = {}
        self.because: dict[tuple[SuggestedPeer, ...], dict[Because, None]] = {}

    def add(self, others: tuple[SuggestedPeer, ...], want: Want) -> None:
        self.ports.setdefault(others, {})[want.protocol, want.port] = None
        self.because.setdefault(others, {})[want.because] = None

    def written(self) -> tuple[SuggestedRule, ...]:
        """The rules; what is open to anyone is not opened once more, its reasons are kept there."""
        open_ = self.ports.get(_ANYONE, {})
        reasons = dict(self.because.get(_ANYONE, {}))
        found: list[SuggestedRule] = []
        for others, ports in self.ports.items():
            left = {port for port in ports if port not in open_}
            if others == _ANYONE or not left:
                reasons.update(self.because[others])
            else:
                found.append(SuggestedRule(others, tuple(sorted(left)), tuple(self.because[others])))
        if open_:
            found.insert(0, SuggestedRule(_ANYONE, tuple(sorted(open_)), tuple(reasons)))
        return tuple(found)


class _Writer:
    def __init__(self, cluster: Cluster, peers: Peers, wanted: Wants) -> None:
        self.cluster = cluster
        self.wanted = wanted
        self.groups = selected(peers.pods)
        self._group_of = {id(peer): group for group in self.groups for peer in group.peers}
        self._rules: dict[tuple[int, str], _Rules] = {}
        self._inhabited = tuple(sorted({group.namespace for group in self.groups}))
        self._named = {
            workload.namespace for peer in peers.pods for workload in peer.workloads if workload.has_namespace
        }

    def suggestion(self) -> Suggestion:
        for want in self.wanted.wants:
            if isinstance(want.source, Peer):
                self._add(want.source, EGRESS, want.destination, want)
            if isinstance(want.destination, Peer):
                self._add(want.destination, INGRESS, want.source, want)
        policies = [policy for namespace in self._inhabited for policy in self._policies(namespace)]
        return Suggestion(tuple(policies), (*self._notices(), *self.wanted.notices))

    def _add(self, subject: Peer, direction: str, other: End, want: Want) -> None:
        group = self._group_of[id(subject)]
        rules = self._rules.setdefault((id(group), direction), _Rules())
        rules.add(tuple(self._others(other, group.namespace)), want)

    def _others(self, end: End, own_namespace: str) -> Iterator[SuggestedPeer]:
        if isinstance(end, Peer):
            group = self._group_of[id(end)]
            namespaces = None if group.namespace == own_namespace else namespace_named(group.namespace)
            yield SuggestedPeer(group.selector, namespaces)
        elif end is Beyond.NAME_SERVERS:
            yield SuggestedPeer(label_map_selector(dict(DNS_LABELS[:1])), namespace_named("kube-system"))
        elif end is Beyond.INGRESS_CONTROLLER or end is Beyond.PROMETHEUS:
            others = Requirement(NAMESPACE_NAME_LABEL, "NotIn", self._inhabited)
            yield SuggestedPeer(namespaces=LabelSelector((), (others,)))
        elif isinstance(end, Operated):
            namespaces = None if end.namespace == own_namespace else namespace_named(end.namespace)
            yield SuggestedPeer(LabelSelector(end.labels), namespaces)
        elif not isinstance(end, Beyond):
            yield from (SuggestedPeer(cidr=text) for text in end.cidr_texts())

    def _policies(self, namespace: str) -> Iterator[SuggestedPolicy]:
        if namespace in SYSTEM_NAMESPACES:
            return
        groups = [group for group in self.groups if group.namespace == namespace]
        taken = {policy.name for policy in self.cluster.all_of(NetworkPolicy) if policy.namespace == namespace}
        written = namespace if namespace in self._named else None
        whole = next((group for group in groups if group.selector.is_empty), None)
        yield self._policy(free_name(DEFAULT_DENY, taken), written, whole)
        groups = [group for group in groups if group is not whole]
        names = {id(group): free_name(name, taken) for group, name in sorted(_names(groups), key=lambda each: each[1])}
        for group in sorted(groups, key=lambda group: names[id(group)]):
            yield self._policy(names[id(group)], written, group)

    def _policy(self, name: str, namespace: str | None, group: Selected | None) -> SuggestedPolicy:
        """The policy of a group; a default deny is that of pods without labels too, which nothing else selects."""
        if group is None:
            return SuggestedPolicy(name, namespace, LabelSelector())
        subjects = tuple(dict.fromkeys(peer.text for peer in group.peers))
        rules = (self._written(group, INGRESS), self._written(group, EGRESS))
        return SuggestedPolicy(name, namespace, group.selector, subjects, self._unneeded(group), *rules)

    def _unneeded(self, group: Selected) -> tuple[str, ...]:
        found = (text for peer in group.peers for text in self.wanted.unneeded.get(id(peer), ()))
        return tuple(dict.fromkeys(found))

    def _written(self, group: Selected, direction: str) -> tuple[SuggestedRule, ...]:
        rules = self._rules.get((id(group), direction))
        return rules.written() if rules is not None else ()

    def _notices(self) -> Iterator[Notice]:
        present = self.cluster.all_of(NetworkPolicy)
        if present:
            some = ", ".join(f"{policy.namespace}/{policy.name}" for policy in present[:3])
            more = f" and {len(present) - 3} more" if len(present) > 3 else ""
            yield Notice(
                f"the policies that are there already ({some}{more}) are not looked at: what they allow stays allowed"
                " until they are removed"
            )
        for name in self._inhabited:
            if name in SYSTEM_NAMESPACES:
                yield Notice(f"namespace {name} is left as it is: what its pods need is not in the manifests")
        for group in self.groups:
            if group.namespace in SYSTEM_NAMESPACES:
                continue
            texts = list(dict.fromkeys(peer.text for peer in group.peers))
            place = group.peers[0].workloads[0].root.nearest(*group.peers[0].workloads[0].labels_path).place
            if len(texts) > 1:
                yield Notice(f"{', '.join(texts)} have the same labels: one policy is for all of them", place)
            if group.also:
                also = ", ".join(dict.fromkeys(peer.text for peer in group.also))
                yield Notice(f"the selector for {texts[0]} selects {also} too: their labels are not known", place)
            elif group.selector.is_empty:
                yield Notice(f"{texts[0]} has no label to select it by: its policy is for the whole namespace", place)


def _names(groups: Iterable[Selected]) -> Iterator[tuple[Selected, str]]:
    """A name for each policy: the workload's, with its kind where workloads share the name."""
    found = [(group, group.peers[0].text.partition("[")) for group in groups]
    counts: dict[str, int] = {}
    for _, (name, _, _) in found:
        counts[name] = counts.get(name, 0) + 1
    for group, (name, _, kind) in found:
        bare = name.partition("/")[2]
        yield group, bare if counts[name] == 1 else f"{bare}-{kind.rstrip(']')}"
