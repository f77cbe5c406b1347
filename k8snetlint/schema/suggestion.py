"""What an unknown field is probably meant to be: another name, another place, or what took its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from k8snetlint.source.tree import Node, Path

from .shapes import Shape, shape

_LONGEST = 100
_CLOSE = 0.75
_LABELS = "matchLabels"
# Fields of earlier API versions that have no near name in the one they are written in.
# Source: Kubernetes deprecated API migration guide, v1.22 (Ingress) and v1.26 (HorizontalPodAutoscaler).
_REPLACED = {
    ("networking.k8s.io:v1.IngressBackend", "serviceName"): "`service.name`",
    ("networking.k8s.io:v1.IngressBackend", "servicePort"): "`service.port.number` or `service.port.name`",
    ("networking.k8s.io:v1.IngressSpec", "backend"): "`defaultBackend`",
    ("autoscaling:v2.HorizontalPodAutoscalerSpec", "targetCPUUtilizationPercentage"): "`metrics`",
}


def shapes_along(code: str, minor: int, path: Path) -> list[tuple[Path, Shape]]:
    """The objects with fixed fields on the way to a path, outermost first, each with its own path."""
    found = []
    for length in range(len(path) + 1):
        current = None
        if code.startswith("@"):
            current = shape(code[1:], minor)
            found.append((path[:length], current))
        if length < len(path):
            code = current.fields.get(str(path[length]), "*") if current else code[2:]
    return found


def same_name(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that differs only in case, `_` and `-`."""
    folded = {candidate.lower(): candidate for candidate in candidates}
    return folded.get(name.lower().replace("_", "").replace("-", ""))


def near_name(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a misspelt name is probably meant to be."""
    if len(name) > _LONGEST:
        return None
    folded = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=_CLOSE)
    return folded[near[0]] if near else None


def replacement(owner: Shape, name: str) -> str | None:
    """What is written today instead of a field of an earlier API version, in backticks."""
    return _REPLACED.get((owner.name, name))


def other_place(name: str, root: Node, shapes: list[tuple[Path, Shape]], minor: int) -> Path | None:
    """The path of the object near an unknown field that has a field of that name, if there is just one.

    `shapes` end with the object that the field stands in. A text in a label selector is a label; else objects around it
    come first, then those up to two levels inside.
    """
    here, owner = shapes[-1]
    entry = root.at(*here).entries.get(name)
    if owner.fields.get(_LABELS) == "{}s" and entry is not None and isinstance(entry.node.value, str):
        return (*here, _LABELS)
    for path, around in reversed(shapes[:-1]):
        if name in around.fields and name not in root.at(*path).entries:
            return path
    inside = [shapes[-1]]
    for _ in range(2):
        inside = [
            ((*path, field), shape(code[1:], minor))
            for path, owner in inside
            for field, code in owner.fields.items()
            if code.startswith("@")
        ]
        having = [path for path, owner in inside if name in owner.fields]
        if having:
            return having[0] if len(having) == 1 else None
    return None
