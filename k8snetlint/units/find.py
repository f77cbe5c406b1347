"""The units of a run: kustomizations, charts, plain folders, alternatives, and those that the configuration names."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from k8snetlint.diagnostic import Incompleteness, Severity
from k8snetlint.settings import Settings, UnitSettings
from k8snetlint.source.discover import Inputs
from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Document, Node

from . import alternatives
from .applied import Applied, Made, made_by, named, outermost, within
from .charts import Charts, configured_installation
from .classify import CHART_NAME, objects_of, text_at
from .files import Files, head
from .folders import enclosing, folder_of, is_below
from .gitops import (
    GROUPS,
    RELEASE_GROUPS,
    Application,
    Followed,
    Origin,
    Taken,
    applications_of,
    kustomization_of,
    opaque_namespaces,
    taken_by,
)
from .kustomize.file import Kustomization, join, read_kustomization
from .lacks import Lack, problems_of
from .layout import Layout, lay_out
from .programs import Programs
from .unit import Found, Skipped, Unit, UnitProblem, UnitType

if TYPE_CHECKING:
    from .built import Builder
    from .kustomize.render import Renderer
    from .templated import Templating

ONE_UNIT = "all"
# How many folders controllers are followed to.
MAX_APPLICATIONS = 2_000


def find_units(inputs: Inputs, settings: Settings) -> Found:
    """The units of the inputs, in the order of their names; one of them alone where the settings ask for it.

    Problems of the text (K8S001, K8S002, TOOL005) and what is not analysed (TOOL002) are among the problems; those of
    reading the inputs (`Inputs.problems`) are not, but make the unit that they lie in incomplete.

    Raises MissingProgramError where a program is to render and is not installed.
    """
    with Programs() as programs:
        return _Finder(inputs, settings, programs).run()


def kustomization_at(inputs: Inputs, settings: Settings, directory: str) -> Unit | None:
    """The kustomization of a folder as a unit, whether or not others refer to it; None where there is none."""
    with Programs() as programs:
        finder = _Finder(inputs, settings, programs)
        path = posixpath.normpath(directory.replace("\\", "/"))
        kustomization = read_kustomization(finder.files, path)
        return finder.completed(finder.kustomization_unit(kustomization)) if kustomization is not None else None


class _Finder:
    def __init__(self, inputs: Inputs, settings: Settings, programs: Programs) -> None:
        self.inputs = inputs
        self.settings = settings
        self.files = Files(inputs)
        self.programs = programs
        self.charts = Charts(self.files, settings, self._templating())
        self.problems: list[UnitProblem] = []
        # What is to be reported of the units that it makes incomplete.
        self.lacks: list[Lack] = []
        self.skipped: list[Skipped] = []
        # By the place of an object that has a controller apply something: what came of it.
        self.applied: dict[tuple[SourceFile, int], Followed] = {}
        # By the identity of the object's root: what is made for it.
        self.made: dict[int, tuple[Made, ...]] = {}

    # What renders is imported where something is to be rendered: most files are plain.

    def _templating(self) -> Templating | None:
        if self.settings.render != "program":
            return None
        from .templated import Templating

        return Templating(self.files, self.programs)

    @cached_property
    def renderer(self) -> Renderer:
        from .kustomize.render import Renderer

        return Renderer(self.files, self.settings)

    @cached_property
    def builder(self) -> Builder | None:
        if self.settings.render != "program":
            return None
        from .built import Builder

        return Builder(self.files, self.programs)

    def run(self) -> Found:
        settings = self.settings
        context_paths = [join(settings.root, path) for path in settings.context]
        context, sources = self._parted(self.inputs.files, context_paths)
        units: list[Unit] = []
        if not settings.one_unit:
            everything = sources
            for configured in settings.units:
                paths = [join(settings.root, path) for path in configured.paths]
                own, rest = self._parted(everything if configured.is_release else sources, paths)
                sources = tuple(source for source in sources if source in set(rest))
                units.append(self._configured(configured, own))
        units += self._units_of(sources, self._base_name(), self.inputs.templates)
        if not settings.one_unit:
            units += self._released(units)
        if settings.one_unit:
            units = [self._merged(ONE_UNIT, "plain", units)]
        if context:
            documents = self._merged("context", "plain", self._units_of(context, "context", ())).documents
            units = [attrs.evolve(unit, context=(*unit.context, *documents)) for unit in units]
        if self.made and not settings.one_unit:
            units = [attrs.evolve(unit, context=(*unit.context, *made_by(unit.documents, self.made))) for unit in units]
        units = sorted((self.completed(unit) for unit in units), key=lambda unit: unit.name)
        names = tuple(unit.name for unit in units)
        problems = self._all_problems(units)
        if settings.unit is not None and not settings.one_unit:
            units = [unit for unit in units if unit.name == settings.unit]
        hidden = {source.path for source in context}
        reported = sorted(
            {
                (problem.place, problem.rule, problem.message): problem
                for problem in problems
                if problem.place.source.path not in hidden
            }.values(),
            key=lambda problem: (problem.place.source.path, problem.place.span, problem.rule, problem.message),
        )
        skipped = {skipped.source: skipped for skipped in self.skipped}
        return Found(
            tuple(units),
            tuple(reported),
            tuple(skipped.values()),
            names,
            self.programs.names,
            tuple(context_paths),
        )

    def _all_problems(self, units: Sequence[Unit]) -> list[UnitProblem]:
        of_charts = [problem for problem in self.charts.problems if problem.rule != "TOOL002"]
        lacks = [(problem.message, problem.place) for problem in self.charts.problems if problem.rule == "TOOL002"]
        return [*self.files.problems, *self.problems, *of_charts, *problems_of([*self.lacks, *lacks], units)]

    def _base_name(self) -> str:
        """The name of the plain unit: the only path given, or the working directory."""
        paths = [source.path for source in self.inputs.files]
        if paths == ["-"]:
            return "-"
        context = {self.inputs.real_path(join(self.settings.root, path)) for path in self.settings.context}
        roots = [root for root in self.inputs.roots if root not in context] or list(self.inputs.roots)
        if len(roots) != 1:
            return "."
        if paths and len(paths) == 1 and self.inputs.real_path(paths[0]) == roots[0]:
            return folder_of(paths[0])
        return posixpath.relpath(roots[0].replace("\\", "/"), self.inputs.directory.replace("\\", "/"))

    def _parted(
        self, sources: Sequence[SourceFile], paths: Sequence[str]
    ) -> tuple[tuple[SourceFile, ...], tuple[SourceFile, ...]]:
        """The sources below the paths, and the others."""
        inside = [any(is_below(source.path, path) for path in paths) for source in sources]
        own = tuple(source for source, is_own in zip(sources, inside, strict=True) if is_own)
        return own, tuple(source for source, is_own in zip(sources, inside, strict=True) if not is_own)

    def _units_of(self, sources: Sequence[SourceFile], name: str, templates: tuple[str, ...]) -> list[Unit]:
        """The units that a set of files makes."""
        layout = lay_out(self.files, tuple(sources), templates)
        self.skipped += layout.skipped
        units = [self.kustomization_unit(layout.kustomizations[directory]) for directory in layout.roots]
        units += [self.charts.unit(directory, chart) for directory, chart in layout.charts.items()]
        objects = {source: self._objects(source) for source in layout.plain}
        applied, consumed = self._applied_in(layout, units, objects)
        units = [*(unit for unit in units if unit.name not in consumed.kustomizations), *applied]
        taken = {unit.name for unit in units}
        rest, found = alternatives.split([each for each in layout.plain if each not in consumed.files], objects)
        units += (self._plain(each.name, "alternative", each.files, ()) for each in found)
        outside = tuple(path for path in templates if enclosing(folder_of(path), layout.charts) is None)
        if rest or outside:
            units.append(self._plain(self._free_name(name, rest, taken), "plain", rest, outside))
        return units

    def _free_name(self, name: str, sources: Sequence[SourceFile], taken: set[str]) -> str:
        """A name for a plain unit whose folder is a kustomization or chart too: that of the folder of its own files."""
        if name in taken and sources:
            name = posixpath.commonpath([folder_of(source.path) for source in sources]) or "."
        return f"{name}:plain" if name in taken else name

    def _objects(self, source: SourceFile) -> tuple[Document, ...]:
        return tuple(item for document in self.files.parsed(source).documents for item in objects_of(document))

    def _plain(self, name: str, type_: UnitType, sources: Sequence[SourceFile], templates: Iterable[str]) -> Unit:
        documents = tuple(document for source in sources for document in self._objects(source))
        reasons = [Incompleteness(f"`{path}` is a template that is not rendered", name) for path in templates]
        folders = {folder_of(source.path) for source in sources}
        if type_ == "plain":
            reasons += (
                Incompleteness(problem.message, name, problem.place)
                for problem in self.inputs.problems
                if problem.path not in templates
            )
        else:
            reasons += (
                Incompleteness(problem.message, name, problem.place)
                for problem in self.inputs.problems
                if folder_of(problem.path) in folders
            )
        paths = tuple(source.path for source in sources)
        return Unit(name, type_, documents, incomplete_because=tuple(reasons), paths=paths)

    def kustomization_unit(self, kustomization: Kustomization, name: str | None = None) -> Unit:
        """What a kustomization applies; it is named after its folder unless a name is given."""
        directory = kustomization.directory if name is None else name
        if self.settings.render == "never":
            place = head(kustomization.source)
            message = f"the kustomization `{directory}` is not rendered: its objects are not analysed"
            self._not_analysed(message, place)
            reason = Incompleteness(message, directory, place)
            return Unit(directory, "kustomization", incomplete_because=(reason,), paths=(kustomization.source.path,))
        rendered = self.renderer.rendered(kustomization)
        if self.builder is not None:
            rendered = self.builder.built(kustomization, rendered)
        for why in rendered.reasons:
            if why.is_limit:
                self.problems.append(UnitProblem("TOOL005", Severity.WARNING, why.message, why.place))
            else:
                self._not_analysed(why.message, why.place)
        reasons = tuple(Incompleteness(why.message, directory, why.place) for why in rendered.reasons)
        if kustomization.is_component:
            message = f"`{directory}` is a component: what it is applied on top of is not here"
            reasons = (*reasons, Incompleteness(message, directory, head(kustomization.source)))
        return Unit(directory, "kustomization", rendered.documents, incomplete_because=reasons, paths=rendered.paths)

    def _applied_in(
        self, layout: Layout, units: Sequence[Unit], objects: Mapping[SourceFile, tuple[Document, ...]]
    ) -> tuple[list[Unit], Taken]:
        """What objects have a controller apply, as units of their own, and what is no unit by itself therefore."""
        if self.settings.render == "never" or not self._names_any(GROUPS):
            return [], Taken((), ())
        found: list[Applied] = []
        pending: list[tuple[tuple[Node, ...], tuple[Origin, ...]]] = [
            (tuple(document.root for document in unit.documents), ()) for unit in units
        ]
        pending.append((tuple(each.root for documents in objects.values() for each in documents), ()))
        while pending:
            roots, around = pending.pop(0)
            for application in applications_of(self.files, roots):
                taken = taken_by(application, layout)
                if application.origin in around:
                    continue
                if not (taken.kustomizations or taken.files):
                    why_not = application.why_not or f"`{application.folder}` holds no manifest"
                    self.applied.setdefault(application.place, Followed(why_not=why_not))
                    continue
                if len(found) >= MAX_APPLICATIONS:
                    message = f"more than {MAX_APPLICATIONS:,} folders are applied by controllers: this one is left out"
                    self.problems.append(UnitProblem("TOOL005", Severity.WARNING, message, application.path.place))
                    return self._kept(found)
                unit = self._application_unit(application, taken)
                way = (*around, application.origin)
                found.append(Applied(application, taken, unit, way))
                pending.append((tuple(each.root for each in unit.documents), way))
        return self._kept(found)

    def _kept(self, found: Sequence[Applied]) -> tuple[list[Unit], Taken]:
        kept = outermost(found)
        for each in kept:
            self._note(each.application.root, each.unit)
        return named(kept)

    def _application_unit(self, application: Application, taken: Taken) -> Unit:
        """What a controller applies for an object."""
        folder = application.folder or "."
        if application.is_flux or taken.kustomizations:
            unit = self.kustomization_unit(kustomization_of(application, taken), folder)
            from .substitution import substituted

            unit = attrs.evolve(unit, documents=substituted(unit.documents, application.settings))
        else:
            unit = self._plain(folder, "plain", taken.files, ())
        return attrs.evolve(unit, namespace=application.namespace)

    def _note(self, root: Node, unit: Unit) -> None:
        """Remembers that what an object has applied is a unit."""
        place = (root.source, root.start)
        namespaces = {text_at(each.root, "metadata", "namespace") or unit.namespace or "" for each in unit.documents}
        before = self.applied.get(place, Followed())
        self.applied[place] = Followed(before.namespaces | (namespaces - {""}))
        self.made.setdefault(id(root), within(unit.documents, unit.namespace, root))

    def _released(self, units: Sequence[Unit]) -> list[Unit]:
        """The charts of this tree that objects of the units install, each with the values it is given there."""
        if not self._names_any(RELEASE_GROUPS):
            return []
        from .releases import releases_of

        made: dict[str, Unit] = {}
        for unit in units:
            for release in releases_of(self.files, unit.documents):
                chart = self.files.read(join(release.chart, CHART_NAME))
                if not isinstance(chart, SourceFile):
                    continue
                name = f"{unit.name}:{release.kind}/{release.name}"
                while name in made:
                    name += "+"
                made[name] = self.charts.unit(release.chart, chart, name, release.installation)
                self._note(release.root, made[name])
        return list(made.values())

    def _names_any(self, groups: Sequence[str]) -> bool:
        """Whether some file speaks of one of these API groups."""
        return any(group in source.text for source in self.inputs.files for group in groups)

    def _not_analysed(self, message: str, place: Place) -> None:
        self.lacks.append((message, place))

    def _configured(self, configured: UnitSettings, sources: Sequence[SourceFile]) -> Unit:
        paths = [join(self.settings.root, path) for path in configured.context]
        context = tuple(source for source in self.inputs.files if any(is_below(source.path, path) for path in paths))
        is_release = configured.is_release
        own = self._with_values(configured, sources) if is_release else self._units_of(sources, configured.name, ())
        unit = self._merged(configured.name, "configured", own)
        around = self._merged(configured.name, "configured", self._units_of(context, configured.name, ()))
        return attrs.evolve(unit, context=around.documents, namespace=configured.namespace)

    def _with_values(self, configured: UnitSettings, sources: Sequence[SourceFile]) -> list[Unit]:
        """What a configured unit is that installs charts with values of its own."""
        layout = lay_out(self.files, tuple(sources), ())
        installation = configured_installation(self.files, self.settings.root, configured, layout.charts.values())
        charts = [
            self.charts.unit(directory, chart, configured.name, installation)
            for directory, chart in layout.charts.items()
        ]
        inside = tuple(source for source in sources if enclosing(folder_of(source.path), layout.charts) is None)
        rest = tuple(source for source in inside if source.path not in installation.paths)
        return [*charts, *self._units_of(rest, configured.name, ())]

    def _merged(self, name: str, type_: UnitType, units: Sequence[Unit]) -> Unit:
        """One unit of several; a file that stands in more than one of them counts once."""
        seen: set[int] = set()
        documents: list[Document] = []
        for unit in units:
            for document in unit.documents:
                if id(document) not in seen:
                    seen.add(id(document))
                    documents.append(document)
        reasons = tuple(attrs.evolve(reason, unit=name) for unit in units for reason in unit.incomplete_because)
        paths = tuple(sorted({path for unit in units for path in unit.paths}))
        context = tuple(document for unit in units for document in unit.context)
        return Unit(name, type_, tuple(documents), context, incomplete_because=reasons, paths=paths)

    def completed(self, unit: Unit) -> Unit:
        """The unit with what its files' faults and its own objects say of its completeness."""
        reasons = list(unit.incomplete_because)
        for path in unit.paths:
            source = self.files.by_path.get(path)
            fault = self.files.faults.get(source) if source is not None else None
            if fault is not None and source is not None:
                reasons.append(Incompleteness(fault, unit.name, head(source)))
        whole = not reasons
        # With all as one unit what is applied is in it.
        opaque = [each for each in opaque_namespaces(unit, self.applied) if each[1] or not self.settings.one_unit]
        reasons += (Incompleteness(message, unit.name, place) for _, message, place in opaque if message)
        namespaces = frozenset(namespace for namespace, _, _ in opaque)
        unique = tuple(dict.fromkeys(reasons))
        return attrs.evolve(
            unit,
            complete=not unique,
            incomplete_because=unique,
            opaque_namespaces=unit.opaque_namespaces | namespaces,
            is_incomplete_there_only=whole,
        )
