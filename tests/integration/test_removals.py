"""What a removal takes away of suggested policies, of real repositories: told where it is needed, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from k8snetlint.analysis.reference import is_allowed
from k8snetlint.analysis.requirements import Ground, requirements
from k8snetlint.analysis.suggestion import suggestion
from k8snetlint.cli.world import LoadOptions, world
from k8snetlint.engine import run
from k8snetlint.formatters.outcome import Outcome
from k8snetlint.formatters.suggestion import render
from k8snetlint.model.build import build_cluster
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.policy.lowering import lower
from k8snetlint.policy.peers import Flow
from k8snetlint.rulebook import load
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Document
from k8snetlint.units.unit import Unit
from tests.manifests import Steps, Value, allowing_paths, values_of, without, written
from tests.shared import SHARED, needs_shared

UNITS = ("otel-demo", "istio/samples/bookinfo/platform/kube", "yolean-kafka")
GROUNDS = {"NP044": Ground.ADDRESS, "NP047": Ground.PEERS}

Line = tuple[str, int, str]


@cache
def application(unit: str) -> tuple[Document, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(SHARED / "corpus" / "repos")
        cluster = world([unit], LoadOptions(one_unit=True, isolated=True)).cluster
    return tuple(each.document for each in cluster.resources if not isinstance(each, NetworkPolicy))


@cache
def policies(unit: str) -> tuple[Value, ...]:
    cluster = build_cluster(application(unit), Settings())
    return tuple(values_of(render("yaml", suggestion(cluster, lower(cluster), Settings()), Outcome("x", "0"))))


def removals(values: tuple[Value, ...]) -> Iterator[tuple[int, Steps]]:
    for index, value in enumerate(values):
        yield from ((index, path) for path in allowing_paths(value))


def missing(cluster: Cluster, ground: Ground) -> set[Line]:
    """The lines of a ground whose need the reference evaluator denies."""
    lowered = lower(cluster)
    found: set[Line] = set()
    for need in requirements(cluster, Settings()):
        if need.ground is not ground or need.workload is None or (need.is_to_itself and ground is Ground.ADDRESS):
            continue
        source = lowered.peers.of(need.workload)
        for backend in need.backends:
            destination = lowered.peers.of(backend.workload) if backend.workload is not None else None
            if source is None or destination is None or backend.port is None:
                continue
            flow = Flow(source, destination, backend.protocol, backend.port, through_service=True)
            if not is_allowed(lowered, flow).is_allowed:
                found.add((need.place.source.path, need.place.span.start, str(need.workload)))
    return found


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_what_a_removal_takes_away_of_suggested_policies_is_told(unit: str) -> None:
    values = policies(unit)
    taken_away = 0
    for index, path in list(removals(values))[::13]:
        changed = [without(value, *path) if number == index else value for number, value in enumerate(values)]
        documents = (*application(unit), *written("suggested.json", changed))
        cluster = build_cluster(documents, Settings())
        settings = Settings(select=tuple(GROUNDS), one_unit=True, pedantic=True)
        outcome = run([Unit("u", "plain", documents)], load(), settings)
        for rule, ground in GROUNDS.items():
            told = {
                (each.primary.place.source.path, each.primary.place.span.start, each.message)
                for each in outcome.diagnostics
                if each.rule == rule
            }
            expected = missing(cluster, ground)
            assert {(file, start) for file, start, _ in told} == {(file, start) for file, start, _ in expected}
            assert all(any(who in text for *_, text in told) for *_, who in expected)
            taken_away += len(expected)
    assert taken_away > 0
