"""Runs the lint cases of other projects: what is expected and missing, and what fires though it must not.

`python -m tests.oracle.lint [rule id or prefix ...]` prints the differences.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import run
from k8snetlint.rulebook import Rulebook, load
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Document
from k8snetlint.units.unit import Unit
from tests.shared import SHARED

FOLDER = SHARED / "oracle" / "lint"
# One rule may stand for another on the same object: a near miss says more than "nothing matches".
STANDS_FOR = {
    "service-selector-no-match": "service-selector-near-miss",
    "networkpolicy-selector-no-match": "networkpolicy-selector-near-miss",
    "ingress-backend-service-not-found": "ingress-backend-in-other-namespace",
    "ingress-backend-port-not-found": "ingress-backend-uses-target-port",
}


class Difference(NamedTuple):
    """One object on which a case and the tool differ: `missing` or `unexpected`."""

    case: str
    what: str
    rule: str
    kind: str
    name: str


def cases() -> list[Path]:
    """The folders of all cases."""
    return sorted(path.parent for path in FOLDER.glob("*/*/expected.json"))


def documents_of(case: Path) -> Iterator[Document]:
    """Every document of a case, lists expanded."""
    for path in sorted((case / "manifests").rglob("*")):
        if path.is_file():
            source = SourceFile(path.relative_to(case).as_posix(), path.read_text(encoding="utf-8"))
            for document in parse(source).documents:
                kind = document.root.get("kind")
                items = document.root.get("items")
                if kind is not None and str(kind.value).endswith("List") and items is not None:
                    yield from (Document(document.index, item) for item in items.items)
                else:
                    yield document


def diagnostics_of(case: Path, rulebook: Rulebook) -> list[Diagnostic]:
    """What all rules say of a case."""
    unit = Unit("all", "plain", tuple(documents_of(case)))
    return list(run([unit], rulebook, Settings(select=("ALL",), pedantic=True, one_unit=True)).diagnostics)


def differences(case: Path, rulebook: Rulebook, families: frozenset[str], skipped: frozenset[str]) -> list[Difference]:
    """Where the tool differs from a case, over the rules of some families."""
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    names = {info.name: info for info in rulebook.rules.values()}
    found = diagnostics_of(case, rulebook)
    result: list[Difference] = []

    def subjects(slug: str) -> set[tuple[str, str, str | None]]:
        ids = {names[name].id for name in (slug, STANDS_FOR.get(slug, "")) if name in names}
        return {(d.resource.kind, d.resource.name, d.resource.namespace) for d in found if d.rule in ids and d.resource}

    by_slug: dict[str, list[dict[str, str | None]]] = {}
    for finding in expected["findings"]:
        by_slug.setdefault(finding["slug"], []).append(finding)
    for slug, findings in by_slug.items():
        rule = names[slug].id if slug in names else slug
        if slug in skipped or (slug in names and rule.rstrip("0123456789") not in families):
            continue
        present = subjects(slug)
        wanted: set[tuple[str, str, str | None]] = set()
        for finding in findings:
            namespaces = (finding["namespace"],) if finding["namespace"] is not None else ("default", None)
            options = {(str(finding["kind"]), str(finding["name"] or ""), namespace) for namespace in namespaces}
            wanted |= options
            if not options & present:
                result.append(Difference(case.name, "missing", rule, str(finding["kind"]), str(finding["name"] or "")))
        for kind, name, _ in sorted(present - wanted, key=str):
            result.append(Difference(case.name, "unexpected", rule, kind, name))
    for slug in expected["clean"]:
        info = names.get(slug)
        if info is None or info.id.rstrip("0123456789") not in families:
            continue
        for diagnostic in found:
            if diagnostic.rule == info.id and diagnostic.severity > Severity.NOTE and diagnostic.resource:
                subject = diagnostic.resource
                result.append(Difference(case.name, "unexpected", info.id, subject.kind, subject.name))
    return result


def catalogue_scope() -> dict[str, tuple[str, str]]:
    """The id and scope of every rule of the catalogue, by name."""
    import csv

    with (SHARED / "rules" / "catalogue.csv").open(encoding="utf-8") as file:
        return {row["slug"]: (row["id"], row["scope"]) for row in csv.DictReader(file)}


if __name__ == "__main__":
    book = load()
    scope = catalogue_scope()
    wanted_ids = tuple(sys.argv[1:]) or ("",)
    every = frozenset(info.id.rstrip("0123456789") for info in book.rules.values())
    for folder in cases():
        for difference in differences(folder, book, every, frozenset()):
            rule_id = scope.get(difference.rule, (difference.rule, ""))[0]
            if rule_id.startswith(wanted_ids):
                print(*difference[:2], rule_id, *difference[3:])
