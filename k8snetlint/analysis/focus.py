"""A map narrowed to what concerns some of its ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8snetlint.algebra.addresses import AddressSet, parse_range
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import PolicySet

from .ends import ServiceEnd, resolve
from .routing import backends

INGRESS, EGRESS, BOTH = "ingress", "egress", "both"
DIRECTIONS = (BOTH, INGRESS, EGRESS)


def focused(texts: Iterable[str], direction: str, cluster: Cluster, policies: PolicySet) -> Callable[[str, str], bool]:
    """Which pairs of names concern the ends that texts mean: into them, out of them, or both.

    A Service stands for the workloads behind it. Raises UnknownEnd for a text that means nothing.
    """
    names: set[str] = set()
    addresses = AddressSet()
    for text in texts:
        end = resolve(text, cluster, policies.peers, policies)
        if isinstance(end, ServiceEnd):
            for backend in backends(cluster, end.service, end.port):
                peer = policies.peers.of(backend.workload) if backend.workload is not None else None
                if peer is not None:
                    names.add(peer.text)
            continue
        for peer in end:
            if peer.index is not None or peer.is_pod:
                names.add(peer.text)
            else:
                addresses |= peer.addresses
    known: dict[str, bool] = {}

    def is_in(name: str) -> bool:
        if name not in known:
            is_outside = not name.endswith(("]", "}"))
            known[name] = name in names or (is_outside and not parse_range(name).isdisjoint(addresses))
        return known[name]

    def chosen(source: str, destination: str) -> bool:
        return (direction != INGRESS and is_in(source)) or (direction != EGRESS and is_in(destination))

    return chosen
