"""The way of a packet over ports: composed by look-up, and stated as one formula."""

from __future__ import annotations

from hypothesis import given, settings

from k8snetlint import policy
from k8snetlint.analysis.portpath import Admission, Door, Refusal, admitting, chains
from k8snetlint.analysis.reference import is_allowed
from k8snetlint.analysis.smt.portpaths import PortPaths
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import Everything
from tests.analysis.random_clusters import port_clusters
from tests.analysis.test_engines_agree import EXAMPLES, fuzzed
from tests.clusters import cluster_of


def refused(cluster: Cluster) -> list[tuple[str, str, Refusal | None]]:
    """Every chain by its entry, workload and the hop that refuses, as the look-up says; the formula says the same."""
    policies = policy.lower(cluster)
    admission = Admission(policies)
    found = [(str(chain.entry), chain.workload.name, admission.refusal(chain)) for chain in chains(cluster)]
    stated = {(str(item.entry), item.workload.name, item.refusal) for item in PortPaths(cluster, policies).mismatches()}
    assert stated == {chain for chain in found if chain[2] is not None}
    return found


def composed(cluster: Cluster) -> set[tuple[str, tuple[str | int, ...], str, Refusal]]:
    """What look-up finds refused: the entry's object and place, the workload and the hop."""
    admission = Admission(policy.lower(cluster))
    return {
        (chain.entry.resource.name, chain.entry.path, chain.workload.name, refusal)
        for chain in chains(cluster)
        if (refusal := admission.refusal(chain)) is not None
    }


@settings(fuzzed, max_examples=2 * EXAMPLES)
@given(port_clusters())
def test_the_formula_refuses_what_look_up_refuses(cluster):
    policies = policy.lower(cluster)
    stated = set()
    for found in PortPaths(cluster, policies).mismatches():
        stated.add((found.entry.resource.name, found.entry.path, found.workload.name, found.refusal))
        if found.flow is not None:
            # The witness is what the reference says too: refused where it comes out, let in at the number dialled.
            assert not is_allowed(admitting(policies), found.flow).is_allowed
            assert is_allowed(admitting(policies), found.flow._replace(port=found.entry.number)).is_allowed
    assert stated == composed(cluster)


POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: {app}}}}}
spec:
  containers:
    - name: c
      ports: {ports}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec: {{selector: {{app: web}}, {fields}}}
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web, namespace: shop}}
spec: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: {ingress}}}
"""


def shop(ports: str, fields: str = "", ingress: str = "", second: str = "") -> Cluster:
    documents = [POD.format(name="web", app="web", ports=ports), POD.format(name="client", app="client", ports="[]")]
    if second:
        documents.append(POD.format(name="other", app="web", ports=second))
    if fields:
        documents.append(SERVICE.format(fields=fields))
    if ingress:
        documents.append(POLICY.format(ingress=ingress))
    return cluster_of("---\n".join(documents))


HTTP = "[{name: http, containerPort: 8080}]"
PORT_80 = "ports: [{port: 80, targetPort: http}]"
ENTRY_80 = "Service port 80/TCP of Service shop/web"


def test_a_name_is_looked_up_in_each_pod_for_the_protocol():
    cluster = shop(HTTP, PORT_80, second="[{name: http, protocol: UDP, containerPort: 8080}]")
    assert refused(cluster) == [(ENTRY_80, "web", None), (ENTRY_80, "other", Refusal.TARGET)]


def test_a_number_that_no_container_declares_is_refused_by_pods_that_declare_others():
    cluster = shop("[]", "ports: [{port: 80}]", second=HTTP)
    assert refused(cluster) == [(ENTRY_80, "web", None), (ENTRY_80, "other", Refusal.CONTAINER)]


def test_policies_see_the_pods_port_and_not_the_number_dialled():
    cluster = shop(
        HTTP, "type: NodePort, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]", "[{ports: [{port: 80}]}]"
    )
    node_port = "nodePort 30080/TCP of Service shop/web"
    assert refused(cluster) == [(ENTRY_80, "web", Refusal.SHIFTED), (node_port, "web", Refusal.CLOSED)]


def test_a_host_port_leads_to_its_container_port():
    ports = "[{containerPort: 8080, hostPort: 80}]"
    entry = "hostPort 80/TCP of shop/web[Pod]"
    assert refused(shop(ports, ingress="[{ports: [{port: 80}]}]")) == [(entry, "web", Refusal.SHIFTED)]
    assert refused(shop(ports, ingress="[{ports: [{port: 8080}]}]")) == [(entry, "web", None)]


def test_a_headless_service_changes_no_number():
    cluster = shop(HTTP, "clusterIP: None, ports: [{port: 80, targetPort: 8080}]")
    assert refused(cluster) == [(ENTRY_80, "web", Refusal.CONTAINER)]
    (chain,) = chains(cluster)
    assert [hop.path for hop in chain.hops] == [
        ("spec", "ports", 0, "port"),
        ("spec", "ports", 0, "port"),
        ("spec", "containers", 0, "ports", 0, "containerPort"),
    ]


def test_hops_lead_to_the_lines_that_decide():
    (chain,) = chains(shop(HTTP, PORT_80))
    assert chain.entry.door is Door.SERVICE
    assert [(hop.resource.name, hop.path, hop.number) for hop in chain.hops] == [
        ("web", ("spec", "ports", 0, "port"), 80),
        ("web", ("spec", "ports", 0, "targetPort"), 8080),
        ("web", ("spec", "containers", 0, "ports", 0, "containerPort"), 8080),
    ]


def test_a_source_shut_out_by_the_shift_is_shown_though_others_get_through():
    cluster = shop(
        HTTP,
        PORT_80,
        "[{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 80}]}, {from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
    )
    (chain,) = chains(cluster)
    flow = Admission(policy.lower(cluster)).shifted_flow(chain)
    assert flow is not None
    assert (flow.source.text, flow.destination.text, flow.port) == ("shop/client[Pod]", "shop/web[Pod]", 8080)


def test_a_pod_that_nobody_wrote_yet_is_found_by_the_formula_alone():
    monitor = "{podSelector: {matchLabels: {app: monitor}}}"
    cluster = shop(HTTP, PORT_80, f"[{{from: [{monitor}], ports: [{{port: 80}}]}}]")
    policies = policy.lower(cluster)
    (chain,) = chains(cluster)
    assert Admission(policies).refusal(chain) is Refusal.CLOSED
    flow = PortPaths(cluster, policies).unseen_shift(chain, Everything())
    assert flow is not None
    assert dict(flow.source.labels) == {"app": "monitor"}
    assert (flow.source.namespace, flow.port) == ("shop", 8080)
    wider = shop(HTTP, PORT_80, f"[{{from: [{monitor}], ports: [{{port: 80}}]}}, {{from: [{{podSelector: {{}}}}]}}]")
    (chain,) = chains(wider)
    assert PortPaths(wider, policy.lower(wider)).unseen_shift(chain, Everything()) is None


def test_what_clients_may_send_says_nothing_of_the_pods_ports():
    text = POD.format(name="web", app="web", ports=HTTP) + "---\n" + POD.format(name="client", app="client", ports="[]")
    admitted = POLICY.format(ingress="[{from: [{podSelector: {matchLabels: {app: client}}}]}]")
    silent = "{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress]}"
    shut_in = POLICY.partition("spec:")[0].format().replace("name: web", "name: client") + f"spec: {silent}\n"
    cluster = cluster_of("---\n".join([text, SERVICE.format(fields=PORT_80), admitted, shut_in]))
    assert refused(cluster) == [(ENTRY_80, "web", None)]
