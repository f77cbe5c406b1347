"""The smallest change that makes intents hold: a unified diff, `k8snetlint/suggestion/v1`, and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from k8snetlint.analysis.difference import Change as ConnectionChange
from k8snetlint.analysis.intents import Intent
from k8snetlint.analysis.repair import Impossible, Outcome, Repair, Unrepaired
from k8snetlint.analysis.wants import Notice
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Plain

from .context import plural
from .json import JSON, dumped, location
from .outcome import Outcome as Shown
from .suggestion import SCHEMA, cell, comment, notice_json, remarks

_SHOWN_CHANGES = 20


@attrs.frozen
class Repaired:
    """What came of a repair: the outcome, the edits that bring it about, and what is wrong with them, if anything."""

    outcome: Outcome
    intents: tuple[Intent, ...]
    edits: tuple[Edit, ...] = ()
    diff: str = ""
    problem: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether all intents hold, at present or with the edits."""
        return isinstance(self.outcome, Repair) and self.problem is None


def render(name: str, found: Repaired, shown: Shown) -> str:
    """What came of a repair, as yaml (a unified diff with comments), json or markdown."""
    if name == "json":
        return dumped(
            {
                **shown.members(SCHEMA),
                "policies": list(_policies(found)),
                "edits": [
                    {"location": location(Place(each.source, each.span)), "text": each.text}
                    for each in (found.edits if found.is_done else ())
                ],
                "notices": [notice_json(each) for each in _notices(found)],
            }
        )
    said = [] if shown.quiet and found.is_done else list(remarks(_notices(found), shown))
    diff = found.diff if found.is_done else ""
    if name == "markdown":
        lines = [f"### {cell(_headline(found))}", "", *(cell(row) for row in said)]
        lines += ["", "```diff", *diff.splitlines(), "```"] if diff else []
        return "".join(f"{line}\n" for line in lines)
    lines = [f"# {comment(_headline(found))}", *(f"# {comment(row)}" for row in said)]
    return "".join(f"{line}\n" for line in lines) + diff


def _headline(found: Repaired) -> str:
    count = plural(len(found.intents), "intent")
    verb = "holds" if len(found.intents) == 1 else "hold"
    if not isinstance(found.outcome, Repair) or found.problem is not None:
        return f"{count} cannot be made to hold."
    if not found.outcome.changes:
        return f"{count} {verb}: there is nothing to change."
    return f"{count} {verb} with {plural(found.outcome.cost, 'single change')}, and with none fewer."


def _notices(found: Repaired) -> Iterator[Notice]:
    match found.outcome:
        case Unrepaired(reason):
            yield Notice(reason)
        case Impossible(intents):
            names = ", ".join(f"`{each.name}`" for each in intents)
            if len(intents) == 1:
                yield Notice(f"no change that is known here makes {names} hold", intents[0].place)
            else:
                yield Notice(
                    f"no change that is known here makes these intents hold together: {names}", intents[0].place
                )
        case Repair(changes, _, effect):
            if found.problem is not None:
                yield Notice(found.problem)
                return
            for change in changes:
                yield from (Notice(step) for step in change.steps)
            for each in effect.changes[:_SHOWN_CHANGES]:
                yield Notice(_effect_text(each))
            if len(effect.changes) > _SHOWN_CHANGES:
                yield Notice(f"and {len(effect.changes) - _SHOWN_CHANGES:,} more pairs change")


def _effect_text(change: ConnectionChange) -> str:
    opened, shut = change.new - change.old, change.old - change.new
    words = [f"{word} {held}" for word, held in (("opens", opened), ("shuts", shut)) if held]
    return f"{change.source} -> {change.destination}: {' and '.join(words)}"


def _policies(found: Repaired) -> Iterator[JSON]:
    if not isinstance(found.outcome, Repair) or not found.is_done:
        return
    for change in found.outcome.changes:
        because: list[JSON] = [
            {"rule": "spec", "text": intent.name, "location": location(intent.place)} for intent in found.intents
        ]
        yield {"manifest": _json(change.manifest), "because": because}


def _json(value: Plain) -> JSON:
    if isinstance(value, Mapping):
        return {key: _json(entry) for key, entry in value.items()}
    return [_json(item) for item in value] if isinstance(value, list) else value
