"""Charts of a kustomization's `helmCharts`, where they are vendored in its chart home."""

from __future__ import annotations

from k8snetlint.settings import Settings
from k8snetlint.source.discover import InputProblem
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Node
from k8snetlint.units.charts import DUPLICATE, Charts, Installation
from k8snetlint.units.classify import CHART_NAME, text_at
from k8snetlint.units.files import Files

from .file import Kustomization, chart_folder, charts_of, join
from .resource import Resource
from .work import Reason, Work


def inflate(work: Work, files: Files, settings: Settings, kustomization: Kustomization) -> None:
    """Adds the objects of the charts that a kustomization lists; one that is not in its chart home is said."""
    charts = Charts(files, settings)
    for item, folders in charts_of(kustomization):
        where = item.get("name") or item.get("chartName") or item
        folder = chart_folder(files, folders)
        chart = files.read(join(folder, CHART_NAME)) if folder is not None else None
        if folder is None or not isinstance(chart, SourceFile):
            work.fail(f"the chart `{where.value}` is not there: it is not fetched", where.place)
            continue
        installation = _installation(work, files, kustomization.directory, item)
        made = charts.objects(folder, where.place, installation)
        for problem in (each for each in made.problems if each.rule != DUPLICATE):
            work.reasons.append(Reason(problem.message, problem.place, is_limit=problem.rule == "TOOL005"))
        work.paths.update(made.paths)
        resources = (
            Resource(document.root, index=document.index, comment_start=document.comment_start)
            for document in made.documents
        )
        work.add(resources, where.place)


def _installation(work: Work, files: Files, directory: str, item: Node) -> Installation:
    own: list[Node] = []
    listed = item.get("additionalValuesFiles")
    named = [item.get("valuesFile") or item.get("values"), *(listed.items if listed is not None else ())]
    for node in named:
        if node is None or not isinstance(node.value, str) or not node.value:
            continue
        source = files.read(join(directory, node.value))
        if isinstance(source, InputProblem):
            work.fail(source.message, node.place)
            continue
        work.paths.add(source.path)
        own += (document.root for document in files.parsed(source).documents)
    inline = item.get("valuesInline")
    over = [inline] if inline is not None else []
    merging = text_at(item, "valuesMerge") or text_at(item, "valuesMergeOption")
    values = over if merging == "replace" and over else [*over, *own] if merging == "merge" else [*own, *over]
    versions = item.get("apiVersions")
    return Installation(
        release=text_at(item, "releaseName") or "release-name",
        namespace=text_at(item, "namespace") or None,
        values=tuple(values),
        includes_crds=_is_true(item, "includeCRDs"),
        includes_hooks=not _is_true(item, "skipHooks"),
        kube_version=text_at(item, "kubeVersion") or None,
        api_versions=tuple(str(each.value) for each in versions.items) if versions is not None else (),
    )


def _is_true(node: Node, field: str) -> bool:
    found = node.get(field)
    return found is not None and found.value is True
