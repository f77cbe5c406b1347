"""Files of one folder that declare the same object differently: alternatives, of which one is applied at a time."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

import attrs

from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Document, Plain

from .classify import text_at
from .folders import folder_of

Identity = tuple[str, str, str, str]
# Kinds that run the same pods in one way or another: of two with one name only one is meant to be applied.
_WORKLOADS = frozenset({"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "DeploymentConfig", "Rollout"})


@attrs.frozen
class Alternative:
    """One file of a folder's alternatives together with those of the folder that collide with none."""

    name: str
    files: tuple[SourceFile, ...]


def identity_of(document: Document) -> Identity | None:
    """Group, kind, namespace and name of an object; None where it has no name. Kinds of workloads count as one."""
    root = document.root
    name = text_at(root, "metadata", "name")
    if not name:
        return None
    api_version = text_at(root, "apiVersion")
    group = api_version.rpartition("/")[0]
    kind = text_at(root, "kind")
    if kind in _WORKLOADS:
        group = kind = "workload"
    return group, kind, text_at(root, "metadata", "namespace"), name


def split(
    sources: Sequence[SourceFile], objects: Mapping[SourceFile, Sequence[Document]]
) -> tuple[tuple[SourceFile, ...], tuple[Alternative, ...]]:
    """The files outside folders of alternatives, and the alternatives.

    Identical copies, Namespaces, and an object that stands twice in one file make no alternatives.
    """
    folders: dict[str, list[SourceFile]] = {}
    for source in sources:
        folders.setdefault(folder_of(source.path), []).append(source)
    rest: list[SourceFile] = []
    found: list[Alternative] = []
    for folder, members in folders.items():
        colliding = _colliding(members, objects)
        if not colliding:
            rest += members
            continue
        shared = [source for source in members if source not in colliding]
        for source in members:
            if source in colliding:
                files = tuple(sorted([source, *shared], key=lambda file: file.path))
                found.append(Alternative(f"{folder}:{posixpath.basename(source.path)}", files))
    return tuple(rest), tuple(found)


def _colliding(members: Sequence[SourceFile], objects: Mapping[SourceFile, Sequence[Document]]) -> set[SourceFile]:
    declared: dict[Identity, dict[SourceFile, Document]] = {}
    for source in members:
        for document in objects[source]:
            identity = identity_of(document)
            if identity is not None and identity[1] != "Namespace":
                declared.setdefault(identity, {}).setdefault(source, document)
    colliding: set[SourceFile] = set()
    for declarations in declared.values():
        if len(declarations) < 2:
            continue
        values: list[Plain] = [document.root.plain() for document in declarations.values()]
        if any(value != values[0] for value in values):
            colliding.update(declarations)
    return colliding
