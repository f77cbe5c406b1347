"""Namespaces that hold more than the manifests show."""

from __future__ import annotations

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import LabelSelector
from k8snetlint.model.operators import may_be_operated
from k8snetlint.model.values import text_of
from k8snetlint.settings import Settings


def installed_namespaces(cluster: Cluster, settings: Settings) -> frozenset[str]:
    """The namespaces into which an object in sight installs a chart or another repository."""
    found: set[str] = set()
    for kind in ("HelmRelease", "HelmChart", "Kustomization"):
        for group in ("helm.toolkit.fluxcd.io", "helm.cattle.io", "kustomize.toolkit.fluxcd.io"):
            for resource in cluster.of_kind(group, kind):
                found.add(text_of(resource.root.get("spec", "targetNamespace")) or resource.namespace or "")
    for resource in cluster.of_kind("argoproj.io", "Application"):
        found.add(text_of(resource.root.get("spec", "destination", "namespace")) or resource.namespace or "")
    return frozenset(found)


def may_be_unseen(cluster: Cluster, installed: frozenset[str], namespace: str | None, selector: LabelSelector) -> bool:
    """Whether pods that a selector selects may well be made by something in sight, without being in sight."""
    return namespace in installed or may_be_operated(cluster, namespace, dict(selector.match_labels))
