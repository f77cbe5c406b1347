"""Go's durations: numbers of nanoseconds that print as `1h30m0s`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import UNKNOWN, Int64, Method, Struct, Value

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d*)(\.\d*)?(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 2**63 - 1
_KIND = "time.Duration"


def duration_of(text: str) -> int:
    """The nanoseconds of a Go duration such as `1h30m`. Raises ValueError."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not rest or len(rest) > 100:
        raise ValueError(f"`{text}` is no duration")
    total, offset = 0, 0
    while offset < len(rest):
        match = _PART.match(rest, offset)
        if match is None or (not match[1] and len(match[2] or "") < 2):
            raise ValueError(f"`{text}` is no duration")
        unit = _UNITS[match[3]]
        fraction = match[2][1:] if match[2] else ""
        total += int(match[1] or 0) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)
        offset = match.end()
    if total > _LONGEST:
        raise ValueError(f"`{text}` is too long a duration")
    return sign * total


def _nanoseconds(value: Value) -> int:
    """A duration, the text of one, or a number of seconds. Raises ValueError."""
    if isinstance(value, Struct) and value.kind == _KIND:
        found = value.fields["Nanoseconds"]
        return found if isinstance(found, int) else 0
    if isinstance(value, str):
        text = value.strip()
        try:
            return duration_of(text)
        except ValueError:
            return _of_seconds(float(text))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_seconds(value)
    raise ValueError("the value is no duration")


def _of_seconds(seconds: int | float) -> int:
    if isinstance(seconds, float) and not math.isfinite(seconds):
        raise ValueError("the number is no duration")
    number = int(seconds * 10**9)
    if abs(number) > _LONGEST:
        raise ValueError("the number is too long a duration")
    return number


def printed(nanoseconds: int) -> str:
    """A duration as Go prints it."""
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest == 0:
        return "0s"
    if rest < 10**9:
        unit, size = next((name, _UNITS[name]) for name in ("ms", "µs", "ns") if rest >= _UNITS[name])
        return f"{sign}{_decimal(rest, size)}{unit}"
    minutes, below = divmod(rest, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(below, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _decimal(number: int, size: int) -> str:
    whole, rest = divmod(number, size)
    fraction = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)


def _made(nanoseconds: int) -> Struct:
    numbers: dict[str, Value] = {
        "Nanoseconds": Int64(nanoseconds),
        "Microseconds": Int64(int(nanoseconds / 1_000)),
        "Milliseconds": Int64(int(nanoseconds / 10**6)),
        "Seconds": nanoseconds / 10**9,
        "Minutes": nanoseconds / _UNITS["m"],
        "Hours": nanoseconds / _UNITS["h"],
        "String": printed(nanoseconds),
        "Abs": Method(lambda: _made(abs(nanoseconds))),
    }
    return Struct(_KIND, numbers, printed(nanoseconds))


def _counted(convert: Callable[[int], Value]) -> Builtin:
    def call(value: Value) -> Value:
        if isinstance(value, str) and UNKNOWN in value:
            return UNKNOWN
        try:
            return convert(_nanoseconds(value))
        except ValueError:
            return convert(0)

    return Builtin(call, "a")


def _rounded(value: Value, multiple: Value, *, truncates: bool) -> Value:
    try:
        number = _nanoseconds(value)
    except ValueError:
        return _made(0)
    try:
        step = _nanoseconds(multiple)
    except ValueError:
        return _made(number)
    if step <= 0:
        return _made(number)
    sign = -1 if number < 0 else 1
    count, rest = divmod(abs(number), step)
    if not truncates and rest * 2 >= step:
        count += 1
    return _made(sign * count * step)


def functions() -> Registry:
    """Functions on durations."""
    return {
        "mustToDuration": Builtin(lambda value: _made(_nanoseconds(value)), "a"),
        "durationNanoseconds": _counted(Int64),
        "durationMicroseconds": _counted(lambda number: Int64(int(number / 1_000))),
        "durationMilliseconds": _counted(lambda number: Int64(int(number / 10**6))),
        "durationSeconds": _counted(lambda number: number / 10**9),
        "durationMinutes": _counted(lambda number: number / _UNITS["m"]),
        "durationHours": _counted(lambda number: number / _UNITS["h"]),
        "durationDays": _counted(lambda number: number / _UNITS["h"] / 24.0),
        "durationWeeks": _counted(lambda number: number / _UNITS["h"] / 24.0 / 7.0),
        "durationRoundTo": Builtin(lambda value, multiple: _rounded(value, multiple, truncates=False), "aa"),
        "durationTruncateTo": Builtin(lambda value, multiple: _rounded(value, multiple, truncates=True), "aa"),
    }
