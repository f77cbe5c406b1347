"""The bar of long work: on a terminal's stderr, gone before anything else is printed, and nowhere else."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from k8snetlint.cli import progress
from tests.shared import REPOSITORY

from .program import CLEAN, write

# A program whose bar shows at once and whose work ends when the bar has been seen.
SLOW = """\
import sys, time
from k8snetlint import engine
from k8snetlint.cli import progress, run
progress.DELAY = 0.0
before = engine.build_cluster
def slow(*arguments, **more):
    time.sleep(1.0)
    return before(*arguments, **more)
engine.build_cluster = slow
sys.exit(run(sys.argv[1:]))
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(directory: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and what the terminal at stderr is sent."""
    leader, follower = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    running = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=follower,
    )
    os.close(follower)
    seen: list[bytes] = []

    def read() -> None:
        while True:
            try:
                data = os.read(leader, 4096)
            except OSError:
                return
            if not data:
                return
            seen.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    out = running.communicate()[0]
    reader.join()
    os.close(leader)
    return running.returncode, out.decode(), b"".join(seen).decode()


def test_a_terminal_sees_how_far_the_work_is(tmp_path: Path) -> None:
    kustomization = "resources: [cart.yaml]\n"
    files = {f"{name}/{file}": text for name in "ab" for file, text in CLEAN.items()}
    files |= {f"{name}/kustomization.yaml": kustomization for name in "ab"}
    write(tmp_path, files)
    code, out, err = on_terminal(tmp_path, "check", "--isolated", "-f", "concise")
    assert (code, out) == (0, "no problems found in 4 files\n")
    assert f"\r[{'.' * 24}] 0 of 2 units, " in err
    assert f"\r[{'#' * 12}{'.' * 12}] 1 of 2 units, " in err
    assert err.endswith("\r\x1b[K")


@pytest.mark.parametrize("arguments", [("check", "-q"), ("check", "--isolated", "-f", "json", "-q")])
def test_quiet_work_shows_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    code, _, err = on_terminal(tmp_path, *arguments)
    assert (code, err) == (0, "")


def test_quick_work_shows_nothing() -> None:
    terminal = Terminal()
    bar = progress.Progress(terminal)
    bar.step(1, 2)
    bar.stop()
    bar.stop()
    assert terminal.getvalue() == ""
