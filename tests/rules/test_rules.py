"""Every rule's document is its test: Bad blocks report what they say, Good blocks nothing, fixes make Fixed."""

from __future__ import annotations

import importlib
import re

import pytest

from k8snetlint import engine
from k8snetlint.rulebook import RuleInfo, load
from k8snetlint.source.edit import apply_edits

from .examples import as_expected, diagnostics_of, split

RULEBOOK = load()
RULES = list(RULEBOOK.rules.values())
# What a lower layer raises has no examples where no single file provokes it.
CHECKED = [info for info in RULES if info.check is not None or info.examples]


def rule_id(info: RuleInfo) -> str:
    return info.id


@pytest.mark.parametrize("info", RULES, ids=rule_id)
def test_document_is_whole(info: RuleInfo) -> None:
    assert info.path.name == f"{info.id}-{info.name}.md"
    assert re.fullmatch(r"[A-Z][A-Z0-9]*[0-9]{3}", info.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", info.name)
    assert (info.check is None) != (info.raised_by is None)
    assert info.summary.endswith(".")
    assert len(info.summary) <= 200
    for option in info.options:
        assert f"`{option}`" in info.text or f"{option}:" in info.text, f"{info.id} does not explain `{option}`"
    for section in ("## Why", "## References"):
        assert f"\n{section}\n" in info.text, f"{info.id} has no section {section}"


@pytest.mark.parametrize("info", CHECKED, ids=rule_id)
def test_examples(info: RuleInfo) -> None:
    if info.check is not None:
        importlib.import_module(f"k8snetlint.checks.{info.check}")
        assert info.id in engine._RESOURCE_CHECKS or info.id in engine._CLUSTER_CHECKS, f"no check for {info.id}"
    bad = [example for example in info.examples if example.section == "Bad"]
    good = [example for example in info.examples if example.section == "Good"]
    fixed = [example for example in info.examples if example.section == "Fixed"]
    assert bad, "a rule needs a Bad block"
    assert good, "a rule needs a Good block"
    assert bool(fixed) == (info.fix is not None), "a Fixed block exactly where the header has a fix"
    for example in bad:
        text, expected = split(example, info)
        assert expected, f"{info.path.name}:{example.line} expects nothing"
        assert [as_expected(d) for d in diagnostics_of(text, example, info, RULEBOOK)] == expected
    for example in good:
        text, expected = split(example, info)
        assert not expected
        assert [as_expected(d) for d in diagnostics_of(text, example, info, RULEBOOK)] == []
    for example, after in zip(bad, fixed, strict=False):
        text, _ = split(example, info)
        found = diagnostics_of(text, example, info, RULEBOOK)
        edits = {edit for diagnostic in found if diagnostic.fix for edit in diagnostic.fix.edits}
        assert {d.fix.applicability for d in found if d.fix} == {info.fix}
        assert apply_edits(text, edits) == after.text


@pytest.mark.parametrize("info", CHECKED, ids=rule_id)
def test_diagnostics_read_well(info: RuleInfo) -> None:
    for example in info.examples:
        text, _ = split(example, info)
        for diagnostic in diagnostics_of(text, example, info, RULEBOOK):
            message = diagnostic.message
            assert not message.endswith("."), message
            assert message[0] == "`" or message[0].islower() or not message.split()[0].istitle(), message
            assert "\n" not in message
            assert diagnostic.help, f"{info.id} has no help"
            assert not diagnostic.help.endswith(".")
