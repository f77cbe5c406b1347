"""Which workloads an autoscaler sets the number of pods of."""

from __future__ import annotations

from k8snetlint.engine import Context
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.values import text_of
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings

_AUTOSCALERS = (("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject"))


def scaled(cluster: Cluster, settings: Settings) -> frozenset[tuple[str | None, str, str]]:
    """The namespace, kind and name of what autoscalers of the unit scale."""
    found = set()
    for group, kind in _AUTOSCALERS:
        for resource in cluster.of_kind(group, kind):
            target = resource.root.get("spec", "scaleTargetRef")
            name = text_of(target.get("name")) if target is not None else None
            wanted = text_of(target.get("kind")) if target is not None else None
            if name is not None:
                found.add((resource.namespace, wanted or "Deployment", name))
    return frozenset(found)


def is_scaled(ctx: Context, workload: Workload) -> bool:
    """Whether an autoscaler of the unit sets the number of a workload's pods."""
    return (workload.namespace, workload.kind, workload.name) in ctx.once(scaled)
