"""ConfigMaps and Secrets made of files, environment files and literals."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Iterator

from k8snetlint.source.discover import InputProblem
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import BLOCK, QUOTED, Entry, Node
from k8snetlint.units.classify import text_at
from k8snetlint.units.files import Files

from .file import join
from .nodes import copied, made, with_entry
from .resource import Resource, id_of
from .select import with_id
from .work import Work


def generate(work: Work, files: Files, root: Node, directory: str) -> None:
    """Adds what the generators of a kustomization make, or merges it into what they name."""
    options = root.get("generatorOptions")
    for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        listed = root.get(field)
        for entry in listed.items if listed is not None else ():
            if entry.is_mapping:
                generate_one(work, files, entry, kind, options, directory)


def generate_one(work: Work, files: Files, entry: Node, kind: str, general: Node | None, directory: str) -> None:
    """Adds what one generator makes, or merges it into what it names. `general` are the options of all of them."""
    generated = _generated(work, files, entry, kind, general, directory)
    behavior = text_at(entry, "behavior")
    old = with_id(work.resources, generated.id)
    if behavior not in ("merge", "replace"):
        work.add([generated], entry.place)
        return
    if len(old) != 1:
        name = text_at(entry, "name")
        work.miss(f"there is no {kind} `{name}` for the generator to {behavior}", entry.place)
        return
    data = generated.root
    if behavior == "merge":
        for field in ("data", "binaryData"):
            data = _with_inherited(data, old[0].root.get(field), field)
    metadata = old[0].root.at("metadata")
    for field in ("labels", "annotations"):
        for key, added in (generated.root.get("metadata", field) or metadata).entries.items():
            if generated.root.get("metadata", field) is not None:
                inner = metadata.get(field) or made({}, entry.place)
                metadata = with_entry(metadata, field, with_entry(inner, key, added.node, entry.place), entry.place)
    data = with_entry(data, "metadata", metadata, entry.place)
    merged = old[0].with_root(data).hashed(generated.needs_hash)
    work.resources = [merged if resource is old[0] else resource for resource in work.resources]


def _with_inherited(root: Node, old: Node | None, field: str) -> Node:
    """The root with the entries that a field had before, where it has none of that name."""
    if old is None or not old.is_mapping:
        return root
    new = root.get(field)
    entries = {**old.entries, **(new.entries if new is not None else {})}
    return with_entry(root, field, copied(old, entries), old.place)


def _generated(work: Work, files: Files, entry: Node, kind: str, general: Node | None, directory: str) -> Resource:
    place = entry.place
    metadata = made({}, place)
    name = entry.get("name")
    if name is not None:
        metadata = with_entry(metadata, "name", name, place)
    namespace = entry.get("namespace")
    if namespace is not None:
        metadata = with_entry(metadata, "namespace", namespace, place)
    own = entry.get("options")
    for options in (general, own):
        for field in ("labels", "annotations"):
            pairs = options.get(field) if options is not None else None
            for key, pair in pairs.entries.items() if pairs is not None else ():
                inner = metadata.get(field) or made({}, place)
                metadata = with_entry(metadata, field, with_entry(inner, key, pair.node, place), place)
    root = made({}, place)
    root = with_entry(root, "apiVersion", made("v1", place), place)
    root = with_entry(root, "kind", made(kind, place), place)
    root = with_entry(root, "metadata", metadata, place)
    data: dict[str, Entry] = {}
    for name_node, value in _pairs(work, files, entry, directory):
        if kind == "Secret":
            text = base64.b64encode(str(value.value).encode("utf-8", "surrogatepass")).decode()
            value = copied(value, text, value.place)
        data[str(name_node.value)] = Entry(name_node, value)
    if data:
        root = with_entry(root, "data", made(data, place), place)
    if kind == "Secret":
        root = with_entry(root, "type", entry.get("type") or made("Opaque", place), place)
    if _option(own, general, "immutable"):
        root = with_entry(root, "immutable", made(True, place), place)
    needs_hash = not _option(own, general, "disableNameSuffixHash")
    return Resource(root, (id_of(root),), needs_hash=needs_hash, comment_start=place.span.start)


def _option(own: Node | None, general: Node | None, name: str) -> bool:
    return any(
        options is not None and (node := options.get(name)) is not None and node.value is True
        for options in (own, general)
    )


def _pairs(work: Work, files: Files, entry: Node, directory: str) -> Iterator[tuple[Node, Node]]:
    """The keys and values of a generator, in kustomize's order."""
    environments = [*_strings(entry.get("envs")), *_strings(entry.get("env"))]
    for item in environments:
        source = _read(work, files, item, join(directory, str(item.value)))
        if source is not None:
            yield from _environment(source)
    for item in _strings(entry.get("literals")):
        key, separator, value = str(item.value).partition("=")
        if not separator:
            work.fail(f"the literal `{key}` has no `=`", item.place)
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        yield copied(item, key), copied(item, value, item.place)
    for item in _strings(entry.get("files")):
        key, separator, path = str(item.value).partition("=")
        if not separator:
            key, path = posixpath.basename(str(item.value)), str(item.value)
        source = _read(work, files, item, join(directory, path))
        if source is not None:
            yield copied(item, key, item.place), Node(source.text, 0, len(source.text), source, BLOCK, (item.place,))


def _strings(node: Node | None) -> list[Node]:
    if node is None:
        return []
    items = node.items if node.is_sequence else [node]
    return [item for item in items if isinstance(item.value, str) and item.value]


def _read(work: Work, files: Files, item: Node, path: str) -> SourceFile | None:
    source = files.read(path)
    if isinstance(source, InputProblem):
        work.fail(source.message, item.place)
        return None
    work.paths.add(source.path)
    return source


def _environment(source: SourceFile) -> Iterator[tuple[Node, Node]]:
    """The assignments of an environment file; a name alone would be taken from the environment, which is not read."""
    for number in range(1, len(source.line_starts) + 1):
        span = source.line_span(number)
        line = source.text[span.start : span.end]
        stripped = line.strip()
        name, separator, value = stripped.partition("=")
        if not separator or stripped.startswith("#"):
            continue
        start = span.start + line.index(stripped)
        middle = start + len(name)
        end = start + len(stripped)
        via = (Place(source, Span(start, end)),)
        yield Node(name, start, middle, source, QUOTED, via), Node(value, middle + 1, end, source, QUOTED, via)
