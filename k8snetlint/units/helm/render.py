"""A chart to the documents it makes, every value with its origin."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import attrs

from k8snetlint.source.parse import Problem, collection_paused, parse
from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Document, Node

from .chart import Chart, Loading, load_chart, overlaid
from .coalescing import coalesced
from .compiler import Compiled, compile_source
from .dependencies import process_dependencies
from .files import ChartFiles, folder_files
from .functions import function_library
from .lexer import TemplateSyntaxError
from .novalue import printed
from .objects import DEFAULT_KUBE_VERSION, capabilities, chart_object, files_object, release
from .parser import ParsedTexts
from .provenance import documents_of
from .runtime import Run
from .values import GoMap, LimitReached, Struct, TemplateError, Value, from_node, plain_map

HOOK = "helm.sh/hook"
_CHANGES = ("install", "delete", "upgrade", "rollback")
HOOKS = frozenset(["test", "test-success", *(f"{when}-{what}" for when in ("pre", "post") for what in _CHANGES)])
_NOT_RENDERED = frozenset({"NOTES.txt"})


@attrs.frozen
class RenderedDocument:
    """A document that a chart makes.

    `template` is the path of the template as its SourceFile shows it; `hooks` are the events that it waits for, such as
    `test` or `pre-install`; `is_crd` marks what the folder `crds/` holds.
    """

    document: Document
    template: str
    hooks: tuple[str, ...] = ()
    is_crd: bool = False

    @property
    def is_test(self) -> bool:
        """Whether it is only made to test the release."""
        return bool(self.hooks) and all(hook.startswith("test") for hook in self.hooks)


@attrs.frozen
class RenderProblem:
    """What was not rendered: the message names template and reason."""

    message: str
    place: Place | None


@attrs.frozen
class RenderedChart:
    """All that a chart makes, and what of it could not be rendered.

    `syntax` are mistakes in the YAML that templates made; the documents beside them are there. `sources` are the files
    of the chart that can be pointed at: templates, values, metadata.
    """

    name: str
    documents: tuple[RenderedDocument, ...]
    problems: tuple[RenderProblem, ...]
    syntax: tuple[Problem, ...]
    limit_reached: tuple[RenderProblem, ...]
    sources: tuple[SourceFile, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything was rendered."""
        return not self.problems and not self.syntax and not self.limit_reached


def render_chart(
    directory: Path,
    shown: str,
    *,
    release_name: str = "release-name",
    namespace: str = "default",
    kube_version: str = DEFAULT_KUBE_VERSION,
    api_versions: tuple[str, ...] = (),
    values: tuple[Node, ...] = (),
    defaults: tuple[Node, ...] | None = None,
    known: Mapping[str, SourceFile] | None = None,
    absent: Collection[str] = (),
    parsed: ParsedTexts | None = None,
    nearby: Callable[[str], ChartFiles | None] | None = None,
) -> RenderedChart:
    """What `helm template` makes of the chart in a folder.

    `shown` is the path of the folder as places show it. `values` are mappings over the chart's own values, the later
    over the earlier; what they set has its place in them. `defaults` stand in for the chart's own `values.yaml`.
    `known` are files that were read before, by shown path, `absent` the real paths of some that count as gone; `parsed` is
    shared by the charts of a run.
    `nearby` gives the files of charts in other folders. Else no file outside of the folder is read, and nothing started.
    """
    loading = Loading(known=known or {}, nearby=nearby)
    try:
        cluster = capabilities(kube_version, api_versions)
        # Closures and frames form cycles by the hundred thousand, nearly all of which live until the chart is done.
        with collection_paused():
            chart = load_chart(folder_files(directory, absent), shown.rstrip("/") or ".", loading)
            if defaults is not None:
                chart.values = _together(defaults)
            rendering = _Rendering(chart, loading, release(release_name, namespace), cluster, parsed or ParsedTexts())
            return rendering.run(values)
    except (TemplateError, RecursionError) as error:
        failure = _problem(error, f"chart {shown} is not rendered: ")
        problems = tuple(RenderProblem(message, place) for message, place in loading.problems)
        if isinstance(error, TemplateError) and not isinstance(error, LimitReached):
            return RenderedChart(shown, (), (*problems, failure), (), (), ())
        return RenderedChart(shown, (), problems, (), (failure,), ())


def _problem(error: TemplateError | RecursionError, prefix: str) -> RenderProblem:
    if isinstance(error, TemplateError):
        return RenderProblem(prefix + error.message, error.place)
    return RenderProblem(prefix + "it is nested too deeply", None)


def _together(mappings: tuple[Node, ...]) -> GoMap:
    given = plain_map({})
    for mapping in mappings:
        value = from_node(mapping)
        if isinstance(value, GoMap):
            given = overlaid(given, value)
    return given


@attrs.define
class _Template:
    """A template file with what it is rendered for."""

    name: str
    source: SourceFile
    dot: GoMap
    base_path: str


class _Rendering:
    """One chart being rendered."""

    def __init__(self, chart: Chart, loading: Loading, made_as: GoMap, cluster: Struct, parsed: ParsedTexts) -> None:
        self.chart = chart
        self.loading = loading
        self.release = made_as
        self.capabilities = cluster
        self.parsed = parsed
        self.functions = function_library()
        self.run_state = Run()
        self.templates: list[_Template] = []
        self.compiled: dict[str, Compiled] = {}
        self.documents: list[RenderedDocument] = []
        self.problems: list[RenderProblem] = []
        self.syntax: list[Problem] = []
        self.limits: list[RenderProblem] = []

    def run(self, overrides: tuple[Node, ...]) -> RenderedChart:
        chart = self.chart
        chart.is_root = True
        given = _together(overrides)
        missing = process_dependencies(chart, given)
        values = coalesced(chart, given)
        self._collect(chart, values, chart.name)
        self._compile()
        for template in self.templates:
            if not template.source.path.rsplit("/", 1)[-1].startswith("_"):
                self._render(template)
        self._load_crds(chart)
        problems = [RenderProblem(message, place) for message, place in (*self.loading.problems, *missing)]
        if self.loading.limit_reached and not self.limits:
            self.limits.append(RenderProblem(f"chart {chart.name} is not loaded whole: it is too large", chart.place))
        return RenderedChart(
            chart.name,
            tuple(self.documents),
            (*problems, *self.problems),
            tuple(self.syntax),
            tuple(self.limits),
            (chart.place.source, *(template.source for template in self.templates)),
        )

    def _collect(self, chart: Chart, values: Value, path: str) -> GoMap:
        """The object that the templates of a chart get; its templates, and its subcharts', are noted down."""
        subcharts = plain_map({})
        dot = plain_map(
            {
                "Chart": chart_object(chart),
                "Files": files_object(chart.files),
                "Release": self.release,
                "Capabilities": self.capabilities,
                "Values": values if isinstance(values, dict) else plain_map({}),
                "Subcharts": subcharts,
            }
        )
        for subchart in chart.subcharts:
            own = values.get(subchart.name) if isinstance(values, dict) else None
            subcharts[subchart.name] = self._collect(subchart, own, f"{path}/charts/{subchart.name}")
        for below, source in chart.templates.items():
            name = below.rsplit("/", 1)[-1]
            if name in _NOT_RENDERED or (chart.is_library and not name.startswith("_")):
                continue
            self.templates.append(_Template(f"{path}/{below}", source, dot, f"{path}/templates"))
        return dot

    def _compile(self) -> None:
        """Compiles the deepest templates first: what an outer chart defines replaces what an inner one does."""
        self.templates.sort(key=lambda template: (template.name.count("/"), template.name), reverse=True)
        for template in self.templates:
            try:
                found = compile_source(template.name, template.source, self.functions, self.parsed)
            except TemplateSyntaxError as error:
                offset = min(error.offset, max(len(template.source.text) - 1, 0))
                line = template.source.position(offset).line
                place = Place(template.source, template.source.line_span(line))
                self.problems.append(RenderProblem(f"{template.source.path} is no template: {error.message}", place))
                continue
            for name, compiled in found.items():
                # An empty definition does not replace one that prints something.
                if name not in self.compiled or compiled.template.body:
                    self.compiled[name] = compiled

    def _render(self, template: _Template) -> None:
        compiled = self.compiled.get(template.name)
        if compiled is None:
            return
        template.dot["Template"] = plain_map({"Name": template.name, "BasePath": template.base_path})
        run = self.run_state
        run.depth = 0
        try:
            frame = compiled.frame(run, self.compiled, template.dot)
            compiled.execute(frame, template.dot)
            text, sites = printed(frame)
        except (LimitReached, RecursionError) as error:
            self.limits.append(_problem(error, f"{template.source.path} is not rendered: "))
            return
        except TemplateError as error:
            self.problems.append(_problem(error, f"{template.source.path} is not rendered: "))
            return
        if not text.strip():
            return
        whole = Place(template.source, template.source.line_span(1))
        documents, problems = documents_of(text, whole, sites)
        self.syntax.extend(problems)
        for document in documents:
            hooks = _hooks(document.root)
            # Helm leaves out what waits for an event that it does not know.
            if document.root.value is not None and HOOKS.issuperset(hooks):
                self.documents.append(RenderedDocument(document, template.source.path, hooks))

    def _load_crds(self, chart: Chart) -> None:
        for source in chart.crds:
            parsed = parse(source)
            self.syntax.extend(parsed.problems)
            self.documents.extend(
                RenderedDocument(document, source.path, is_crd=True)
                for document in parsed.documents
                if document.root.value is not None
            )
        for subchart in chart.subcharts:
            self._load_crds(subchart)


def _hooks(root: Node) -> tuple[str, ...]:
    hook = root.get("metadata", "annotations", HOOK)
    if hook is None or not isinstance(hook.value, str):
        return ()
    return tuple(part.strip().lower() for part in hook.value.split(",") if part.strip())
