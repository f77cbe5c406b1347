"""What is wrong with an invalid document, field by field: jsonschema finds it, and paths give it positions.

The only importer of jsonschema, and only once a document is known to be invalid: the import costs more than the check.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import attrs

from k8snetlint.source.placeholder import is_placeholder, is_template_key, is_unknown, stands_for_a_value
from k8snetlint.source.tree import Node, Path, Plain

from .shapes import Shape, shape
from .suggestion import near_name, other_place, replacement, same_name, shapes_along

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_DEEPEST = 100
_UNKNOWN = "{{ }}"
_FEW = 8
_LONGEST_SHOWN = 60
# Looking for a near name takes about 0.1 ms: a document of nothing but unknown fields must not take minutes.
_MOST_SUGGESTIONS = 200
_PLAIN_NAME = re.compile(r"[A-Za-z_$][\w$-]*")


class ProblemType(enum.Enum):
    """The ways in which a document departs from its schema."""

    UNKNOWN_FIELD = "unknown-field"
    WRONG_TYPE = "wrong-type"
    MISSING_FIELD = "missing-field"
    BAD_ENUM = "bad-enum"


@attrs.frozen
class SchemaProblem:
    """One departure from the schema.

    `node` is what to point at: the key of an unknown field, the value of a wrong type, the parent's key of a missing
    field. `path` leads to the field itself, also when it is missing. `suggestion` is the field name, value or YAML text
    that is probably meant, to stand in the place of `node`; None where nothing is near.
    """

    type: ProblemType
    message: str
    path: Path
    node: Node
    suggestion: str | None = None
    expected: str | None = None


def problems(root: Node, code: str, minor: int) -> list[SchemaProblem]:
    """What is wrong with a document whose kind has this type code, in the order of the text."""
    found: list[SchemaProblem] = []
    missing: set[Path] = set()
    for error in _validator(code, minor).iter_errors(_plain(root, _DEEPEST)):
        path: Path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            found += _unknown_fields(root, path, shapes_along(code, minor, path), minor, _MOST_SUGGESTIONS - len(found))
        elif error.validator == "required" and path not in missing:
            missing.add(path)
            found += _missing_fields(root, path, error)
        elif error.validator == "type":
            found.append(_wrong_type(root, path, error))
        elif error.validator == "enum":
            found.append(_bad_enum(root, path, error))
    return sorted(found, key=lambda problem: (problem.node.start, problem.path[-1:] and str(problem.path[-1])))


def written(path: Path) -> str:
    """A path as users write it: `spec.ports[0].port`, `metadata.labels["a.b/c"]`; `the document` for the root."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_NAME.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{_on_one_line(step)}"]'
    return text or "the document"


def _quoted(path: Path) -> str:
    return f"`{written(path)}`" if path else "the document"


def _on_one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1] + "…"


def json_schema(code: str, minor: int) -> dict[str, object]:
    """The JSON Schema (2020-12) for a type code in a minor release, complete in itself."""
    definitions: dict[str, object] = {}
    open_codes = [code]
    while open_codes:
        current = open_codes.pop().lstrip("[]{}")
        name = current[1:]
        if current.startswith("@") and name not in definitions:
            found = shape(name, minor)
            definitions[name] = _object_schema(found)
            open_codes += found.fields.values()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(code), "$defs": definitions}


_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "array": "a list",
    "object": "a mapping",
}
_TYPES = {
    "s": ["string"],
    "i": ["integer"],
    "n": ["number"],
    "b": ["boolean"],
    "is": ["integer", "string"],
    "q": ["string", "number"],
    "o": ["object"],
}


def _schema(code: str) -> dict[str, object]:
    if code == "*":
        return {}
    if code.startswith("="):
        return {"enum": code[1:].split("|")}
    if code.startswith("[]"):
        return {"type": ["array"], "items": _schema(code[2:])}
    if code.startswith("{}"):
        return {"type": ["object"], "additionalProperties": _schema(code[2:])}
    if code.startswith("@"):
        return {"$ref": f"#/$defs/{code[1:]}"}
    return {"type": _TYPES[code]}


def _object_schema(found: Shape) -> dict[str, object]:
    return {
        "type": ["object"],
        "properties": {field: _schema(code) for field, code in found.fields.items()},
        "required": sorted(found.required),
        "additionalProperties": found.is_open,
    }


@cache
def _validator(code: str, minor: int) -> Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def check_type(
        validator: Validator, types: list[str], instance: Plain, schema: object
    ) -> Iterator[ValidationError]:
        if instance is None or any(validator.is_type(instance, name) for name in types):
            return
        if types != ["string"] and isinstance(instance, str) and stands_for_a_value(instance):
            return
        yield ValidationError("wrong type")

    def check_enum(
        validator: Validator, values: list[str], instance: Plain, schema: object
    ) -> Iterator[ValidationError]:
        if instance is not None and instance not in values and not is_placeholder(instance):
            yield ValidationError("bad enum")

    # The stubs leave `extend` untyped.
    lenient = extend(Draft202012Validator, {"type": check_type, "enum": check_enum})  # type: ignore[no-untyped-call]
    validator: Validator = lenient(json_schema(code, minor))
    return validator


def _plain(node: Node, depth: int) -> Plain:
    """The value without positions. Below the deepest place that a schema reaches it is null, which is always valid."""
    value = node.value
    if isinstance(value, dict):
        if is_unknown(node):
            return _UNKNOWN
        return {key: _plain(entry.node, depth - 1) for key, entry in value.items()} if depth else None
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value] if depth else None
    return value


def _unknown_fields(
    root: Node, path: Path, shapes: list[tuple[Path, Shape]], minor: int, suggestions: int
) -> Iterator[SchemaProblem]:
    """The unknown fields of the object that `shapes` end with; only so many of the first ones with a suggestion."""
    owner = shapes[-1][1]
    where = f"`{written(path)}`" if path else "the top level"
    for name, entry in root.at(*path).entries.items():
        if name in owner.fields or is_placeholder(name) or is_template_key(name):
            continue
        near, hint = _suggestion(name, root, shapes, minor) if suggestions > 0 else (None, "")
        suggestions -= 1
        message = f"`{_on_one_line(name)}` is not a field of {where}, so it is rejected or ignored{hint}"
        yield SchemaProblem(ProblemType.UNKNOWN_FIELD, message, (*path, name), entry.key, near)


def _suggestion(name: str, root: Node, shapes: list[tuple[Path, Shape]], minor: int) -> tuple[str | None, str]:
    """The field that an unknown one is meant to be, if it stands in the same object, and the end of the message."""
    path, owner = shapes[-1]
    near = same_name(name, owner.fields)
    if near is None:
        instead = replacement(owner, name)
        if instead is not None:
            return None, f"; write {instead} instead"
        place = other_place(name, root, shapes, minor)
        if place is not None:
            return None, f"; it belongs in {f'`{written(place)}`' if place else 'the top level'}"
        present = root.at(*path).entries
        absent = [field for field in owner.fields if field not in present]
        near = near_name(name, absent) or near_name(name, owner.fields)
    if near is not None:
        return near, f"; did you mean `{near}`?"
    if 0 < len(owner.fields) <= _FEW:
        return None, f"; valid {_listed(sorted(owner.fields))}"
    return None, ""


def _missing_fields(root: Node, path: Path, error: ValidationError) -> Iterator[SchemaProblem]:
    present = root.at(*path).entries
    required = error.validator_value
    for name in required if isinstance(required, list) else ():
        if name not in present:
            message = f"{_quoted(path)} lacks the required field `{name}`"
            yield SchemaProblem(ProblemType.MISSING_FIELD, message, (*path, name), root.nearest(*path, name))


def _wrong_type(root: Node, path: Path, error: ValidationError) -> SchemaProblem:
    node = root.at(*path)
    allowed = error.validator_value
    types = [str(name) for name in allowed] if isinstance(allowed, list) else []
    expected = " or ".join(_WORDS[name] for name in types)
    message = f"{_quoted(path)} is {_described(node)} where {expected} is required"
    suggestion = _converted(node, types)
    if suggestion is not None:
        message += f"; write `{suggestion}`"
    return SchemaProblem(ProblemType.WRONG_TYPE, message, path, node, suggestion, " or ".join(types))


def _bad_enum(root: Node, path: Path, error: ValidationError) -> SchemaProblem:
    node = root.at(*path)
    allowed = error.validator_value
    values = [str(value) for value in allowed] if isinstance(allowed, list) else []
    text = node.value if isinstance(node.value, str) else None
    near = (same_name(text, values) or near_name(text, values)) if text else None
    message = f"{_quoted(path)} is {_described(node)}; "
    message += f"did you mean `{near}`?" if near is not None else f"valid {_listed(values)}"
    return SchemaProblem(ProblemType.BAD_ENUM, message, path, node, near)


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return f"is {quoted[0]}" if len(quoted) == 1 else f"are {', '.join(quoted[:-1])} and {quoted[-1]}"


def _described(node: Node) -> str:
    value = node.value
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    shown = _on_one_line(node.place.text)
    name = {str: "string", bool: "boolean", int: "integer", float: "number"}[type(value)]
    return f"the {name} `{shown}`"


def _converted(node: Node, types: list[str]) -> str | None:
    """The YAML text of the same value in a type that is allowed, where that is certain."""
    value = node.value
    if isinstance(value, str):
        if "boolean" in types and value in ("true", "false"):
            return value
        if "integer" in types and re.fullmatch(r"-?(0|[1-9]\d{0,17})", value):
            return value
        return None
    if "string" in types and isinstance(value, bool | int | float):
        return f'"{node.place.text}"'
    return None
