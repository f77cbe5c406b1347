"""SARIF 2.1.0, for code scanning: the typed objects of sarif-om, and a serialiser of our own.

The serialiser leaves out what has its default value, except `level`: readers differ on what its absence means.
"""

from __future__ import annotations

from typing import Any, TypeAlias
from urllib.parse import quote

import attr
import sarif_om as sarif

from k8snetlint.diagnostic import Diagnostic, Fix, Incompleteness, Location, Report, Severity, Suppression
from k8snetlint.rulebook import RuleInfo
from k8snetlint.source.text import Place, SourceFile

from .context import RenderContext
from .json import JSON, dumped

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
INFORMATION = "https://github.com/k8snetlint/k8snetlint"
_ROOT = "SRCROOT"
_INTERNAL_ERROR = "TOOL001"

# sarif-om has no type hints.
_Object: TypeAlias = Any


def render(report: Report, context: RenderContext) -> str:
    """The report as one SARIF log of one run. Paths are relative to the repository's root."""
    return dumped(_plain(_Writer(context).log(report)))


def _plain(value: _Object) -> JSON:
    """A sarif-om object as JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    members: dict[str, JSON] = {}
    for field in attr.fields(type(value)):
        name = field.metadata["schema_property_name"]
        item = getattr(value, field.name)
        factory = getattr(field.default, "factory", None)
        default = field.default if factory is None else factory()
        if item is None or (item == default and name != "level"):
            continue
        members[name] = _plain(item)
    return members


# sarif-om follows a draft of SARIF 2.1.0, in which `status` was `state`.
_Suppression: _Object = attr.make_class(
    "_Suppression",
    {"status": attr.ib(default=None, metadata={"schema_property_name": "status"})},
    bases=(sarif.Suppression,),
)


class _Writer:
    def __init__(self, context: RenderContext) -> None:
        self.context = context

    def log(self, report: Report) -> _Object:
        context = self.context
        infos = context.rules(diagnostic.rule for diagnostic in report.diagnostics)
        indices = {info.id: index for index, info in enumerate(infos)}
        driver = sarif.ToolComponent(
            name="k8snetlint",
            version=context.version,
            semantic_version=context.version,
            information_uri=INFORMATION,
            rules=[self._rule(info) for info in infos],
        )
        failed = [diagnostic for diagnostic in report.diagnostics if diagnostic.rule == _INTERNAL_ERROR]
        invocation = sarif.Invocation(
            execution_successful=not failed and context.exit_code in (0, 1),
            exit_code=context.exit_code,
            tool_execution_notifications=[self._notification(reason) for reason in report.incomplete_because],
        )
        run = sarif.Run(
            tool=sarif.Tool(driver=driver),
            automation_details=sarif.RunAutomationDetails(id="k8snetlint/"),
            column_kind="unicodeCodePoints",
            newline_sequences=["\r\n", "\n", "\r"],
            invocations=[invocation],
            original_uri_base_ids={
                _ROOT: sarif.ArtifactLocation(description=sarif.Message(text="The root of the repository."))
            },
            results=[self._result(diagnostic, indices) for diagnostic in report.diagnostics],
        )
        return sarif.SarifLog(version="2.1.0", schema_uri=SCHEMA, runs=[run])

    def _rule(self, info: RuleInfo) -> _Object:
        return sarif.ReportingDescriptor(
            id=info.id,
            name="".join(word.capitalize() for word in info.name.split("-")),
            short_description=sarif.MultiformatMessageString(text=info.summary),
            full_description=sarif.MultiformatMessageString(text=info.summary),
            help=sarif.MultiformatMessageString(text=info.summary, markdown=info.text.strip() + "\n"),
            default_configuration=sarif.ReportingConfiguration(level=_level(info.severity)),
            properties={
                "precision": info.confidence.label,
                "problem.severity": _problem_severity(info.severity),
                "tags": ["kubernetes", "network", info.id.rstrip("0123456789").lower()],
            },
        )

    def _result(self, diagnostic: Diagnostic, indices: dict[str, int]) -> _Object:
        return sarif.Result(
            message=sarif.Message(text=_sentence(diagnostic.message)),
            rule_id=diagnostic.rule,
            rule_index=indices.get(diagnostic.rule, -1),
            level=_level(diagnostic.severity),
            locations=[self._location(diagnostic.primary, diagnostic)],
            related_locations=[self._location(each, None, index + 1) for index, each in enumerate(diagnostic.related)]
            or None,
            partial_fingerprints={"k8snetlint/v1": diagnostic.fingerprint},
            fixes=None if diagnostic.fix is None else [self._fix(diagnostic.fix)],
            suppressions=None if diagnostic.suppressed is None else [self._suppression(diagnostic.suppressed)],
            properties={
                "confidence": diagnostic.confidence.label,
                "units": list(diagnostic.units),
                **({"notes": list(diagnostic.notes)} if diagnostic.notes else {}),
                **({"help": diagnostic.help} if diagnostic.help is not None else {}),
            },
        )

    def _location(self, location: Location, diagnostic: Diagnostic | None, id_: int = -1) -> _Object:
        resource = diagnostic.resource if diagnostic is not None else None
        logical = None
        if resource is not None:
            name = f"{resource.kind}/{resource.namespace}/{resource.name}".replace("/None/", "/")
            logical = [sarif.LogicalLocation(name=resource.name, fully_qualified_name=name, kind="resource")]
        return sarif.Location(
            id=id_,
            physical_location=self._physical(location.place),
            logical_locations=logical,
            message=None if location.label is None else sarif.Message(text=location.label),
        )

    def _physical(self, place: Place) -> _Object:
        return sarif.PhysicalLocation(artifact_location=self._artifact(place.source), region=_region(place))

    def _artifact(self, source: SourceFile) -> _Object:
        return sarif.ArtifactLocation(uri=quote(self.context.repository_path(source.path)), uri_base_id=_ROOT)

    def _fix(self, fix: Fix) -> _Object:
        by_path: dict[str, list[_Object]] = {}
        sources: dict[str, SourceFile] = {}
        for edit in fix.edits:
            replacement = sarif.Replacement(
                deleted_region=_region(Place(edit.source, edit.span)),
                inserted_content=sarif.ArtifactContent(text=edit.text) if edit.text else None,
            )
            by_path.setdefault(edit.source.path, []).append(replacement)
            sources[edit.source.path] = edit.source
        return sarif.Fix(
            description=sarif.Message(text=f"{fix.title} ({fix.applicability.value})."),
            artifact_changes=[
                sarif.ArtifactChange(artifact_location=self._artifact(sources[path]), replacements=replacements)
                for path, replacements in by_path.items()
            ],
        )

    def _suppression(self, suppression: Suppression) -> _Object:
        in_source = suppression.kind in ("inline", "annotation")
        place = suppression.place
        return _Suppression(
            kind="inSource" if in_source else "external",
            status="accepted",
            justification=suppression.reason,
            location=None if place is None else sarif.Location(physical_location=self._physical(place)),
        )

    def _notification(self, reason: Incompleteness) -> _Object:
        place = reason.place
        return sarif.Notification(
            message=sarif.Message(text=_sentence(f"Not analysed: {reason.message}")),
            level="warning",
            locations=None if place is None else [sarif.Location(physical_location=self._physical(place))],
        )


def _region(place: Place) -> _Object:
    start, end = place.source.position(place.span.start), place.source.position(place.span.end)
    return sarif.Region(start_line=start.line, start_column=start.column, end_line=end.line, end_column=end.column)


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".", "!")) else f"{text}."


def _level(severity: Severity) -> str:
    return severity.label


def _problem_severity(severity: Severity) -> str:
    return "recommendation" if severity is Severity.NOTE else severity.label
