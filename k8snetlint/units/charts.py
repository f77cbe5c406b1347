"""Charts as units: with their own values, with those that the configuration names, and with those of a release."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from k8snetlint.diagnostic import Incompleteness, Severity
from k8snetlint.settings import Settings, UnitSettings
from k8snetlint.source.parse import ProblemKind
from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Document, Node

from .classify import CHART_NAME, DocumentKind, kind_of, objects_of
from .files import Files, head
from .folders import is_below
from .kustomize.file import join
from .unit import Unit, UnitProblem, UnitType

if TYPE_CHECKING:
    from .helm import ParsedTexts, RenderedChart
    from .helm.files import ChartFiles
    from .templated import Templating

DUPLICATE = "K8S002"


@attrs.frozen
class Installation:
    """How a chart is installed.

    `values` are mappings over the chart's own values, the later over the earlier; `defaults` stand in for those.
    `missing` says which values are not known here. `paths` are the files that the values stand in.
    """

    release: str = "release-name"
    namespace: str | None = None
    values: tuple[Node, ...] = ()
    defaults: tuple[Node, ...] | None = None
    missing: tuple[tuple[str, Place], ...] = ()
    paths: tuple[str, ...] = ()
    includes_crds: bool = False
    includes_hooks: bool = True
    kube_version: str | None = None
    api_versions: tuple[str, ...] = ()


@attrs.frozen
class ChartObjects:
    """What a chart makes: its objects, what is said of the rest, and the files that it consists of."""

    documents: tuple[Document, ...]
    problems: tuple[UnitProblem, ...]
    paths: tuple[str, ...]


def configured_installation(
    files: Files, root: str, configured: UnitSettings, charts: Iterable[SourceFile]
) -> Installation:
    """How the configuration has the charts of a unit installed; `root` is the folder that its paths start from."""
    values: list[Node] = []
    missing: list[tuple[str, Place]] = []
    paths: list[str] = []
    for given in configured.values:
        if isinstance(given, Node):
            values.append(given)
            continue
        source = files.read(join(root, given))
        if isinstance(source, SourceFile):
            paths.append(source.path)
            values += (document.root for document in files.parsed(source).documents)
        else:
            missing += ((f"the values `{given}` are not known: {source.message}", head(chart)) for chart in charts)
    return Installation(
        release=configured.release or "release-name",
        namespace=configured.namespace,
        values=tuple(values),
        missing=tuple(missing),
        paths=tuple(paths),
    )


class Charts:
    """Renders the charts of one run; what there is to report of them is among `problems`.

    With `templating` it is `helm` that renders them.
    """

    def __init__(self, files: Files, settings: Settings, templating: Templating | None = None) -> None:
        self.files = files
        self.settings = settings
        self.templating = templating
        self.problems: list[UnitProblem] = []
        self._parsed: ParsedTexts | None = None

    def unit(
        self,
        directory: str,
        chart: SourceFile,
        name: str | None = None,
        installation: Installation | None = None,
        type_: UnitType = "chart",
    ) -> Unit:
        """The unit that a chart makes, named after its folder unless a name is given."""
        name = name or directory
        place = head(chart)
        installation = installation or Installation()
        if self.settings.render == "never" or self.files.inputs.real_path(directory) is None:
            message = f"the chart `{directory}` is not rendered: its objects are not analysed"
            self.problems.append(UnitProblem("TOOL002", Severity.NOTE, message, place))
            reasons: tuple[Incompleteness, ...] = (Incompleteness(message, name, place),)
            return Unit(name, type_, incomplete_because=reasons, paths=(chart.path,))
        made = self.objects(directory, place, installation)
        self.problems += made.problems
        reasons = tuple(
            Incompleteness(problem.message, name, problem.place)
            for problem in made.problems
            if problem.rule != DUPLICATE
        )
        return Unit(
            name,
            type_,
            made.documents,
            incomplete_because=reasons,
            paths=tuple(sorted({*made.paths, *installation.paths})),
            namespace=installation.namespace,
        )

    def objects(self, directory: str, place: Place, installation: Installation) -> ChartObjects:
        """What a chart makes where it is installed so; `place` is where to point at when the chart is meant."""
        from .helm import ParsedTexts, render_chart

        self._parsed = self._parsed or ParsedTexts()
        major, minor = self.settings.kube_version
        rendered = render_chart(
            Path(self.files.inputs.real_path(directory) or directory),
            directory,
            release_name=installation.release,
            namespace=installation.namespace or self.settings.namespace,
            kube_version=installation.kube_version or f"v{major}.{minor}.0",
            api_versions=installation.api_versions,
            values=installation.values,
            defaults=installation.defaults,
            known=self.files.by_path,
            absent=self.files.inputs.absent,
            parsed=self._parsed,
            nearby=self._files_of,
        )
        problems = [UnitProblem("TOOL002", Severity.NOTE, message, where) for message, where in installation.missing]
        paths = self._paths(directory, rendered)
        if self.templating is not None:
            return self._templated(self.templating, directory, place, installation, rendered, problems)
        for why in rendered.problems:
            problems.append(UnitProblem("TOOL002", Severity.NOTE, why.message, why.place or place))
        for why in rendered.limit_reached:
            problems.append(UnitProblem("TOOL005", Severity.WARNING, why.message, why.place or place))
        for problem in rendered.syntax:
            if problem.kind is ProblemKind.DUPLICATE_KEY:
                # Helm hands on what is left: nothing is rejected, and often both say the same.
                key = problem.message.partition(" stands")[0]
                message = f"{key} stands twice in a mapping that the template makes: only the last value counts"
                problems.append(UnitProblem(DUPLICATE, Severity.NOTE, message, problem.place))
            else:
                message = f"a document that the template makes cannot be parsed: {problem.message}"
                problems.append(UnitProblem("K8S001", Severity.ERROR, message, problem.place))
        return ChartObjects(_documents(rendered, installation), tuple(problems), paths)

    def _templated(
        self,
        templating: Templating,
        directory: str,
        place: Place,
        installation: Installation,
        rendered: RenderedChart,
        problems: list[UnitProblem],
    ) -> ChartObjects:
        """What `helm` makes of a chart; `rendered` is what k8snetlint makes of it."""
        from .helm import folder_files
        from .write import yaml_text

        folder = Path(self.files.inputs.real_path(directory) or directory)
        contents = dict(folder_files(folder, self.files.inputs.absent).contents)
        values = list(installation.values)
        if installation.defaults:
            contents["values.yaml"] = yaml_text(installation.defaults[0]).encode()
            values = [*installation.defaults[1:], *values]
        major, minor = self.settings.kube_version
        arguments = [
            f"--namespace={installation.namespace or self.settings.namespace}",
            f"--kube-version={installation.kube_version or f'v{major}.{minor}.0'}",
            "--skip-tests",
            *(f"--api-versions={version}" for version in installation.api_versions),
            *(["--include-crds"] if installation.includes_crds else []),
            *([] if installation.includes_hooks else ["--no-hooks"]),
        ]
        own = _documents(rendered, installation)
        documents, reasons = templating.made(directory, place, contents, arguments, installation.release, values, own)
        for why in reasons:
            rule, severity = ("TOOL005", Severity.WARNING) if why.is_limit else ("TOOL002", Severity.NOTE)
            problems.append(UnitProblem(rule, severity, why.message, why.place))
        return ChartObjects(documents, tuple(problems), self._paths(directory, rendered))

    def _files_of(self, directory: str) -> ChartFiles | None:
        """The files of a chart in another folder; None where there is none below the given paths."""
        from .helm.files import folder_files

        inputs = self.files.inputs
        real = inputs.real_path(directory)
        if real is None or not inputs.is_file(join(directory, CHART_NAME)):
            return None
        return folder_files(Path(real), inputs.absent)

    def _paths(self, directory: str, rendered: RenderedChart) -> tuple[str, ...]:
        """The files that a chart is made of: its templates, and its values with those of its subcharts."""
        values = (
            path
            for path in self.files.by_path
            if is_below(path, directory) and posixpath.basename(path) in (CHART_NAME, "values.yaml")
        )
        return tuple(sorted({*values, *(source.path for source in rendered.sources)}))


def _documents(rendered: RenderedChart, installation: Installation) -> tuple[Document, ...]:
    """The objects of a chart that are installed with it, those of lists one by one."""
    return tuple(
        item
        for made in rendered.documents
        if (installation.includes_crds or not made.is_crd)
        and not made.is_test
        and (installation.includes_hooks or not made.hooks)
        for item in _items(made.document)
    )


def _items(document: Document) -> Iterable[Document]:
    return objects_of(document) if kind_of(document.root) is DocumentKind.LIST else (document,)
