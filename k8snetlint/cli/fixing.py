"""`check --fix` and `check --diff`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

import click

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.fixer import Fixed, fix, unified_diff, write_file
from k8snetlint.formatters.context import plural
from k8snetlint.source.discover import STDIN

from .pipeline import Failure, Loaded, found_in
from .report import Checked


def fixes_of(loaded: Loaded, diagnose: Callable[[Loaded], Checked], *, unsafe: bool) -> Fixed:
    """The new texts of the files that fixes change; nothing is written."""
    own = {document.source.path for unit in loaded.found.units for document in unit.documents}
    # What is context to one unit and part of another is fixed there.
    context = {document.source.path for unit in loaded.found.units for document in unit.context} - own

    def diagnostics(texts: Mapping[str, str]) -> Sequence[Diagnostic]:
        return diagnose(with_texts(loaded, texts)).report.diagnostics

    sources = [source for source in loaded.inputs.files if source.path not in context]
    return fix(diagnostics, sources, unsafe=unsafe)


def with_texts(loaded: Loaded, texts: Mapping[str, str]) -> Loaded:
    """What is loaded, with the texts of some files replaced."""
    if not texts:
        return loaded
    return found_in(loaded.inputs.with_texts(texts), loaded.settings, loaded.rulebook)


def diff_of(loaded: Loaded, fixed: Fixed) -> str:
    """What the fixes change, as a unified diff."""
    before = {source.path: source.text for source in loaded.inputs.files}
    return "".join(unified_diff(path, before[path], text) for path, text in sorted(fixed.texts.items()))


def write_fixes(loaded: Loaded, fixed: Fixed, *, quiet: bool) -> Loaded:
    """Writes the fixed files; returns what is loaded as it is on disk then. Raises Failure for standard input.

    A file that cannot be written, or that changed meanwhile, is said on standard error and left alone.
    """
    before = {source.path: source.text for source in loaded.inputs.files}
    written: dict[str, str] = {}
    for path in sorted(fixed.texts):
        if path == STDIN or not os.path.isfile(os.path.join(loaded.inputs.directory, path)):
            raise Failure("standard input cannot be fixed; --diff shows what would change")
    for path, text in sorted(fixed.texts.items()):
        reason = write_file(os.path.join(loaded.inputs.directory, path), before[path], text)
        if reason is None:
            written[path] = text
        else:
            click.echo(f"`{path}` is not fixed: {reason}", err=True)
    if written and not quiet:
        click.echo(f"fixed {plural(fixed.fixed, 'problem')} in {plural(len(written), 'file')}", err=True)
    return with_texts(loaded, written)
