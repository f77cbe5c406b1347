"""What PORT022 leaves to other rules, and what it asks the solver."""

from __future__ import annotations

import attrs
import pytest

from k8snetlint.analysis.smt.portpaths import PortPaths
from k8snetlint.analysis.verdict import Undecided
from k8snetlint.engine import run
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit
from tests.analysis.test_port_paths import POD, POLICY, SERVICE

RULEBOOK = load()
RULES = (
    "PORT022",
    "NP056",
    "NP017",
    "NP018",
    "NP019",
    "NP041",
    "NP042",
    "NP044",
    "SVC005",
    "SVC006",
    "SVC007",
    "SVC008",
)
HOST_PORT = "[{containerPort: 8080, hostPort: 80}]"
HTTP = "[{name: http, containerPort: 8080}]"
MONITOR = "{podSelector: {matchLabels: {app: monitor}}}"


def found(*texts: str) -> list[tuple[str, str, str]]:
    documents = tuple(parse(SourceFile("a.yaml", "---\n".join(texts))).documents)
    settings = attrs.evolve(Settings(), select=RULES)
    diagnostics = run([Unit("u", "plain", documents)], RULEBOOK, settings).diagnostics
    return [(each.rule, each.severity.label, each.message) for each in diagnostics]


def rules(*texts: str) -> list[str]:
    return [rule for rule, _, _ in found(*texts)]


def pod(ports: str, name: str = "web") -> str:
    return POD.format(name=name, app="web", ports=ports)


def test_clients_that_no_manifest_holds_are_imagined():
    policy = POLICY.format(ingress=f"[{{from: [{MONITOR}], ports: [{{port: 80}}]}}]")
    assert rules(pod(HOST_PORT), policy) == ["PORT022"]
    admitted = POLICY.format(
        ingress=f"[{{from: [{MONITOR}], ports: [{{port: 80}}]}}, {{from: [{{podSelector: {{}}}}]}}]"
    )
    assert rules(pod(HOST_PORT), admitted) == []


def test_what_the_solver_cannot_decide_is_said(monkeypatch: pytest.MonkeyPatch):
    def gives_up(*_: object) -> None:
        raise Undecided("the solver gave up: resources")

    monkeypatch.setattr(PortPaths, "unseen_shift", gives_up)
    policy = POLICY.format(ingress=f"[{{from: [{MONITOR}], ports: [{{port: 80}}]}}]")
    undecided = "port-chain-broken is undecided for `web`: the solver gave up: resources"
    assert found(pod(HOST_PORT), policy) == [("TOOL006", "note", undecided)]


def test_a_dead_service_is_said_once_with_the_number_that_is_open_instead():
    service = SERVICE.format(fields="type: NodePort, ports: [{port: 80, targetPort: http, nodePort: 30080}]")
    assert found(pod(HTTP), service, POLICY.format(ingress="[{ports: [{port: 30080}]}]")) == [
        (
            "NP041",
            "warning",
            "nothing can reach port 80/TCP of the Service: it leads to TCP 8080 of shop/web[Pod], and the policies that "
            "isolate those pods open TCP 30080; 30080 is the nodePort of the Service, and policies see the port of the pod",
        )
    ]


def test_the_services_port_in_a_policy_is_left_to_its_rule():
    service = SERVICE.format(fields="ports: [{port: 80, targetPort: http}]")
    ingress = "[{ports: [{port: 80}]}, {from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"
    assert rules(pod(HTTP), service, POLICY.format(ingress=ingress)) == ["NP017"]


def test_the_services_port_of_some_of_the_pods_is_seen_by_no_other_rule():
    service = SERVICE.format(fields="ports: [{port: 80, targetPort: http}]").replace("app: web", "track: new")
    new = pod(HTTP, "new").replace("app: web", "app: web, track: new")
    ingress = "[{ports: [{port: 80}]}, {from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"
    assert rules(new, pod("[{containerPort: 9000}]", "old"), service, POLICY.format(ingress=ingress)) == ["PORT022"]


def test_a_number_that_the_pod_itself_listens_on_is_well_opened():
    ports = "[{containerPort: 8080, hostPort: 80}, {containerPort: 80}]"
    assert rules(pod(ports), POLICY.format(ingress="[{ports: [{port: 80}]}, {ports: [{port: 8080}]}]")) == []
    assert rules(pod(ports), POLICY.format(ingress="[{ports: [{port: 80}]}]")) == ["PORT022"]


def test_a_target_that_no_pod_has_is_left_to_its_rule():
    udp = "[{name: http, protocol: UDP, containerPort: 8080}]"
    service = SERVICE.format(fields="ports: [{port: 80, targetPort: http}]")
    assert rules(pod(udp), service) == ["SVC008"]
    assert rules(pod(udp), pod(HTTP, "other"), service) == ["SVC006"]
    assert rules(pod("[]"), pod(HTTP, "other"), service) == ["SVC006"]


OUTSIDE = "[{from: [{podSelector: {}}, {ipBlock: {cidr: 192.0.2.0/24}}]}]"
PODS = "[{from: [{podSelector: {}}]}]"


@pytest.mark.parametrize(
    ("fields", "ingress", "expected"),
    [
        ("type: LoadBalancer, ports: [{port: 80, targetPort: 8080}]", PODS, ["NP056"]),
        ("type: LoadBalancer, ports: [{port: 80, targetPort: 8080}]", OUTSIDE, []),
        ("type: LoadBalancer, ports: [{port: 80, targetPort: 8080}]", "[{}]", []),
        ("ports: [{port: 80, targetPort: 8080}]", PODS, []),
        ("type: NodePort, ports: [{port: 80, targetPort: 8080}]", "[]", ["NP041"]),
        ("type: NodePort, externalIPs: [192.0.2.1], ports: [{port: 80, targetPort: 8080}]", PODS, []),
    ],
)
def test_what_is_published_and_lets_in_pods_only(fields: str, ingress: str, expected: list[str]):
    assert rules(pod(HTTP), SERVICE.format(fields=fields), POLICY.format(ingress=ingress)) == expected
