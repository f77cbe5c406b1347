"""For people at a terminal: a line per connection, or sets of equal workloads where there are many."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.connectivity import ConnectivityMap, Grouped
from k8snetlint.formatters.escape import terminal
from k8snetlint.formatters.outcome import Outcome

from . import GROUP_ABOVE

_SHOWN_MEMBERS = 12


def parts(shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """The map as text, with what was not analysed at its end."""
    if len(shown.workloads) > GROUP_ABOVE and shown.chosen is None:
        yield from group_parts(shown, outcome)
        return
    rows = [(source, each) for source, reached in shown.by_source() for each in reached]
    left = max((len(terminal(source)) for source, _ in rows), default=0)
    right = max((len(terminal(each.destination)) for _, each in rows), default=0)
    previous = None
    for source, (destination, connections) in rows:
        name = f"{terminal(source):<{left}}"
        if source == previous:
            name = " " * left
        previous = source
        yield f"{name} -> {terminal(destination):<{right}}  {connections}\n"
    yield from _tail(shown, outcome, is_empty=not rows)


def group_parts(shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """The map as text between sets of workloads that no connection tells apart."""
    classes = shown.classes()
    names = [_set_name(number, members) for number, members in enumerate(classes.sets)]
    for number, members in enumerate(classes.sets):
        if len(members) > 1:
            listed = ", ".join(terminal(name) for name in members[: _SHOWN_MEMBERS if not outcome.verbose else None])
            more = len(members) - _SHOWN_MEMBERS
            yield f"{names[number]}: {listed}{f' and {more} more' if more > 0 and not outcome.verbose else ''}\n"
    yield "\n"
    by_source: dict[int, list[tuple[str, str]]] = {}
    for each in classes.connections:
        if not _is_to_itself(classes, each.sources, each.destinations):
            by_source.setdefault(each.sources, []).append((names[each.destinations], str(each.connections)))
    for source, reached in by_source.items():
        yield f"{names[source]}\n"
        width = max(len(destination) for destination, _ in reached)
        for destination, connections in reached:
            yield f"  -> {destination:<{width}}  {connections}\n"
    yield from _tail(shown, outcome, is_empty=not by_source)


def _is_to_itself(classes: Grouped, source: int, destination: int) -> bool:
    return source == destination and len(classes.sets[source]) == 1


def _set_name(number: int, members: tuple[str, ...]) -> str:
    if len(members) == 1:
        return terminal(members[0])
    noun = "workloads" if "[" in members[0] else "ranges"
    return f"[{number + 1}] {len(members)} {noun}"


def _tail(shown: ConnectivityMap, outcome: Outcome, *, is_empty: bool) -> Iterator[str]:
    if is_empty:
        yield "no connection is allowed\n" if shown.workloads else "there are no workloads\n"
    tail = outcome.tail()
    if tail:
        yield "\n" + "\n".join(tail) + "\n"
