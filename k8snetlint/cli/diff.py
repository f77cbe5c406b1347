"""`diff`: which connections change between two sets of manifests."""

from __future__ import annotations

import attrs
import click

from k8snetlint import __version__
from k8snetlint.analysis.connectivity import connectivity_map
from k8snetlint.analysis.difference import difference
from k8snetlint.formatters.difference import DIFFERENCE_FORMATS, parts

from .options import LoadOptions, load_options
from .output import wants_colour, write_parts
from .sides import sides
from .world import outcome_of


@click.command(name="diff")
@click.argument("old")
@click.argument("new")
@click.option("--format", "-f", "format_", type=click.Choice(DIFFERENCE_FORMATS), default="text", help="The format.")
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@load_options
def command(old: str, new: str, format_: str, output: str | None, options: LoadOptions) -> int:
    """Which connections are added, removed or changed from OLD to NEW.

    Each is a file, a directory, or a git revision: git:REV or git:REV:path, the path from the repository's root.

    Exit codes: 0 equal; 1 different; 2 wrong usage; 3 nothing to analyse.
    """
    with sides(old, new, options) as (before, after):
        found = difference(
            connectivity_map(before.cluster, before.policies), connectivity_map(after.cluster, after.policies)
        )
        outcome = outcome_of(after, options, __version__, wants_colour(options.color, output))
        reasons = tuple(dict.fromkeys((*before.incomplete_because, *after.incomplete_because)))
        outcome = attrs.evolve(outcome, incomplete_because=reasons)
        write_parts(parts(format_, found, outcome), output, is_utf8=format_ != "text")
    return 0 if found.is_empty else 1
