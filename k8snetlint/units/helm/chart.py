"""A chart: its metadata, values, templates, files and subcharts."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

import attrs

from k8snetlint.source.parse import ProblemKind, parse
from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Node

from .files import ChartFiles, archive_files
from .values import GoMap, TemplateError, Value, from_node, plain_map, put, text_of

FILE = "file://"
MAX_CHART_DEPTH = 10
MAX_CHARTS = 200


@attrs.define
class Dependency:
    """An entry of `dependencies`. `enabled` is decided by tags and conditions."""

    name: str
    version: str
    alias: str
    condition: str
    tags: tuple[str, ...]
    imports: tuple[Value, ...]
    repository: str
    place: Place
    enabled: bool = True


@attrs.define
class Chart:
    """A chart as loaded. Alias, values and subcharts change while dependencies are processed."""

    name: str
    version: str
    metadata: Value
    values: GoMap
    templates: dict[str, SourceFile]
    files: dict[str, bytes]
    crds: tuple[SourceFile, ...]
    dependencies: list[Dependency]
    subcharts: list[Chart]
    place: Place
    is_root: bool = False
    # Helm asks for the subcharts' dependencies only where the chart itself has a list of them, be it empty.
    lists_dependencies: bool = False

    @property
    def is_library(self) -> bool:
        """Whether the chart only lends its helpers."""
        return isinstance(self.metadata, dict) and self.metadata.get("type") == "library"


@attrs.define
class Loading:
    """What loading a chart and its subcharts leaves to say. `known` are files that were read before, by shown path.

    `nearby` gives the files of a chart in another folder, by the path it is shown under, where it may be read.
    """

    problems: list[tuple[str, Place | None]] = attrs.Factory(list)
    limit_reached: bool = False
    charts: int = 0
    known: Mapping[str, SourceFile] = attrs.Factory(dict)
    nearby: Callable[[str], ChartFiles | None] | None = None

    def source(self, path: str, data: bytes) -> SourceFile:
        """A file of the chart as text: the very one that is known by that path, whose text may have been replaced."""
        known = self.known.get(path)
        return known if known is not None else SourceFile(path, data.decode("utf-8-sig", errors="replace"))


def below(folder: str, path: str) -> str:
    """The path of a file below a folder, as both are shown."""
    return path if folder == "." else f"{folder}/{path}"


def load_chart(files: ChartFiles, shown: str, loading: Loading, depth: int = 0) -> Chart:
    """The chart that some files make; `shown` is the path under which its files are shown.

    Raises TemplateError if they make none.
    """
    loading.charts += 1
    loading.limit_reached = loading.limit_reached or files.limit_reached
    for path, reason in files.refused:
        loading.problems.append((below(shown, f"{path} is not read: {reason}"), None))
    contents = files.contents
    if "Chart.yaml" not in contents:
        raise TemplateError(f"{shown} has no Chart.yaml")
    head = loading.source(below(shown, "Chart.yaml"), contents["Chart.yaml"])
    root = _only_mapping(head)
    dependencies = _dependencies(root)
    listed = root.get("dependencies")
    metadata = from_node(root)
    if "requirements.yaml" in contents and not dependencies:
        required = _only_mapping(loading.source(below(shown, "requirements.yaml"), contents["requirements.yaml"]))
        dependencies, listed = _dependencies(required), required.get("dependencies")
    name, version = _word(root, "name"), _word(root, "version")
    if not name:
        raise TemplateError(below(shown, "Chart.yaml names no chart"), root.place)
    values = plain_map({})
    if "values.yaml" in contents:
        values = read_values(loading.source(below(shown, "values.yaml"), contents["values.yaml"]))
    templates = {
        path: loading.source(below(shown, path), data)
        for path, data in contents.items()
        if path.startswith("templates/")
    }
    others = {path: data for path, data in contents.items() if not _is_special(path)}
    crds = tuple(
        loading.source(below(shown, path), data)
        for path, data in contents.items()
        if path.startswith("crds/") and path.endswith((".yaml", ".yml", ".json"))
    )
    chart = Chart(name, version, metadata, values, templates, others, crds, dependencies, [], root.place)
    chart.lists_dependencies = listed is not None and listed.is_sequence
    chart.subcharts = _subcharts(contents, shown, loading, depth)
    chart.subcharts += _neighbours(chart, shown, loading, depth)
    return chart


def _is_special(path: str) -> bool:
    return path.startswith(("templates/", "charts/")) or path in (
        "Chart.yaml",
        "values.yaml",
        "values.schema.json",
        "Chart.lock",
    )


def _subcharts(contents: dict[str, bytes], shown: str, loading: Loading, depth: int) -> list[Chart]:
    groups: dict[str, dict[str, bytes]] = {}
    for path, data in contents.items():
        if path.startswith("charts/") and not path.endswith(".prov"):
            name, _, rest = path.removeprefix("charts/").partition("/")
            if name[:1] not in ("_", ".", "") and (rest or name.endswith(".tgz")):
                groups.setdefault(name, {})[rest] = data
    charts = []
    for name, group in groups.items():
        where = below(shown, f"charts/{name}")
        if depth >= MAX_CHART_DEPTH or loading.charts >= MAX_CHARTS:
            loading.limit_reached = True
            loading.problems.append(
                (f"{where} is not loaded: there are too many charts, or they are nested too deeply", None)
            )
            continue
        files = archive_files(group[""]) if "" in group else ChartFiles(group, ())
        try:
            charts.append(load_chart(files, where, loading, depth + 1))
        except TemplateError as error:
            loading.problems.append((f"{where} is not loaded: {error.message}", error.place))
    return charts


def _neighbours(chart: Chart, shown: str, loading: Loading, depth: int) -> list[Chart]:
    """The charts of dependencies that are folders beside the chart and were not put into `charts/`, as Helm would."""
    found: list[Chart] = []
    present = {subchart.name for subchart in chart.subcharts}
    for dependency in chart.dependencies:
        if not dependency.repository.startswith(FILE) or dependency.name in present or loading.nearby is None:
            continue
        where = posixpath.normpath(posixpath.join(shown, dependency.repository.removeprefix(FILE)))
        files = loading.nearby(where)
        if files is None or depth >= MAX_CHART_DEPTH or loading.charts >= MAX_CHARTS:
            continue
        present.add(dependency.name)
        try:
            found.append(load_chart(files, where, loading, depth + 1))
        except TemplateError as error:
            loading.problems.append((f"{where} is not loaded: {error.message}", error.place))
    return found


def _only_mapping(source: SourceFile) -> Node:
    parsed = parse(source)
    for problem in parsed.problems:
        if problem.kind is not ProblemKind.DUPLICATE_KEY:
            raise TemplateError(f"{source.path} is not read: {problem.message}", problem.place)
    root = parsed.documents[0].root if parsed.documents else None
    if root is None or not root.is_mapping:
        raise TemplateError(f"{source.path} holds no mapping")
    return root


def read_values(source: SourceFile) -> GoMap:
    """The values that a file holds, of several documents the later over the earlier. Raises TemplateError."""
    parsed = parse(source)
    for problem in parsed.problems:
        if problem.kind is not ProblemKind.DUPLICATE_KEY:
            raise TemplateError(f"{source.path} is not read: {problem.message}", problem.place)
    values = plain_map({})
    for document in parsed.documents:
        value = from_node(document.root)
        if isinstance(value, GoMap):
            values = overlaid(values, value) if values else value
        elif value is not None:
            raise TemplateError(f"{source.path} holds no mapping", document.root.place)
    return values


def overlaid(under: dict[str, Value], over: dict[str, Value]) -> GoMap:
    """Values with others over them, mapping by mapping."""
    merged = GoMap.like(over, {})
    for key, item in under.items():
        put(merged, under, key, item)
    for key, item in over.items():
        old = merged.get(key)
        if isinstance(item, dict) and isinstance(old, dict):
            merged[key] = overlaid(old, item)
        else:
            put(merged, over, key, item)
    return merged


def _word(node: Node, key: str) -> str:
    found = node.get(key)
    value = None if found is None else found.scalar
    return "" if value is None else text_of(float(value) if isinstance(value, float) else value)


def _dependencies(root: Node) -> list[Dependency]:
    listed = root.get("dependencies")
    found = []
    for item in listed.items if listed is not None else []:
        tags = item.get("tags")
        imports = item.get("import-values")
        found.append(
            Dependency(
                _word(item, "name"),
                _word(item, "version"),
                _word(item, "alias"),
                _word(item, "condition"),
                tuple(text_of(tag.scalar) for tag in tags.items) if tags is not None else (),
                tuple(from_node(each) for each in imports.items) if imports is not None else (),
                _word(item, "repository"),
                item.place,
            )
        )
    return found
