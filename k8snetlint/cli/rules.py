"""`rules`: the catalogue."""

from __future__ import annotations

import json

import click

from k8snetlint import __version__
from k8snetlint import rulebook as rulebooks
from k8snetlint.rulebook import Rulebook, RuleInfo

from .output import write
from .pipeline import check_selectors


@click.command(name="rules")
@click.argument("selectors", nargs=-1)
@click.option("--format", "-f", "format_", type=click.Choice(["text", "json", "markdown"]), default="text")
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
def command(selectors: tuple[str, ...], format_: str, output: str | None) -> int:
    """List the rules, or those that SELECTORS (ids, prefixes, names) mean."""
    rulebook = rulebooks.load()
    infos = _chosen(rulebook, check_selectors(selectors, rulebook, "rules"))
    if format_ == "json":
        body = {
            "schema": "k8snetlint/rules/v1",
            "version": __version__,
            "rules": [as_json(info) for info in infos],
        }
        write(json.dumps(body, indent=2) + "\n", output)
    elif format_ == "markdown":
        rows = ["| Rule | Name | Severity | On | Summary |", "|---|---|---|---|---|"]
        rows += (
            f"| {info.id} | {info.name} | {info.severity.label} | {'yes' if info.default else 'no'} | {info.summary} |"
            for info in infos
        )
        write("\n".join(rows) + "\n", output)
    else:
        width = max((len(info.name) for info in infos), default=0)
        rows = [
            f"{info.id:<8} {info.severity.label:<8} {'' if info.default else 'off':<4} {info.name:<{width}}  "
            + info.summary
            for info in infos
        ]
        write("".join(row + "\n" for row in rows), output, is_utf8=False)
    return 0


def _chosen(rulebook: Rulebook, selectors: tuple[str, ...]) -> list[RuleInfo]:
    if not selectors:
        return list(rulebook.rules.values())
    ids = {id_ for selector in selectors for id_ in rulebook.resolve(selector)}
    return [info for id_, info in rulebook.rules.items() if id_ in ids]


def as_json(info: RuleInfo) -> dict[str, object]:
    """A rule as outputs show it."""
    return {
        "id": info.id,
        "name": info.name,
        "summary": info.summary,
        "severity": info.severity.label,
        "confidence": info.confidence.label,
        "default": info.default,
        "fix": None if info.fix is None else info.fix.value,
        "kinds": list(info.kinds),
        "since": info.since,
    }
