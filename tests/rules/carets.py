"""Prints a rule's document with the caret comments that its Bad blocks earn; `--write` puts them into the file.

`python -m tests.rules.carets [--write] rules/family/ID-name.md ...`. Read what it prints before it is written: the
comments say what the rule does, and only a reader knows whether that is right. Good blocks that report something are
printed too. Fixed blocks are shown as the fixes make them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.rulebook import Example, Rulebook, RuleInfo, load
from k8snetlint.source.edit import apply_edits

from .examples import as_expected, diagnostics_of, split


def caret_line(line: str, diagnostic: Diagnostic, info: RuleInfo) -> str:
    """The comment below a line that expects a diagnostic."""
    expected = as_expected(diagnostic)
    levels = [
        level
        for level, own in (
            (expected.severity, info.severity.label),
            (expected.confidence, info.confidence.label),
        )
        if level != own
    ]
    words = f"[{','.join(levels)}]" if levels else ""
    before = expected.column - 1
    indent = min(len(line) - len(line.lstrip()), max(before - 2, 0))
    lead = " " * indent + "#" + " " * (before - indent - 1) if before >= 2 else " " * before
    return f"{lead}{'^' * (expected.end_column - expected.column)} {expected.rule}{words}: {expected.message}\n"


def annotated(example: Example, info: RuleInfo, rulebook: Rulebook) -> tuple[str, str]:
    """An example's text with the comments that it earns, and what its fixes make of it."""
    text, _ = split(example, info)
    found = diagnostics_of(text, example, info, rulebook)
    lines = text.splitlines(keepends=True)
    comments: dict[int, list[str]] = {}
    for diagnostic in sorted(found, key=lambda d: as_expected(d)):
        line = as_expected(diagnostic).line
        comments.setdefault(line, []).append(caret_line(lines[line - 1], diagnostic, info))
    result = "".join(line + "".join(comments.get(number, ())) for number, line in enumerate(lines, 1))
    edits = {edit for diagnostic in found if diagnostic.fix for edit in diagnostic.fix.edits}
    return result, apply_edits(text, edits)


def main(arguments: list[str]) -> None:
    """Runs the documents named on the command line."""
    writes = "--write" in arguments
    rulebook = load()
    by_path = {info.path.resolve(): info for info in rulebook.rules.values()}
    for name in arguments:
        if name.startswith("--"):
            continue
        info = by_path[Path(name).resolve()]
        lines = info.path.read_text(encoding="utf-8").splitlines(keepends=True)
        fixed: list[str] = []
        changed: list[tuple[int, int, str]] = []
        for example in info.examples:
            length = example.text.count("\n")
            if example.section == "Fixed":
                changed.append((example.line - 1, length, fixed.pop(0) if fixed else ""))
                continue
            marked, after = annotated(example, info, rulebook)
            if example.section == "Good":
                if marked != example.text:
                    print(f"{name}: a Good block reports\n{marked}")
                continue
            fixed.append(after)
            changed.append((example.line - 1, length, marked))
        for start, length, text in reversed(changed):
            lines[start : start + length] = [text]
        if writes:
            info.path.write_text("".join(lines), encoding="utf-8")
        else:
            print("".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
