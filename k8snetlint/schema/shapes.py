"""The schemas as data: what fields an object of a kind has in a Kubernetes release.

Read lazily, one file per API group. The form of the files is explained in `data/README.md`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TypeAlias, TypedDict

import attrs

OLDEST_MINOR = 27
NEWEST_MINOR = 37

_GROUPS = Path(__file__).parent / "data" / "groups"
_CORE = "core"
_META = "meta"
_GROUP = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_MINOR = re.compile(r"v?1\.(\d{1,3})")

_Span: TypeAlias = list[int]
_FieldData: TypeAlias = "str | list[tuple[int, int, str]]"


class _ShapeData(TypedDict, total=False):
    fields: dict[str, _FieldData]
    required: dict[str, list[_Span]]
    open: bool


class _FileData(TypedDict):
    source: str
    kinds: dict[str, str]
    shapes: dict[str, _ShapeData]


@attrs.frozen
class Shape:
    """An object with fixed fields: the type code of each, and those that must be there.

    `is_open` says that other fields are allowed too. Names in type codes are complete: `@file:shape`.
    """

    name: str
    fields: dict[str, str]
    required: frozenset[str]
    is_open: bool


def minor_of(kube_version: str) -> int:
    """The minor release that `1.30`, `v1.30` or `1.30.4` means, brought into the range that the data covers.

    Raises ValueError for a text that is no Kubernetes version.
    """
    match = _MINOR.match(kube_version)
    if match is None:
        raise ValueError(f"`{kube_version}` is not a Kubernetes version such as `1.{NEWEST_MINOR}`")
    return min(max(int(match[1]), OLDEST_MINOR), NEWEST_MINOR)


def split_api_version(api_version: str) -> tuple[str, str]:
    """The group (empty for the core group) and the version."""
    group, _, version = api_version.rpartition("/")
    return group, version


def kind_type(api_version: str, kind: str) -> str | None:
    """The type code of a kind, or None if there is no schema for it."""
    group, version = split_api_version(api_version)
    if group in (_CORE, _META):
        return None
    file = group or _CORE
    content = _file(file)
    code = content and content["kinds"].get(f"{version}.{kind}")
    return _complete(code, file) if code else None


@cache
def shape(name: str, minor: int) -> Shape:
    """The shape with a complete name (`file:shape`) as it is in a minor release. Raises KeyError if there is none."""
    file, _, local = name.partition(":")
    content = _file(file)
    if content is None:
        raise KeyError(name)
    data = content["shapes"][local]
    fields = {}
    for field, code in data["fields"].items():
        now = code if isinstance(code, str) else _at(code, minor)
        if now is not None:
            fields[field] = _complete(now, file)
    required = frozenset(
        field
        for field, spans in data.get("required", {}).items()
        if not spans or any(first <= minor <= last for first, last in spans)
    )
    return Shape(name, fields, required, data.get("open", False))


def _at(timeline: list[tuple[int, int, str]], minor: int) -> str | None:
    return next((code for first, last, code in timeline if first <= minor <= last), None)


def _complete(code: str, file: str) -> str:
    prefix, at, name = code.partition("@")
    return code if not at or ":" in name or prefix.startswith("=") else f"{prefix}@{file}:{name}"


@cache
def _file(name: str) -> _FileData | None:
    path = _GROUPS / f"{name}.json"
    if not _GROUP.fullmatch(name) or len(name) > 200 or not path.is_file():
        return None
    content: _FileData = json.loads(path.read_bytes())
    return content
