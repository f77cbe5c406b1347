"""What a kustomization has gathered so far, and what could not be done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import attrs

from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node

from .data import Field, Target
from .nodes import weight
from .resource import Id, Resource

MAX_RESOURCES = 20_000
MAX_STEPS = 1_000_000

T = TypeVar("T")


class Reason(NamedTuple):
    """Why a kustomization is not rendered whole. `is_limit` where a bound was met."""

    message: str
    place: Place
    is_limit: bool = False


@attrs.frozen
class Fields:
    """The fields that a kustomization's `configurations` add to those known for the built-in kinds."""

    name_references: tuple[tuple[Target, tuple[Field, ...]], ...] = ()
    namespace: tuple[Field, ...] = ()
    prefix: tuple[Field, ...] = ()
    labels: tuple[Field, ...] = ()
    annotations: tuple[Field, ...] = ()
    replicas: tuple[Field, ...] = ()
    variables: tuple[Field, ...] = ()

    @property
    def longest_path(self) -> int:
        """How many steps the longest path of a field has."""
        own = (self.namespace, self.prefix, self.labels, self.annotations, self.replicas, self.variables)
        fields = [field for fields in (*own, *(fields for _, fields in self.name_references)) for field in fields]
        return max((len(field.path) for field in fields), default=0)

    def joined(self, other: Fields) -> Fields:
        """The fields of both."""
        return Fields(
            _union(self.name_references, other.name_references),
            _union(self.namespace, other.namespace),
            _union(self.prefix, other.prefix),
            _union(self.labels, other.labels),
            _union(self.annotations, other.annotations),
            _union(self.replicas, other.replicas),
            _union(self.variables, other.variables),
        )


def _union(one: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))


@attrs.frozen
class Accumulated:
    """A kustomization as another one that lists it takes it in: not yet with final names and references."""

    resources: tuple[Resource, ...]
    variables: tuple[Node, ...]
    fields: Fields
    reasons: tuple[Reason, ...]
    paths: frozenset[str]


class StepLimitError(Exception):
    """More patches and objects than are worked through."""


class Work:
    """The objects of one kustomization while they are gathered and changed. Lives as long as that takes.

    `is_part` of a component taken for itself: what its patches are for is elsewhere.
    """

    def __init__(self, is_part: bool = False) -> None:
        self.is_part = is_part
        self.resources: list[Resource] = []
        self.variables: list[Node] = []
        self.fields = Fields()
        self.reasons: list[Reason] = []
        self.paths: set[str] = set()
        self.steps = 0

    def fail(self, message: str, place: Place) -> None:
        """Notes something that cannot be done."""
        self.reasons.append(Reason(message, place))

    def miss(self, message: str, place: Place) -> None:
        """Notes something that is not there. Where objects are known to be missing it goes without saying."""
        if not self.is_part and not self.reasons:
            self.fail(message, place)

    def step(self, count: int) -> None:
        """Counts changes of objects. Raises StepLimitError beyond the bound."""
        self.steps += count
        if self.steps > MAX_STEPS:
            raise StepLimitError

    def weigh(self, node: Node, times: int = 1) -> None:
        """Counts a value that is put somewhere. Raises StepLimitError beyond the bound."""
        self.step(times * weight(node, MAX_STEPS))

    def add(self, resources: Iterable[Resource], place: Place) -> None:
        """Takes in objects; of two with one identity the first stays, as kustomize would refuse both."""
        known = {resource.id for resource in self.resources}
        for resource in resources:
            id_ = resource.id
            if id_ in known and id_.name:
                self.fail(f"{_named(id_)} is there already: kustomize refuses to add it again", place)
            elif len(self.resources) >= MAX_RESOURCES:
                message = f"more than {MAX_RESOURCES:,} objects come together: the rest is left out"
                self.reasons.append(Reason(message, place, is_limit=True))
                return
            else:
                known.add(id_)
                self.resources.append(resource)

    def take_in(self, other: Accumulated, place: Place) -> None:
        """Takes in another kustomization."""
        self.add(other.resources, place)
        self.variables += (variable for variable in other.variables if variable not in self.variables)
        self.fields = self.fields.joined(other.fields)
        self.reasons += other.reasons
        self.paths |= other.paths

    def accumulated(self) -> Accumulated:
        """The state for others to take in."""
        reasons = tuple(dict.fromkeys(self.reasons))
        return Accumulated(tuple(self.resources), tuple(self.variables), self.fields, reasons, frozenset(self.paths))


def _named(id_: Id) -> str:
    return f"{id_.kind} `{id_.name}`"
