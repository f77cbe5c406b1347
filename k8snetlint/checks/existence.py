"""What a repository can know of objects that are not there: one place for all rules that say "no such object"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from k8snetlint.diagnostic import Confidence, Severity
from k8snetlint.engine import Context
from k8snetlint.model.kinds import is_run_time_label
from k8snetlint.model.values import is_placeholder
from k8snetlint.model.workloads import Workload

# Keys that tell variants of one application apart on purpose: another value of them is no slip.
_VARIANT_KEYS = ("version", "component", "tier", "track", "role", "color", "environment", "env", "release", "instance")
_NAME_KEYS = frozenset(
    {"app", "name", "k8s-app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "run", "service"}
)
_SHORTEST_VALUE = 3


class Level(NamedTuple):
    """How loudly to say something."""

    severity: Severity
    confidence: Confidence


QUIET = Level(Severity.NOTE, Confidence.LOW)


def missing_level(ctx: Context, namespace: str | None, *, has_such: bool) -> Level:
    """How loudly to say "nothing by that name" of a namespace: `has_such`: some of the kind are there."""
    if not ctx.unit.is_complete_in(namespace) or not has_such:
        return QUIET
    return Level(Severity.WARNING, Confidence.MEDIUM)


def near_level(ctx: Context, namespace: str | None) -> Level:
    """How loudly to say that a near miss is one: as the rule says, but a note where the namespace is not complete."""
    if ctx.unit.is_complete_in(namespace):
        return Level(ctx.rule.severity, Confidence.HIGH)
    return Level(Severity.NOTE, Confidence.MEDIUM)


def is_external_service(ctx: Context, namespace: str | None, name: str) -> bool:
    """Whether the configuration says that a Service lives elsewhere."""
    return any(fnmatchcase(f"{namespace}/{name}", pattern) for pattern in ctx.settings.external.services)


def asks_for_run_time_labels(labels: Mapping[str, str]) -> bool:
    """Whether a selector asks for a label that controllers set on running pods, such as that of an elected leader."""
    return any(is_run_time_label(key) or value == "leader" for key, value in labels.items())


class NearMiss(NamedTuple):
    """A workload that a selector would select but for one thing.

    `key` is the selector's key whose value differs, or that the pods have under another name, `label` is theirs.
    `elsewhere` is set where everything fits but the namespace.
    """

    workload: Workload
    key: str | None
    label: str | None
    value: str | None
    elsewhere: bool


def near_miss(
    labels: Mapping[str, str], namespace: str | None, has_namespace: bool, candidates: Iterable[Workload]
) -> NearMiss | None:
    """The workload that a selector most likely means; None where nothing is near."""
    others: list[NearMiss] = []
    for workload in candidates:
        pod = workload.pod_labels
        if workload.namespace != namespace:
            fits = all(pod.get(key) == value for key, value in labels.items())
            if fits and has_namespace and workload.has_namespace:
                others.append(NearMiss(workload, None, None, None, True))
            continue
        wrong = [(key, value) for key, value in labels.items() if pod.get(key) != value]
        if len(wrong) != 1:
            continue
        key, value = wrong[0]
        found = _slip(key, value, workload, is_only=len(labels) == 1)
        if found is not None:
            return found
    return others[0] if len(others) == 1 else None


def _slip(key: str, value: str, workload: Workload, *, is_only: bool) -> NearMiss | None:
    pod = workload.pod_labels
    actual = pod.get(key)
    if is_placeholder(value) or is_placeholder(actual):
        return None
    if actual is not None:
        plain_key = key.rpartition("/")[2].lower()
        if plain_key in _VARIANT_KEYS or not is_slip(value, actual):
            return None
        return NearMiss(workload, key, key, actual, False)
    for other, other_value in pod.items():
        if other_value == value and (key in _NAME_KEYS or is_slip(key, other)) and (other in _NAME_KEYS or not is_only):
            return NearMiss(workload, key, other, value, False)
    return None


def is_slip(written: str, meant: str) -> bool:
    """Whether one text is the other with a slip of the hand in it: case, `-` for `_`, 0 for O, or two letters at most.

    Short texts and differing numbers are no slips: `web1` and `web2` are two things.
    """
    if written == meant or min(len(written), len(meant)) < _SHORTEST_VALUE:
        return False
    if _folded(written) == _folded(meant):
        return True
    if _digits(written) != _digits(meant):
        return False
    limit = 1 if min(len(written), len(meant)) < 6 else 2
    return edit_distance(written, meant, limit) <= limit


def _folded(text: str) -> str:
    return text.lower().replace("_", "-").replace("0", "o").replace("-", "")


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def edit_distance(first: str, second: str, limit: int) -> int:
    """How many letters to insert, delete, change or swap with their neighbour; `limit + 1` where it is more."""
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        following = [i]
        for j, right in enumerate(second, 1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (left != right))
            if i > 1 and j > 1 and left == second[j - 2] and first[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
        if min(row) > limit:
            return limit + 1
    return row[-1]
