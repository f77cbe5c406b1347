"""`units`: what is applied together."""

from __future__ import annotations

import click

from k8snetlint import __version__
from k8snetlint.formatters.json import JSON, dumped, header
from k8snetlint.units.find import kustomization_at
from k8snetlint.units.unit import Unit
from k8snetlint.units.write import write_yaml

from .options import LoadOptions, load_options
from .output import write
from .pipeline import Failure, Loaded, load

# So many units are counted at a glance.
_UNCOUNTED = 10


@click.command(name="units")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--format", "-f", "format_", type=click.Choice(["text", "json", "yaml"]), default=None)
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@click.option("--print", "is_printed", is_flag=True, help="Write the objects of one unit, as YAML.")
@load_options
def command(
    paths: tuple[str, ...], format_: str | None, output: str | None, is_printed: bool, options: LoadOptions
) -> int:
    """Show what belongs together in PATHS (default: the working directory), and whether it is complete.

    With --print: what would be applied of the unit that --unit names, of the kustomization in PATH, or of the only unit.
    """
    if is_printed and format_ not in (None, "yaml"):
        raise Failure(f"--print writes YAML: it does not go with --format {format_}")
    loaded = load(paths, options)
    units = loaded.found.units
    if not units and not options.allow_empty:
        click.echo("no manifests were found", err=True)
        return 3
    if is_printed or format_ == "yaml":
        unit = _chosen(loaded, paths, options)
        write(write_yaml(unit.documents) if unit is not None else "", output)
        if unit is not None and not options.quiet:
            for reason in unit.incomplete_because:
                click.echo(f"incomplete: {reason.message}", err=True)
    elif format_ == "json":
        write(dumped(_as_json(units, loaded.found.programs)), output)
    else:
        text = _as_text(units, is_verbose=options.verbose)
        rendered_by = f"rendered by {_shown(', '.join(loaded.found.programs))}\n" if loaded.found.programs else ""
        write(text + rendered_by, output, is_utf8=False)
    return 0


def _chosen(loaded: Loaded, paths: tuple[str, ...], options: LoadOptions) -> Unit | None:
    """The one unit to print. Raises Failure where several could be meant."""
    units = loaded.found.units
    if options.unit is None and not options.one_unit and len(paths) <= 1:
        own = kustomization_at(loaded.inputs, loaded.settings, paths[0] if paths else ".")
        if own is not None:
            return own
    if len(units) > 1:
        listed = "".join(f"\n  {unit.name}" for unit in units)
        raise Failure(
            f"there are {len(units)} units; pick one with --unit, or take all as one with --one-unit:{listed}"
        )
    return units[0] if units else None


def _as_json(units: tuple[Unit, ...], programs: tuple[str, ...]) -> JSON:
    because = tuple(dict.fromkeys(reason for unit in units for reason in unit.incomplete_because))
    listed: list[JSON] = [
        {
            "name": unit.name,
            "type": unit.type,
            "paths": list(unit.paths),
            "complete": unit.complete,
            "incomplete_because": header("", unit.complete, unit.incomplete_because, "")["incomplete_because"],
            "resources": len(unit.documents),
        }
        for unit in units
    ]
    head = header("k8snetlint/units/v1", not because, because, __version__)
    return {**head, "rendered_by": list(programs), "units": listed}


def _as_text(units: tuple[Unit, ...], *, is_verbose: bool) -> str:
    lines: list[str] = []
    for unit in units:
        objects = f"{len(unit.documents)} object{'' if len(unit.documents) == 1 else 's'}"
        files = f"{len(unit.paths)} file{'' if len(unit.paths) == 1 else 's'}"
        state = "" if unit.complete else ", incomplete"
        lines.append(f"{_shown(unit.name)}  ({unit.type}: {objects} in {files}{state})")
        shown = unit.incomplete_because if is_verbose else unit.incomplete_because[:3]
        for reason in shown:
            place = ""
            if reason.place is not None:
                position = reason.place.source.position(reason.place.span.start)
                place = f"{_shown(reason.place.source.path)}:{position.line}:{position.column}: "
            lines.append(f"  incomplete: {place}{_shown(reason.message)}")
        more = len(unit.incomplete_because) - len(shown)
        if more:
            lines.append(f"  incomplete: {more} more reason{'' if more == 1 else 's'} (--verbose shows all)")
        if is_verbose:
            lines += (f"  {_shown(path)}" for path in unit.paths)
    if len(units) > _UNCOUNTED:
        incomplete = sum(not unit.complete for unit in units)
        lines.append(f"{len(units):,} units, {incomplete:,} of them incomplete")
    return "".join(f"{line}\n" for line in lines)


def _shown(text: str) -> str:
    """Text of manifests without what a terminal would act on."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
