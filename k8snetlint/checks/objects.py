"""Objects as wholes: declared twice, of a removed version, or at odds with themselves."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Fix, Severity
from k8snetlint.engine import Context, check, cluster_check
from k8snetlint.model.core import Resource
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Workload
from k8snetlint.schema.kinds import removed_in

from .missing_services import are_apart, are_together

# Kinds whose fields changed with the version: another apiVersion alone does not mend them.
_RESHAPED = frozenset({"Ingress", "EndpointSlice", "HorizontalPodAutoscaler", "CustomResourceDefinition"})
_NETWORK_KINDS = frozenset(
    {
        "Ingress",
        "IngressClass",
        "NetworkPolicy",
        "EndpointSlice",
        "ServiceCIDR",
        "IPAddress",
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    }
)

# Config Sync declares an object only in the namespaces or clusters that these select.
_SELECTIVE = frozenset(
    {
        "configmanagement.gke.io/namespace-selector",
        "configmanagement.gke.io/cluster-selector",
        "configsync.gke.io/cluster-name-selector",
    }
)


@cluster_check("K8S003")
def duplicate_object(ctx: Context) -> Iterator[Diagnostic]:
    """One object that two documents declare."""
    first: dict[tuple[str, str, str | None, str], Resource] = {}
    for resource in ctx.cluster.resources:
        if not resource.name or ctx.cluster.is_context(resource) or resource.root.get("metadata", "name") is None:
            continue
        if is_placeholder(resource.name) or is_placeholder(resource.namespace):
            continue
        if any(key in _SELECTIVE for key in resource.annotations):
            continue
        earlier = first.setdefault((resource.group, resource.kind, resource.namespace, resource.name), resource)
        if earlier is resource:
            continue
        # Files of different folders of a tree are seldom all applied to one cluster.
        is_sure = are_together(ctx, earlier, resource)
        is_same = earlier.root.plain() == resource.root.plain()
        consequence = (
            "both say the same, so one of them can go" if is_same else "what is applied last replaces the other"
        )
        yield ctx.report(
            resource,
            message=f"`{resource.name}` of kind {resource.kind} is declared twice: {consequence}",
            severity=Severity.NOTE if is_same or not is_sure else None,
            confidence=Confidence.LOW if are_apart(ctx, earlier, resource) else None,
            related=[ctx.location(earlier, "metadata", "name", label="first declared here")],
            help="remove one of the two" if is_same else "rename one of the two, or merge them",
        )


@check("K8S008")
def removed_api_version(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A network object of a version that Kubernetes has removed."""
    if resource.kind not in _NETWORK_KINDS and not isinstance(resource, Workload):
        return
    removal = removed_in(resource.api_version, resource.kind)
    if removal is None or ctx.settings.kube_version < (1, removal.minor):
        return
    new = removal.replacement
    fix: Fix | None = None
    if new is not None and resource.kind not in _RESHAPED:
        fix = ctx.fix(f"Write `{new}`", ctx.replace(resource, "apiVersion", text=new))
    yield ctx.report(
        resource,
        "apiVersion",
        message=(
            f"`{resource.api_version}` of {resource.kind} was removed in Kubernetes 1.{removal.minor}"
            + (f"; use `{new}`" if new else ", without a successor")
        ),
        help=(f"write `apiVersion: {new}`" if new else "remove the object")
        + (", whose fields differ: see the deprecation guide" if new and resource.kind in _RESHAPED else ""),
        fix=fix,
    )


@check("K8S010")
def selector_template_mismatch(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A workload whose selector does not select its own pods."""
    selector = workload.selector
    if selector is None or selector.is_empty or selector.has_placeholders or workload.is_synthetic:
        return
    if workload.is_job or workload.pod_spec is None or not workload.template_path:
        return
    labels = workload.pod_labels
    if selector.matches(labels) or any(is_placeholder(value) for value in labels.values()):
        return
    unmet = [(key, value) for key, value in selector.match_labels if labels.get(key) != value]
    fix: Fix | None = None
    if unmet:
        key, value = unmet[0]
        has = f"`{key}: {labels[key]}`" if key in labels else "no such label"
        detail = f"it asks for `{key}: {value}`, and the template has {has}"
        path = (*workload.labels_path, key)
        if len(unmet) == 1 and key in labels:
            fix = ctx.fix(f"Label the pods `{key}: {value}`", ctx.replace(workload, *path, text=value))
    else:
        detail = f"it asks for `{selector}`"
    has_labels = workload.root.get(*workload.labels_path) is not None
    yield ctx.report(
        workload,
        "spec",
        "selector",
        key=True,
        message=f"the selector of `{workload.name}` does not match its own pod template, so it is rejected; {detail}",
        related=[ctx.location(workload, *workload.labels_path, key=True, label="the pods' labels")]
        if has_labels
        else (),
        help="give the pod template every label that the selector asks for",
        fix=fix,
    )


@check("K8S011")
def overlapping_workload_selectors(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """Two workloads of one namespace that claim the same pods."""
    selector = workload.selector
    if selector is None or selector.is_empty or workload.is_job or not workload.template_path:
        return
    for other in ctx.cluster.selected_workloads(workload.namespace, selector):
        if other is workload or other.selector is None or other.is_job or not other.template_path:
            continue
        if (other.kind, other.name) == (workload.kind, workload.name) or 0 in (workload.replicas, other.replicas):
            continue
        is_mutual = other.selector.matches(workload.pod_labels)
        if (
            is_mutual
            and other.document.root.start > workload.document.root.start
            and other.root.source is workload.root.source
        ):
            continue
        yield ctx.report(
            workload,
            "spec",
            "selector",
            key=True,
            message=(
                f"the selector of `{workload.name}` also matches the pods of `{other.name}`:"
                " Services, autoscalers and budgets by these labels mix the two"
            ),
            confidence=Confidence.LOW if are_apart(ctx, workload, other) else Confidence.MEDIUM,
            related=[ctx.location(other, *other.labels_path, key=True, label="these pods match too")],
            help="add a label that tells the two apart to both selectors and templates",
        )
        break
