"""The corpus of `fixtures/`: every kind, nothing lost, nothing complained of, the same bytes each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from ruamel.yaml import YAML

from k8snetlint.model.kinds import BUILDERS, POD_TEMPLATES
from tests.shared import REPOSITORY
from tools import build_corpus

CORPUS = REPOSITORY / "fixtures" / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yaml", ".json"))
# Kinds that no cluster of today has: other tests hold them.
GONE = {
    ("extensions", "Ingress"),
    ("extensions", "Deployment"),
    ("extensions", "ReplicaSet"),
    ("extensions", "DaemonSet"),
}
COMMANDS = (
    ("check", "-f", "json", "--pedantic", "fixtures/corpus"),
    ("map", "-f", "json", "--explain", "--requirements", "fixtures/corpus/kinds"),
    ("map", "-f", "json", "--groups", "--unit", "fixtures/corpus", "fixtures/corpus"),
    ("suggest", "-f", "json", "--unit", "fixtures/corpus", "fixtures/corpus"),
)


def ran(*arguments: str, seed: str = "0") -> bytes:
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "k8snetlint", *arguments, "--isolated"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran("check", "-f", "json", "fixtures/corpus"))
    return found


def test_what_is_right_is_not_complained_of(report: dict[str, Any]) -> None:
    loud = [each for each in report["diagnostics"] if each["severity"] != "note"]
    assert loud == []
    assert (report["complete"], report["incomplete_because"]) == (True, [])


def test_every_file_is_accounted_for(report: dict[str, Any]) -> None:
    assert report["statistics"]["files"] == len(FILES)


def test_the_corpus_holds_every_kind() -> None:
    kinds = set()
    for path in FILES:
        if "chart" in path.parts:
            continue
        for document in YAML(typ="safe").load_all(path.read_text("utf-8")):
            for item in document.get("items", [document]):
                group = item["apiVersion"].rpartition("/")[0]
                kinds.add((group, item["kind"]))
    assert set(BUILDERS) | set(POD_TEMPLATES) <= kinds | GONE


def test_the_tenants_are_what_the_tool_writes() -> None:
    there = {
        str(path.relative_to(build_corpus.ROOT)): path.read_text("utf-8") for path in build_corpus.ROOT.rglob("*.yaml")
    }
    assert there == build_corpus.files()


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_the_order_of_hashes_changes_nothing(arguments: tuple[str, ...]) -> None:
    assert ran(*arguments, seed="1") == ran(*arguments, seed="2")
