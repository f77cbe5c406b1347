"""The compiled check and plain jsonschema give the same verdict, on generated, real and broken real documents."""

import copy
import json
import random
from collections.abc import Iterator

import jsonschema
import pytest

from k8snetlint.schema.report import json_schema
from k8snetlint.schema.shapes import NEWEST_MINOR, OLDEST_MINOR, kind_type, shape
from k8snetlint.schema.validate import is_valid, validate
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Node, Plain
from tests.schema.test_data import KINDS
from tests.shared import SHARED, needs_shared

SCALARS: dict[str, list[Plain]] = {
    "s": ["text", ""],
    "i": [1, 80.0, -3],
    "n": [1, 0.5],
    "b": [True, False],
    "is": [1, "http"],
    "q": [1, 0.5, "1Gi"],
    "o": [{}, {"any": [1]}],
    "*": [1, "x", [], {}],
}
WRONG: list[Plain] = ["word", 7, 0.25, True, [], ["word"], {}, {"no such field": 1}]


def generated(code: str, minor: int, dice: random.Random, depth: int) -> Plain:
    """A value of a type, in which now and then something is wrong."""
    if dice.random() < 0.02:
        return dice.choice(WRONG)
    if code in SCALARS:
        return dice.choice(SCALARS[code])
    if code.startswith("="):
        return dice.choice(code[1:].split("|"))
    if code.startswith("[]"):
        return [generated(code[2:], minor, dice, depth - 1) for _ in range(dice.randrange(3))]
    if code.startswith("{}"):
        return {f"k{i}": generated(code[2:], minor, dice, depth - 1) for i in range(dice.randrange(3))}
    found = shape(code[1:], minor)
    fields = [field for field in sorted(found.fields) if (depth > 0 and dice.random() < 0.3) or field in found.required]
    return {field: generated(found.fields[field], minor, dice, depth - 1) for field in fields if dice.random() < 0.98}


def node_of(value: Plain) -> Node:
    return parse(SourceFile("-", json.dumps(value))).documents[0].root


def assert_agreement(
    value: Plain, api_version: str, kind: str, minor: int, judge: jsonschema.protocols.Validator
) -> bool:
    root = node_of(value)
    expected = judge.is_valid(value)
    version = f"1.{minor}"
    assert is_valid(root, api_version, kind, version) == expected, json.dumps(value)
    problems = validate(root, api_version, kind, version)
    assert (not problems) == expected, json.dumps(value)
    if not expected:
        errors = list(judge.iter_errors(value))
        assert {p.path[:-1] for p in problems if p.type.value == "unknown-field"} == {
            tuple(e.absolute_path) for e in errors if e.validator == "additionalProperties"
        }
        assert {p.path for p in problems if p.type.value in ("wrong-type", "bad-enum")} == {
            tuple(e.absolute_path) for e in errors if e.validator in ("type", "enum")
        }
        assert sum(p.type.value == "missing-field" for p in problems) == sum(e.validator == "required" for e in errors)
    return expected


@pytest.mark.parametrize("minor", [OLDEST_MINOR, NEWEST_MINOR])
def test_on_generated_documents_of_every_kind(minor: int) -> None:
    dice = random.Random(minor)
    verdicts = {True: 0, False: 0}
    for api_version, kind in KINDS:
        code = kind_type(api_version, kind)
        assert code is not None
        judge = jsonschema.Draft202012Validator(json_schema(code, minor))
        for _ in range(6):
            document = generated(code, minor, dice, 6)
            if document is not None:
                verdicts[assert_agreement(document, api_version, kind, minor, judge)] += 1
    assert min(verdicts.values()) > 50


def corpus() -> Iterator[tuple[str, str, Plain]]:
    """Real objects without nulls and placeholders, which plain jsonschema would take for mistakes."""
    for path in sorted((SHARED / "corpus" / "rendered").glob("*.yaml")):
        if path.stem.endswith("-FULL"):
            continue
        for document in parse(SourceFile(path.name, path.read_text())).documents:
            root = document.root
            if not root.is_mapping:
                continue
            api_version, kind = str(root.at("apiVersion").value), str(root.at("kind").value)
            nodes = [node.value for _, node in root.walk()]
            if kind_type(api_version, kind) and None not in nodes and not any("$(" in str(v) for v in nodes):
                yield api_version, kind, root.plain()


def broken(value: Plain, dice: random.Random) -> Plain:
    """The value with one place in it changed: a field renamed, a field removed, or a value of another type."""
    result = copy.deepcopy(value)
    inner = result
    for _ in range(dice.randrange(1, 8)):
        steps = list(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
        if not steps:
            break
        parent, step = inner, dice.choice(steps)
        inner = parent[step]  # type: ignore[index,call-overload]
    match dice.randrange(3):
        case 0 if isinstance(parent, dict):
            parent[f"{step}x"] = parent.pop(step)  # type: ignore[arg-type]
        case 1 if isinstance(parent, dict):
            del parent[step]  # type: ignore[arg-type]
        case _:
            parent[step] = dice.choice(WRONG)  # type: ignore[index,call-overload]
    return result


@needs_shared
def test_on_real_documents_and_on_broken_ones() -> None:
    dice = random.Random(1)
    judges = {}
    verdicts = {True: 0, False: 0}
    documents = list(corpus())
    assert len(documents) > 300
    for api_version, kind, document in documents:
        code = kind_type(api_version, kind)
        assert code is not None
        if code not in judges:
            judges[code] = jsonschema.Draft202012Validator(json_schema(code, NEWEST_MINOR))
        assert assert_agreement(document, api_version, kind, NEWEST_MINOR, judges[code])
        for _ in range(2):
            changed = broken(document, dice)
            verdicts[assert_agreement(changed, api_version, kind, NEWEST_MINOR, judges[code])] += 1
    assert min(verdicts.values()) > 50
