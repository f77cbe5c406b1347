"""Objects of Flux, Argo CD and Helm controllers: what they apply from this tree, and what they make unseen."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TypeAlias

import attrs

from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Entry, Node, Plain

from .classify import CHART_NAME, text_at
from .files import Files
from .folders import ancestors, enclosing, folder_of, is_below
from .kustomize.file import Kustomization, join, read_kustomization
from .layout import Layout
from .unit import EVERY_NAMESPACE, Unit

GROUPS = ("kustomize.toolkit.fluxcd.io", "argoproj.io")
_FLUX, _ARGO = GROUPS
# Groups whose objects install charts.
RELEASE_GROUPS = ("helm.toolkit.fluxcd.io", _ARGO)
# What a controller renders a chart for.
_CHART_KINDS = frozenset({("helm.toolkit.fluxcd.io", "HelmRelease"), ("helm.cattle.io", "HelmChart")})
_PLACEHOLDER = re.compile(r"[${<]")
# Fields of Flux's Kustomization and of an Application's `kustomize` that mean what the kustomization's own field means.
_SHARED_FIELDS = (
    "namePrefix",
    "nameSuffix",
    "patches",
    "replicas",
    "commonLabels",
    "commonAnnotations",
    "namespace",
)


# The place of an object, and the folder that it names.
Origin: TypeAlias = tuple[tuple[SourceFile, int], str]


@attrs.frozen
class Application:
    """An object that has a controller apply a folder: a Kustomization of Flux, an Application of Argo CD.

    `path` is the node that names the folder, `folder` that folder, None where it is not among what was given, and
    `why_not` then says why. `settings` are the fields that change what is applied, `origin` tells objects apart.
    """

    kind: str
    name: str
    path: Node
    folder: str | None
    why_not: str
    settings: Node
    root: Node
    namespace: str | None = None

    @property
    def place(self) -> tuple[SourceFile, int]:
        """The file and offset of the object."""
        return self.root.source, self.root.start

    @property
    def origin(self) -> Origin:
        """The place of the object, and the folder that it names."""
        return self.place, str(self.path.value)

    def is_like(self, other: Application) -> bool:
        """Whether the same folder is applied in the same way."""
        if (self.kind, self.folder, self.namespace) != (other.kind, other.folder, other.namespace):
            return False
        fields = (
            *_SHARED_FIELDS,
            "targetNamespace",
            "commonMetadata",
            "components",
            "postBuild",
            "kustomize",
            "directory",
        )
        return all(_plain_at(self.settings, field) == _plain_at(other.settings, field) for field in fields)

    @property
    def own(self) -> Node:
        """What stands for fields of a kustomization."""
        if self.is_flux:
            return self.settings
        at = self.path
        return self.settings.get("kustomize") or Node({}, at.start, at.end, at.source)

    def components(self) -> Iterator[str]:
        """The folders of the components that are mixed in."""
        listed = self.own.get("components")
        for item in listed.items if listed is not None else ():
            if isinstance(item.value, str):
                yield join(self.folder or ".", item.value)

    @property
    def is_flux(self) -> bool:
        """Whether Flux applies it: as a kustomization even where the folder has none."""
        return self.kind == "Kustomization"


def applications_of(files: Files, documents: tuple[Node, ...]) -> Iterator[Application]:
    """The folders that objects have applied. Charts are none of them."""
    for root in documents:
        group = text_at(root, "apiVersion").rpartition("/")[0]
        kind = text_at(root, "kind")
        spec = root.get("spec")
        if spec is None or (group, kind) not in ((_FLUX, "Kustomization"), (_ARGO, "Application")):
            continue
        name = text_at(root, "metadata", "name")
        if group == _FLUX:
            # Without a path Flux takes the root of the source.
            path = spec.get("path") or Node("./", spec.start, spec.start, spec.source)
            folder, why_not = _folder(files, root.source.path, path)
            yield Application(kind, name, path, folder, why_not, spec, root)
            continue
        destination = text_at(spec, "destination", "namespace") or None
        listed = spec.get("sources")
        for source in listed.items if listed is not None and listed.items else [spec.get("source")]:
            path_ = source.get("path") if source is not None else None
            if source is None or path_ is None or not isinstance(path_.value, str):
                continue
            folder, why_not = _folder(files, root.source.path, path_)
            if folder is not None and files.inputs.is_file(join(folder, CHART_NAME)):
                continue
            yield Application(kind, name, path_, folder, why_not, source, root, destination)


def _folder(files: Files, around: str, path: Node) -> tuple[str | None, str]:
    """The folder that a path from the root of a repository means, or why there is none.

    The root is that of the git repository; where there is none, or no such folder in it, the folder is looked for around
    the file that names it, the nearest first.
    """
    written = str(path.value or ".")
    if _PLACEHOLDER.search(written):
        return None, f"`{written}` is not known before it is filled in"
    inside = posixpath.normpath(written.lstrip("/") or ".")
    if inside.startswith(".."):
        return None, f"`{written}` leaves its repository"
    inputs = files.inputs
    root = _repository(inputs.directory, folder_of(around))
    candidates = [] if root is None else [join(root, inside)]
    if inside != ".":
        candidates += (join(folder, inside) for folder in (*ancestors(folder_of(around)), "."))
    elif root is None:
        candidates += (join(".", os.path.relpath(each, inputs.directory).replace(os.sep, "/")) for each in inputs.roots)
    for candidate in candidates:
        if inputs.is_directory(candidate):
            if inside == "." and read_kustomization(files, candidate) is None:
                # Everything there is would be one unit, on the word of an object that may mean another repository.
                return None, "the root of a repository is not gone through"
            return candidate, ""
    if candidates and root is not None and inputs.real_path(candidates[0]) is None:
        return None, f"`{written}` lies outside the given paths"
    return None, f"`{written}` is not among the given files"


def _repository(directory: str, folder: str) -> str | None:
    """The root of the git repository around a folder, relative to the working directory."""
    current = os.path.realpath(os.path.join(directory, folder))
    while not os.path.exists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent
    return os.path.relpath(current, directory).replace(os.sep, "/")


@attrs.frozen
class Followed:
    """What came of an application: the namespaces of what it applies of this tree, or why nothing of it is seen."""

    namespaces: frozenset[str] = frozenset()
    why_not: str = ""


@attrs.frozen
class Taken:
    """What an application takes from a layout: kustomizations by folder, and files with manifests."""

    kustomizations: tuple[str, ...]
    files: tuple[SourceFile, ...]


def taken_by(application: Application, layout: Layout) -> Taken:
    """What of a layout an application applies; nothing where the folder holds no manifest.

    Source: Flux, Kustomization: a folder without a kustomization is gone through; one with a kustomization is taken as
    that, and not entered. Argo CD, Directory: the files of the folder itself unless `recurse` is set.
    """
    folder = application.folder
    if folder is None:
        return Taken((), ())
    if folder in layout.kustomizations:
        return Taken((folder,), ())
    if not application.is_flux:
        return Taken((), tuple(source for source in layout.plain if _in_directory(application, folder, source)))
    below = {directory: directory for directory in layout.kustomizations if is_below(directory, folder)}
    outermost = tuple(directory for directory in below if enclosing(directory, below) == directory)
    plain = tuple(
        source
        for source in layout.plain
        if is_below(source.path, folder) and enclosing(folder_of(source.path), below) is None
    )
    return Taken(outermost, plain)


def _in_directory(application: Application, folder: str, source: SourceFile) -> bool:
    settings = application.settings
    recurse = settings.get("directory", "recurse")
    if not is_below(source.path, folder):
        return False
    if folder_of(source.path) != folder and (recurse is None or recurse.value is not True):
        return False
    inside = posixpath.relpath(source.path, folder)
    include, exclude = text_at(settings, "directory", "include"), text_at(settings, "directory", "exclude")
    return (not include or _matches(inside, include)) and not (exclude and _matches(inside, exclude))


def _matches(path: str, pattern: str) -> bool:
    """Whether a path matches a glob, of which `{a,b}` lists several."""
    patterns = pattern[1:-1].split(",") if pattern.startswith("{") and pattern.endswith("}") else [pattern]
    return any(fnmatchcase(path, each.strip()) for each in patterns)


def kustomization_of(application: Application, taken: Taken) -> Kustomization:
    """What an application comes to, written as a kustomization: every part stands where the application has it."""
    at = application.path
    settings, folder = application.settings, application.folder or "."
    own = application.own
    listed = [*taken.kustomizations, *(source.path for source in taken.files)]
    entries = {"resources": Entry(at, Node([_moved(at, path) for path in listed], at.start, at.end, at.source))}
    for field in _SHARED_FIELDS:
        entry = own.entries.get(field)
        if entry is not None:
            entries[field] = entry
    target = settings.entries.get("targetNamespace")
    if target is not None:
        entries["namespace"] = Entry(target.key, target.node)
    for field, common in (("labels", "commonLabels"), ("annotations", "commonAnnotations")):
        # Flux puts these on the objects alone, and neither on selectors nor on templates.
        pairs = settings.get("commonMetadata", field)
        if pairs is not None and field == "labels":
            item = Node({"pairs": Entry(pairs, pairs)}, pairs.start, pairs.end, pairs.source)
            entries["labels"] = Entry(pairs, Node([item], pairs.start, pairs.end, pairs.source))
        elif pairs is not None:
            entries[common] = Entry(pairs, pairs)
    components = own.get("components")
    if components is not None and components.items:
        moved = [
            _moved(item, join(folder, item.value)) if isinstance(item.value, str) else item for item in components.items
        ]
        entries["components"] = Entry(
            components, Node(list(moved), components.start, components.end, components.source)
        )
    root = Node(dict(entries), application.root.start, application.root.end, application.root.source)
    return Kustomization("", application.root.source, root)


def _plain_at(node: Node, field: str) -> Plain:
    found = node.get(field)
    return None if found is None else found.plain()


def _moved(node: Node, path: str) -> Node:
    """A path as it is from the working directory, at the place where it is written."""
    return Node(path, node.start, node.end, node.source, node.style)


def opaque_namespaces(unit: Unit, applied: Mapping[tuple[SourceFile, int], Followed]) -> list[tuple[str, str, Place]]:
    """The namespaces in which objects of a unit make others that are not in it, each with the words for it.

    `applied` has, by the place of an object, what came of it; there are no words where that is a unit of its own.
    """
    found: list[tuple[str, str, Place]] = []
    for document in unit.documents:
        root = document.root
        group = text_at(root, "apiVersion").rpartition("/")[0]
        kind = text_at(root, "kind")
        name = text_at(root, "metadata", "name")
        if (group, kind) in _CHART_KINDS:
            target = (
                text_at(root, "spec", "targetNamespace") or text_at(root, "metadata", "namespace") or unit.namespace
            )
        elif (group, kind) == (_FLUX, "Kustomization"):
            target = text_at(root, "spec", "targetNamespace")
        elif (group, kind) == (_ARGO, "Application"):
            target = text_at(root, "spec", "destination", "namespace")
        elif (group, kind) == (_ARGO, "ApplicationSet"):
            target = text_at(root, "spec", "template", "spec", "destination", "namespace")
        else:
            continue
        known = applied.get((root.source, root.start))
        if known is not None and not known.why_not:
            found += ((namespace, "", root.at("kind").place) for namespace in sorted(known.namespaces))
            continue
        if not target or _PLACEHOLDER.search(target):
            target = EVERY_NAMESPACE
        where = "any namespace" if target == EVERY_NAMESPACE else f"namespace `{target}`"
        message = f"{kind} `{name}` makes objects in {where} that cannot be seen here"
        if known is not None:
            message = f"{message}: {known.why_not}"
        found.append((target, message, root.at("kind").place))
    return found
