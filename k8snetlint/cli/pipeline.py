"""The way from paths to what a command works on: configuration, files, units; and the report of their diagnostics."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import click

from k8snetlint import rulebook as rulebooks
from k8snetlint.config import FILE_NAMES, ConfigProblem, Configuration, find_configuration, read_configuration
from k8snetlint.config.reader import kube_versions, parse_kube_version
from k8snetlint.diagnostic import Location
from k8snetlint.formatters.frame import frame, gutter_width
from k8snetlint.formatters.style import Style
from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import Settings
from k8snetlint.source.discover import STDIN, DiscoverOptions, InputProblemKind, Inputs, discover
from k8snetlint.units.find import find_units
from k8snetlint.units.programs import MissingProgramError
from k8snetlint.units.unit import Found

from .options import LoadOptions
from .variables import answered

BASELINE_NAME = ".k8snetlint-baseline.json"


class Failure(click.ClickException):
    """Ends the program with a message: wrong usage or configuration."""

    exit_code = 2


@attrs.frozen
class Loaded:
    """What a command works on."""

    inputs: Inputs
    found: Found
    settings: Settings
    rulebook: Rulebook


def load(paths: Sequence[str], options: LoadOptions) -> Loaded:
    """Reads the configuration and the paths (the working directory if there are none), and finds the units.

    Raises Failure, exit code 2, for a path that does not exist, a unit that is not there, or a wrong configuration.
    """
    paths = tuple(paths) or (".",)
    rulebook = rulebooks.load()
    settings = resolve_settings(paths, options, rulebook)
    return load_with(paths, options, settings, rulebook)


def load_with(paths: Sequence[str], options: LoadOptions, settings: Settings, rulebook: Rulebook) -> Loaded:
    """The rest of `load`, for settings that a command has changed."""
    inputs = discover([*paths, *options.context], discover_options(options, settings))
    missing = [problem for problem in inputs.problems if problem.kind is InputProblemKind.MISSING]
    if missing:
        raise Failure("; ".join(problem.message for problem in missing))
    return found_in(inputs, settings, rulebook)


def found_in(inputs: Inputs, settings: Settings, rulebook: Rulebook) -> Loaded:
    """The units of inputs.

    Raises Failure where the one that is asked for is not among them, or a program that is to render is not installed.
    """
    try:
        found = answered(find_units(inputs, settings), settings.variables)
    except MissingProgramError as error:
        raise Failure(str(error)) from None
    if settings.unit is not None and not settings.one_unit and settings.unit not in found.names:
        near = difflib.get_close_matches(settings.unit, found.names, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {_listed(found.names)}"
        raise Failure(f"there is no unit `{settings.unit}`; {hint}")
    return Loaded(inputs, found, settings, rulebook)


def discover_options(options: LoadOptions, settings: Settings) -> DiscoverOptions:
    """How the paths of a command are turned into files."""
    return DiscoverOptions(
        stdin_filename=options.stdin_filename,
        max_file_size=settings.max_file_size,
        exclude=(*settings.exclude, *FILE_NAMES, BASELINE_NAME),
        exclude_directory=settings.root,
    )


def resolve_settings(paths: Sequence[str], options: LoadOptions, rulebook: Rulebook) -> Settings:
    """The settings of the configuration file, overridden by those of the command line."""
    configuration = configuration_of(paths, options, rulebook)
    settings = configuration.settings
    given: dict[str, Any] = {
        "unit": options.unit,
        "one_unit": options.one_unit or None,
        "render": options.render,
        "namespace": options.namespace,
        "kube_version": None if options.kube_version is None else kube_version(options.kube_version),
        "cni": None if options.cni is None else plugin(options.cni),
        "max_file_size": options.max_file_size,
        "variables": None if options.vars_file is None else read_variables(options.vars_file),
    }
    if options.context:
        relative = (os.path.relpath(path, settings.root).replace(os.sep, "/") for path in options.context)
        given["context"] = (*settings.context, *relative)
    return attrs.evolve(settings, **{name: value for name, value in given.items() if value is not None})


def configuration_of(paths: Sequence[str], options: LoadOptions, rulebook: Rulebook) -> Configuration:
    """The configuration of a command. Raises Failure, showing each place, if there is something wrong with it."""
    if options.isolated and options.config is not None:
        raise Failure("--config and --isolated exclude each other")
    path = options.config
    if path is None and not options.isolated:
        first = next((each for each in paths if each != STDIN), options.stdin_filename or ".")
        path = find_configuration(first)
    if path is None:
        return Configuration(Settings())
    configuration = read_configuration(path, rulebook)
    if configuration.problems:
        raise Failure("\n\n".join(_shown(problem) for problem in configuration.problems))
    return configuration


def _shown(problem: ConfigProblem) -> str:
    location = Location(problem.place)
    rows = [problem.message]
    if problem.place.source.text:
        rows += frame(location, (), gutter_width([location]), 120, Style(colour=False))
    if problem.help is not None:
        rows.append(f"   = help: {problem.help}")
    return "\n".join(rows)


def kube_version(text: str) -> tuple[int, int]:
    """A Kubernetes version. Raises Failure if it is none that the schemas know."""
    try:
        return parse_kube_version(text)
    except ValueError:
        raise Failure(f"`{text}` is not {kube_versions()}") from None


def plugin(name: str) -> str:
    """The name of a network plugin. Raises Failure if it is not known."""
    from k8snetlint.policy.enforcement import PLUGINS

    if name in PLUGINS:
        return name
    near = difflib.get_close_matches(name, PLUGINS, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(PLUGINS)}"
    raise Failure(f"--cni: `{name}` is no network plugin that is known; {hint}")


def read_variables(path: str) -> dict[str, str]:
    """The variables of a file of lines `NAME=value`; empty lines and lines that begin with `#` do not count."""
    variables: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"the variables `{path}` cannot be read: {_reason(error)}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, separator, value = line.removeprefix("export ").partition("=")
        if not separator or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip()):
            raise Failure(f"{path}:{number}: a line here is NAME=value")
        variables[name.strip()] = value.strip().strip("\"'")
    return variables


def check_selectors(selectors: Iterable[str], rulebook: Rulebook, option: str) -> tuple[str, ...]:
    """Rule selectors as given in one option, commas split. Raises Failure for one that means no rule."""
    result: list[str] = []
    for selector in (part.strip() for text in selectors for part in text.split(",")):
        if not selector:
            continue
        if not rulebook.resolve(selector):
            raise Failure(f"{option}: {unknown_rule(selector, rulebook)}")
        result.append(selector)
    return tuple(result)


def unknown_rule(selector: str, rulebook: Rulebook) -> str:
    """What is said of a selector that means no rule."""
    names = [*rulebook.rules, *(info.name for info in rulebook.rules.values())]
    near = difflib.get_close_matches(selector, names, 1) or difflib.get_close_matches(selector.upper(), names, 1)
    hint = f"did you mean `{near[0]}`?" if near else "`k8snetlint rules` lists them"
    return f"there is no rule `{selector}`; {hint}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown or "none"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "it is not UTF-8"
