"""Pods on the node's own network: hostNetwork, hostPort, and what they collide with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.values import items_of, text_of, texts_of
from k8snetlint.model.workloads import Container, ContainerPort, Workload
from k8snetlint.settings import Settings

from .edits import without_key

# What stands for every address of the node.
_ANY = (None, "0.0.0.0", "::", "")


@check("HOST001")
def host_network(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A pod on the network of its node."""
    if workload.host_network:
        yield ctx.report(
            workload,
            *workload.spec_path,
            "hostNetwork",
            message="the pod uses the network of its node: it sees the node's interfaces, and policies do not hold for it",
            help="remove `hostNetwork`, unless the pod is part of the node's own network",
        )


@check("HOST002")
def host_port(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port that a container claims on its node."""
    for port in workload.ports:
        if port.host_port is not None and not workload.host_network:
            yield ctx.report(
                workload,
                *port.path,
                "hostPort",
                message=f"hostPort {port.host_port} claims a port of the node: one pod a node can have it",
                help="use a Service, unless the pod has to be reached at its node's address",
            )


@check("HOST003")
def host_port_mismatch_hostnetwork(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A hostPort that leads elsewhere, where nothing can lead."""
    for port in workload.ports if workload.host_network else ():
        if port.host_port is not None and port.number is not None and port.host_port != port.number:
            path = (*port.path, "hostPort")
            yield ctx.report(
                workload,
                *path,
                message=(
                    f"hostPort {port.host_port} differs from containerPort {port.number}, and with hostNetwork the two "
                    "are one: the API server rejects the pod"
                ),
                related=[ctx.location(workload, *port.path, "containerPort", label="other port")],
                help=f"write {port.number}, or remove hostPort",
                fix=ctx.fix(f"Write {port.number}", ctx.replace(workload, *path, text=str(port.number))),
            )


def claimed(workload: Workload, port: ContainerPort) -> int | None:
    """The port of the node that a container port claims; with hostNetwork every declared one."""
    return port.host_port or (port.number if workload.host_network else None)


def _collide(first: ContainerPort, second: ContainerPort) -> bool:
    same_address = first.host_ip == second.host_ip or first.host_ip in _ANY or second.host_ip in _ANY
    return first.protocol == second.protocol and same_address


@check("HOST004")
def host_port_conflict_in_pod(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """One port of the node for two ports of a pod."""
    for first, second in combinations(tuple(workload.ports), 2):
        number = claimed(workload, first)
        same = (first.protocol, first.host_ip) == (second.protocol, second.host_ip)
        if number is None or number != claimed(workload, second) or not same:
            continue
        field = "hostPort" if second.host_port is not None else "containerPort"
        other = "hostPort" if first.host_port is not None else "containerPort"
        yield ctx.report(
            workload,
            *second.path,
            field,
            message=f"port {number}/{second.protocol} of the node is claimed twice by one pod, which can run nowhere",
            related=[ctx.location(workload, *first.path, other, label="first here")],
            help="give one of them another port",
        )


@check("HOST008")
def host_port_ambiguous_host_ip(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """One port of the node, once at one address and once at all of them."""
    for first, second in combinations(tuple(workload.ports), 2):
        number = first.host_port
        if number is None or number != second.host_port or first.host_ip == second.host_ip:
            continue
        if first.protocol != second.protocol or not (first.host_ip in _ANY or second.host_ip in _ANY):
            continue
        wide, narrow = (first, second) if first.host_ip in _ANY else (second, first)
        yield ctx.report(
            workload,
            *wide.path,
            "hostPort",
            message=f"hostPort {number}/{wide.protocol} is claimed at every address and at {narrow.host_ip}: which of the"
            " two gets the traffic there is not defined",
            related=[ctx.location(workload, *narrow.path, "hostIP", label="one address")],
            help="give both a hostIP, or one of them another port",
        )


def host_ports(cluster: Cluster, settings: Settings) -> Mapping[tuple[int, str], list[tuple[Workload, ContainerPort]]]:
    """Who claims each port of the nodes by hostPort, by number and protocol."""
    found: dict[tuple[int, str], list[tuple[Workload, ContainerPort]]] = {}
    for workload in cluster.workloads:
        for port in workload.ports:
            if port.host_port is not None:
                found.setdefault((port.host_port, port.protocol), []).append((workload, port))
    return found


def _node_selection(workload: Workload) -> object:
    spec = workload.pod_spec
    selector = spec.get("nodeSelector") if spec is not None else None
    return selector.plain() if selector is not None else None


@check("HOST005")
def host_port_conflict_across_workloads(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """One port of the node for the pods of two DaemonSets on the same nodes."""
    if workload.kind != "DaemonSet":
        return
    for port in workload.ports:
        if port.host_port is None:
            continue
        for other, theirs in ctx.once(host_ports)[port.host_port, port.protocol]:
            if other is workload:
                break
            if other.kind != "DaemonSet" or other.id == workload.id or not _collide(port, theirs):
                continue
            if _node_selection(other) != _node_selection(workload):
                continue
            yield ctx.report(
                workload,
                *port.path,
                "hostPort",
                message=f"hostPort {port.host_port}/{port.protocol} is {other}'s on the same nodes: one of the two cannot run",
                related=[ctx.location(other, *theirs.path, "hostPort", label="first here")],
                help="choose another port, or other nodes",
            )
            return


@check("HOST007")
def host_ip_without_host_port(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """An address of the node without a port of it."""
    for port in workload.ports:
        if port.host_ip is not None and port.host_port is None and not workload.host_network:
            edit = without_key(workload, *port.path, "hostIP")
            yield ctx.report(
                workload,
                *port.path,
                "hostIP",
                message="hostIP has no effect without a hostPort",
                help="add `hostPort`, or remove it",
                fix=ctx.fix("Remove hostIP", edit),
            )


@check("HOST009")
def host_port_in_node_port_range(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port of the node that a Service may be given."""
    first, last = ctx.settings.cluster.node_port_range
    for port in workload.ports:
        number = claimed(workload, port)
        if number is not None and first <= number <= last:
            field = "hostPort" if port.host_port is not None else "containerPort"
            yield ctx.report(
                workload,
                *port.path,
                field,
                message=f"port {number} of the node lies in the range {first}-{last} that node ports are given out of",
                help="choose a port outside the range",
            )


@check("HOST012")
def net_raw_capability(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A container that may forge packets."""
    return _adding(workload, ctx, "NET_RAW", "it can forge packets of its neighbours")


def _added(container: Container) -> set[str]:
    added = container.node.get("securityContext", "capabilities", "add")
    return {text.upper().removeprefix("CAP_") for text in texts_of(added)}


def _adding(workload: Workload, ctx: Context, capability: str, use: str) -> Iterator[Diagnostic]:
    for container in workload.containers:
        if _added(container) & {capability, "ALL"}:
            yield ctx.report(
                workload,
                *container.path,
                "securityContext",
                "capabilities",
                "add",
                key=True,
                message=f"container `{container.name}` adds {capability}, with which {use}",
                help="remove it, unless the container sets up the network",
            )


@check("HOST013")
def net_admin_capability(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A container that may rewrite its network."""
    return _adding(workload, ctx, "NET_ADMIN", "it can change routes and filters")


@check("HOST015")
def host_network_net_sysctl(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A sysctl of the network for a pod that has no network of its own."""
    spec = workload.pod_spec
    if spec is None or not workload.host_network:
        return
    for index, item in enumerate(items_of(spec.get("securityContext", "sysctls"))):
        name = text_of(item.get("name"))
        if name is not None and name.startswith("net."):
            yield ctx.report(
                workload,
                *workload.spec_path,
                "securityContext",
                "sysctls",
                index,
                "name",
                message=f"sysctl `{name}` is refused together with hostNetwork: it would change the node",
                help="set it on the node, or remove hostNetwork",
            )
