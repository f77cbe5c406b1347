"""`check`: what is wrong with the networking of manifests."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TypedDict, Unpack

import attrs
import click

from k8snetlint import __version__
from k8snetlint import rulebook as rulebooks
from k8snetlint.baseline import BaselineError, baseline_of, read_baseline, with_baseline
from k8snetlint.diagnostic import Report, Severity
from k8snetlint.formatters import REPORT_FORMATS, render
from k8snetlint.formatters.context import RenderContext, plural
from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import Settings

from .changes import Touched, check_touched, touched_files
from .fixing import diff_of, fixes_of, write_fixes
from .options import LoadOptions, load_options
from .output import FormatCommand, pairs, wants_colour, write
from .pipeline import BASELINE_NAME, Failure, Loaded, check_selectors, load_with, resolve_settings
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
@click.option("--fix", is_flag=True, help="Apply the safe fixes, and report what remains.")
@click.option("--unsafe-fixes", is_flag=True, help="Let --fix and --diff apply fixes that may change the meaning.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, and write nothing.")
@click.option("--baseline", metavar="FILE", help="Do not count the diagnostics of this file.")
@click.option("--write-baseline", is_flag=True, help=f"Write all that is found to --baseline ({BASELINE_NAME}).")
@click.option("--changed", is_flag=True, help="Report only what depends on files that differ from HEAD.")
@click.option("--changed-since", metavar="REV", help="Report only what depends on files that differ from REV.")
@click.option("--report-on", multiple=True, metavar="FILE", help="Report only what depends on FILE, or those in @FILE.")
@click.option("--report-on-paths", is_flag=True, help="Load the working directory, and take PATHS as --report-on.")
@click.option("--statistics", is_flag=True, help="Count diagnostics by rule.")
@load_options
def command(paths: tuple[str, ...], options: LoadOptions, **given: Unpack[_Given]) -> int:
    """Find what is wrong with the networking of the manifests in PATHS (default: the working directory).

    PATHS are files, directories, globs, or - for standard input.
    """
    return _Run(paths, options, given).run()


class _Given(TypedDict):
    """The options of `check` alone, as click gives them."""

    formats: tuple[str, ...]
    outputs: tuple[str, ...]
    select: tuple[str, ...]
    extend_select: tuple[str, ...]
    ignore: tuple[str, ...]
    pedantic: bool
    fail_on: str
    exit_zero: bool
    fix: bool
    unsafe_fixes: bool
    diff: bool
    baseline: str | None
    write_baseline: bool
    changed: bool
    changed_since: str | None
    report_on: tuple[str, ...]
    report_on_paths: bool
    statistics: bool


class _Run:
    """One run of the command."""

    def __init__(self, paths: tuple[str, ...], options: LoadOptions, given: _Given) -> None:
        self.paths = () if given["report_on_paths"] else paths
        self.report_on = (*given["report_on"], *(paths if given["report_on_paths"] else ()))
        self.options = options
        self.given = given
        self.rulebook = rulebooks.load()
        self.touched: Touched | None = None
        self.baseline: frozenset[str] = frozenset()

    def run(self) -> int:
        """Does what the options say; returns the exit code."""
        given = self.given
        targets = pairs(given["formats"], given["outputs"], "text")
        paths = self.paths or (".",)
        settings = _with_rules(resolve_settings(paths, self.options, self.rulebook), self.rulebook, given)
        self.touched = touched_files(
            self.report_on,
            changed=given["changed"],
            changed_since=given["changed_since"],
            is_restricted=given["report_on_paths"],
        )
        if given["baseline"] is not None and not given["write_baseline"]:
            self.baseline = _baseline(given["baseline"])
        if self.touched is not None and not self.touched.paths:
            empty = Checked(Report((), (), complete=True), has_internal_error=False)
            return self._write(empty, targets, os.path.realpath("."))
        loaded = load_with(paths, self.options, settings, self.rulebook)
        if given["write_baseline"]:
            return self._write_baseline(loaded)
        if given["diff"]:
            fixed = fixes_of(loaded, self._checked, unsafe=given["unsafe_fixes"])
            text = diff_of(loaded, fixed)
            write(text, targets[0][1])
            return int(bool(text) and not given["exit_zero"] and given["fail_on"] != "never")
        if given["fix"]:
            fixed = fixes_of(loaded, self._checked, unsafe=given["unsafe_fixes"])
            loaded = write_fixes(loaded, fixed, quiet=self.options.quiet)
        return self._write(self._checked(loaded), targets, loaded.inputs.directory)

    def _checked(self, loaded: Loaded) -> Checked:
        checked = check(loaded) if self.touched is None else check_touched(loaded, self.touched)
        report = checked.report
        return attrs.evolve(
            checked,
            report=attrs.evolve(report, diagnostics=with_baseline(report.diagnostics, self.baseline)),
        )

    def _write(self, checked: Checked, targets: list[tuple[str, str | None]], directory: str) -> int:
        given, options = self.given, self.options
        # A report about some files that has nothing to say is no failure to find manifests.
        allow_empty = options.allow_empty or self.touched is not None
        code = exit_code(checked, given["fail_on"], exit_zero=given["exit_zero"], allow_empty=allow_empty)
        for name, place in targets:
            context = RenderContext(
                rulebook=self.rulebook,
                version=__version__,
                directory=directory,
                repository=repository_root(directory) or directory,
                colour=wants_colour(options.color, place),
                width=_width(place),
                quiet=options.quiet,
                verbose=options.verbose,
                statistics=given["statistics"],
                exit_code=code,
            )
            write(render(name, checked.report, context), place, is_utf8=name not in ("text", "concise"))
        if code == 3 and not checked.has_internal_error:
            why = "no Kubernetes manifest was found" if checked.report.complete else "what was found is listed above"
            click.echo(f"nothing to analyse: {why} (--allow-empty accepts that)", err=True)
        return code

    def _write_baseline(self, loaded: Loaded) -> int:
        place = self.given["baseline"] or BASELINE_NAME
        diagnostics = self._checked(loaded).report.diagnostics
        write(baseline_of(diagnostics, __version__), place)
        count = sum(each.suppressed is None for each in diagnostics)
        if not self.options.quiet:
            click.echo(f"wrote {plural(count, 'diagnostic')} to {place}", err=True)
        return 0


def _baseline(path: str) -> frozenset[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return read_baseline(file.read())
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "") if isinstance(error, OSError) else "it is not UTF-8"
        raise Failure(f"the baseline `{path}` cannot be read: {reason.lower()}") from error
    except BaselineError as error:
        raise Failure(f"the baseline `{path}` cannot be used: {error}") from error


def _with_rules(settings: Settings, rulebook: Rulebook, given: _Given) -> Settings:
    selected = check_selectors(given["select"], rulebook, "--select")
    extended = check_selectors(given["extend_select"], rulebook, "--extend-select")
    ignored = check_selectors(given["ignore"], rulebook, "--ignore")
    return attrs.evolve(
        settings,
        select=selected or settings.select,
        extend_select=(*settings.extend_select, *extended),
        # What the command line selects is not taken back by the configuration.
        ignore=(*(() if selected else settings.ignore), *ignored),
        pedantic=given["pedantic"] or settings.pedantic,
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


def _width(place: str | None) -> int:
    """The width of what is written: the terminal's where it is one, else 120, whatever the environment says."""
    if place is not None or not sys.stdout.isatty():
        return 120
    return max(shutil.get_terminal_size((120, 24)).columns, 60)
