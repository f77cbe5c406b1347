"""What `suggest` writes allows what the manifests need, and nothing else: on small cases, and on real repositories."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import attrs
import pytest

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.ends import INGRESS_CONTROLLER, ingress_controllers
from k8snetlint.analysis.reachability import Connectivity, connectivity, connectivity_in
from k8snetlint.analysis.requirements import Client, requirements
from k8snetlint.analysis.routing import Backend, backends
from k8snetlint.analysis.smt.encoding import Encoding
from k8snetlint.analysis.suggestion import suggestion
from k8snetlint.analysis.universe import Universe
from k8snetlint.analysis.verdict import Holds, Prover, Question, Side, World, everyone
from k8snetlint.cli.options import LoadOptions
from k8snetlint.cli.world import world
from k8snetlint.formatters.outcome import Outcome
from k8snetlint.formatters.suggestion import render
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import LabelSelector, Requirement
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.policy import ir
from k8snetlint.policy.ir import PolicySet, all_of
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Peer
from k8snetlint.settings import ClusterSettings, Settings
from tests.cli.program import k8snetlint
from tests.clusters import cluster_of
from tests.shared import SHARED, needs_shared

UNITS = (
    "bank-of-anthos/kubernetes-manifests",
    "emojivoto/kustomize",
    "example-voting-app/k8s-specifications",
    "haproxy-ic/deploy",
    "istio/samples/bookinfo",
    "kubernetes-examples/web/guestbook",
    "kubernetes-goat",
    "microservices-demo/release",
    "otel-demo",
    "spring-petclinic-cloud",
    "yolean-kafka",
    "zalando-postgres-operator/manifests",
)
REPOSITORIES = SHARED / "corpus" / "repos"
OPTIONS = LoadOptions(one_unit=True, isolated=True)
CONTROLLER, OUTSIDE = INGRESS_CONTROLLER, "outside"


def suggested(cluster: Cluster) -> tuple[str, PolicySet]:
    """The suggestion for a cluster as text, and the policies in force once it is applied there and nothing else is."""
    bare = Cluster(resource for resource in cluster.resources if not isinstance(resource, NetworkPolicy))
    text = render("yaml", suggestion(bare, lower(bare), Settings()), Outcome("shop", "0"))
    written = cluster_of(text).resources
    assert all(isinstance(policy, NetworkPolicy) and not policy.problems for policy in written)
    return text, lower(Cluster([*bare.resources, *written]))


Flows = dict[tuple[str, str], ConnectionSet]


def needed(policies: PolicySet) -> Flows:
    """What pods need of one another, and who beyond the manifests needs them: told from the requirements alone."""
    cluster, peers = policies.peers.cluster, policies.peers
    found: Flows = {}

    def add(source: str, backend: Backend) -> None:
        peer = peers.of(backend.workload) if backend.workload is not None else None
        if peer is None or (peer.namespace == "kube-system" and source in (CONTROLLER, OUTSIDE)):
            return
        if peer.is_pod and backend.port is not None and source != peer.text:
            opened = ConnectionSet.span(backend.protocol, backend.port, backend.port)
            found[source, peer.text] = found.get((source, peer.text), ConnectionSet.nothing()) | opened

    controllers = [CONTROLLER]
    for peer in peers.pods:
        if any("kubernetes-ingress" in container.image for w in peer.workloads for container in w.containers):
            controllers.append(peer.text)
    for each in requirements(cluster, Settings()):
        source = peers.of(each.workload) if each.workload is not None else None
        beyond = {
            Client.INGRESS_CONTROLLER: controllers,
            Client.PROMETHEUS: [CONTROLLER],
            Client.API_SERVER: [CONTROLLER, OUTSIDE],
        }
        clients = beyond.get(each.client, [])
        if source is not None and source.is_pod:
            clients = [source.text]
        for backend in each.backends:
            for client in clients:
                add(client, backend)
    published = [
        backend
        for service in cluster.services
        for port in (service.ports if service.type in ("LoadBalancer", "NodePort") else ())
        for backend in backends(cluster, service, port)
    ]
    for workload in cluster.workloads:
        published += (Backend(workload, None, each.protocol, each.number) for each in workload.ports if each.host_port)
    for backend in published:
        add(CONTROLLER, backend)
        add(OUTSIDE, backend)
    return found


def allowed(policies: PolicySet, found: Connectivity) -> Flows:
    """What the policies allow, in the same words; but for hosts, and kube-system among itself and with the world."""
    flows: Flows = {}
    for row in found.rows():
        ends = [end.text if isinstance(end, Peer) else OUTSIDE for end in (row.source, row.destination)]
        peers = [end for end in (row.source, row.destination) if isinstance(end, Peer)]
        if any(peer.is_node for peer in peers) or all(
            peer.text == CONTROLLER or peer.namespace == "kube-system" for peer in peers
        ):
            continue
        if ends[1] != CONTROLLER and ends != [CONTROLLER, OUTSIDE]:
            key = ends[0], ends[1]
            flows[key] = flows.get(key, ConnectionSet.nothing()) | row.connections
    return flows


@needs_shared
@pytest.mark.parametrize("unit", UNITS)
def test_real_repositories_get_exactly_what_they_need(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORIES)
    _, policies = suggested(world([unit], OPTIONS).cluster)
    assert policies.problems == ()
    wanted = needed(policies)
    found = connectivity(policies, ingress_controllers())
    assert allowed(policies, found) == wanted
    # The map is what the policies say: proved by the solver.
    universe = Universe((policies,), policies.peers.pods)
    groups = connectivity_in(universe, policies).groups
    assert Encoding(universe, (policies,)).find_disagreement(everyone(policies), policies, groups) is None
    # No pod that anyone could create without one of the labels in sight is let in where nobody from beyond is.
    keys = sorted({key for peer in policies.peers.pods for key in peer.labels})
    unlabelled = all_of(ir.AnyPod(), *(ir.PodLabel(ir.LabelTest(key, ir.LabelOperator.ABSENT)) for key in keys))
    inside = [peer for peer in policies.peers.pods if peer.is_pod and peer.namespace != "kube-system"]
    shut = tuple(peer for peer in inside if (CONTROLLER, peer.text) not in wanted)
    if shut:
        question = Question(Side(imagined=unlabelled), Side(shut), ConnectionSet.everything())
        assert isinstance(Prover(policies, [question]).check_never_allows(question, World.OPEN), Holds)


@needs_shared
@pytest.mark.parametrize("unit", UNITS)
def test_check_has_nothing_more_to_say_of_real_repositories(
    unit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORIES)
    written = tmp_path / "suggestion.yaml"
    ran = k8snetlint(REPOSITORIES, "suggest", unit, "--one-unit", "--isolated", "-o", str(written))
    assert (ran.code, ran.out, ran.err) == (0, "", "")

    def said(*paths: str) -> set[tuple[str, ...]]:
        ran = k8snetlint(REPOSITORIES, "check", *paths, "--one-unit", "--isolated", "--exit-zero", "-f", "json")
        return {
            (each["rule"], each["message"], each["location"]["path"])
            for each in json.loads(ran.out)["diagnostics"]
            if each["suppressed"] is None
        }

    before, after = said(unit), said(unit, str(written))
    # Beside the present objects a rule may word the same problem anew; about the policies there is nothing.
    assert {each for each in after - before if each[0].startswith(("NP", "HOST", "TOOL", "K8S"))} == set()


POD = """\
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}
spec: {{containers: [{{name: c, image: i, ports: [{{containerPort: 80}}], env: [{env}]}}]}}
"""


def pod(name: str, labels: str = "{}", *calls: str, namespace: str = "shop") -> str:
    env = ", ".join(f"{{name: CALL_{index}, value: '{call}'}}" for index, call in enumerate(calls))
    return POD.format(name=name, namespace=namespace, labels=labels, env=env)


def service(name: str, selector: str, *, namespace: str = "shop", more: str = "") -> str:
    return f"""\
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {selector}, ports: [{{port: 80}}]{more}}}
"""


def selectors(text: str) -> dict[str, LabelSelector | None]:
    return {policy.name: policy.pod_selector for policy in cluster_of(text).all_of(NetworkPolicy)}


def test_selectors_tell_workloads_apart() -> None:
    text, policies = suggested(
        cluster_of(
            pod("a", "{app: x}", "b:80")
            + pod("b", "{app: x, tier: db}")
            + pod("c", "{app: x, tier: web}")
            + pod("d")
            + service("b", "{app: x, tier: db}")
        )
    )
    absent = Requirement("tier", "DoesNotExist")
    assert selectors(text) == {
        "default-deny": LabelSelector(),
        "a": LabelSelector((("app", "x"),), (absent,)),
        "b": LabelSelector((("app", "x"), ("tier", "db"))),
        "c": LabelSelector((("app", "x"), ("tier", "web"))),
        "d": LabelSelector((), (Requirement("app", "DoesNotExist"),)),
    }
    tcp = ConnectionSet.span("TCP", 80, 80)
    assert allowed(policies, connectivity(policies)) == {("shop/a[Pod]", "shop/b[Pod]"): tcp}


JOB = """\
---
apiVersion: batch/v1
kind: Job
metadata: {name: NAME, namespace: shop}
spec: {template: {spec: {containers: [{name: c, image: i}]}}}
"""


def test_a_bare_job_is_known_by_its_name_where_that_is_one() -> None:
    name = "batch.kubernetes.io/job-name"
    text, _ = suggested(cluster_of(JOB.replace("NAME", "once") + JOB.replace("name: NAME", "generateName: many-")))
    assert selectors(text) == {"default-deny": LabelSelector(), "once": LabelSelector(((name, "once"),))}


def test_what_no_label_tells_apart_is_said() -> None:
    cluster = cluster_of(
        pod("a", "{app: x, pod-template-hash: abc}", "c:80")
        + pod("b", "{app: x, pod-template-hash: def}")
        + pod("c", "{app: c}")
        + service("c", "{app: c}")
    )
    found = suggestion(cluster, lower(cluster), Settings())
    assert [notice.message for notice in found.notices] == [
        "shop/a[Pod], shop/b[Pod] have the same labels: one policy is for all of them"
    ]
    assert [(each.name, each.pods, each.subjects) for each in found.policies] == [
        ("default-deny", LabelSelector(), ()),
        ("a", LabelSelector((("app", "x"),)), ("shop/a[Pod]", "shop/b[Pod]")),
        ("c", LabelSelector((("app", "c"),)), ("shop/c[Pod]",)),
    ]


def test_ends_that_no_policy_can_open_are_said() -> None:
    cluster = cluster_of(
        pod("web", "{app: web}", "https://api.example.com", "db:80", "nowhere:80")
        + pod("db", "{app: db}").replace("spec: {", "spec: {hostNetwork: true, ")
        + pod("dns", "{app: dns}", namespace="kube-system")
        + service("db", "{app: db}")
        + service("web", "{app: web}")
    )
    found = suggestion(cluster, lower(cluster), Settings())
    assert [notice.message for notice in found.notices] == [
        "namespace kube-system is left as it is: what its pods need is not in the manifests",
        "shop/db[Pod] is on the host network, where no policy selects it: its connection from CALL_1 is not opened; tell"
        " the nodes' addresses in the configuration's `cluster.node-cidrs`",
        "shop/web[Pod] names api.example.com, which is no Service in sight: nothing is opened to it",
        "shop/web[Pod] names nowhere, which is no Service in sight: nothing is opened to it",
        "nothing in the manifests needs port 80/TCP of Service shop/web: it stays shut",
    ]
    nodes = attrs.evolve(Settings(), cluster=ClusterSettings(node_cidrs=("10.0.0.0/24",)))
    found = suggestion(cluster, lower(cluster), nodes)
    web = next(policy for policy in found.policies if policy.name == "web")
    assert [rule.peers[0].cidr for rule in web.egress] == [None, "10.0.0.0/24"]


def test_published_services_let_addresses_in() -> None:
    more = ", type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], externalTrafficPolicy: {}"
    for policy, sources in (("Local", ("10.0.0.0/8",)), ("Cluster", ())):
        cluster = cluster_of(pod("web", "{app: web}") + service("web", "{app: web}", more=more.format(policy)))
        found = suggestion(cluster, lower(cluster), Settings()).policies[1]
        assert [tuple(peer.cidr for peer in rule.peers) for rule in found.ingress] == [sources]
        assert (found.ingress[0].ports, found.egress) == ((("TCP", 80),), ())


def test_host_ports_let_anyone_in() -> None:
    text = pod("a", "{app: a}").replace("containerPort: 80", "containerPort: 80, hostPort: 8000")
    text += pod("b", "{app: b}").replace("containerPort: 80", "containerPort: 80, hostPort: 8001, hostIP: 127.0.0.1")
    cluster = cluster_of(text)
    _, a, b = suggestion(cluster, lower(cluster), Settings()).policies
    (rule,) = a.ingress
    assert (rule.peers, rule.ports, [each.text for each in rule.because]) == ((), (("TCP", 80),), ["hostPort 8000"])
    assert b.ingress == ()


def test_dns_servers_in_sight_are_asked_where_they_listen() -> None:
    dns = pod("dns", "{k8s-app: kube-dns}", namespace="kube-system").replace("containerPort: 80", "containerPort: 5353")
    names = "---\napiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\nspec:\n" + (
        "  selector: {k8s-app: kube-dns}\n"
        "  ports: [{name: a, port: 53, protocol: UDP, targetPort: 5353}, {name: b, port: 53, targetPort: 5354}]\n"
    )
    cluster = cluster_of(pod("web", "{app: web}", "https://api.example.com") + dns + names)
    (rule,) = suggestion(cluster, lower(cluster), Settings()).policies[1].egress
    assert (rule.ports, [because.text for because in rule.because]) == (
        (("TCP", 5354), ("UDP", 5353)),
        ["DNS, for CALL_0"],
    )


def test_names_are_valid_and_free() -> None:
    policy = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {}}
"""
    deployment = pod("web", "{app: web, tier: other}").replace("kind: Pod", "kind: ReplicationController")
    deployment = deployment.replace(
        "spec: {containers", "spec: {template: {metadata: {labels: {app: rc}}, spec: {containers"
    )
    long = "x" * 80
    cluster = cluster_of(
        pod("web", "{app: web}") + deployment.replace("\n---", "").rstrip() + "}}\n" + pod(long, "{app: x}") + policy
    )
    names = [each.name for each in suggestion(cluster, lower(cluster), Settings()).policies]
    assert names == [
        "default-deny",
        "web-pod",
        "web-replicationcontroller",
        f"{'x' * 54}-{sha256(long.encode()).hexdigest()[:8]}",
    ]
