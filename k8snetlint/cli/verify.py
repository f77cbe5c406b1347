"""`verify`: proves the user's statements about traffic, or shows a counterexample."""

from __future__ import annotations

import os
from collections.abc import Sequence

import attrs
import click

from k8snetlint import __version__
from k8snetlint import rulebook as rulebooks
from k8snetlint.analysis.comparison import compare
from k8snetlint.analysis.intents import Intent
from k8snetlint.analysis.proof import IntentProver
from k8snetlint.analysis.verdict import World as Worlds
from k8snetlint.diagnostic import Report
from k8snetlint.formatters.context import RenderContext
from k8snetlint.formatters.outcome import Outcome, place_of
from k8snetlint.formatters.verification import VERIFICATION_FORMATS, ComparedSide, Proved, diagnostics, render
from k8snetlint.source.text import Place

from .intents import configured_intents, intents_in
from .options import LoadOptions, load_options
from .output import wants_colour, write
from .pipeline import Failure, load_with, resolve_settings
from .repository import repository_root
from .sides import folder_of, sides
from .world import World, outcome_of, world_of

_WORDS = {
    "equivalent": "{old} and {new} allow the same",
    "implies": "{new} allows all that {old} allows",
    "permits": "{new} allows all that a rule of {old} allows",
    "forbids": "{new} allows nothing that a rule of {old} allows",
}


@click.command(name="verify")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--equivalent", nargs=2, metavar="OLD NEW", help="Prove that two sets of manifests allow the same.")
@click.option("--implies", nargs=2, metavar="OLD NEW", help="Prove that NEW allows everything that OLD allows.")
@click.option(
    "--permits", nargs=2, metavar="SPEC NEW", help="Prove that NEW allows everything that rules of SPEC state."
)
@click.option("--forbids", nargs=2, metavar="SPEC NEW", help="Prove that NEW allows nothing that rules of SPEC state.")
@click.option(
    "--world",
    "world_name",
    type=click.Choice(["closed", "open"]),
    default="open",
    help="For comparisons: any pod that anyone could create (the default), or the workloads in the manifests.",
)
@click.option("--format", "-f", "format_", type=click.Choice(VERIFICATION_FORMATS), default="text", help="The format.")
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@load_options
def command(
    paths: tuple[str, ...],
    equivalent: tuple[str, str] | None,
    implies: tuple[str, str] | None,
    permits: tuple[str, str] | None,
    forbids: tuple[str, str] | None,
    world_name: str,
    format_: str,
    output: str | None,
    options: LoadOptions,
) -> int:
    """Prove the statements of the file INTENTS about the manifests in PATHS, or show a counterexample.

    Called as `verify INTENTS [PATHS]`. Without INTENTS those that the configuration names are proved.

    Exit codes: 0 all proved; 1 one is refuted or unknown; 2 wrong usage; 3 nothing to analyse.
    """
    asked_for = {"equivalent": equivalent, "implies": implies, "permits": permits, "forbids": forbids}
    comparisons = [(name, both) for name, both in asked_for.items() if both]
    if comparisons:
        if paths or len(comparisons) > 1:
            raise Failure("--equivalent, --implies, --permits and --forbids stand alone: each takes two paths itself")
        return _compare(*comparisons[0], Worlds(world_name), format_, output, options)
    intents: list[Intent] = []
    if paths and (found := intents_in(paths[0])) is not None:
        intents, paths = found, paths[1:]
    rulebook = rulebooks.load()
    settings = resolve_settings(paths or (".",), options, rulebook)
    if not intents:
        intents = configured_intents(settings)
    if not intents:
        raise Failure("no intents: give a file with `schema: k8snetlint/intents/v1`, or name it in the configuration")
    asked = world_of(load_with(paths or (".",), options, settings, rulebook), options)
    prover = IntentProver(asked.cluster, asked.policies)
    proved = [Proved(each.name, prover.verdict(each), each.place) for each in intents]
    outcome = outcome_of(asked, options, __version__, wants_colour(options.color, output))
    return _written(proved, outcome, format_, output)


def _compare(
    name: str, both: tuple[str, str], world: Worlds, format_: str, output: str | None, options: LoadOptions
) -> int:
    old, new = both
    with sides(old, new, options) as (before, after):
        found = compare(before.policies, after.policies, name, world)
        said = ((old, found.old), (new, found.new))
        proved = Proved(
            name,
            found.verdict,
            about=_WORDS[name].format(old=old, new=new),
            sides=tuple(
                ComparedSide(text, folder_of(text), decision) for text, decision in said if decision is not None
            ),
            fallback=_first_place(after) or _first_place(before),
        )
        outcome = outcome_of(after, options, __version__, wants_colour(options.color, output))
        reasons = tuple(dict.fromkeys((*before.incomplete_because, *after.incomplete_because)))
        return _written([proved], attrs.evolve(outcome, incomplete_because=reasons), format_, output)


def _first_place(side: World) -> Place | None:
    return next((place_of(resource, ()) for resource in side.cluster.resources), None)


def _written(proved: Sequence[Proved], outcome: Outcome, format_: str, output: str | None) -> int:
    code = int(any(each.word != "holds" for each in proved))
    text = _sarif(proved, outcome, code) if format_ == "sarif" else render(format_, proved, outcome)
    write(text, output, is_utf8=format_ != "text")
    return code


def _sarif(proved: Sequence[Proved], outcome: Outcome, code: int) -> str:
    from k8snetlint.formatters import sarif

    found = diagnostics(proved, outcome.unit)
    files = tuple({each.primary.place.source.path: each.primary.place.source for each in found}.values())
    report = Report(found, files, not outcome.incomplete_because, outcome.incomplete_because)
    directory = os.getcwd()
    context = RenderContext(
        rulebook=rulebooks.load(),
        version=__version__,
        directory=directory,
        repository=repository_root(directory) or directory,
        exit_code=code,
    )
    return sarif.render(report, context)
