"""Ports of nodes that others already have: programs of the node itself, and the pods that an update replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.values import integer_of, items_of, text_of
from k8snetlint.model.workloads import ContainerPort, Workload
from k8snetlint.source.tree import Node

from .host_ports import claimed


class _Reserved(NamedTuple):
    program: str
    is_on_every_node: bool


# Source: Kubernetes reference, ports and protocols; kube-proxy and kubelet flags.
_RESERVED = {
    10250: _Reserved("kubelet", True),
    10249: _Reserved("kube-proxy", True),
    10256: _Reserved("kube-proxy", True),
    6443: _Reserved("kube-apiserver", False),
    2379: _Reserved("etcd", False),
    2380: _Reserved("etcd", False),
    10257: _Reserved("kube-controller-manager", False),
    10259: _Reserved("kube-scheduler", False),
}
_CONTROL_PLANE = re.compile(r"node-role\.kubernetes\.io/(?:control-plane|master)\Z")


@check("HOST010")
def host_port_reserved_node_port(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A port that a program of Kubernetes itself has on the node."""
    for container in workload.running_containers:
        for port in container.ports:
            number = claimed(workload, port)
            reserved = _RESERVED.get(number or 0)
            if reserved is None or port.protocol != "TCP":
                continue
            names = f"{workload.name} {container.name} {container.image}"
            if reserved.program in names or any(key.startswith("etcd") for key in workload.pod_labels):
                continue
            is_there = reserved.is_on_every_node or _may_run_on_control_plane(workload)
            where = "on every node" if reserved.is_on_every_node else "on nodes of the control plane"
            yield ctx.report(
                workload,
                *port.path,
                _field(port),
                message=f"port {number} of the node is {reserved.program}'s {where}: only one of the two can have it",
                severity=None if is_there else Severity.NOTE,
                confidence=None if is_there else Confidence.LOW,
                help="choose another port",
            )


def _field(port: ContainerPort) -> str:
    return "hostPort" if port.host_port is not None else "containerPort"


def _may_run_on_control_plane(workload: Workload) -> bool:
    spec = workload.pod_spec
    if spec is None:
        return False
    for toleration in items_of(spec.get("tolerations")):
        key = text_of(toleration.get("key"))
        if (key is None and text_of(toleration.get("operator")) == "Exists") or _CONTROL_PLANE.match(key or ""):
            return True
    selector = spec.get("nodeSelector")
    return selector is not None and any(_CONTROL_PLANE.match(key) for key in selector.entries)


@check("HOST006")
def host_port_multi_replica_deployment(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A Deployment whose pods claim a port of their node, and need another node each."""
    if workload.kind != "Deployment" or workload.replicas == 0:
        return
    port = next((port for port in workload.ports if claimed(workload, port) is not None), None)
    if port is None:
        return
    number, replicas = claimed(workload, port), 1 if workload.replicas is None else workload.replicas
    needs_more = _needs_another_node(workload, replicas)
    if replicas == 1 and not needs_more:
        return
    if needs_more:
        message = (
            f"an update starts a new pod before it ends an old one, and waits for another node with port {number} free:"
            f" it needs {replicas + 1} nodes for {replicas} pod{'s' if replicas > 1 else ''}"
        )
        remedy = "set `maxSurge: 0` with `maxUnavailable: 1`, or the strategy Recreate"
    else:
        message = f"{replicas} pods claim port {number} of their node, so each needs a node of its own"
        remedy = "use a DaemonSet, or a Service instead of the node's port"
    yield ctx.report(
        workload,
        *port.path,
        _field(port),
        message=message,
        severity=None if needs_more else Severity.NOTE,
        help=remedy,
    )


def _needs_another_node(workload: Workload, replicas: int) -> bool:
    """Whether an update can make no progress without a node to spare.

    Source: Kubernetes deployment controller, ResolveFenceposts: percentages of maxUnavailable are rounded down.
    """
    strategy = workload.root.get("spec", "strategy")
    if strategy is not None and text_of(strategy.get("type")) == "Recreate":
        return False
    limit = strategy.get("rollingUpdate", "maxUnavailable") if strategy is not None else None
    return _amount(limit, replicas) == 0


def _amount(node: Node | None, replicas: int) -> int | None:
    is_default = node is None or node.value is None
    number, text = integer_of(node), "25%" if is_default else text_of(node)
    if number is None and text is not None and re.fullmatch(r"\d{1,3}%", text):
        number = replicas * int(text[:-1]) // 100
    return number


# Sysctls of the network that every kubelet allows, and since when. Source: Kubernetes, using sysctls in a cluster.
_SAFE_SYSCTLS = {
    "net.ipv4.ip_local_port_range": (1, 4),
    "net.ipv4.tcp_syncookies": (1, 4),
    "net.ipv4.ping_group_range": (1, 18),
    "net.ipv4.ip_unprivileged_port_start": (1, 22),
    "net.ipv4.ip_local_reserved_ports": (1, 27),
    "net.ipv4.tcp_keepalive_time": (1, 29),
    "net.ipv4.tcp_fin_timeout": (1, 29),
    "net.ipv4.tcp_keepalive_intvl": (1, 29),
    "net.ipv4.tcp_keepalive_probes": (1, 29),
    "net.ipv4.tcp_rmem": (1, 32),
    "net.ipv4.tcp_wmem": (1, 32),
}


@check("HOST014")
def unsafe_net_sysctl(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A sysctl of the network that a kubelet refuses unless it was told otherwise."""
    path = (*workload.spec_path, "securityContext", "sysctls")
    if workload.host_network:
        return
    for index, item in enumerate(items_of(workload.root.get(*path))):
        name = text_of(item.get("name")) or ""
        # The kernel takes slashes for dots and dots for slashes: the first of the two tells which is meant.
        dotted = name.replace("/", ".") if name.startswith("net/") else name
        since = _SAFE_SYSCTLS.get(dotted)
        if not dotted.startswith("net.") or (since is not None and since <= ctx.settings.kube_version):
            continue
        when = f" before Kubernetes {since[0]}.{since[1]}" if since is not None else ""
        yield ctx.report(
            workload,
            *path,
            index,
            "name",
            message=f"sysctl `{name}` is not among the safe ones{when}: a kubelet refuses the pod unless it allows it by name",
            help="remove it, or allow it with `--allowed-unsafe-sysctls` on the nodes that the pod runs on",
        )
