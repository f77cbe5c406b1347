"""YAML, JSON, TOML, base 64 and checksums."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import tomllib
import zlib
from collections.abc import Callable

from k8snetlint.source.parse import ProblemKind, parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.helm.goyaml import dump
from k8snetlint.units.helm.provenance import documents_of
from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import (
    MAX_TEXT,
    UNKNOWN,
    Bytes,
    Float,
    LimitReached,
    NilList,
    Struct,
    Text,
    Value,
    from_node,
    kind_of,
    plain_map,
)

from .formatting import json_number


def _to_yaml(value: Value) -> str:
    try:
        return dump(value)
    except ValueError:
        return ""


def _pretty_yaml(value: Value) -> str:
    try:
        return dump(value, pretty=True)
    except ValueError:
        return ""


def _parsed(text: str) -> Value:
    """The value of the first document of a text; raises ValueError if there is an error in it."""
    if isinstance(text, Text):
        found, problems = documents_of(text, None)
        roots = [document.root for document in found]
    else:
        parsed = parse(SourceFile("", text))
        roots, problems = [document.root for document in parsed.documents], parsed.problems
    # Of a key that stands twice the last counts.
    broken = next((problem for problem in problems if problem.kind is not ProblemKind.DUPLICATE_KEY), None)
    if broken is not None:
        raise ValueError(f"error converting YAML to JSON: {broken.message}")
    if not roots:
        return None
    value = from_node(roots[0])
    return value if isinstance(text, Text) else _without_origin(value)


def _without_origin(value: Value) -> Value:
    if isinstance(value, dict):
        return plain_map({key: _without_origin(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_without_origin(item) for item in value]
    if isinstance(value, Text):
        return str(value)
    return float(value) if isinstance(value, Float) else value


_JSON_KINDS = {"string": "string", "bool": "bool", "map": "object", "slice": "array"}


def _not_a(wanted: str, value: Value) -> str:
    kind = _JSON_KINDS.get(kind_of(value), "number")
    return f"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type {wanted}"


def _from_yaml(text: str) -> Value:
    try:
        value = _parsed(text)
    except ValueError as error:
        return plain_map({"Error": str(error)})
    if value is None:
        return plain_map({})
    if not isinstance(value, dict):
        return plain_map({"Error": _not_a("map[string]interface {}", value)})
    return value


def _from_yaml_array(text: str) -> Value:
    try:
        value = _parsed(text)
    except ValueError as error:
        return [str(error)]
    if value is None:
        return []
    return value if isinstance(value, list) else [_not_a("[]interface {}", value)]


def _json_loaded(text: str) -> Value:
    def values(read: object) -> Value:
        if isinstance(read, dict):
            return plain_map({key: values(item) for key, item in read.items()})
        if isinstance(read, list):
            return [values(item) for item in read]
        return float(read) if isinstance(read, int) and not isinstance(read, bool) else read

    return values(json.loads(text))


def _from_json(text: str) -> Value:
    if isinstance(text, Text) and text.lstrip()[:1] in ("{", "["):
        return _from_yaml(text)
    try:
        value = _json_loaded(text)
    except ValueError as error:
        return plain_map({"Error": str(error)})
    return value if isinstance(value, dict) else plain_map({"Error": "json: the value is no object"})


def _from_json_array(text: str) -> Value:
    if isinstance(text, Text) and text.lstrip()[:1] == "[":
        return _from_yaml_array(text)
    try:
        value = _json_loaded(text)
    except ValueError as error:
        return [str(error)]
    return value if isinstance(value, list) else ["json: the value is no array"]


_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML_CHARACTERS = re.compile("[<>&\u2028\u2029]")


def to_json(value: Value, *, escapes_html: bool = True, pad: str = "") -> str:
    """A value as Go's JSON encoder writes it. Raises LimitReached for what is longer than any manifest."""
    parts: list[str] = []
    size = [0]

    def add(text: str) -> None:
        parts.append(text)
        size[0] += len(text) + 1
        if size[0] > MAX_TEXT:
            raise LimitReached("a value printed as JSON is longer than any manifest")

    def write(item: Value, level: int) -> None:
        inner = "\n" + pad * (level + 1) if pad else ""
        outer = "\n" + pad * level if pad else ""
        if isinstance(item, dict):
            for index, key in enumerate(sorted(item)):
                add(("," if index else "{") + inner + _json_string(key, escapes_html) + (": " if pad else ":"))
                write(item[key], level + 1)
            add(outer + "}" if item else "{}")
        elif isinstance(item, list):
            for index, each in enumerate(item):
                add(("," if index else "[") + inner)
                write(each, level + 1)
            add(outer + "]" if item else "null" if isinstance(item, NilList) else "[]")
        elif isinstance(item, Bytes):
            add(f'"{_base64(item)}"')
        elif isinstance(item, str):
            add(_json_string(item, escapes_html))
        elif item is None or isinstance(item, bool):
            add({None: "null", True: "true", False: "false"}[item])
        elif isinstance(item, int):
            add(int.__repr__(item))
        elif isinstance(item, float):
            add(json_number(item))
        else:
            add(json.dumps(item.printed) if isinstance(item, Struct) and item.printed else "{}")

    write(value, 0)
    return "".join(parts)


def _json_string(text: str, escapes_html: bool) -> str:
    written = json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\x7f")
    return _HTML_CHARACTERS.sub(lambda match: _HTML[match[0]], written) if escapes_html else written


def _from_toml(text: str) -> Value:
    try:
        return _without_origin(plain_map(dict(tomllib.loads(text))))
    except tomllib.TOMLDecodeError as error:
        return plain_map({"Error": str(error)})


def _unless_unknown(function: Callable[[str], str]) -> Callable[[str], str]:
    """The function, giving back an unknown value for an unknown one."""

    def call(text: str) -> str:
        return UNKNOWN if UNKNOWN in text else function(text)

    return call


def _base64(text: str) -> str:
    return base64.b64encode(text.encode(errors="surrogateescape")).decode()


def _first_illegal(text: str, base: int) -> int:
    alphabet = "A-Za-z0-9+/" if base == 64 else "A-Z2-7"
    match = re.search(rf"[^{alphabet}\r\n]", text)
    return match.start() if match else len(text)


def _from_base64(text: str) -> str:
    try:
        data = base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return f"illegal base64 data at input byte {_first_illegal(text, 64)}"
    return data.decode(errors="surrogateescape")


def _base32(text: str) -> str:
    return base64.b32encode(text.encode(errors="surrogateescape")).decode()


def _from_base32(text: str) -> str:
    try:
        return base64.b32decode(text).decode(errors="surrogateescape")
    except (binascii.Error, ValueError):
        return f"illegal base32 data at input byte {_first_illegal(text, 32)}"


def _digest(name: str) -> Callable[[str], str]:
    return _unless_unknown(lambda text: hashlib.new(name, text.encode(errors="surrogateescape")).hexdigest())


def functions() -> Registry:
    """Encodings and checksums."""
    return {
        "toYaml": Builtin(_to_yaml, "a"),
        "mustToYaml": Builtin(dump, "a"),
        "toYamlPretty": Builtin(_pretty_yaml, "a"),
        "fromYaml": Builtin(_from_yaml, "s"),
        "fromYamlArray": Builtin(_from_yaml_array, "s"),
        "toJson": Builtin(to_json, "a", derives=True),
        "mustToJson": Builtin(to_json, "a", derives=True),
        "toRawJson": Builtin(lambda value: to_json(value, escapes_html=False), "a", derives=True),
        "mustToRawJson": Builtin(lambda value: to_json(value, escapes_html=False), "a", derives=True),
        "toPrettyJson": Builtin(lambda value: to_json(value, pad="  "), "a", derives=True),
        "mustToPrettyJson": Builtin(lambda value: to_json(value, pad="  "), "a", derives=True),
        "fromJson": Builtin(_from_json, "s"),
        "mustFromJson": Builtin(_json_loaded, "s"),
        "fromJsonArray": Builtin(_from_json_array, "s"),
        "fromToml": Builtin(_from_toml, "s"),
        "b64enc": Builtin(_unless_unknown(_base64), "s", derives=True),
        "b64dec": Builtin(_unless_unknown(_from_base64), "s", derives=True),
        "b32enc": Builtin(_unless_unknown(_base32), "s", derives=True),
        "b32dec": Builtin(_unless_unknown(_from_base32), "s", derives=True),
        "sha1sum": Builtin(_digest("sha1"), "s"),
        "sha256sum": Builtin(_digest("sha256"), "s"),
        "sha512sum": Builtin(_digest("sha512"), "s"),
        "adler32sum": Builtin(_unless_unknown(lambda text: str(zlib.adler32(text.encode()))), "s"),
    }
