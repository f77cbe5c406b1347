"""The rules' documents, read: a rule is its Markdown file, and this module is what makes it data.

A document opens with a header between `---` lines, `key: value` each, lists in brackets. Then summary and sections.
Headers are read without a YAML parser: there are some hundred of them, and every run reads them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import attrs

from .diagnostic import Applicability, Confidence, Severity

_HEADER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_BLOCK = re.compile(r"^```yaml(?P<words>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LONGEST_HEADER = 900
_KEYS = frozenset(
    {
        "id",
        "name",
        "check",
        "raised_by",
        "severity",
        "confidence",
        "default",
        "fix",
        "kinds",
        "since",
        "options",
        "test",
    }
)


class RuleDocumentError(ValueError):
    """A rule's document that cannot be read: a mistake of ours, never of the user's."""


# A text that does not parse, and a failure inside: then the rules asked for have not looked at everything.
_NEVER_SILENT = frozenset({"K8S001", "TOOL001"})


@attrs.frozen
class Example:
    """A YAML block of a rule's document: its section (Bad, Good or Fixed), its text and the words after ```yaml."""

    section: str
    text: str
    words: tuple[str, ...]
    line: int


@attrs.frozen(slots=False)
class RuleInfo:
    """What a rule's document says.

    `check` is the theme module of its check; rules that a lower layer raises have `raised_by` instead.
    `kinds` are written `group/Kind`, the core group as `v1`; `workload` stands for every kind that makes pods, and
    an empty list for every kind. `options` are what the configuration may set for it: whole numbers.
    """

    id: str
    name: str
    check: str | None
    raised_by: str | None
    severity: Severity
    confidence: Confidence
    default: bool
    fix: Applicability | None
    kinds: tuple[str, ...]
    since: str
    path: Path
    options: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        """The document below the header."""
        return _HEADER.sub("", self.path.read_text(encoding="utf-8"), count=1)

    @cached_property
    def summary(self) -> str:
        """The sentence under the header."""
        return " ".join(self.text.strip().split("\n\n", 1)[0].split())

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """The blocks of the sections Bad, Good and Fixed."""
        document = self.path.read_text(encoding="utf-8")
        found: list[Example] = []
        for block in _BLOCK.finditer(document):
            sections = re.findall(r"^## (.+)$", document[: block.start()], re.MULTILINE)
            if sections and sections[-1] in ("Bad", "Good", "Fixed"):
                line = document.count("\n", 0, block.start("text")) + 1
                found.append(Example(sections[-1], block["text"], tuple(block["words"].split()), line))
        return tuple(found)


@attrs.frozen
class Rulebook:
    """All rules, by id in order."""

    rules: Mapping[str, RuleInfo]

    def resolve(self, selector: str) -> frozenset[str]:
        """The ids that a selector means: an id, a prefix of ids, a name or `ALL`; empty if it means none."""
        if selector == "ALL":
            return frozenset(self.rules)
        wanted = selector.upper()
        by_id = frozenset(id_ for id_ in self.rules if id_.startswith(wanted)) if wanted else frozenset()
        return by_id or frozenset(info.id for info in self.rules.values() if info.name == selector)

    def selected(
        self, select: Iterable[str], extend_select: Iterable[str], ignore: Iterable[str], *, pedantic: bool
    ) -> frozenset[str]:
        """The ids that are on. A more specific selector wins over a less specific one, and `ignore` among equals.

        What must not be missed in silence is on unless it is ignored, whatever is selected.
        """
        chosen: dict[str, tuple[int, bool]] = {info.id: (-1, info.default or pedantic) for info in self.rules.values()}
        select = tuple(select)
        if select:
            chosen = {id_: (-1, id_ in _NEVER_SILENT) for id_ in chosen}
        for selectors, is_on in ((select, True), (tuple(extend_select), True), (tuple(ignore), False)):
            for selector in selectors:
                ids = self.resolve(selector)
                rank = 0 if selector == "ALL" else (100 if len(ids) == 1 else len(selector))
                for id_ in ids:
                    if rank >= chosen[id_][0]:
                        chosen[id_] = (rank, is_on)
        return frozenset(id_ for id_, (_, is_on) in chosen.items() if is_on)


def rules_folder() -> Path:
    """The folder of the rules' documents: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "rules"
    return inside if inside.is_dir() else package.parent / "rules"


def load(folder: Path | None = None) -> Rulebook:
    """The rulebook of a folder. Raises RuleDocumentError if a document is not as it has to be."""
    folder = folder or rules_folder()
    infos = [_read(path) for path in folder.glob("*/*.md") if path.name != "README.md"]
    rules = {info.id: info for info in sorted(infos, key=lambda info: info.id)}
    if len(rules) != len(infos):
        raise RuleDocumentError(f"two rules of one id in {folder}")
    return Rulebook(rules)


def _read(path: Path) -> RuleInfo:
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER).decode("utf-8", "ignore")
    header = _HEADER.match(head)
    if header is None:
        raise RuleDocumentError(f"{path}: no header between `---` lines in its first {_LONGEST_HEADER} bytes")
    fields: dict[str, str] = {}
    for line in header[1].splitlines():
        key, _, value = line.partition(":")
        if key not in _KEYS:
            raise RuleDocumentError(f"{path}: unknown header key `{key}`")
        fields[key] = value.strip()
    try:
        fix = fields.get("fix", "none")
        return RuleInfo(
            id=fields["id"],
            name=fields["name"],
            check=fields.get("check"),
            raised_by=fields.get("raised_by"),
            severity=Severity[fields["severity"].upper()],
            confidence=Confidence[fields["confidence"].upper()],
            default={"true": True, "false": False}[fields["default"]],
            fix=None if fix == "none" else Applicability(fix),
            kinds=_listed(fields["kinds"]),
            since=fields["since"],
            path=path,
            options=_listed(fields.get("options", "")),
        )
    except (KeyError, ValueError) as error:
        raise RuleDocumentError(f"{path}: {error}") from error


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.strip("[]").split(",") if item.strip())
