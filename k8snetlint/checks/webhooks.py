"""Services that the API server calls: webhooks, aggregated APIs and conversions."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.references import ServiceCaller, ServiceReference
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder, items_of, text_of

from .edits import with_items
from .missing_services import has_port, is_open_to, missing_service, operated_names, service_of
from .words import listed

INJECTED_FROM = "cert-manager.io/inject-ca-from"


def _called(caller: ServiceCaller, ctx: Context) -> Iterator[tuple[ServiceReference, Service]]:
    """The references whose Service is there, each Service and port of an object once."""
    seen: set[tuple[str, str, int | None]] = set()
    for reference in caller.references:
        key = (reference.namespace, reference.name, reference.port)
        service = service_of(ctx, reference.namespace, reference.name)
        if service is not None and key not in seen:
            seen.add(key)
            yield reference, service


def _consequence(reference: ServiceReference) -> str:
    if reference.ignores_failure:
        return "the API server goes on without its answer"
    if reference.path[0] == "webhooks":
        return "every request that it is asked about is refused"
    return "that API fails" if "conversion" not in reference.path else "objects of the kind cannot be read"


@check("REF001")
def webhook_service_not_found(caller: ServiceCaller, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that the API server is to call, and that is not there."""
    seen: set[tuple[str, str]] = set()
    for reference in caller.references:
        missing = missing_service(ctx, reference.namespace, reference.name)
        if missing is None or (reference.namespace, reference.name) in seen:
            continue
        seen.add((reference.namespace, reference.name))
        near = missing.near
        path = (*reference.path, "name")
        yield ctx.report(
            caller,
            *path,
            message=(
                f"{reference.subject} calls Service `{reference.name}` of namespace `{reference.namespace}`,"
                f" which is not there, so {_consequence(reference)}; {missing.hint}"
            ),
            severity=missing.severity,
            confidence=missing.confidence,
            label="no such Service",
            help=f"write `{near}`" if near else "name a Service that exists, or add it to `external.services`",
            fix=ctx.fix(f"Use the Service {near}", ctx.replace(caller, *path, text=near)) if near else None,
        )


@check("REF002")
def webhook_service_port_undefined(caller: ServiceCaller, ctx: Context) -> Iterator[Diagnostic]:
    """A port that the API server is to call, and that the Service does not have."""
    for reference, service in _called(caller, ctx):
        numbers = [port.number for port in service.ports]
        if not numbers or None in numbers or reference.port is None or has_port(ctx, service, reference.port):
            continue
        written = "port 443, the default," if not reference.has_port else f"port {reference.port}"
        only = numbers[0] if len(numbers) == 1 else None
        path = (*reference.path, "port")
        yield ctx.report(
            caller,
            *(path if reference.has_port else reference.path),
            key=not reference.has_port,
            message=(
                f"{reference.subject} calls {written} of Service `{service.name}`, which has {listed(numbers)} only,"
                f" so {_consequence(reference)}"
            ),
            severity=None if ctx.unit.is_complete_in(service.namespace) else Severity.WARNING,
            related=[ctx.location(service, "spec", "ports", key=True, label="its ports")],
            help=f"write `port: {only}`" if only is not None else "write the number of a port of the Service",
            fix=ctx.fix(f"Write port {only}", ctx.replace(caller, *path, text=str(only)))
            if only is not None and reference.has_port
            else None,
        )


@check("REF003")
def webhook_service_without_pods(caller: ServiceCaller, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that the API server is to call, and that selects no pods."""
    seen: set[int] = set()
    for reference, service in _called(caller, ctx):
        selector = service.label_selector
        if selector is None or id(service) in seen or ctx.cluster.backends(service):
            continue
        seen.add(id(service))
        if selector.has_placeholders or any(is_run_time_label(key) for key in selector.keys):
            continue
        workloads = ctx.cluster.workloads_in(service.namespace)
        is_open = is_open_to(ctx, reference.namespace) or bool(ctx.once(operated_names).get(service.namespace))
        if any(is_placeholder(value) for workload in workloads for value in workload.pod_labels.values()):
            continue
        yield ctx.report(
            caller,
            *reference.path,
            "name",
            message=(
                f"{reference.subject} calls Service `{service.name}`, whose selector `{selector}` selects no pods,"
                f" so {_consequence(reference)}"
            ),
            severity=None if workloads and not is_open else Severity.NOTE,
            confidence=Confidence.MEDIUM if workloads and not is_open else Confidence.LOW,
            related=[ctx.location(service, "spec", "selector", key=True, label="selects nothing")],
            help="make the Service's selector match the labels of the pods that serve the webhook",
        )


@check("REF008")
def webhook_service_headless(caller: ServiceCaller, ctx: Context) -> Iterator[Diagnostic]:
    """A headless Service that the API server is to call."""
    seen: set[int] = set()
    for reference, service in _called(caller, ctx):
        if not service.is_headless or id(service) in seen:
            continue
        seen.add(id(service))
        yield ctx.report(
            caller,
            *reference.path,
            "name",
            message=(
                f"{reference.subject} calls Service `{service.name}`, which is headless: the API server calls"
                f" a Service's cluster IP, and it has none, so {_consequence(reference)}"
            ),
            related=[ctx.location(service, "spec", "clusterIP", label="has no address")],
            help="remove `clusterIP: None` from the Service",
        )


@check("REF007")
def certificate_missing_service_dns_name(caller: ServiceCaller, ctx: Context) -> Iterator[Diagnostic]:
    """A certificate, by which the API server checks the Service it calls, that is not for the Service's name."""
    namespace, _, name = caller.annotations.get(INJECTED_FROM, "").partition("/")
    certificate = ctx.cluster.find("cert-manager.io", "Certificate", namespace, name) if name else None
    if certificate is None or ctx.cluster.is_context(certificate):
        return
    node = certificate.root.get("spec", "dnsNames")
    names = {text_of(item) or "" for item in items_of(node)}
    if node is None or not names or any(map(is_placeholder, names)):
        return
    seen: set[str] = set()
    for reference in caller.references:
        wanted = f"{reference.name}.{reference.namespace}.svc"
        if wanted in names or f"*.{reference.namespace}.svc" in names or wanted in seen or is_placeholder(wanted):
            continue
        seen.add(wanted)
        yield ctx.report(
            certificate,
            "spec",
            "dnsNames",
            key=True,
            message=f"the certificate is not for `{wanted}`, the name by which the API server calls {reference.subject}",
            related=[ctx.location(caller, *reference.path, "name", label="calls this Service")],
            help=f"add `{wanted}` to `dnsNames`",
            fix=ctx.fix(f"Add {wanted}", with_items(certificate, "spec", "dnsNames", items=[wanted])),
        )
