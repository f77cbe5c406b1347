"""The published JSON Schemas, and the outputs that they describe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.shared import REPOSITORY

from .program import k8snetlint, write
from .test_map import SHOP
from .test_verify import INTENTS

SCHEMAS = REPOSITORY / "schemas"
CASES = [
    ("connectivity", ("map",)),
    ("connectivity", ("map", "--explain", "--exposure", "--requirements")),
    ("connectivity-groups", ("map", "--groups")),
    ("connectivity-diff", ("diff", "shop.yaml", "new.yaml")),
    ("reach", ("reach", "shop/web", "svc:shop/cart:80", "shop.yaml")),
    ("reach", ("reach", "ingress", "shop/web", "shop.yaml", "--port", "1")),
    ("verification", ("verify", "intents.yaml", "shop.yaml")),
    ("units", ("units", "shop.yaml", "broken.yaml")),
    ("rules", ("rules",)),
    ("rule", ("explain", "SVC005")),
    ("config", ("config",)),
    ("suggestion", ("suggest", "shop.yaml")),
    ("suggestion", ("suggest", "--repair", "intents.yaml", "shop.yaml")),
]


def _schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.v1.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_outputs_are_as_their_schemas_say(name: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    new = SHOP.replace("7070", "7071")
    write(tmp_path, {"shop.yaml": SHOP, "new.yaml": new, "intents.yaml": INTENTS, "broken.yaml": "a: [\n"})
    paths = ("shop.yaml",) if arguments[0] == "map" else ()
    ran = k8snetlint(tmp_path, *arguments, *paths, "-f", "json")
    validator = jsonschema.Draft202012Validator(_schema(name))
    assert [error.message for error in validator.iter_errors(json.loads(ran.out))] == []
    assert [error.message for error in validator.iter_errors({"schema": "another"})] != []


def test_the_schema_of_intents_is_as_strict_as_the_reader() -> None:
    validator = jsonschema.Draft202012Validator(_schema("intents"))
    assert validator.is_valid(YAML(typ="safe").load(INTENTS))
    for old, new in (("expect: deny", "expects: deny"), ("expect: allow", "expect: alow"), ("{any: true}", "{}")):
        assert not validator.is_valid(YAML(typ="safe").load(INTENTS.replace(old, new)))
