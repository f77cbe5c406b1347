"""The configuration: `.k8snetlint.yaml`, or `[tool.k8snetlint]` of pyproject.toml, upwards from the first path."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping

import attrs

from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import Settings
from k8snetlint.source.decode import DecodeError, decode
from k8snetlint.source.parse import parse
from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import Node

from .problem import ConfigProblem
from .reader import read_settings

__all__ = ["ConfigProblem", "Configuration", "find_configuration", "read_configuration"]

FILE_NAMES = (".k8snetlint.yaml", ".k8snetlint.yml")
PYPROJECT = "pyproject.toml"
_MAX_SIZE = 1_000_000


@attrs.frozen
class Configuration:
    """What a configuration file says. `origins` tells where each setting that it gives stands, by the key's path.

    With `problems` the settings are not to be used.
    """

    settings: Settings
    path: str | None = None
    origins: Mapping[str, Place] = attrs.field(factory=dict)
    problems: tuple[ConfigProblem, ...] = ()


def find_configuration(first_path: str, directory: str = ".") -> str | None:
    """The configuration file nearest upwards from a path, as shown relative to `directory`; None if there is none."""
    start = os.path.realpath(os.path.join(directory, first_path))
    current = start if os.path.isdir(start) else os.path.dirname(start)
    while True:
        for name in (*FILE_NAMES, PYPROJECT):
            candidate = os.path.join(current, name)
            if os.path.isfile(candidate) and (name != PYPROJECT or _has_section(candidate)):
                return os.path.relpath(candidate, os.path.realpath(directory)).replace(os.sep, "/")
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent


def read_configuration(path: str, rulebook: Rulebook, directory: str = ".") -> Configuration:
    """The configuration of a file; every mistake in it is a problem with a position."""
    source = SourceFile(path, "")
    try:
        with open(os.path.join(directory, path), "rb") as file:
            source = SourceFile(path, decode(file.read(_MAX_SIZE)).text)
    except IsADirectoryError:
        return _failed(source, f"the configuration `{path}` is a directory", "name a file")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return _failed(source, f"the configuration `{path}` cannot be read: {reason}", "name a file that can be read")
    except DecodeError as error:
        return _failed(source, f"the configuration `{path}` {error.message}", error.help)
    root, problems = _root_of(source)
    if root is None:
        return Configuration(Settings(), path, problems=problems)
    settings, origins, found = read_settings(root, rulebook)
    folder = posixpath.dirname(path) or "."
    return Configuration(attrs.evolve(settings, root=folder), path, origins, (*problems, *found))


def _root_of(source: SourceFile) -> tuple[Node | None, tuple[ConfigProblem, ...]]:
    if source.path.endswith(".toml"):
        from .toml import read_toml

        return read_toml(source)
    parsed = parse(source)
    problems = tuple(ConfigProblem(problem.message, problem.place) for problem in parsed.problems)
    if problems:
        return None, problems
    if len(parsed.documents) > 1:
        root = parsed.documents[1].root
        return None, (ConfigProblem("a configuration is one document", root.place, "remove the second one"),)
    if not parsed.documents:
        return Node({}, 0, 0, source), ()
    root = parsed.documents[0].root
    return (Node({}, 0, 0, source) if root.value is None else root), ()


def _failed(source: SourceFile, message: str, help_: str) -> Configuration:
    return Configuration(Settings(), source.path, problems=(ConfigProblem(message, Place(source, Span(0, 0)), help_),))


def _has_section(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"tool.k8snetlint" in file.read(_MAX_SIZE)
    except OSError:
        return False
