"""Objects of Flux, Argo CD and Helm controllers: what they apply from this tree, and what they make unseen."""

from __future__ import annotations

import re

from k8snetlint.source.text import Place

from .classify import text_at
from .unit import Unit

EVERY_NAMESPACE = "*"
# What a controller renders a chart for.
_CHART_KINDS = frozenset({("helm.toolkit.fluxcd.io", "HelmRelease"), ("helm.cattle.io", "HelmChart")})


def opaque_namespaces(unit: Unit) -> list[tuple[str, str, Place]]:
    """The namespaces in which objects of a unit make others that cannot be seen, each with the words for it."""
    found: list[tuple[str, str, Place]] = []
    for document in unit.documents:
        root = document.root
        group = text_at(root, "apiVersion").rpartition("/")[0]
        kind = text_at(root, "kind")
        if (group, kind) not in _CHART_KINDS:
            continue
        target = text_at(root, "spec", "targetNamespace") or text_at(root, "metadata", "namespace")
        target = target or unit.namespace or EVERY_NAMESPACE
        if re.search(r"[${<]", target):
            target = EVERY_NAMESPACE
        name = text_at(root, "metadata", "name")
        where = "any namespace" if target == EVERY_NAMESPACE else f"namespace `{target}`"
        found.append(
            (target, f"{kind} `{name}` makes objects in {where} that cannot be seen here", root.at("kind").place)
        )
    return found
