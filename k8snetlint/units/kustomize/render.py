"""Kustomizations to the objects that they apply."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.settings import Settings
from k8snetlint.source.discover import InputProblem
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Document, Node
from k8snetlint.units.classify import text_at
from k8snetlint.units.files import Files

from . import generators, replacements, transform, variables
from .charts import inflate
from .configuration import field_of, read_fields
from .data import COMMON_ANNOTATIONS, COMMON_LABELS, METADATA_LABELS, TEMPLATE_LABELS, Field
from .file import Kustomization, is_remote, join, read_kustomization
from .hashes import content_hash
from .load import Loader
from .nodes import MAX_STEPS_OF_A_PATH, change_at, copied
from .patches import Patches
from .plugins import generator_of, transform_by
from .references import References
from .resource import Resource, name_of
from .work import Accumulated, Reason, StepLimitError, Work

MAX_DEPTH = 40
_NEEDS_HASH = "kustomize.config.k8s.io/needs-hash"
_LOCAL = "config.kubernetes.io/local-config"
# Fields that make objects or change them, and that are not carried out here.
_UNSUPPORTED = {
    "openapi": "merge keys of `openapi` are not known",
}


@attrs.frozen
class Rendered:
    """What a kustomization applies, why that may not be all, and the files that it consists of."""

    documents: tuple[Document, ...]
    reasons: tuple[Reason, ...]
    paths: tuple[str, ...]


class Renderer:
    """Renders kustomizations of one run. What several of them share is gathered once."""

    def __init__(self, files: Files, settings: Settings) -> None:
        self.files = files
        self.settings = settings
        self.loader = Loader(files)
        self._accumulated: dict[tuple[str, Node], Accumulated] = {}

    def rendered(self, kustomization: Kustomization) -> Rendered:
        """The objects of a kustomization with their final names and references."""
        gathered = self._accumulate(kustomization, ())
        work = Work(kustomization.is_component)
        work.take_in(gathered, kustomization.root.place)
        try:
            _finish(work)
        except StepLimitError:
            work.reasons.append(_limit(kustomization))
        documents = tuple(
            Document(resource.index, resource.root, resource.comment_start)
            for resource in work.resources
            if not _is_local(resource)
        )
        return Rendered(documents, tuple(dict.fromkeys(work.reasons)), tuple(sorted(work.paths)))

    def _accumulate(self, kustomization: Kustomization, around: tuple[str, ...]) -> Accumulated:
        key = (kustomization.directory, kustomization.root)
        known = self._accumulated.get(key)
        if known is not None:
            return known
        work = Work(kustomization.is_component)
        self._gather(work, kustomization, around)
        found = self._accumulated[key] = work.accumulated()
        return found

    def _gather(self, work: Work, kustomization: Kustomization, around: tuple[str, ...]) -> None:
        """Everything of one kustomization, in kustomize's order; of a component on top of what is there."""
        root, directory = kustomization.root, kustomization.directory
        work.paths.add(kustomization.source.path)
        try:
            for item in kustomization.unlisted("resources", "bases", "components"):
                work.fail("an item here is a path", item.place)
            for item in kustomization.listed("resources", "bases"):
                self._add_resource(work, kustomization, item, around)
            for item in kustomization.listed("configurations"):
                for configuration in self._roots(work, directory, item):
                    fields = read_fields(configuration)
                    if fields.longest_path > MAX_STEPS_OF_A_PATH:
                        work.fail(f"fields deeper than {MAX_STEPS_OF_A_PATH} steps are left as they are", item.place)
                    work.fields = work.fields.joined(fields)
            generators.generate(work, self.files, root, directory)
            inflate(work, self.files, self.settings, kustomization)
            for plugin, item in self._plugins(work, kustomization, "generators", around):
                known = generator_of(plugin)
                if known is None:
                    work.fail(f"the generator `{text_at(plugin, 'kind')}` is not run", item.place)
                else:
                    kind = "ConfigMap" if known[0] == "configMapGenerator" else "Secret"
                    generators.generate_one(work, self.files, known[1], kind, None, directory)
            for item in kustomization.listed("components"):
                self._add_component(work, kustomization, item, around)
            self._transform(work, kustomization)
        except StepLimitError:
            work.reasons.append(_limit(kustomization))
        listed = root.get("vars")
        work.variables += (item for item in (listed.items if listed is not None else ()) if item.is_mapping)
        for field, message in _UNSUPPORTED.items():
            entry = root.entries.get(field)
            if entry is not None and entry.node.value:
                work.fail(message, entry.key.place)

    def _add_resource(self, work: Work, kustomization: Kustomization, item: Node, around: tuple[str, ...]) -> None:
        reference = str(item.value)
        path = join(kustomization.directory, reference)
        if reference.startswith("/"):
            work.fail(f"kustomize refuses the absolute path `{reference}`: it is not read", item.place)
        elif path in self.files.by_path or self.files.inputs.is_file(path):
            source = self.files.read(path)
            if isinstance(source, InputProblem):
                work.fail(source.message, item.place)
                return
            work.paths.add(source.path)
            resources = self.loader.resources(source)
            if not resources:
                work.fail(f"`{source.path}` declares no object", item.place)
            work.add(resources, item.place)
        elif self.files.inputs.is_directory(path):
            inner = self._inner(work, item, path, kustomization, around)
            if inner is not None:
                work.take_in(self._accumulate(inner, (*around, kustomization.directory)), item.place)
        elif is_remote(reference):
            work.fail(f"the remote base `{reference}` is not fetched", item.place)
        else:
            problem = self.files.read(path)
            known = f"`{path}` cannot be read"
            work.fail(problem.message if isinstance(problem, InputProblem) else known, item.place)

    def _add_component(self, work: Work, kustomization: Kustomization, item: Node, around: tuple[str, ...]) -> None:
        reference = str(item.value)
        path = join(kustomization.directory, reference)
        if is_remote(reference) and not self.files.inputs.is_directory(path):
            work.fail(f"the remote component `{reference}` is not fetched", item.place)
            return
        inner = self._inner(work, item, path, kustomization, around)
        if inner is not None:
            self._gather(work, inner, (*around, kustomization.directory))

    def _inner(
        self, work: Work, item: Node, path: str, kustomization: Kustomization, around: tuple[str, ...]
    ) -> Kustomization | None:
        """The kustomization of a folder that another one lists."""
        if path == kustomization.directory or path in around:
            work.fail(f"the kustomization `{path}` leads back to itself", item.place)
            return None
        if len(around) >= MAX_DEPTH:
            message = f"kustomizations lie more than {MAX_DEPTH} deep in one another: this one is left out"
            work.reasons.append(Reason(message, item.place, is_limit=True))
            return None
        inner = read_kustomization(self.files, path)
        if inner is None:
            problem = self.files.read(path)
            is_outside = isinstance(problem, InputProblem) and self.files.inputs.real_path(path) is None
            message = f"`{path}` is no folder with a kustomization"
            work.fail(problem.message if is_outside and isinstance(problem, InputProblem) else message, item.place)
        return inner

    def _roots(self, work: Work, directory: str, item: Node) -> tuple[Node, ...]:
        source = self.files.read(join(directory, str(item.value)))
        if isinstance(source, InputProblem):
            work.fail(source.message, item.place)
            return ()
        work.paths.add(source.path)
        return self.loader.roots(source)

    def _transform(self, work: Work, kustomization: Kustomization) -> None:
        """The transformers in the order in which kustomize runs them, whatever order they are written in."""
        root, fields = kustomization.root, work.fields
        patches = Patches(work, self.loader, kustomization)
        patches.merge_listed()
        patches.apply_listed()
        namespace = _text_node(root, "namespace")
        if namespace is not None:
            work.weigh(namespace, len(work.resources))
            work.resources = transform.in_namespace(work.resources, namespace, fields.namespace)
        for field, is_prefix in (("namePrefix", True), ("nameSuffix", False)):
            affix = _text_node(root, field)
            if affix is not None:
                work.weigh(affix, len(work.resources))
                work.resources = transform.with_affix(work.resources, affix, is_prefix)
        self._label(work, root)
        patches.apply_operations()
        replicas = root.get("replicas")
        if replicas is not None:
            work.step(len(work.resources) * len(replicas.items))
            work.resources = transform.with_replicas(work.resources, replicas, fields.replicas)
        self._replace(work, kustomization)
        for plugin, item in self._plugins(work, kustomization, "transformers", ()):
            if not transform_by(work, plugin, patches):
                work.fail(f"the transformer `{text_at(plugin, 'kind')}` is not run", item.place)

    def _plugins(
        self, work: Work, kustomization: Kustomization, field: str, around: tuple[str, ...]
    ) -> Iterator[tuple[Node, Node]]:
        """The configurations that `generators` or `transformers` name, each with the item that names it."""
        for item in kustomization.listed(field):
            if "\n" in str(item.value):
                roots = self.loader.inline(item)
            elif self.files.inputs.is_directory(join(kustomization.directory, str(item.value))):
                inner = self._inner(work, item, join(kustomization.directory, str(item.value)), kustomization, around)
                gathered = self._accumulate(inner, (*around, kustomization.directory)) if inner is not None else None
                roots = tuple(each.root for each in gathered.resources) if gathered is not None else ()
            else:
                roots = self._roots(work, kustomization.directory, item)
            yield from ((root, item) for root in roots)

    def _label(self, work: Work, root: Node) -> None:
        common = (*COMMON_LABELS, *work.fields.labels)
        jobs: list[tuple[Node | None, tuple[Field, ...]]] = []
        listed = root.get("labels")
        for item in listed.items if listed is not None else ():
            jobs.append((item.get("pairs"), _label_fields(item, common)))
        jobs.append((root.get("commonLabels"), common))
        jobs.append((root.get("commonAnnotations"), (*COMMON_ANNOTATIONS, *work.fields.annotations)))
        for pairs, fields in jobs:
            if pairs is not None and pairs.is_mapping:
                work.weigh(pairs, len(work.resources))
                work.resources = transform.with_pairs(work.resources, pairs, fields)

    def _replace(self, work: Work, kustomization: Kustomization) -> None:
        listed = kustomization.root.get("replacements")
        for item in listed.items if listed is not None else ():
            path = item.get("path")
            if path is None:
                replacements.replace(work, item)
                continue
            for root in self._roots(work, kustomization.directory, path):
                for replacement in root.items or [root]:
                    replacements.replace(work, replacement)


def _label_fields(item: Node, common: tuple[Field, ...]) -> tuple[Field, ...]:
    listed = item.get("fields")
    own = tuple(field_of(each) for each in (listed.items if listed is not None else ()) if text_at(each, "path"))
    if _is_true(item, "includeSelectors"):
        return (*common, *own)
    return (*METADATA_LABELS, *(TEMPLATE_LABELS if _is_true(item, "includeTemplates") else ()), *own)


def _finish(work: Work) -> None:
    """What kustomize does once at the very end: hashes, references, variables."""
    work.resources = [_with_hash(resource) for resource in work.resources]
    references = References(work.resources, work.fields.name_references)
    work.step(len(work.resources))
    work.resources = [references.followed(resource) for resource in work.resources]
    variables.resolve(work)
    work.resources = [_without_empty(resource) for resource in work.resources]


def _without_empty(resource: Resource) -> Resource:
    """The object without empty labels and annotations: kustomize writes none."""
    root = resource.root
    for field in ("labels", "annotations"):
        node = root.get("metadata", field)
        if node is not None and node.is_mapping and not node.value:
            root = change_at(root, ("metadata", field), lambda _: None, root.place)
    return resource.with_root(root)


def _with_hash(resource: Resource) -> Resource:
    wanted = resource.root.get("metadata", "annotations", _NEEDS_HASH)
    name = resource.root.get("metadata", "name")
    if name is None or resource.id.kind not in ("ConfigMap", "Secret"):
        return resource
    if not resource.needs_hash and (wanted is None or wanted.value not in ("true", True)):
        return resource
    place = resource.root.place
    new = copied(name, f"{name_of(resource.root)}-{content_hash(resource.root)}", place)
    return resource.with_root(change_at(resource.root, ("metadata", "name"), lambda _: new, place))


def _is_local(resource: Resource) -> bool:
    node = resource.root.get("metadata", "annotations", _LOCAL)
    return node is not None and node.value in ("true", True)


def _is_true(node: Node, field: str) -> bool:
    found = node.get(field)
    return found is not None and found.value is True


def _text_node(root: Node, field: str) -> Node | None:
    node = root.get(field)
    return node if node is not None and isinstance(node.value, str) and node.value else None


def _limit(kustomization: Kustomization) -> Reason:
    source = kustomization.source
    place = Place(source, kustomization.root.span)
    return Reason("patches and objects are more than are worked through: the rest is left out", place, is_limit=True)
