"""ServiceMonitors and PodMonitors: what they select, and which ports of it they scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.core import LabelSelector, Resource
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.references import Monitor
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Workload

from .existence import is_slip
from .missing_services import candidates, is_open_to, operated_names
from .words import listed

# Namespaces whose objects come with the cluster.
_CLUSTER_NAMESPACES = frozenset({"kube-system", "kube-public", "openshift-monitoring", "gke-system", "gmp-system"})


def _targets(monitor: Monitor, ctx: Context) -> list[Service] | list[Workload]:
    """The Services or workloads in the namespaces that a monitor looks in."""
    cluster = ctx.cluster
    namespaces = monitor.namespaces
    # Manifests that leave the namespace to whoever applies them: whatever is there may be what is meant.
    is_everywhere = namespaces is None or (not monitor.has_namespace and namespaces == (monitor.namespace,))
    if monitor.scrapes_pods:
        if namespaces is None or is_everywhere:
            return list(cluster.workloads)
        return [workload for name in namespaces for workload in cluster.workloads_in(name)]
    if namespaces is None or is_everywhere:
        return list(cluster.services)
    return [service for name in namespaces for service in candidates(ctx, name)]


def _labels(target: Resource) -> Mapping[str, str]:
    return target.pod_labels if isinstance(target, Workload) else target.labels


def _selected(monitor: Monitor, ctx: Context) -> list[Service] | list[Workload]:
    if monitor.selector.has_placeholders or any(map(is_placeholder, monitor.namespaces or ())):
        return []
    return [target for target in _targets(monitor, ctx) if monitor.selector.matches(_labels(target))]  # type: ignore[return-value]  # a part of what was one of the two


@check("REF004")
def servicemonitor_no_match(monitor: Monitor, ctx: Context) -> Iterator[Diagnostic]:
    """A monitor that selects nothing."""
    selector = monitor.selector
    if selector.has_placeholders or any(is_run_time_label(key) for key in selector.keys):
        return
    namespaces = monitor.namespaces
    if namespaces is not None and any(is_placeholder(n) or n in _CLUSTER_NAMESPACES for n in namespaces):
        return
    targets = _targets(monitor, ctx)
    if any(selector.matches(_labels(target)) for target in targets):
        return
    if any(is_placeholder(value) for target in targets for value in _labels(target).values()):
        return
    what = "pods" if monitor.scrapes_pods else "Service"
    elsewhere = _elsewhere(monitor, ctx)
    near = _nearest(selector, targets) or (_named_elsewhere(elsewhere) if elsewhere is not None else None)
    where = "any namespace" if namespaces is None else f"namespace {listed(namespaces, 'or')}"
    severity, confidence = _level(monitor, ctx, bool(targets), near is not None)
    at = ("spec", "selector") if monitor.root.get("spec", "selector") is not None else ("spec",)
    yield ctx.report(
        monitor,
        *at,
        key=True,
        message=(
            f"no {what} of {where} {'have' if monitor.scrapes_pods else 'has'} the labels `{selector}`,"
            f" so nothing is scraped{near[0] if near else ''}"
            if not selector.is_empty
            else f"there {'are no pods' if monitor.scrapes_pods else 'is no Service'} in {where}, so nothing is scraped"
        ),
        severity=severity,
        confidence=confidence,
        related=[near[1]] if near is not None else (),
        help=_remedy(monitor, elsewhere),
    )


def _remedy(monitor: Monitor, elsewhere: Resource | None) -> str:
    if elsewhere is not None:
        return f"name the namespace in `namespaceSelector`: `matchNames: [{elsewhere.namespace}]`"
    if monitor.scrapes_pods:
        return "select labels that the pods have"
    return "select labels that the Service itself has: those of its pods do not count"


def _elsewhere(monitor: Monitor, ctx: Context) -> Resource | None:
    """What has the labels in the one namespace that a monitor without a `namespaceSelector` does not look in."""
    if monitor.selector.is_empty or monitor.root.get("spec", "namespaceSelector") is not None:
        return None
    everything = ctx.cluster.workloads if monitor.scrapes_pods else ctx.cluster.services
    found = [each for each in everything if each.has_namespace and monitor.selector.matches(_labels(each))]
    return found[0] if len({each.namespace for each in found}) == 1 else None


def _named_elsewhere(found: Resource) -> tuple[str, Location] | None:
    at = found.labels_path if isinstance(found, Workload) else ("metadata", "labels")
    if found.root.get(*at) is None:
        return None
    return f"; {found} has them", Location(found.root.key_at(*at).place, "the labels")


def _level(monitor: Monitor, ctx: Context, has_targets: bool, is_near: bool) -> tuple[Severity, Confidence]:
    """A warning where labels nearly fit; else only a note, for what is scraped often stands elsewhere."""
    operated = ctx.once(operated_names)
    names = monitor.namespaces
    # What is sought in all namespaces, may be in one that is not in sight.
    is_open = names is None or any(is_open_to(ctx, name) or operated.get(name) for name in names)
    if is_near and ctx.unit.shows_all:
        return Severity.WARNING, Confidence.HIGH
    if has_targets and not is_open and not monitor.selector.is_empty:
        return Severity.WARNING, Confidence.MEDIUM
    return Severity.NOTE, Confidence.LOW


def _nearest(selector: LabelSelector, targets: Sequence[Resource]) -> tuple[str, Location] | None:
    """What nearly fits, in a clause, with its place: one value or key off, or labels on the pods instead."""
    wanted = dict(selector.match_labels)
    if not wanted or selector.match_expressions:
        return None
    for target in targets:
        labels = _labels(target)
        at = target.labels_path if isinstance(target, Workload) else ("metadata", "labels")
        off = [(key, value) for key, value in wanted.items() if labels.get(key) != value]
        if len(off) == 1:
            key, value = off[0]
            other = labels.get(key)
            node = target.root.get(*at, key)
            is_typo = other is not None and is_slip(value, other)
            if other is not None and node is not None and is_typo:
                return f"; did you mean `{key}: {other}`?", Location(node.place, "nearly the same")
        if isinstance(target, Service) and target.selector and off and not target.labels:
            fits = all(target.selector.get(key) == value for key, value in wanted.items())
            node = target.root.get("spec", "selector")
            if fits and node is not None:
                key_node = target.root.key_at("spec", "selector")
                where = Location(key_node.place, "its pods' labels")
                return f"; Service `{target.name}` selects pods by them, but has no labels itself", where
    return None


@check("REF005")
def servicemonitor_port_undefined(monitor: Monitor, ctx: Context) -> Iterator[Diagnostic]:
    """A port name that nothing selected has."""
    selected = _selected(monitor, ctx)
    names: set[str] = set()
    for target in selected:
        if isinstance(target, Service):
            names |= {port.name for port in target.ports if port.name}
            if not target.ports:
                return
        elif not target.containers:
            return
        else:
            containers = target.containers
            names |= {port.name for container in containers for port in container.ports if port.name}
    if not selected or any(map(is_placeholder, names)):
        return
    kind = "container of the pods" if monitor.scrapes_pods else "Service"
    for endpoint in monitor.endpoints:
        name = endpoint.port
        if name is None or name in names or is_placeholder(name) or endpoint.has_target:
            continue
        path = (*endpoint.path, "port")
        near = get_close_matches(name, sorted(names), 1)
        if near:
            hint = f"did you mean `{near[0]}`?"
        else:
            hint = f"there {'is' if len(names) == 1 else 'are'} {listed(sorted(names))}" if names else "none has a name"
        only = near[0] if near else next(iter(names)) if len(names) == 1 else None
        subject = f"{kind} that the monitor selects" if len(selected) > 1 or monitor.scrapes_pods else "Service"
        first = selected[0]
        ports = ("spec", "ports")
        yield ctx.report(
            monitor,
            *path,
            message=f"no {subject} has a port named `{name}`, so nothing is scraped; {hint}"
            if subject != "Service"
            else f"the monitor selects Service `{first.name}`, which has no port named `{name}`: nothing is scraped;"
            f" {hint}",
            severity=None if ctx.unit.shows_all else Severity.NOTE,
            related=[ctx.location(first, *ports, key=True, label="its ports")]
            if isinstance(first, Service)
            else [ctx.location(first, *first.labels_path, key=True, label="selected here")]
            if isinstance(first, Workload) and first.root.get(*first.labels_path) is not None
            else (),
            help="write the name of a port, not a number" if not only else f"write `{only}`",
            fix=ctx.fix(f"Use the port {only}", ctx.replace(monitor, *path, text=only)) if only else None,
        )
