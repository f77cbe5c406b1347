"""Compares what k8snetlint renders of folders with what `kustomize` and `helm` make of them.

    python -m bench.renderers FOLDER...

Each folder is one tree, such as a checkout. Units that a program refuses (a missing file, say) are counted, and left out
of the comparison; so are image tags, which are not carried out, and nulls, which kustomize drops.
"""

from __future__ import annotations

import sys
import time

import attrs

from k8snetlint.settings import Settings
from k8snetlint.source.discover import DiscoverOptions, discover
from k8snetlint.source.tree import Plain
from k8snetlint.units.aligned import Identity, identity_of
from k8snetlint.units.find import find_units
from k8snetlint.units.unit import Unit


def comparable(value: Plain) -> Plain:
    """A value without what is not compared."""
    if isinstance(value, dict):
        return {
            key: comparable(item)
            for key, item in value.items()
            if item is not None and key != "image" and not (key in ("annotations", "labels") and not item)
        }
    return [comparable(item) for item in value] if isinstance(value, list) else value


def objects(unit: Unit) -> dict[Identity, Plain]:
    """The objects of a unit by their identity."""
    return {identity_of(document.root): comparable(document.root.plain()) for document in unit.documents}


def compare(folder: str) -> bool:
    """Prints how the units of a folder compare; whether all are the same."""
    inputs = discover(["."], DiscoverOptions(directory=folder))
    own = {unit.name: unit for unit in find_units(inputs, Settings()).units}
    start = time.perf_counter()
    found = find_units(inputs, attrs.evolve(Settings(), render="program"))
    seconds = time.perf_counter() - start
    same, refused = 0, 0
    different: list[tuple[str, list[Identity]]] = []
    for unit in found.units:
        if unit.type not in ("kustomization", "chart") or unit.name not in own:
            continue
        if not unit.documents:
            refused += 1
            continue
        ours, theirs = objects(own[unit.name]), objects(unit)
        if ours == theirs:
            same += 1
        else:
            keys = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
            different.append((unit.name, keys))
    print(f"{folder}: {same} the same, {len(different)} different, {refused} refused; {seconds:.1f} s")
    for name, keys in different:
        print(f"  {name}: {len(keys)} objects, first {keys[0]}")
    return not different


if __name__ == "__main__":
    results = [compare(folder) for folder in sys.argv[1:]]
    sys.exit(0 if all(results) else 1)
