"""The functions that templates call: Go's, Sprig's and Helm's, a module per theme."""

from __future__ import annotations

from k8snetlint.units.helm.runtime import Library

from . import (
    cases,
    durations,
    encoding,
    formatting,
    lists,
    logic,
    maps,
    numbers,
    paths,
    regexes,
    strings,
    templating,
    toml,
    unknown,
    versions,
)


def function_library() -> Library:
    """All functions by name."""
    registry = Library()
    themes = (
        *(formatting, strings, cases, numbers, lists, maps, logic, encoding, toml),
        *(regexes, versions, paths, durations, unknown),
    )
    for theme in themes:
        registry.update(theme.functions())
    registry.update(templating.functions(registry))
    return registry
