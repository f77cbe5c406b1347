"""`verify` on the command line: the truth table as intents, verdicts, formats, mistakes, comparisons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.truth import cases

from .program import k8snetlint, write
from .test_map import SHOP


def _side(text: str) -> dict[str, Any]:
    namespace, slash, name = text.partition("/")
    return {"namespace": namespace, "pod": name} if slash else {"cidr": text}


def test_the_truth_table(tmp_path: Path) -> None:
    wrong: list[str] = []
    asked = 0
    for case in cases("k8s"):
        intents = []
        for probe in case["probes"]:
            ends = {"from": _side(str(probe["src"])), "to": _side(str(probe["dst"]))}
            ports = [f"{probe['port']}/{probe['protocol']}"]
            for expect in ("allow", "deny"):
                name = f"{case['id']} {probe['src']} -> {probe['dst']} {ports[0]} {expect}"
                intents.append({"name": name, **ends, "ports": ports, "expect": expect})
        write(
            tmp_path,
            {
                "m/all.yaml": case["manifests"],
                "i.json": json.dumps({"schema": "k8snetlint/intents/v1", "intents": intents}),
            },
        )
        ran = k8snetlint(tmp_path, "verify", "i.json", "m", "--one-unit", "--isolated", "-f", "json")
        assert ran.code == 1, (case["id"], ran.err)
        verdicts = {each["name"]: each["verdict"] for each in json.loads(ran.out)["intents"]}
        for probe, allow, deny in zip(case["probes"], list(verdicts)[::2], list(verdicts)[1::2], strict=True):
            asked += 1
            expected = ("holds", "refuted") if probe["allowed"] else ("refuted", "holds")
            if (verdicts[allow], verdicts[deny]) != expected:
                wrong.append(f"{allow}: {verdicts[allow]}, {verdicts[deny]} where {expected} is right")
    print(f"{asked} probes")
    assert wrong == []


INTENTS = """\
schema: k8snetlint/intents/v1
intents:
  - name: pods of all namespaces reach the cart
    from: {any: true}
    to: {namespace: shop, workload: cart}
    ports: [7070/TCP]
    expect: allow
  - name: only the shop reaches the cart
    from: {not: {namespace: shop}}
    to: {namespace: shop, workload: cart}
    ports: [7070]
    expect: deny
    world: open
  - name: nothing leaves
    from: {namespace: shop}
    to: {external: true}
    expect: deny
  - name: nobody
    from: {namespace: shop, workload: nobody}
    to: [{service: shop/cart}]
    expect: allow
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write(tmp_path, {"shop/shop.yaml": SHOP, "intents.yaml": INTENTS})
    return tmp_path


def test_text(shop: Path) -> None:
    assert k8snetlint(shop, "verify", "intents.yaml", "shop") == (
        1,
        """\
holds: pods of all namespaces reach the cart (intents.yaml:3)
refuted: only the shop reaches the cart (intents.yaml:8)
  for example a pod of namespace of-any-source with no labels -> shop/cart[Deployment] TCP 7070 is allowed
  ingress allow: shop/shop.yaml:27
refuted: nothing leaves (intents.yaml:14)
  for example shop/web[Deployment] -> 10.0.0.0 TCP 443 is allowed
  egress allow: shop/shop.yaml:28
unknown: nobody (intents.yaml:18)
  `from` selects nothing
1 proved, 2 refuted, 1 unknown
""",
        "",
    )


def test_the_json_contract(shop: Path) -> None:
    found = json.loads(k8snetlint(shop, "verify", "intents.yaml", "shop", "-f", "json").out)
    assert found["schema"] == "k8snetlint/verification/v1"
    assert found["unit"] == "shop"
    holds, opened, leaves, nobody = found["intents"]
    assert (holds["verdict"], holds["witness"], holds["reason"]) == ("holds", None, None)
    assert opened["witness"] == {
        "source": {
            "namespace": "of-any-source",
            "namespaceLabels": {"kubernetes.io/metadata.name": "of-any-source"},
            "podLabels": {},
            "address": None,
        },
        "destination": {"workload": "shop/cart[Deployment]"},
        "protocol": "TCP",
        "port": 7070,
    }
    assert leaves["witness"]["destination"] == {
        "namespace": None,
        "namespaceLabels": None,
        "podLabels": None,
        "address": "10.0.0.0",
    }
    assert [each["stage"] for each in leaves["deciding"]] == ["egress"]
    assert (nobody["verdict"], nobody["reason"]) == ("unknown", "`from` selects nothing")


def test_sarif_and_junit_place_what_is_not_proved(shop: Path) -> None:
    (run,) = json.loads(k8snetlint(shop, "verify", "intents.yaml", "shop", "-f", "sarif").out)["runs"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 8
    junit = k8snetlint(shop, "verify", "intents.yaml", "shop", "-f", "junit").out
    assert '<testsuite name="intents" tests="4" failures="2" errors="1" skipped="0">' in junit


def test_intents_of_the_configuration(shop: Path) -> None:
    write(shop, {".k8snetlint.yaml": "intents: [intents.yaml]\n"})
    assert k8snetlint(shop, "verify", "shop").out.endswith("1 proved, 2 refuted, 1 unknown\n")
    ran = k8snetlint(shop, "verify", "shop", "--isolated")
    assert ran.code == 2
    assert "no intents: give a file" in ran.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("expect: deny", "expects: deny", "i.yaml:12:5: unknown key `expects` in an intent; did you mean `expect`?"),
        ("expect: allow", "expect: alow", "i.yaml:7:13: `expect` is `alow`; did you mean `allow`?"),
        ("7070/TCP", "7070/ICMP", "i.yaml:6:13: `7070/ICMP` is no port; write 5432/TCP, 8000-8100/TCP or TCP"),
        ("external: true", "cidr: 10.0.0.0/40", "`10.0.0.0/40` is no address, CIDR or range"),
        ("from: {any: true}", "from: {service: shop/cart}", "`service` is no source"),
        ("from: {any: true}", "from: {}", "a side that names nothing"),
    ],
)
def test_mistakes_have_positions_and_exit_2(shop: Path, old: str, new: str, message: str) -> None:
    write(shop, {"i.yaml": INTENTS.replace(old, new)})
    ran = k8snetlint(shop, "verify", "i.yaml", "shop")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_comparisons(shop: Path) -> None:
    narrower = SHOP.replace("{port: 7070}, ", "")
    write(shop, {"new/shop.yaml": narrower})
    assert k8snetlint(shop, "verify", "--equivalent", "shop", "shop").code == 0
    ran = k8snetlint(shop, "verify", "--equivalent", "shop", "new", "-f", "json")
    assert ran.code == 1
    (found,) = json.loads(ran.out)["intents"]
    assert found["name"] == "equivalent"
    assert (found["verdict"], found["witness"]["protocol"], found["witness"]["port"]) == ("refuted", "TCP", 7070)
    assert k8snetlint(shop, "verify", "--equivalent", "shop", "new", "--world", "closed").code == 1
    assert k8snetlint(shop, "verify", "--implies", "new", "shop", "--world", "open").code == 0
    assert k8snetlint(shop, "verify", "--implies", "shop", "new", "--world", "open").code == 1
    assert k8snetlint(shop, "verify", "intents.yaml", "--implies", "shop", "new").code == 2
    assert k8snetlint(shop, "verify", "--permits", "shop", "new", "--implies", "shop", "new").code == 2


@pytest.mark.parametrize("world", ["open", "closed"])
def test_a_specification_is_permitted_or_forbidden(shop: Path, world: str) -> None:
    narrower = SHOP.replace("{port: 7070}, ", "")
    write(shop, {"new/shop.yaml": narrower})

    def ran(question: str, *both: str) -> tuple[int, str]:
        found = k8snetlint(shop, "verify", question, *both, "--world", world, "-f", "json")
        (intent,) = json.loads(found.out)["intents"]
        return found.code, intent["name"]

    assert ran("--permits", "new", "shop") == (0, "permits")
    assert ran("--permits", "shop", "new") == (1, "permits")
    assert ran("--forbids", "new", "shop") == (1, "forbids")


def test_check_reports_intents_of_the_configuration_that_do_not_hold(shop: Path) -> None:
    write(shop, {".k8snetlint.yaml": "intents: [intents.yaml]\n"})
    ran = k8snetlint(shop, "check", "shop", "--select", "NP051", "-f", "json")
    assert ran.code == 1
    found = json.loads(ran.out)["diagnostics"]
    assert [(each["severity"], each["location"]["line"], each["message"]) for each in found] == [
        (
            "error",
            8,
            "intent `only the shop reaches the cart` is refuted: for example a pod of namespace of-any-source with "
            "no labels -> shop/cart[Deployment] TCP 7070 is allowed",
        ),
        (
            "error",
            14,
            "intent `nothing leaves` is refuted: for example shop/web[Deployment] -> 10.0.0.0 TCP 443 is allowed",
        ),
        ("warning", 18, "intent `nobody` is unknown: `from` selects nothing"),
    ]
    assert found[0]["related"][0]["location"]["line"] == 27
