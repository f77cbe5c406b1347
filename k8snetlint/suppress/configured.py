"""Ignores in the configuration: `ignores` and `per-path-ignores`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase

from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity, Suppression
from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import IgnoreSettings, Settings
from k8snetlint.source.ignore import IgnoreFile, read_patterns


class ConfiguredIgnores:
    """What the configuration suppresses, and what of it was used."""

    def __init__(self, settings: Settings, rulebook: Rulebook, today: date) -> None:
        self.root = settings.root
        self.rulebook = rulebook
        self.has_expired = {
            index
            for index, ignore in enumerate(settings.ignores)
            if ignore.expires is not None and date.fromisoformat(ignore.expires) < today
        }
        self.ignores = [(ignore, self._rules(ignore.rules), _patterns(ignore.path)) for ignore in settings.ignores]
        self.by_path = [
            (read_patterns([glob], ""), glob, self._rules(rules)) for glob, rules in settings.per_path_ignores.items()
        ]
        self.used: set[int] = set()

    def _rules(self, selectors: Iterable[str]) -> frozenset[str]:
        return frozenset(rule for selector in selectors for rule in self.rulebook.resolve(selector))

    def suppression_of(self, diagnostic: Diagnostic) -> Suppression | None:
        """Why the configuration suppresses a diagnostic; None if it does not."""
        if not self.ignores and not self.by_path:
            return None
        path = posixpath.relpath(diagnostic.primary.place.source.path, self.root)
        for index, (ignore, rules, patterns) in enumerate(self.ignores):
            if index in self.has_expired or diagnostic.rule not in rules:
                continue
            if (patterns is None or _lies_under(patterns, path)) and _fits(ignore, diagnostic):
                self.used.add(index)
                return Suppression("config", ignore.reason, ignore.place)
        for file, glob, rules in self.by_path:
            if diagnostic.rule in rules and _lies_under(file, path):
                return Suppression("config", f"per-path-ignores: {glob}")
        return None

    def expired(self, rule: str) -> Iterator[Diagnostic]:
        """A diagnostic of `rule` for each ignore whose day has passed."""
        for index in sorted(self.has_expired):
            ignore = self.ignores[index][0]
            message = f"this ignore of {_listed(ignore)} expired on {ignore.expires}: it no longer suppresses anything"
            yield from _reported(ignore, rule, Severity.WARNING, message, "mend what it hid, or set a later day")

    def unused(self, rule: str, selected: frozenset[str]) -> Iterator[Diagnostic]:
        """A diagnostic of `rule` for each ignore of selected rules that matched nothing."""
        for index, (ignore, rules, _) in enumerate(self.ignores):
            if index not in self.used and index not in self.has_expired and rules & selected:
                message = f"this ignore matches nothing: {_listed(ignore)} is not reported where it says"
                yield from _reported(ignore, rule, Severity.NOTE, message, "remove it")


def _reported(ignore: IgnoreSettings, rule: str, severity: Severity, message: str, help_: str) -> Iterator[Diagnostic]:
    if ignore.place is not None:
        yield Diagnostic(rule, severity, Confidence.HIGH, message, Location(ignore.place), help=help_)


def _listed(ignore: IgnoreSettings) -> str:
    return ", ".join(f"`{rule}`" for rule in ignore.rules)


def _patterns(path: str | None) -> IgnoreFile | None:
    return None if path is None else read_patterns([path], "")


def _lies_under(file: IgnoreFile, path: str) -> bool:
    """Whether a pattern names a file or a directory above it."""
    current, is_directory = path, False
    while current and current != ".":
        if file.verdict(current, posixpath.basename(current), is_directory):
            return True
        current, is_directory = posixpath.dirname(current), True
    return False


def _fits(ignore: IgnoreSettings, diagnostic: Diagnostic) -> bool:
    wanted = ((ignore.kind, 1), (ignore.namespace, 2), (ignore.name, 3))
    resource = diagnostic.resource
    return all(
        pattern is None or (resource is not None and _is_like(resource[index], pattern)) for pattern, index in wanted
    )


def _is_like(value: str | None, pattern: str) -> bool:
    return value is not None and (value == pattern or fnmatchcase(value, pattern))
