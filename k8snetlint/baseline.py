"""The baseline: diagnostics that were there when the tool was introduced, told by their fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterable

import attrs

from .diagnostic import Diagnostic, Suppression

SCHEMA = "k8snetlint/baseline/v1"


class BaselineError(ValueError):
    """A text that is no baseline; the message says why."""


def read_baseline(text: str) -> frozenset[str]:
    """The fingerprints of a baseline's text. Raises BaselineError."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError("it is not JSON") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA or not isinstance(body.get("diagnostics"), list):
        raise BaselineError(f"its `schema` is not {SCHEMA}")
    entries = [entry.get("fingerprint") for entry in body["diagnostics"] if isinstance(entry, dict)]
    return frozenset(entry for entry in entries if isinstance(entry, str))


def baseline_of(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """The text of a baseline of all diagnostics that count."""
    entries = [
        {
            "fingerprint": diagnostic.fingerprint,
            "rule": diagnostic.rule,
            "path": diagnostic.primary.place.source.path,
            "message": diagnostic.message,
        }
        for diagnostic in diagnostics
        if diagnostic.suppressed is None or diagnostic.suppressed.kind == "baseline"
    ]
    entries.sort(key=lambda entry: (entry["path"], entry["rule"], entry["fingerprint"]))
    return json.dumps({"schema": SCHEMA, "version": version, "diagnostics": entries}, indent=2) + "\n"


def with_baseline(diagnostics: Iterable[Diagnostic], baseline: frozenset[str]) -> tuple[Diagnostic, ...]:
    """The diagnostics, those of the baseline marked."""
    return tuple(
        attrs.evolve(diagnostic, suppressed=Suppression("baseline"))
        if diagnostic.suppressed is None and diagnostic.fingerprint in baseline
        else diagnostic
        for diagnostic in diagnostics
    )
