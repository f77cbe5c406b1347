"""The Online Boutique with its network policies: all that it needs is found, and what a removal takes away is told.

What is needed is read off its environment variables here, without the tool; what is then missing says the reference
evaluator, flow by flow; what is told must be just that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from k8snetlint.analysis.reference import decide, is_allowed
from k8snetlint.analysis.requirements import DNS, Ground, requirements
from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import run
from k8snetlint.model.build import build_cluster
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.enforcement import enforcement_of
from k8snetlint.policy.ir import INGRESS, Action
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Document
from k8snetlint.units.unit import Unit
from tests.manifests import Steps, Value, allowing_paths, documents_in, values_of, without, written
from tests.shared import SHARED, needs_shared

FOLDER = SHARED / "corpus" / "repos" / "microservices-demo" / "kustomize"
POLICIES = FOLDER / "components" / "network-policies"
NEEDS = ("NP025", "NP041", "NP042", "NP043", "NP044", "NP045", "NP046", "NP047", "NP048")

pytestmark = needs_shared


class Need(NamedTuple):
    """A connection that a variable declares: the line of its value, the client's and the server's name, the pods' port."""

    file: str
    line: int
    client: str
    server: str
    port: int


@cache
def application() -> tuple[Document, ...]:
    return documents_in(*(path for path in sorted((FOLDER / "base").glob("*.yaml")) if "kustomiz" not in path.name))


@cache
def policies() -> dict[str, Value]:
    files = sorted(POLICIES.glob("network-policy-*.yaml"))
    return {path.name: value for path in files for value in values_of(path.read_text("utf-8"))}


@cache
def declared() -> frozenset[Need]:
    """What the variables declare: each that is `service:port` where there is such a Service."""
    values = {path.name: values_of(path.read_text("utf-8")) for path in sorted((FOLDER / "base").glob("*.yaml"))}
    objects = [(file, value) for file, found in values.items() for value in found]
    targets = {
        f"{value['metadata']['name']}:{port['port']}": (value["spec"]["selector"]["app"], port["targetPort"])
        for _, value in objects
        if value["kind"] == "Service"
        for port in value["spec"]["ports"]
    }
    needs: set[Need] = set()
    for file, value in objects:
        if value["kind"] != "Deployment":
            continue
        spec = value["spec"]["template"]["spec"]
        lines = (FOLDER / "base" / file).read_text("utf-8").splitlines()
        for container in (*spec["containers"], *spec.get("initContainers", ())):
            for variable in container.get("env", ()):
                if variable.get("value") in targets:
                    server, port = targets[variable["value"]]
                    written_at = [
                        index for index, line in enumerate(lines, 1) if f'value: "{variable["value"]}"' in line
                    ]
                    needs |= {Need(file, line, value["metadata"]["name"], server, port) for line in written_at}
    return frozenset(needs)


def documents(name: str = "", path: Steps = ()) -> tuple[Document, ...]:
    """All documents, with what is at a path of one policy taken away."""
    changed = {file: without(value, *path) if file == name else value for file, value in policies().items()}
    return (*application(), *(document for file, value in changed.items() for document in written(file, [value])))


def removals() -> Iterator[tuple[str, Steps]]:
    if SHARED.is_dir():
        for name, value in policies().items():
            yield from ((name, path) for path in allowing_paths(value))


def line_of(place: Place) -> tuple[str, int]:
    return place.source.path, place.source.position(place.span.start).line


def told(documents: tuple[Document, ...]) -> list[Diagnostic]:
    outcome = run([Unit("boutique", "plain", documents)], load(), Settings(select=NEEDS, one_unit=True))
    assert not outcome.has_internal_error
    return list(outcome.diagnostics)


class Reference:
    """The reference evaluator on a variant of the policies."""

    def __init__(self, documents: tuple[Document, ...]) -> None:
        settings = Settings()
        self.cluster: Cluster = build_cluster(documents, settings)
        self.policies = lower(self.cluster, enforcement_of(settings.cni), ())
        self.peers = {workload.name: self.policies.peers.of(workload) for workload in self.cluster.workloads}

    def is_allowed(self, source: Peer, destination: Peer, protocol: str, port: int) -> bool:
        return is_allowed(self.policies, Flow(source, destination, protocol, port)).is_allowed

    def blocked(self) -> set[tuple[str, int, str]]:
        """The needs that the policies block."""
        return {
            (need.file, need.line, need.client)
            for need in declared()
            if not self.is_allowed(self.peers[need.client], self.peers[need.server], "TCP", need.port)
        }

    def closed(self) -> set[str]:
        """The Services of which no pod in sight, and none elsewhere, is let in to a port."""
        anyone = [*self.peers.values(), Peer("elsewhere", namespace="elsewhere", is_pod=True), Peer("outside")]
        (ingress,) = [stage for stage in self.policies.stages if stage.name == INGRESS]
        return {
            service.name
            for service in self.cluster.services
            for port in service.ports
            for backend in self.cluster.backends(service)
            if not any(
                decide(ingress, Flow(source, self.peers[backend.name], "TCP", port.effective_target)).action
                is Action.ALLOW
                for source in anyone
            )
        }

    def cut_off_from_names(self) -> set[str]:
        """The workloads that read a name, and that are not let out to a DNS server in kube-system."""
        server = Peer(
            "dns",
            namespace="kube-system",
            namespace_labels={"kubernetes.io/metadata.name": "kube-system"},
            labels={"k8s-app": "kube-dns"},
            is_pod=True,
        )
        readers = {need.client for need in declared()}
        return {name for name in readers if not self.is_allowed(self.peers[name], server, "UDP", 53)}


def test_every_need_that_the_variables_declare_is_found_and_none_is_invented() -> None:
    cluster = build_cluster(documents(), Settings())
    found = {
        Need(
            *line_of(need.place),
            str(need.workload and need.workload.name),
            str(backend.workload and backend.workload.name),
            backend.port or 0,
        )
        for need in requirements(cluster, Settings())
        if need.ground is not Ground.NAMES
        for backend in need.backends
    }
    names = [need.workload.name for need in requirements(cluster, Settings()) if need.workload and need.written == DNS]
    assert len(declared()) == 17
    assert found == declared()
    assert sorted(names) == sorted({need.client for need in declared()})


def test_all_is_allowed() -> None:
    assert Reference(documents()).blocked() == set()
    assert told(documents()) == []


@pytest.mark.parametrize(("name", "path"), list(removals()), ids=str)
def test_what_a_removal_takes_away_is_told_and_nothing_else(name: str, path: Steps) -> None:
    changed = documents(name, path)
    reference = Reference(changed)
    diagnostics = told(changed)
    by_rule = {rule: [each for each in diagnostics if each.rule == rule] for rule in NEEDS}
    dependencies = by_rule.pop("NP044")
    assert {
        (*line_of(each.primary.place), each.resource.name) for each in dependencies if each.resource
    } == reference.blocked()
    assert len(dependencies) == len(reference.blocked())
    assert {each.severity for each in dependencies} <= {Severity.WARNING}
    assert {each.resource.name for each in by_rule.pop("NP041") if each.resource} == reference.closed()
    without_names = by_rule.pop("NP025")
    assert bool(without_names) == bool(reference.cut_off_from_names())
    for workload in reference.cut_off_from_names():
        assert any(f"/{workload}[" in each.message for each in without_names)
    assert not any(by_rule.values())


def test_removals_take_away_and_widen() -> None:
    """So that neither side of the comparison is empty throughout."""
    blocked = [bool(Reference(documents(name, path)).blocked()) for name, path in removals()]
    assert (len(blocked), sum(blocked)) == (111, 41)
