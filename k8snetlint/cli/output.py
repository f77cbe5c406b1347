"""Where the formats of a command go: standard output, or files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

import click

from . import progress
from .pipeline import Failure


class FormatCommand(click.Command):
    """A command whose `-f` and `-o` may repeat: an `-o` belongs to the `-f` before it, or to the first one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses arguments, and keeps the order in which `-f` and `-o` stand."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        ctx.meta["k8snetlint.order"] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


def pairs(formats: Sequence[str], outputs: Sequence[str], default: str) -> list[tuple[str, str | None]]:
    """Each format with the file that it is written to, None for standard output.

    Raises Failure where two formats would be written to one place.
    """
    order: Iterable[str] = click.get_current_context().meta.get("k8snetlint.order", ())
    format_names, output_names = iter(formats), iter(outputs)
    result: list[tuple[str, str | None]] = []
    waiting: str | None = None
    for name in order:
        if name == "formats":
            result.append((next(format_names), waiting))
            waiting = None
        elif name == "outputs":
            output = next(output_names)
            if result and result[-1][1] is None:
                result[-1] = (result[-1][0], output)
            elif not result and waiting is None:
                waiting = output
            else:
                raise Failure(f"--output {output} has no --format of its own")
    if not result:
        result = [(default, waiting)]
    places = [place if place not in (None, "-") else None for _, place in result]
    if len(set(places)) < len(places):
        raise Failure("two formats cannot be written to the same place: give each --format its --output")
    return [(name, place) for (name, _), place in zip(result, places, strict=True)]


def write(text: str, place: str | None, *, is_utf8: bool = True) -> None:
    """Writes an output to a file, or to standard output. Raises Failure if the file cannot be written."""
    write_parts((text,), place, is_utf8=is_utf8)


def write_parts(parts: Iterable[str], place: str | None, *, is_utf8: bool = True) -> None:
    """Writes an output piece by piece, as `write` does."""
    if place is None:
        shown = progress.current()
        if shown is not None:
            shown.stop()
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace", newline="\n", **({"encoding": "utf-8"} if is_utf8 else {}))
        sys.stdout.writelines(parts)
        return
    try:
        with open(place, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(parts)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise Failure(f"`{place}` cannot be written: {reason}") from error


def wants_colour(color: str, place: str | None) -> bool:
    """Whether an output is painted: as told, else on a terminal where NO_COLOR is not set."""
    if color != "auto":
        return color == "always"
    if place is not None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()
