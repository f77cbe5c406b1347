"""What the user gave: files, what could not be read, and a way to read more below the given paths."""

from __future__ import annotations

import enum
import os
from collections.abc import Collection, Mapping, Sequence

import attrs

from .decode import DecodeError, decode
from .text import Place, SourceFile, Span

MAX_FILE_SIZE = 16_000_000
MAX_JSON_SIZE = 256_000_000
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
class Inputs:
    """What the user gave: the files in the order of their paths, and what could not be read.

    `roots` are the real absolute paths that may be read, files or directories; `templates` the shown paths of files
    whose names say that they are templates for manifests. `absent` are the real paths of files that count as gone.
    """

    directory: str
    roots: tuple[str, ...]
    files: tuple[SourceFile, ...]
    problems: tuple[InputProblem, ...] = ()
    templates: tuple[str, ...] = ()
    max_file_size: int | None = None
    absent: frozenset[str] = frozenset()
    _known: dict[str, SourceFile] = attrs.field(factory=dict, eq=False, repr=False)

    def real_path(self, path: str) -> str | None:
        """The real absolute path of something below the roots, or None where it is outside them or loops.

        `path` is absolute or relative to the working directory; nothing need exist there.
        """
        try:
            real = os.path.realpath(os.path.join(self.directory, path))
        except (OSError, ValueError):
            return None
        return real if is_within(real, self.roots) else None

    def is_file(self, path: str) -> bool:
        """Whether there is a file at the path, below the roots."""
        real = self.real_path(path)
        return real is not None and real not in self.absent and (real in self._known or os.path.isfile(real))

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory at the path, below the roots."""
        real = self.real_path(path)
        return real is not None and os.path.isdir(real)

    def read(self, path: str) -> SourceFile | InputProblem:
        """The file at a path below the roots, whatever its name; the same object each time."""
        shown = shown_path(os.path.join(self.directory, path), self.directory)
        real = self.real_path(path)
        if real is None:
            message = f"`{shown}` lies outside the given paths: it is not read"
            return input_problem(InputProblemKind.OUTSIDE, shown, message, "give the directory that holds both")
        known = self._known.get(real)
        if known is not None:
            return known
        if real in self.absent:
            message = f"there is no file `{shown}`"
            return input_problem(InputProblemKind.MISSING, shown, message, "name a file that exists")
        source = read_file(real, shown, self.max_file_size)
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
            paths = (os.path.join(directory, name) for name in files)
            names += (slashed(os.path.relpath(path, real)) for path in paths if path not in self.absent)
        return tuple(sorted(names))

    def with_texts(self, texts: Mapping[str, str]) -> Inputs:
        """The same inputs with the texts of some files, by shown path, replaced; files of other paths are added."""
        if not texts:
            return self
        replaced = {path: SourceFile(path, text) for path, text in texts.items()}
        known = {real: replaced.pop(source.path, source) for real, source in self._known.items()}
        known |= {os.path.normpath(os.path.join(self.directory, path)): source for path, source in replaced.items()}
        return self._with_known(known)

    def without(self, paths: Collection[str]) -> Inputs:
        """The same inputs without the files of some shown paths, as if they were gone."""
        gone = {os.path.realpath(os.path.join(self.directory, path)) for path in paths}
        left = {real: source for real, source in self._known.items() if source.path not in paths}
        return attrs.evolve(self._with_known(left), absent=self.absent | gone)

    def _with_known(self, known: dict[str, SourceFile]) -> Inputs:
        before = {source.path for source in self.files}
        read_only = {source.path for source in self._known.values()} - before
        files = sorted(
            (source for source in known.values() if source.path not in read_only), key=lambda source: source.path
        )
        return attrs.evolve(self, files=tuple(files), known=known)


def is_within(real: str, roots: Sequence[str]) -> bool:
    """Whether a real path is one of the roots or below one."""
    return any(real == root or real.startswith(root if root.endswith(os.sep) else root + os.sep) for root in roots)


def slashed(path: str) -> str:
    """A path with `/` between, whatever the system's separator."""
    return path.replace(os.sep, "/")


def shown_path(path: str, directory: str) -> str:
    """A path as the user is shown it: relative to the working directory."""
    return slashed(os.path.relpath(path, directory))


def input_problem(
    kind: InputProblemKind, path: str, message: str, help_: str, text: str = "", offset: int = 0
) -> InputProblem:
    """A problem of an input, at an offset of what could be read of it."""
    return InputProblem(kind, path, message, help_, Place(SourceFile(path, text), Span(offset, len(text))))


def read_file(real: str, shown: str, max_size: int | None) -> SourceFile | InputProblem:
    """The file at a real path, or why it is not read. `shown` is the path to show."""
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
        return input_problem(InputProblemKind.NOT_A_FILE, shown, message, "name a file in it")
    except FileNotFoundError:
        return input_problem(InputProblemKind.MISSING, shown, f"there is no file `{shown}`", "name a file that exists")
    except PermissionError:
        message = f"`{shown}` cannot be read: permission denied"
        return input_problem(InputProblemKind.UNREADABLE, shown, message, "make it readable, or exclude it")
    except OSError as error:
        message = f"`{shown}` cannot be read: {(error.strerror or 'unknown error').lower()}"
        return input_problem(InputProblemKind.UNREADABLE, shown, message, "make it readable, or exclude it")
    return source_of(data, shown, max_size, is_json)


def source_of(data: bytes, shown: str, max_size: int | None, is_json: bool) -> SourceFile | InputProblem:
    """The text of bytes as a source file, or why they are none."""
    limit = max_size
    if limit is None:
        limit = MAX_JSON_SIZE if is_json or data[:4096].lstrip()[:1] in (b"{", b"[") else MAX_FILE_SIZE
    if len(data) > limit:
        message = f"`{shown}` is larger than {limit:,} bytes: it is not read"
        return input_problem(InputProblemKind.TOO_LARGE, shown, message, "raise --max-file-size, or exclude it")
    try:
        return SourceFile(shown, decode(data).text)
    except DecodeError as error:
        message = f"`{shown}` {error.message}"
        return input_problem(InputProblemKind.NOT_TEXT, shown, message, error.help, error.text, error.offset)
