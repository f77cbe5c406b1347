"""Selectors that match nothing, but nearly do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from k8snetlint.model.core import LabelSelector
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.workloads import Workload

# Keys that name what a pod is; tools differ in which of them they use.
_IDENTITY = frozenset(
    {"app", "name", "run", "service", "k8s-app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "component"}
)
# Keys that tell variants of one thing apart: another value is another variant, not a slip.
_VARIANTS = ("version", "component", "tier", "role", "track", "environment", "env", "release", "instance", "shard")
_LOOKALIKES = str.maketrans({"0": "o", "_": "-", "1": "l"})


class NearMiss(NamedTuple):
    """What a workload has in place of the one label that a selector asks for in vain."""

    workload: Workload
    key: str
    value: str
    found_key: str
    found_value: str

    @property
    def is_key(self) -> bool:
        """Whether the key differs; else the value does."""
        return self.key != self.found_key


def near_miss(selector: LabelSelector, candidates: Iterable[Workload]) -> NearMiss | None:
    """The first workload that lacks a selector by a slip of one label: a typo, or the same value under another key.

    Labels that are set at run time, and those that tell variants apart, are never called slips.
    """
    for workload in candidates:
        found = _slip(selector, workload.pod_labels)
        if found is not None:
            return NearMiss(workload, *found)
    return None


def _slip(selector: LabelSelector, labels: Mapping[str, str]) -> tuple[str, str, str, str] | None:
    unmet = [(key, value) for key, value in selector.match_labels if labels.get(key) != value]
    if len(unmet) != 1 or not all(requirement.matches(labels) for requirement in selector.match_expressions):
        return None
    key, value = unmet[0]
    if is_run_time_label(key):
        return None
    if key in labels:
        is_variant = key.rpartition("/")[2].lower().endswith(_VARIANTS)
        return (key, value, key, labels[key]) if not is_variant and is_typo(value, labels[key]) else None
    asked = selector.keys
    for other, its_value in labels.items():
        if its_value != value or other in asked or len(value) < 2:
            continue
        if is_typo(key, other) or (key in _IDENTITY and other in _IDENTITY):
            return key, value, other, its_value
    return None


def is_typo(text: str, other: str) -> bool:
    """Whether two different texts differ as a slip of the hand makes them: by case, look-alikes or two edits.

    Texts that differ in digits alone are numbered things, not slips.
    """
    if text == other or not text or not other:
        return False
    if text.lower().translate(_LOOKALIKES) == other.lower().translate(_LOOKALIKES):
        return _without_digits(text) != _without_digits(other) or text.lower() == other.lower()
    if _without_digits(text) == _without_digits(other):
        return False
    shorter = min(len(text), len(other))
    allowed = 2 if shorter >= 7 else 1 if shorter >= 4 else 0
    return allowed > 0 and _distance(text, other, allowed) <= allowed


def _without_digits(text: str) -> str:
    return "".join(character for character in text if not character.isdigit())


def _distance(text: str, other: str, limit: int) -> int:
    """The number of insertions, deletions, changes and swaps between texts, or more than the limit."""
    if abs(len(text) - len(other)) > limit or max(len(text), len(other)) > 100:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(text, 1):
        earlier, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and text[i - 2] == right:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
