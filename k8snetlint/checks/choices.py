"""Values that have to be one of a few words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from k8snetlint.diagnostic import Applicability, Diagnostic
from k8snetlint.engine import Context
from k8snetlint.model.core import Resource

from .words import listed


def nearest(value: str, choices: Iterable[str]) -> str | None:
    """The choice that a wrong value most likely means, whatever its case; None where none is near."""
    by_case = {choice.lower(): choice for choice in choices}
    near = get_close_matches(value.lower(), by_case, 1)
    return by_case[near[0]] if near else None


def no_such_choice(
    ctx: Context, resource: Resource, *path: str | int, value: str, choices: tuple[str, ...], remedy: str | None = None
) -> Diagnostic:
    """The diagnostic of a field whose value is none of its choices; with a fix where one is near and the rule has any."""
    near = nearest(value, choices)
    hint = f"; did you mean `{near}`?" if near is not None else ""
    # Another case is a slip of the hand; a word that is only near may not be the one that is meant.
    is_same = near is not None and near.lower() == value.lower()
    is_fixable = ctx.rule.fix is Applicability.UNSAFE or (ctx.rule.fix is Applicability.SAFE and is_same)
    edit = ctx.replace(resource, *path, text=near) if near is not None and is_fixable else None
    return ctx.report(
        resource,
        *path,
        message=f"{path[-1]} `{value}` is not one of {listed(choices, 'or')}{hint}",
        help=f"write {near}" if near is not None else remedy or "write one of them",
        fix=ctx.fix(f"Write {near}", edit),
    )
