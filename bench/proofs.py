"""Measures proofs on a generated cluster: questions about any pod that could exist, and `check` with its solver rules.

Run as `python -m bench.proofs [--workloads 1000] [--policies 300] [--questions 200]`. Times are of the processor.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.clusters import TEAMS, TIERS, cluster
from k8snetlint.algebra.connections import ConnectionSet
from k8snetlint.analysis.verdict import Prover, Question, Side, World
from k8snetlint.model.build import build_cluster
from k8snetlint.policy.ir import (
    AnyPod,
    InNamespace,
    LabelOperator,
    LabelTest,
    NamespaceLabel,
    Not,
    PeerExpr,
    PodLabel,
    PolicySet,
    all_of,
)
from k8snetlint.policy.lowering import lower
from k8snetlint.settings import Settings
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile

PORTS = (53, 80, 443, 5432, 6379, 8080, 9090)


def sides(dice: random.Random, workloads: int) -> PeerExpr:
    """Pods as people ask for them: of a namespace, a team, a tier, an application, or any other than these."""
    namespace = InNamespace(f"ns-{dice.randrange(max(1, workloads // 40))}")
    team = NamespaceLabel(LabelTest("team", LabelOperator.IN, (dice.choice(TEAMS),)))
    tier = PodLabel(LabelTest("tier", LabelOperator.IN, tuple(sorted(dice.sample(TIERS, 2)))))
    application = PodLabel(LabelTest("app", LabelOperator.IN, (f"app-{dice.randrange(workloads)}",)))
    chosen = dice.choice((namespace, team, all_of(namespace, tier), all_of(namespace, application), AnyPod()))
    return all_of(AnyPod(), Not(chosen)) if dice.random() < 0.2 and chosen != AnyPod() else chosen


def questions(policies: PolicySet, count: int, workloads: int, seed: int) -> Iterator[tuple[Question, bool]]:
    """Questions about pods that anyone could create, between sides chosen by chance."""
    from k8snetlint.analysis.reference import matches

    dice = random.Random(seed)
    for _ in range(count):
        made = []
        for _ in range(2):
            asked = sides(dice, workloads)
            peers = tuple(peer for peer in policies.peers.pods if matches(asked, peer))
            made.append(Side(peers, imagined=asked))
        port = dice.choice(PORTS)
        yield Question(made[0], made[1], ConnectionSet.span("TCP", port, port)), dice.random() < 0.5


def ask(workloads: int, policies: int, count: int, seed: int) -> None:
    """Puts questions to one prover and prints how long the answers took."""
    text = cluster(workloads, policies)
    lowered = lower(build_cluster(parse(SourceFile("cluster.yaml", text)).documents, Settings()))
    asked = list(questions(lowered, count, workloads, seed))
    begun = time.process_time()
    prover = Prover(lowered, [question for question, _ in asked])
    prover.check_never_allows(asked[0][0], World.OPEN)
    print(f"setup and first answer: {time.process_time() - begun:.2f} s")
    times: list[float] = []
    verdicts: Counter[str] = Counter()
    for question, is_never in asked:
        begun = time.process_time()
        check = prover.check_never_allows if is_never else prover.check_always_allows
        verdicts[type(check(question, World.OPEN)).__name__] += 1
        times.append(time.process_time() - begun)
    times.sort()
    shown = {"median": len(times) // 2, "95 of 100": len(times) * 95 // 100 - 1, "slowest": len(times) - 1}
    print(f"{count} questions: " + ", ".join(f"{name} {times[at] * 1000:.1f} ms" for name, at in shown.items()))
    print("verdicts: " + ", ".join(f"{name} {number}" for name, number in sorted(verdicts.items())))


def check(workloads: int, policies: int, runs: int) -> None:
    """Runs `check` with all rules over the cluster and prints the processor time of each run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.yaml"
        path.write_text(cluster(workloads, policies), encoding="utf-8")
        times = []
        for _ in range(runs):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "k8snetlint", "check", str(path), "--select", "ALL", "-f", "json"]
            ran = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
            if ran.returncode not in (0, 1):
                raise RuntimeError(f"check ended with {ran.returncode}")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime - before.ru_utime)
        print(f"check --select ALL: {', '.join(f'{each:.2f}' for each in sorted(times))} s")


def main() -> None:
    """Measures both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--policies", type=int, default=300)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ask(options.workloads, options.policies, options.questions, options.seed)
    check(options.workloads, options.policies, options.runs)


if __name__ == "__main__":
    main()
