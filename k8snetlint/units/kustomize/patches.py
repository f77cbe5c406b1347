"""The patches of a kustomization: found, told apart and applied."""

from __future__ import annotations

from k8snetlint.source.discover import InputProblem
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node
from k8snetlint.units.classify import text_at

from .data import merge_keys
from .file import Kustomization, join
from .jsonpatch import PatchError, patched
from .load import Loader
from .merge import directive_of, merged
from .nodes import change_at, with_entry
from .resource import Resource, id_of
from .select import PatternError, selected, with_id
from .work import Work


class Patches:
    """Applies the patches of one kustomization to what it has gathered."""

    def __init__(self, work: Work, loader: Loader, kustomization: Kustomization) -> None:
        self.work = work
        self.loader = loader
        self.directory = kustomization.directory
        self.root = kustomization.root

    def merge_listed(self) -> None:
        """Applies `patchesStrategicMerge`: files, or texts in place."""
        for item in self._listed("patchesStrategicMerge"):
            text = item.value
            if not isinstance(text, str):
                continue
            roots = self.loader.inline(item) if "\n" in text or ":" in text else self._file(item)
            for root in roots:
                self._merge_by_id(root, item.place)

    def apply_listed(self) -> None:
        """Applies `patches`: of either sort, by target or by the identity in the patch."""
        for item in self._listed("patches"):
            self.apply_item(item)

    def apply_operations(self) -> None:
        """Applies `patchesJson6902`."""
        for item in self._listed("patchesJson6902"):
            self.apply_item(item)

    def apply_item(self, item: Node) -> None:
        """Applies one entry of `patches`: a path or a text, perhaps with a target."""
        target = item.get("target")
        for root in self._content(item):
            self._apply(root, target if target is not None and target.is_mapping else None, item)

    def _apply(self, root: Node, target: Node | None, item: Node) -> None:
        if root.is_sequence:
            if target is None:
                self.work.fail("a JSON patch needs a target", item.place)
                return
            self._replace({id(resource): self._operated(resource, root) for resource in self._selected(target, item)})
        elif target is None:
            self._merge_by_id(root, item.place)
        elif root.is_mapping:
            options = item.get("options")
            self._replace({id(resource): _merged(resource, root, options) for resource in self._selected(target, item)})

    def _listed(self, field: str) -> list[Node]:
        node = self.root.get(field)
        return node.items if node is not None else []

    def _content(self, item: Node) -> tuple[Node, ...]:
        if isinstance(item.value, str):
            # As kustomize had it before version 3.
            return self._file(item)
        inline = item.get("patch") or item.get("jsonOp")
        if inline is not None and isinstance(inline.value, str) and inline.value.strip():
            return self.loader.inline(inline)
        path = item.get("path")
        return self._file(path) if path is not None else ()

    def _file(self, item: Node) -> tuple[Node, ...]:
        source = self.loader.files.read(join(self.directory, str(item.value)))
        if isinstance(source, InputProblem):
            self.work.fail(source.message, item.place)
            return ()
        self.work.paths.add(source.path)
        return tuple(root for root in self.loader.roots(source) if root.value is not None)

    def _selected(self, target: Node, item: Node) -> list[Resource]:
        self.work.step(len(self.work.resources))
        try:
            return selected(self.work.resources, target)
        except PatternError as error:
            self.work.fail(str(error), item.place)
            return []

    def _merge_by_id(self, patch: Node, place: Place) -> None:
        if not patch.is_mapping:
            self.work.fail("a patch is neither an object nor a list of operations", place)
            return
        self.work.step(len(self.work.resources))
        wanted = id_of(patch)
        found = with_id(self.work.resources, wanted)
        if len(found) != 1:
            many = "more than one object is" if found else "no object is"
            self.work.miss(f"{many} `{wanted.kind} {wanted.name}`, which a patch is for", place)
            return
        self._replace({id(found[0]): _merged(found[0], patch, None)})

    def _operated(self, resource: Resource, operations: Node) -> Node | None:
        try:
            return patched(resource.root, operations, self.work.weigh)
        except PatchError as error:
            # The schemas of a CustomResourceDefinition were not read.
            if resource.id.kind != "CustomResourceDefinition":
                name = f"{resource.id.kind} `{resource.id.name}`"
                self.work.miss(f"a patch cannot be applied to {name}: {error.message}", error.node.place)
            return resource.root

    def _replace(self, changes: dict[int, Node | None]) -> None:
        """Puts new values in place of old ones; None takes the object away."""
        if not changes:
            return
        found: list[Resource] = []
        for resource in self.work.resources:
            root = changes.get(id(resource), resource.root)
            if root is not None and root.is_mapping and text_at(root, "kind"):
                found.append(resource.with_root(root))
        self.work.resources = found


def _merged(resource: Resource, patch: Node, options: Node | None) -> Node | None:
    """What a strategic merge patch makes of an object; its identity stays, unless the options say otherwise."""
    old = resource.root
    if directive_of(patch) == "delete":
        return None
    new = merged(old, patch, merge_keys(resource.id.group, resource.id.kind))
    if new is None:
        return None
    new = with_entry(new, "apiVersion", old.entries["apiVersion"].node, old.place)
    if not _is_true(options, "allowKindChange"):
        new = with_entry(new, "kind", old.entries["kind"].node, old.place)
    for field in ("name", "namespace"):
        if not (field == "name" and _is_true(options, "allowNameChange")):
            kept = old.get("metadata", field)
            new = change_at(new, ("metadata", field), lambda _, kept=kept: kept, old.place, create=True)  # type: ignore[misc]  # mypy cannot type the default
    return new


def _is_true(options: Node | None, name: str) -> bool:
    node = options.get(name) if options is not None else None
    return node is not None and node.value is True
