"""Sets of small indices as Python integers: bit i is set exactly if i is in the set.

Union, intersection and difference are `|`, `&` and `& ~`; the size is `int.bit_count`.
"""

from __future__ import annotations

from collections.abc import Iterable


def full(size: int) -> int:
    """The set of all indices below `size`."""
    return (1 << size) - 1


def of(indices: Iterable[int]) -> int:
    """The set of the given indices, each 0 or above."""
    # One buffer for all: adding bit by bit copies the whole integer each time.
    positions = list(indices)
    if not positions:
        return 0
    buffer = bytearray((max(positions) >> 3) + 1)
    for index in positions:
        buffer[index >> 3] |= 1 << (index & 7)
    return int.from_bytes(buffer, "little")


def indices(bits: int) -> list[int]:
    """The members of a set in ascending order, in time linear in the highest member."""
    found: list[int] = []
    digits = bin(bits)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        found.append(at)
        at = digits.find("1", at + 1)
    return found


def lowest(bits: int) -> int:
    """The smallest member. Raises ValueError for the empty set."""
    if not bits:
        raise ValueError("the empty set has no smallest member")
    return (bits & -bits).bit_length() - 1
