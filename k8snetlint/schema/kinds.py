"""Which kinds Kubernetes serves in which release, and which of them live in no namespace."""

from __future__ import annotations

import difflib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypedDict

from .shapes import NEWEST_MINOR, minor_of, split_api_version

_FILE = Path(__file__).parent / "data" / "kinds.json"


class Removal(NamedTuple):
    """The first minor release that no longer serves a kind, and the API version to use instead, if there is one."""

    minor: int
    replacement: str | None


class _KindData(TypedDict):
    builtin: dict[str, dict[str, dict[str, tuple[int, int]]]]
    cluster: dict[str, list[str]]
    custom: dict[str, dict[str, bool]]


def known_kinds(kube_version: str) -> frozenset[tuple[str, str]]:
    """The (apiVersion, kind) pairs that a release serves, those behind feature gates included.

    Raises ValueError if `kube_version` is no Kubernetes version.
    """
    return _known(minor_of(kube_version))


def is_builtin_group(group: str) -> bool:
    """Whether an API group belongs to Kubernetes itself: an unknown version or kind in it is a mistake."""
    return group in _data()["builtin"]


def removed_in(api_version: str, kind: str) -> Removal | None:
    """When a built-in kind was removed from an API version; None if it is still served or never was.

    Releases since 1.11 are known.
    """
    group, version = split_api_version(api_version)
    first_last = _data()["builtin"].get(group, {}).get(version, {}).get(kind)
    if first_last is None or first_last[1] >= NEWEST_MINOR:
        return None
    return Removal(first_last[1] + 1, _replacement(group, kind))


def added_in(api_version: str, kind: str) -> int | None:
    """The first minor release that serves a built-in kind; 11 stands for 1.11 and whatever came before."""
    group, version = split_api_version(api_version)
    first_last = _data()["builtin"].get(group, {}).get(version, {}).get(kind)
    return first_last[0] if first_last else None


def nearest_kind(api_version: str, kind: str, kube_version: str) -> tuple[str, str] | None:
    """The (apiVersion, kind) that a pair which Kubernetes does not serve is probably meant to be."""
    known = known_kinds(kube_version)
    versions = sorted((candidate for candidate in known if candidate[1] == kind), key=_maturity)
    if versions:
        near = difflib.get_close_matches(api_version, [version for version, _ in versions], n=1, cutoff=0.6)
        return (near[0], kind) if near else versions[0]
    here = {name.lower(): name for version, name in sorted(known) if version == api_version}
    close = difflib.get_close_matches(kind.lower(), here, n=1, cutoff=0.75) if len(kind) <= 100 else []
    return (api_version, here[close[0]]) if close else None


def is_cluster_scoped(group: str, kind: str) -> bool | None:
    """Whether objects of a kind live in no namespace; None for kinds that the data does not know."""
    data = _data()
    custom = data["custom"].get(group, {})
    if kind in custom:
        return custom[kind]
    if kind in data["cluster"].get(group, ()):
        return True
    return False if any(kind in kinds for kinds in data["builtin"].get(group, {}).values()) else None


def _replacement(group: str, kind: str) -> str | None:
    served = [candidate for candidate in _known(NEWEST_MINOR) if candidate[1] == kind]
    own = [candidate for candidate in served if split_api_version(candidate[0])[0] == group]
    best = sorted(own or served, key=_maturity)
    return best[0][0] if best else None


def _maturity(candidate: tuple[str, str]) -> tuple[bool, bool, list[int], str]:
    """Stable versions before beta before alpha, the higher number first; the core group's Event after its successor."""
    group, version = split_api_version(candidate[0])
    numbers = [-int(part) for part in version.replace("alpha", " ").replace("beta", " ")[1:].split()]
    return "alpha" in version, "beta" in version, numbers, group


@cache
def _known(minor: int) -> frozenset[tuple[str, str]]:
    return frozenset(
        (f"{group}/{version}" if group else version, kind)
        for group, versions in _data()["builtin"].items()
        for version, kinds in versions.items()
        for kind, (first, last) in kinds.items()
        if first <= minor <= last
    )


@cache
def _data() -> _KindData:
    content: _KindData = json.loads(_FILE.read_bytes())
    return content
