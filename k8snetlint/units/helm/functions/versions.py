"""Semantic versions and their constraints."""

from __future__ import annotations

import re
from typing import NamedTuple

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import Int64, Method, Struct, Value

_VERSION = re.compile(
    r"v?(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_CONSTRAINT = re.compile(
    r"\s*(=>|=<|>=|<=|!=|~>|[=<>~^]?)\s*v?(\d{1,18}|[xX*])(?:\.(\d{1,18}|[xX*]))?(?:\.(\d{1,18}|[xX*]))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?\s*,?"
)
_HYPHEN = re.compile(r"\s*(v?[0-9xX*][0-9A-Za-z.xX*+-]*)\s+-\s+(v?[0-9xX*][0-9A-Za-z.xX*+-]*)\s*")


class Version(NamedTuple):
    """A version: three numbers, the pre-release and the build part."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""
    metadata: str = ""


def version_of(text: str) -> Version:
    """A version, whose minor and patch may be missing. Raises ValueError."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is no semantic version")
    return Version(int(match[1]), int(match[2] or 0), int(match[3] or 0), match[4] or "", match[5] or "")


def _prerelease_key(prerelease: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in prerelease.split("."))


def _key(version: Version) -> tuple[object, ...]:
    release = version[:3]
    return (*release, 1, ()) if not version.prerelease else (*release, 0, _prerelease_key(version.prerelease))


class _Bound(NamedTuple):
    """One condition: an operator and a version of which only the first `known` numbers are given."""

    operator: str
    version: Version
    known: int

    def accepts(self, version: Version) -> bool:
        # A pre-release is only meant by a condition that names one.
        if version.prerelease and not self.version.prerelease:
            return False
        operator, bound = self.operator, self.version
        low, key = _key(bound), _key(version)
        if operator in ("", "=", "!="):
            same = self._tilde_holds(version) if self.known < 3 else key == low
            return same if operator != "!=" else not same
        if operator == ">":
            if self.known < 3:
                return version[: self.known] > bound[: self.known]
            return key > low
        if operator in (">=", "=>"):
            return key >= low
        if operator == "<":
            return key < low
        if operator in ("<=", "=<"):
            return key <= low if self.known == 3 else version[: self.known] <= bound[: self.known]
        if operator == "^":
            return key >= low and self._caret_holds(version)
        return key >= low and self._tilde_holds(version)

    def _tilde_holds(self, version: Version) -> bool:
        return version[: min(self.known, 2)] == self.version[: min(self.known, 2)]

    def _caret_holds(self, version: Version) -> bool:
        bound = self.version
        if bound.major or self.known < 2:
            return version.major == bound.major
        if bound.minor or self.known < 3:
            return version[:2] == bound[:2]
        return version[:3] == bound[:3]


def satisfies(constraint: str, text: str) -> bool:
    """Whether a version satisfies a constraint. Raises ValueError if one of them is none."""
    groups = [_bounds(part) for part in constraint.split("||")]
    version = version_of(text)
    return any(all(bound.accepts(version) for bound in group) for group in groups)


def _bounds(text: str) -> list[_Bound]:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen is not None:
        text = f">={hyphen[1]} <={hyphen[2]}"
    bounds: list[_Bound] = []
    offset = 0
    while offset < len(text) or not bounds:
        match = _CONSTRAINT.match(text, offset)
        if match is None or match.end() == offset:
            raise ValueError(f"`{text}` is no version constraint")
        numbers: list[int] = []
        for part in match.groups()[1:4]:
            if part is None or part in "xX*":
                break
            numbers.append(int(part))
        known = len(numbers)
        major, minor, patch = (*numbers, 0, 0, 0)[:3]
        operator = match[1]
        if known == 0:
            # Any version at all, and none for `!=`, `>` and `<`.
            operator = "<" if operator in ("!=", ">", "<") else ">="
        bounds.append(_Bound(operator, Version(major, minor, patch, match[5] or ""), known or 3))
        offset = match.end()
    return bounds


def version_struct(text: str) -> Struct:
    """What the function `semver` gives. Raises ValueError."""
    version = version_of(text)
    printed = f"{version.major}.{version.minor}.{version.patch}"
    printed += f"-{version.prerelease}" if version.prerelease else ""
    printed += f"+{version.metadata}" if version.metadata else ""

    def compared(other: Value) -> Value:
        assert isinstance(other, Struct)
        left, right = _key(version), _key(version_of(other.printed))
        return 0 if left == right else (1 if left > right else -1)

    return Struct(
        "*semver.Version",
        {
            "Major": Int64(version.major),
            "Minor": Int64(version.minor),
            "Patch": Int64(version.patch),
            "Prerelease": version.prerelease,
            "Metadata": version.metadata,
            "Original": text,
            "String": printed,
            "Compare": Method(compared, "a"),
        },
        printed,
    )


def functions() -> Registry:
    """Functions on versions."""
    return {"semver": Builtin(version_struct, "s"), "semverCompare": Builtin(satisfies, "ss")}
