"""Sets of integers as sorted, disjoint, maximal intervals."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias

Interval: TypeAlias = tuple[int, int]


class IntervalSet:
    """A finite set of integers, held as its maximal intervals `(first, last)`, both ends included.

    Immutable. The representation is canonical: two sets are equal exactly if their interval tuples are.
    """

    __slots__ = ("_hash", "intervals")

    intervals: tuple[Interval, ...]

    # A plain class: the reachability engine builds these in its inner loop, and attrs.frozen doubles the cost.
    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        """Any intervals, in any order, overlapping or not; those that end before they begin are empty."""
        self.intervals = _canonical(intervals)
        self._hash = hash(self.intervals)

    @classmethod
    def _of_canonical(cls, intervals: tuple[Interval, ...]) -> IntervalSet:
        made = cls.__new__(cls)
        made.intervals = intervals
        made._hash = hash(intervals)
        return made

    @classmethod
    def single(cls, value: int) -> IntervalSet:
        """The set of one integer."""
        return cls._of_canonical(((value, value),))

    @classmethod
    def span(cls, first: int, last: int) -> IntervalSet:
        """All integers from `first` to `last`, both included; empty if `last` is the smaller."""
        return cls._of_canonical(((first, last),) if first <= last else ())

    def __repr__(self) -> str:
        return f"IntervalSet({list(self.intervals)})"

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, IntervalSet):
            return NotImplemented
        return self._hash == other._hash and self.intervals == other.intervals

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __len__(self) -> int:
        """The number of integers in the set."""
        return sum(last - first + 1 for first, last in self.intervals)

    def __iter__(self) -> Iterator[Interval]:
        """The maximal intervals in ascending order."""
        return iter(self.intervals)

    def __contains__(self, value: int) -> bool:
        index = bisect_right(self.intervals, (value, float("inf"))) - 1
        return index >= 0 and self.intervals[index][1] >= value

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if not other.intervals or self.intervals == other.intervals:
            return self
        if not self.intervals:
            return other
        return IntervalSet(self.intervals + other.intervals)

    def __and__(self, other: IntervalSet) -> IntervalSet:
        if self.intervals == other.intervals:
            return self
        mine, theirs = self.intervals, other.intervals
        met: list[Interval] = []
        i = j = 0
        while i < len(mine) and j < len(theirs):
            first = max(mine[i][0], theirs[j][0])
            last = min(mine[i][1], theirs[j][1])
            if first <= last:
                met.append((first, last))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return IntervalSet._of_canonical(tuple(met))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        if not other.intervals or not self.intervals:
            return self
        left: list[Interval] = []
        theirs = other.intervals
        j = 0
        for first, last in self.intervals:
            while j < len(theirs) and theirs[j][1] < first:
                j += 1
            k = j
            while k < len(theirs) and theirs[k][0] <= last:
                if theirs[k][0] > first:
                    left.append((first, theirs[k][0] - 1))
                first = theirs[k][1] + 1
                k += 1
            if first <= last:
                left.append((first, last))
        return IntervalSet._of_canonical(tuple(left))

    def __le__(self, other: IntervalSet) -> bool:
        """Whether every integer of this set is in the other."""
        return not (self - other)

    def isdisjoint(self, other: IntervalSet) -> bool:
        """Whether no integer is in both sets."""
        return not (self & other)


def _canonical(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if last < first:
            continue
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return tuple(merged)
