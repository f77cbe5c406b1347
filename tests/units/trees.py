"""Folders of manifests written for a test, and the units found in them."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import attrs

from k8snetlint.settings import Settings
from k8snetlint.source.discover import DiscoverOptions, discover
from k8snetlint.units.find import find_units
from k8snetlint.units.unit import Found, Unit


def write(root: Path, files: Mapping[str, str]) -> None:
    """Writes files below a folder, their texts without common indentation."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def found(root: Path, files: Mapping[str, str], *paths: str, **settings: object) -> Found:
    """What is found in a tree written below `root`, the working directory; all of it without paths."""
    write(root, files)
    inputs = discover(paths or (".",), DiscoverOptions(directory=str(root)))
    return find_units(inputs, attrs.evolve(Settings(), **settings))  # type: ignore[arg-type]


def names(unit: Unit) -> list[str]:
    """The kinds and names of a unit's objects."""
    return [
        f"{document.root.at('kind').value}/{document.root.at('metadata', 'name').value}" for document in unit.documents
    ]


def an_object(kind: str, name: str, extra: str = "", api_version: str = "v1") -> str:
    """The text of an object."""
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n{extra}"
