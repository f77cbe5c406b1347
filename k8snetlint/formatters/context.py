"""What formats need beside the report, and what several of them compute from it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import attrs

from k8snetlint.diagnostic import Applicability, Diagnostic, Report, Severity
from k8snetlint.rulebook import Rulebook, RuleInfo


@attrs.frozen
class RenderContext:
    """How a report is to be shown.

    `directory` is the working directory and `repository` the root that code hosts count paths from, both absolute.
    `width` is that of the terminal in columns; `exit_code` what the run will end with.
    """

    rulebook: Rulebook
    version: str
    directory: str = "."
    repository: str = "."
    colour: bool = False
    width: int = 120
    quiet: bool = False
    verbose: bool = False
    statistics: bool = False
    exit_code: int = 0
    seconds: float | None = None

    def rule_name(self, rule: str) -> str:
        """The name of a rule; its id if the rulebook does not know it."""
        info = self.rulebook.rules.get(rule)
        return info.name if info is not None else rule

    def rules(self, ids: Iterable[str]) -> tuple[RuleInfo, ...]:
        """What the rulebook says of rules, by id in order, each once."""
        known = self.rulebook.rules
        return tuple(known[id_] for id_ in sorted(set(ids)) if id_ in known)

    def repository_path(self, path: str) -> str:
        """A path relative to the working directory, as code hosts write it: relative to the repository's root."""
        if path == "-" or os.path.realpath(self.directory) == os.path.realpath(self.repository):
            return path
        absolute = os.path.join(self.directory, path)
        return os.path.relpath(absolute, self.repository).replace(os.sep, "/")


def active(report: Report) -> tuple[Diagnostic, ...]:
    """The diagnostics that count."""
    return tuple(diagnostic for diagnostic in report.diagnostics if diagnostic.suppressed is None)


def count_of(diagnostics: Sequence[Diagnostic], severity: Severity) -> int:
    """How many diagnostics have a severity."""
    return sum(diagnostic.severity is severity for diagnostic in diagnostics)


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def fixable(diagnostics: Iterable[Diagnostic]) -> tuple[int, int]:
    """How many diagnostics `--fix` mends, and how many more `--unsafe-fixes` does."""
    fixes = [diagnostic.fix for diagnostic in diagnostics if diagnostic.fix is not None]
    safe = sum(fix.applicability is Applicability.SAFE for fix in fixes)
    return safe, len(fixes) - safe


def summary_line(report: Report) -> str:
    """One sentence on what was found, of how many files."""
    counted = active(report)
    files = plural(len(report.files), "file")
    counts = [
        plural(count, severity.label)
        for severity in sorted(Severity, reverse=True)
        if (count := count_of(counted, severity))
    ]
    nothing = f"no problems found in {files}" if report.documents else f"no manifests found in {files}"
    line = f"found {', '.join(counts)} in {files}" if counts else nothing
    suppressed = len(report.diagnostics) - len(counted)
    if suppressed:
        line += f" ({suppressed:,} suppressed)"
    safe, unsafe = fixable(counted)
    if safe:
        line += f"; {safe:,} fixable with --fix"
    if unsafe:
        line += f"; {unsafe:,} {'more ' if safe else ''}with --fix --unsafe-fixes"
    return line


def byte_count(report: Report) -> int:
    """The size of the files' texts in bytes of UTF-8."""
    return sum(
        len(source.text) if source.text.isascii() else len(source.text.encode("utf-8", "surrogatepass"))
        for source in report.files
    )
