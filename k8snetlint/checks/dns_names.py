"""Names of pods: hostname, subdomain and host aliases, and whether DNS answers to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from k8snetlint.analysis.routing import find_service, service_name
from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service
from k8snetlint.model.values import boolean_of, is_placeholder, items_of, text_of, texts_of
from k8snetlint.model.workloads import Workload

from .existence import asks_for_run_time_labels
from .missing_services import missing_service, service_of

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
# The kernel's limit for a host name. Source: Kubernetes kubelet, GetNodenameForKernel.
_LONGEST_FULL_NAME = 64


def _field(workload: Workload, name: str) -> str | None:
    text = text_of(workload.root.get(*workload.spec_path, name))
    return text if text and not is_placeholder(text) else None


def _names_its_pods(workload: Workload) -> bool:
    """Whether the controller gives each pod a hostname itself."""
    if workload.kind == "StatefulSet":
        return True
    if not workload.is_job:
        return False
    job = ("spec", "jobTemplate", "spec") if workload.kind == "CronJob" else ("spec",)
    return text_of(workload.root.get(*job, "completionMode")) == "Indexed"


@check("DNS007")
def pod_subdomain_without_service(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A subdomain that no Service of the namespace stands for."""
    subdomain = _field(workload, "subdomain")
    if subdomain is None or workload.kind == "StatefulSet":
        return
    path = (*workload.spec_path, "subdomain")
    service = service_of(ctx, workload.namespace, subdomain)
    if isinstance(service, Service):
        selector = service.label_selector
        if selector is None or selector.has_placeholders or selector.matches(workload.pod_labels):
            return
        if asks_for_run_time_labels(service.selector or {}):
            return
        yield ctx.report(
            workload,
            *path,
            message=f"the Service `{subdomain}` does not select the pod, so no name under the subdomain resolves",
            related=[ctx.location(service, "spec", "selector", label="its selector", key=True)],
            help="give the pod the labels that the Service selects",
        )
        return
    missing = missing_service(ctx, workload.namespace, subdomain)
    if missing is not None:
        yield ctx.report(
            workload,
            *path,
            message=f"no Service `{subdomain}` is in namespace {workload.namespace}, so no name under the subdomain"
            f" resolves; {missing.hint}",
            severity=missing.severity,
            confidence=missing.confidence,
            help="add a headless Service of that name that selects the pod",
        )


@check("DNS008")
def pod_hostname_invalid(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A hostname or subdomain that is no DNS label, or a full name that the kernel does not take."""
    for field in ("hostname", "subdomain"):
        text = _field(workload, field)
        if text is not None and not _LABEL.match(text):
            yield ctx.report(
                workload,
                *workload.spec_path,
                field,
                message=f"{field} `{text}` is no DNS label: the API server rejects the pod",
                help="write at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
            )
            return
    path = (*workload.spec_path, "setHostnameAsFQDN")
    full = _full_name(workload, ctx)
    if full is not None and boolean_of(workload.root.get(*path)) is True and len(full) > _LONGEST_FULL_NAME:
        yield ctx.report(
            workload,
            *path,
            message=f"`{full}` has {len(full)} characters, and a node takes {_LONGEST_FULL_NAME}: the pod stays Pending",
            help="shorten a name, or remove `setHostnameAsFQDN`",
        )


def _full_name(workload: Workload, ctx: Context) -> str | None:
    """The full name of a pod, where hostname and subdomain are known; of a StatefulSet's first pod."""
    zone = ctx.settings.cluster.dns_domain
    if workload.kind == "StatefulSet":
        hostname, subdomain = f"{workload.name}-0", workload.service_name
    else:
        hostname = _field(workload, "hostname") or (workload.name if workload.kind == "Pod" else "")
        subdomain = _field(workload, "subdomain")
    return f"{hostname}.{subdomain}.{workload.namespace}.svc.{zone}" if hostname and subdomain else None


@check("DNS009")
def host_aliases_invalid(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """An entry for /etc/hosts that is refused, or of which only one survives."""
    path = (*workload.spec_path, "hostAliases")
    first: dict[str, int] = {}
    for index, alias in enumerate(items_of(workload.root.get(*path))):
        ip = text_of(alias.get("ip"))
        at = (*path, index, "ip")
        if ip is not None and not is_placeholder(ip):
            try:
                ip_address(ip)
            except ValueError:
                yield ctx.report(
                    workload,
                    *at,
                    message=f"`{ip}` is no IP address: the API server rejects the pod",
                    help="write an address; for a name, use a Service of type ExternalName",
                )
            if ip in first:
                yield ctx.report(
                    workload,
                    *at,
                    message=f"{ip} stands twice: entries are merged by address, and only one survives an apply",
                    severity=Severity.WARNING,
                    related=[ctx.location(workload, *path, first[ip], "ip", label="first here")],
                    help="put all hostnames of the address into one entry",
                )
            first.setdefault(ip, index)
        for position, hostname in enumerate(texts_of(alias.get("hostnames"))):
            if is_placeholder(hostname) or (len(hostname) < 254 and all(map(_LABEL.match, hostname.split(".")))):
                continue
            yield ctx.report(
                workload,
                *path,
                index,
                "hostnames",
                position,
                message=f"hostname `{hostname}` is no DNS name: the API server rejects the pod",
                help="write lower-case letters, digits, `-` and `.`, without wildcards and without a dot at the end",
            )


@check("DNS010")
def host_aliases_used(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """Names that are fixed to addresses in the pod."""
    path = (*workload.spec_path, "hostAliases")
    if items_of(workload.root.get(*path)):
        yield ctx.report(
            workload,
            *path,
            key=True,
            message="hostAliases fix names to addresses, whatever DNS says of them later",
            help="use DNS, or a Service of type ExternalName",
        )


@check("DNS011")
def host_aliases_shadow_service(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """An entry for /etc/hosts that stands before a Service of the unit."""
    path = (*workload.spec_path, "hostAliases")
    for index, alias in enumerate(items_of(workload.root.get(*path))):
        ip = text_of(alias.get("ip"))
        for position, hostname in enumerate(texts_of(alias.get("hostnames"))):
            name = service_name(hostname, workload.namespace or "", ctx.settings.cluster.dns_domain)
            service = find_service(ctx.cluster, name) if name is not None and name.pod is None else None
            if service is None or ip == service.cluster_ip:
                continue
            yield ctx.report(
                workload,
                *path,
                index,
                "hostnames",
                position,
                message=f"`{hostname}` is {ip} in this pod, whatever {service} says",
                confidence=None if name is not None and name.is_qualified else Confidence.MEDIUM,
                related=[ctx.location(service, "metadata", "name", label="the Service")],
                help="remove the name, or give it another one",
            )


@check("DNS033")
def pod_subdomain_without_hostname(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A subdomain without a hostname: DNS has no record of the pod then."""
    subdomain = _field(workload, "subdomain")
    has_hostname = workload.root.get(*workload.spec_path, "hostname") is not None
    if subdomain is None or has_hostname or _names_its_pods(workload):
        return
    yield ctx.report(
        workload,
        *workload.spec_path,
        "subdomain",
        message=f"without `hostname` no pod gets a name under `{subdomain}`: the full name it gives itself never resolves",
        help="add `hostname`, use a StatefulSet for several pods, or remove subdomain",
    )
