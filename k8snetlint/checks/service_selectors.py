"""Service selectors and the pods that they select."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.operators import may_be_operated
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings

from .existence import (
    NearMiss,
    asks_for_run_time_labels,
    is_external_service,
    missing_level,
    near_level,
    near_miss,
)
from .labels import label_faults
from .missing_services import are_together, is_open_to
from .words import listed

# Labels that tell variants of one application apart: a Service over several of them is meant.
_VARIANT_LABELS = ("version", "app.kubernetes.io/version", "track", "color", "slot", "release", "variant", "zone")
_KUBECTL_LABEL = re.compile(r"\bkubectl\b[^\n]*\blabel\b")
# The API server writes the endpoints of its own Service.
_API_SERVER = ("default", "kubernetes")
_VOLATILE = re.compile(r"\A(?:helm\.sh/chart|chart|pod-template-hash|app\.kubernetes\.io/version|.*checksum.*)\Z")
_VERSIONED = re.compile(r"[-_]v?[0-9]+\.[0-9]")


@check("SVC001")
def service_selector_no_match(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A selector that no pod in sight fits, and none nearly."""
    if not _selects_nothing(service, ctx) or _near(service, ctx) is not None:
        return
    selector = service.selector or {}
    if may_be_operated(ctx.cluster, service.namespace, selector) or _is_set_by_script(selector, ctx):
        return
    here = [workload for workload in ctx.cluster.workloads_in(service.namespace) if not workload.is_job]
    level = missing_level(ctx, service.namespace, has_such=bool(here) and not is_open_to(ctx, service.namespace or ""))
    yield ctx.report(
        service,
        "spec",
        "selector",
        key=True,
        message=(
            f"no workload of namespace {service.namespace} has the labels {service.label_selector}, "
            "so the Service has no endpoints"
        ),
        severity=level.severity,
        confidence=level.confidence,
        help="give the selector the labels of the pods that are to serve, or add the workload",
    )


@check("SVC002")
def service_selector_near_miss(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A selector that a workload fits but for one label, or for the namespace."""
    if not _selects_nothing(service, ctx):
        return
    near = _near(service, ctx)
    if near is None:
        return
    level = near_level(ctx, service.namespace)
    workload = near.workload
    if near.elsewhere:
        yield ctx.report(
            service,
            "spec",
            "selector",
            key=True,
            message=(
                f"selects nothing in namespace {service.namespace}: the pods that have these labels are of {workload}"
            ),
            severity=level.severity,
            confidence=level.confidence,
            related=[ctx.location(workload, "metadata", "namespace", label="the pods' namespace")],
            help=f"move the Service to namespace {workload.namespace}: a selector does not cross namespaces",
        )
        return
    assert near.key is not None  # a near miss in the same namespace is one of a label
    path = ("spec", "selector", near.key)
    written = (service.selector or {})[near.key]
    is_value = near.label == near.key
    what = f"`{near.key}: {near.value}`" if is_value else f"`{near.label}: {near.value}`"
    edit = ctx.replace(service, *path, text=str(near.value)) if is_value else None
    yield ctx.report(
        service,
        *path,
        key=not is_value,
        message=f"no pod has `{near.key}: {written}`, so the Service has no endpoints; {workload} has {what}",
        label="no such label",
        severity=level.severity,
        confidence=level.confidence,
        related=[ctx.location(workload, *workload.labels_path, near.label or near.key, label="the pods' label")],
        help=f"write {what}",
        fix=ctx.fix(f"Select {what}", edit),
    )


def _selects_nothing(service: Service, ctx: Context) -> bool:
    """Whether a Service selects pods by labels that are known, and none in sight has them."""
    selector = service.label_selector
    return (
        selector is not None
        and not selector.has_placeholders
        and not asks_for_run_time_labels(service.selector or {})
        and not ctx.cluster.backends(service)
        and not ctx.cluster.endpoints(service)
        and not is_external_service(ctx, service.namespace, service.name)
        and not is_placeholder(service.namespace)
    )


def labelling_scripts(cluster: Cluster, settings: Settings) -> tuple[str, ...]:
    """The texts of ConfigMaps and containers in which `kubectl` sets labels."""
    maps = (resource.root.get("data") for resource in cluster.of_kind("", "ConfigMap"))
    containers = (container.node for workload in cluster.workloads for container in workload.containers)
    texts = (node.place.text for node in (*maps, *containers) if node is not None)
    return tuple(text for text in texts if _KUBECTL_LABEL.search(text))


def _is_set_by_script(selector: Mapping[str, str], ctx: Context) -> bool:
    """Whether a script in sight gives pods one of the labels that a selector asks for."""
    return any(key in text for text in ctx.once(labelling_scripts) for key in selector)


def _near(service: Service, ctx: Context) -> NearMiss | None:
    candidates = (workload for workload in ctx.cluster.workloads if not workload.is_job)
    return near_miss(service.selector or {}, service.namespace, service.has_namespace, candidates)


@check("SVC003")
def service_selects_multiple_workloads(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A selector that fits the pods of workloads which have nothing in common but those labels."""
    backends = [
        workload for workload in ctx.cluster.backends(service) if not workload.is_job and workload.kind != "Pod"
    ]
    if len(backends) < 2 or len({workload.name for workload in backends}) < 2 or service.is_headless:
        return
    if any(label in workload.pod_labels for workload in backends for label in _VARIANT_LABELS):
        return
    images = [{container.image.partition("@")[0].rpartition(":")[0] for container in w.containers} for w in backends]
    names = sorted(workload.name for workload in backends)
    is_family = any(_is_variant(names[0], other) for other in names[1:])
    ports = [{(port.number, port.protocol) for port in workload.ports} for workload in backends]
    looks = list(zip(images, ports, strict=True))
    if is_family or any(one[0] & other[0] and one[1] == other[1] for one, other in pairwise(looks)):
        return
    if not all(_serves_everything(service, workload) for workload in backends):
        # Workloads that do not even have the port are the ones selected by mistake.
        yield ctx.report(
            service,
            "spec",
            "selector",
            key=True,
            message=(
                f"selects the pods of {len(backends)} different workloads, {listed(names)}: requests go to all of them"
            ),
            severity=None if all(are_together(ctx, service, workload) for workload in backends) else Severity.NOTE,
            related=[
                ctx.location(workload, *workload.labels_path, label="selected too", key=True)
                for workload in backends[:4]
            ],
            help="select a label that only the pods have which are to serve",
        )


def _is_variant(first: str, second: str) -> bool:
    """Whether two names are variants of one: the one with a suffix, or both with a short one behind a common stem."""
    shorter, longer = sorted((first, second), key=len)
    if longer.startswith(shorter):
        return True
    return shorter.rpartition("-")[0] == longer.rpartition("-")[0] != ""


def _serves_everything(service: Service, workload: Workload) -> bool:
    declared = {port.number for port in workload.ports} | {port.name for port in workload.ports}
    return all(port.effective_target in declared for port in service.ports)


@check("SVC004")
def service_selects_job_pods(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A selector that also fits the pods of a Job."""
    backends = ctx.cluster.backends(service)
    jobs = [workload for workload in backends if workload.is_job]
    if not jobs or len(jobs) == len(backends):
        return
    job = next((job for job in jobs if are_together(ctx, service, job)), jobs[0])
    yield ctx.report(
        service,
        "spec",
        "selector",
        key=True,
        message=f"also selects the pods of {job}, which become endpoints while they run",
        severity=None if are_together(ctx, service, job) else Severity.NOTE,
        related=[ctx.location(job, *job.labels_path, label="the Job's labels", key=True)],
        help="give the Job's pods other labels, or select one that they do not have",
    )


@check("SVC053")
def service_without_selector_or_endpoints(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that neither selects pods nor has endpoints written for it."""
    if service.is_external_name or service.selector or ctx.cluster.endpoints(service) or service.external_name:
        return
    selector = service.root.get("spec", "selector")
    if (selector is not None and selector.entries) or is_external_service(ctx, service.namespace, service.name):
        return
    if (service.namespace, service.name) == _API_SERVER:
        return
    if may_be_operated(ctx.cluster, service.namespace, {"name": service.name, **service.labels}):
        return
    yield ctx.report(
        service,
        message="has no selector, and nothing in sight writes endpoints for it, so nothing ever answers",
        severity=Severity.WARNING if ctx.unit.is_complete_in(service.namespace) else Severity.NOTE,
        confidence=Confidence.MEDIUM,
        help="add a selector, or an EndpointSlice with the label `kubernetes.io/service-name`",
    )


@check("SVC054")
def service_selector_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A selector written like that of a Deployment."""
    node = service.root.get("spec", "selector")
    for field in ("matchLabels", "matchExpressions"):
        value = node.get(field) if node is not None else None
        if value is not None and (value.is_mapping or value.is_sequence):
            yield ctx.report(
                service,
                "spec",
                "selector",
                field,
                key=True,
                message=f"a Service selects by a plain map of labels: `{field}` is rejected by the API server",
                help="write the labels directly under `selector`",
            )
            return
    for path, is_key, fault in label_faults(node, ("spec", "selector")):
        yield ctx.report(
            service, *path, key=is_key, message=f"selector: {fault}", help="write a label that pods can have"
        )


@check("SVC055")
def service_selector_volatile_label(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A selector on a label that changes with every release."""
    for key, value in (service.selector or {}).items():
        # `chart` is a name of old: some charts put their version into it, others do not.
        if _VOLATILE.match(key) and (key != "chart" or _VERSIONED.search(value)):
            yield ctx.report(
                service,
                "spec",
                "selector",
                key,
                key=True,
                message=f"selects by `{key}`, which changes with a release: old pods stop serving too early",
                help="select by labels that stay, such as `app.kubernetes.io/name`",
            )


@check("SVC067")
def statefulset_service_not_found(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A StatefulSet whose governing Service is not there."""
    name = workload.service_name
    if not name or is_placeholder(name) or ctx.cluster.service(workload.namespace, name) is not None:
        return
    if is_external_service(ctx, workload.namespace, name):
        return
    level = missing_level(ctx, workload.namespace, has_such=bool(ctx.cluster.services_in(workload.namespace)))
    yield ctx.report(
        workload,
        "spec",
        "serviceName",
        message=f"namespace {workload.namespace} has no Service `{name}`, so the pods get no names of their own",
        severity=level.severity,
        confidence=level.confidence,
        help=f"add a headless Service `{name}` that selects these pods",
    )


@check("SVC068")
def statefulset_service_not_headless(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A governing Service with an address of its own."""
    service = ctx.cluster.service(workload.namespace, workload.service_name or "")
    if service is None or service.is_headless or service.is_external_name or is_placeholder(service.cluster_ip):
        return
    yield ctx.report(
        workload,
        "spec",
        "serviceName",
        message=f"its governing {service} has a virtual address: the bare name leads to one pod, not to all",
        related=[ctx.location(service, "metadata", "name", label="not headless")],
        help="set `clusterIP: None` on a Service of its own for the StatefulSet",
    )


@check("SVC069")
def statefulset_service_selector_mismatch(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A governing Service that selects other pods."""
    service = ctx.cluster.service(workload.namespace, workload.service_name or "")
    selector = service.label_selector if service is not None else None
    if service is None or selector is None or selector.has_placeholders or selector.matches(workload.pod_labels):
        return
    if asks_for_run_time_labels(service.selector or {}) or any(map(is_placeholder, workload.pod_labels.values())):
        return
    yield ctx.report(
        workload,
        "spec",
        "serviceName",
        message=f"its governing {service} does not select its pods, so they get no names of their own",
        related=[ctx.location(service, "spec", "selector", label="selects other pods", key=True)],
        help="make the Service select the labels of the StatefulSet's pods",
    )
