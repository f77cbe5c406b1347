"""`suggest --repair`: the smallest change of the present policies, as text edits that are proved once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from k8snetlint import rulebook as rulebooks
from k8snetlint.analysis.intents import Intent
from k8snetlint.analysis.proof import IntentProver
from k8snetlint.analysis.repair import Change, Repair, repair
from k8snetlint.analysis.verdict import Holds
from k8snetlint.fixer import unified_diff
from k8snetlint.formatters.repair import Repaired
from k8snetlint.model.core import Resource
from k8snetlint.model.networkpolicy import NetworkPolicy
from k8snetlint.source.edit import Edit, apply_edits
from k8snetlint.source.rewrite import Unwritable, added_document, is_written, rewritten
from k8snetlint.source.text import SourceFile, Span

from .fixing import with_texts
from .intents import intents_in
from .options import LoadOptions
from .pipeline import Failure, Loaded, load_with, resolve_settings
from .world import World, world_of


def repaired(intents_path: str, paths: tuple[str, ...], options: LoadOptions) -> tuple[World, Repaired]:
    """What repairs the manifests in paths, and the world that it was found in. Raises Failure for no intents file."""
    intents = intents_in(intents_path)
    if intents is None:
        raise Failure(f"--repair: `{intents_path}` is no file with `schema: k8snetlint/intents/v1`")
    rulebook = rulebooks.load()
    settings = resolve_settings(paths or (".",), options, rulebook)
    loaded = load_with(paths or (".",), options, settings, rulebook)
    asked = world_of(loaded, options)
    files = {source.path: source for source in loaded.inputs.files}
    places = dict(_places(asked, files))
    outcome = repair(
        asked.cluster,
        asked.policies,
        intents,
        asked.settings,
        lambda policy: not asked.cluster.is_context(policy) and _is_editable(policy, files),
        frozenset(places),
    )
    if not isinstance(outcome, Repair) or not outcome.changes:
        return asked, Repaired(outcome, tuple(intents))
    try:
        edits = tuple(edit for change in outcome.changes for edit in _edits(change, outcome, places))
    except Unwritable as error:
        return asked, Repaired(outcome, tuple(intents), problem=f"the change cannot be written as text edits: {error}")
    texts = _texts(edits)
    diff = "".join(unified_diff(path, files[path].text, text) for path, text in sorted(texts.items()))
    problem = _unproved(with_texts(loaded, texts), options, intents)
    return asked, Repaired(outcome, tuple(intents), edits, diff, problem)


def _is_editable(policy: NetworkPolicy, files: Mapping[str, SourceFile]) -> bool:
    """Whether what a policy says is written in a file as it is; its name and namespace may be made elsewhere."""
    spec = policy.root.get("spec")
    return spec is not None and spec.source.path in files and is_written(spec)


def _places(asked: World, files: Mapping[str, SourceFile]) -> Iterator[tuple[str, SourceFile]]:
    """For each namespace the file in which a policy could be added: where its policies are, else its workloads."""
    resources: list[Resource] = [*asked.cluster.workloads, *asked.cluster.all_of(NetworkPolicy)]
    for resource in resources:
        source = resource.root.source
        is_own = source.path in files and not asked.cluster.is_context(resource)
        if is_own and not source.path.endswith(".json") and not source.text.lstrip().startswith("{"):
            yield resource.namespace or "", source


def _edits(change: Change, outcome: Repair, places: Mapping[str, SourceFile]) -> Iterator[Edit]:
    if change.policy is not None:
        spec = change.manifest["spec"] if isinstance(change.manifest, dict) else None
        yield from rewritten(change.policy.root.at("spec"), spec)
        return
    source = places[change.namespace]
    others = [each for each in outcome.changes if each.policy is None and places[each.namespace] is source]
    if change is not others[0]:
        return
    text = source.text
    for each in others:
        text = added_document(text, each.manifest)
    yield Edit(source, Span(len(source.text), len(source.text)), text[len(source.text) :])


def _texts(edits: tuple[Edit, ...]) -> dict[str, str]:
    by_source: dict[str, list[Edit]] = {}
    for edit in edits:
        by_source.setdefault(edit.source.path, []).append(edit)
    return {path: apply_edits(found[0].source.text, found) for path, found in by_source.items()}


def _unproved(loaded: Loaded, options: LoadOptions, intents: list[Intent]) -> str | None:
    """Why the edited manifests do not do what they are to; None where every intent is proved of them."""
    after = world_of(loaded, attrs.evolve(options, allow_empty=True))
    prover = IntentProver(after.cluster, after.policies)
    for intent in intents:
        if not isinstance(prover.verdict(intent), Holds):
            return f"the edited manifests do not make `{intent.name}` hold: they are made from elsewhere as well"
    return None
