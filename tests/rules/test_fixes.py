"""What fixes leave behind: text that parses, in the line ends of its file, of which the diagnostic is gone."""

from __future__ import annotations

import pytest

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import run
from k8snetlint.rulebook import Example, RuleInfo, load
from k8snetlint.source.edit import apply_edits
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.units.unit import Unit

from .examples import settings_of, split

RULEBOOK = load()
FIXED = [info for info in RULEBOOK.rules.values() if info.fix is not None and info.check is not None]


def found(text: str, example: Example, info: RuleInfo) -> tuple[Diagnostic, ...]:
    settings, complete = settings_of(example, info)
    parsed = parse(SourceFile("example.yaml", text))
    assert parsed.problems == ()
    return run([Unit("example", "plain", parsed.documents, complete=complete)], RULEBOOK, settings).diagnostics


@pytest.mark.parametrize("info", FIXED, ids=lambda info: info.id)
def test_each_fix_alone_mends_what_it_is_for(info: RuleInfo) -> None:
    for example in info.examples:
        text, _ = split(example, info)
        for index, diagnostic in enumerate(found(text, example, info)):
            if diagnostic.fix is None:
                continue
            after = apply_edits(text, diagnostic.fix.edits)
            left = [(each.resource, each.path, each.message) for each in found(after, example, info)]
            assert (diagnostic.resource, diagnostic.path, diagnostic.message) not in left
            windows = text.replace("\n", "\r\n")
            fix = found(windows, example, info)[index].fix
            assert fix is not None
            assert apply_edits(windows, fix.edits) == after.replace("\n", "\r\n")
