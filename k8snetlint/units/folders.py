"""Paths as text: folders around a file, and what lies below what."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping


def folder_of(path: str) -> str:
    """The folder of a path; `.` for the working directory."""
    return posixpath.dirname(path) or "."


def ancestors(directory: str) -> Iterator[str]:
    """A folder and those around it, the innermost first."""
    while True:
        yield directory
        if directory in (".", "/", "") or posixpath.basename(directory) == "..":
            return
        directory = folder_of(directory)


def enclosing(directory: str, folders: Mapping[str, object]) -> str | None:
    """The outermost of the folders that a folder lies in or is."""
    found = None
    for ancestor in ancestors(directory):
        if ancestor in folders:
            found = ancestor
    return found


def is_below(path: str, directory: str) -> bool:
    """Whether a path lies in a folder or is it."""
    return (directory == "." and not path.startswith("../")) or path == directory or path.startswith(directory + "/")
