"""The files of a run, each parsed once, and what is wrong with their text."""

from __future__ import annotations

import re

from k8snetlint.diagnostic import Severity
from k8snetlint.source.discover import InputProblem, Inputs
from k8snetlint.source.parse import Parsed, Problem, ProblemKind, parse
from k8snetlint.source.template import template_action
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import Node

from .classify import BULKY, text_at
from .unit import UnitProblem

_API_VERSION = re.compile(r"([a-z0-9.-]+\.[a-z0-9.-]+/|apps/|batch/|policy/|autoscaling/)?v[0-9]+((alpha|beta)[0-9]+)?")
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


class Files:
    """What the inputs hold, by the path that the user is shown. Remembers what it has read and parsed."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.by_path = {source.path: source for source in inputs.files}
        self.problems: list[UnitProblem] = []
        self._parsed: dict[SourceFile, Parsed] = {}
        # Why a file yields less than it should, where it does.
        self.faults: dict[SourceFile, str] = {}

    def read(self, path: str) -> SourceFile | InputProblem:
        """The file at a path relative to the working directory, if it lies within the paths given."""
        known = self.by_path.get(path)
        return known if known is not None else self.inputs.read(path)

    def parsed(self, source: SourceFile) -> Parsed:
        """The documents of a file; those of CustomResourceDefinitions without their schemas."""
        known = self._parsed.get(source)
        if known is None:
            known = self._parsed[source] = parse(source, BULKY)
            for problem in known.problems:
                self._report(source, problem)
            for document in known.documents:
                self._kindless(source, document.root)
        return known

    def _kindless(self, source: SourceFile, root: Node) -> None:
        """Reports what is an object by all but its kind."""
        if not root.is_mapping or "kind" in root.entries or not _API_VERSION.fullmatch(text_at(root, "apiVersion")):
            return
        items = root.get("items")
        if text_at(root, "metadata", "name") or (items is not None and items.is_sequence):
            self.faults.setdefault(source, f"an object of `{source.path}` has no kind")
            message = "this object has an `apiVersion`, but no `kind`: it is rejected, and not analysed"
            place = root.key_at("apiVersion").place
            self.problems.append(UnitProblem("K8S014", Severity.ERROR, message, place, help="add `kind`"))

    def _report(self, source: SourceFile, problem: Problem) -> None:
        place, related = problem.place, problem.related
        if problem.kind is ProblemKind.DUPLICATE_KEY:
            label, help_ = "first one stands here", "merge the two values, or remove the one that is not meant"
            self.problems.append(
                UnitProblem("K8S002", Severity.ERROR, problem.message, place, related, label, help=help_)
            )
            return
        action = self._action_around(source, place)
        if action is not None:
            self.faults.setdefault(source, f"`{source.path}` is a template that is not rendered")
            message = f"`{source.path}` holds template text: this document is not analysed"
            help_ = "render it, and check what comes out"
            self.problems.append(UnitProblem("TOOL002", Severity.NOTE, message, action, help=help_))
        elif problem.kind is ProblemKind.LIMIT:
            self.faults.setdefault(source, f"a limit was met in `{source.path}`")
            help_ = "split the file, or write aliases out"
            self.problems.append(UnitProblem("TOOL005", Severity.WARNING, problem.message, place, related, help=help_))
        else:
            self.faults.setdefault(source, f"`{source.path}` cannot be parsed")
            message = f"this document cannot be parsed and is not analysed: {problem.message}"
            help_ = "mend this place, or the one before it: a parser may notice a line later"
            self.problems.append(
                UnitProblem("K8S001", Severity.ERROR, message, place, related, "it began here", help=help_)
            )

    def _action_around(self, source: SourceFile, place: Place) -> Place | None:
        """The template action in the document that a syntax error broke."""
        text, at = source.text, place.span.start
        start = 0
        end = len(text)
        for separator in _SEPARATOR.finditer(text):
            # A parser may fail at the separator itself: what broke is the document before it.
            if separator.start() < at or separator.start() == 0:
                start = separator.start()
            else:
                end = separator.start()
                break
        span = template_action(text, start, end)
        return Place(source, Span(*span)) if span is not None else None


def head(source: SourceFile) -> Place:
    """The first line of a file with text: where to point when the file as a whole is meant."""
    text = source.text
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    return Place(source, Span(start, len(text.rstrip()) if end < 0 else end))
