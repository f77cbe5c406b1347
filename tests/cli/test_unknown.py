"""A solver that gives up: every command says that the answer is not known, and none takes it for a proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8snetlint.analysis.smt import encoding

from .program import Ran, k8snetlint, write

POLICY = """\
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
"""
INTENTS = """\
schema: k8snetlint/intents/v1
intents:
  - name: only the shop reaches the cart
    from: {not: {namespace: shop}}
    to: {namespace: shop, workload: cart}
    expect: deny
    world: open
"""
GAVE_UP = "the solver gave up: max. resource limit exceeded"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of manifests whose proofs need the solver, which may do one unit of work."""
    write(tmp_path, {"shop/shop.yaml": POLICY, "intents.yaml": INTENTS})
    assert k8snetlint(tmp_path, "verify", "intents.yaml", "shop").code == 0
    assert k8snetlint(tmp_path, "verify", "--equivalent", "shop", "shop").code == 0
    monkeypatch.setattr(encoding, "RESOURCE_LIMIT", 1)
    return tmp_path


def _unknown(ran: Ran) -> None:
    assert ran.code == 1
    (found,) = json.loads(ran.out)["intents"]
    assert (found["verdict"], found["reason"], found["witness"], found["deciding"]) == ("unknown", GAVE_UP, None, [])


def test_intents(shop: Path) -> None:
    _unknown(k8snetlint(shop, "verify", "intents.yaml", "shop", "-f", "json"))
    text = k8snetlint(shop, "verify", "intents.yaml", "shop").out
    assert text.startswith(f"unknown: only the shop reaches the cart (intents.yaml:3)\n  {GAVE_UP}\n0 proved, ")


@pytest.mark.parametrize("question", ["--equivalent", "--implies", "--permits"])
def test_comparisons(shop: Path, question: str) -> None:
    _unknown(k8snetlint(shop, "verify", question, "shop", "shop", "-f", "json"))
    junit = k8snetlint(shop, "verify", question, "shop", "shop", "-f", "junit").out
    assert 'failures="0" errors="1"' in junit


def test_reach_of_any_pod(shop: Path) -> None:
    ran = k8snetlint(shop, "reach", "any", "shop/cart", "shop", "--port", "80", "-f", "json")
    assert (ran.code, json.loads(ran.out)["verdict"]) == (1, "unknown")


def test_intents_of_the_configuration(shop: Path) -> None:
    write(shop, {".k8snetlint.yaml": "intents: [intents.yaml]\n"})
    ran = k8snetlint(shop, "check", "shop", "--select", "NP051", "-f", "json")
    (found,) = json.loads(ran.out)["diagnostics"]
    assert (ran.code, found["severity"]) == (1, "warning")
    assert found["message"] == f"intent `only the shop reaches the cart` is unknown: {GAVE_UP}"
