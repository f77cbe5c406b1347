"""The arguments of template functions: how many, of which kinds, and what a wrong one is called."""

from __future__ import annotations

import re
from collections.abc import Callable

from .values import MAX_TEXT, UNKNOWN, LimitReached, TemplateError, Value, derived, is_unknown, kind_of

_KINDS: dict[str, tuple[type, ...]] = {"s": (str,), "i": (int,), "n": (int, float), "l": (list,), "d": (dict,)}
_WORDS = {"s": "a string", "i": "an integer", "n": "a number", "l": "a list", "d": "a map"}

# What Python's own operations raise for values that they are not made for.
_REFUSALS = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, re.error)


def checked_call(
    name: str, function: Callable[..., Value], parameters: str, *, derives: bool = False
) -> Callable[[list[Value]], Value]:
    """The function of a list of arguments. It raises TemplateError for wrong ones and for results that are too long."""
    required, _, optional = parameters.partition("?")
    repeated = parameters.endswith("*")
    letters = (required + optional).rstrip("*")
    least = len(required.rstrip("*")) - (1 if required.endswith("*") else 0)
    most = len(letters)
    checks = [_KINDS.get(letter) for letter in letters]
    any_kind = not any(checks)

    def call(values: list[Value]) -> Value:
        count = len(values)
        if count < least or (count > most and not repeated):
            raise TemplateError(f"`{name}` takes {_amount(least, most, repeated)}, not {count}")
        if not any_kind:
            for index, value in enumerate(values):
                check = checks[index if index < most else -1]
                if check is not None and (not isinstance(value, check) or isinstance(value, bool)):
                    wanted = _WORDS[letters[index if index < most else -1]]
                    raise TemplateError(f"`{name}` takes {wanted}, not {_article(kind_of(value))}")
        try:
            result = function(*values)
        except RecursionError:
            raise LimitReached(f"`{name}` is given a value that is nested too deeply") from None
        except _REFUSALS as error:
            raise TemplateError(f"`{name}` cannot be computed: {error}") from None
        if isinstance(result, str):
            if len(result) > MAX_TEXT:
                raise LimitReached(f"`{name}` yields a text of more than {MAX_TEXT:,} characters")
            if derives:
                # A part of the placeholder, or another spelling of it, would be taken for a value that is known.
                if any(map(is_unknown, values)) and not is_unknown(result):
                    return UNKNOWN
                return derived(result, values)
        return result

    return call


def letter_of(parameters: str, index: int) -> str:
    """The letter of the parameter that the argument of that index goes to; empty where there is none."""
    letters = parameters.replace("?", "").rstrip("*")
    if index < len(letters):
        return letters[index]
    return letters[-1:] if parameters.endswith("*") else ""


def _amount(least: int, most: int, repeated: bool) -> str:
    if repeated:
        return f"{least} or more arguments"
    return f"{least} arguments" if least == most else f"{least} to {most} arguments"


def _article(kind: str) -> str:
    if kind == "invalid":
        return "nil"
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
