"""Patterns of ignore files, as git reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Pattern(NamedTuple):
    """One line of an ignore file. `by_name`: matched against the last part of a path only."""

    regex: re.Pattern[str]
    is_negated: bool
    directories_only: bool
    by_name: bool


class IgnoreFile(NamedTuple):
    """The patterns of one ignore file, and the directory that they are relative to, with `/` between."""

    directory: str
    patterns: tuple[Pattern, ...]

    def verdict(self, path: str, name: str, is_directory: bool) -> bool | None:
        """Whether the last pattern that matches ignores the path or keeps it; None if no pattern matches."""
        directory = self.directory
        if directory and not path.startswith(directory + "/"):
            return None
        relative = path[len(directory) + 1 :] if directory else path
        for pattern in reversed(self.patterns):
            if pattern.directories_only and not is_directory:
                continue
            if pattern.regex.match(name if pattern.by_name else relative):
                return not pattern.is_negated
        return None


def is_ignored(files: Iterable[IgnoreFile], path: str, name: str, is_directory: bool) -> bool:
    """Whether a path is ignored; of several ignore files the nearest to the path comes first in `files`."""
    for file in files:
        verdict = file.verdict(path, name, is_directory)
        if verdict is not None:
            return verdict
    return False


def read_patterns(lines: Iterable[str], directory: str) -> IgnoreFile:
    """The patterns of an ignore file's lines, relative to `directory`. A line that is no pattern is passed over."""
    patterns = (_pattern(line.rstrip("\r\n")) for line in lines)
    return IgnoreFile(directory, tuple(pattern for pattern in patterns if pattern is not None))


def _pattern(line: str) -> Pattern | None:
    if line.startswith("#"):
        return None
    # Trailing spaces do not count unless quoted by a backslash.
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    is_negated = line.startswith("!")
    if is_negated:
        line = line[1:]
    directories_only = line.endswith("/")
    line = line.rstrip("/") if directories_only else line
    if not line:
        return None
    by_name = "/" not in line
    regex = _translated(line.removeprefix("/"))
    return None if regex is None else Pattern(regex, is_negated, directories_only, by_name)


def _translated(glob: str) -> re.Pattern[str] | None:
    pieces: list[str] = []
    index = 0
    while index < len(glob):
        character = glob[index]
        if glob.startswith("**/", index) and (index == 0 or glob[index - 1] == "/"):
            pieces.append("(?:[^/]+/)*")
            index += 3
            continue
        if glob[index:] == "**" and (index == 0 or glob[index - 1] == "/"):
            pieces.append(".+")
            break
        if character == "*":
            while glob.startswith("**", index):
                index += 1
            pieces.append("[^/]*")
        elif character == "?":
            pieces.append("[^/]")
        elif character == "[":
            end = glob.find("]", index + 2 + (glob[index + 1 : index + 2] in ("!", "^")))
            if end < 0:
                return None
            inside = glob[index + 1 : end]
            if inside[0] in "!^":
                inside = "^" + inside[1:]
            pieces.append("(?!/)[" + inside.replace("\\", "\\\\").replace("[", "\\[") + "]")
            index = end
        elif character == "\\" and index + 1 < len(glob):
            index += 1
            pieces.append(re.escape(glob[index]))
        else:
            pieces.append(re.escape(character))
        index += 1
    try:
        return re.compile("".join(pieces) + r"\Z", re.DOTALL)
    except re.error:
        return None
