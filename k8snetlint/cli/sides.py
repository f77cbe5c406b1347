"""The two sides of a comparison, OLD and NEW: paths or git revisions, each a world of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from k8snetlint import rulebook as rulebooks
from k8snetlint.source.discover import MANIFEST_SUFFIXES, discover

from .options import LoadOptions
from .pipeline import Failure, discover_options, found_in, resolve_settings
from .repository import repository_root
from .revision import PREFIX, write_revision
from .world import World, world_of


@contextmanager
def sides(old: str, new: str, options: LoadOptions) -> Iterator[tuple[World, World]]:
    """The worlds of OLD and NEW. Units are named relative to each side's root."""
    with tempfile.TemporaryDirectory(prefix="k8snetlint-") as scratch:
        yield (
            _side(old, new, os.path.join(scratch, "old"), options),
            _side(new, new, os.path.join(scratch, "new"), options),
        )


def folder_of(text: str) -> str:
    """The folder that the paths of a side are relative to, as seen from the working directory; empty for that itself.

    What a revision holds is named by where it is in the working tree.
    """
    if text.startswith(PREFIX):
        inside = text.removeprefix(PREFIX).partition(":")[2].strip("/")
        is_file = inside.endswith(MANIFEST_SUFFIXES)
        top = repository_root(os.getcwd()) or os.getcwd()
        folder = os.path.relpath(os.path.join(top, os.path.dirname(inside) if is_file else inside), os.getcwd())
    else:
        folder = os.path.relpath(text if os.path.isdir(text) else os.path.dirname(text) or ".")
    return "" if folder in ("", ".") else folder.replace(os.sep, "/")


def _side(text: str, configured: str, scratch: str, options: LoadOptions) -> World:
    if text.startswith(PREFIX):
        os.makedirs(scratch)
        path = write_revision(text, scratch)
    else:
        path = text
        if not os.path.exists(path):
            raise Failure(f"`{path}` does not exist")
    rulebook = rulebooks.load()
    settings = resolve_settings(("." if configured.startswith(PREFIX) else configured,), options, rulebook)
    root, name = (path, ".") if os.path.isdir(path) else (os.path.dirname(path) or ".", os.path.basename(path))
    how = attrs.evolve(
        discover_options(options, settings), directory=root, exclude_directory=os.path.abspath(settings.root)
    )
    return world_of(found_in(discover([name], how), settings, rulebook), options)
