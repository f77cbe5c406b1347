"""Annotations that tell Prometheus what to scrape of a pod."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Workload

from .words import listed

PORT = "prometheus.io/port"


@check("REF006")
def scrape_annotation_port_undeclared(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port to scrape that is no number, or that no container declares."""
    value = workload.pod_annotations.get(PORT)
    path = (*workload.template_path, "metadata", "annotations", PORT)
    if value is None or is_placeholder(value) or workload.root.get(*path) is None:
        return
    if workload.pod_annotations.get("prometheus.io/scrape", "true") != "true":
        return
    declared = sorted({port.number for port in workload.ports if port.number is not None})
    named = workload.named_port(value)
    if not value.isdecimal():
        yield ctx.report(
            workload,
            *path,
            message=f"`{PORT}` has to be a number, not `{value}`: nothing is scraped",
            help=f"write `{named}`" if named is not None else "write the number of the port that serves the metrics",
        )
    elif declared and int(value) not in declared:
        yield ctx.report(
            workload,
            *path,
            message=f"`{PORT}` names port {value}, which no container declares; they declare {listed(declared)}",
            confidence=Confidence.MEDIUM,
            help="write the number of the port that serves the metrics, or declare it",
        )
