"""Examples of a rule's document: their expectations, and what the rule says of them.

An expectation is a comment below the line it is about: `# ^^^^^ SVC005: the message`, carets under the span. Several
such comments may follow one line. A severity or confidence other than the rule's stands in brackets:
`# ^^^ SVC001[note]: ...`, `# ^^^ SVC001[note,low]: ...`.

Words after ```yaml change the settings of the example: `incomplete`, `kube-version=1.30`, `cni=calico`, `namespace=x`,
`external-services=ns/name`, `node-port-range=1-2`, `service-cidr=10.96.0.0/12`, `pod-cidr=...`, `node-cidr=...`, and `option.name=5` for a
number that is an option of the rule. `file=NAME` is the name that the example has as a file; only rules that lower
layers raise look at it.
"""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import attrs

from k8snetlint.cli.options import LoadOptions
from k8snetlint.cli.pipeline import load
from k8snetlint.cli.report import check
from k8snetlint.diagnostic import Diagnostic, Incompleteness
from k8snetlint.engine import run
from k8snetlint.rulebook import Example, Rulebook, RuleInfo
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit

_CARETS = re.compile(
    r"^(?P<indent>\s*#?\s*)(?P<carets>\^+) (?P<rule>[A-Z0-9]+[0-9]{3})(?:\[(?P<levels>[a-z,]+)\])?: (?P<message>.*)$"
)


class Expected(NamedTuple):
    """One expected diagnostic: 1-based line, start and end column, and what it says."""

    line: int
    column: int
    end_column: int
    rule: str
    severity: str
    confidence: str
    message: str


def split(example: Example, info: RuleInfo) -> tuple[str, list[Expected]]:
    """An example's text without its caret comments, and what they expect of it."""
    lines: list[str] = []
    expected: list[Expected] = []
    for line in example.text.splitlines(keepends=True):
        match = _CARETS.match(line.rstrip("\n"))
        if match is None:
            lines.append(line)
            continue
        levels = (match["levels"] or "").split(",")
        severity = next((level for level in levels if level in ("error", "warning", "note")), info.severity.label)
        confidence = next((level for level in levels if level in ("high", "medium", "low")), info.confidence.label)
        column = match.start("carets") + 1
        end = match.end("carets") + 1
        expected.append(Expected(len(lines), column, end, match["rule"], severity, confidence, match["message"]))
    return "".join(lines), sorted(expected)


def settings_of(example: Example, info: RuleInfo) -> tuple[Settings, bool]:
    """The settings that an example runs under, and whether its unit is complete."""
    settings = Settings(select=(info.id,), pedantic=True)
    complete = True
    for word in example.words:
        key, _, value = word.partition("=")
        cluster, external = settings.cluster, settings.external
        low, _, high = value.partition("-")
        match key:
            case "incomplete":
                complete = False
            case "file":
                continue
            case "kube-version":
                major, minor = value.split(".")
                settings = attrs.evolve(settings, kube_version=(int(major), int(minor)))
            case "cni" | "namespace":
                settings = attrs.evolve(settings, **{key: value})
            case "external-services":
                settings = attrs.evolve(settings, external=attrs.evolve(external, services=tuple(value.split(","))))
            case "node-port-range":
                cluster = attrs.evolve(cluster, node_port_range=(int(low), int(high)))
                settings = attrs.evolve(settings, cluster=cluster)
            case "service-cidr" | "pod-cidr" | "node-cidr":
                field = key.replace("-", "_") + "s"
                settings = attrs.evolve(settings, cluster=attrs.evolve(cluster, **{field: tuple(value.split(","))}))
            case _ if key.startswith("option."):
                options = {**settings.rule_options.get(info.id, {}), key.removeprefix("option."): int(value)}
                settings = attrs.evolve(settings, rule_options={info.id: options})
            case _:
                raise ValueError(f"{info.id}: unknown word `{word}` after ```yaml")
    return settings, complete


def diagnostics_of(text: str, example: Example, info: RuleInfo, rulebook: Rulebook) -> list[Diagnostic]:
    """What the rule says of a text under an example's settings."""
    if info.check is None:
        return _reported(text, example, info)
    settings, complete = settings_of(example, info)
    source = SourceFile("example.yaml", text)
    parsed = parse(source)
    assert not parsed.problems, parsed.problems
    because = () if complete else (Incompleteness("the example says so", "example"),)
    unit = Unit("example", "plain", parsed.documents, complete=complete, incomplete_because=because)
    return list(run([unit], rulebook, settings).diagnostics)


def _reported(text: str, example: Example, info: RuleInfo) -> list[Diagnostic]:
    """What the whole way from a file to the report says by a rule that no check raises."""
    name = next((word.removeprefix("file=") for word in example.words if word.startswith("file=")), "example.yaml")
    with TemporaryDirectory() as folder, chdir(folder):
        Path(name).write_text(text, encoding="utf-8")
        report = check(load((".",), LoadOptions())).report
    return [diagnostic for diagnostic in report.diagnostics if diagnostic.rule == info.id]


def as_expected(diagnostic: Diagnostic) -> Expected:
    """A diagnostic in the form of an expectation."""
    place = diagnostic.primary.place
    start, end = place.source.position(place.span.start), place.source.position(place.span.end)
    return Expected(
        start.line,
        start.column,
        end.column,
        diagnostic.rule,
        diagnostic.severity.label,
        diagnostic.confidence.label,
        diagnostic.message,
    )
