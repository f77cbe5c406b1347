"""The command line: one click command a module, heavy imports inside the commands."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from k8snetlint import __version__

REPORT_ADDRESS = "https://github.com/k8snetlint/k8snetlint/issues"

_GC_THRESHOLDS = (200_000, 50, 50)

# Name -> (module in this package, one line for `--help`, which imports none of them).
COMMANDS = {
    "check": ("check", "Find what is wrong with the networking of manifests."),
    "map": ("map", "Show who reaches whom on which ports."),
    "reach": ("reach", "Ask whether one end may reach another, and why."),
    "diff": ("diff", "Show which connections change between two sets of manifests."),
    "verify": ("verify", "Prove statements about traffic, or show counterexamples."),
    "suggest": ("suggest", "Write the NetworkPolicies that allow what manifests need, and nothing else."),
    "units": ("units", "Show what is applied together, and whether it is complete."),
    "rules": ("rules", "List the rules."),
    "explain": ("explain", "Show a rule's document."),
    "init": ("init", "Write a commented configuration file."),
    "config": ("config", "Print the configuration in force, and its origins."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"k8snetlint.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with. Raises UsageError for an unknown one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(COMMANDS)}"
            if os.path.exists(args[0]):
                hint = f"did you mean `k8snetlint check {args[0]}`?"
            raise click.UsageError(f"no such command: `{args[0]}`; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="k8snetlint")
def program() -> None:
    """A static analyzer and linter for Kubernetes network manifests.

    Exit codes: 0 clean; 1 diagnostics at or above --fail-on; 2 wrong usage or configuration; 3 nothing to analyse, or
    the program failed inside.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the program and exits with its code."""
    # Trees and sets hold no cycles: collecting at the usual pace finds nothing, and costs a quarter of a map's time.
    gc.set_threshold(*_GC_THRESHOLDS)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; returns its exit code."""
    try:
        code = program.main(
            None if arguments is None else list(arguments), prog_name="k8snetlint", standalone_mode=False
        )
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code if error.exit_code != 1 else 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader has seen enough; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        _show_crash(error)
        return 3
    return code if isinstance(code, int) else 0


def _show_crash(error: Exception) -> None:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
    click.echo(f"k8snetlint {__version__} failed inside: {type(error).__name__}: {error}{where}", err=True)
    click.echo(f"This is a mistake of k8snetlint. Report it, with the command, at {REPORT_ADDRESS}", err=True)
    if os.environ.get("K8SNETLINT_TRACEBACK"):
        traceback.print_exception(error)
