"""Fixes applied: text edits in files, every other byte left alone."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from .diagnostic import Applicability, Diagnostic
from .source.decode import DecodeError, decode
from .source.edit import Edit, apply_edits
from .source.parse import ProblemKind, parse
from .source.text import SourceFile

MAX_ROUNDS = 10


@attrs.frozen
class Fixed:
    """The outcome of fixing: new texts by path as shown, how many diagnostics were fixed, in how many rounds.

    `is_stable`: another round would change nothing.
    """

    texts: Mapping[str, str]
    fixed: int
    rounds: int
    is_stable: bool


def fix(
    diagnose: Callable[[Mapping[str, str]], Sequence[Diagnostic]], sources: Iterable[SourceFile], *, unsafe: bool
) -> Fixed:
    """Applies the fixes of diagnostics until there are none left, at most MAX_ROUNDS times.

    `diagnose` gives the diagnostics for the files with some texts replaced. Of fixes that overlap the first is applied,
    the others in a later round if they are still due. An edit that would break a file's syntax is not applied.
    """
    original = {source.path: source.text for source in sources}
    texts: dict[str, str] = {}
    fixed = rounds = 0
    seen: set[tuple[tuple[str, str], ...]] = set()
    while True:
        diagnostics = diagnose(texts)
        chosen = chosen_fixes(diagnostics, frozenset(original), unsafe=unsafe)
        after = _applied(chosen, {path: texts.get(path, text) for path, text in original.items()})
        state = tuple(sorted((texts | after).items()))
        if not after or rounds == MAX_ROUNDS or state in seen:
            return Fixed(
                {path: text for path, text in texts.items() if text != original[path]}, fixed, rounds, not after
            )
        seen.add(state)
        fixed += sum(any(edit.source.path in after for edit in each) for each in chosen)
        texts |= after
        rounds += 1


def chosen_fixes(
    diagnostics: Iterable[Diagnostic], paths: frozenset[str], *, unsafe: bool
) -> tuple[tuple[Edit, ...], ...]:
    """The fixes to apply in one round, each the edits of it: in files that are ours, none overlapping another.

    A fix that several diagnostics share counts once; what is suppressed is not fixed.
    """
    taken: dict[str, list[Edit]] = {}
    chosen: list[tuple[Edit, ...]] = []
    for diagnostic in diagnostics:
        fix_ = diagnostic.fix
        if fix_ is None or diagnostic.suppressed is not None:
            continue
        if fix_.applicability is Applicability.UNSAFE and not unsafe:
            continue
        if any(edit.source.path not in paths for edit in fix_.edits):
            continue
        if any(_overlaps(edit, other) for edit in fix_.edits for other in taken.get(edit.source.path, ())):
            continue
        for edit in fix_.edits:
            taken.setdefault(edit.source.path, []).append(edit)
        chosen.append(fix_.edits)
    return tuple(chosen)


def _overlaps(one: Edit, other: Edit) -> bool:
    if one.span.start == other.span.start:
        return True
    first, second = sorted((one.span, other.span))
    return second.start < first.end


def _applied(chosen: Sequence[tuple[Edit, ...]], texts: Mapping[str, str]) -> dict[str, str]:
    by_path: dict[str, list[Edit]] = {}
    for edits in chosen:
        for edit in edits:
            by_path.setdefault(edit.source.path, []).append(edit)
    result: dict[str, str] = {}
    for path, of_file in by_path.items():
        after = apply_edits(texts[path], of_file)
        if after != texts[path] and _syntax_errors(after) <= _syntax_errors(texts[path]):
            result[path] = after
    return result


def _syntax_errors(text: str) -> int:
    return sum(problem.kind is ProblemKind.SYNTAX for problem in parse(SourceFile("", text)).problems)


def write_file(path: str, before: str, after: str) -> str | None:
    """Writes a file's new text in its old encoding; why it was not written, or None.

    A file that no longer holds `before` is left alone. The file is replaced at once, never half written.
    """
    try:
        with open(path, "rb") as file:
            decoded = decode(file.read())
        if decoded.text != before:
            return "it changed meanwhile"
        target = os.path.realpath(path)
        temporary = f"{target}.{os.getpid()}.tmp"
        mode = os.stat(target).st_mode
        try:
            with open(temporary, "xb") as file:
                file.write(decoded.encode(after))
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        finally:
            if os.path.exists(temporary):
                os.remove(temporary)
    except DecodeError:
        return "it changed meanwhile"
    except OSError as error:
        return (error.strerror or "unknown error").lower()
    return None


def unified_diff(path: str, before: str, after: str) -> str:
    """The difference of two texts as `patch` and git read it."""
    rows: list[str] = []
    lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
    for row in difflib.unified_diff(*lines, f"a/{path}", f"b/{path}"):
        rows.append(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n")
    return "".join(rows)
