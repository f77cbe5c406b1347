"""NP052: connections that a change opens, against the revision that the report is about the changes since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8snetlint.analysis.blocking import policies_of
from k8snetlint.analysis.widening import Opened, State, opened
from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, Memory
from k8snetlint.model.build import build_cluster
from k8snetlint.model.core import Resource
from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Path
from k8snetlint.units.unit import Unit

from .changes import WIDENED


def widened(
    before: Sequence[Unit], after: Sequence[Unit], settings: Settings, rulebook: Rulebook
) -> Iterator[Diagnostic]:
    """What the units allow that units of the same names denied before: one diagnostic for each rule that opens it."""
    earlier = {unit.name: unit for unit in before}
    for unit in after:
        old = earlier.get(unit.name)
        if old is not None:
            yield from _of_unit(old, unit, settings, rulebook)


def _of_unit(before: Unit, unit: Unit, settings: Settings, rulebook: Rulebook) -> Iterator[Diagnostic]:
    old, new = _state(before, settings), _state(unit, settings)
    context = Context(rulebook.rules[WIDENED], unit, new.cluster, unit.settings_within(settings), Memory())
    groups: dict[tuple[int, Path, bool], list[Opened]] = {}
    places: dict[tuple[int, Path, bool], tuple[Resource, Path]] = {}
    for each in opened(old, new):
        found = _place(each, new)
        if found is not None:
            key = (id(found[0]), found[1], each.rule is None)
            groups.setdefault(key, []).append(each)
            places[key] = found
    is_sure = unit.complete and before.complete
    for key, gains in groups.items():
        resource, path = places[key]
        first = gains[0]
        more = f", and {len(gains) - 1} more" if len(gains) > 1 else ""
        flow = f"{first.source} -> {first.destination} {first.connections}"
        yield context.report(
            resource,
            *path,
            message=(
                f"{flow}{more}: denied before this change, and no policy isolates the pods for {first.stage} any more"
                if first.rule is None
                else f"{flow}{more}: denied before this change, and allowed by `{resource.name}` now"
            ),
            severity=None if is_sure else Severity.NOTE,
            help="keep the change if it is meant; else narrow the rule, or bring back the policy that isolated the pods",
        )


def _state(unit: Unit, settings: Settings) -> State:
    within = unit.settings_within(settings)
    cluster = build_cluster(unit.documents, within, unit.context)
    return State(cluster, policies_of(cluster, within))


def _place(gain: Opened, state: State) -> tuple[Resource, Path] | None:
    """The rule that allows what is gained; the workload that nothing isolates any more where there is none."""
    if gain.rule is not None and gain.rule.origin is not None:
        return gain.rule.origin.resource, gain.rule.origin.path
    subject = gain.destination if gain.stage == "ingress" else gain.source
    peer = next((peer for peer in state.policies.peers.pods if peer.text == subject), None)
    return (peer.workloads[0], ()) if peer is not None and peer.workloads else None
