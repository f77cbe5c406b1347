"""Measures `map` on generated clusters, beside network-config-analyzer where it is there.

It is taken from the environment variable NCA, or is `nca` on the path. Both write one row for each pair and address range.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import clusters

LIMIT_SECONDS = 300.0
ROOT = Path(__file__).resolve().parent.parent


class Size(NamedTuple):
    """A generated cluster: workloads, policies, whether the map is written as groups, and how many runs are made."""

    workloads: int
    policies: int
    is_grouped: bool
    runs: int

    @property
    def title(self) -> str:
        """The row's title."""
        form = "--groups" if self.is_grouped else "pair rows"
        return f"map of {self.workloads:,} workloads, {self.policies:,} policies, {form}"


SIZES = (
    Size(100, 24, False, 5),
    Size(300, 50, False, 3),
    Size(1_000, 120, False, 3),
    Size(3_000, 300, False, 1),
    Size(3_000, 300, True, 3),
    Size(10_000, 2_000, True, 1),
)


class Ran(NamedTuple):
    """One run: wall time, time on the processor and peak memory; `is_over` where it was ended at the limit."""

    seconds: float
    processor: float
    megabytes: float
    is_over: bool


def run(command: Sequence[str], folder: Path, limit: float = LIMIT_SECONDS) -> Ran:
    """Runs a command with its output thrown away. Raises RuntimeError if it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    is_over = False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if not is_over and time.perf_counter() - begun > limit:
            is_over = True
            process.kill()
        time.sleep(0.005)
    process.returncode = os.waitstatus_to_exitcode(status)
    if not is_over and process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return Ran(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, is_over)


def nca() -> str | None:
    """The program of network-config-analyzer, where it is there."""
    return shutil.which(os.environ.get("NCA") or "nca")


def commands(size: Size, folder: Path, peer: str | None) -> Mapping[str, Sequence[str]]:
    """What is run for a size: the peer only where it could end, since its time grows with the square."""
    form = ["--groups"] if size.is_grouped else []
    found: dict[str, Sequence[str]] = {
        "k8snetlint": [sys.executable, "-m", "k8snetlint", "map", str(folder), "--isolated", "-f", "json", *form]
    }
    if peer is not None and not size.is_grouped:
        written = folder.parent / f"nca-{size.workloads}.txt"
        rows = ["--output_format", "txt_no_fw_rules", "--file_out", str(written)]
        found["network-config-analyzer"] = [peer, "--connectivity", "--resource_list", str(folder), *rows]
    return found


def measure(work: Path) -> None:
    """Runs every size, the two programs in turn, and prints medians with the peer's ratio to ours."""
    peer = nca()
    if peer is None:
        print("\nnetwork-config-analyzer is not here: set NCA to its program, or put `nca` on the path")
    for size in SIZES:
        folder = work / f"cluster-{size.workloads}-{size.policies}"
        folder.mkdir(exist_ok=True)
        (folder / "cluster.yaml").write_text(clusters.cluster(size.workloads, size.policies), encoding="utf-8")
        results: dict[str, list[Ran]] = {}
        asked = commands(size, folder, peer)
        for _ in range(size.runs):
            for name, command in asked.items():
                if not any(ran.is_over for ran in results.get(name, ())):
                    results.setdefault(name, []).append(run(command, ROOT))
        _print(size, results)


def _print(size: Size, results: Mapping[str, list[Ran]]) -> None:
    print(f"\n{size.title}")
    base = statistics.median(ran.processor for ran in results["k8snetlint"])
    for name, runs in results.items():
        seconds, processor = (statistics.median(ran[index] for ran in runs) for index in (0, 1))
        memory = max(ran.megabytes for ran in runs)
        over = "over " if any(ran.is_over for ran in runs) else ""
        figures = f"{over}{seconds:9.2f} s   {processor:9.2f} s of processor   {memory:6.0f} MB"
        print(f"  {name:24} {figures}   {processor / base:6.1f} x", flush=True)
