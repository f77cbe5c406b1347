"""Clusters from text and from folders, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from k8snetlint.model.build import build_cluster
from k8snetlint.model.cluster import Cluster
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Document
from k8snetlint.units.classify import objects_of

SUFFIXES = (".yaml", ".yml", ".json")


def cluster_of(text: str) -> Cluster:
    """The cluster of the documents of one text, which must parse."""
    parsed = parse(SourceFile("test.yaml", text))
    assert not parsed.problems, parsed.problems
    return build_cluster(_unwrapped(parsed.documents), Settings())


def cluster_in(folder: Path) -> Cluster:
    """The cluster of all manifests below a folder; what does not parse is left out."""
    documents: list[Document] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file():
            documents += parse(SourceFile(str(path), path.read_text("utf-8"))).documents
    return build_cluster(_unwrapped(documents), Settings())


def _unwrapped(documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        yield from objects_of(document)
