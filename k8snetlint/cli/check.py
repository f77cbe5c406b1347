"""`check`: what is wrong with the networking of manifests."""

from __future__ import annotations

import shutil

import attrs
import click

from k8snetlint import __version__
from k8snetlint.diagnostic import Report, Severity
from k8snetlint.formatters import REPORT_FORMATS, render
from k8snetlint.formatters.context import RenderContext
from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import Settings

from .options import LoadOptions, load_options
from .output import FormatCommand, pairs, wants_colour, write
from .pipeline import Loaded, check_selectors, load_with, resolve_settings
from .report import Checked, check
from .repository import repository_root

_FAIL_ON = {"error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.NOTE}


@click.command(name="check", cls=FormatCommand)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format", "-f", "formats", multiple=True, type=click.Choice(REPORT_FORMATS), help="The output's format."
)
@click.option("--output", "-o", "outputs", multiple=True, metavar="FILE", help="Write to a file. Repeats with -f.")
@click.option("--select", multiple=True, metavar="RULES", help="Only these rules: ids, prefixes, names or ALL.")
@click.option("--extend-select", multiple=True, metavar="RULES", help="These rules too.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Not these rules.")
@click.option("--pedantic", is_flag=True, help="All rules, and diagnostics of low confidence too.")
@click.option(
    "--fail-on",
    type=click.Choice([*_FAIL_ON, "never"]),
    default="warning",
    help="The least severity that makes the exit code 1 (default: warning).",
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 where it would be 1.")
@click.option("--statistics", is_flag=True, help="Count diagnostics by rule.")
@load_options
def command(
    paths: tuple[str, ...],
    options: LoadOptions,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    pedantic: bool,
    fail_on: str,
    exit_zero: bool,
    statistics: bool,
) -> int:
    """Find what is wrong with the networking of the manifests in PATHS (default: the working directory).

    PATHS are files, directories, globs, or - for standard input.
    """
    import k8snetlint.rulebook as rulebooks

    targets = pairs(formats, outputs, "text")
    rulebook = rulebooks.load()
    settings = resolve_settings(paths or (".",), options, rulebook)
    settings = _with_rules(settings, rulebook, select, extend_select, ignore, pedantic)
    loaded = load_with(paths or (".",), options, settings, rulebook)
    checked = check(loaded)
    code = exit_code(checked, fail_on, exit_zero=exit_zero, allow_empty=options.allow_empty)
    for name, place in targets:
        text = render(name, checked.report, _context(loaded, options, place, code, statistics))
        write(text, place, is_utf8=name not in ("text", "concise"))
    if code == 3 and not checked.has_internal_error:
        click.echo("nothing to analyse: no Kubernetes manifest was found (--allow-empty accepts that)", err=True)
    return code


def _with_rules(
    settings: Settings,
    rulebook: Rulebook,
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    pedantic: bool,
) -> Settings:
    selected = check_selectors(select, rulebook, "--select")
    extended = check_selectors(extend_select, rulebook, "--extend-select")
    ignored = check_selectors(ignore, rulebook, "--ignore")
    return attrs.evolve(
        settings,
        select=selected or settings.select,
        extend_select=(*settings.extend_select, *extended),
        # What the command line selects is not taken back by the configuration.
        ignore=(*(() if selected else settings.ignore), *ignored),
        pedantic=pedantic or settings.pedantic,
    )


def exit_code(checked: Checked, fail_on: str, *, exit_zero: bool, allow_empty: bool) -> int:
    """The exit code of a run that found no mistake of usage: 3 before 1 before 0."""
    report = checked.report
    if checked.has_internal_error:
        return 3
    if is_empty(report) and not allow_empty:
        return 3
    least = _FAIL_ON.get(fail_on)
    if exit_zero or least is None:
        return 0
    return int(any(each.severity >= least for each in report.diagnostics if each.suppressed is None))


def is_empty(report: Report) -> bool:
    """Whether there was nothing to analyse: no object, and nothing to say of warning or above."""
    worst = max((each.severity for each in report.diagnostics), default=Severity.NOTE)
    return report.resources == 0 and worst < Severity.WARNING


def _context(loaded: Loaded, options: LoadOptions, place: str | None, code: int, statistics: bool) -> RenderContext:
    return RenderContext(
        rulebook=loaded.rulebook,
        version=__version__,
        directory=loaded.inputs.directory,
        repository=repository_root(loaded.inputs.directory) or loaded.inputs.directory,
        colour=wants_colour(options.color, place),
        width=max(shutil.get_terminal_size((120, 24)).columns, 60) if place is None else 120,
        quiet=options.quiet,
        verbose=options.verbose,
        statistics=statistics,
        exit_code=code,
    )
