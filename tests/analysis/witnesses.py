"""Witnesses read back from the words that a user sees, and asked again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.algebra.addresses import Address, parse_range
from k8snetlint.analysis.reference import is_allowed
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import DeclaredPort, Flow, Peer

_LABELS = r"[^()>]*?"
_END = rf"(?:a pod of namespace (?:\S+)(?: \({_LABELS}\))? with (?:no labels|labels {_LABELS})|\S+)"
WITNESS = re.compile(
    rf"for example (?P<source>{_END}) -> (?P<destination>{_END}) (?P<protocol>TCP|UDP|SCTP) (?P<port>\d+)"
    r"(?: \(named (?P<names>[^)]*)\))? is (?P<word>allowed|denied)"
)
_POD = re.compile(
    rf"a pod of namespace (?P<namespace>\S+?)(?: \((?P<own>{_LABELS})\))? with (?:no labels|labels (?P<labels>.*))\Z"
)


def witnesses(text: str) -> Iterator[re.Match[str]]:
    """The witnesses in a text. Fails where one cannot be read back."""
    found = list(WITNESS.finditer(text))
    assert len(found) == text.count("for example "), text
    yield from found


def replayed(policies: PolicySet, witness: re.Match[str], through_service: bool) -> bool:
    """Whether the reference says of the flow what the witness says."""
    ports = tuple(
        DeclaredPort(name, witness["protocol"], int(witness["port"]))
        for name in (witness["names"] or "").split(", ")
        if name
    )
    source, destination = (_peer(policies, witness[end], ports) for end in ("source", "destination"))
    flow = Flow(source, destination, witness["protocol"], int(witness["port"]), through_service)
    return is_allowed(policies, flow).is_allowed == (witness["word"] == "allowed")


def _peer(policies: PolicySet, text: str, ports: tuple[DeclaredPort, ...]) -> Peer:
    pod = _POD.match(text)
    if pod is not None:
        own = policies.peers.labels_of_namespace(pod["namespace"])
        return Peer(
            text,
            namespace=pod["namespace"],
            namespace_labels={**own, **_labels(pod["own"])},
            labels=_labels(pod["labels"]),
            service_account="default",
            ports=ports,
            addresses=policies.peers.unknown_addresses,
            is_pod=True,
        )
    for peer in policies.peers.pods:
        if peer.text == text:
            return peer
    addresses = parse_range(text)
    ranges = list(addresses.ranges())
    assert len(ranges) == 1
    if ranges[0][1] != ranges[0][2]:
        return Peer(text, addresses=addresses)
    return policies.peers.at(Address(ranges[0][0], ranges[0][1]))


def _labels(text: str | None) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(", ")) if text else {}
