"""Paths to source files: directories, globs, ignore files and standard input, within bounds."""

from __future__ import annotations

import enum
import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence

import attrs

from .decode import DecodeError, decode
from .ignore import IgnoreFile, is_ignored, read_patterns
from .template import has_template_suffix
from .text import Place, SourceFile, Span

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
MAX_FILE_SIZE = 16_000_000
MAX_JSON_SIZE = 256_000_000
STDIN = "-"
# What tools keep in a repository for themselves, and what they install there.
SKIPPED_DIRECTORIES = frozenset(
    [".git", ".hg", ".svn", ".jj", ".bzr", "CVS", "node_modules", ".venv", ".tox", ".nox", ".terraform", "__pycache__"]
)


class InputProblemKind(enum.Enum):
    """Why an input is not analysed."""

    MISSING = "missing"
    OUTSIDE = "outside"
    DANGLING = "dangling"
    LOOP = "loop"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    NOT_TEXT = "not-text"
    NOT_A_FILE = "not-a-file"
    TEMPLATE = "template"


@attrs.frozen
class InputProblem:
    """An input that is not analysed. `message` names it and says why; `help` says what to do."""

    kind: InputProblemKind
    path: str
    message: str
    help: str
    place: Place


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


@attrs.frozen
class Inputs:
    """What the user gave: the files in the order of their paths, and what could not be read.

    `roots` are the real absolute paths that may be read, files or directories; `templates` the shown paths of files
    whose names say that they are templates for manifests.
    """

    directory: str
    roots: tuple[str, ...]
    files: tuple[SourceFile, ...]
    problems: tuple[InputProblem, ...] = ()
    templates: tuple[str, ...] = ()
    max_file_size: int | None = None
    _known: dict[str, SourceFile] = attrs.field(factory=dict, eq=False, repr=False)

    def real_path(self, path: str) -> str | None:
        """The real absolute path of something below the roots, or None where it is outside them or loops.

        `path` is absolute or relative to the working directory; nothing need exist there.
        """
        try:
            real = os.path.realpath(os.path.join(self.directory, path))
        except (OSError, ValueError):
            return None
        return real if _is_within(real, self.roots) else None

    def is_file(self, path: str) -> bool:
        """Whether there is a file at the path, below the roots."""
        real = self.real_path(path)
        return real is not None and (real in self._known or os.path.isfile(real))

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory at the path, below the roots."""
        real = self.real_path(path)
        return real is not None and os.path.isdir(real)

    def read(self, path: str) -> SourceFile | InputProblem:
        """The file at a path below the roots, whatever its name; the same object each time."""
        shown = _shown(os.path.join(self.directory, path), self.directory)
        real = self.real_path(path)
        if real is None:
            message = f"`{shown}` lies outside the given paths: it is not read"
            return _problem(InputProblemKind.OUTSIDE, shown, message, "give the directory that holds both")
        known = self._known.get(real)
        if known is not None:
            return known
        source = _read_file(real, shown, self.max_file_size)
        if isinstance(source, SourceFile):
            self._known[real] = source
        return source

    def names_below(self, path: str) -> tuple[str, ...]:
        """The paths of all files below a directory, relative to it, sorted; symlinks to directories are not entered."""
        real = self.real_path(path)
        if real is None:
            return ()
        names: list[str] = []
        for directory, directories, files in os.walk(real):
            directories[:] = sorted(name for name in directories if name not in SKIPPED_DIRECTORIES)
            names += (_slashed(os.path.relpath(os.path.join(directory, name), real)) for name in files)
        return tuple(sorted(names))


def discover(paths: Sequence[str], options: DiscoverOptions) -> Inputs:
    """The files that the paths mean: files, directories, globs, and `-` for standard input.

    Of a directory: YAML and JSON files, without what ignore files name. A file named itself is read whatever its name.
    A file met twice is kept once; symlinks are followed only where they stay within the given paths.
    """
    return _Discovery(options).run(paths)


def _is_within(real: str, roots: Sequence[str]) -> bool:
    return any(real == root or real.startswith(root if root.endswith(os.sep) else root + os.sep) for root in roots)


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/")


def _shown(path: str, directory: str) -> str:
    """A path as the user is shown it: relative to the working directory."""
    return _slashed(os.path.relpath(path, directory))


def _problem(
    kind: InputProblemKind, path: str, message: str, help_: str, text: str = "", offset: int = 0
) -> InputProblem:
    return InputProblem(kind, path, message, help_, Place(SourceFile(path, text), Span(offset, len(text))))


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
        self.exclude = (read_patterns(options.exclude, _slashed(base).rstrip("/")),) if options.exclude else ()

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
                source = _read_file(real, shown, max_size)
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
        self.problems.append(_problem(kind, path, message, help_))

    def _read_stdin(self) -> None:
        name = self.options.stdin_filename or STDIN
        limit = self.options.max_file_size
        data = sys.stdin.buffer.read((MAX_JSON_SIZE if limit is None else limit) + 1)
        real = os.path.realpath(os.path.join(self.directory, name)) if name != STDIN else STDIN
        shown = _shown(real, self.directory) if name != STDIN else STDIN
        source = _source(data, shown, limit, is_json=False)
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
        shown = _shown(absolute, self.directory)
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
        target = _slashed(os.readlink(path))
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
                shown = _shown(directory, self.directory)
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
        slashed = _slashed(path)
        if self.exclude and is_ignored(self.exclude, slashed, name, is_directory):
            return True
        return bool(files) and is_ignored(files, slashed, name, is_directory)

    def _is_wanted(self, name: str) -> bool:
        return name.endswith(MANIFEST_SUFFIXES) or name.lower().endswith(MANIFEST_SUFFIXES) or has_template_suffix(name)

    def _take_found(self, entry: os.DirEntry[str], name: str) -> None:
        shown = _shown(entry.path, self.directory)
        if has_template_suffix(name):
            self.templates.append(shown)
        elif entry.is_file() and entry.path not in self.found:
            # The walk starts at a real path and takes no symlink: the path is the real one.
            self.found[entry.path] = (False, shown)

    def _follow_links(self) -> None:
        """Takes the targets of symlinks, once all that is plainly there is known."""
        for path, name in sorted(self.links):
            shown = _shown(path, self.directory)
            if not os.path.exists(path):
                if self._is_wanted(name) or "." not in name:
                    self._add_broken_link(path, shown)
                continue
            real = os.path.realpath(path)
            is_directory = os.path.isdir(real)
            if not is_directory and not self._is_wanted(name):
                continue
            if not _is_within(real, self.roots):
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
            return (read_patterns(file, _slashed(directory).rstrip("/")),)
    except OSError:
        return ()


def _read_file(real: str, shown: str, max_size: int | None) -> SourceFile | InputProblem:
    is_json = real.lower().endswith(".json")
    try:
        with open(real, "rb") as file:
            # One byte more than the limit tells that there is more, of a device or a pipe too.
            limit = max_size if max_size is not None else MAX_FILE_SIZE
            data = file.read(limit + 1)
            if len(data) > limit and max_size is None and (is_json or data.lstrip()[:1] in (b"{", b"[")):
                data += file.read(MAX_JSON_SIZE - limit)
                is_json = True
    except IsADirectoryError:
        message = f"`{shown}` is a directory, not a file"
        return _problem(InputProblemKind.NOT_A_FILE, shown, message, "name a file in it")
    except FileNotFoundError:
        return _problem(InputProblemKind.MISSING, shown, f"there is no file `{shown}`", "name a file that exists")
    except PermissionError:
        message = f"`{shown}` cannot be read: permission denied"
        return _problem(InputProblemKind.UNREADABLE, shown, message, "make it readable, or exclude it")
    except OSError as error:
        message = f"`{shown}` cannot be read: {(error.strerror or 'unknown error').lower()}"
        return _problem(InputProblemKind.UNREADABLE, shown, message, "make it readable, or exclude it")
    return _source(data, shown, max_size, is_json)


def _source(data: bytes, shown: str, max_size: int | None, is_json: bool) -> SourceFile | InputProblem:
    limit = max_size
    if limit is None:
        limit = MAX_JSON_SIZE if is_json or data[:4096].lstrip()[:1] in (b"{", b"[") else MAX_FILE_SIZE
    if len(data) > limit:
        message = f"`{shown}` is larger than {limit:,} bytes: it is not read"
        return _problem(InputProblemKind.TOO_LARGE, shown, message, "raise --max-file-size, or exclude it")
    try:
        return SourceFile(shown, decode(data).text)
    except DecodeError as error:
        message = f"`{shown}` {error.message}"
        return _problem(InputProblemKind.NOT_TEXT, shown, message, error.help, error.text, error.offset)
