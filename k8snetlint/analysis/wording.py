"""Flows in words, as messages and verdicts show them."""

from __future__ import annotations

from collections.abc import Mapping

from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Flow, Peer

from .reference import is_allowed


def flow_text(flow: Flow) -> str:
    """A flow as `source -> destination protocol port`, with the names that an imagined pod has for the port."""
    names = [
        port.name
        for port in flow.destination.ports
        if _is_imagined(flow.destination) and (port.protocol, port.number) == (flow.protocol, flow.port)
    ]
    named = f" (named {', '.join(names)})" if names else ""
    return f"{peer_text(flow.source)} -> {peer_text(flow.destination)} {flow.protocol} {flow.port}{named}"


def peer_text(peer: Peer) -> str:
    """A peer by its name or address; a pod that is only imagined by its namespace and the labels of both."""
    if not _is_imagined(peer):
        return peer.text
    own = {key: value for key, value in peer.namespace_labels.items() if key != NAMESPACE_NAME_LABEL}
    of_namespace = f" ({_labels_text(own)})" if own else ""
    labels = f"labels {_labels_text(peer.labels)}" if peer.labels else "no labels"
    return f"a pod of namespace {peer.namespace}{of_namespace} with {labels}"


def _is_imagined(peer: Peer) -> bool:
    return peer.index is None and peer.is_pod


def _labels_text(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())


def witness_text(policies: PolicySet, flow: Flow) -> str:
    """A flow as an example, with what the reference says of it."""
    word = "allowed" if is_allowed(policies, flow).is_allowed else "denied"
    return f"for example {flow_text(flow)} is {word}"
