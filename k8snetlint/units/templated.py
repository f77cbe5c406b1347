"""Charts as `helm` renders them, with the origins that k8snetlint knows."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from k8snetlint.source.text import Place, SourceFile
from k8snetlint.source.tree import Document, Node

from .aligned import Lines, aligned, by_identity, identity_of, parsed_output
from .files import Files, head
from .kustomize.file import join
from .kustomize.work import Reason
from .programs import Programs, write_text
from .write import yaml_text

_SOURCE = "# Source: "


class Templating:
    """Has `helm template` render charts, each on a copy of its own."""

    def __init__(self, files: Files, programs: Programs) -> None:
        self.files = files
        self.programs = programs

    def made(
        self,
        directory: str,
        place: Place,
        contents: Mapping[str, bytes],
        arguments: Sequence[str],
        release: str,
        values: Sequence[Node],
        own: Iterable[Document],
    ) -> tuple[tuple[Document, ...], list[Reason]]:
        """What `helm` makes of a chart of these files; `own` is what k8snetlint makes of it, and knows the places."""
        folder = self.programs.new_folder("chart")
        for path, data in contents.items():
            # A schema may name others to be fetched; it makes no object.
            if posixpath.basename(path) != "values.schema.json":
                target = os.path.join(folder, "chart", *path.split("/"))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                source = self.files.by_path.get(join(directory, path))
                with open(target, "wb") as file:
                    file.write(data if source is None else source.text.encode("utf-8", "surrogatepass"))
        given: list[str] = []
        for number, node in enumerate(values):
            name = f"values-{number}.yaml"
            write_text(os.path.join(folder, name), yaml_text(node))
            given.append(f"--values={name}")
        # Names come from manifests: behind `--` they are never taken for options.
        ran = self.programs.run("helm", ("template", *arguments, *given, "--", release, "./chart"), folder)
        if ran.failure:
            return (), [Reason(ran.failure, place, is_limit=ran.is_limit)]
        known = by_identity(own)
        documents, problems = parsed_output(ran.output, place)
        found: list[Document] = []
        for document, path in zip(documents, _source_comments(ran.output, documents), strict=True):
            old = known.get(identity_of(document.root))
            if old is not None:
                found.append(Document(old.index, aligned(document.root, old.root, place), old.comment_start))
                continue
            # The comment begins with the name of the chart.
            template = self.files.read(join(directory, path.partition("/")[2]))
            if isinstance(template, SourceFile):
                root = aligned(document.root, None, head(template), Lines(template))
            else:
                root = aligned(document.root, None, place)
            found.append(Document(document.index, root))
        return tuple(found), problems


def _source_comments(text: str, documents: Sequence[Document]) -> Iterator[str]:
    """The template that each document says it comes from."""
    for document in documents:
        at = text.rfind(_SOURCE, 0, document.root.start)
        yield text[at + len(_SOURCE) : text.find("\n", at)].strip() if at >= 0 else ""
