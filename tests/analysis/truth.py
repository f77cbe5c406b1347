"""The truth table: what its probes ask, as flows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from k8snetlint.algebra.addresses import Address
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Flow, Peer, Peers

TABLE = Path(__file__).resolve().parents[2] / "fixtures" / "truth-table.yaml"


class Probe(NamedTuple):
    """One question of the table; `flows` are several where a Service has several backends."""

    flows: tuple[Flow, ...]
    is_allowed: bool
    text: str


def cases(engine: str) -> list[dict[str, Any]]:
    """The cases of the table for one engine."""
    with TABLE.open(encoding="utf-8") as stream:
        table = YAML(typ="safe").load(stream)
    return [case for case in table["cases"] if case["engine"] == engine]


def probes(case: dict[str, Any], policies: PolicySet) -> list[Probe]:
    """The probes of a case on its cluster."""
    made = []
    for probe in case["probes"]:
        source, target = str(probe["src"]), str(probe["dst"])
        sender = _peer(policies.peers, source)
        protocol, port = probe["protocol"], int(probe["port"])
        service = _service(policies.peers.cluster, target)
        if service is None:
            flows = (Flow(sender, _peer(policies.peers, target), protocol, port),)
        else:
            ends = _backends(policies.peers, service, protocol, port)
            assert ends, f"{target}:{port} has no backend"
            flows = tuple(Flow(sender, end, protocol, number, through_service=True) for end, number in ends)
        made.append(Probe(flows, probe["allowed"], f"{source} -> {target} {protocol}/{port}"))
    return made


def _peer(peers: Peers, text: str) -> Peer:
    if "/" not in text:
        return peers.at(Address.parse(text))
    namespace, _, name = text.partition("/")
    (found,) = (peer for peer in peers.pods for pod in peer.workloads if (pod.namespace, pod.name) == (namespace, name))
    return found


def _service(cluster: Cluster, address: str) -> Service | None:
    return next((service for service in cluster.services if service.cluster_ip == address), None)


def _backends(peers: Peers, service: Service, protocol: str, port: int) -> list[tuple[Peer, int]]:
    (entry,) = (entry for entry in service.ports if (entry.protocol, entry.number) == (protocol, port))
    found: list[tuple[Peer, int]] = []
    for workload in peers.cluster.backends(service):
        peer = peers.of(workload)
        number = _target(peer, entry)
        if peer is not None and number is not None:
            found.append((peer, number))
    for endpoint_slice in peers.cluster.endpoints(service):
        root = endpoint_slice.root
        for endpoint in root.at("endpoints").items:
            for address in endpoint.at("addresses").items:
                for target in root.at("ports").items:
                    found.append((peers.at(Address.parse(str(address.value))), int(str(target.at("port").value))))
    return found


def _target(peer: Peer | None, entry: ServicePort) -> int | None:
    target = entry.effective_target
    if peer is None or not isinstance(target, str):
        return target if isinstance(target, int) else None
    numbers = [port.number for port in peer.ports if (port.name, port.protocol) == (target, entry.protocol)]
    return numbers[0] if numbers else None
