"""What each network plugin enforces of the policies, as data.

The default is the neutral model: what the API documents, and where they leave a choice, what most plugins do.
Source: the plugins' own documentation and converters.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs


@attrs.frozen
class Enforcement:
    """How one network plugin treats what the API leaves open, and what it leaves out.

    `enforces_policies`: whether policies have any effect at all.
    `blocks_match_pods`, `blocks_match_nodes`: whether an address block matches pods and nodes by their address.
    `selects_host_network`: whether pods on the host network are pods to selectors, and subjects.
    `always_admits_own_node`: whether a pod's own node reaches it whatever the policies say.
    `has_end_port`, `has_named_ports`, `has_sctp`: whether such ports take effect. Without `endPort` only the first
    port counts; without named ports the whole policy is refused.
    `admin_kinds`: which cluster-wide kinds of policy.networking.k8s.io it reads.
    """

    name: str
    enforces_policies: bool = True
    blocks_match_pods: bool = True
    blocks_match_nodes: bool = True
    selects_host_network: bool = False
    always_admits_own_node: bool = True
    has_end_port: bool = True
    has_named_ports: bool = True
    has_sctp: bool = True
    admin_kinds: frozenset[str] = frozenset(
        {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"}
    )

    def differences(self) -> tuple[str, ...]:
        """In words, where the plugin differs from the neutral model; for verbose output."""
        told = (
            (self.enforces_policies, "policies have no effect"),
            (self.blocks_match_pods, "an ipBlock never matches pods"),
            (self.blocks_match_nodes, "an ipBlock never matches nodes"),
            (not self.selects_host_network, "pods on the host network are selected like others"),
            (self.always_admits_own_node, "a pod's own node is subject to policy"),
            (self.has_end_port, "endPort has no effect: only the first port of a range is opened"),
            (self.has_named_ports, "a policy with a named port is refused as a whole"),
            (self.has_sctp, "SCTP ports open nothing"),
        )
        missing = sorted(NEUTRAL.admin_kinds - self.admin_kinds) if self.enforces_policies else []
        kinds = (f"{', '.join(missing)} has no effect",) if missing else ()
        return tuple(text for as_neutral, text in told if not as_neutral) + kinds


_ALPHA = frozenset({"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"})
_BETA = frozenset({"ClusterNetworkPolicy"})
_NO_KINDS: frozenset[str] = frozenset()

NEUTRAL = Enforcement("neutral")

PLUGINS: Mapping[str, Enforcement] = MappingProxyType(
    {
        plugin.name: plugin
        for plugin in (
            Enforcement("antrea"),
            Enforcement("aws-vpc-cni", admin_kinds=_BETA),
            Enforcement("calico"),
            Enforcement("canal"),
            Enforcement("cilium", blocks_match_pods=False, blocks_match_nodes=False, admin_kinds=_BETA),
            Enforcement("flannel", enforces_policies=False, admin_kinds=_NO_KINDS),
            Enforcement("gke-dataplane-v2", blocks_match_pods=False, blocks_match_nodes=False, admin_kinds=_NO_KINDS),
            Enforcement("kube-network-policies"),
            Enforcement("kube-router", admin_kinds=_NO_KINDS),
            Enforcement("ovn-kubernetes", admin_kinds=_ALPHA),
            Enforcement("weave", has_end_port=False, has_named_ports=False, admin_kinds=_NO_KINDS),
        )
    }
)


def enforcement_of(plugin: str | None) -> Enforcement:
    """The behaviour of the plugin of that name; the neutral model for None or an unknown name."""
    return PLUGINS.get(plugin or "", NEUTRAL)
