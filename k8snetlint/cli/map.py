"""`map`: who reaches whom on which ports."""

from __future__ import annotations

from collections.abc import Iterator

import click

from k8snetlint import __version__
from k8snetlint.analysis.connectivity import ConnectivityMap, connectivity_map
from k8snetlint.formatters.connectivity import MAP_FORMATS, parts
from k8snetlint.formatters.outcome import Outcome

from .graphviz import svg_of
from .options import LoadOptions, load_options
from .output import wants_colour, write_parts
from .pipeline import Failure
from .world import outcome_of, world


@click.command(name="map")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--groups", is_flag=True, help="Sets of equal ends instead of pairs (text and json).")
@click.option("--format", "-f", "format_", type=click.Choice(MAP_FORMATS), default="text", help="The output's format.")
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@load_options
def command(
    paths: tuple[str, ...],
    groups: bool,
    format_: str,
    output: str | None,
    options: LoadOptions,
) -> int:
    """Who reaches whom on which ports in the manifests in PATHS (default: the working directory).

    Exit codes: 0; 2 wrong usage; 3 nothing to analyse.
    """
    if groups and format_ not in ("text", "json"):
        raise Failure("--groups is for the formats text and json; pictures group by themselves")
    asked = world(paths, options)
    shown = connectivity_map(asked.cluster, asked.policies)
    outcome = outcome_of(asked, options, __version__, wants_colour(options.color, output))
    write_parts(_parts(shown, outcome, format_, groups), output, is_utf8=format_ != "text")
    return 0


def _parts(shown: ConnectivityMap, outcome: Outcome, format_: str, groups: bool) -> Iterator[str]:
    if groups:
        from k8snetlint.formatters.connectivity import json, text

        return json.group_parts(shown, outcome) if format_ == "json" else text.group_parts(shown, outcome)
    if format_ == "svg":
        return iter((svg_of("".join(parts("dot", shown, outcome))),))
    return parts(format_, shown, outcome)
