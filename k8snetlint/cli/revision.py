"""Files of a git revision, written to a directory without touching the working tree."""

from __future__ import annotations

import os
import subprocess

from .pipeline import Failure

PREFIX = "git:"
_REGULAR = "100"


def write_revision(text: str, target: str) -> str:
    """Writes what `git:REV[:path]` names below a directory; the path there of what to analyse.

    Raises Failure where git does not know it. Symbolic links and submodules are left out.
    """
    revision, _, path = text.removeprefix(PREFIX).partition(":")
    if not revision or revision.startswith("-"):
        raise Failure(f"`{text}` names no revision: write git:REV or git:REV:path")
    path = path.strip("/")
    top = _git("rev-parse", "--show-toplevel").decode().strip()
    tree = f"{revision}:{path}" if path not in ("", ".") else revision
    kind = _git("-C", top, "cat-file", "-t", tree, about=text).decode().strip()
    if kind == "blob":
        name = os.path.basename(path)
        _write(os.path.join(target, name), _git("-C", top, "cat-file", "blob", tree, about=text))
        return os.path.join(target, name)
    entries = []
    for line in _git("-C", top, "ls-tree", "-r", "-z", tree, about=text).split(b"\0"):
        head, _, name_ = line.partition(b"\t")
        words = head.decode().split()
        if len(words) == 3 and words[0].startswith(_REGULAR):
            entries.append((words[2], os.fsdecode(name_)))
    for name, content in zip(
        (name for _, name in entries), _contents(top, [object_ for object_, _ in entries]), strict=True
    ):
        if os.path.isabs(name) or ".." in name.split("/"):
            raise Failure(f"`{text}` holds the path `{name}`, which leads out of it")
        _write(os.path.join(target, name), content)
    return target


def _contents(top: str, objects: list[str]) -> list[bytes]:
    output = _git("-C", top, "cat-file", "--batch", stdin="".join(f"{each}\n" for each in objects).encode())
    found = []
    at = 0
    for _ in objects:
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[2])
        found.append(output[end + 1 : end + 1 + size])
        at = end + size + 2
    return found


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def _git(*arguments: str, about: str = "", stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", *arguments], input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise Failure("git is needed for `git:REV`, and is not installed") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0] if said else f"exit code {done.returncode}"
        raise Failure(f"git does not know `{about}`: {reason}" if about else f"git failed: {reason}")
    return done.stdout
