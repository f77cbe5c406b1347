"""Go's fmt verbs, its quoting, and the print functions."""

from __future__ import annotations

import re

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import (
    MAX_TEXT,
    LimitReached,
    Struct,
    Text,
    Value,
    decimal_digits,
    derived,
    float_text,
    positional,
    text_of,
    type_of,
)

_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?(?:\[(?P<index>\d{1,5})\])?(?P<verb>.)?",
    re.DOTALL,
)
_SIMPLE = re.compile(r"%[sv]")
_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_TO_QUOTE = re.compile(r'[^\x20-\x7e]|["\\]')


def quoted(text: str) -> str:
    """A text in double quotes with Go's escapes."""
    return f'"{_TO_QUOTE.sub(_escaped, text)}"'


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return "\\" + character
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() and not character.isspace():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printf(form: str, *values: Value) -> str:
    """Go's Sprintf."""
    if all(isinstance(value, str) for value in values) and form.count("%") == len(values) == len(_SIMPLE.findall(form)):
        return _joined(form, values)
    remaining = list(values)
    taken = 0
    is_reordered = False

    def replaced(match: re.Match[str]) -> str:
        nonlocal taken, is_reordered
        verb = match["verb"]
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        width, precision = match["width"], match["precision"]
        has_precision = "." in match[0][1:-1]
        bounds: list[int | None] = []
        for bound in (width, precision):
            if bound == "*":
                star = remaining[taken] if taken < len(remaining) else None
                taken += 1
                bounds.append(star if isinstance(star, int) else None)
            else:
                bounds.append(int(bound) if bound else None)
        if any(bound is not None and abs(bound) > 10_000 for bound in bounds):
            raise LimitReached("printf is given a width of more than 10,000")
        if match["index"] is not None:
            taken, is_reordered = int(match["index"]) - 1, True
            if not 0 <= taken < len(remaining):
                return f"%!{verb}(BADINDEX)"
        if taken >= len(remaining):
            return f"%!{verb}(MISSING)"
        value = remaining[taken]
        taken += 1
        return _formatted(
            value, verb, match["flags"], bounds[0], bounds[1] if bounds[1] is not None or not has_precision else 0
        )

    text = _VERB.sub(replaced, form)
    if taken < len(remaining) and not is_reordered:
        extra = ", ".join(
            f"{type_of(value)}={text_of(value)}" if value is not None else "<nil>" for value in remaining[taken:]
        )
        text += f"%!(EXTRA {extra})"
    return text


def _joined(form: str, values: tuple[Value, ...]) -> str:
    parts = _SIMPLE.split(form)
    pieces = [parts[0]]
    size = len(form)
    for value, part in zip(values, parts[1:], strict=True):
        assert isinstance(value, str)
        size += len(value)
        pieces += (value, part)
    if size > MAX_TEXT:
        raise LimitReached(f"printf yields a text of more than {MAX_TEXT:,} characters")
    return "".join(pieces)


def _formatted(value: Value, verb: str, flags: str, width: int | None, precision: int | None) -> str:
    text = _verb_text(value, verb, flags, precision)
    if width is None:
        return text
    if width < 0 or "-" in flags:
        return text.ljust(abs(width))
    if "0" in flags and isinstance(value, int | float) and verb not in "sqv":
        sign = text[0] if text[:1] in ("+", "-") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _verb_text(value: Value, verb: str, flags: str, precision: int | None) -> str:
    if verb == "T":
        return type_of(value)
    if verb == "v":
        if "#" in flags and isinstance(value, str):
            return quoted(value)
        return text_of(value)
    if value is None:
        return f"%!{verb}(<nil>)"
    if isinstance(value, bool):
        return text_of(value) if verb == "t" else _wrong(value, verb)
    if isinstance(value, str):
        return _string_text(value, verb, precision)
    if isinstance(value, int):
        return _integer_text(value, verb, flags)
    if isinstance(value, float):
        return _float_text(value, verb, flags, precision)
    if isinstance(value, dict):
        parts = (
            f"{_verb_text(key, verb, flags, precision)}:{_verb_text(value[key], verb, flags, precision)}"
            for key in sorted(value)
        )
        return f"map[{' '.join(parts)}]"
    if isinstance(value, list):
        return f"[{' '.join(_verb_text(item, verb, flags, precision) for item in value)}]"
    return text_of(value) if verb == "s" else _wrong(value, verb)


def _string_text(value: str, verb: str, precision: int | None) -> str:
    if precision is not None and verb in "sq":
        value = value[:precision]
    if verb == "s":
        return value
    if verb == "q":
        return quoted(value)
    if verb in "xX":
        digits = value.encode().hex()
        return digits.upper() if verb == "X" else digits
    return _wrong(value, verb)


def _integer_text(value: int, verb: str, flags: str) -> str:
    sign = "+" if "+" in flags and value >= 0 else ""
    if verb == "d":
        return sign + int.__repr__(value)
    if verb in "xXob":
        prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}[verb] if "#" in flags else ""
        return ("-" if value < 0 else sign) + prefix + format(abs(int(value)), verb)
    if verb in "cqU" and 0 <= value < 0x110000:
        if verb == "U":
            return f"U+{value:04X}"
        return chr(value) if verb == "c" else f"'{chr(value)}'"
    return _wrong(value, verb)


def _float_text(value: float, verb: str, flags: str, precision: int | None) -> str:
    if verb not in "feEgG":
        return _wrong(value, verb)
    sign = "+" if "+" in flags and value >= 0 else ""
    number = float(value)
    if verb in "gG":
        text = float_text(number) if precision is None else format(number, f".{precision}g")
        return sign + (text.upper() if verb == "G" else text)
    if verb == "f" and precision is None:
        precision = 6
    return sign + format(number, f".{6 if precision is None else precision}{verb}")


def _wrong(value: Value, verb: str) -> str:
    return f"%!{verb}({type_of(value)}={text_of(value)})"


def sprint(*values: Value) -> str:
    """Go's Sprint: a space between two operands of which neither is a string."""
    if len(values) == 1 and isinstance(values[0], Text):
        return values[0]
    parts: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(text_of(value))
    return "".join(parts)


def _println(*values: Value) -> str:
    return " ".join(map(text_of, values)) + "\n"


def _quote(*values: Value) -> str:
    return " ".join(quoted(string_of(value)) for value in values if value is not None)


def _squote(*values: Value) -> str:
    return " ".join(f"'{text_of(value)}'" for value in values if value is not None)


def _cat(*values: Value) -> str:
    return " ".join(text_of(value) for value in values if value is not None)


def string_of(value: Value) -> str:
    """A value as a string, with its origin."""
    if isinstance(value, str):
        return value
    if isinstance(value, Struct):
        return value.printed
    return derived(text_of(value), (value,))


def json_number(number: float) -> str:
    """A float64 as Go's JSON encoder writes it."""
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("JSON has no such number")
    digits, exponent, sign = decimal_digits(number)
    if number and (exponent < -6 or exponent >= 21):
        fraction = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}".replace("e-0", "e-")
    return sign + positional(digits, exponent)


def functions() -> Registry:
    """Functions that print values."""
    return {
        "print": Builtin(sprint, "a*", derives=True),
        "printf": Builtin(printf, "sa*", derives=True),
        "println": Builtin(_println, "a*", derives=True),
        "quote": Builtin(_quote, "a*", derives=True),
        "squote": Builtin(_squote, "a*", derives=True),
        "cat": Builtin(_cat, "a*", derives=True),
        "toString": Builtin(string_of, "a"),
    }
