"""Blocks of addresses in NetworkPolicies."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.algebra.addresses import Address, AddressSet
from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.networkpolicy import EGRESS, IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyRule
from k8snetlint.model.services import Service
from k8snetlint.model.values import text_of
from k8snetlint.settings import Settings

from .edits import with_entry

_METADATA = Address.parse("169.254.169.254")
_LINK_LOCAL = AddressSet.cidr("169.254.0.0/16")
_ALL = (AddressSet.all_v4(), AddressSet.all_v6())


@attrs.frozen
class ClusterAddresses:
    """The addresses of pods and of Services, as far as configuration and manifests tell."""

    pods: AddressSet
    services: AddressSet
    cluster_ips: dict[Address, Service]


def cluster_addresses(cluster: Cluster, settings: Settings) -> ClusterAddresses:
    """What is known of a cluster's addresses: from the settings, kubeadm, kube-proxy and Calico objects."""
    pods = list(settings.cluster.pod_cidrs)
    services = list(settings.cluster.service_cidrs)
    for resource in cluster.resources:
        if resource.group == "kubeadm.k8s.io" and resource.kind == "ClusterConfiguration":
            pods += (text_of(resource.root.get("networking", "podSubnet")) or "").split(",")
            services += (text_of(resource.root.get("networking", "serviceSubnet")) or "").split(",")
        elif resource.group == "kubeproxy.config.k8s.io":
            pods += (text_of(resource.root.get("clusterCIDR")) or "").split(",")
        elif resource.kind == "IPPool" and resource.group in ("projectcalico.org", "crd.projectcalico.org"):
            pods.append(text_of(resource.root.get("spec", "cidr")) or "")
    addresses: dict[Address, Service] = {}
    for service in cluster.services:
        address = _address(service.cluster_ip)
        if address is not None:
            addresses[address] = service
    return ClusterAddresses(_union(pods), _union(services), addresses)


def _address(text: str | None) -> Address | None:
    try:
        return Address.parse(text) if text else None
    except ValueError:
        return None


def _union(texts: list[str]) -> AddressSet:
    found = AddressSet()
    for text in texts:
        try:
            found |= AddressSet.cidr(text.strip())
        except ValueError:
            continue
    return found


def _blocks(policy: NetworkPolicy) -> Iterator[tuple[str, NetworkPolicyRule, NetworkPolicyPeer, IPBlock]]:
    for direction in policy.policy_types:
        for rule in policy.rules(direction):
            for peer in rule.peers:
                if peer.is_understood and peer.ip_block is not None:
                    yield direction, rule, peer, peer.ip_block


@check("NP031")
def any_cidr(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An ipBlock of every address."""
    for direction, _, peer, block in _blocks(policy):
        if block.addresses not in _ALL:
            continue
        verb = "admits" if direction != EGRESS else "lets its pods out to"
        yield ctx.report(
            policy,
            *peer.path,
            "ipBlock",
            "cidr",
            message=f"`{policy.name}` {verb} every address, pods and nodes of the cluster included on most plugins",
            help="name the blocks that are needed, or take the cluster's own ranges away with `except`",
        )


@check("NP032")
def metadata_endpoint_reachable(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """Egress to a wide block that holds the metadata address of clouds."""
    for direction, rule, peer, block in _blocks(policy):
        if direction != EGRESS or _METADATA not in block.addresses or block.addresses <= _LINK_LOCAL:
            continue
        if rule.ports and not any(
            port.is_understood
            and port.protocol == "TCP"
            and (port.port is None or (isinstance(port.port, int) and port.port <= 80 <= (port.end_port or port.port)))
            for port in rule.ports
        ):
            continue
        path = (*peer.path, "ipBlock", "cidr")
        fix = None
        if not block.exceptions:
            fix = ctx.fix(
                "Except the metadata address", with_entry(policy, *path, entry="except: [169.254.169.254/32]")
            )
        yield ctx.report(
            policy,
            *path,
            message=(
                f"`{policy.name}` lets its pods out to `{block.cidr}`, the metadata address 169.254.169.254 included,"
                " where clouds hand out the node's credentials"
            ),
            help="add 169.254.169.254/32 to `except`",
            fix=fix,
        )


@check("NP033")
def block_for_pods(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An ipBlock inside the range of pod addresses."""
    known = ctx.once(cluster_addresses)
    if not known.pods:
        return
    for _, _, peer, block in _blocks(policy):
        if block.addresses and block.addresses <= known.pods:
            yield ctx.report(
                policy,
                *peer.path,
                "ipBlock",
                "cidr",
                message=(
                    f"`{block.cidr}` of `{policy.name}` lies in the range of pod addresses: those change with every"
                    " restart, and Cilium does not match pods by address at all"
                ),
                help="select the pods by a podSelector or namespaceSelector",
            )


@check("NP034")
def block_for_service_address(policy: NetworkPolicy, ctx: Context) -> Iterator[Diagnostic]:
    """An ipBlock of Service addresses."""
    known = ctx.once(cluster_addresses)
    for _, _, peer, block in _blocks(policy):
        if not block.addresses:
            continue
        ranges = list(block.addresses.ranges())
        single = Address(ranges[0][0], ranges[0][1]) if len(ranges) == 1 and ranges[0][1] == ranges[0][2] else None
        service = known.cluster_ips.get(single) if single is not None else None
        if service is None and not (known.services and block.addresses <= known.services):
            continue
        what = (
            f"the address of Service `{service.name}`" if service is not None else "in the range of Service addresses"
        )
        yield ctx.report(
            policy,
            *peer.path,
            "ipBlock",
            "cidr",
            message=(
                f"`{block.cidr}` of `{policy.name}` is {what}, which is rewritten to a pod's address before policies"
                " look at it: the peer never matches"
            ),
            related=[ctx.location(service, "spec", "clusterIP", label="this Service")] if service is not None else (),
            help="select the pods behind the Service by a podSelector or namespaceSelector",
        )
