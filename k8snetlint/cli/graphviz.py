"""Pictures by graphviz, where it is installed."""

from __future__ import annotations

import shutil
import subprocess

from .pipeline import Failure

_SECONDS = 120


def svg_of(dot: str) -> str:
    """The picture of a graph. Raises Failure where graphviz is not installed, or does not manage."""
    program = shutil.which("dot")
    if program is None:
        raise Failure("svg is drawn by graphviz, and its program `dot` is not installed; take --format dot or mermaid")
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=dot, capture_output=True, encoding="utf-8", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(
            f"graphviz did not draw it in {_SECONDS} seconds; take --format dot, or fewer with --focus"
        ) from error
    if done.returncode:
        raise Failure(f"graphviz failed: {done.stderr.strip() or done.returncode}")
    return done.stdout
