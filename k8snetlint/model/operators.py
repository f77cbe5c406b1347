"""Pods that no manifest holds because an operator makes them: what tells that a selector means such pods."""

from __future__ import annotations

from collections.abc import Mapping

from .cluster import Cluster

# Kinds that make other objects, whole applications among them: what they make cannot be seen.
INSTALLERS: frozenset[tuple[str, str]] = frozenset(
    {
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ("helm.cattle.io", "HelmChart"),
        ("argoproj.io", "Application"),
        ("argoproj.io", "ApplicationSet"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("operators.coreos.com", "Subscription"),
    }
)
# Groups of the API server itself and of tools whose objects make no pods.
_PASSIVE_GROUPS: frozenset[str] = frozenset(
    {
        "",
        "apps",
        "batch",
        "extensions",
        "policy",
        "autoscaling",
        "gateway.networking.k8s.io",
        "policy.networking.k8s.io",
        "networking.istio.io",
        "security.istio.io",
        "telemetry.istio.io",
        "cert-manager.io",
        "cilium.io",
        "crd.projectcalico.org",
        "projectcalico.org",
        "kustomize.config.k8s.io",
        "traefik.io",
        "traefik.containo.us",
        "projectcontour.io",
        "external-secrets.io",
        "bitnami.com",
        "kyverno.io",
        "snapshot.storage.k8s.io",
        "secrets-store.csi.x-k8s.io",
    }
)
_MONITORING_MAKERS = frozenset({"Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"})
# Prefixes of labels that people write themselves; one of any other domain that no pod in sight has is an operator's.
_COMMON_PREFIXES = frozenset({"app.kubernetes.io", "kubernetes.io", "k8s.io", "helm.sh", "topology.kubernetes.io"})


def makes_pods(group: str, kind: str) -> bool:
    """Whether objects of a custom kind may make pods that the manifests do not hold."""
    if (group, kind) in INSTALLERS:
        return True
    if group == "monitoring.coreos.com":
        return kind in _MONITORING_MAKERS
    return "." in group and group not in _PASSIVE_GROUPS and not group.endswith(".k8s.io")


def may_be_operated(cluster: Cluster, namespace: str | None, labels: Mapping[str, str]) -> bool:
    """Whether pods of these labels may well be made by an operator or an installer that is in sight.

    A custom object of the namespace whose name or kind stands in a label value makes them, as does whoever owns a
    prefixed label key that no pod in sight has; an installer in sight may make anything of its namespace.
    """
    known_keys = {key for workload in cluster.workloads for key in workload.pod_labels}
    if any(_is_foreign(key) and key not in known_keys for key in labels):
        return True
    values = {value.lower() for value in labels.values()}
    for resource in cluster.resources:
        if not makes_pods(resource.group, resource.kind) or resource.namespace not in (namespace, None):
            continue
        if (resource.group, resource.kind) in INSTALLERS:
            return True
        names = (resource.name.lower(), resource.kind.lower())
        if values & set(names) or any(name and name in value for value in values for name in names):
            return True
    return False


def _is_foreign(key: str) -> bool:
    prefix, slash, _ = key.partition("/")
    return bool(slash) and prefix not in _COMMON_PREFIXES
