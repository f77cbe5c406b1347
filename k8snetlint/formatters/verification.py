"""Verdicts on intents: for people, the contract `k8snetlint/verification/v1`, and JUnit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from k8snetlint.analysis.reference import Decision
from k8snetlint.analysis.verdict import Holds, Refuted, Unknown, Verdict
from k8snetlint.analysis.wording import flow_text
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.policy.ir import Action
from k8snetlint.policy.peers import Flow, Peer
from k8snetlint.source.text import Place

from .escape import terminal, xml
from .json import JSON, dumped
from .outcome import Outcome, place_of, place_text, rule_json

VERIFICATION_FORMATS = ("text", "json", "sarif", "junit")
RULE = "NP051"
_COLOURS = {"holds": "1;32", "refuted": "1;31", "unknown": "1;33"}


@attrs.frozen
class Proved:
    """A statement with its verdict; `place` is where the user wrote it, None for what the command line asks."""

    name: str
    verdict: Verdict
    place: Place | None = None

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
            word = "allowed" if self.verdict.decision.is_allowed else "denied"
            return f"for example {flow_text(self.verdict.witness)} is {word}"
        return "no flow contradicts it"


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
        if each.word == "holds" or each.place is None:
            continue
        found.append(
            Diagnostic(
                rule=RULE,
                severity=Severity.ERROR if each.word == "refuted" else Severity.WARNING,
                confidence=Confidence.HIGH,
                message=f"intent `{each.name}` is {each.word}: {each.sentence()}",
                primary=Location(each.place),
                units=(unit,),
                related=tuple(Location(place, f"{action} here") for action, place in _deciding_places(each)),
            )
        )
    return tuple(found)


def _deciding_places(proved: Proved) -> Iterator[tuple[str, Place]]:
    decision = proved.decision
    for stage in decision.stages if decision is not None else ():
        if stage.rule is not None and stage.rule.origin is not None:
            if decision is not None and not decision.is_allowed and stage.action is Action.ALLOW:
                continue
            yield f"{stage.stage} {stage.action.value}", place_of(stage.rule.origin.resource, stage.rule.origin.path)


def _intent_json(proved: Proved) -> JSON:
    flow, decision = proved.flow, proved.decision
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
        "deciding": []
        if decision is None
        else [
            rule_json(stage.stage, stage.action.value, stage.rule)
            for stage in decision.stages
            if stage.rule is not None and (decision.is_allowed or stage.action is Action.DENY)
        ],
    }


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
        yield f"{outcome.paint(each.word, _COLOURS[each.word])}: {terminal(each.name)}{where}"
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
