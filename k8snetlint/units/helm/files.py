"""The files of a chart: read from its folder or from packed charts in it, and from nowhere else."""

from __future__ import annotations

import fnmatch
import io
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import attrs

MAX_FILES = 10_000
MAX_FILE_SIZE = 5_000_000
MAX_TOTAL_SIZE = 60_000_000
MAX_FOLDER_DEPTH = 30

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@attrs.frozen
class ChartFiles:
    """The files of a chart by their path below it, with `/` between, in sorted order; `refused` says what was not read."""

    contents: dict[str, bytes]
    refused: tuple[tuple[str, str], ...]
    limit_reached: bool = False


class _Rule(NamedTuple):
    """A line of `.helmignore`."""

    pattern: re.Pattern[str]
    negates: bool
    folders_only: bool
    whole_path: bool


def ignore_rules(text: str) -> list[_Rule]:
    """The rules of a `.helmignore`; lines that Helm refuses (with `**`) are left out."""
    rules = []
    for line in text.removeprefix("\ufeff").splitlines():
        line = line.strip()
        if not line or line.startswith("#") or "**" in line:
            continue
        negates = line.startswith("!")
        body = line[1:] if negates else line
        folders_only = body.endswith("/")
        body = body.removesuffix("/")
        whole_path = "/" in body
        rules.append(_Rule(_glob(body.removeprefix("/")), negates, folders_only, whole_path))
    return [*rules, _Rule(_glob("templates/.?*"), False, False, True)]


def _glob(pattern: str) -> re.Pattern[str]:
    # Go negates a class by `^`; to it `!` is a character like others.
    pattern = re.sub(r"\[!([^\]]+)\]", r"[\1!]", pattern).replace("[^", "[!")
    parts = [fnmatch.translate(part).removeprefix("(?s:").removesuffix(r")\Z") for part in pattern.split("/")]
    return re.compile("/".join(part.replace(".*", "[^/]*") for part in parts))


def is_ignored(rules: list[_Rule], path: str, *, is_folder: bool) -> bool:
    """Whether the rules leave a path out. A negated rule leaves out what it does not match, as Helm has it."""
    name = path.rsplit("/", 1)[-1]
    for rule in rules:
        if rule.folders_only and not is_folder:
            if rule.negates:
                return True
            continue
        matches = rule.pattern.fullmatch(path if rule.whole_path else name) is not None
        if rule.negates != matches:
            return True
    return False


def folder_files(folder: Path, absent: Collection[str] = ()) -> ChartFiles:
    """The files below a folder that Helm would load. Symbolic links are followed only to places inside the folder.

    `absent` are real paths of files that count as gone.
    """
    root = os.path.realpath(folder)
    rules: list[_Rule] = ignore_rules("")
    ignore = Path(root, ".helmignore")
    if ignore.is_file() and not ignore.is_symlink() and ignore.stat().st_size < MAX_FILE_SIZE:
        rules = ignore_rules(ignore.read_text(encoding="utf-8", errors="replace"))
    contents: dict[str, bytes] = {}
    refused: list[tuple[str, str]] = []
    total = 0
    limit_reached = False
    pending = [(root, "", 0)]
    while pending and not limit_reached:
        where, prefix, depth = pending.pop()
        for entry in sorted(os.scandir(where), key=lambda entry: entry.name):
            path = prefix + entry.name
            if entry.is_symlink() and not _is_inside(root, os.path.realpath(entry.path)):
                refused.append((path, "it is a symbolic link out of the chart"))
                continue
            is_folder = entry.is_dir()
            if is_ignored(rules, path, is_folder=is_folder):
                continue
            if is_folder:
                if depth >= MAX_FOLDER_DEPTH or (
                    entry.is_symlink() and _is_inside(os.path.realpath(entry.path), where)
                ):
                    refused.append((path, "folders are nested too deeply"))
                    continue
                pending.append((entry.path, path + "/", depth + 1))
                continue
            if not entry.is_file() or entry.path in absent:
                continue
            size = entry.stat().st_size
            if size > MAX_FILE_SIZE:
                refused.append((path, f"it is larger than {MAX_FILE_SIZE:,} bytes"))
                continue
            total += size
            if len(contents) >= MAX_FILES or total > MAX_TOTAL_SIZE:
                refused.append((path, "the chart has too many files"))
                limit_reached = True
                break
            contents[path] = Path(entry.path).read_bytes()
    return ChartFiles(dict(sorted(contents.items())), tuple(refused), limit_reached)


def _is_inside(root: str, path: str) -> bool:
    return path == root or path.startswith(root + os.sep)


def archive_files(data: bytes) -> ChartFiles:
    """The files of a packed chart. Members that point outside of it are refused, and links are not followed."""
    contents: dict[str, bytes] = {}
    refused: list[tuple[str, str]] = []
    total = 0
    try:
        with tarfile.open(fileobj=_Bounded(data), mode="r|") as archive:
            for count, member in enumerate(archive):
                if not member.isfile():
                    continue
                name = member.name.replace("\\", "/")
                path = name.partition("/")[2]
                if name.startswith("/") or not path or ".." in name.split("/") or _DRIVE.match(path):
                    refused.append((name, "it lies outside of the packed chart"))
                    continue
                total += member.size
                if count >= MAX_FILES or total > MAX_TOTAL_SIZE or member.size > MAX_FILE_SIZE:
                    refused.append((name, "the packed chart is too large"))
                    return ChartFiles(dict(sorted(contents.items())), tuple(refused), limit_reached=True)
                stream = archive.extractfile(member)
                if stream is not None:
                    contents[os.path.normpath(path).replace(os.sep, "/")] = stream.read()
    except _TooLarge:
        refused.append(("", "the packed chart is too large"))
        return ChartFiles(dict(sorted(contents.items())), tuple(refused), limit_reached=True)
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as error:
        refused.append(("", f"it is no packed chart: {error}"))
    return ChartFiles(dict(sorted(contents.items())), tuple(refused))


class _TooLarge(Exception):  # noqa: N818 (never leaves this module)
    pass


class _Bounded(io.RawIOBase):
    """The unpacked bytes of gzip data, up to a bound."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._unpacker = zlib.decompressobj(wbits=31)
        self._rest = data
        self._total = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises _TooLarge beyond the bound."""
        wanted = 65536 if size < 0 else size
        chunk = self._unpacker.decompress(self._rest, wanted) if wanted else b""
        self._rest = self._unpacker.unconsumed_tail
        self._total += len(chunk)
        if self._total > 2 * MAX_TOTAL_SIZE:
            raise _TooLarge
        return chunk


Reader = Callable[[Path], ChartFiles]
