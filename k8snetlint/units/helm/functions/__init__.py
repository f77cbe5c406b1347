"""The functions that templates call: Go's, Sprig's and Helm's, a module per theme."""

from __future__ import annotations

from k8snetlint.units.helm.runtime import Registry

from . import encoding, formatting, lists, logic, maps, numbers, paths, regexes, strings, templating, unknown, versions


def function_library() -> Registry:
    """All functions by name."""
    registry: Registry = {}
    for theme in (formatting, strings, numbers, lists, maps, logic, encoding, regexes, versions, paths, unknown):
        registry.update(theme.functions())
    registry.update(templating.functions(registry))
    return registry
