"""What the solver gave up on, said in the name of the rule that asked."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.analysis.understood import Unsettled
from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context
from k8snetlint.settings import Settings

UNDECIDED, NAME = "TOOL006", "undecided"


def resource_limit(settings: Settings) -> int | None:
    """The bound on each question to the solver, where the configuration sets one."""
    return settings.rule_options.get(UNDECIDED, {}).get("resource-limit")


def undecided(ctx: Context, unsettled: Unsettled) -> Iterator[Diagnostic]:
    """The diagnostic that says so: neither that the rule found something nor that it did not."""
    is_ignored = any(UNDECIDED.startswith(each) or each == NAME for each in ctx.settings.ignore)
    if is_ignored or ctx.cluster.is_context(unsettled.policy):
        return
    made = ctx.report(
        unsettled.policy,
        *unsettled.path,
        message=f"{ctx.rule.name} is undecided for `{unsettled.policy.name}`: {unsettled.reason}",
        severity=Severity.NOTE,
        confidence=Confidence.HIGH,
        help=f"raise the option `resource-limit` of {UNDECIDED}, or analyse fewer policies at once",
    )
    yield attrs.evolve(made, rule=UNDECIDED)
