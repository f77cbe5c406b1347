"""Random clusters with policies of every Kubernetes dialect, small enough to ask about every flow."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from k8snetlint.model.cluster import Cluster
from tests.clusters import cluster_of

NAMESPACES = ("red", "blue")
VALUES = ("x", "y", "")
POD_ADDRESSES = ("10.0.0.1", "10.0.0.9", "10.0.1.5", "fd00::1")
NODE_ADDRESSES = {"n1": "192.168.0.1", "n2": "192.168.0.2"}
BLOCKS = (
    "10.0.0.0/24",
    "10.0.0.0/29",
    "10.0.0.1/32",
    "0.0.0.0/0",
    "192.168.0.0/30",
    "8.8.0.0/16",
    "fd00::/120",
    "::/0",
)
EXCEPTIONS = {"10.0.0.0/24": "10.0.0.8/29", "0.0.0.0/0": "10.0.0.0/16", "8.8.0.0/16": "8.8.8.0/24", "::/0": "fd00::/64"}
PORTS = (53, 80, 8080)
PORT_NAMES = ("http", "dns")
PROTOCOLS = ("TCP", "UDP", "SCTP")
# What lies in different namespaces seldom meets.
_MOSTLY_RED = st.sampled_from(("red", "red", "red", "blue"))

Manifest = dict[str, Any]


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    """A cluster of up to four pods and six policies."""
    documents: list[Manifest] = [draw(_namespace(name)) for name in NAMESPACES if draw(st.booleans())]
    documents += [_node(name, address) for name, address in NODE_ADDRESSES.items() if draw(st.booleans())]
    documents += [draw(_pod(f"p{number}")) for number in range(draw(st.integers(2, 4)))]
    documents += [draw(_network_policy(f"np{number}")) for number in range(draw(st.integers(0, 4)))]
    # Where admin policies decide most, what NetworkPolicies say is hardly seen: half of the clusters have none.
    if draw(st.booleans()):
        return _cluster(documents)
    documents += [draw(_admin_policy(f"anp{number}")) for number in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        documents.append(draw(_baseline_policy()))
    documents += [draw(_cluster_policy(f"cnp{number}")) for number in range(draw(st.integers(0, 2)))]
    return _cluster(documents)


@st.composite
def port_clusters(draw: st.DrawFn) -> Cluster:
    """A cluster of up to four workloads behind Services of every type, some with host ports, and up to four policies."""
    documents = [draw(_workload(f"w{number}")) for number in range(draw(st.integers(1, 4)))]
    documents += [draw(_service(f"s{number}")) for number in range(draw(st.integers(1, 3)))]
    documents += [draw(_opening_policy(f"open{number}")) for number in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        documents += [draw(_network_policy("np")), draw(_admin_policy("anp"))]
    return _cluster(documents)


def _cluster(documents: list[Manifest]) -> Cluster:
    return cluster_of("\n---\n".join(map(json.dumps, documents)))


def _labels() -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(VALUES))


@st.composite
def _namespace(draw: st.DrawFn, name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": draw(_labels())}}


def _node(name: str, address: str) -> Manifest:
    addresses = [{"type": "InternalIP", "address": address}]
    metadata = {"name": name, "labels": {"app": "x"} if name == "n1" else {}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"addresses": addresses}}


@st.composite
def _pod(draw: st.DrawFn, name: str) -> Manifest:
    port = st.fixed_dictionaries(
        {
            "name": st.sampled_from(PORT_NAMES),
            "containerPort": st.sampled_from(PORTS),
            "protocol": st.sampled_from(PROTOCOLS),
        }
    )
    spec: Manifest = {"containers": [{"name": "c", "ports": draw(st.lists(port, min_size=1, max_size=3))}]}
    status: Manifest = {}
    node = draw(st.sampled_from((None, "n1", "n2")))
    if node is not None:
        spec["nodeName"] = node
        status["hostIP"] = NODE_ADDRESSES[node]
    if draw(st.integers(0, 3)) == 0:
        spec["hostNetwork"] = True
    address = draw(st.sampled_from((None, *POD_ADDRESSES)))
    if address is not None:
        status["podIP"] = address
    metadata = {"name": name, "namespace": draw(st.sampled_from(NAMESPACES)), "labels": draw(_labels())}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


@st.composite
def _opening_policy(draw: st.DrawFn, name: str) -> Manifest:
    """A policy that opens one port of some pods, as people write them."""
    rule = {"from": draw(st.lists(_peer(), max_size=1)), "ports": [{"port": draw(st.sampled_from((*PORTS, "http")))}]}
    if draw(st.booleans()):
        rule["ports"][0]["protocol"] = draw(st.sampled_from(PROTOCOLS[:2]))
    selector = draw(st.sampled_from(({}, {"matchLabels": {"app": "x"}})))
    metadata = {"name": name, "namespace": draw(_MOSTLY_RED)}
    spec = {"podSelector": selector, "ingress": [_without_empty(rule)]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


@st.composite
def _workload(draw: st.DrawFn, name: str) -> Manifest:
    """A pod or Deployment of up to two containers and a sidecar, ports of one name among them."""
    port = st.fixed_dictionaries(
        {"containerPort": st.sampled_from(PORTS)},
        optional={
            "name": st.just("http"),
            "protocol": st.sampled_from(PROTOCOLS[:2]),
            "hostPort": st.sampled_from(PORTS),
        },
    )
    containers = [{"name": f"c{index}", "ports": draw(st.lists(port, max_size=2))} for index in range(2)]
    spec: Manifest = {"containers": containers[: draw(st.integers(1, 2))]}
    if draw(st.booleans()):
        sidecar = {"name": "init", "ports": draw(st.lists(port, max_size=2))}
        if draw(st.booleans()):
            sidecar["restartPolicy"] = "Always"
        spec["initContainers"] = [sidecar]
    if draw(st.integers(0, 4)) == 0:
        spec["hostNetwork"] = True
    # Few labels: a Service that selects nothing shows nothing.
    labels = {"app": draw(st.sampled_from(("x", "y"))), **draw(_labels())}
    where = {"name": name, "namespace": draw(_MOSTLY_RED)}
    if draw(st.booleans()):
        status = {"phase": "Succeeded"} if draw(st.integers(0, 4)) == 0 else {}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**where, "labels": labels},
            "spec": spec,
            "status": status,
        }
    template = {"metadata": {"labels": labels}, "spec": spec}
    inner = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": where, "spec": inner}


@st.composite
def _service(draw: st.DrawFn, name: str) -> Manifest:
    port = st.fixed_dictionaries(
        {"port": st.sampled_from(PORTS)},
        optional={
            "name": st.sampled_from(PORT_NAMES),
            "protocol": st.sampled_from(PROTOCOLS[:2]),
            "targetPort": st.sampled_from((80, 8080, "http", "http", "http", "dns")),
            "nodePort": st.sampled_from((80, 8080, 30080)),
        },
    )
    type_ = draw(st.sampled_from(("ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "headless")))
    spec: Manifest = {"type": type_, "ports": draw(st.lists(port, min_size=1, max_size=2))}
    if type_ == "headless":
        spec |= {"type": "ClusterIP", "clusterIP": "None"}
    spec["selector"] = draw(st.sampled_from(({"app": "x"}, {"app": "y"}, {"app": "x", "tier": "x"}, {})))
    metadata = {"name": name, "namespace": draw(_MOSTLY_RED)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


@st.composite
def _selector(draw: st.DrawFn) -> Manifest:
    selector: Manifest = {}
    # Policies that meet no pod show nothing.
    if draw(st.booleans()):
        return selector
    labels = draw(st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(VALUES), max_size=1))
    if labels:
        selector["matchLabels"] = labels
    if draw(st.booleans()):
        operator = draw(st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")))
        expression: Manifest = {"key": draw(st.sampled_from(("app", "tier"))), "operator": operator}
        if operator in ("In", "NotIn"):
            expression["values"] = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True))
        selector["matchExpressions"] = [expression]
    return selector


@st.composite
def _namespace_selector(draw: st.DrawFn) -> Manifest:
    if draw(st.integers(0, 2)) == 0:
        return {"matchLabels": {"kubernetes.io/metadata.name": draw(st.sampled_from(NAMESPACES))}}
    return draw(_selector())


@st.composite
def _peer(draw: st.DrawFn) -> Manifest:
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return {"podSelector": draw(_selector())}
    if kind == 1:
        return {"namespaceSelector": draw(_namespace_selector())}
    if kind == 2:
        return {"namespaceSelector": draw(_namespace_selector()), "podSelector": draw(_selector())}
    block: Manifest = {"cidr": draw(st.sampled_from(BLOCKS))}
    if block["cidr"] in EXCEPTIONS and draw(st.booleans()):
        block["except"] = [EXCEPTIONS[block["cidr"]]]
    return {"ipBlock": block}


@st.composite
def _port(draw: st.DrawFn) -> Manifest:
    entry: Manifest = {}
    if draw(st.booleans()):
        entry["protocol"] = draw(st.sampled_from(PROTOCOLS))
    kind = draw(st.integers(0, 4))
    if kind == 1:
        entry["port"] = draw(st.sampled_from(PORTS))
    elif kind in (2, 4):
        entry["port"] = draw(st.sampled_from(PORT_NAMES))
    elif kind == 3:
        entry["port"] = 80
        entry["endPort"] = draw(st.sampled_from((80, 90, 65535)))
    return entry


@st.composite
def _network_policy(draw: st.DrawFn, name: str) -> Manifest:
    spec: Manifest = {"podSelector": draw(_selector())}
    for field, peers in (("ingress", "from"), ("egress", "to")):
        if draw(st.booleans()):
            spec[field] = [
                _without_empty(
                    {peers: draw(st.lists(_peer(), max_size=2)), "ports": draw(st.lists(_port(), max_size=2))}
                )
                for _ in range(draw(st.integers(0, 2)))
            ]
    if draw(st.booleans()):
        types = st.lists(st.sampled_from(("Ingress", "Egress")), unique=True, max_size=2)
        spec["policyTypes"] = draw(types)
    metadata = {"name": name, "namespace": draw(st.sampled_from(NAMESPACES))}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _without_empty(rule: Manifest) -> Manifest:
    return {key: value for key, value in rule.items() if value}


@st.composite
def _admin_selector(draw: st.DrawFn) -> Manifest:
    if draw(st.booleans()):
        return {"namespaces": draw(_namespace_selector())}
    return {"pods": {"namespaceSelector": draw(_namespace_selector()), "podSelector": draw(_selector())}}


@st.composite
def _admin_peer(draw: st.DrawFn, is_egress: bool) -> Manifest:
    kind = draw(st.integers(0, 3)) if is_egress else 0
    if kind == 2:
        return {"networks": draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=2))}
    if kind == 3:
        return {"nodes": draw(_selector())}
    return draw(_admin_selector())


@st.composite
def _admin_port(draw: st.DrawFn) -> Manifest:
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return {"namedPort": draw(st.sampled_from(PORT_NAMES))}
    protocol = draw(st.sampled_from(PROTOCOLS))
    if kind == 1:
        return {"portNumber": {"protocol": protocol, "port": draw(st.sampled_from(PORTS))}}
    return {"portRange": {"protocol": protocol, "start": 80, "end": draw(st.sampled_from((90, 65535)))}}


@st.composite
def _cluster_port(draw: st.DrawFn) -> Manifest:
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return {"destinationNamedPort": draw(st.sampled_from(PORT_NAMES))}
    protocol = draw(st.sampled_from(("tcp", "udp", "sctp")))
    if kind == 1:
        return {protocol: {"destinationPort": {"number": draw(st.sampled_from(PORTS))}}}
    return {protocol: {"destinationPort": {"range": {"start": 80, "end": draw(st.sampled_from((90, 65535)))}}}}


@st.composite
def _admin_rules(draw: st.DrawFn, actions: tuple[str, ...], ports: str, direction: str) -> list[Manifest]:
    is_egress = direction == "egress"
    port = _cluster_port() if ports == "protocols" else _admin_port()
    rules = []
    for _ in range(draw(st.integers(0, 3))):
        peers = draw(st.lists(_admin_peer(is_egress), min_size=1, max_size=2))
        rule: Manifest = {"action": draw(st.sampled_from(actions)), "to" if is_egress else "from": peers}
        if draw(st.booleans()):
            rule[ports] = draw(st.lists(port, min_size=1, max_size=2))
        rules.append(rule)
    return rules


@st.composite
def _admin_policy(draw: st.DrawFn, name: str) -> Manifest:
    spec: Manifest = {"priority": draw(st.integers(0, 3)), "subject": draw(_admin_selector())}
    for direction in ("ingress", "egress"):
        spec[direction] = draw(_admin_rules(("Allow", "Deny", "Pass"), "ports", direction))
    return _cluster_wide("v1alpha1", "AdminNetworkPolicy", name, spec)


@st.composite
def _baseline_policy(draw: st.DrawFn) -> Manifest:
    spec: Manifest = {"subject": draw(_admin_selector())}
    for direction in ("ingress", "egress"):
        spec[direction] = draw(_admin_rules(("Allow", "Deny"), "ports", direction))
    return _cluster_wide("v1alpha1", "BaselineAdminNetworkPolicy", "default", spec)


@st.composite
def _cluster_policy(draw: st.DrawFn, name: str) -> Manifest:
    spec: Manifest = {"tier": draw(st.sampled_from(("Admin", "Baseline"))), "priority": draw(st.integers(0, 3))}
    spec["subject"] = draw(_admin_selector())
    for direction in ("ingress", "egress"):
        spec[direction] = draw(_admin_rules(("Accept", "Deny", "Pass"), "protocols", direction))
    return _cluster_wide("v1alpha2", "ClusterNetworkPolicy", name, spec)


def _cluster_wide(version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": f"policy.networking.k8s.io/{version}",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
