"""For programs: the contracts `k8snetlint/connectivity/v1` and `k8snetlint/connectivity-groups/v1`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.connectivity import ConnectivityMap
from k8snetlint.formatters.json import JSON
from k8snetlint.formatters.outcome import Outcome


def parts(
    shown: ConnectivityMap,
    outcome: Outcome,
    more: Mapping[str, JSON] | None = None,
    explain: Callable[[str, str], list[JSON]] | None = None,
) -> Iterator[str]:
    """The map as one JSON object, a connection a line, written as it is computed.

    `more` are further members; `explain` tells what decides a pair.
    """
    yield opening({**outcome.members("k8snetlint/connectivity/v1"), **(more or {}), "workloads": list(shown.workloads)})
    yield '  "connections": ['
    written = Written()
    ends: dict[tuple[str, int], str] = {}
    separator = "\n    "
    for source, reached in shown.by_source():
        # A pair is one concatenation: a map of a thousand workloads has a million of them.
        beginning = f'{{"source": {written.name(source)}, '
        rows = []
        for destination, connections in reached:
            key = (destination, id(connections))
            end = ends.get(key)
            if end is None:
                end = f'"destination": {written.name(destination)}, "ports": {written.ports(connections)}}}'
                ends[key] = end
            if explain is not None:
                end = f'{end[:-1]}, "deciding": {json.dumps(explain(source, destination))}}}'
            rows.append(beginning + end)
        yield separator + ",\n    ".join(rows)
        separator = ",\n    "
    yield "]\n}\n" if separator == "\n    " else "\n  ]\n}\n"


def group_parts(shown: ConnectivityMap, outcome: Outcome) -> Iterator[str]:
    """The map in groups as one JSON object, a set or a connection a line."""
    grouped = shown.grouped()
    written = Written()
    yield opening(outcome.members("k8snetlint/connectivity-groups/v1"))
    yield from _listed("sets", (f"[{', '.join(map(written.name, names))}]" for names in grouped.sets))
    yield ",\n"
    rows = (
        f'{{"sources": {source}, "destinations": {destination}, "ports": {written.ports(connections)}}}'
        for source, destination, connections in grouped.connections
    )
    yield from _listed("connections", rows)
    yield "\n}\n"


def _listed(name: str, rows: Iterator[str]) -> Iterator[str]:
    yield f'  "{name}": ['
    separator = "\n    "
    for row in rows:
        yield separator + row
        separator = ",\n    "
    yield "]" if separator == "\n    " else "\n  ]"


def opening(members: Mapping[str, JSON]) -> str:
    """The beginning of a JSON object, up to the comma after the last of its members."""
    return json.dumps(members, indent=2)[: -len("\n}")] + ",\n"


class Written:
    """JSON texts of names and connection sets, each made once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._ports: dict[ConnectionSet, str] = {}

    def name(self, text: str) -> str:
        """A name as a JSON string."""
        if text not in self._names:
            self._names[text] = json.dumps(text)
        return self._names[text]

    def ports(self, connections: ConnectionSet) -> str:
        """A connection set as a JSON object."""
        if connections not in self._ports:
            self._ports[connections] = json.dumps(connections.as_lists())
        return self._ports[connections]
