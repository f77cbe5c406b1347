"""Intents from files and from the configuration, and what `check` says of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from k8snetlint.analysis.blocking import policies_of
from k8snetlint.analysis.intents import Intent, is_intents, read_intents
from k8snetlint.analysis.proof import IntentProver
from k8snetlint.diagnostic import Diagnostic
from k8snetlint.formatters.verification import Proved, diagnostics
from k8snetlint.model.build import build_cluster
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile

from .pipeline import Failure, Loaded


def intents_in(path: str) -> list[Intent] | None:
    """The intents of a file; None if it is no intents file. Raises Failure for one that has mistakes."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return None
    shown = os.path.relpath(path).replace(os.sep, "/")
    parsed = parse(SourceFile(shown, text))
    documents = [document for document in parsed.documents if is_intents(document.root)]
    if not documents:
        return None
    found: list[Intent] = []
    wrong: list[str] = []
    for syntax in parsed.problems:
        position = syntax.place.source.position(syntax.place.span.start)
        wrong.append(f"{shown}:{position.line}:{position.column}: {syntax.message}")
    for document in documents:
        intents, problems = read_intents(document.root)
        found += intents
        for problem in problems:
            position = problem.place.source.position(problem.place.span.start)
            wrong.append(f"{shown}:{position.line}:{position.column}: {problem.message}")
    if wrong:
        raise Failure("\n".join(wrong))
    return found


def configured_intents(settings: Settings) -> list[Intent]:
    """The intents that the configuration names. Raises Failure where one is no intents file."""
    found: list[Intent] = []
    for name in settings.intents:
        path = os.path.normpath(os.path.join(settings.root, name))
        named = intents_in(path)
        if named is None:
            raise Failure(f"the intents `{path}` of the configuration are no intents file")
        found += named
    return found


def intent_diagnostics(loaded: Loaded) -> Iterator[Diagnostic]:
    """What of the configured intents is refuted in a unit, and what is unknown in each of them."""
    intents = configured_intents(loaded.settings)
    verdicts: list[list[tuple[str, Proved]]] = [[] for _ in intents]
    for unit in loaded.found.units:
        settings = unit.settings_within(loaded.settings)
        cluster = build_cluster(unit.documents, settings, unit.context)
        prover = IntentProver(cluster, policies_of(cluster, settings))
        for number, intent in enumerate(intents):
            proved = Proved(intent.name, prover.verdict(intent), intent.place)
            verdicts[number].append((unit.name, proved))
    for found in verdicts:
        decided = [(unit, proved) for unit, proved in found if proved.word != "unknown"]
        for name, proved in decided or found[:1]:
            yield from diagnostics([proved], name)
