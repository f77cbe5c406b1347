"""Labels that controllers set on the pods of a workload when they run, and rules for which they matter."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.model.core import Resource
from k8snetlint.model.kinds import RUN_TIME_LABELS, is_run_time_label
from k8snetlint.policy.ir import PeerExpr, PolicySet, pod_tests_of
from k8snetlint.policy.peers import Peer
from k8snetlint.source.tree import Path

from .reference import matches

# Labels that controllers of some kinds alone set on their pods. Source: Kubernetes, well-known labels.
_LABELS_OF_KINDS = (
    ("job-name", ("Job", "CronJob")),
    ("batch.kubernetes.io/", ("Job", "CronJob")),
    ("controller-uid", ("Job", "CronJob")),
    ("statefulset.kubernetes.io/", ("StatefulSet",)),
    ("apps.kubernetes.io/pod-index", ("StatefulSet",)),
    ("controller-revision-hash", ("StatefulSet", "DaemonSet")),
    ("pod-template-generation", ("DaemonSet",)),
    ("pod-template-hash", ("Deployment", "ReplicaSet")),
    ("rollouts-pod-template-hash", ("Rollout",)),
    ("leaderworkerset.", ("LeaderWorkerSet",)),
)
# What stands for a value that no rule names.
_SOME_VALUE = ""


@attrs.frozen
class LateLabel:
    """A label that the pods of a peer get when they run, and that decides whether a rule is about them."""

    resource: Resource
    path: Path
    key: str
    peer: Peer


def when_running(peer: Peer, policies: PolicySet) -> Iterator[Peer]:
    """A peer as it may be when it runs: with each label that only controllers set, and that policies name."""
    tests = policies.pod_tests if peer.is_pod else {}
    for key in tests:
        if key not in peer.labels and _is_set_later(key, peer):
            for value in dict.fromkeys(value for test in tests[key] for value in test.values or (_SOME_VALUE,)):
                yield attrs.evolve(peer, labels={**peer.labels, key: value})


def _is_set_later(key: str, peer: Peer) -> bool:
    """Whether a controller may set a label on a peer's pods: those that go with a kind, only on pods of that kind."""
    kinds = _kinds_with(key)
    if kinds:
        return not peer.workloads or any(workload.kind in kinds for workload in peer.workloads)
    return key in RUN_TIME_LABELS or ("/" in key and is_run_time_label(key))


def _kinds_with(key: str) -> tuple[str, ...]:
    return next((kinds for start, kinds in _LABELS_OF_KINDS if key.startswith(start)), ())


def late_labels(policies: PolicySet) -> Iterator[LateLabel]:
    """The labels of this sort that change whom a rule is about, one for each policy and label."""
    keys = [key for key in policies.pod_tests if _kinds_with(key)]
    found: set[tuple[int, str]] = set()
    for stage in policies.stages if keys else ():
        for rule in (rule for tier in stage.tiers for rule in tier.rules if rule.origin is not None):
            for side in (rule.match.source, rule.match.destination):
                asked = {test.key for test in pod_tests_of(side)}
                for key in keys:
                    if rule.origin is None or key not in asked or (id(rule.origin.resource), key) in found:
                        continue
                    peer = next((peer for peer in policies.peers.pods if _is_moved(peer, key, side, policies)), None)
                    if peer is not None:
                        found.add((id(rule.origin.resource), key))
                        yield LateLabel(rule.origin.resource, rule.origin.path, key, peer)


def _is_moved(peer: Peer, key: str, side: PeerExpr, policies: PolicySet) -> bool:
    if not any(workload.kind in _kinds_with(key) for workload in peer.workloads):
        return False
    now = matches(side, peer)
    return any(key in later.labels and matches(side, later) is not now for later in when_running(peer, policies))
