"""`config`: the configuration in force."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs
import click

from k8snetlint import __version__
from k8snetlint import rulebook as rulebooks
from k8snetlint.diagnostic import Severity
from k8snetlint.settings import (
    ClusterSettings,
    ExternalSettings,
    IgnoreSettings,
    Settings,
    UnitSettings,
    WorkloadSettings,
)
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node

from .options import LoadOptions, load_options
from .output import write
from .pipeline import configuration_of, resolve_settings

_RENAMED = {"rule_options": "rules"}
_COMMAND_LINE = {"unit", "one_unit", "variables", "root"}


@click.command(name="config")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--format", "-f", "format_", type=click.Choice(["yaml", "json"]), default="yaml")
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@load_options
def command(paths: tuple[str, ...], options: LoadOptions, format_: str, output: str | None) -> int:
    """Print the configuration in force for PATHS, and where each value comes from."""
    rulebook = rulebooks.load()
    paths = paths or (".",)
    configuration = configuration_of(paths, options, rulebook)
    settings = resolve_settings(paths, options, rulebook)
    values = {
        key: {"value": _plain(value), "origin": _origin(key, value, configuration.settings, configuration.origins)}
        for key, value in _by_key(settings).items()
    }
    if format_ == "json":
        body = {"schema": "k8snetlint/config/v1", "version": __version__, "path": configuration.path, "values": values}
        write(json.dumps(body, indent=2) + "\n", output)
    else:
        # JSON is YAML, and needs no emitter.
        rows = [
            f"{'# ' if each['value'] is None else ''}{key}: {json.dumps(each['value'])}  # {each['origin']}"
            for key, each in values.items()
        ]
        write("".join(row + "\n" for row in rows), output)
    return 0


def _by_key(settings: Settings) -> dict[str, object]:
    return {
        _RENAMED.get(field.name, field.name).replace("_", "-"): getattr(settings, field.name)
        for field in attrs.fields(Settings)
        if field.name not in _COMMAND_LINE
    }


def _origin(key: str, value: object, configured: Settings, origins: Mapping[str, Place]) -> str:
    if value != _by_key(configured)[key]:
        return "command line"
    place = origins.get(key)
    if place is None:
        return "default"
    line = place.source.position(place.span.start).line
    return f"{place.source.path}:{line}"


def _plain(value: object) -> object:
    if isinstance(value, Severity):
        return value.label
    if isinstance(value, ClusterSettings | ExternalSettings | UnitSettings | WorkloadSettings | IgnoreSettings):
        given = attrs.asdict(value, recurse=False)
        return {
            "rule" if name == "rules" else name.replace("_", "-"): _plain(item)
            for name, item in given.items()
            if name != "place" and item is not None
        }
    if isinstance(value, Node):
        return value.plain()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        if len(value) == 2 and all(isinstance(each, int) for each in value):
            return f"{value[0]}.{value[1]}" if value[0] < 10 else f"{value[0]}-{value[1]}"
        return [_plain(item) for item in value]
    return value
