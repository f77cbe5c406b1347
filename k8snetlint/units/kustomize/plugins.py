"""Built-in transformers and generators that are written as objects of their own."""

from __future__ import annotations

from k8snetlint.source.tree import Entry, Node
from k8snetlint.units.classify import text_at

from . import replacements, transform
from .configuration import field_of
from .data import COMMON_ANNOTATIONS, METADATA_LABELS, NAMESPACES, Field
from .nodes import made
from .patches import Patches
from .resource import Resource
from .work import Work

_DEFAULTS = {"LabelTransformer": METADATA_LABELS, "AnnotationsTransformer": COMMON_ANNOTATIONS[:1]}


def transform_by(work: Work, root: Node, patches: Patches) -> bool:
    """Runs a built-in transformer on what was gathered; False if it is not one that is known."""
    kind = text_at(root, "kind")
    if text_at(root, "apiVersion") != "builtin":
        return False
    work.weigh(root, len(work.resources))
    listed = root.get("fieldSpecs")
    fields = tuple(field_of(item) for item in (listed.items if listed is not None else ()) if text_at(item, "path"))
    pairs = root.get("labels") if kind == "LabelTransformer" else root.get("annotations")
    if kind in _DEFAULTS:
        if pairs is not None:
            work.resources = transform.with_pairs(work.resources, pairs, fields or _DEFAULTS[kind])
    elif kind == "NamespaceTransformer":
        _move(work, root, fields)
    elif kind in ("PrefixSuffixTransformer", "PrefixTransformer", "SuffixTransformer"):
        for field, is_prefix in (("prefix", True), ("suffix", False)):
            affix = root.get(field)
            if affix is not None and affix.value:
                work.resources = (
                    transform.with_affix_at(work.resources, affix, is_prefix, fields)
                    if fields
                    else transform.with_affix(work.resources, affix, is_prefix)
                )
    elif kind in ("PatchTransformer", "PatchJson6902Transformer"):
        patches.apply_item(root)
    elif kind == "ReplicaCountTransformer":
        replica = root.get("replica")
        if replica is not None:
            work.resources = transform.with_replicas(work.resources, made([replica], root.place))
    elif kind == "ReplacementTransformer":
        for item in (root.get("replacements") or root).items:
            replacements.replace(work, item)
    else:
        return kind == "ImageTagTransformer"
    return True


def _move(work: Work, root: Node, fields: tuple[Field, ...]) -> None:
    namespace = root.get("metadata", "namespace")
    if namespace is None:
        return
    only_unset = root.get("unsetOnly")
    if only_unset is None or only_unset.value is not True:
        extra = tuple(field for field in fields if field not in NAMESPACES and field.path[0] != "metadata")
        work.resources = transform.in_namespace(work.resources, namespace, extra)
        return
    moved: list[Resource] = []
    for resource in work.resources:
        has_one = resource.root.get("metadata", "namespace") is not None
        moved += [resource] if has_one else transform.in_namespace([resource], namespace)
    work.resources = moved


def generator_of(root: Node) -> tuple[str, Node] | None:
    """The field of a kustomization that a built-in generator stands for, and its entry; None if it is not known."""
    fields = {"ConfigMapGenerator": "configMapGenerator", "SecretGenerator": "secretGenerator"}
    field = fields.get(text_at(root, "kind"))
    if field is None or text_at(root, "apiVersion") != "builtin":
        return None
    entries = {key: entry for key, entry in root.entries.items() if key not in ("apiVersion", "kind", "metadata")}
    for key, entry in (root.get("metadata") or root).entries.items():
        if key in ("name", "namespace"):
            entries[key] = Entry(entry.key, entry.node)
    return field, Node(entries, root.start, root.end, root.source, root.style)
