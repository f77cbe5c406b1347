"""The published JSON Schemas describe what is read and written."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from k8snetlint.config.reader import known_keys
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from tests.cli.program import BROKEN, k8snetlint, write
from tests.config.test_config import FULL

from .golden import GOLDEN

SCHEMAS = Path(__file__).parents[2] / "schemas"


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.v1.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_reports_are_valid() -> None:
    report = json.loads((GOLDEN / "json.out").read_text())
    validator("report").validate(report)
    assert set(report) == set(validator("report").schema["properties"])
    del report["diagnostics"][0]["message"]
    assert not validator("report").is_valid(report)


def test_the_configuration_has_the_keys_that_are_read() -> None:
    assert set(validator("configuration").schema["properties"]) == set(known_keys())
    (document,) = parse(SourceFile("x", FULL)).documents
    validator("configuration").validate(document.root.plain())


@pytest.mark.parametrize("value", [{"ignroe": []}, {"ignores": [{"name": "x"}]}, {"render": "all"}])
def test_wrong_configurations_are_invalid(value: object) -> None:
    assert not validator("configuration").is_valid(value)


def test_baselines_are_valid(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    k8snetlint(tmp_path, "check", "--select", "SVC005", "--write-baseline")
    validator("baseline").validate(json.loads((tmp_path / ".k8snetlint-baseline.json").read_text()))
