"""Colours of the terminal."""

from __future__ import annotations

import attrs

from k8snetlint.diagnostic import Severity

_SEVERITY = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}


@attrs.frozen
class Style:
    """Paints text if colour is on; the primary underline in the colour of the severity."""

    colour: bool
    severity: Severity = Severity.ERROR

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def primary(self, text: str) -> str:
        """What is wrong."""
        return self._paint(text, _SEVERITY[self.severity])

    def related(self, text: str) -> str:
        """What it has to do with."""
        return self._paint(text, "1;34")

    def dim(self, text: str) -> str:
        """The frame around the text."""
        return self._paint(text, "1;34")

    def strong(self, text: str) -> str:
        """A message."""
        return self._paint(text, "1")
