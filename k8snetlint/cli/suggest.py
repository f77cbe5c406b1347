"""`suggest`: the least-privilege NetworkPolicies for what manifests need."""

from __future__ import annotations

import click

from k8snetlint import __version__
from k8snetlint.analysis.suggestion import suggestion
from k8snetlint.formatters.suggestion import SUGGESTION_FORMATS, render

from .options import LoadOptions, load_options
from .output import write
from .world import outcome_of, world


@click.command(name="suggest")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--repair",
    "intents",
    metavar="INTENTS",
    help="Instead, the smallest change of the present policies that makes the intents of a file hold, as a diff.",
)
@click.option(
    "--format", "-f", "format_", type=click.Choice(SUGGESTION_FORMATS), default="yaml", help="The output's format."
)
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@load_options
def command(paths: tuple[str, ...], intents: str | None, format_: str, output: str | None, options: LoadOptions) -> int:
    """The NetworkPolicies that allow what the manifests in PATHS need, and nothing else.

    A default deny for each namespace, and a policy for each workload with a comment that names the line which needs
    each rule. They are a whole set, written as though there were no NetworkPolicy yet: policies that are there already
    go on allowing what they allow.

    With --repair the policies that are there already are changed, as little as can be. Where they are written is
    edited, and the edited manifests are proved; no file is written.

    Exit codes: 0; 1 with --repair, where the intents cannot be made to hold; 2 wrong usage; 3 nothing to analyse.
    """
    if intents is not None:
        return _repair(intents, paths, format_, output, options)
    asked = world(paths, options)
    found = suggestion(asked.cluster, asked.policies, asked.settings)
    write(render(format_, found, outcome_of(asked, options, __version__, colour=False)), output)
    return 0


def _repair(intents: str, paths: tuple[str, ...], format_: str, output: str | None, options: LoadOptions) -> int:
    from k8snetlint.formatters import repair

    from .repairing import repaired

    asked, found = repaired(intents, paths, options)
    write(repair.render(format_, found, outcome_of(asked, options, __version__, colour=False)), output)
    return int(not found.is_done)
