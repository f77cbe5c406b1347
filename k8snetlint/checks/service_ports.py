"""Service ports and where they lead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import product

from k8snetlint.analysis.statements import statements_of
from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import ContainerPort, Workload
from k8snetlint.settings import Settings

from .container_ports import port_name_fault
from .missing_services import are_together
from .words import listed

# Annotations and labels by which an injector adds a container, and ports with it.
_INJECTION_KEYS = re.compile(
    r"sidecar\.istio\.io/inject|linkerd\.io/inject|sidecar-injector|vault\.hashicorp\.com/agent-inject|consul\.hashicorp\.com/connect-inject"
    r"|dapr\.io/enabled|sidecar\.opentelemetry\.io/inject|sidecar\.jaegertracing\.io/inject"
)


def _backends(service: Service, ctx: Context) -> list[Workload]:
    """The workloads behind a Service whose containers are in sight."""
    return [workload for workload in ctx.cluster.backends(service) if workload.containers and not workload.is_job]


def _may_be_injected(workload: Workload) -> bool:
    """Whether something adds containers to the pods when they are created."""
    marks = {**workload.pod_annotations, **workload.pod_labels, **workload.annotations}
    return any(_INJECTION_KEYS.search(key) and value not in ("false", "disabled") for key, value in marks.items())


@check("SVC005")
def service_target_port_name_undefined(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A targetPort name that no selected container declares."""
    backends = _backends(service, ctx)
    if not backends or any(map(_may_be_injected, backends)):
        return
    for port in service.ports:
        name = port.target
        if not isinstance(name, str) or port_name_fault(name) is not None or is_placeholder(name):
            continue
        declared = [declared for workload in backends for declared in workload.ports]
        if any(found.name == name or is_placeholder(found.name) for found in declared):
            continue
        if any(
            found.name == name
            for workload in backends
            for container in workload.containers
            for found in container.ports
        ):
            continue  # PORT019: an init container declares it
        names = sorted({found.name for found in declared if found.name})
        near = get_close_matches(name, names, 1)
        known = f"did you mean `{near[0]}`?" if near else f"they declare {listed(names) if names else 'no named port'}"
        count = f"the {len(backends)} workload{'s' if len(backends) > 1 else ''} it selects"
        path = (*port.path, "targetPort")
        title = f"Use the declared port `{near[0]}`" if near else ""
        # The pods of a headless Service keep their addresses; only the SRV record of the port is missing.
        is_soft = service.is_headless or not ctx.unit.is_complete_in(service.namespace)
        yield ctx.report(
            service,
            *path,
            message=f"no container of {count} declares a port named `{name}`; {known}",
            label="no such port name",
            severity=Severity.WARNING if is_soft else None,
            related=[
                ctx.location(workload, *workload.labels_path, label="selected here", key=True)
                for workload in backends[:3]
                if workload.root.get(*workload.labels_path) is not None
            ],
            help=f"name a port that the containers declare, or add `name: {name}` to a container port",
            fix=ctx.fix(title, ctx.replace(service, *path, text=near[0])) if near else None,
        )


@check("SVC006")
def service_target_port_name_partial(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A targetPort name that only some of the selected workloads declare for the port's protocol."""
    backends = _backends(service, ctx)
    for port in service.ports:
        name = port.target
        if not isinstance(name, str) or name.isdigit() or is_placeholder(name) or is_placeholder(port.protocol):
            continue
        serving = [w for w in backends if any((p.name, p.protocol) == (name, port.protocol) for p in w.ports)]
        without = [w for w in backends if w not in serving and not _may_be_injected(w)]
        if serving and without:
            yield _left_out(ctx, service, port, backends, without)


def _left_out(
    ctx: Context, service: Service, port: ServicePort, backends: list[Workload], without: list[Workload]
) -> Diagnostic:
    name = port.target
    others = [(w, found) for w in without for found in w.ports if found.name == name]
    if len(others) == len(without):
        protocols = sorted({found.protocol for _, found in others})
        what = f"`{name}` for {' and '.join(protocols)} only"
        related = [ctx.location(w, *found.path, "name", label=f"for {found.protocol}") for w, found in others[:3]]
    else:
        what = f"no port named `{name}`" if not others else f"no port named `{name}` for {port.protocol}"
        related = [ctx.location(w, *w.labels_path, label="selected too", key=True) for w in without[:3]]
    return ctx.report(
        service,
        *port.path,
        "targetPort",
        message=(
            f"{listed(str(workload) for workload in without[:3])} {'declare' if len(without) > 1 else 'declares'} {what}, "
            f"so {'their' if len(without) > 1 else 'its'} pods are left out of this port's endpoints"
        ),
        severity=None if all(are_together(ctx, service, workload) for workload in backends) else Severity.NOTE,
        related=related,
        help=f"add a container port named `{name}` there, or select only the pods that have it",
    )


def mentioned_numbers(cluster: Cluster, settings: Settings) -> Mapping[int, frozenset[str]]:
    """The numbers that stand in each workload's arguments, variables and mounted files, by the workload's identity.

    A process may listen on a port that is written only there.
    """
    found: dict[int, set[str]] = {}
    for workload in cluster.workloads:
        numbers = found.setdefault(id(workload), set())
        for container in workload.containers:
            numbers.update(re.findall(r"\d+", container.node.place.text))
    for statement in statements_of(cluster, settings):
        found.setdefault(id(statement.workload), set()).update(re.findall(r"\d+", statement.mention.host))
    return {key: frozenset(value) for key, value in found.items()}


@check("SVC007")
def service_target_port_undeclared(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A numeric targetPort that the pods declare nowhere, though they declare others."""
    backends = _backends(service, ctx)
    if len(backends) != 1 or _may_be_injected(backends[0]) or service.is_headless:
        return
    workload = backends[0]
    declared = [found for found in workload.ports if found.number is not None]
    for port in service.ports:
        target = port.effective_target
        if not isinstance(target, int) or not 0 < target < 65536:
            continue  # SVC009 says that it is no port
        if not declared or any(found.number == target for found in declared):
            continue
        # Whatever else the pod's manifest says of the number makes it likely that the process listens there.
        if str(target) in ctx.once(mentioned_numbers)[id(workload)]:
            continue
        yield _undeclared(ctx, service, port, target, workload, declared)


def _undeclared(
    ctx: Context, service: Service, port: ServicePort, target: int, workload: Workload, declared: list[ContainerPort]
) -> Diagnostic:
    namesakes = [
        found for found in declared if port.name and (found.name, found.protocol) == (port.name, port.protocol)
    ]
    # A process may listen where only a file says so, and files are not all in sight.
    has_files = bool(workload.pod_spec is not None and workload.pod_spec.get("volumes") is not None)
    is_only = len(service.ports) == len(declared) == 1 and declared[0].protocol == port.protocol and not has_files
    meant = namesakes[0] if len(namesakes) == 1 else declared[0] if is_only else None
    if namesakes:
        message = (
            f"port `{port.name}` leads to {target}, but {workload} declares `{port.name}` as {namesakes[0].number}"
        )
    elif is_only:
        message = f"leads to port {target}, and the only port that {workload} declares is {declared[0].number}"
    else:
        message = f"leads to port {target}, which {workload} does not declare among its ports"
    path = (*port.path, "targetPort") if port.target is not None else (*port.path, "port")
    edit = (
        ctx.replace(service, *path, text=str(meant.number)) if meant is not None and port.target is not None else None
    )
    shown, label = (meant, "the only port" if not namesakes else "of that name") if meant else (declared[0], "declared")
    return ctx.report(
        service,
        *path,
        message=message,
        severity=ctx.rule.severity
        if ctx.unit.is_complete_in(service.namespace) and meant is not None
        else Severity.NOTE,
        confidence=Confidence.MEDIUM if meant is not None else Confidence.LOW,
        related=[ctx.location(workload, *shown.path, "containerPort", label=label)],
        help=f"lead to a port that the pods declare, or declare {target} if the process listens there",
        fix=ctx.fix(f"Lead to port {meant.number}", edit) if edit is not None and meant is not None else None,
    )


@check("SVC008")
def service_target_port_protocol_mismatch(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A port of another protocol than the container port that it leads to."""
    backends = _backends(service, ctx)
    for port in service.ports:
        target = port.effective_target
        same = [
            (workload, found)
            for workload in backends
            for found in workload.ports
            if target in (found.name, found.number)
        ]
        if not same or any(found.protocol == port.protocol for _, found in same) or is_placeholder(port.protocol):
            continue
        workload, found = same[0]
        yield _other_protocol(ctx, service, port, workload, found.protocol, found.path)


def _other_protocol(
    ctx: Context, service: Service, port: ServicePort, workload: Workload, protocol: str, path: tuple[str | int, ...]
) -> Diagnostic:
    by_name = isinstance(port.target, str)
    written = service.root.get(*port.path, "protocol") is not None
    at = (*port.path, "protocol") if written else (*port.path, "port")
    what = "so no pod is an endpoint of it" if by_name else "so nothing may answer"
    edit = ctx.replace(service, *at, text=protocol) if written else None
    # A container port informs only: one that names no protocol may well stand for the other.
    is_assumed = not by_name and workload.root.get(*path, "protocol") is None
    level = ctx.rule.severity if by_name and ctx.unit.is_complete_in(service.namespace) else Severity.WARNING
    return ctx.report(
        service,
        *at,
        message=f"port {port} leads to a port that {workload} declares for {protocol}, {what}",
        severity=Severity.NOTE if is_assumed else level,
        confidence=Confidence.HIGH if by_name else Confidence.LOW if is_assumed else Confidence.MEDIUM,
        related=[ctx.location(workload, *path, label="declared here")],
        help=f"set `protocol: {protocol}` on the Service port, or declare the other protocol",
        fix=ctx.fix(f"Use {protocol}", edit),
    )


def by_selector(
    cluster: Cluster, settings: Settings
) -> Mapping[tuple[str | None, tuple[tuple[str, str], ...]], list[Service]]:
    """The Services that select pods, by namespace and selector."""
    found: dict[tuple[str | None, tuple[tuple[str, str], ...]], list[Service]] = {}
    for service in cluster.services:
        if service.label_selector is not None:
            found.setdefault((service.namespace, tuple(sorted((service.selector or {}).items()))), []).append(service)
    return found


def _twins(service: Service, ctx: Context) -> list[Service]:
    """The Services after this one in the manifests that have its selector."""
    key = (service.namespace, tuple(sorted((service.selector or {}).items())))
    twins = ctx.once(by_selector).get(key, []) if service.label_selector is not None else []
    return twins[next((index for index, twin in enumerate(twins) if twin is service), len(twins)) + 1 :]


@check("SVC062")
def services_share_selector_and_port(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A Service that leads where another one leads already."""
    targets = {(port.effective_target, port.protocol) for port in service.ports}
    for other in _twins(service, ctx):
        same = targets == {(port.effective_target, port.protocol) for port in other.ports}
        if (
            same
            and other.name != service.name
            and other.is_headless == service.is_headless
            and other.type == service.type
        ):
            yield ctx.report(
                service,
                "spec",
                "selector",
                key=True,
                message=f"leads to the same pods and ports as {other}",
                related=[ctx.location(other, "spec", "selector", label="the same selector", key=True)],
                help="remove the one that nobody uses",
            )
            return


@check("SVC063")
def services_conflicting_port_mapping(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """Services of one workload that give one port different meanings."""
    if any(
        marks.get("sidecar.istio.io/inject") == "false" for marks in (workload.pod_annotations, workload.pod_labels)
    ):
        return
    services = [
        service
        for service in ctx.cluster.services_in(workload.namespace)
        if service.label_selector is not None and service.label_selector.matches(workload.pod_labels)
    ]
    for index, service in enumerate(services):
        for other in services[:index]:
            for port, theirs in product(service.ports, other.ports):
                remapped = theirs.effective_target == port.effective_target and theirs.number != port.number
                protocols = theirs.number == port.number and theirs.protocol != port.protocol
                # TCP and UDP on one number are two ports; what is neither stands for TCP by another name.
                apart = "UDP" in (port.protocol, theirs.protocol) and port.protocol != theirs.protocol
                if (remapped and not apart) or protocols:
                    yield ctx.report(
                        workload,
                        message=(
                            f"ports {theirs} of {other} and {port} of {service} lead to one port of these pods, "
                            "which a mesh cannot tell apart"
                        ),
                        related=[
                            ctx.location(other, *theirs.path, "port", label="one port"),
                            ctx.location(service, *port.path, "port", label="the other port"),
                        ],
                        help="use one port number and protocol for one port of the pods",
                    )
                    return
