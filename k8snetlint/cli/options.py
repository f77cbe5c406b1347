"""The options that the commands share, and the values they come to."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import attrs
import click

from k8snetlint.config.reader import parse_size

from . import progress

F = TypeVar("F", bound=Callable[..., object])


@attrs.frozen
class LoadOptions:
    """What decides which manifests are read, and how. None means that the command line does not say."""

    config: str | None = None
    isolated: bool = False
    unit: str | None = None
    one_unit: bool = False
    render: str | None = None
    namespace: str | None = None
    kube_version: str | None = None
    cni: str | None = None
    max_file_size: int | None = None
    stdin_filename: str | None = None
    context: tuple[str, ...] = ()
    vars_file: str | None = None
    allow_empty: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"


class SizeType(click.ParamType[int]):
    """A number of bytes: `500`, `64kB`, `16MB`, `1GB`."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes. Fails on anything that is not one."""
        try:
            return parse_size(str(value))
        except ValueError:
            self.fail(f"`{value}` is not a size; write for example 500kB or 64MB", param, ctx)


def load_options(function: F) -> F:
    """Adds the options of LoadOptions to a command, which takes them as the one argument `options`."""
    names = [field.name for field in attrs.fields(LoadOptions)]

    @functools.wraps(function)
    def command(*args: object, **kwargs: object) -> object:
        options = LoadOptions(**{name: kwargs.pop(name) for name in names})  # type: ignore[arg-type]  # click typed them
        with progress.shown(quiet=options.quiet):
            return function(*args, options=options, **kwargs)

    decorated: Callable[..., object] = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[return-value]  # the same command with more parameters


_OPTIONS = (
    click.option("--config", metavar="FILE", help="Read this configuration file."),
    click.option("--isolated", is_flag=True, help="Read no configuration file."),
    click.option("--unit", metavar="NAME", help="Analyse only this unit."),
    click.option("--one-unit", is_flag=True, help="Take everything given as applied together."),
    click.option(
        "--render",
        type=click.Choice(["never", "auto", "program"]),
        help="Render kustomizations and charts by our own code (auto), by helm and kustomize (program), or never.",
    ),
    click.option("--namespace", "-n", metavar="NAME", help="The namespace of objects that name none."),
    click.option("--kube-version", metavar="VERSION", help="The Kubernetes version to judge by, such as 1.31."),
    click.option("--cni", metavar="NAME", help="The network plugin of the cluster, such as calico or cilium."),
    click.option(
        "--max-file-size", type=SizeType(), metavar="SIZE", help="Read no larger files (256MB for JSON, 16MB else)."
    ),
    click.option("--stdin-filename", metavar="PATH", help="The name of what `-` reads."),
    click.option(
        "--context", multiple=True, metavar="PATH", help="Manifests that are there too, and are not reported on."
    ),
    click.option("--vars", "vars_file", metavar="FILE", help="Lines NAME=value that answer ${NAME} in manifests."),
    click.option("--allow-empty", is_flag=True, help="Finding nothing to analyse is no failure."),
    click.option("--quiet", "-q", is_flag=True, help="Print nothing but diagnostics."),
    click.option("--verbose", "-v", is_flag=True, help="Print more: suppressed diagnostics, all that is not analysed."),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours; auto: on a terminal, unless NO_COLOR is set.",
    ),
)
