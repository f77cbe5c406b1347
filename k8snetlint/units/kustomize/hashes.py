"""The suffix that kustomize gives the names of generated ConfigMaps and Secrets."""

from __future__ import annotations

import hashlib
import json

from k8snetlint.source.tree import Node, Plain

_LENGTH = 10
_LETTERS = str.maketrans({"0": "g", "1": "h", "3": "k", "a": "m", "e": "t"})


def content_hash(root: Node) -> str:
    """The hash of a ConfigMap's or Secret's content.

    Source: kustomize's hasher: SHA-256 of the canonical JSON of these fields, without vowels and look-alikes.
    The name is among them and always empty, since kustomize looks it up in the wrong place.
    """
    kind = root.at("kind").value
    fields: dict[str, Plain] = {"kind": str(kind), "name": "", "data": _plain(root, "data")}
    if kind == "Secret":
        fields["type"] = _plain(root, "type")
        optional = "stringData"
    else:
        optional = "binaryData"
    if root.get(optional) is not None:
        fields[optional] = _plain(root, optional)
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # Go escapes these in JSON.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:_LENGTH].translate(_LETTERS)


def _plain(root: Node, *path: str) -> Plain:
    node = root.get(*path)
    return node.plain() if node is not None else ""
