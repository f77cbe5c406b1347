"""A bar on a terminal's stderr while long work is done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO

import click

# Seconds: work that takes less shows nothing.
DELAY = 1.0
_INTERVAL = 0.2
_WIDTH = 24
_META = "k8snetlint.progress"


class Progress:
    """What is shown of the work of a command: how far it is where that is known, else how long it has taken."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begin = monotonic()
        self._steps: tuple[int, int] | None = None
        self._stopped = threading.Event()
        self._is_shown = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def step(self, done: int, total: int) -> None:
        """Tells that so many units of so many are done."""
        self._steps = (done, total)

    def stop(self) -> None:
        """Takes the bar away, for good."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._thread.join()
            if self._is_shown:
                self._stream.write("\r\x1b[K")
                self._stream.flush()

    def _run(self) -> None:
        wait = DELAY
        while not self._stopped.wait(wait):
            wait = _INTERVAL
            self._is_shown = True
            self._stream.write(f"\r{self._text()}\x1b[K")
            self._stream.flush()

    def _text(self) -> str:
        seconds = f"{monotonic() - self._begin:.0f} s"
        if self._steps is None or self._steps[1] < 2:
            return f"analysing, {seconds}"
        done, total = self._steps
        filled = _WIDTH * done // total
        return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {done} of {total} units, {seconds}"


@contextmanager
def shown(*, quiet: bool) -> Iterator[None]:
    """Shows a bar while a command works, where stderr is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    progress = Progress(sys.stderr)
    click.get_current_context().meta[_META] = progress
    try:
        yield
    finally:
        progress.stop()


def current() -> Progress | None:
    """The bar of the command that runs; None where none is shown."""
    context = click.get_current_context(silent=True)
    found = context.meta.get(_META) if context is not None else None
    return found if isinstance(found, Progress) else None
