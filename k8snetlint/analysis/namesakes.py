"""Pods of one controller that policies tell apart: peers of one text, given texts of their own to compare two maps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable

import attrs

from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.policy.peers import Peer

from .reachability import Connectivity

# No name of an object holds it; the text still ends as that of a workload does.
_MARK = "\0"


def plain_name(text: str) -> str:
    """The text of a peer as it was before it was told apart."""
    return text.partition(_MARK)[0]


def told_apart(old: Connectivity, new: Connectivity) -> Callable[[Connectivity], Connectivity]:
    """What gives peers of one text texts of their own, the same in both maps for peers that are alike.

    Only where each has its like in the other map: elsewhere pods came and went, and the controller is what they have in
    common.
    """
    before, after = _namesakes(old), _namesakes(new)
    texts = {
        (text, likeness): f"{text}{_MARK}{number}]"
        for text in before.keys() & after.keys()
        if set(before[text]) == set(after[text]) and len(before[text]) == len(set(before[text])) == len(after[text])
        for number, likeness in enumerate(before[text])
    }

    def apart(found: Connectivity) -> Connectivity:
        if not texts:
            return found
        points = (
            attrs.evolve(point, peers=tuple(_renamed(peer, texts) for peer in point.peers)) for point in found.points
        )
        return attrs.evolve(found, points=tuple(points))

    return apart


def _renamed(peer: Peer, texts: dict[tuple[str, Hashable], str]) -> Peer:
    text = texts.get((peer.text, _likeness(peer)))
    return peer if text is None else attrs.evolve(peer, text=text)


def _namesakes(found: Connectivity) -> dict[str, list[Hashable]]:
    """What the peers are like that share a text, by that text."""
    peers = [peer for point in found.points for peer in point.peers]
    counts = Counter(peer.text for peer in peers)
    likenesses: dict[str, list[Hashable]] = {}
    for peer in peers:
        if counts[peer.text] > 1:
            likenesses.setdefault(peer.text, []).append(_likeness(peer))
    return likenesses


def _likeness(peer: Peer) -> Hashable:
    labels = frozenset(item for item in peer.labels.items() if not is_run_time_label(item[0]))
    return labels, peer.ports, peer.is_node
