"""Documents to typed objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from k8snetlint.settings import Settings
from k8snetlint.source.tree import Document, Path

from .cluster import Cluster
from .core import Resource
from .kinds import BUILDERS, CLUSTER_SCOPED, POD_TEMPLATES
from .values import name_of, string_map_of, text_of
from .workloads import build_workload

Builder = Callable[[Resource], Resource]


def build_resource(document: Document, namespace: str = "default") -> Resource | None:
    """The untyped object of a document; None if it has no apiVersion and kind."""
    root = document.root
    api_version, kind = text_of(root.get("apiVersion")), text_of(root.get("kind"))
    if not api_version or not kind:
        return None
    metadata = root.get("metadata")
    get = metadata.get if metadata is not None else _nothing
    own = name_of(get("namespace")) or None
    name = name_of(get("name")) or text_of(get("generateName")) or ""
    labels, annotations = string_map_of(get("labels")), string_map_of(get("annotations"))
    is_cluster_scoped = (api_version.rpartition("/")[0], kind) in CLUSTER_SCOPED
    effective = None if is_cluster_scoped else own or namespace
    return Resource(api_version, kind, effective, name, labels, annotations, document, own is not None)


def _nothing(*_path: str | int) -> None:
    return None


def build_cluster(documents: Iterable[Document], settings: Settings, context: Iterable[Document] = ()) -> Cluster:
    """The cluster that documents make together; those without apiVersion and kind are left out."""
    builder = _ModelBuilder(settings)
    return Cluster(
        builder.resources(documents), builder.resources(context), external_namespaces=settings.external.namespaces
    )


class _ModelBuilder:
    """Imports the module of a kind when the kind first appears."""

    def __init__(self, settings: Settings) -> None:
        self.namespace = settings.namespace
        self.templates = dict(POD_TEMPLATES)
        for custom in settings.workloads:
            self.templates[custom.group, custom.kind] = tuple(custom.template.split("."))
        self.builders: dict[tuple[str, str], Builder | None] = {}

    def resources(self, documents: Iterable[Document]) -> list[Resource]:
        found: list[Resource] = []
        for document in documents:
            resource = build_resource(document, self.namespace)
            if resource is not None:
                build = self._builder(resource.group, resource.kind)
                found.append(build(resource) if build is not None else resource)
        return found

    def _builder(self, group: str, kind: str) -> Builder | None:
        key = (group, kind)
        if key not in self.builders:
            self.builders[key] = self._find_builder(key)
        return self.builders[key]

    def _find_builder(self, key: tuple[str, str]) -> Builder | None:
        template = self.templates.get(key)
        if template is not None:
            return _workload_builder(template)
        reference = BUILDERS.get(key)
        if reference is None:
            return None
        module, _, function = reference.partition(":")
        found: Builder = getattr(import_module(f"{__package__}.{module}"), function)
        return found


def _workload_builder(template: Path) -> Builder:
    return lambda resource: build_workload(resource, template)
