"""Arithmetic, conversions to numbers, and ranges of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import UNKNOWN, Int, Int64, LimitReached, Value, is_unknown, nodes_of, text_of

_INTEGER = re.compile(r"[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|0|[1-9][0-9_]*)")
MAX_NUMBERS = 100_000


def _wrapped(number: int) -> int:
    """An integer as 64 bits hold it."""
    return (number + 2**63) % 2**64 - 2**63


def integer_of(value: Value) -> int:
    """A value as Go's cast library makes an integer of it; 0 for what is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _wrapped(int(value)) if math.isfinite(value) else 0
    if isinstance(value, str):
        text = re.sub(r"\.0*$", "", value)
        if _INTEGER.fullmatch(text) and len(text) < 100:
            digits = text.lstrip("+-").replace("_", "")
            base = 8 if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit() else 0
            number = int(digits, base) * (-1 if text[0] == "-" else 1)
            return number if -(2**63) <= number < 2**63 else 0
    return 0


def float_of(value: Value) -> float:
    """A value as Go's cast library makes a float64 of it; 0 for what is none."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return 0.0
    return 0.0


def int64(number: int, *origins: Value) -> Int64:
    """An int64 that shows what the values it was made of show."""
    made = Int64(_wrapped(number))
    for origin in origins:
        nodes = nodes_of(origin)
        if nodes:
            made.nodes = (*made.nodes, *nodes)
    return made


def _int(value: Value) -> int:
    number = integer_of(value)
    nodes = nodes_of(value)
    if not nodes:
        return number
    made = Int(number)
    made.nodes = nodes
    return made


def _quotient(left: Value, right: Value) -> Int64:
    dividend, divisor = integer_of(left), integer_of(right)
    if divisor == 0:
        raise ValueError("division by zero")
    quotient = abs(dividend) // abs(divisor)
    return int64(quotient if (dividend < 0) == (divisor < 0) else -quotient, left, right)


def _remainder(left: Value, right: Value) -> Int64:
    dividend, divisor = integer_of(left), integer_of(right)
    if divisor == 0:
        raise ValueError("division by zero")
    remainder = abs(dividend) % abs(divisor)
    return int64(-remainder if dividend < 0 else remainder, left, right)


def _product(first: Value, *others: Value) -> Int64:
    number = integer_of(first)
    for other in others:
        number = _wrapped(number * integer_of(other))
    return int64(number, first, *others)


def _decimal(value: Value) -> Decimal:
    number = float_of(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return Decimal(repr(number))


def _decimal_sum(*values: Value) -> float:
    return float(sum(map(_decimal, values), Decimal(0)))


def _decimal_difference(first: Value, *others: Value) -> float:
    return float(_decimal(first) - sum(map(_decimal, others), Decimal(0)))


def _decimal_product(first: Value, *others: Value) -> float:
    number = _decimal(first)
    for other in others:
        number *= _decimal(other)
    return float(number) + 0.0


def _decimal_quotient(first: Value, *others: Value) -> float:
    number = _decimal(first)
    for other in others:
        divisor = _decimal(other)
        if divisor == 0:
            raise ValueError("division by zero")
        number /= divisor
    return float(number) + 0.0


def _rounded(value: Value, places: int, threshold: float = 0.5) -> float:
    power = math.pow(10, places)
    number = power * float_of(value)
    fraction = math.modf(number)[0]
    return (math.ceil(number) if fraction >= threshold else math.floor(number)) / power


def numbers_between(start: int, stop: int, step: int) -> list[Value]:
    """The integers from start up to but not including stop. Raises LimitReached for too many."""
    if (stop < start and step >= 0) or (stop >= start and step <= 0):
        return []
    found = range(start, stop, step)
    if len(found) > MAX_NUMBERS:
        raise LimitReached(f"a list of {len(found):,} numbers")
    return list(found)


def _until(count: int) -> list[Value]:
    return numbers_between(0, count, -1 if count < 0 else 1)


def _sequence(*bounds: int) -> str:
    if not bounds or len(bounds) > 3:
        return ""
    start = bounds[0] if len(bounds) > 1 else 1
    end = bounds[-1]
    way = -1 if end < start else 1
    step = bounds[1] if len(bounds) == 3 else way
    if len(bounds) == 3 and way < 0 < step:
        return ""
    return " ".join(text_of(number) for number in numbers_between(start, end + way, step))


def _octal(value: Value) -> Int64:
    try:
        return int64(int(text_of(value), 8), value)
    except ValueError:
        return Int64(0)


def _atoi(text: str) -> int:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else 0


def _unless_unknown(function: Callable[..., Value]) -> Callable[..., Value]:
    """The function, giving back the placeholder where one of its arguments holds it."""

    def call(*values: Value) -> Value:
        return UNKNOWN if any(map(is_unknown, values)) else function(*values)

    return call


def functions() -> Registry:
    """Arithmetic and conversions."""
    numbers = {
        "int": Builtin(_int, "a"),
        "int64": Builtin(lambda value: int64(integer_of(value), value), "a"),
        "float64": Builtin(lambda value: value if isinstance(value, float) else float_of(value), "a"),
        "atoi": Builtin(_atoi, "s"),
        "toDecimal": Builtin(_octal, "a"),
        "add": Builtin(lambda *values: int64(sum(map(integer_of, values)), *values), "a*"),
        "add1": Builtin(lambda value: int64(integer_of(value) + 1, value), "a"),
        "sub": Builtin(lambda left, right: int64(integer_of(left) - integer_of(right), left, right), "aa"),
        "mul": Builtin(_product, "aa*"),
        "div": Builtin(_quotient, "aa"),
        "mod": Builtin(_remainder, "aa"),
        "max": Builtin(lambda *values: int64(max(map(integer_of, values)), *values), "aa*"),
        "biggest": Builtin(lambda *values: int64(max(map(integer_of, values)), *values), "aa*"),
        "min": Builtin(lambda *values: int64(min(map(integer_of, values)), *values), "aa*"),
        "addf": Builtin(_decimal_sum, "a*"),
        "add1f": Builtin(lambda value: _decimal_sum(value, 1), "a"),
        "subf": Builtin(_decimal_difference, "aa*"),
        "mulf": Builtin(_decimal_product, "aa*"),
        "divf": Builtin(_decimal_quotient, "aa*"),
        "maxf": Builtin(lambda *values: max(map(float_of, values)), "aa*"),
        "minf": Builtin(lambda *values: min(map(float_of, values)), "aa*"),
        "ceil": Builtin(lambda value: float(math.ceil(float_of(value))), "a"),
        "floor": Builtin(lambda value: float(math.floor(float_of(value))), "a"),
        "round": Builtin(_rounded, "ai?n"),
    }
    found: Registry = {name: each._replace(call=_unless_unknown(each.call)) for name, each in numbers.items()}
    return found | {
        "until": Builtin(_until, "i"),
        "untilStep": Builtin(numbers_between, "iii"),
        "seq": Builtin(_sequence, "i*"),
    }
