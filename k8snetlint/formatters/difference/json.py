"""For programs: the contract `k8snetlint/connectivity-diff/v1`."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.analysis.difference import Difference
from k8snetlint.formatters.connectivity.json import Written, opening
from k8snetlint.formatters.outcome import Outcome


def parts(found: Difference, outcome: Outcome) -> Iterator[str]:
    """The difference as one JSON object, a change a line."""
    members = outcome.members("k8snetlint/connectivity-diff/v1")
    yield opening({**members, "workloads": {"added": list(found.added), "removed": list(found.removed)}})
    written = Written()
    yield '  "changes": ['
    separator = "\n    "
    for each in found.changes:
        yield (
            f'{separator}{{"source": {written.name(each.source)}, "destination": {written.name(each.destination)}, '
            f'"old": {written.ports(each.old)}, "new": {written.ports(each.new)}, "type": "{each.type}"}}'
        )
        separator = ",\n    "
    yield "\n  ]\n}\n" if found.changes else "]\n}\n"
