"""Diagnostics: what is wrong, where, how sure we are, and what to do."""

from __future__ import annotations

import enum
from typing import NamedTuple

import attrs

from .source.edit import Edit
from .source.text import Place, SourceFile


class Severity(enum.IntEnum):
    """How bad a diagnostic is if it is true; the higher the worse."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The word that outputs use."""
        return self.name.lower()


class Confidence(enum.IntEnum):
    """How sure the tool can be from what it sees."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The word that outputs use."""
        return self.name.lower()


class Applicability(enum.Enum):
    """Whether a fix may change what a correct manifest meant."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@attrs.frozen
class Fix:
    """Edits that together mend what a diagnostic reports."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability


@attrs.frozen
class Location:
    """A place with a label of two to five words, or none.

    `via` are the other places that made what stands there: the template line that printed a value, the patch that
    changed it.
    """

    place: Place
    label: str | None = None
    via: tuple[Place, ...] = ()


class ResourceId(NamedTuple):
    """The identity of an object as outputs name it; `namespace` is the effective one, None if cluster-scoped."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {name}"


@attrs.frozen
class Suppression:
    """Why a diagnostic does not count: `kind` is inline, annotation, config or baseline."""

    kind: str
    reason: str | None = None
    place: Place | None = None


@attrs.frozen
class Diagnostic:
    """One reported problem.

    `message` is complete without the snippet. `path` names the place in the resource and enters the fingerprint.
    `fingerprint` is empty until the report is assembled.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    message: str
    primary: Location
    resource: ResourceId | None = None
    path: tuple[str | int, ...] = ()
    units: tuple[str, ...] = ()
    related: tuple[Location, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: Fix | None = None
    fingerprint: str = ""
    suppressed: Suppression | None = None


@attrs.frozen
class Incompleteness:
    """One reason why something was not analysed; `unit` is None where it concerns no unit."""

    message: str
    unit: str | None = None
    place: Place | None = None


@attrs.frozen
class Report:
    """The outcome of a run. `rendered_by` are the programs that rendered, each with its version."""

    diagnostics: tuple[Diagnostic, ...]
    files: tuple[SourceFile, ...]
    complete: bool
    incomplete_because: tuple[Incompleteness, ...] = ()
    documents: int = 0
    resources: int = 0
    rendered_by: tuple[str, ...] = ()
