"""Selectors for the pods of workloads: labels that stay, and that tell each workload from its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from k8snetlint.model.core import LabelSelector, Requirement
from k8snetlint.model.kinds import RUN_TIME_LABELS
from k8snetlint.model.policyfields import is_label_key, is_label_value
from k8snetlint.model.values import is_placeholder
from k8snetlint.policy.peers import JOB_NAME_LABELS, Peer

# Labels that a new release of the same workload changes, or that say nothing of it.
_VOLATILE = frozenset(
    {"app.kubernetes.io/managed-by", "app.kubernetes.io/version", "chart", "helm.sh/chart", "heritage"}
)


@attrs.frozen(eq=False)
class Selected:
    """Pods of one namespace that no lasting label tells apart, and a selector for them.

    `also` are the other peers of the namespace that the selector cannot help selecting.
    """

    namespace: str
    peers: tuple[Peer, ...]
    selector: LabelSelector
    also: tuple[Peer, ...] = ()


def selected(peers: Iterable[Peer]) -> tuple[Selected, ...]:
    """A selector for each of the peers that are pods, those of equal lasting labels together, in their order."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Peer]] = {}
    worn: dict[tuple[str, tuple[str, str] | None], list[Peer]] = {}
    for peer in peers:
        namespace = peer.namespace or ""
        for label in (None, *peer.labels.items()):
            worn.setdefault((namespace, label), []).append(peer)
        if peer.is_pod:
            groups.setdefault((namespace, tuple(sorted(_lasting(peer).items()))), []).append(peer)
    return tuple(_selected(namespace, group, worn) for (namespace, _), group in groups.items())


def _selected(
    namespace: str, group: list[Peer], wearing: Mapping[tuple[str, tuple[str, str] | None], list[Peer]]
) -> Selected:
    own = _lasting(group[0])
    worn = {key for peer in group for key in peer.labels}
    members = {id(peer) for peer in group}
    labels = dict(_base(group[0], own))
    absent: list[str] = []
    while True:
        selector = LabelSelector(
            tuple(sorted(labels.items())), tuple(Requirement(key, "DoesNotExist") for key in sorted(absent))
        )
        near = wearing[namespace, selector.match_labels[0] if selector.match_labels else None]
        rivals = [peer for peer in near if id(peer) not in members and selector.matches(peer.labels)]
        best = min(_cuts(own, worn, labels, absent, rivals), default=None)
        if best is None:
            return Selected(namespace, tuple(group), selector, tuple(rivals))
        _, _, key = best
        if key in own:
            labels[key] = own[key]
        else:
            absent.append(key)


def _cuts(
    own: Mapping[str, str], worn: set[str], labels: Mapping[str, str], absent: list[str], rivals: list[Peer]
) -> Iterator[tuple[int, bool, str]]:
    """The label keys whose test would leave rivals out; the one that leaves out most is the least."""
    for key, value in own.items():
        out = sum(peer.labels.get(key) != value for peer in rivals)
        if out and key not in labels:
            yield -out, key in _VOLATILE, key
    for key in dict.fromkeys(key for peer in rivals for key in _lasting(peer)):
        if key not in worn and key not in absent:
            yield -sum(key in peer.labels for peer in rivals), True, key


def _lasting(peer: Peer) -> dict[str, str]:
    """The labels that pods of the peer are made with and that are known now; of a bare Job the one with its name."""
    found = {key: value for key, value in peer.labels.items() if key not in RUN_TIME_LABELS and _is_known(key, value)}
    name = peer.labels.get(JOB_NAME_LABELS[0])
    return found if found or name is None or not is_label_value(name) else {JOB_NAME_LABELS[0]: name}


def _is_known(key: str, value: str) -> bool:
    """Whether a label is one that pods can have, and it is known."""
    is_valid = is_label_key(key) and is_label_value(value)
    return is_valid and not is_placeholder(key) and not is_placeholder(value)


def _base(peer: Peer, own: Mapping[str, str]) -> Mapping[str, str]:
    """The labels to begin with: those of the workload's own selector, which cannot change, or all that last."""
    selector = peer.workloads[0].selector if peer.workloads else None
    if selector is not None and selector.match_labels and all(own.get(k) == v for k, v in selector.match_labels):
        return dict(selector.match_labels)
    return {key: value for key, value in own.items() if key not in _VOLATILE} or own


def all_labels(peer: Peer) -> LabelSelector:
    """A selector of every lasting label of a pod."""
    return LabelSelector(tuple(sorted(_lasting(peer).items())))
