"""Which folder is a kustomization, which a chart, and which files belong to neither."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import attrs

from k8snetlint.source.text import SourceFile

from .classify import CHART_NAME, DocumentKind, is_expectation, is_manifest, kind_of
from .files import Files
from .folders import ancestors, enclosing, folder_of, is_below
from .kustomize.file import Kustomization, chart_folder, charts_of, read_kustomization
from .unit import Skipped


@attrs.frozen
class Layout:
    """The folders of a run by what they are.

    `roots` are the kustomizations that no other one refers to; `charts` the outermost charts by folder, but those that a
    kustomization lists; `plain` the files with manifests that lie in no kustomization or chart.
    """

    kustomizations: Mapping[str, Kustomization]
    roots: tuple[str, ...]
    charts: Mapping[str, SourceFile]
    plain: tuple[SourceFile, ...]
    skipped: tuple[Skipped, ...]
    templates: tuple[str, ...]


def lay_out(files: Files, sources: tuple[SourceFile, ...], templates: tuple[str, ...]) -> Layout:
    """What each of the sources is; every one of them ends up as plain, skipped, or part of a kustomization or chart."""
    charts = _charts(sources)
    kustomizations = _kustomizations(files, sources, charts)
    inflated = {chart_folder(files, folders) for each in kustomizations.values() for _, folders in charts_of(each)}
    inner: set[str] = set()
    referred: set[str] = set()
    for kustomization in kustomizations.values():
        inner.update(path for path in kustomization.directories() if path != kustomization.directory)
        referred.update(kustomization.files())
    roots = tuple(sorted(directory for directory in kustomizations if directory not in inner))
    in_kustomization = {kustomization.source for kustomization in kustomizations.values()}
    plain: list[SourceFile] = []
    skipped: list[Skipped] = []
    for source in sources:
        directory = folder_of(source.path)
        chart = enclosing(directory, charts)
        if source in in_kustomization:
            continue
        if chart is not None and not _is_below_kustomization(directory, chart, kustomizations):
            skipped.append(Skipped(source, _chart_part(source, chart)))
            continue
        what = _what(files, source)
        if source.path in referred:
            if what is not None:
                skipped.append(Skipped(source, f"{what}, referred to by a kustomization"))
        elif what is not None:
            skipped.append(Skipped(source, what))
        elif directory in kustomizations:
            skipped.append(Skipped(source, "beside a kustomization that does not refer to it"))
        else:
            plain.append(source)
    own = {directory: source for directory, source in charts.items() if directory not in inflated}
    return Layout(kustomizations, roots, own, tuple(plain), tuple(skipped), templates)


def _charts(sources: tuple[SourceFile, ...]) -> dict[str, SourceFile]:
    all_charts = {folder_of(source.path): source for source in sources if posixpath.basename(source.path) == CHART_NAME}
    return {
        directory: source for directory, source in all_charts.items() if enclosing(directory, all_charts) == directory
    }


def _kustomizations(
    files: Files, sources: tuple[SourceFile, ...], charts: Mapping[str, SourceFile]
) -> dict[str, Kustomization]:
    found: dict[str, Kustomization] = {}
    for directory in sorted({folder_of(source.path) for source in sources}):
        chart = enclosing(directory, charts)
        if chart is not None and _is_inside_chart(directory, chart):
            continue
        kustomization = read_kustomization(files, directory)
        if kustomization is not None:
            found[directory] = kustomization
    return found


def _is_inside_chart(directory: str, chart: str) -> bool:
    """Whether a folder is one of those that a chart itself is made of."""
    inside = posixpath.relpath(directory, chart).split("/")[0]
    return inside in (".", "templates", "charts", "crds", "ci", "files")


def _is_below_kustomization(directory: str, chart: str, kustomizations: Mapping[str, Kustomization]) -> bool:
    return any(ancestor in kustomizations for ancestor in ancestors(directory) if is_below(ancestor, chart))


def _chart_part(source: SourceFile, chart: str) -> str:
    inside = posixpath.relpath(source.path, chart)
    if inside == CHART_NAME:
        return "the description of a chart"
    if posixpath.basename(inside).startswith("values"):
        return "values of a chart"
    return "template of a chart" if "templates/" in inside else "part of a chart"


def _what(files: Files, source: SourceFile) -> str | None:
    """What a file is if no object comes out of it, else None."""
    parsed = files.parsed(source)
    kinds = [kind_of(document.root) for document in parsed.documents]
    if is_expectation(source.path):
        return "what a test expects to find in a cluster"
    if any(is_manifest(kind) for kind in kinds) or (parsed.problems and source in files.faults):
        return None
    for kind in (DocumentKind.KUSTOMIZATION, DocumentKind.JSON_PATCH, DocumentKind.ENCRYPTED, DocumentKind.OTHER):
        if kind in kinds:
            return str(kind.value)
    return str(DocumentKind.EMPTY.value)
