"""Addresses in variables, arguments and files, and the Services that are to answer to them."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.routing import ServiceName, find_service, service_name
from k8snetlint.analysis.statements import Statement, data_mentions, stated_name, statements_of
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.core import Resource
from k8snetlint.model.values import integer_of, is_placeholder
from k8snetlint.model.workloads import Workload
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Place, Span
from k8snetlint.source.tree import Path

from .edits import renamed
from .existence import is_external_service, is_slip
from .missing_services import missing_service, services_by_name, wider_name
from .scaling import is_scaled

_NOT_SERVICES = frozenset({"localhost", "host", "hostname", "ip6-localhost", "metadata"})


def _names(ctx: Context) -> Iterator[tuple[Statement, ServiceName]]:
    """The statements whose host may be the name of a Service, each place once, with what the name means."""
    seen: set[tuple[str, Span, str | None]] = set()
    for statement in ctx.once(statements_of):
        host = statement.mention.host
        if ctx.cluster.is_context(statement.resource) or is_placeholder(host) or host.lower() in _NOT_SERVICES:
            continue
        if statement.medium == "file" and statement.mention.form == "name":
            continue  # a name in a file of settings may be anything
        name = stated_name(statement, ctx.cluster, ctx.settings)
        if name is None or is_external_service(ctx, name.namespace, name.name):
            continue
        key = (statement.place.source.path, statement.place.span, statement.workload.namespace)
        if key not in seen:
            seen.add(key)
            yield statement, name


@cluster_check("DISC001")
def env_service_unknown(ctx: Context) -> Iterator[Diagnostic]:
    """A name of a Service that nothing answers to."""
    for statement, name in _names(ctx):
        elsewhere = [found for found in ctx.once(services_by_name).get(name.name, ()) if found.has_namespace]
        if "." not in statement.mention.host and elsewhere:
            continue  # DISC003
        if not _is_own_name(statement, name):
            where = (statement.resource, statement.path, statement.place)
            yield from _unknown(ctx, str(statement.workload), where, statement.mention.host, name)
    read = {id(statement.resource) for statement in ctx.once(statements_of)}
    for resource in ctx.cluster.of_kind("", "ConfigMap"):
        # Programs may read a ConfigMap through the API: what it says with a namespace in it means the same to everyone.
        if id(resource) not in read and not ctx.cluster.is_context(resource):
            yield from _unknown_in(ctx, resource)


def _unknown_in(ctx: Context, resource: Resource) -> Iterator[Diagnostic]:
    for path, node, mention in data_mentions(resource):
        name = service_name(mention.host, resource.namespace or "", ctx.settings.cluster.dns_domain)
        if name is not None and name.is_qualified and not is_placeholder(mention.host):
            where = (resource, path, node.part(mention.start, mention.end))
            yield from _unknown(ctx, str(resource), where, mention.host, name)


def _unknown(
    ctx: Context, who: str, where: tuple[Resource, Path, Place], host: str, name: ServiceName
) -> Iterator[Diagnostic]:
    missing = missing_service(ctx, name.namespace, name.name)
    if missing is None or not missing.known:
        return
    near = missing.near or (wider_name(name.name, missing.known) if name.is_qualified else None)
    if near is None and not name.is_qualified:
        return
    resource, path, place = where
    hint = f"did you mean `{near}`?" if near else missing.hint
    # Without a near miss the Service may well be installed by other means: by a chart, or by hand.
    is_sure = near is not None and missing.severity is not Severity.NOTE
    confidence = Confidence.HIGH if name.is_qualified else Confidence.MEDIUM
    yield ctx.report(
        resource,
        *path,
        primary=Location(place, "asked for here"),
        message=f"{who} asks for `{host}`, but there is no Service `{name.name}` in namespace {name.namespace}; {hint}",
        severity=ctx.rule.severity if is_sure else Severity.NOTE,
        confidence=confidence if is_sure else Confidence.LOW,
        help="write the name of a Service, or declare it in `external.services` of the configuration",
        fix=ctx.fix(f"Use the Service `{near}`", renamed(place, name.name, near)) if near else None,
    )


def _is_own_name(statement: Statement, name: ServiceName) -> bool:
    """Whether a workload names itself: an address that it announces, or its container by name."""
    return name.name in (statement.workload.name, statement.container)


@cluster_check("DISC002")
def env_service_port_mismatch(ctx: Context) -> Iterator[Diagnostic]:
    """A port that the Service does not listen on."""
    for statement, name in _names(ctx):
        service = find_service(ctx.cluster, name)
        port = statement.mention.port
        if service is None or port is None or not statement.mention.has_port or not service.ports:
            continue
        numbers = [found.number for found in service.ports]
        if service.is_headless or service.is_external_name or port in numbers or None in numbers:
            continue
        if name.pod is not None:
            continue  # the name is that of a pod, which has ports of its own
        backends = ctx.cluster.backends(service)
        if statement.workload in backends or not service.selector:
            continue
        mapped = next((found for found in service.ports if found.effective_target == port), None)
        names = {declared.number: declared.name for workload in backends for declared in workload.ports}
        if mapped is None:
            mapped = next((found for found in service.ports if found.target == names.get(port, "")), None)
        listed = ", ".join(str(found) for found in service.ports)
        what = f"{port} is the pods' port, the Service listens on {mapped}" if mapped else f"it listens on {listed}"
        wanted = mapped.number if mapped is not None else (numbers[0] if len(numbers) == 1 else None)
        yield _report(
            ctx,
            statement,
            message=f"{statement.workload} asks for port {port} of {service}, which it does not have: {what}",
            related=[ctx.location(service, "spec", "ports", label="the Service's ports", key=True)],
            severity=ctx.rule.severity if ctx.unit.is_complete_in(service.namespace) else Severity.WARNING,
            confidence=Confidence.MEDIUM if statement.medium == "file" else Confidence.HIGH,
            help=f"use port {wanted}" if wanted else f"use one of the ports {listed}",
            edit=renamed(statement.place, f":{port}", f":{wanted}") if wanted else None,
            title=f"Use the Service's port {wanted}",
        )


@cluster_check("DISC003")
def env_service_needs_namespace(ctx: Context) -> Iterator[Diagnostic]:
    """A short name of a Service that lives only in other namespaces."""
    for statement, name in _names(ctx):
        host = statement.mention.host
        if "." in host or find_service(ctx.cluster, name) is not None:
            continue
        if not statement.workload.has_namespace or _is_own_name(statement, name):
            continue
        port = statement.mention.port
        elsewhere = [
            service
            for service in ctx.once(services_by_name).get(name.name, ())
            if service.has_namespace and (port is None or any(found.number == port for found in service.ports))
        ]
        if not elsewhere:
            continue
        service = elsewhere[0]
        yield _report(
            ctx,
            statement,
            message=f"{statement.workload} asks for `{host}`, which is looked up in namespace {name.namespace} only; "
            f"the Service is in {', '.join(sorted({str(found.namespace) for found in elsewhere}))}",
            related=[ctx.location(service, "metadata", "name", label="the Service")],
            severity=ctx.rule.severity if ctx.unit.is_complete_in(service.namespace) else Severity.WARNING,
            help=f"write `{host}.{service.namespace}`",
            edit=renamed(statement.place, host, f"{host}.{service.namespace}") if len(elsewhere) == 1 else None,
            title=f"Name the namespace `{service.namespace}`",
        )


@cluster_check("DISC004")
def cluster_dns_name_malformed(ctx: Context) -> Iterator[Diagnostic]:
    """A name that ends like a Service's and has no namespace in it, or `svc` twice."""
    zone = ctx.settings.cluster.dns_domain
    for statement in ctx.once(statements_of):
        host = statement.mention.host.rstrip(".").lower()
        if statement.mention.form == "qualified" or ctx.cluster.is_context(statement.resource):
            continue
        labels = host.removesuffix(f".{zone}").split(".")
        if is_placeholder(host):
            continue
        is_doubled = labels[-2:] == ["svc", "svc"]
        namespace = statement.workload.namespace
        if is_doubled or (labels[-1] == "svc" and len(labels) == 2):
            wrong = "has `svc` twice" if is_doubled else "names no namespace before `svc`"
        elif _lacks_svc(ctx, host, labels, zone):
            namespace = labels[1]
            wrong = f"has no `svc` before `{zone}`"
        else:
            continue
        example = f"{labels[0]}.{namespace}.svc.{zone}"
        yield _report(
            ctx,
            statement,
            message=f"`{statement.mention.host}` {wrong}, so it never resolves",
            help=f"write `<service>.<namespace>.svc.{zone}`, for example `{example}`",
        )


def _lacks_svc(ctx: Context, host: str, labels: list[str], zone: str) -> bool:
    """Whether a name goes from a Service in sight straight to the cluster's domain."""
    if len(labels) != 2 or not host.endswith(f".{zone}"):
        return False
    return find_service(ctx.cluster, ServiceName(labels[0], labels[1], None, True)) is not None


@cluster_check("DISC010")
def statefulset_pod_dns_invalid(ctx: Context) -> Iterator[Diagnostic]:
    """A pod's name of a StatefulSet that has fewer pods, or another governing Service."""
    for statement, name in _names(ctx):
        set_name, _, ordinal = (name.pod or "").rpartition("-")
        if not set_name or not ordinal.isdigit():
            continue
        found = ctx.cluster.find("apps", "StatefulSet", name.namespace, set_name)
        if not isinstance(found, Workload):
            continue
        if found.service_name and found.service_name != name.name and not is_placeholder(found.service_name):
            # A Service of another name may be a mirror of it in another cluster.
            is_sure = find_service(ctx.cluster, name) is not None or is_slip(name.name, found.service_name)
            wrong = f"its governing Service is `{found.service_name}`, not `{name.name}`"
            path: tuple[str, ...] = ("spec", "serviceName")
        else:
            start = integer_of(found.root.get("spec", "ordinals", "start")) or 0
            if found.replicas is None or start <= int(ordinal) < start + found.replicas or is_scaled(ctx, found):
                continue
            last = f"{start} to {start + found.replicas - 1}" if found.replicas else "none at all"
            is_sure = True
            wrong = f"it has {found.replicas} pods, numbered {last}"
            path = ("spec", "replicas")
        yield _report(
            ctx,
            statement,
            message=f"there is no pod `{name.pod}.{name.name}` of {found}: {wrong}",
            severity=None if is_sure else Severity.NOTE,
            confidence=None if is_sure else Confidence.LOW,
            related=[ctx.location(found, *path, label="declared here")],
            help="name a pod and the governing Service that exist",
        )


def _report(
    ctx: Context,
    statement: Statement,
    *,
    message: str,
    help: str,  # noqa: A002 (the word of the diagnostics)
    severity: Severity | None = None,
    confidence: Confidence | None = None,
    related: list[Location] | None = None,
    edit: Edit | None = None,
    title: str = "",
) -> Diagnostic:
    return ctx.report(
        statement.resource,
        *statement.path,
        primary=Location(statement.place, "asked for here"),
        message=message,
        severity=severity,
        confidence=confidence,
        related=related or [],
        help=help,
        fix=ctx.fix(title, edit),
    )
