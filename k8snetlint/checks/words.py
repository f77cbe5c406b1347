"""Wording that messages share."""

from __future__ import annotations

from collections.abc import Iterable


def listed(values: Iterable[object], last: str = "and") -> str:
    """Values in backticks: "`a`", "`a` and `b`", "`a`, `b` and `c`"."""
    quoted = [f"`{value}`" for value in values]
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)
