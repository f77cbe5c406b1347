"""Measures k8snetlint as a whole process, as ratios against the bare interpreter and the peers found on the path.

Every row runs its commands in turn, several times, and prints medians: `python -m bench [NAME ...]`.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import manifests, maps

RUNS = 7
TOOL = [sys.executable, "-m", "k8snetlint"]
SHARED = Path(os.environ.get("K8SNETLINT_SHARED") or Path(__file__).resolve().parent.parent.parent / "shared")


def seconds(command: Sequence[str], folder: Path) -> float:
    """The wall time of one run of a command; its output is thrown away. Raises RuntimeError if it fails to run."""
    # An installed package has its byte code beside it: a checkout has to be let write it too.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    ran = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    taken = time.perf_counter() - begun
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} ended with {ran.returncode}: {ran.stderr[-300:].decode(errors='replace')}")
    return taken


def row(title: str, commands: dict[str, Sequence[str]], folder: Path, runs: int = RUNS) -> None:
    """Runs the commands in turn and prints the median of each, with its ratio to the last one."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            taken = seconds(command, folder)
            if number:  # the first round warms the caches
                times[name].append(taken)
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = list(medians.values())[-1]
    print(f"\n{title}")
    for name, median in medians.items():
        print(f"  {name:24} {median * 1000:9.1f} ms   {median / base:6.2f} x")


def peers(folder: str) -> dict[str, Sequence[str]]:
    """The peers that are on the path, as commands over a folder."""
    found: dict[str, Sequence[str]] = {}
    if shutil.which("kube-score"):
        files = sorted(str(path) for path in Path(folder).rglob("*.yaml")) if Path(folder).is_dir() else [folder]
        found["kube-score"] = ["kube-score", "score", *files]
    if shutil.which("kube-linter"):
        found["kube-linter"] = ["kube-linter", "lint", folder]
    if shutil.which("checkov"):
        where = "-d" if Path(folder).is_dir() else "-f"
        found["checkov"] = ["checkov", where, folder, "--framework", "kubernetes", "--compact", "--quiet"]
    return found


def charts(folder: Path) -> dict[str, tuple[str, dict[str, Sequence[str]], int]]:
    """The rows over real charts: one of them, and all of them in one call, beside `helm template` where it is there."""
    one = folder / "kubernetes-ingress-nginx"
    single: dict[str, Sequence[str]] = {"k8snetlint": [*TOOL, "check", str(one)]}
    every: dict[str, Sequence[str]] = {"k8snetlint": [*TOOL, "check", str(folder)]}
    if shutil.which("helm"):
        single["helm template"] = ["helm", "template", "bench", str(one)]
        every["helm template, each"] = ["sh", "-c", f'for chart in "{folder}"/*; do helm template bench "$chart"; done']
    count = sum(path.is_dir() for path in folder.iterdir())
    return {
        "chart": ("check the ingress-nginx chart", single, 7),
        "charts": (f"check {count} charts in one call", every, 3),
    }


def main(names: list[str]) -> None:
    """Runs the rows named, or all; `map` stands for those of `maps`."""
    bare = {"python -c pass": [sys.executable, "-c", "pass"]}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        count, size = manifests.write(work / "generated", 770)
        manifests.write(work / "small", 2)
        (work / "small.yaml").write_text("---\n".join(list(manifests.application(0))[:2]), encoding="utf-8")
        clean = work / "empty"
        clean.mkdir()
        rows: dict[str, tuple[str, dict[str, Sequence[str]], int]] = {
            "version": ("--version", {"k8snetlint": [*TOOL, "--version"], **bare}, 15),
            "help": ("--help", {"k8snetlint": [*TOOL, "--help"], **bare}, 15),
            "small": ("check one small file", {"k8snetlint": [*TOOL, "check", str(work / "small.yaml")], **bare}, 15),
            "generated": (
                f"check {count} generated documents, {size / 1000:.0f} kB",
                {"k8snetlint": [*TOOL, "check", str(work / "generated")], **peers(str(work / "generated"))},
                5,
            ),
        }
        kubeflow = SHARED / "corpus" / "rendered" / "kubeflow-manifests-example-FULL.yaml"
        if kubeflow.is_file():
            rows["kubeflow"] = (
                "check the rendered Kubeflow manifests, 580 documents, 610 kB",
                {"k8snetlint": [*TOOL, "check", str(kubeflow)], **peers(str(kubeflow))},
                5,
            )
        if (SHARED / "corpus" / "charts").is_dir():
            rows |= charts(SHARED / "corpus" / "charts")
        for name, (title, commands, runs) in rows.items():
            if not names or name in names:
                row(title, commands, Path(__file__).resolve().parent.parent, runs)
        if not names or "map" in names:
            maps.measure(work)


if __name__ == "__main__":
    main(sys.argv[1:])
