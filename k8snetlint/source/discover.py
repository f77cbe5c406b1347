"""Paths to source files: directories, globs, ignore files and standard input, within bounds."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence

import attrs

from .ignore import IgnoreFile, is_ignored, read_patterns
from .inputs import (
    MAX_JSON_SIZE,
    SKIPPED_DIRECTORIES,
    InputProblem,
    InputProblemKind,
    Inputs,
    input_problem,
    is_within,
    read_file,
    shown_path,
    slashed,
    source_of,
)
from .template import has_template_suffix
from .text import SourceFile

__all__ = ["STDIN", "DiscoverOptions", "InputProblem", "InputProblemKind", "Inputs", "discover"]

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"


@attrs.frozen
class DiscoverOptions:
    """How paths are turned into files.

    `directory` is the working directory: paths are taken and shown relative to it. `max_file_size` in bytes replaces
    both limits. `exclude` are patterns as ignore files have them, relative to `exclude_directory`; nothing overrules
    them.
    """

    directory: str = "."
    stdin_filename: str | None = None
    max_file_size: int | None = None
    exclude: tuple[str, ...] = ()
    exclude_directory: str | None = None
    use_ignore_files: bool = True


def discover(paths: Sequence[str], options: DiscoverOptions) -> Inputs:
    """The files that the paths mean: files, directories, globs, and `-` for standard input.

    Of a directory: YAML and JSON files, without what ignore files name. A file named itself is read whatever its name.
    A file met twice is kept once; symlinks are followed only where they stay within the given paths.
    """
    return _Discovery(options).run(paths)


class _Discovery:
    def __init__(self, options: DiscoverOptions) -> None:
        self.options = options
        self.directory = os.path.realpath(options.directory)
        self.roots: list[str] = []
        self.problems: list[InputProblem] = []
        self.templates: list[str] = []
        # Real path -> (whether it was met through a symlink, shown path): the plain way to a file is the one to show.
        self.found: dict[str, tuple[bool, str]] = {}
        self.known: dict[str, SourceFile] = {}
        self.links: list[tuple[str, str]] = []
        base = os.path.realpath(options.exclude_directory or options.directory)
        self.exclude = (read_patterns(options.exclude, slashed(base).rstrip("/")),) if options.exclude else ()

    def run(self, paths: Sequence[str]) -> Inputs:
        directories: list[str] = []
        for path in paths:
            if path == STDIN:
                self._read_stdin()
            else:
                directories += self._take(path)
        for real in sorted(set(directories)):
            self._walk(real)
        self._follow_links()
        max_size = self.options.max_file_size
        for real, (_, shown) in sorted(self.found.items(), key=lambda item: item[1][1]):
            if real not in self.known:
                source = read_file(real, shown, max_size)
                if isinstance(source, InputProblem):
                    self.problems.append(source)
                else:
                    self.known[real] = source
        return Inputs(
            directory=self.directory,
            roots=tuple(self.roots),
            files=tuple(sorted(self.known.values(), key=lambda source: source.path)),
            problems=tuple(sorted(self.problems, key=lambda problem: (problem.path, problem.message))),
            templates=tuple(sorted(set(self.templates))),
            max_file_size=max_size,
            known=self.known,
        )

    def _add_problem(self, kind: InputProblemKind, path: str, message: str, help_: str) -> None:
        self.problems.append(input_problem(kind, path, message, help_))

    def _read_stdin(self) -> None:
        name = self.options.stdin_filename or STDIN
        limit = self.options.max_file_size
        data = sys.stdin.buffer.read((MAX_JSON_SIZE if limit is None else limit) + 1)
        real = os.path.realpath(os.path.join(self.directory, name)) if name != STDIN else STDIN
        shown = shown_path(real, self.directory) if name != STDIN else STDIN
        source = source_of(data, shown, limit, is_json=False)
        if isinstance(source, InputProblem):
            self.problems.append(source)
        else:
            self.known[real] = source

    def _take(self, path: str) -> Iterator[str]:
        """Takes a path that the user gave; yields the real paths of directories."""
        absolute = os.path.join(self.directory, path)
        if not os.path.lexists(absolute) and glob.has_magic(path):
            matches = sorted(glob.glob(absolute, recursive=True))
            for match in matches:
                if os.path.isdir(match) or has_template_suffix(match):
                    continue
                yield from self._take(match)
            if matches:
                return
        shown = shown_path(absolute, self.directory)
        try:
            status = os.stat(absolute)
        except OSError as error:
            self._add_unusable(absolute, shown, error)
            return
        except ValueError:
            self._add_problem(InputProblemKind.MISSING, path, "a path has a NUL character", "give a path that exists")
            return
        real = os.path.realpath(absolute)
        self.roots.append(real)
        if stat.S_ISDIR(status.st_mode):
            yield real
        elif has_template_suffix(real):
            self.templates.append(shown)
            message = f"`{shown}` is a template by its name: it is not analysed"
            self._add_problem(InputProblemKind.TEMPLATE, shown, message, "render it, and check what comes out")
        else:
            self.found[real] = (False, shown)

    def _add_unusable(self, path: str, shown: str, error: OSError) -> None:
        if os.path.islink(path):
            self._add_broken_link(path, shown)
        elif isinstance(error, PermissionError):
            message = f"`{shown}` cannot be read: permission denied"
            self._add_problem(InputProblemKind.UNREADABLE, shown, message, "make it readable, or exclude it")
        else:
            message = f"there is no file or directory `{shown}`"
            self._add_problem(InputProblemKind.MISSING, shown, message, "give a path that exists")

    def _add_broken_link(self, path: str, shown: str) -> None:
        target = slashed(os.readlink(path))
        try:
            os.stat(path)
        except FileNotFoundError:
            message = f"`{shown}` is a symlink to `{target}`, which does not exist"
            self._add_problem(InputProblemKind.DANGLING, shown, message, "mend or remove the symlink")
        except OSError:
            message = f"`{shown}` is a symlink that leads back to itself"
            self._add_problem(InputProblemKind.LOOP, shown, message, "mend or remove the symlink")

    def _walk(self, top: str) -> None:
        above = self._ignore_files_above(top) if self.options.use_ignore_files else ()
        stack: list[tuple[str, tuple[IgnoreFile, ...]]] = [(top, above)]
        while stack:
            directory, ignore_files = stack.pop()
            try:
                with os.scandir(directory) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError:
                shown = shown_path(directory, self.directory)
                message = f"the directory `{shown}` cannot be read"
                self._add_problem(InputProblemKind.UNREADABLE, shown, message, "make it readable, or exclude it")
                continue
            if self.options.use_ignore_files and any(entry.name == ".gitignore" for entry in entries):
                ignore_files = (*_read_ignore_file(directory, ".gitignore"), *ignore_files)
            for entry in entries:
                name = entry.name
                if entry.is_symlink():
                    if not self._is_ignored(ignore_files, entry.path, name, False):
                        self.links.append((entry.path, name))
                elif entry.is_dir():
                    if name not in SKIPPED_DIRECTORIES and not self._is_ignored(ignore_files, entry.path, name, True):
                        stack.append((entry.path, ignore_files))
                elif self._is_wanted(name) and not self._is_ignored(ignore_files, entry.path, name, False):
                    self._take_found(entry, name)

    def _is_ignored(self, files: tuple[IgnoreFile, ...], path: str, name: str, is_directory: bool) -> bool:
        path = slashed(path)
        if self.exclude and is_ignored(self.exclude, path, name, is_directory):
            return True
        return bool(files) and is_ignored(files, path, name, is_directory)

    def _is_wanted(self, name: str) -> bool:
        return name.endswith(MANIFEST_SUFFIXES) or name.lower().endswith(MANIFEST_SUFFIXES) or has_template_suffix(name)

    def _take_found(self, entry: os.DirEntry[str], name: str) -> None:
        shown = shown_path(entry.path, self.directory)
        if has_template_suffix(name):
            self.templates.append(shown)
        elif entry.is_file() and entry.path not in self.found:
            # The walk starts at a real path and takes no symlink: the path is the real one.
            self.found[entry.path] = (False, shown)

    def _follow_links(self) -> None:
        """Takes the targets of symlinks, once all that is plainly there is known."""
        for path, name in sorted(self.links):
            shown = shown_path(path, self.directory)
            if not os.path.exists(path):
                if self._is_wanted(name) or "." not in name:
                    self._add_broken_link(path, shown)
                continue
            real = os.path.realpath(path)
            is_directory = os.path.isdir(real)
            if not is_directory and not self._is_wanted(name):
                continue
            if not is_within(real, self.roots):
                message = f"the symlink `{shown}` leaves the given paths: it is not followed"
                self._add_problem(InputProblemKind.OUTSIDE, shown, message, "give its target as a path too")
            elif not is_directory and real not in self.found and os.path.isfile(real):
                self.found[real] = (True, shown)

    def _ignore_files_above(self, top: str) -> tuple[IgnoreFile, ...]:
        """The ignore files that bear on a directory from outside: up to the repository's root."""
        files: list[IgnoreFile] = []
        directory = top
        above: list[IgnoreFile] = []
        while True:
            if os.path.exists(os.path.join(directory, ".git")):
                files = above + list(_read_ignore_file(directory, os.path.join(".git", "info", "exclude")))
                break
            parent = os.path.dirname(directory)
            if parent == directory:
                break
            above += _read_ignore_file(parent, ".gitignore")
            directory = parent
        return tuple(files)


def _read_ignore_file(directory: str, name: str) -> tuple[IgnoreFile, ...]:
    try:
        with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as file:
            return (read_patterns(file, slashed(directory).rstrip("/")),)
    except OSError:
        return ()
