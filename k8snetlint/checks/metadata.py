"""Labels, annotations and namespaces of objects, and values that are not filled in yet."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check, cluster_check
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Workload
from k8snetlint.source.tree import Path

from .existence import is_slip
from .labels import label_faults, selector_faults, shortened

_ALWAYS_THERE = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


def _metadata_paths(resource: Resource) -> Iterator[Path]:
    yield ("metadata",)
    if isinstance(resource, Workload) and resource.template_path:
        yield (*resource.template_path, "metadata")


@check("K8S006")
def annotation_value_not_string(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A label or annotation whose value is a boolean or a number."""
    for metadata in _metadata_paths(resource):
        for field in ("annotations", "labels"):
            node = resource.root.get(*metadata, field)
            for key, entry in node.entries.items() if node is not None else ():
                value = entry.node.value
                if not isinstance(value, bool | int | float):
                    continue
                path = (*metadata, field, key)
                text = entry.node.source.text[entry.node.start : entry.node.end]
                type_ = "a boolean" if isinstance(value, bool) else "a number"
                yield ctx.report(
                    resource,
                    *path,
                    message=f"{field[:-1]} `{key}` is {type_} where a string is required, so the object is rejected",
                    help=f'put quotes around it: "{text}"',
                    fix=ctx.fix("Add quotes", ctx.replace(resource, *path, text=f'"{text}"')),
                )


@check("K8S007")
def invalid_label_value(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A label that the API server refuses."""
    faults = [fault for path in _metadata_paths(resource) for fault in _labels(resource, (*path, "labels"))]
    if isinstance(resource, Service):
        faults += _labels(resource, ("spec", "selector"))
    elif isinstance(resource, Workload) and resource.template_path and resource.group in ("apps", "batch"):
        faults += selector_faults(resource.root.get("spec", "selector"), ("spec", "selector"))
    elif (resource.group, resource.kind) == ("gateway.networking.k8s.io", "Gateway"):
        faults += _labels(resource, ("spec", "infrastructure", "labels"))
    for path, is_key, fault in faults:
        yield ctx.report(
            resource,
            *path,
            key=is_key,
            message=f"{fault}; `{shortened(resource.name)}` is rejected",
            help="use a valid label, or an annotation for free text",
        )


def _labels(resource: Resource, path: Path) -> Iterator[tuple[Path, bool, str]]:
    return label_faults(resource.root.get(*path), path)


@cluster_check("K8S009")
def namespace_not_defined(ctx: Context) -> Iterator[Diagnostic]:
    """A namespace that objects name and none declares."""
    namespaces = ctx.cluster.namespaces
    declared = {name for name, item in namespaces.items() if item.resource is not None}
    if not declared:
        return
    users: dict[str, list[Resource]] = {}
    for resource in ctx.cluster.resources:
        if resource.has_namespace and resource.namespace and not ctx.cluster.is_context(resource):
            users.setdefault(resource.namespace, []).append(resource)
    for name, resources in sorted(users.items()):
        if name in declared or name in _ALWAYS_THERE or is_placeholder(name):
            continue
        if name in ctx.settings.external.namespaces:
            continue
        near = next((other for other in sorted(declared) if is_slip(name, other)), None)
        count = f"{len(resources)} objects" if len(resources) > 1 else f"`{resources[0].name}`"
        lie = "lie" if len(resources) > 1 else "lies"
        hint = f"; did you mean `{near}`?" if near else ", which no manifest of the unit declares"
        yield ctx.report(
            resources[0],
            "metadata",
            "namespace",
            message=f"{count} {lie} in namespace `{name}`{hint}",
            severity=Severity.WARNING if near else None,
            confidence=None if near else Confidence.LOW,
            help="correct the name, declare the namespace, or name it under `external` in the configuration",
        )


@check("K8S012")
def default_namespace_used(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """An object that lands in whichever namespace is current."""
    if resource.namespace is None or (resource.has_namespace and resource.namespace != "default"):
        return
    where = (
        "lies in namespace `default`" if resource.has_namespace else "names no namespace, and lands in the current one"
    )
    yield ctx.report(
        resource,
        *(("metadata", "namespace") if resource.has_namespace else ()),
        message=f"{resource.kind} `{resource.name}` {where}",
        help="write `metadata.namespace`",
    )


@check("K8S013")
def unresolved_placeholder(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A value that something else has to fill in."""
    for path, node in resource.root.walk():
        if path[:2] == ("metadata", "annotations") or not isinstance(node.value, str):
            continue
        if path and is_placeholder(node.value):
            yield ctx.report(
                resource,
                *path,
                message=f"`{shortened(node.value)}` is a placeholder, so what is written here is not known yet",
                help="fill it in before the manifest is applied, or give its value with `--vars`",
            )
