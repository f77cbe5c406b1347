"""The comparison of the engines, with an engine broken on purpose: each time it has to notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings

from k8snetlint import policy
from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.analysis import reachability, universe
from k8snetlint.analysis.reachability import connectivity, connectivity_in
from k8snetlint.analysis.reference import is_allowed
from k8snetlint.analysis.smt import encoding
from k8snetlint.analysis.universe import Universe
from k8snetlint.analysis.verdict import everyone
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.ir import Action, Stage
from k8snetlint.policy.peers import Flow
from tests.analysis.random_clusters import clusters

from .test_engines_agree import index_of, pairs

# Few of the ports at which rules begin and end: what is broken shows somewhere.
LOOKED_AT_PORTS = (53, 80, 8080)
LOOKED_AT = settings(max_examples=400, phases=(Phase.generate,), derandomize=True, database=None, deadline=None)
MonkeyPatch = pytest.MonkeyPatch


def algebra_differs(cluster: Cluster) -> bool:
    """Whether the algebra and the reference say different things of a flow."""
    policies = policy.lower(cluster)
    found = connectivity(policies)
    for source, destination in pairs(found, policies):
        allowed = found.between(index_of(found, source), index_of(found, destination))
        for protocol in PROTOCOLS:
            for port in LOOKED_AT_PORTS:
                expected = is_allowed(policies, Flow(source, destination, protocol, port)).is_allowed
                if ((protocol, port) in allowed) != expected:
                    return True
    return False


def solver_differs(cluster: Cluster) -> bool:
    """Whether the solver finds a flow on which it differs from the algebra."""
    policies = policy.lower(cluster)
    points = Universe((policies,), policies.peers.pods)
    groups = connectivity_in(points, policies).groups
    return encoding.Encoding(points, (policies,)).find_disagreement(everyone(policies), policies, groups) is not None


def tiers_in_wrong_order(monkeypatch: MonkeyPatch) -> None:
    then = reachability._Engine._then
    monkeypatch.setattr(reachability._Engine, "_then", lambda self, first, second: then(self, second, first))


def pass_allows(monkeypatch: MonkeyPatch) -> None:
    evaluated = reachability._TierRules._evaluated

    def broken(self: Any, entries: list[Any]) -> Any:
        return evaluated(
            self, [each._replace(action=Action.ALLOW) if each.action is Action.PASS else each for each in entries]
        )

    monkeypatch.setattr(reachability._TierRules, "_evaluated", broken)


def negations_need_the_label(monkeypatch: MonkeyPatch) -> None:
    labelled = Universe._labelled

    def broken(self: Any, by_value: Any, test: Any) -> int:
        found = labelled(self, by_value, test)
        return found & sum(by_value.values()) if "not" in test.operator.value else found

    monkeypatch.setattr(Universe, "_labelled", broken)


def names_of_ports_know_no_protocol(monkeypatch: MonkeyPatch) -> None:
    named = Universe._named
    monkeypatch.setattr(Universe, "_named", lambda self, name: named(self, name._replace(protocol=None)))


def namespaces_are_merged(monkeypatch: MonkeyPatch) -> None:
    key = universe.Mentioned.key
    monkeypatch.setattr(
        universe.Mentioned, "key", lambda self, peer: tuple(key(self, peer)[index] for index in (0, 1, 6))
    )


def rules_take_nothing_away(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectionSet, "__sub__", lambda self, other: self)


ALGEBRA = (
    tiers_in_wrong_order,
    pass_allows,
    negations_need_the_label,
    names_of_ports_know_no_protocol,
    namespaces_are_merged,
    rules_take_nothing_away,
)


@pytest.mark.parametrize("break_it", ALGEBRA, ids=lambda each: each.__name__)
def test_a_broken_algebra_is_noticed(break_it: Callable[[MonkeyPatch], None], monkeypatch: MonkeyPatch) -> None:
    break_it(monkeypatch)
    assert algebra_differs(find(clusters(), algebra_differs, settings=LOOKED_AT))


def test_a_broken_encoding_is_noticed(monkeypatch: MonkeyPatch) -> None:
    verdict = encoding.stage_verdict

    def backwards(context: Any, stage: Stage, matches: Any) -> Any:
        return verdict(context, Stage(stage.name, stage.tiers[::-1]), matches)

    monkeypatch.setattr(encoding, "stage_verdict", backwards)
    assert solver_differs(find(clusters(), solver_differs, settings=LOOKED_AT))


@pytest.mark.parametrize("differs", [algebra_differs, solver_differs])
def test_what_is_not_broken_shows_no_difference(differs: Callable[[Cluster], bool]) -> None:
    @settings(LOOKED_AT, max_examples=20)
    @given(clusters())
    def look(cluster: Cluster) -> None:
        assert not differs(cluster)

    look()
