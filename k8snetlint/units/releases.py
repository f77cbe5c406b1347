"""Charts of the same tree that objects of Flux and Argo CD install, with the values that they give."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

import attrs

from k8snetlint.source.discover import InputProblem
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Document, Node, Scalar

from .assignments import assigned, steps_of, typed
from .charts import Installation
from .classify import CHART_NAME, text_at
from .files import Files
from .folders import ancestors, folder_of
from .kustomize.file import join
from .kustomize.load import inline_roots

_FLUX = "helm.toolkit.fluxcd.io"
_ARGO = "argoproj.io"
_PLACEHOLDER = re.compile(r"[${<]")
# Sources of Flux that hold a tree of files, as the one that is looked at.
_TREES = frozenset({"GitRepository", "Bucket"})


@attrs.frozen
class Release:
    """A chart of this tree that an object installs: its folder, the object's kind, name and root, and how it does."""

    chart: str
    kind: str
    name: str
    installation: Installation
    root: Node


def releases_of(files: Files, documents: tuple[Document, ...]) -> Iterator[Release]:
    """The charts of this tree that objects of one unit install. A chart from elsewhere is none of them."""
    for document in documents:
        root = document.root
        group = text_at(root, "apiVersion").rpartition("/")[0]
        kind = text_at(root, "kind")
        if (group, kind) == (_FLUX, "HelmRelease"):
            yield from _Reading(files, documents, root).flux()
        elif (group, kind) == (_ARGO, "Application"):
            yield from _Reading(files, documents, root).argo()


class _Reading:
    """One object being read: its values in the order in which the later stand over the earlier."""

    def __init__(self, files: Files, documents: tuple[Document, ...], root: Node) -> None:
        self.files = files
        self.documents = documents
        self.root = root
        self.name = text_at(root, "metadata", "name")
        self.namespace = text_at(root, "metadata", "namespace")
        self.values: list[Node] = []
        self.missing: list[tuple[str, Place]] = []
        self.paths = {root.source.path}

    def flux(self) -> Iterator[Release]:
        """The chart of a HelmRelease.

        Source: Flux, helm.toolkit.fluxcd.io/v2: values of `valuesFrom` in their order, then `values` over them.
        """
        spec = self.root.get("spec", "chart", "spec") or self._chart_object()
        if spec is None or text_at(spec, "sourceRef", "kind") not in _TREES:
            return
        chart = self._chart(text_at(spec, "chart"))
        if chart is None:
            return
        target = text_at(self.root, "spec", "targetNamespace")
        release = text_at(self.root, "spec", "releaseName") or "-".join(filter(None, (target, self.name)))
        files = spec.get("valuesFiles")
        defaults: tuple[Node, ...] | None = None
        if files is not None and files.items:
            self._read_files(files.items, self._base(chart, text_at(spec, "chart")))
            defaults, self.values = tuple(self.values), []
        listed = self.root.get("spec", "valuesFrom")
        for reference in listed.items if listed is not None else ():
            self._take_reference(reference)
        self._take(self.root.get("spec", "values"))
        changes = self.root.get("spec", "postRenderers")
        if changes is not None and changes.items:
            where = self.root.key_at("spec", "postRenderers").place
            self.missing.append(("what `postRenderers` change is not known", where))
        yield self._release(chart, "HelmRelease", release, target or self.namespace, defaults)

    def _chart_object(self) -> Node | None:
        """What the HelmChart of the same unit says that `chartRef` names."""
        name = text_at(self.root, "spec", "chartRef", "name")
        for document in self.documents:
            root = document.root
            kind = (text_at(root, "apiVersion").partition("/")[0], text_at(root, "kind"))
            if name and kind == ("source.toolkit.fluxcd.io", "HelmChart") and text_at(root, "metadata", "name") == name:
                return root.get("spec")
        return None

    def argo(self) -> Iterator[Release]:
        """The charts of an Application.

        Source: Argo CD, Helm: `valueFiles`, over them `values` or `valuesObject`, over these `parameters`.
        """
        spec = self.root.get("spec")
        listed = spec.get("sources") if spec is not None else None
        sources = listed.items if listed is not None and listed.items else [spec.get("source")] if spec else []
        for source in sources:
            written = text_at(source, "path") if source is not None else ""
            chart = self._chart(written) if written and source is not None else None
            if source is None or chart is None:
                continue
            self.values, self.missing = [], []
            helm = source.get("helm") or Node({}, source.start, source.start, source.source)
            files = helm.get("valueFiles")
            ignores = helm.get("ignoreMissingValueFiles")
            self._read_files(
                files.items if files is not None else [],
                chart,
                self._base(chart, written),
                is_optional=ignores is not None and ignores.value is True,
            )
            values = helm.get("valuesObject")
            self._take(values if values is not None and values.entries else helm.get("values"))
            parameters = helm.get("parameters")
            for parameter in parameters.items if parameters is not None else ():
                self._assign(parameter)
            release = text_at(helm, "releaseName") or self.name
            namespace = text_at(helm, "namespace") or text_at(self.root, "spec", "destination", "namespace")
            yield self._release(chart, "Application", release, namespace, None)

    def _release(
        self, chart: str, kind: str, release: str, namespace: str, defaults: tuple[Node, ...] | None
    ) -> Release:
        if _PLACEHOLDER.search(namespace):
            namespace = ""
        installation = Installation(
            release=release or "release-name",
            namespace=namespace or None,
            values=tuple(self.values),
            defaults=defaults,
            missing=tuple(self.missing),
            paths=tuple(sorted(self.paths)),
        )
        return Release(chart, kind, self.name, installation, self.root)

    def _chart(self, written: str) -> str | None:
        """The folder of a chart whose path is written from the root of its repository.

        Where that root lies is not known: it is looked for around the file, the nearest folder first.
        """
        if not written or _PLACEHOLDER.search(written):
            return None
        path = posixpath.normpath(written.lstrip("/"))
        for folder in (*ancestors(folder_of(self.root.source.path)), "."):
            directory = join(folder, path)
            if self.files.inputs.is_file(join(directory, CHART_NAME)):
                return directory
        return None

    def _base(self, chart: str, written: str) -> str:
        """The root of the repository, as far as the path of a chart tells."""
        tail = posixpath.normpath(written.lstrip("/"))
        return chart.removesuffix(tail).rstrip("/") or "." if chart.endswith(tail) else "."

    def _read_files(self, nodes: Iterable[Node], folder: str, base: str = ".", *, is_optional: bool = False) -> None:
        for node in nodes:
            written = node.value
            if not isinstance(written, str):
                continue
            # `$name/` begins a path in another source of the Application, which may be this tree.
            is_rooted = written.startswith(("/", "$"))
            rest = re.sub(r"^\$[\w-]+/", "", written).lstrip("/")
            source = self.files.read(join(base, rest) if is_rooted else join(folder, written))
            if isinstance(source, InputProblem):
                if not is_optional:
                    self.missing.append((f"the values `{written}` are not known: {source.message}", node.place))
                continue
            self.paths.add(source.path)
            self.values += (document.root for document in self.files.parsed(source).documents)

    def _take_reference(self, reference: Node) -> None:
        """An entry of `valuesFrom`: a ConfigMap of the same unit, or one that is not known."""
        kind, name = text_at(reference, "kind"), text_at(reference, "name")
        optional = reference.get("optional")
        key = text_at(reference, "valuesKey") or "values.yaml"
        text = self._data(kind, name, key)
        if text is None:
            if optional is None or optional.value is not True:
                where = reference.get("name") or reference
                self.missing.append((f"the values of {kind} `{name}` are not known", where.place))
            return
        self.paths.add(text.source.path)
        path = text_at(reference, "targetPath")
        if path:
            self._set(path, typed(text), reference)
        else:
            self._take(text)

    def _data(self, kind: str, name: str, key: str) -> Node | None:
        if kind != "ConfigMap":
            return None
        for document in self.documents:
            root = document.root
            if text_at(root, "kind") == kind and text_at(root, "apiVersion") == "v1":
                known = {name, *(f"{name}-{suffix}" for suffix in _hash_of(root, name))}
                if text_at(root, "metadata", "name") in known and self._is_near(root):
                    return root.get("data", key)
        return None

    def _is_near(self, root: Node) -> bool:
        namespace = text_at(root, "metadata", "namespace")
        return not namespace or not self.namespace or namespace == self.namespace

    def _take(self, node: Node | None) -> None:
        """Values as a mapping, or as the text of one."""
        if node is None:
            return
        if node.is_mapping:
            self.values.append(node)
        elif isinstance(node.value, str):
            self.values += inline_roots(node)

    def _assign(self, parameter: Node) -> None:
        node = parameter.get("value")
        forced = parameter.get("forceString")
        if node is None or isinstance(node.value, dict | list):
            return
        if forced is not None and forced.value is True:
            node = Node(_text(node.value), node.start, node.end, node.source, node.style, node.via)
        else:
            node = typed(node)
        self._set(text_at(parameter, "name"), node, parameter)

    def _set(self, path: str, value: Node, where: Node) -> None:
        try:
            self.values.append(assigned(None, steps_of(path), value))
        except ValueError:
            self.missing.append((f"`{path}` is no path of a value", where.place))


def _hash_of(root: Node, name: str) -> Iterator[str]:
    """The suffix that a kustomization gives the name of a ConfigMap it generates."""
    match = re.fullmatch(re.escape(name) + r"-([a-z0-9]{10})", text_at(root, "metadata", "name"))
    if match:
        yield match[1]


def _text(value: Scalar | list[Node] | dict[str, object]) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
