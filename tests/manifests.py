"""Manifests as plain values: read, with parts taken away, and written again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML

from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Document
from k8snetlint.units.classify import objects_of

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"
Steps: TypeAlias = "tuple[str | int, ...]"


def values_of(text: str) -> list[Value]:
    """The documents of a text as plain values."""
    return [value for value in YAML(typ="safe").load_all(text) if value is not None]


def without(value: Value, *path: str | int) -> Value:
    """A copy of a value from which the entry or item at a path is gone."""
    copy = deepcopy(value)
    parent = copy
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    return copy


def allowing_paths(policy: Value) -> Iterator[Steps]:
    """Everything of a NetworkPolicy that allows something: the rules, their peers and ports, and the keys of each."""
    for field, peers in (("ingress", "from"), ("egress", "to")):
        rules = policy["spec"].get(field)
        if rules is None:
            continue
        yield "spec", field
        for index, rule in enumerate(rules):
            yield "spec", field, index
            for key in (peers, "ports"):
                items = rule.get(key)
                if items is None:
                    continue
                yield "spec", field, index, key
                for position, item in enumerate(items):
                    yield "spec", field, index, key, position
                    yield from (("spec", field, index, key, position, part) for part in item if len(item) > 1)


def documents_of(path: str, text: str) -> tuple[Document, ...]:
    """The documents of a text that is shown under a path."""
    parsed = parse(SourceFile(path, text))
    assert not parsed.problems, parsed.problems
    return tuple(each for document in parsed.documents for each in objects_of(document))


def documents_in(*files: Path) -> tuple[Document, ...]:
    """The documents of files, shown under the files' own names."""
    return tuple(document for file in files for document in documents_of(file.name, file.read_text("utf-8")))


def written(path: str, values: list[Value]) -> tuple[Document, ...]:
    """The documents that values are, once they are written down."""
    return tuple(document for value in values for document in documents_of(path, json.dumps(value, indent=1)))
