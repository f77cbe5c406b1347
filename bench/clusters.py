"""Generates clusters: namespaces, workloads and NetworkPolicies of a given size, the same for the same seed.

Run as `python bench/clusters.py --workloads 1000 --policies 120 > cluster.yaml`.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator

TIERS = ("frontend", "backend", "data", "cache", "queue", "batch")
TEAMS = ("red", "blue", "green", "amber", "violet")


def cluster(workloads: int, policies: int, namespaces: int = 0, labels: int = 0, seed: int = 1) -> str:
    """The manifests as one text.

    `namespaces` defaults to one for 40 workloads. `labels` is the number of different `app` values in a namespace,
    by default one per workload.
    """
    return "---\n".join(documents(workloads, policies, namespaces, labels, seed))


def documents(workloads: int, policies: int, namespaces: int, labels: int, seed: int) -> Iterator[str]:
    """The documents of a cluster, namespaces first."""
    dice = random.Random(seed)
    count = namespaces or max(1, workloads // 40)
    names = [f"ns-{index}" for index in range(count)]
    for index, name in enumerate(names):
        team = TEAMS[index % len(TEAMS)]
        written = f"{{team: {team}, env: e{index % 3}}}"
        yield f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels: {written}\n"
    apps: dict[str, list[str]] = {name: [] for name in names}
    for index in range(workloads):
        name = names[index % count]
        app = f"app-{index // count % labels if labels else index}"
        apps[name].append(app)
        yield _deployment(name, f"w-{index}", app, TIERS[index // count % len(TIERS)])
    for index in range(policies):
        name = names[index % count]
        yield _policy(dice, name, f"p-{index}", apps[name], index < count)


def _deployment(namespace: str, name: str, app: str, tier: str) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: {app}}}
  template:
    metadata:
      labels: {{app: {app}, tier: {tier}}}
    spec:
      containers:
        - name: main
          image: registry.example.com/{app}:1.0
          ports:
            - {{name: http, containerPort: 8080}}
            - {{name: metrics, containerPort: 9090}}
"""


def _policy(dice: random.Random, namespace: str, name: str, apps: list[str], is_default: bool) -> str:
    head = (
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
    )
    if is_default:
        return head + "spec:\n  podSelector: {}\n  policyTypes: [Ingress]\n"
    app = dice.choice(apps) if apps else "none"
    lines = [f"spec:\n  podSelector:\n    matchLabels: {{app: {app}}}\n  policyTypes: [Ingress, Egress]\n  ingress:\n"]
    for _ in range(dice.randint(1, 3)):
        lines.append(f"    - from:\n        - {_peer(dice, apps)}\n      ports:\n        - {_port(dice)}\n")
    lines.append("  egress:\n")
    for _ in range(dice.randint(1, 3)):
        lines.append(f"    - to:\n        - {_peer(dice, apps)}\n      ports:\n        - {_port(dice)}\n")
    lines.append("    - ports:\n        - {protocol: UDP, port: 53}\n")
    return head + "".join(lines)


def _peer(dice: random.Random, apps: list[str]) -> str:
    kind = dice.randrange(6)
    if kind < 2:
        return f"podSelector: {{matchLabels: {{app: {dice.choice(apps) if apps else 'none'}}}}}"
    if kind == 2:
        values = ", ".join(dice.sample(TIERS, 2))
        return f"podSelector: {{matchExpressions: [{{key: tier, operator: In, values: [{values}]}}]}}"
    if kind == 3:
        return f"namespaceSelector: {{matchLabels: {{team: {dice.choice(TEAMS)}}}}}"
    if kind == 4:
        namespaces = f"namespaceSelector: {{matchLabels: {{env: e{dice.randrange(3)}}}}}"
        return f"{{{namespaces}, podSelector: {{matchLabels: {{tier: {dice.choice(TIERS)}}}}}}}"
    block = dice.randrange(256)
    return f"ipBlock: {{cidr: 10.{block}.0.0/16, except: [10.{block}.{dice.randrange(256)}.0/24]}}"


def _port(dice: random.Random) -> str:
    kind = dice.randrange(5)
    if kind == 0:
        return "port: http"
    if kind == 1:
        return "{port: 8000, endPort: 8100}"
    return f"{{protocol: TCP, port: {dice.choice((80, 443, 5432, 6379, 8080, 9090))}}}"


def main() -> None:
    """Writes a cluster to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", type=int, default=100)
    parser.add_argument("--policies", type=int, default=24)
    parser.add_argument("--namespaces", type=int, default=0)
    parser.add_argument("--labels", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for index, text in enumerate(
        documents(options.workloads, options.policies, options.namespaces, options.labels, options.seed)
    ):
        sys.stdout.write(("---\n" if index else "") + text)


if __name__ == "__main__":
    main()
