"""Validation of a document against the schema of its kind."""

from __future__ import annotations

from functools import cache

from k8snetlint.source.tree import Node

from .compiled import Check, compile_type
from .report import ProblemType, SchemaProblem, problems
from .shapes import NEWEST_MINOR, kind_type, minor_of

__all__ = ["ProblemType", "SchemaProblem", "has_schema", "is_valid", "validate"]

NEWEST = f"1.{NEWEST_MINOR}"


def has_schema(api_version: str, kind: str) -> bool:
    """Whether there is a schema for a kind; without one nothing is known to be wrong with its objects."""
    return kind_type(api_version, kind) is not None


def validate(root: Node, api_version: str, kind: str, kube_version: str = NEWEST) -> list[SchemaProblem]:
    """What is wrong with a document, in the order of the text; empty for a kind that has no schema.

    Null stands for "absent" and is valid everywhere. A placeholder is valid in the place of any value.
    Ranges, formats and rules between fields are not the schema's affair.

    Raises ValueError if `kube_version` is no Kubernetes version.
    """
    minor = minor_of(kube_version)
    if _check(api_version, kind, minor)(root):
        return []
    code = kind_type(api_version, kind)
    return problems(root, code, minor) if code else []


def is_valid(root: Node, api_version: str, kind: str, kube_version: str = NEWEST) -> bool:
    """Whether `validate` finds nothing; costs a few microseconds per field."""
    return _check(api_version, kind, minor_of(kube_version))(root)


@cache
def _check(api_version: str, kind: str, minor: int) -> Check:
    code = kind_type(api_version, kind)
    return compile_type(code, minor).check if code else _accept


def _accept(node: Node) -> bool:
    return True
