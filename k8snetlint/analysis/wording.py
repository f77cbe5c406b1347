"""Flows in words, as messages and verdicts show them."""

from __future__ import annotations

from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.peers import Flow, Peer

from .reference import is_allowed


def flow_text(flow: Flow) -> str:
    """A flow as `source -> destination protocol port`."""
    return f"{peer_text(flow.source)} -> {peer_text(flow.destination)} {flow.protocol} {flow.port}"


def peer_text(peer: Peer) -> str:
    """A peer by its name or address; a pod that is only imagined by its namespace and labels."""
    if peer.index is not None or not peer.is_pod:
        return peer.text
    labels = ", ".join(f"{key}={value}" for key, value in peer.labels.items())
    return f"a pod of namespace {peer.namespace} with {f'labels {labels}' if labels else 'no labels'}"


def witness_text(policies: PolicySet, flow: Flow) -> str:
    """A flow as an example, with what the reference says of it."""
    word = "allowed" if is_allowed(policies, flow).is_allowed else "denied"
    return f"for example {flow_text(flow)} is {word}"
