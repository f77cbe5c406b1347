"""A unit: the documents that are applied together, which is what "the cluster" means to a rule."""

from __future__ import annotations

import attrs

from k8snetlint.diagnostic import Incompleteness
from k8snetlint.source.tree import Document


@attrs.frozen
class Unit:
    """Documents that are applied together.

    `type` is kustomization, chart, plain, alternative or configured. `context` is not reported on.
    A unit that is not complete holds less than what is applied: then "there is no such object" proves little.
    """

    name: str
    type: str
    documents: tuple[Document, ...]
    context: tuple[Document, ...] = ()
    complete: bool = True
    incomplete_because: tuple[Incompleteness, ...] = ()
    paths: tuple[str, ...] = ()
