"""`map` over the units of real repositories: no crash, in every format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8snetlint.cli.options import LoadOptions
from k8snetlint.cli.pipeline import load
from tests.cli.program import k8snetlint
from tests.shared import SHARED, needs_shared

CORPUS = SHARED / "corpus"
FORMATS = ("text", "json", "csv", "markdown", "dot", "mermaid")

pytestmark = [needs_shared, pytest.mark.slow]


def rendered() -> list[Path]:
    return sorted((CORPUS / "rendered").glob("*.yaml"))


def listed() -> Iterator[Path]:
    """The folders of the list of hand-picked units; a line may join several, which are then taken one by one."""
    for line in (CORPUS / "units.txt").read_text(encoding="utf-8").splitlines() if CORPUS.is_dir() else ():
        for name in line.split(" + ") if line and not line.startswith("#") else ():
            path = CORPUS / "repos" / name
            if path.exists():
                yield path


def named(path: Path) -> str:
    return path.relative_to(CORPUS).as_posix()


@pytest.mark.parametrize("path", rendered(), ids=named)
def test_a_rendered_manifest_is_mapped_in_every_format(path: Path) -> None:
    for format_ in FORMATS:
        ran = k8snetlint(path.parent, "map", path.name, "--isolated", "--one-unit", "-f", format_)
        assert ran.code in (0, 3), (format_, ran.err)
    shown = json.loads(k8snetlint(path.parent, "map", path.name, "--isolated", "-f", "json", "--allow-empty").out)
    known = set(shown["workloads"])
    ends = {row[side] for row in shown["connections"] for side in ("source", "destination") if "[" in row[side]}
    assert ends <= known


@pytest.mark.parametrize("path", list(listed()), ids=named)
def test_every_unit_of_a_folder_is_mapped(path: Path) -> None:
    units = load([str(path)], LoadOptions(isolated=True)).found.units
    for unit in units:
        for extra in (("-f", "dot"), ("-f", "json", "--explain", "--exposure", "--requirements")):
            ran = k8snetlint(Path.cwd(), "map", str(path), "--isolated", "--unit", unit.name, *extra)
            assert ran.code in (0, 3), (unit.name, ran.err)
