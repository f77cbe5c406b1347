"""What is wrong with a configuration."""

from __future__ import annotations

import attrs

from k8snetlint.source.text import Place


@attrs.frozen
class ConfigProblem:
    """A mistake in the configuration, its place, and what to do."""

    message: str
    place: Place
    help: str | None = None
