"""What git says of the working directory."""

from __future__ import annotations

import os


def repository_root(directory: str) -> str | None:
    """The nearest directory upwards that holds `.git`; None outside a repository."""
    current = os.path.realpath(directory)
    while not os.path.exists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent
    return current
