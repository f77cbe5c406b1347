"""Kustomizations as `kustomize` builds them, with the origins that k8snetlint knows."""

from __future__ import annotations

import os
import posixpath
import shutil

from k8snetlint.source.inputs import slashed
from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Document, Entry, Node

from .aligned import aligned, by_identity, identity_of, parsed_output
from .classify import KUSTOMIZATION_NAMES, objects_of, text_at
from .files import Files, head
from .kustomize.file import Kustomization, is_remote, join
from .kustomize.render import Rendered
from .kustomize.work import Reason
from .programs import Programs, write_text
from .write import yaml_text

MAX_COPIED_FILES = 100_000
MAX_COPIED_SIZE = 500_000_000
MAX_COPIED_FILE_SIZE = 16_000_000
_ORIGIN = "config.kubernetes.io/origin"
# Fields whose items may be folders or addresses.
_FOLDERS = ("resources", "bases", "components", "generators", "transformers", "validators")

_CHARTS = ("helmCharts", "helmChartInflationGenerator")


class Builder:
    """Has `kustomize` build kustomizations, on one copy of all that was given."""

    def __init__(self, files: Files, programs: Programs) -> None:
        self.files = files
        self.programs = programs
        roots = [root if os.path.isdir(root) else os.path.dirname(root) for root in files.inputs.roots]
        self.base = os.path.commonpath(roots) if roots else files.inputs.directory
        self.refused: dict[str, list[Reason]] = {}
        self.too_large: str | None = None
        self.tree: str | None = None
        self.synthetic = 0

    def built(self, kustomization: Kustomization, own: Rendered) -> Rendered:
        """What `kustomize` makes of a kustomization; `own` is what k8snetlint makes of it, and knows the places."""
        tree = self._tree()
        place = head(kustomization.source)
        reasons = [reason for path in own.paths for reason in self.refused.get(path, ())]
        if self.too_large is not None:
            return Rendered((), (*reasons, Reason(self.too_large, place, is_limit=True)), own.paths)
        where = self._prepared(kustomization, tree)
        ran = self.programs.run("kustomize", ("build", where), tree)
        if ran.failure:
            return Rendered((), (*reasons, Reason(ran.failure, place, is_limit=ran.is_limit)), own.paths)
        documents, problems = parsed_output(ran.output, place)
        known = by_identity(own.documents)
        found = []
        for document in documents:
            origin = text_at(document.root, "metadata", "annotations", _ORIGIN)
            root = _without_origin(document.root)
            old = known.get(identity_of(root)) or self._written(root, origin, where, place)
            new = aligned(root, old.root if old is not None else None, place)
            found.append(
                Document(old.index, new, old.comment_start) if old is not None else Document(document.index, new)
            )
        return Rendered(tuple(found), (*reasons, *problems), own.paths)

    def _tree(self) -> str:
        """The copy of all files that were given, made when it is first needed."""
        if self.tree is None:
            self.tree = self.programs.folder("tree")
            self._copy(self.tree)
        return self.tree

    def _copy(self, tree: str) -> None:
        files, inputs = 0, self.files.inputs
        size = 0
        by_real = {inputs.real_path(source.path): source for source in inputs.files}
        for root in inputs.roots:
            is_folder = os.path.isdir(root)
            names = inputs.names_below(root) if is_folder else (os.path.basename(root),)
            folder = root if is_folder else os.path.dirname(root)
            for name in names:
                real = os.path.join(folder, name)
                if os.path.islink(real) or not os.path.isfile(real):
                    continue
                length = os.path.getsize(real)
                if length > MAX_COPIED_FILE_SIZE:
                    continue
                files, size = files + 1, size + length
                if files > MAX_COPIED_FILES or size > MAX_COPIED_SIZE:
                    self.too_large = "the given paths are too large to be copied for `kustomize`"
                    return
                target = os.path.join(tree, os.path.relpath(real, self.base))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                source = by_real.get(real)
                if os.path.basename(real) in KUSTOMIZATION_NAMES:
                    self._copy_kustomization(source, real, target)
                elif source is not None:
                    write_text(target, source.text)
                else:
                    shutil.copyfile(real, target)

    def _copy_kustomization(self, source: SourceFile | None, real: str, target: str) -> None:
        if source is None:
            read = self.files.read(slashed(os.path.relpath(real, self.files.inputs.directory)))
            if not isinstance(read, SourceFile):
                return
            source = read
        documents = self.files.parsed(source).documents
        root = documents[0].root if documents else None
        if root is None or not root.is_mapping:
            write_text(target, source.text)
            return
        kept, self.refused[source.path] = self._kept(root, source)
        write_text(target, source.text if kept is root else yaml_text(kept))

    def _kept(self, root: Node, source: SourceFile) -> tuple[Node, list[Reason]]:
        """A kustomization without what would be fetched, or read from elsewhere, and what that is."""
        entries = dict(root.entries)
        refused: list[Reason] = []
        folder = posixpath.dirname(source.path)
        for field in _FOLDERS:
            entry = entries.get(field)
            if entry is None or not entry.node.is_sequence:
                continue
            items = []
            for item in entry.node.items:
                reason = self._refusal(item, folder)
                if reason is None:
                    items.append(item)
                else:
                    refused.append(Reason(reason, item.place))
            if len(items) < len(entry.node.items):
                entries[field] = Entry(entry.key, _with(entry.node, items))
        for field in _CHARTS:
            entry = entries.get(field)
            if entry is not None and entry.node.value:
                del entries[field]
                reason = f"`{field}` are left out: `kustomize` would start `helm` for them, which fetches"
                refused.append(Reason(reason, entry.key.place))
        return (_with(root, entries), refused) if refused else (root, refused)

    def _refusal(self, item: Node, folder: str) -> str | None:
        text = item.value
        if not isinstance(text, str) or "\n" in text:
            return None
        if text.startswith("/"):
            return f"kustomize refuses the absolute path `{text}`: it is not read"
        path = join(folder, text)
        inputs = self.files.inputs
        if inputs.is_file(path) or inputs.is_directory(path):
            return None
        if is_remote(text):
            return f"the remote base `{text}` is not fetched"
        if inputs.real_path(path) is None:
            return f"`{path}` lies outside the given paths: it is not read"
        return None

    def _prepared(self, kustomization: Kustomization, tree: str) -> str:
        """The folder to build: the kustomization's own in the copy, with origins asked for."""
        root = kustomization.root
        if kustomization.directory:
            where = self._in_tree(kustomization.directory, tree)
            target = os.path.join(where, os.path.basename(kustomization.source.path))
            if not root.entries:
                return where
            root, _ = self._kept(root, kustomization.source)
        else:
            where = os.path.join(tree, f".k8snetlint-{self.synthetic}")
            self.synthetic += 1
            os.makedirs(where)
            target = os.path.join(where, KUSTOMIZATION_NAMES[0])
            root = self._moved(root, where, tree)
        entries = dict(root.entries)
        wanted = Node("originAnnotations", root.start, root.start, root.source)
        listed = root.get("buildMetadata")
        items = [item for item in (listed.items if listed is not None else ()) if item.value != wanted.value]
        entries["buildMetadata"] = Entry(wanted, Node([*items, wanted], root.start, root.start, root.source))
        write_text(target, yaml_text(_with(root, entries)))
        return where

    def _moved(self, root: Node, where: str, tree: str) -> Node:
        """A kustomization that no file holds, for a folder of its own: files are copied into it."""
        entries = dict(root.entries)
        for field in ("resources", "components"):
            entry = entries.get(field)
            items = []
            for number, item in enumerate(entry.node.items if entry is not None else ()):
                path = self._in_tree(str(item.value), tree)
                if os.path.isfile(path):
                    name = f"{number}-{os.path.basename(path)}"
                    shutil.copyfile(path, os.path.join(where, name))
                else:
                    name = slashed(os.path.relpath(path, where))
                items.append(Node(name, item.start, item.end, item.source, item.style))
            if entry is not None:
                entries[field] = Entry(entry.key, _with(entry.node, items))
        return _with(root, entries)

    def _in_tree(self, path: str, tree: str) -> str:
        real = self.files.inputs.real_path(path) or self.base
        return os.path.normpath(os.path.join(tree, os.path.relpath(real, self.base)))

    def _written(self, root: Node, origin: str, where: str, place: Place) -> Document | None:
        """The object in the file that the program says a resource comes from."""
        for line in origin.splitlines():
            key, _, value = line.partition(": ")
            if key != "path" or self.tree is None:
                continue
            copied = os.path.normpath(os.path.join(where, value))
            real = os.path.join(self.base, os.path.relpath(copied, self.tree))
            source = self.files.read(slashed(os.path.relpath(real, self.files.inputs.directory)))
            if not isinstance(source, SourceFile):
                return None
            objects = [each for document in self.files.parsed(source).documents for each in objects_of(document)]
            like = [each for each in objects if text_at(each.root, "kind") == text_at(root, "kind")]
            return like[0] if len(like) == 1 else next((each for each in like if _is_renamed(each.root, root)), None)
        return None


def _is_renamed(written: Node, made: Node) -> bool:
    name = text_at(written, "metadata", "name")
    return bool(name) and name in text_at(made, "metadata", "name")


def _without_origin(root: Node) -> Node:
    annotations = root.get("metadata", "annotations")
    if annotations is None or _ORIGIN not in annotations.entries:
        return root
    metadata = root.at("metadata")
    rest = {name: entry for name, entry in annotations.entries.items() if name != _ORIGIN}
    inner = dict(metadata.entries)
    inner["annotations"] = Entry(inner["annotations"].key, _with(annotations, rest))
    if not rest:
        del inner["annotations"]
    outer = dict(root.entries)
    outer["metadata"] = Entry(outer["metadata"].key, _with(metadata, inner))
    return _with(root, outer)


def _with(node: Node, value: list[Node] | dict[str, Entry]) -> Node:
    return Node(value, node.start, node.end, node.source, node.style, node.via)
