"""What is applied together, and what was found on the way to it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from k8snetlint.diagnostic import Confidence, Incompleteness, Severity
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Document

EVERY_NAMESPACE = "*"
UnitType: TypeAlias = Literal["plain", "kustomization", "chart", "alternative", "configured"]


@attrs.frozen
class Unit:
    """A set of documents that are applied together: what "the cluster" means to a rule.

    `name` is unique among the units of a run. `context` are documents that are loaded and not reported on.
    `paths` are the files that the unit consists of, as the user is shown them. `namespace` is where objects go that
    name none, None where the unit does not say. `opaque_namespaces` are those in which objects are made that cannot be
    seen in the unit (by a HelmRelease, say); `*` stands for all. `is_incomplete_there_only`: nothing else makes it incomplete.
    """

    name: str
    type: UnitType
    documents: tuple[Document, ...] = ()
    context: tuple[Document, ...] = ()
    complete: bool = True
    incomplete_because: tuple[Incompleteness, ...] = ()
    paths: tuple[str, ...] = ()
    namespace: str | None = None
    opaque_namespaces: frozenset[str] = frozenset()
    is_incomplete_there_only: bool = False

    def is_complete_in(self, *namespaces: str | None) -> bool:
        """Whether all objects of some namespaces are in sight, as far as is known, and whole."""
        if EVERY_NAMESPACE in self.opaque_namespaces or not self.opaque_namespaces.isdisjoint(namespaces):
            return False
        return self.complete or self.is_incomplete_there_only

    @property
    def shows_all(self) -> bool:
        """Whether all objects of all namespaces are in sight, as far as is known, and whole."""
        return self.complete and not self.opaque_namespaces

    def settings_within(self, settings: Settings) -> Settings:
        """The settings as they hold in the unit: objects that name no namespace go to the unit's own."""
        return settings if self.namespace is None else attrs.evolve(settings, namespace=self.namespace)


@attrs.frozen
class UnitProblem:
    """Something to report that was met while finding and rendering units: the makings of a diagnostic.

    `units` are the names of those that it concerns, empty where it concerns a file whatever unit that is in.
    """

    rule: str
    severity: Severity
    message: str
    place: Place
    related: Place | None = None
    related_label: str | None = None
    help: str | None = None
    confidence: Confidence = Confidence.HIGH
    notes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


@attrs.frozen
class Skipped:
    """A file that is not analysed as manifests, and what it is instead."""

    source: SourceFile
    what: str


@attrs.frozen
class Found:
    """The units of a run in the order of their names, and an account of every other file.

    `names` are those of all units, also where `units` holds only the one that was asked for. `programs` are those that
    rendered, each with its version. `context` are the paths whose files are loaded and not reported on.
    """

    units: tuple[Unit, ...]
    problems: tuple[UnitProblem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    names: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
