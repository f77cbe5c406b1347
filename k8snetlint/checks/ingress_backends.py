"""Backends of Ingresses: whether their Service is there, and has the port."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.ingresses import Ingress, IngressBackend
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import is_placeholder

from .missing_services import has_port, missing_service, service_of, services_by_name
from .words import listed

ALB_ACTION = "use-annotation"
NGINX = "nginx.ingress.kubernetes.io/"


def named_backends(ingress: Ingress) -> Iterator[tuple[IngressBackend, str]]:
    """The backends that name a Service, with its name; each name and port of an Ingress once.

    Actions of the AWS load balancer controller are written like backends, and are none.
    """
    seen: set[tuple[str, int | str | None]] = set()
    for backend in ingress.backends:
        name = backend.service
        if not name or is_placeholder(name) or backend.port == ALB_ACTION or (name, backend.port) in seen:
            continue
        seen.add((name, backend.port))
        yield backend, name


def _elsewhere(ctx: Context, ingress: Ingress, name: str) -> list[Service]:
    """The Services of that name in other namespaces, where the namespaces of both are written."""
    if not ingress.has_namespace or is_placeholder(ingress.namespace):
        return []
    return [
        service
        for service in ctx.once(services_by_name).get(name, ())
        if service.has_namespace and service.namespace != ingress.namespace and not is_placeholder(service.namespace)
    ]


@check("ING001")
def ingress_backend_service_not_found(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend's Service that is not there."""
    seen: set[str] = set()
    for backend, name in named_backends(ingress):
        missing = missing_service(ctx, ingress.namespace, name)
        if missing is None or name in seen or _elsewhere(ctx, ingress, name):
            continue
        seen.add(name)
        near = missing.near
        yield ctx.report(
            ingress,
            *backend.name_path,
            message=f"there is no Service `{name}` in namespace `{ingress.namespace}`; {missing.hint}",
            severity=missing.severity,
            confidence=missing.confidence,
            label="no such Service",
            related=[
                ctx.location(service, "metadata", "name", label="the Service meant?")
                for service in [service_of(ctx, ingress.namespace, near)]
                if service is not None
            ]
            if near is not None
            else (),
            help=f"write `{near}`" if near else "name a Service of this namespace, or add it to `external.services`",
            fix=ctx.fix(f"Use the Service {near}", ctx.replace(ingress, *backend.name_path, text=near))
            if near
            else None,
        )


@check("ING004")
def ingress_backend_in_other_namespace(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend's Service that lives in other namespaces only."""
    seen: set[str] = set()
    for backend, name in named_backends(ingress):
        if missing_service(ctx, ingress.namespace, name) is None or name in seen:
            continue
        seen.add(name)
        others = _elsewhere(ctx, ingress, name)
        if not others:
            continue
        places = listed(sorted({str(service.namespace) for service in others}))
        yield ctx.report(
            ingress,
            *backend.name_path,
            message=(
                f"backend Service `{name}` is in namespace {places}, not in `{ingress.namespace}`:"
                " an Ingress reaches Services of its own namespace only"
            ),
            severity=None if ctx.unit.is_complete_in(ingress.namespace) else Severity.NOTE,
            related=[ctx.location(service, "metadata", "namespace", label="another namespace") for service in others],
            help=f"move the Ingress to namespace {places}, or add an ExternalName Service beside it",
        )


def _lost_ports(ingress: Ingress, ctx: Context) -> Iterator[tuple[IngressBackend, Service]]:
    """The backends whose Service is there and has no such port, with the Service."""
    for backend, name in named_backends(ingress):
        service = service_of(ctx, ingress.namespace, name)
        port = backend.port
        if service is None or port is None or port == "" or is_placeholder(port) or not service.ports:
            continue
        if service.is_external_name or has_port(ctx, service, port):
            continue
        if isinstance(port, str) and port.isdigit() and has_port(ctx, service, int(port)):
            continue
        if not any(other.number is None or is_placeholder(other.name) for other in service.ports):
            yield backend, service


def _meant_port(ctx: Context, service: Service, reference: int | str) -> ServicePort | None:
    """The one port of a Service that leads to the target that a reference names."""
    found = []
    for port in service.ports:
        target = port.effective_target
        numbers = {target}
        if isinstance(target, str):
            numbers |= {workload.named_port(target, port.protocol) for workload in ctx.cluster.backends(service)}
        if reference in numbers:
            found.append(port)
    return found[0] if len(found) == 1 else None


@check("ING002")
def ingress_backend_port_not_found(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend's port that its Service does not have."""
    for backend, service in _lost_ports(ingress, ctx):
        if backend.port is None or _meant_port(ctx, service, backend.port) is not None:
            continue
        known = [
            f"{port.number} ({port.name})" if port.name and isinstance(backend.port, str) else port.number
            for port in service.ports
        ]
        only = service.ports[0] if len(service.ports) == 1 else None
        replacement = (only.name if isinstance(backend.port, str) else str(only.number)) if only is not None else None
        yield ctx.report(
            ingress,
            *backend.port_path,
            message=f"backend Service `{service.name}` has no port {_shown(backend.port)}; it has {listed(known)}",
            label="no such port",
            severity=None if ctx.unit.is_complete_in(ingress.namespace) else Severity.WARNING,
            confidence=None if ctx.unit.is_complete_in(ingress.namespace) else Confidence.MEDIUM,
            related=[ctx.location(service, "spec", "ports", key=True, label="its ports")],
            help="write the number or the name of a port of the Service",
            fix=ctx.fix(f"Use port {replacement}", ctx.replace(ingress, *backend.port_path, text=replacement))
            if replacement
            else None,
        )


def _shown(port: int | str) -> str:
    return f"named `{port}`" if isinstance(port, str) else str(port)


@check("ING003")
def ingress_backend_uses_target_port(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend's port that is the target of a Service port instead of the port itself."""
    for backend, service in _lost_ports(ingress, ctx):
        meant = _meant_port(ctx, service, backend.port) if backend.port is not None else None
        if meant is None or backend.port is None:
            continue
        replacement = meant.name if isinstance(backend.port, str) else str(meant.number)
        target = (*meant.path, "targetPort")
        yield ctx.report(
            ingress,
            *backend.port_path,
            message=(
                f"port {_shown(backend.port)} is where Service `{service.name}` leads to, not a port of it:"
                f" write its own port, {meant.number}"
            ),
            label="the target port",
            related=[ctx.location(service, *target, label="its target")]
            if service.root.get(*target) is not None
            else (),
            help=f"write {f'`{replacement}`' if isinstance(backend.port, str) and replacement else meant.number}",
            fix=ctx.fix(
                f"Use the Service port {replacement}", ctx.replace(ingress, *backend.port_path, text=replacement)
            )
            if replacement
            else None,
        )


@check("ING052")
def ingress_backend_external_name(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend that is an alias for a host outside."""
    for backend, name in named_backends(ingress):
        service = service_of(ctx, ingress.namespace, name)
        if service is None or not service.is_external_name or f"{NGINX}upstream-vhost" in ingress.annotations:
            continue
        yield ctx.report(
            ingress,
            *backend.name_path,
            message=(
                f"backend Service `{name}` is an alias for `{service.external_name}`: some controllers refuse such"
                " backends, and the request keeps the Ingress's Host header"
            ),
            related=[ctx.location(service, "spec", "externalName", label="the host it stands for")]
            if service.external_name
            else (),
            help="allow it in the controller, and set the Host header that the other side expects",
        )
