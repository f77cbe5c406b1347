"""Label selectors as peer expressions: the step that every Kubernetes dialect shares."""

from __future__ import annotations

from k8snetlint.model.core import LabelSelector
from k8snetlint.policy.ir import LabelOperator, LabelTest, NamespaceLabel, PeerExpr, PodLabel, all_of

OPERATORS = {
    "In": LabelOperator.IN,
    "NotIn": LabelOperator.NOT_IN,
    "Exists": LabelOperator.EXISTS,
    "DoesNotExist": LabelOperator.ABSENT,
}


def label_tests(selector: LabelSelector) -> tuple[LabelTest, ...]:
    """The tests of a selector, all of which have to hold, in an order that does not depend on how it is written."""
    tests = {LabelTest(key, LabelOperator.IN, (value,)) for key, value in selector.match_labels}
    for requirement in selector.match_expressions:
        values = tuple(sorted(set(requirement.values)))
        tests.add(LabelTest(requirement.key, OPERATORS[requirement.operator], values))
    return tuple(sorted(tests, key=lambda test: (test.key, test.operator.value, test.values)))


def pods_with(selector: LabelSelector) -> PeerExpr:
    """The pods whose labels a selector selects; everything for the empty one, so it is used beside a pod condition."""
    return all_of(*map(PodLabel, label_tests(selector)))


def namespaces_with(selector: LabelSelector) -> PeerExpr:
    """The pods in namespaces whose labels a selector selects; everything for the empty one, as in `pods_with`."""
    return all_of(*map(NamespaceLabel, label_tests(selector)))
