"""Verdicts on intents: for people, the contract `k8snetlint/verification/v1`, and JUnit."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

import attrs

from k8snetlint.analysis.reference import Decision, StageDecision
from k8snetlint.analysis.verdict import Holds, Refuted, Unknown, Verdict
from k8snetlint.analysis.wording import flow_text
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.policy.ir import Action
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.source.text import Place, SourceFile

from .escape import terminal, xml
from .json import JSON, dumped, location
from .outcome import Outcome, place_of, place_text, rule_json

VERIFICATION_FORMATS = ("text", "json", "sarif", "junit")
RULE = "NP051"
_COLOURS = {"holds": "1;32", "refuted": "1;31", "unknown": "1;33"}


@attrs.frozen
class ComparedSide:
    """One side of a comparison: how the user named it, the folder that its paths are in, and what it says of the flow.

    `folder` is empty for the working directory.
    """

    text: str
    folder: str
    decision: Decision


@attrs.frozen
class Proved:
    """A statement with its verdict; `place` is where the user wrote it, None for what the command line asks.

    A comparison has `about`, what it says in words, and where it is refuted its two `sides`; `fallback` is a place to
    report it at where no rule decides.
    """

    name: str
    verdict: Verdict
    place: Place | None = None
    about: str | None = None
    sides: tuple[ComparedSide, ...] = ()
    fallback: Place | None = None

    @property
    def word(self) -> str:
        """The verdict's word."""
        match self.verdict:
            case Holds():
                return "holds"
            case Refuted():
                return "refuted"
            case Unknown():
                return "unknown"

    @property
    def flow(self) -> Flow | None:
        """The witness of a refuted statement, an example of one that holds."""
        return self.verdict.witness if isinstance(self.verdict, Refuted) else None

    @property
    def decision(self) -> Decision | None:
        """What decides the witness, or the example."""
        return None if isinstance(self.verdict, Unknown) else self.verdict.decision

    def sentence(self) -> str:
        """The verdict in one sentence without the name."""
        if isinstance(self.verdict, Unknown):
            return self.verdict.reason
        if isinstance(self.verdict, Refuted):
            flow = flow_text(self.verdict.witness)
            if self.sides:
                said = " and ".join(f"{_word(side.decision)} by {side.text}" for side in self.sides)
                return f"for example {flow} is {said}"
            return f"for example {flow} is {_word(self.verdict.decision)}"
        return "no flow contradicts it"


def _word(decision: Decision) -> str:
    return "allowed" if decision.is_allowed else "denied"


def render(name: str, proved: Sequence[Proved], outcome: Outcome) -> str:
    """Verdicts as text, json or junit."""
    if name == "json":
        return dumped(
            {**outcome.members("k8snetlint/verification/v1"), "intents": [_intent_json(each) for each in proved]}
        )
    lines = _junit(proved) if name == "junit" else _text(proved, outcome)
    return "".join(f"{line}\n" for line in lines)


def diagnostics(proved: Sequence[Proved], unit: str) -> tuple[Diagnostic, ...]:
    """What is refuted as errors and what is unknown as warnings, at the statements that have a place."""
    found = []
    for each in proved:
        deciding = list(_deciding_places(each))
        place = each.place or next((place for _, place in reversed(deciding)), each.fallback)
        if each.word == "holds" or place is None:
            continue
        what = f"intent `{each.name}`" if each.about is None else f"`{each.name}` ({each.about})"
        found.append(
            Diagnostic(
                rule=RULE,
                severity=Severity.ERROR if each.word == "refuted" else Severity.WARNING,
                confidence=Confidence.HIGH,
                message=f"{what} is {each.word}: {each.sentence()}",
                primary=Location(place),
                units=(unit,),
                related=tuple(Location(place, f"{action} here") for action, place in deciding),
            )
        )
    return tuple(found)


def _deciding(proved: Proved) -> Iterator[tuple[StageDecision, ComparedSide | None]]:
    """What decides: of an allowed flow every stage, of a denied one those that deny it."""
    decisions: list[tuple[Decision, ComparedSide | None]] = [(side.decision, side) for side in proved.sides]
    if not decisions and proved.decision is not None:
        decisions.append((proved.decision, None))
    for decision, side in decisions:
        for stage in decision.stages:
            if stage.rule is not None and (decision.is_allowed or stage.action is Action.DENY):
                yield stage, side


def _deciding_places(proved: Proved) -> Iterator[tuple[str, Place]]:
    for stage, side in _deciding(proved):
        if stage.rule is not None and stage.rule.origin is not None:
            place = place_of(stage.rule.origin.resource, stage.rule.origin.path)
            who = f"{side.text}: " if side is not None else ""
            yield f"{who}{stage.stage} {stage.action.value}", _within(place, side)


def _within(place: Place, side: ComparedSide | None) -> Place:
    """A place of a side as seen from the working directory."""
    if side is None or not side.folder:
        return place
    source = SourceFile(posixpath.normpath(f"{side.folder}/{place.source.path}"), place.source.text)
    return Place(source, place.span)


def _intent_json(proved: Proved) -> JSON:
    flow = proved.flow
    return {
        "name": proved.name,
        "verdict": proved.word,
        "reason": proved.verdict.reason if isinstance(proved.verdict, Unknown) else None,
        "witness": None
        if flow is None
        else {
            "source": _side_json(flow.source),
            "destination": _side_json(flow.destination),
            "protocol": flow.protocol,
            "port": flow.port,
        },
        "deciding": [_rule_json(stage, side) for stage, side in _deciding(proved)],
    }


def _rule_json(stage: StageDecision, side: ComparedSide | None) -> JSON:
    found = rule_json(stage.stage, stage.action.value, stage.rule)
    if side is None or not isinstance(found, dict):
        return found
    if stage.rule is not None and stage.rule.origin is not None:
        origin = stage.rule.origin
        found = {**found, "location": location(_within(place_of(origin.resource, origin.path), side))}
    return {**found, "side": side.text}


def _side_json(peer: Peer) -> JSON:
    if peer.index is not None:
        return {"workload": peer.text}
    return {
        "namespace": peer.namespace,
        "namespaceLabels": dict(peer.namespace_labels) if peer.is_pod else None,
        "podLabels": dict(peer.labels) if peer.is_pod else None,
        "address": None if peer.is_pod else peer.text,
    }


def _text(proved: Sequence[Proved], outcome: Outcome) -> Iterator[str]:
    for each in proved:
        where = f" ({place_text(each.place)})" if each.place is not None else ""
        about = f": {terminal(each.about)}" if each.about is not None else ""
        yield f"{outcome.paint(each.word, _COLOURS[each.word])}: {terminal(each.name)}{about}{where}"
        if each.word != "holds":
            yield f"  {terminal(each.sentence())}"
        if each.word == "refuted":
            places = list(_deciding_places(each))
            for action, place in places:
                yield f"  {action}: {place_text(place)}"
            if not places:
                yield "  no policy concerns it"
    if not outcome.quiet:
        counts = [f"{sum(each.word == word for each in proved)} {word}" for word in ("holds", "refuted", "unknown")]
        counts[0] = counts[0].replace("holds", "proved")
        yield ", ".join(counts)
    tail = outcome.tail()
    if tail:
        yield ""
        yield from tail


def _junit(proved: Sequence[Proved]) -> Iterator[str]:
    failures = sum(each.word == "refuted" for each in proved)
    errors = sum(each.word == "unknown" for each in proved)
    counts = f'tests="{len(proved)}" failures="{failures}" errors="{errors}"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="k8snetlint" {counts}>'
    yield f'  <testsuite name="intents" {counts} skipped="0">'
    for each in proved:
        path = each.place.source.path if each.place is not None else "command line"
        head = f'    <testcase classname="{xml(path)}" name="{xml(each.name)}"'
        if each.word == "holds":
            yield f"{head}/>"
            continue
        tag = "failure" if each.word == "refuted" else "error"
        where = "".join(f"\n{action}: {place_text(place)}" for action, place in _deciding_places(each))
        yield f"{head}>"
        yield f'      <{tag} type="{each.word}" message="{xml(each.sentence())}">{xml(each.sentence() + where)}</{tag}>'
        yield "    </testcase>"
    yield "  </testsuite>"
    yield "</testsuites>"
