"""`explain`: a rule's document."""

from __future__ import annotations

import json
import sys

import click

from k8snetlint import __version__
from k8snetlint import rulebook as rulebooks
from k8snetlint.rulebook import RuleInfo

from .output import wants_colour, write
from .pipeline import Failure, unknown_rule
from .rules import as_json


@click.command(name="explain")
@click.argument("rule")
@click.option("--format", "-f", "format_", type=click.Choice(["text", "json", "markdown"]), default="text")
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours.")
def command(rule: str, format_: str, output: str | None, color: str) -> int:
    """Show the document of RULE, given by its id or name."""
    rulebook = rulebooks.load()
    wanted = rule.strip().upper()
    info = rulebook.rules.get(wanted)
    if info is None:
        named = [each for each in rulebook.rules.values() if each.name == rule.strip().lower()]
        if not named:
            raise Failure(unknown_rule(rule, rulebook))
        info = named[0]
    if format_ == "json":
        body = {"schema": "k8snetlint/rule/v1", "version": __version__, **as_json(info), "document": info.text}
        write(json.dumps(body, indent=2) + "\n", output)
    elif format_ == "text" and wants_colour(color, output):
        _print_rich(info)
    else:
        write(markdown(info), output, is_utf8=format_ == "markdown")
    return 0


def markdown(info: RuleInfo) -> str:
    """A rule's document with a heading and its metadata."""
    state = "on by default" if info.default else "off by default"
    fix = "" if info.fix is None else f", {info.fix.value} fix"
    head = f"# {info.id} {info.name}\n\n{info.severity.label}, {info.confidence.label} confidence, {state}{fix}\n"
    return f"{head}\n{info.text.strip()}\n"


def _print_rich(info: RuleInfo) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console(file=sys.stdout, force_terminal=True).print(Markdown(markdown(info)))
