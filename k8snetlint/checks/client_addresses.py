"""Who tells clients from outside apart by their addresses, and whether the addresses get there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.core import Resource
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.networkpolicy import INGRESS, NetworkPolicy
from k8snetlint.model.services import Service
from k8snetlint.model.values import text_of
from k8snetlint.source.tree import Path

from .cloud_annotations import AWS
from .edits import with_entry

_FILTERS = ("nginx.ingress.kubernetes.io/whitelist-source-range", "nginx.ingress.kubernetes.io/denylist-source-range")
_OUTSIDE = ("NodePort", "LoadBalancer")


@cluster_check("SVC034")
def external_traffic_policy_cluster_hides_client_ip(ctx: Context) -> Iterator[Diagnostic]:
    """Clients from outside that are told apart by address, behind a Service that hides it."""
    for service in ctx.cluster.services:
        if not ctx.cluster.is_context(service):
            yield from _hidden(service, ctx)


def _hidden(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    if (
        service.type not in _OUTSIDE
        or (text_of(service.root.get("spec", "externalTrafficPolicy")) or "Cluster") != "Cluster"
    ):
        return
    if _keeps_addresses(service) or not service.selector:
        return
    found = _filter_of(service, ctx)
    if found is None:
        return
    resource, path, what = found
    edit = with_entry(service, "spec", "type", entry="externalTrafficPolicy: Local")
    yield ctx.report(
        service,
        "spec",
        "type",
        message=f"its pods see the address of a node in place of the client's, which {what} goes by",
        related=[ctx.location(resource, *path, label="goes by address")],
        help="set `externalTrafficPolicy: Local`",
        fix=ctx.fix("Set `externalTrafficPolicy: Local`", edit),
    )


def _keeps_addresses(service: Service) -> bool:
    """Whether the provider leads traffic to pods directly, or passes the client's address on by other means."""
    values = service.annotations
    direct = values.get(f"{AWS}nlb-target-type") == "ip" or values.get(f"{AWS}type") == "nlb-ip"
    return (
        direct
        or any("proxy-protocol" in key for key in values)
        or service.root.get("spec", "loadBalancerClass") is not None
    )


def _filter_of(service: Service, ctx: Context) -> tuple[Resource, Path, str] | None:
    """What tells the clients of a Service apart by address: the object, the place and its name."""
    for policy in ctx.cluster.all_of(NetworkPolicy):
        if policy.namespace != service.namespace or INGRESS not in policy.policy_types or policy.pod_selector is None:
            continue
        source = next(_external_sources(policy), None)
        if source is not None and any(
            policy.pod_selector.matches(workload.pod_labels) for workload in ctx.cluster.backends(service)
        ):
            return policy, (*source, "ipBlock", "cidr"), f"NetworkPolicy `{policy.name}`"
    if not _is_ingress_controller(service):
        return None
    for ingress in ctx.cluster.all_of(Ingress):
        key = next((key for key in _FILTERS if key in ingress.annotations), None)
        if key is not None:
            return ingress, ("metadata", "annotations", key), f"Ingress `{ingress.name}`"
    return None


def _external_sources(policy: NetworkPolicy) -> Iterator[Path]:
    """The paths of the peers of a policy's ingress rules that are some public addresses, and not all of them."""
    for rule in policy.ingress:
        for peer in rule.peers:
            if peer.ip_block is None:
                continue
            try:
                network = ip_network(peer.ip_block.cidr, strict=False)
            except ValueError:
                continue
            if network.is_global and network.prefixlen > 0:
                yield peer.path


def _is_ingress_controller(service: Service) -> bool:
    return "ingress-nginx" in (*service.labels.values(), *(service.selector or {}).values())
