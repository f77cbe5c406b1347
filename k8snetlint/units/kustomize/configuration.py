"""The files that a kustomization's `configurations` name: more fields for names, labels and variables."""

from __future__ import annotations

from k8snetlint.source.tree import Node
from k8snetlint.units.classify import text_at

from .data import Field, Target
from .work import Fields


def read_fields(root: Node) -> Fields:
    """The fields of a transformer configuration."""
    references = root.get("nameReference")
    targets = tuple(
        (Target(text_at(item, "kind"), text_at(item, "group") or None), _fields(item, "fieldSpecs"))
        for item in (references.items if references is not None else ())
        if text_at(item, "kind")
    )
    return Fields(
        targets,
        _fields(root, "namespace"),
        _fields(root, "namePrefix"),
        _fields(root, "commonLabels"),
        _fields(root, "commonAnnotations"),
        _fields(root, "replicas"),
        _fields(root, "varReference"),
    )


def _fields(root: Node, name: str) -> tuple[Field, ...]:
    listed = root.get(name)
    return tuple(field_of(item) for item in (listed.items if listed is not None else ()) if text_at(item, "path"))


def field_of(item: Node) -> Field:
    """A field specification as it is written: path, kind, group, create."""
    path = text_at(item, "path").strip("/").replace("\\/", "\0")
    create = item.get("create")
    return Field(
        tuple(step.replace("\0", "/") for step in path.split("/")),
        text_at(item, "kind") or None,
        text_at(item, "group") or None,
        create is not None and create.value is True,
    )
