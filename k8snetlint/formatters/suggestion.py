"""Suggested NetworkPolicies: YAML that applies as it is, the contract `k8snetlint/suggestion/v1`, and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8snetlint.analysis.manifests import SuggestedPolicy, manifest
from k8snetlint.analysis.suggestion import Suggestion
from k8snetlint.analysis.wants import Because, Notice
from k8snetlint.source.write import block_lines

from .escape import terminal
from .json import JSON, dumped, location
from .outcome import Outcome, place_text

SUGGESTION_FORMATS = ("yaml", "json", "markdown")
SCHEMA = "k8snetlint/suggestion/v1"


def render(name: str, found: Suggestion, outcome: Outcome) -> str:
    """A suggestion in one of the formats."""
    if name == "json":
        return dumped(
            {
                **outcome.members(SCHEMA),
                "policies": [_policy_json(policy) for policy in found.policies],
                "edits": [],
                "notices": [notice_json(notice) for notice in found.notices],
            }
        )
    lines = _markdown(found, outcome) if name == "markdown" else _yaml(found, outcome)
    return "".join(f"{line}\n" for line in lines)


def notice_json(notice: Notice) -> JSON:
    """A notice with its place, null where it has none."""
    return {"message": notice.message, "location": None if notice.place is None else location(notice.place)}


def _policy_json(policy: SuggestedPolicy) -> JSON:
    because: list[JSON] = []
    for field, rules in (("ingress", policy.ingress), ("egress", policy.egress)):
        for index, rule in enumerate(rules):
            because += (
                {"rule": f"spec.{field}[{index}]", "text": each.text, "location": location(each.place)}
                for each in rule.because
            )
    return {"manifest": manifest(policy), "because": because}


def _yaml(found: Suggestion, outcome: Outcome) -> Iterator[str]:
    yield f"# What the manifests of `{comment(outcome.unit)}` need, and nothing else."
    if not found.policies:
        yield "# They hold no workload that a NetworkPolicy could select."
    if not outcome.quiet:
        yield from (f"# {comment(row)}" for row in remarks(found.notices, outcome))
    for policy in found.policies:
        yield "---"
        yield from _policy_yaml(policy)


def remarks(notices: Iterable[Notice], outcome: Outcome) -> Iterator[str]:
    """The notices, and what was not analysed, a line each."""
    for notice in notices:
        where = f"{place_text(notice.place)}: " if notice.place is not None else ""
        yield f"- {where}{notice.message}"
    yield from outcome.tail()


def _policy_yaml(policy: SuggestedPolicy) -> Iterator[str]:
    if policy.subjects:
        if not policy.ingress and not policy.egress:
            yield f"# {comment(', '.join(policy.subjects))}: nothing needs it, and it needs nothing."
        elif len(policy.subjects) > 1:
            yield f"# {comment(', '.join(policy.subjects))}"
    because = {"ingress": policy.ingress, "egress": policy.egress}
    for line in block_lines(manifest(policy)):
        yield line
        field = line.strip().removesuffix(":")
        if line.startswith("  ") and not line.startswith("   ") and field in because:
            break
    else:
        return
    spec = manifest(policy)["spec"]
    assert isinstance(spec, dict)
    fields = [name for name in ("ingress", "egress") if name in spec]
    for field in fields:
        if field != fields[0]:
            yield f"  {field}:"
        rules = spec[field]
        assert isinstance(rules, list)
        for rule, written in zip(because[field], rules, strict=True):
            yield from (f"    # {_reason(each)}" for each in rule.because)
            yield from (f"    {line}" for line in block_lines([written]))


def _reason(because: Because) -> str:
    return f"{comment(place_text(because.place))} {comment(because.text)}"


def comment(text: str) -> str:
    """A text on one line of a comment."""
    return " ".join(terminal(text).split())


def _markdown(found: Suggestion, outcome: Outcome) -> Iterator[str]:
    yield f"### What `{cell(outcome.unit)}` needs, and nothing else"
    yield ""
    if found.policies:
        yield "| policy | direction | other end | ports | because |"
        yield "|---|---|---|---|---|"
        for policy in found.policies:
            yield from _rows(policy)
        yield ""
    said = [] if outcome.quiet else list(remarks(found.notices, outcome))
    if said:
        yield from (cell(row) for row in said)
        yield ""
    yield "```yaml"
    for number, policy in enumerate(found.policies):
        if number:
            yield "---"
        yield from _policy_yaml(policy)
    yield "```"


def _rows(policy: SuggestedPolicy) -> Iterator[str]:
    name = f"`{cell(policy.name if policy.namespace is None else f'{policy.namespace}/{policy.name}')}`"
    for direction, rules in (("ingress", policy.ingress), ("egress", policy.egress)):
        for rule in rules:
            others = "; ".join(cell(str(peer)) for peer in rule.peers) or "anyone"
            ports = ", ".join(f"{protocol} {number}" for protocol, number in rule.ports)
            because = "; ".join(cell(_reason(each)) for each in rule.because)
            yield f"| {name} | {direction} | {others} | {ports} | {because} |"
    if not policy.ingress and not policy.egress:
        yield f"| {name} | both | none | none | {'everything else is shut' if not policy.subjects else 'no need'} |"


def cell(text: str) -> str:
    """A text as Markdown reads it, in a cell of a table too."""
    return comment(text).replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`")
