"""The one unit that `map`, `reach`, `diff` and `verify` are about: its objects and its policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import click

from k8snetlint.analysis.latelabels import late_labels
from k8snetlint.analysis.partialblocks import partial_blocks
from k8snetlint.analysis.ties import ties
from k8snetlint.diagnostic import Incompleteness, Severity
from k8snetlint.formatters.outcome import Outcome
from k8snetlint.model.build import build_cluster
from k8snetlint.model.cluster import Cluster
from k8snetlint.policy.enforcement import PLUGINS, Enforcement, enforcement_of
from k8snetlint.policy.ir import PolicySet
from k8snetlint.policy.lowering import lower
from k8snetlint.settings import Settings
from k8snetlint.source.discover import InputProblemKind
from k8snetlint.units.unit import Unit

from .options import LoadOptions
from .pipeline import Failure, Loaded, load

_SHOWN = 20


class NothingFound(click.ClickException):
    """Ends the program: there is nothing to analyse."""

    exit_code = 3


@attrs.frozen(eq=False)
class World:
    """A unit with everything that questions about it need, and the reasons why it may not be all."""

    unit: str
    cluster: Cluster
    policies: PolicySet
    settings: Settings
    incomplete_because: tuple[Incompleteness, ...]

    @property
    def is_complete(self) -> bool:
        """Whether all that was given is analysed."""
        return not self.incomplete_because


def world(paths: Sequence[str], options: LoadOptions) -> World:
    """The world of paths. Raises Failure where they hold several units, NothingFound where they hold no object."""
    return world_of(load(paths, options), options)


def world_of(loaded: Loaded, options: LoadOptions) -> World:
    """The world of what is loaded."""
    unit = _only_unit(loaded)
    settings = loaded.settings
    if unit is not None and options.namespace is None:
        settings = unit.settings_within(settings)
    cluster = build_cluster(unit.documents, settings, unit.context) if unit is not None else Cluster(())
    if not cluster.resources and not options.allow_empty and not _has_problems(loaded):
        because = unit.incomplete_because if unit is not None else ()
        why = f": {because[0].message}" if because else " (--allow-empty accepts that)"
        raise NothingFound(f"nothing to analyse: no Kubernetes manifest was found{why}")
    policies = lower(cluster, _enforcement(settings), settings.cluster.pod_cidrs)
    name = unit.name if unit is not None else "."
    reasons = dict.fromkeys(_reasons(loaded, unit, policies))
    return World(name, cluster, policies, settings, tuple(reasons))


def _enforcement(settings: Settings) -> Enforcement:
    if settings.cni is not None and settings.cni not in PLUGINS:
        raise Failure(f"there is no plugin `{settings.cni}`; there are {', '.join(PLUGINS)}")
    return enforcement_of(settings.cni)


def _only_unit(loaded: Loaded) -> Unit | None:
    units = [unit for unit in loaded.found.units if unit.documents] or list(loaded.found.units)
    if len(units) > 1:
        names = [unit.name for unit in units]
        listed = "".join(f"\n  {name}" for name in names[:_SHOWN])
        more = f"\n  and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise Failure(
            f"there are {len(names)} units, and this command is about one; pick one with --unit NAME, or take "
            f"everything as one cluster with --one-unit:{listed}{more}"
        )
    return units[0] if units else None


def _has_problems(loaded: Loaded) -> bool:
    return any(problem.severity >= Severity.WARNING for problem in loaded.found.problems)


def _reasons(loaded: Loaded, unit: Unit | None, policies: PolicySet) -> Iterator[Incompleteness]:
    own = unit.incomplete_because if unit is not None else ()
    yield from own
    said = {reason.message for reason in own}
    for problem in loaded.inputs.problems:
        if problem.message not in said and problem.kind is not InputProblemKind.MISSING:
            yield Incompleteness(problem.message, None, problem.place)
    for undecided in policies.problems:
        node = undecided.resource.root.nearest(*undecided.path)
        message = f"{undecided.resource}: {undecided.message}"
        yield Incompleteness(message, unit.name if unit is not None else None, node.place)
    for tie in ties(policies):
        if tie.is_met:
            node = tie.first.root.nearest("spec", "priority")
            message = f"{tie.first} and {tie.second} share a priority: which of them decides first is undefined"
            yield Incompleteness(message, unit.name if unit is not None else None, node.place)
    for late in late_labels(policies):
        node = late.resource.root.nearest(*late.path)
        message = f"{late.resource}: controllers set `{late.key}` on the pods of {late.peer}, which are taken to be without it"
        yield Incompleteness(message, unit.name if unit is not None else None, node.place)
    for partial in partial_blocks(policies):
        node = partial.resource.root.nearest(*partial.path)
        doubt = f"whether {partial.peer} has an address of these networks is not known; it is taken to have none"
        message = f"{partial.resource}: {doubt}"
        yield Incompleteness(message, unit.name if unit is not None else None, node.place)


def outcome_of(asked: World, options: LoadOptions, version: str, colour: bool) -> Outcome:
    """How answers about a world are shown."""
    enforcement = asked.policies.peers.enforcement
    what = (
        f"the network plugin is {enforcement.name}"
        if enforcement.name != "neutral"
        else "no network plugin in particular"
    )
    assumptions = (what, *enforcement.differences())
    return Outcome(
        unit=asked.unit,
        version=version,
        incomplete_because=asked.incomplete_because,
        colour=colour,
        verbose=options.verbose,
        quiet=options.quiet,
        assumptions=assumptions,
    )
