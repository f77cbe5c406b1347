"""Values written as YAML: as lines of block style, or on one line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from .scalars import resolve_plain
from .tree import Plain, Scalar

# Text that needs no quotes: it is read as itself whatever version of YAML reads it.
_BARE = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*\Z")
_DATE_OR_NUMBER = re.compile(r"[.\d_:-]+\Z|[.+-]|0x")


def block_lines(value: Plain) -> Iterator[str]:
    """A value as lines of block style, without indentation of its own; empty collections and scalars on one line."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from _nested(f"{scalar_text(key)}:", entry)
    elif isinstance(value, list) and value:
        for item in value:
            if isinstance(item, dict | list) and item:
                first, *rest = block_lines(item)
                yield f"- {first}"
                yield from (f"  {line}" for line in rest)
            else:
                yield f"- {flow_text(item)}"
    else:
        yield flow_text(value)


def _nested(start: str, value: Plain) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield start
        yield from (f"  {line}" for line in block_lines(value))
    else:
        yield f"{start} {flow_text(value)}"


def flow_text(value: Plain, *, as_json: bool = False) -> str:
    """A value on one line, as a person writes YAML or as JSON."""
    if as_json:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar_text(key)}: {flow_text(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow_text(item) for item in value) + "]"
    return scalar_text(value)


def scalar_text(value: Scalar) -> str:
    """A scalar as it is written on one line of YAML, bare where that is read as itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else (".inf" if value > 0 else "-.inf")
    if isinstance(value, int | float):
        return json.dumps(value)
    if _BARE.match(value) and not _DATE_OR_NUMBER.match(value) and resolve_plain(value) == value:
        return value
    text = json.dumps(value, ensure_ascii=False)
    # JSON leaves these as they are, and YAML ends a line at them or refuses them.
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)
