"""kube-prometheus with its policies: which targets go down when a permission is removed is told, and nothing else is.

Monitors and Services are followed here, without the tool; whether Prometheus gets through says the reference evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from k8snetlint.analysis.reference import is_allowed
from k8snetlint.engine import run
from k8snetlint.model.build import build_cluster
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Document
from k8snetlint.units.unit import Unit
from tests.manifests import Steps, Value, allowing_paths, documents_of, values_of, without, written
from tests.shared import SHARED, needs_shared

FILE = SHARED / "corpus" / "rendered" / "kube-prometheus-root.yaml"
NAMESPACE = "monitoring"
PROMETHEUS = Peer(
    "prometheus",
    namespace=NAMESPACE,
    namespace_labels={"kubernetes.io/metadata.name": NAMESPACE},
    labels={
        "app.kubernetes.io/name": "prometheus",
        "app.kubernetes.io/component": "prometheus",
        "app.kubernetes.io/instance": "k8s",
        "app.kubernetes.io/part-of": "kube-prometheus",
    },
    is_pod=True,
)

pytestmark = needs_shared


class Target(NamedTuple):
    """What a monitor scrapes: its name, the port as it is written, the workload, and the port of its pods."""

    monitor: str
    port: str
    workload: str
    number: int


@cache
def texts() -> tuple[str, tuple[Value, ...]]:
    """The file without its policies, and these as values."""
    parts = FILE.read_text("utf-8").split("\n---\n")
    policies = tuple(value for part in parts if "kind: NetworkPolicy\n" in part for value in values_of(part))
    return "\n---\n".join(part for part in parts if "kind: NetworkPolicy\n" not in part), policies


@cache
def rest() -> tuple[Document, ...]:
    return documents_of("rest.yaml", texts()[0])


def documents(index: int = -1, path: Steps = ()) -> tuple[Document, ...]:
    values = [without(value, *path) if index == number else value for number, value in enumerate(texts()[1])]
    return (*rest(), *written("policies.json", values))


@cache
def targets() -> frozenset[Target]:
    """The targets of all monitors, as far as their pods are in sight."""
    objects = values_of(texts()[0])
    services = [value for value in objects if value["kind"] == "Service"]
    workloads = [value for value in objects if value["kind"] in ("Deployment", "DaemonSet")]
    found: set[Target] = set()
    for monitor in (value for value in objects if value["kind"] == "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        for service in services:
            if not wanted <= service["metadata"]["labels"].items() or "namespaceSelector" in monitor["spec"]:
                continue
            for workload in workloads:
                template = workload["spec"]["template"]
                if not service["spec"]["selector"].items() <= template["metadata"]["labels"].items():
                    continue
                named = {
                    p["name"]: p["containerPort"] for c in template["spec"]["containers"] for p in c.get("ports", ())
                }
                for endpoint in monitor["spec"]["endpoints"]:
                    for port in service["spec"]["ports"]:
                        if port["name"] == endpoint["port"]:
                            number = named.get(port["targetPort"], port["targetPort"])
                            names = monitor["metadata"]["name"], endpoint["port"], workload["metadata"]["name"]
                            found.add(Target(*names, number))
    return frozenset(found)


def down(found: tuple[Document, ...]) -> set[tuple[str, str]]:
    """The monitors and ports of which Prometheus does not get through to the target."""
    cluster = build_cluster(found, Settings())
    policies = lower(cluster)
    peers = {workload.name: policies.peers.of(workload) for workload in cluster.workloads}
    return {
        (target.monitor, target.port)
        for target in targets()
        if not is_allowed(policies, Flow(PROMETHEUS, peers[target.workload], "TCP", target.number)).is_allowed
    }


def removals() -> Iterator[tuple[int, Steps]]:
    if SHARED.is_dir():
        for index, value in enumerate(texts()[1]):
            yield from ((index, path) for path in allowing_paths(value))


def told(found: tuple[Document, ...]) -> dict[str, set[tuple[str, str]]]:
    """Rule by rule, the objects and the texts that diagnostics are about."""
    rules = ("NP042", "NP043", "NP044", "NP045", "NP046", "NP047")
    outcome = run([Unit("monitoring", "plain", found)], load(), Settings(select=rules, one_unit=True))
    said: dict[str, set[tuple[str, str]]] = {}
    for each in outcome.diagnostics:
        assert each.resource is not None
        said.setdefault(each.rule, set()).add((each.resource.name, each.primary.place.text))
    return said


def test_everything_is_scraped() -> None:
    assert len(targets()) == 7
    assert down(documents()) == set()
    assert told(documents()) == {}


@pytest.mark.parametrize(("index", "path"), list(removals()), ids=str)
def test_targets_that_a_removal_takes_down_are_told(index: int, path: Steps) -> None:
    changed = documents(index, path)
    said = told(changed)
    assert said.pop("NP046", set()) == down(changed)
    assert set(said) <= {"NP043"}


def test_removals_take_targets_down_and_widen() -> None:
    changed = [bool(down(documents(index, path))) for index, path in removals()]
    assert (len(changed), sum(changed)) == (110, 15)
