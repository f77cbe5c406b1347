"""What can be said of a pod that anyone could create, in the words that policies use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import LabelOperator, LabelTest, PeerExpr, PolicySet

from .universe import Mentioned


class Vocabulary:
    """The values that an imagined pod's fields can have: those that policies mention, besides absent and other."""

    def __init__(self, policy_sets: Sequence[PolicySet], sides: Iterable[PeerExpr]) -> None:
        mentioned = Mentioned(policy_sets)
        for side in sides:
            mentioned.visit(side)
        peers = policy_sets[0].peers
        self.peers = peers
        self.labels = {key: _values(tests) for key, tests in sorted(mentioned.pod_tests.items())}
        self.namespace_labels = {key: _values(tests) for key, tests in sorted(mentioned.namespace_tests.items())}
        names = self.namespace_labels.pop(NAMESPACE_NAME_LABEL, ())
        self.namespaces = tuple(sorted({*peers.cluster.namespaces, *mentioned.namespaces, *names}))
        self.accounts = tuple(sorted(mentioned.accounts))
        self.port_names = tuple(sorted(mentioned.port_names))

    def declared_labels(self, namespace: str) -> Mapping[str, str] | None:
        """The labels of a namespace that the manifests declare; None where they are not known."""
        known = self.peers.cluster.namespaces.get(namespace)
        return self.peers.labels_of_namespace(namespace) if known is not None and known.resource is not None else None


def _values(tests: Iterable[LabelTest]) -> tuple[str, ...]:
    """Values that together show every outcome of the tests, next to absent and a value that no test knows."""
    values: set[str] = set()
    starts: set[str] = {""}
    ends: set[str] = {""}
    for test in tests:
        values.update(test.values)
        if test.operator is LabelOperator.STARTS_WITH:
            starts.update(test.values)
        elif test.operator in (LabelOperator.ENDS_WITH, LabelOperator.CONTAINS):
            ends.update(test.values)
    values.update(start + end for start in starts for end in ends if start or end)
    return tuple(sorted(values))


# How a value is numbered: absent, any that no policy mentions, then those that policies mention in their order.
ABSENT, OTHER = 0, 1
FIRST_VALUE = 2


def number_of(value: str | None, values: Sequence[str]) -> int:
    """The number of a value among those that policies mention; None is the absent one."""
    if value is None:
        return ABSENT
    return values.index(value) + FIRST_VALUE if value in values else OTHER


def text_of(number: int, values: Sequence[str]) -> str | None:
    """The value of a number; for the other one, a text that no policy mentions."""
    if number == ABSENT:
        return None
    if number != OTHER:
        return values[number - FIRST_VALUE]
    return next(text for text in (f"other{count or ''}" for count in range(len(values) + 1)) if text not in values)
