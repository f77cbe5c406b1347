"""`map`: who reaches whom on which ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs
import click

from k8snetlint import __version__
from k8snetlint.analysis.connectivity import ConnectivityMap, connectivity_map
from k8snetlint.analysis.ends import UnknownEnd
from k8snetlint.analysis.focus import BOTH, DIRECTIONS, focused
from k8snetlint.formatters.connectivity import MAP_FORMATS, parts
from k8snetlint.formatters.json import JSON
from k8snetlint.formatters.outcome import Outcome

from .graphviz import svg_of
from .options import LoadOptions, load_options
from .output import wants_colour, write_parts
from .pipeline import Failure
from .world import World, outcome_of, world

if TYPE_CHECKING:
    from k8snetlint.formatters.connectivity.more import Needed


@attrs.frozen
class _Wishes:
    """What is to be shown beside the map."""

    format: str
    groups: bool
    explain: bool
    exposure: bool
    requirements: bool


@click.command(name="map")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--focus", multiple=True, metavar="END", help="Only what concerns this end. Repeats.")
@click.option(
    "--direction", type=click.Choice(DIRECTIONS), default=BOTH, help="With --focus: into it, out of it, both."
)
@click.option("--groups", is_flag=True, help="Sets of equal ends instead of pairs (text and json).")
@click.option("--explain", is_flag=True, help="The lines that decide each pair (text and json).")
@click.option("--exposure", is_flag=True, help="What pods that are not in the manifests could (text and json).")
@click.option(
    "--requirements", is_flag=True, help="What the manifests need, and whether it is allowed (text and json)."
)
@click.option(
    "--engine",
    type=click.Choice(["algebra", "z3"]),
    default="algebra",
    help="z3: have the solver prove that the map is exactly what the policies say.",
)
@click.option("--format", "-f", "format_", type=click.Choice(MAP_FORMATS), default="text", help="The output's format.")
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@load_options
def command(
    paths: tuple[str, ...],
    focus: tuple[str, ...],
    direction: str,
    groups: bool,
    explain: bool,
    exposure: bool,
    requirements: bool,
    engine: str,
    format_: str,
    output: str | None,
    options: LoadOptions,
) -> int:
    """Who reaches whom on which ports in the manifests in PATHS (default: the working directory).

    Exit codes: 0; 2 wrong usage; 3 nothing to analyse.
    """
    wishes = _Wishes(format_, groups, explain, exposure, requirements)
    more = {"--groups": groups, "--explain": explain, "--exposure": exposure, "--requirements": requirements}
    for name, is_wanted in more.items():
        if is_wanted and format_ not in ("text", "json"):
            raise Failure(f"{name} is for the formats text and json")
        if is_wanted and groups and name != "--groups":
            raise Failure(f"--groups and {name} do not go together")
    if groups and focus:
        raise Failure("--groups and --focus do not go together")
    if direction != BOTH and not focus:
        raise Failure("--direction needs --focus: it is seen from there")
    asked = world(paths, options)
    shown = connectivity_map(asked.cluster, asked.policies)
    if engine == "z3":
        _prove(asked, shown)
    if focus:
        try:
            chosen = focused(focus, direction, asked.cluster, asked.policies)
        except UnknownEnd as error:
            raise Failure(f"--focus: {error}") from error
        shown = attrs.evolve(shown, chosen=chosen)
    outcome = outcome_of(asked, options, __version__, wants_colour(options.color, output))
    write_parts(_parts(shown, outcome, wishes, asked), output, is_utf8=format_ != "text")
    return 0


def _parts(shown: ConnectivityMap, outcome: Outcome, wishes: _Wishes, asked: World) -> Iterator[str]:
    if wishes.groups:
        from k8snetlint.formatters.connectivity import json, text

        return json.group_parts(shown, outcome) if wishes.format == "json" else text.group_parts(shown, outcome)
    if wishes.explain or wishes.exposure or wishes.requirements:
        return _more_parts(shown, outcome, wishes, asked)
    if wishes.format == "svg":
        return iter((svg_of("".join(parts("dot", shown, outcome))),))
    return parts(wishes.format, shown, outcome)


def _more_parts(shown: ConnectivityMap, outcome: Outcome, wishes: _Wishes, asked: World) -> Iterator[str]:
    from k8snetlint.analysis.exposure import exposures
    from k8snetlint.formatters.connectivity import json, more, text

    exposed = list(exposures(asked.policies)) if wishes.exposure else []
    needed = list(_needed(asked)) if wishes.requirements else []
    if wishes.format == "json":
        members: dict[str, JSON] = {}
        if wishes.exposure:
            members["exposure"] = more.exposure_json(exposed)
        if wishes.requirements:
            members["requirements"] = more.requirements_json(needed)

        def explain(source: str, destination: str) -> list[JSON]:
            return more.deciding_json(source, destination, asked.policies)

        yield from json.parts(shown, outcome, members, explain if wishes.explain else None)
        return
    yield from (more.explained_parts(shown, asked.policies, outcome) if wishes.explain else text.parts(shown, outcome))
    if wishes.exposure:
        yield from more.exposure_text(exposed)
    if wishes.requirements:
        yield from more.requirements_text(needed)


def _needed(asked: World) -> Iterator[Needed]:
    from k8snetlint.algebra.connections import ConnectionSet
    from k8snetlint.analysis.blocking import needs_of
    from k8snetlint.analysis.judgement import judged
    from k8snetlint.formatters.connectivity.more import Needed

    for need in needs_of(asked.cluster, asked.settings):
        found = judged(need, asked.policies)
        held = ConnectionSet.nothing()
        for backend in need.backends:
            if backend.port is not None:
                held |= ConnectionSet.span(backend.protocol, backend.port, backend.port)
        is_allowed = found.is_allowed if held else None
        source = str(found.sources[0]) if found.sources else f"{{{need.client.value}}}"
        service, port = need.service, need.service_port
        destination = need.written
        if service is not None:
            number = f":{port.number}" if port is not None else ""
            destination = f"svc:{service.namespace}/{service.name}{number}"
        yield Needed(source, destination, held, need.confidence.label, is_allowed, need.place)


def _prove(asked: World, shown: ConnectivityMap) -> None:
    """Has the solver look for a flow on which the map and the policies differ: there is none, or the map is wrong."""
    from k8snetlint.analysis.reference import is_allowed
    from k8snetlint.analysis.smt.encoding import Encoding
    from k8snetlint.analysis.universe import Universe
    from k8snetlint.analysis.verdict import Undecided, everyone

    policies = asked.policies
    universe = Universe((policies,), policies.peers.pods)
    groups = shown.connectivity.groups
    try:
        flow = Encoding(universe, (policies,)).find_disagreement(everyone(policies), policies, groups)
    except Undecided as undecided:
        raise Failure(f"--engine z3: {undecided}; the default engine has no such limit") from undecided
    if flow is not None:
        verdict = "allow" if is_allowed(policies, flow).is_allowed else "deny"
        raise AssertionError(
            f"the map is wrong about {flow.source} -> {flow.destination} {flow.protocol}/{flow.port}:"
            f" the policies {verdict} it"
        )
