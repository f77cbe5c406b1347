"""One ignore that stands in a manifest."""

from __future__ import annotations

from collections.abc import Callable

from k8snetlint.diagnostic import Applicability, Diagnostic, Suppression
from k8snetlint.rulebook import Rulebook
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Place


class Directive:
    """An ignore: which rules, what it covers, and what of it was used.

    `problem` is what is wrong with the directive itself, with what to do; such a one covers nothing. `removal` is the
    edit that takes the comment away. Mutable while a run's suppressions are decided, and only then.
    """

    applicability = Applicability.SAFE

    def __init__(
        self,
        place: Place,
        selectors: tuple[str, ...],
        reason: str | None,
        is_covered: Callable[[Diagnostic], bool],
        problem: tuple[str, str] | None = None,
        removal: Edit | None = None,
    ) -> None:
        self.place = place
        self.selectors = selectors
        self.reason = reason
        self.is_covered = is_covered
        self.problem = problem
        self.removal = removal
        self.used: set[str] = set()
        self._rules: dict[str, frozenset[str]] = {}

    def resolve(self, rulebook: Rulebook) -> None:
        """Looks the selectors up, before the first question."""
        self._rules = {selector: rulebook.resolve(selector) or frozenset({selector}) for selector in self.selectors}

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether the directive is about a diagnostic; it counts as used then."""
        if self.problem is not None:
            return False
        fitting = [selector for selector, rules in self._rules.items() if diagnostic.rule in rules]
        if not fitting or not self.is_covered(diagnostic):
            return False
        self.used.update(fitting)
        return True

    def suppression(self, kind: str) -> Suppression:
        """What marks a diagnostic that the directive covers."""
        return Suppression(kind, self.reason, self.place)
