"""What git says of the working directory. Git is run only where a command is asked about changes."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .pipeline import Failure

_TIMEOUT_S = 60
_MAX_FILES = 500


def repository_root(directory: str) -> str | None:
    """The nearest directory upwards that holds `.git`; None outside a repository."""
    current = os.path.realpath(directory)
    while not os.path.exists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent
    return current


def changed_files(directory: str, revision: str) -> frozenset[str]:
    """The paths, relative to the working directory, that differ from a revision, new and deleted ones among them.

    Raises Failure where git cannot tell.
    """
    root = repository_root(directory)
    if root is None:
        raise Failure("this is no git repository, so what changed is not known; name the files with --report-on")
    if revision.startswith("-"):
        raise Failure(f"`{revision}` is not a revision")
    resolved = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", "--", fails_softly=True)
    if not resolved.strip() and revision != "HEAD":
        raise Failure(f"git knows no revision `{revision}`")
    listing = ("ls-files", "-z", "--others", "--exclude-standard")
    if resolved.strip():
        names = _git(root, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", revision, "--")
        names += _git(root, *listing)
    else:
        # Nothing is committed yet: everything is new.
        names = _git(root, *listing, "--cached")
    base = os.path.realpath(directory)
    return frozenset(
        os.path.relpath(os.path.join(root, name), base).replace(os.sep, "/") for name in names.split("\0") if name
    )


def texts_at(directory: str, revision: str, paths: Iterable[str]) -> dict[str, str]:
    """The texts that files had at a revision; those that were not there, or are not text, are left out."""
    root = repository_root(directory)
    result: dict[str, str] = {}
    for path in sorted(paths)[:_MAX_FILES]:
        inside = os.path.relpath(os.path.join(os.path.realpath(directory), path), root or ".").replace(os.sep, "/")
        text = _git(root or ".", "show", "--no-ext-diff", "--no-textconv", f"{revision}:{inside}", fails_softly=True)
        if text:
            result[path] = text
    return result


def _git(root: str, *arguments: str, fails_softly: bool = False) -> str:
    import subprocess

    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        ran = subprocess.run(command, cwd=root, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError:
        raise Failure("git is not installed, so what changed is not known") from None
    except subprocess.TimeoutExpired:
        raise Failure("git gave no answer, so what changed is not known") from None
    if ran.returncode != 0:
        if fails_softly:
            return ""
        raise Failure(f"git failed: {ran.stderr.decode('utf-8', 'replace').strip()}")
    return ran.stdout.decode("utf-8", "surrogateescape")
