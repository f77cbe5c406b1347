"""Where the cluster's DNS is, and whether policies let a pod out to it."""

from __future__ import annotations

from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import EGRESS, AllOf, AnyOf, InNamespace, PeerExpr, PolicySet
from k8snetlint.policy.peers import Peer

from .blocking import allowing_rules, may_be_unseen
from .reference import matches

# Where DNS servers listen on their pods: 53 with most distributions, 5353 on OpenShift, others on a few.
DNS_PORTS = (53, 5353, 1053, 8053)
DNS_NAMESPACES = frozenset({"kube-system", "openshift-dns"})
DNS_LABELS = (("k8s-app", "kube-dns"), ("dns.operator.openshift.io/daemonset-dns", "default"))


def reaches_dns(cluster: Cluster, policies: PolicySet, peer: Peer) -> bool:
    """Whether a rule lets a peer out to DNS servers, those in sight or those that may well be meant."""
    servers = [
        pod
        for pod in policies.peers.pods
        if pod.namespace in DNS_NAMESPACES and any(pod.labels.get(key) == value for key, value in DNS_LABELS)
    ]
    for port in DNS_PORTS:
        for rule in allowing_rules(policies, EGRESS, peer, "UDP", port):
            destination = rule.match.destination
            if any(matches(destination, server) for server in servers) or _names_dns_namespace(destination):
                return True
            if not servers and may_be_unseen(destination, cluster, policies, peer.namespace):
                return True
    return False


def _names_dns_namespace(peer: PeerExpr) -> bool:
    """Whether a peer is the whole of a namespace where DNS servers live."""
    match peer:
        case InNamespace(name):
            return name in DNS_NAMESPACES
        case AnyOf(parts):
            return any(_names_dns_namespace(part) for part in parts)
        case AllOf():
            return False
    return False
