"""NetworkPolicies, and parts of them, that add nothing to the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from k8snetlint.analysis.blocking import policies_of
from k8snetlint.analysis.redundancy import PartKind, Redundant, is_vacuous, redundant_parts, vacuous_policies
from k8snetlint.analysis.understood import Unsettled
from k8snetlint.analysis.verdict import Undecided
from k8snetlint.diagnostic import Confidence, Diagnostic, Fix, Location
from k8snetlint.engine import Context, cluster_check
from k8snetlint.model.core import Resource
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.policy.ir import PolicyRule
from k8snetlint.source.tree import Path

from .edits import without_item
from .undecided import resource_limit, undecided
from .words import listed

_NOUNS = {PartKind.RULE: "rule", PartKind.PEER: "peer", PartKind.PORT: "port"}


@attrs.frozen
class Superfluous:
    """What adds nothing in a cluster, and the questions that stayed open."""

    parts: tuple[Redundant, ...]
    open_: tuple[Unsettled, ...]


def superfluous(ctx: Context) -> Superfluous:
    """The redundant parts of a unit's NetworkPolicies."""
    found = list(redundant_parts(ctx.once(policies_of), resource_limit(ctx.settings)))
    parts = tuple(each for each in found if isinstance(each, Redundant))
    return Superfluous(parts, tuple(each for each in found if isinstance(each, Unsettled)))


@cluster_check("NP037")
def redundant_policy(ctx: Context) -> Iterator[Diagnostic]:
    """A policy that could go."""
    found = ctx.shared(superfluous)
    for part in found.parts:
        if part.kind is not PartKind.POLICY:
            continue
        others = _policies(part.covered_by)
        yield ctx.report(
            part.policy,
            message=(
                f"NetworkPolicy `{part.policy.name}` adds nothing: {_named(others)} "
                f"{'isolates' if len(others) == 1 else 'isolate'} the same pods and "
                f"{'allows' if len(others) == 1 else 'allow'} all that it allows"
            ),
            confidence=_confidence(ctx, part),
            related=_locations(ctx, part.covered_by),
            help="remove it, or narrow the other if this one says what is meant",
        )
    for unsettled in found.open_:
        if not unsettled.path:
            yield from undecided(ctx, unsettled)


@cluster_check("NP038")
def redundant_rule(ctx: Context) -> Iterator[Diagnostic]:
    """A rule, peer or port that could go."""
    found = ctx.shared(superfluous)
    for part in found.parts:
        if part.kind is PartKind.POLICY:
            continue
        where = "" if part.kind is PartKind.RULE else f" of {_rule_name(part.path)}"
        noun = _rule_name(part.path) if part.kind is PartKind.RULE else f"{_NOUNS[part.kind]}{where}"
        yield ctx.report(
            part.policy,
            *part.path,
            message=f"{noun} of `{part.policy.name}` adds nothing: {_covering(part)} all that it allows",
            confidence=_confidence(ctx, part),
            related=_locations(ctx, part.covered_by),
            help=f"remove this {_NOUNS[part.kind]}, or narrow what covers it if that is too wide",
            fix=_removal(ctx, part, found.parts),
        )
    for unsettled in found.open_:
        if unsettled.path:
            yield from undecided(ctx, unsettled)


@cluster_check("NP050")
def vacuous(ctx: Context) -> Iterator[Diagnostic]:
    """Policies that deny nothing to anyone."""
    policies = ctx.once(policies_of)
    own = [policy for policy in ctx.cluster.all_of(NetworkPolicy) if not ctx.cluster.is_context(policy)]
    if not own or not any(rule.is_default for stage in policies.stages for tier in stage.tiers for rule in tier.rules):
        return
    limit = resource_limit(ctx.settings)
    try:
        if is_vacuous(policies, limit):
            yield _vacuous(ctx, own[0], own[1:])
            return
    except Undecided as reason:
        yield from undecided(ctx, Unsettled(own[0], (), str(reason)))
        return
    for found in vacuous_policies(policies, limit):
        if isinstance(found, Unsettled):
            yield from undecided(ctx, found)
        elif isinstance(found, NetworkPolicy) and not ctx.cluster.is_context(found) and not _allows_all(found):
            yield _vacuous(ctx, found, [])


def _allows_all(policy: NetworkPolicy) -> bool:
    """Whether a single empty rule undoes each direction: that is plain to see, and NP028's to say."""
    return all(any(not rule.peers and not rule.ports for rule in policy.rules(each)) for each in policy.policy_types)


def _vacuous(ctx: Context, policy: NetworkPolicy, others: list[NetworkPolicy]) -> Diagnostic:
    if others:
        what = f"the {len(others) + 1} policies here deny nothing together: what some isolate from, others allow again"
    else:
        what = f"NetworkPolicy `{policy.name}` denies nothing: its rules allow all that it isolates its pods from"
    return ctx.report(
        policy,
        message=f"{what}, so all is as it would be without",
        confidence=Confidence.LOW if may_be_apart(ctx, (policy, *others)) else None,
        related=[ctx.location(other, "metadata", "name", label="and this one") for other in others[:3] if other.name],
        help="name the peers and ports that are needed in the rules, or remove the policies",
    )


def _policies(rules: Iterable[PolicyRule]) -> list[Resource]:
    found = {id(rule.origin.resource): rule.origin.resource for rule in rules if rule.origin is not None}
    return list(found.values())


def _named(policies: list[Resource]) -> str:
    return listed([policy.name for policy in policies[:3]]) + (" and others" if len(policies) > 3 else "")


def _rule_name(path: Path) -> str:
    return f"{path[1]} rule {int(path[2]) + 1}"


def _covering(part: Redundant) -> str:
    """The rules that cover a part, as the subject of a sentence and its verb."""
    names = []
    for rule in part.covered_by[:2]:
        if rule.origin is None:
            continue
        is_own, is_same = rule.origin.resource is part.policy, rule.origin.path == part.path[:3]
        name = "the rest of the rule" if is_own and is_same else _rule_name(rule.origin.path)
        names.append(name if is_own else f"{name} of `{rule.origin.resource.name}`")
    more = len(part.covered_by) - len(names)
    if more > 0:
        names.append(f"{more} more")
    return f"{' and '.join(names)} {'allows' if len(names) == 1 else 'allow'}"


def _locations(ctx: Context, rules: Iterable[PolicyRule]) -> list[Location]:
    found: list[Location] = []
    for rule in rules:
        if rule.origin is None:
            continue
        if rule.is_default:
            found.append(ctx.near(rule.origin.resource, "spec", "podSelector", label="isolates the same pods"))
        else:
            found.append(ctx.location(rule.origin.resource, *rule.origin.path, label="allows the same"))
    return found[:4]


def _confidence(ctx: Context, part: Redundant) -> Confidence | None:
    """Low where what covers it may not be applied together with it."""
    return Confidence.LOW if may_be_apart(ctx, (part.policy, *_policies(part.covered_by))) else None


def may_be_apart(ctx: Context, policies: Iterable[Resource]) -> bool:
    """Whether policies may be alternatives that merely stand beside one another, as in collections of examples.

    So it is in different folders, and in different files of a plain folder without workloads that they select.
    """
    group = list(policies)
    paths = {policy.root.source.path for policy in group}
    if len({path.rpartition("/")[0] for path in paths}) > 1:
        return True
    return (
        ctx.unit.type in ("plain", "alternative")
        and len(paths) > 1
        and not any(_selects_some(ctx, policy) for policy in group)
    )


def _selects_some(ctx: Context, policy: Resource) -> bool:
    selector = policy.pod_selector if isinstance(policy, NetworkPolicy) else None
    return selector is not None and bool(ctx.cluster.selected_workloads(policy.namespace, selector))


def _removal(ctx: Context, part: Redundant, parts: Iterable[Redundant]) -> Fix | None:
    """The edit that takes the part away; None if all of its list would go, which may mean something else."""
    siblings = [each for each in parts if each.policy is part.policy and each.path[:-1] == part.path[:-1]]
    written = part.policy.root.get(*part.path[:-1])
    if written is None or len(siblings) >= len(written.items):
        return None
    return ctx.fix(f"Remove the {_NOUNS[part.kind]}", without_item(part.policy, *part.path))


def same_tree(first: Resource, second: Resource) -> bool:
    """Whether two objects are written in one folder, or one below the folder of the other."""
    a, b = (each.root.source.path.rpartition("/")[0] for each in (first, second))
    return a == b or f"{a}/".startswith(f"{b}/") or f"{b}/".startswith(f"{a}/")
