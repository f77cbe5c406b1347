"""What a document is: an object, a list of them, a patch, an OpenShift Template, or nothing of Kubernetes."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from types import MappingProxyType

from k8snetlint.source.text import Place
from k8snetlint.source.tree import Document, Entry, Node

# The schemas of a CustomResourceDefinition are most of its text, and say nothing of traffic.
BULKY = MappingProxyType({"CustomResourceDefinition": frozenset({"versions", "validation"})})

KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
CHART_NAME = "Chart.yaml"
MAX_LIST_DEPTH = 8
MAX_PARAMETER_TEXT = 50_000_000
_KUSTOMIZE_GROUP = "kustomize.config.k8s.io/"
_EXPECTATION = re.compile(r"(?:^|/)[0-9]+-(?:assert|errors?)\.ya?ml\Z")
_PARAMETER = re.compile(r"\$\{\{?([A-Za-z0-9_]+)\}\}?")


class DocumentKind(enum.Enum):
    """What a document is; the value is the word for it."""

    OBJECT = "Kubernetes object"
    LIST = "list of Kubernetes objects"
    CRD = "custom resource definition"
    OPENSHIFT_TEMPLATE = "OpenShift Template"
    KUSTOMIZATION = "kustomization"
    JSON_PATCH = "JSON patch"
    ENCRYPTED = "encrypted by SOPS"
    EMPTY = "empty"
    OTHER = "not a Kubernetes manifest"


def kind_of(root: Node) -> DocumentKind:
    """What a document with this root is."""
    if root.value is None:
        return DocumentKind.EMPTY
    if root.is_sequence:
        items = root.items
        is_patch = bool(items) and all(item.get("op") is not None and item.get("path") is not None for item in items)
        return DocumentKind.JSON_PATCH if is_patch else DocumentKind.OTHER
    api_version, kind = text_at(root, "apiVersion"), text_at(root, "kind")
    if api_version.startswith(_KUSTOMIZE_GROUP):
        return DocumentKind.KUSTOMIZATION
    if _is_encrypted(root):
        return DocumentKind.ENCRYPTED
    if not api_version or not kind:
        return DocumentKind.OTHER
    if kind.endswith("List") and (kind == "List" or _node_is_sequence(root.get("items"))):
        return DocumentKind.LIST
    if kind == "CustomResourceDefinition" and api_version.startswith("apiextensions.k8s.io/"):
        return DocumentKind.CRD
    if kind == "Template" and api_version in ("v1", "template.openshift.io/v1") and root.get("objects") is not None:
        return DocumentKind.OPENSHIFT_TEMPLATE
    return DocumentKind.OBJECT


def text_at(node: Node, *path: str | int) -> str:
    """The string at a path; empty where there is none."""
    found = node.get(*path)
    return found.value if found is not None and isinstance(found.value, str) else ""


def is_manifest(kind: DocumentKind) -> bool:
    """Whether objects come out of a document of this kind."""
    return kind in (DocumentKind.OBJECT, DocumentKind.LIST, DocumentKind.CRD, DocumentKind.OPENSHIFT_TEMPLATE)


def objects_of(document: Document) -> Iterator[Document]:
    """The objects that a document declares: itself, the items of a list, the objects of an OpenShift Template."""
    yield from _objects(document, document.root, 0)


def _objects(document: Document, root: Node, depth: int) -> Iterator[Document]:
    kind = kind_of(root)
    if kind is DocumentKind.LIST and depth < MAX_LIST_DEPTH:
        items = root.get("items")
        for item in items.items if items is not None else ():
            yield from _objects(document, _typed_item(root, item), depth + 1)
    elif kind is DocumentKind.OPENSHIFT_TEMPLATE and depth < MAX_LIST_DEPTH:
        parameters = _parameters(root)
        for item in root.at("objects").items:
            yield from _objects(document, _with_parameters(item, parameters), depth + 1)
    elif is_manifest(kind):
        yield document if root is document.root else Document(document.index, root, root.start)


def _typed_item(root: Node, item: Node) -> Node:
    """An item of a typed list with the apiVersion and kind that it may leave out."""
    kind = text_at(root, "kind")
    if not item.is_mapping or kind == "List" or ("kind" in item.entries and "apiVersion" in item.entries):
        return item
    entries = dict(item.entries)
    if "apiVersion" not in entries:
        entries["apiVersion"] = root.entries["apiVersion"]
    if "kind" not in entries:
        written = root.entries["kind"]
        node = written.node
        value = Node(kind.removesuffix("List"), node.start, node.end, node.source, node.style, (node.place,))
        entries["kind"] = Entry(written.key, value)
    return Node(entries, item.start, item.end, item.source, item.style, item.via)


def _parameters(root: Node) -> dict[str, Node]:
    """The parameters of an OpenShift Template that have a value."""
    found: dict[str, Node] = {}
    listed = root.get("parameters")
    for parameter in listed.items if listed is not None else ():
        value = parameter.get("value")
        name = text_at(parameter, "name")
        if name and value is not None and value.scalar is not None:
            found[name] = value
    longest = max((len(str(value.value)) for value in found.values()), default=0)
    # Each place that names one may be filled with the longest: beyond the bound all stay placeholders.
    if longest * root.source.text.count("${") > MAX_PARAMETER_TEXT:
        return {}
    return found


def _with_parameters(node: Node, parameters: dict[str, Node]) -> Node:
    """The node with the parameters of its template put in; one without a value stays a placeholder."""
    value = node.value
    if isinstance(value, dict):
        entries = {key: Entry(entry.key, _with_parameters(entry.node, parameters)) for key, entry in value.items()}
        return Node(entries, node.start, node.end, node.source, node.style, node.via)
    if isinstance(value, list):
        items = [_with_parameters(item, parameters) for item in value]
        return Node(items, node.start, node.end, node.source, node.style, node.via)
    if not isinstance(value, str) or "${" not in value:
        return node
    whole = _PARAMETER.fullmatch(value)
    if whole and value.startswith("${{"):
        known = parameters.get(whole[1])
        if known is None:
            return node
        text = str(known.value)
        number = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else known.value
        return Node(number, node.start, node.end, node.source, node.style, (*node.via, known.place))
    via: list[Place] = []

    def put_in(match: re.Match[str]) -> str:
        known = parameters.get(match[1])
        if known is None:
            return match[0]
        via.append(known.place)
        return str(known.value)

    text = _PARAMETER.sub(put_in, value)
    return Node(text, node.start, node.end, node.source, node.style, (*node.via, *via)) if via else node


def _is_encrypted(root: Node) -> bool:
    """Whether SOPS encrypted the document to the point that not even its name can be read."""
    sops = root.get("sops")
    if sops is None or not sops.is_mapping or root.get("sops", "mac") is None:
        return False
    identity = (text_at(root, "apiVersion"), text_at(root, "kind"), text_at(root, "metadata", "name"))
    return not all(identity) or any(part.startswith("ENC[") for part in identity)


def _node_is_sequence(node: Node | None) -> bool:
    return node is not None and node.is_sequence


def is_expectation(path: str) -> bool:
    """Whether a file holds what a step of a kuttl test asserts: parts of objects, applied by nobody.

    Source: kuttl, test steps: `<index>-assert.yaml` and `<index>-errors.yaml`.
    """
    return _EXPECTATION.search(path) is not None
