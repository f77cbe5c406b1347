"""A kustomization file as it is written, and what it refers to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import attrs

from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Node
from k8snetlint.units.classify import CHART_NAME, KUSTOMIZATION_NAMES, text_at
from k8snetlint.units.files import Files

# What a Go `git` getter takes for a remote base: a URL, a host with a path, or a query.
_REMOTE = re.compile(
    r"^[a-z+]+://|^git@|^git::|^github\.com[/:]|\?ref=|//.*\?|^[\w.-]+\.(?:com|org|io|net)/", re.IGNORECASE
)
_LONGEST_PATH = 1024


@attrs.frozen
class Kustomization:
    """A kustomization: the folder that it stands in, its file and its root."""

    directory: str
    source: SourceFile
    root: Node

    @property
    def is_component(self) -> bool:
        """Whether it is a part to be mixed into others."""
        return text_at(self.root, "kind") == "Component"

    def listed(self, *fields: str) -> Iterator[Node]:
        """The items of the given fields that are strings."""
        for field in fields:
            node = self.root.get(field)
            for item in node.items if node is not None else ():
                if isinstance(item.value, str):
                    yield item

    def unlisted(self, *fields: str) -> Iterator[Node]:
        """The items of the given fields that are no strings."""
        for field in fields:
            node = self.root.get(field)
            for item in node.items if node is not None else ():
                if not isinstance(item.value, str):
                    yield item

    def directories(self) -> Iterator[str]:
        """The paths of the folders and files listed as resources, bases and components."""
        for item in self.listed("resources", "bases", "components"):
            if isinstance(item.value, str) and not is_remote(item.value):
                yield join(self.directory, item.value)

    def files(self) -> Iterator[str]:
        """Every path that a string anywhere in the file may mean, relative to the working directory."""
        for _, node in self.root.walk():
            text = node.value
            if isinstance(text, str) and text and "\n" not in text and len(text) <= _LONGEST_PATH:
                yield join(self.directory, text)
                if "=" in text:
                    yield join(self.directory, text.split("=", 1)[1])


def is_remote(reference: str) -> bool:
    """Whether a resource is fetched over the network."""
    return _REMOTE.search(reference) is not None


def join(directory: str, reference: str) -> str:
    """A reference from a folder, as a path relative to the working directory without `.` and inner `..`."""
    return posixpath.normpath(posixpath.join(directory, reference))


def read_kustomization(files: Files, directory: str) -> Kustomization | None:
    """The kustomization of a folder, or None where it has none.

    Flux has a kind of the same name: a file with its objects is a manifest.
    """
    for name in KUSTOMIZATION_NAMES:
        path = name if directory == "." else posixpath.join(directory, name)
        if path not in files.by_path and not files.inputs.is_file(path):
            continue
        source = files.read(path)
        if not isinstance(source, SourceFile):
            return None
        documents = files.parsed(source).documents
        # One that is empty or cannot be parsed still makes its folder a kustomization.
        root = documents[0].root if documents else Node({}, 0, 0, source)
        if text_at(root, "apiVersion").startswith("kustomize.toolkit.fluxcd.io/"):
            return None
        return Kustomization(directory, source, root)
    return None


def charts_of(kustomization: Kustomization) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The entries of `helmCharts` and `helmChartInflationGenerator`, each with the folders its chart may stand in.

    Source: kustomize, HelmChartInflationGenerator: a chart that was fetched stands in a folder of its version.
    """
    root = kustomization.root
    home = text_at(root, "helmGlobals", "chartHome") or "charts"
    for field, name_field in (("helmCharts", "name"), ("helmChartInflationGenerator", "chartName")):
        listed = root.get(field)
        for item in listed.items if listed is not None else ():
            name, version = text_at(item, name_field), text_at(item, "version")
            own = join(kustomization.directory, text_at(item, "chartHome") or home)
            folders = [join(own, name)]
            if version:
                folders.insert(0, join(own, f"{name}-{version}/{name}"))
            yield item, tuple(folders) if name else ()


def chart_folder(files: Files, folders: tuple[str, ...]) -> str | None:
    """The first of the folders that holds a chart."""
    return next((folder for folder in folders if files.inputs.is_file(join(folder, CHART_NAME))), None)
