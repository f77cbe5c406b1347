"""A pod that anyone could create, as terms.

It is its namespace and labels, each a small bit-vector over the values that policies mention, besides *absent* and
*other*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import z3

from k8snetlint.algebra.connections import PROTOCOLS
from k8snetlint.analysis.vocabulary import ABSENT, FIRST_VALUE, OTHER, Vocabulary, number_of, text_of
from k8snetlint.model.cluster import NAMESPACE_NAME_LABEL
from k8snetlint.policy.ir import (
    AllOf,
    AnyOf,
    AnyPod,
    Everything,
    HasAddress,
    InNamespace,
    IsNode,
    LabelOperator,
    LabelTest,
    NamespaceLabel,
    NodeIs,
    Not,
    Nothing,
    PeerExpr,
    PodLabel,
    RunsOn,
    ServiceAccountIs,
)
from k8snetlint.policy.peers import DeclaredPort, Peer

from .terms import Term, any_of, value_of


class ImaginedPod:
    """The fields of one side's imagined pod as terms, named after the side."""

    def __init__(self, name: str, vocabulary: Vocabulary, context: Term) -> None:
        self._context = context
        self._vocabulary = vocabulary
        self.namespace = _vector(f"{name}.namespace", len(vocabulary.namespaces), context)
        self.account = _vector(f"{name}.account", len(vocabulary.accounts), context)
        self.labels = {key: _vector(f"{name}.label.{key}", len(v), context) for key, v in vocabulary.labels.items()}
        self.namespace_labels = {
            key: _vector(f"{name}.namespace.{key}", len(values), context)
            for key, values in vocabulary.namespace_labels.items()
        }
        self.ports = {
            (port, protocol): z3.BitVec(f"{name}.port.{port}.{protocol}", 16, context)
            for port in vocabulary.port_names
            for protocol in PROTOCOLS
        }

    def constraints(self) -> list[Term]:
        """What every pod obeys: fields in range; a declared namespace has the labels that it has."""
        words = self._vocabulary
        made = [
            self.namespace != ABSENT,
            _in_range(self.namespace, words.namespaces),
            self.account != ABSENT,
            _in_range(self.account, words.accounts),
        ]
        made += [_in_range(self.labels[key], values) for key, values in words.labels.items()]
        made += [_in_range(self.namespace_labels[key], values) for key, values in words.namespace_labels.items()]
        for number, name in enumerate(words.namespaces):
            declared = words.declared_labels(name)
            for key, values in words.namespace_labels.items() if declared is not None else ():
                value = number_of(declared.get(key) if declared is not None else None, values)
                made.append(z3.Implies(self.namespace == number + FIRST_VALUE, self.namespace_labels[key] == value))
        return made

    def is_in(self, peer: PeerExpr) -> Term:
        """Whether the pod is one of those that an expression stands for."""
        true, false = z3.BoolVal(True, self._context), z3.BoolVal(False, self._context)
        words = self._vocabulary
        match peer:
            case Everything() | AnyPod():
                return true
            case Nothing() | IsNode() | NodeIs() | RunsOn():
                return false
            case InNamespace(name):
                return self._is_one_of(self.namespace, words.namespaces, [name])
            case NamespaceLabel(test) if test.key == NAMESPACE_NAME_LABEL:
                return self._passes(self.namespace, words.namespaces, test)
            case NamespaceLabel(test):
                return self._passes(self.namespace_labels[test.key], words.namespace_labels[test.key], test)
            case PodLabel(test):
                return self._passes(self.labels[test.key], words.labels[test.key], test)
            case ServiceAccountIs(name):
                return self._is_one_of(self.account, words.accounts, [name])
            case HasAddress(addresses):
                known = words.peers.unknown_addresses
                return true if known and known <= addresses else false
            case AllOf(parts):
                return z3.And([true, *(self.is_in(part) for part in parts)])
            case AnyOf(parts):
                return z3.Or([false, *(self.is_in(part) for part in parts)])
            case Not(part):
                return z3.Not(self.is_in(part))

    def _passes(self, field: Term, values: tuple[str, ...], test: LabelTest) -> Term:
        numbers = [number + FIRST_VALUE for number, value in enumerate(values) if test.holds(value)]
        if test.holds(None):
            numbers.append(ABSENT)
        if test.operator in (LabelOperator.NOT_IN, LabelOperator.EXISTS):
            numbers.append(OTHER)
        return any_of(self._context, (field == number for number in numbers))

    def _is_one_of(self, field: Term, values: tuple[str, ...], wanted: list[str]) -> Term:
        return any_of(self._context, (field == number_of(value, values) for value in wanted))

    def peer(self, model: Term, name: str) -> Peer:
        """The pod of a model, with names of its own where any other would do."""
        words = self._vocabulary
        # Two namespaces that nobody mentions need not be one.
        is_other = value_of(model, self.namespace) == OTHER
        namespace = f"of-{name}" if is_other else _text(model, self.namespace, words.namespaces) or ""
        labels = _texts(model, self.labels, words.labels)
        declared = words.declared_labels(namespace)
        if declared is None:
            declared = _texts(model, self.namespace_labels, words.namespace_labels)
            declared = {**declared, NAMESPACE_NAME_LABEL: namespace}
        ports = tuple(
            DeclaredPort(port, protocol, number)
            for (port, protocol), field in self.ports.items()
            if (number := value_of(model, field))
        )
        return Peer(
            f"{namespace}/{name}",
            namespace=namespace,
            namespace_labels=declared,
            labels=labels,
            service_account=_text(model, self.account, words.accounts),
            ports=ports,
            addresses=words.peers.unknown_addresses,
            is_pod=True,
        )


def _vector(name: str, values: int, context: Term) -> Term:
    return z3.BitVec(name, (values + FIRST_VALUE - 1).bit_length(), context)


def _in_range(field: Term, values: Sequence[str]) -> Term:
    return z3.ULE(field, len(values) + FIRST_VALUE - 1)


def _text(model: Term, field: Term, values: Sequence[str]) -> str | None:
    return text_of(value_of(model, field), values)


def _texts(model: Term, fields: Mapping[str, Term], values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    found = {key: _text(model, field, values[key]) for key, field in fields.items()}
    return {key: text for key, text in found.items() if text is not None}
