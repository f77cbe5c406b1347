"""`verify --equivalent` and `--implies` on directories, files and git revisions: verdicts, places, formats, exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from .program import Ran, k8snetlint, write

OLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: red}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress:
    - from:
        - podSelector: {matchLabels: {app: web}}
      ports: [{port: 7070}]
"""
GHOST = "        - podSelector: {matchLabels: {app: ghost}}\n"
NEW = OLD.replace("      ports", f"{GHOST}      ports")
FLOW = "a pod of namespace shop (team=red) with labels app=ghost -> shop/cart[Deployment]"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """OLD is committed as the folder `m` and tagged; in the working tree `m` is NEW."""
    write(tmp_path, {"m/shop.yaml": OLD})

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    git("tag", "v1")
    write(tmp_path, {"m/shop.yaml": NEW})
    return tmp_path


def verify(directory: Path, *arguments: str) -> Ran:
    return k8snetlint(directory, "verify", "--isolated", *arguments)


def test_the_open_world_sees_what_no_workload_shows(repository: Path) -> None:
    assert verify(repository, "--equivalent", "git:v1:m", "m") == (
        1,
        "refuted: equivalent: git:v1:m and m allow the same\n"
        f"  for example {FLOW} TCP 7070 is denied by git:v1:m and allowed by m\n"
        "  git:v1:m: ingress deny: m/shop.yaml:19\n"
        "  m: ingress allow: m/shop.yaml:21\n"
        "0 proved, 1 refuted, 0 unknown\n",
        "",
    )
    assert verify(repository, "--equivalent", "git:v1:m", "m", "--world", "closed").code == 0


def test_implication_has_a_direction(repository: Path) -> None:
    assert verify(repository, "--implies", "git:v1:m", "m") == (
        0,
        "holds: implies: m allows all that git:v1:m allows\n1 proved, 0 refuted, 0 unknown\n",
        "",
    )
    assert verify(repository, "--implies", "m", "git:v1:m").code == 1


def test_json_names_one_intent_and_places_both_sides(repository: Path) -> None:
    (repository / "below").mkdir()
    ran = verify(repository / "below", "--implies", "../m", "git:v1:m/shop.yaml", "-f", "json")
    assert ran.code == 1
    (found,) = json.loads(ran.out)["intents"]
    assert (found["name"], found["verdict"], found["reason"]) == ("implies", "refuted", None)
    assert found["witness"]["source"] == {
        "namespace": "shop",
        "namespaceLabels": {"kubernetes.io/metadata.name": "shop", "team": "red"},
        "podLabels": {"app": "ghost"},
        "address": None,
    }
    places = [
        (each["side"], each["action"], each["location"]["path"], each["location"]["line"]) for each in found["deciding"]
    ]
    assert places == [("../m", "allow", "../m/shop.yaml", 21), ("git:v1:m/shop.yaml", "deny", "../m/shop.yaml", 19)]


def test_sarif_and_junit(repository: Path) -> None:
    ran = verify(repository, "--equivalent", "git:v1:m", "m", "-f", "sarif")
    (result,) = json.loads(ran.out)["runs"][0]["results"]
    place: Any = result["locations"][0]["physicalLocation"]
    assert (ran.code, result["ruleId"], result["level"]) == (1, "NP051", "error")
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("m/shop.yaml", 21)
    assert result["message"]["text"].startswith("`equivalent` (git:v1:m and m allow the same) is refuted: for example ")
    ran = verify(repository, "--equivalent", "git:v1:m", "m", "-f", "junit")
    suite = ElementTree.fromstring(ran.out)
    assert (ran.code, suite.attrib["tests"], suite.attrib["failures"]) == (1, "1", "1")
    (case,) = suite.iter("testcase")
    assert (case.attrib["name"], [child.tag for child in case]) == ("equivalent", ["failure"])
    holds = verify(repository, "--equivalent", "m", "m", "-f", "sarif")
    assert (holds.code, json.loads(holds.out)["runs"][0]["results"]) == (0, [])


def test_a_workload_of_changed_labels_is_still_that_workload(tmp_path: Path) -> None:
    moved = OLD.replace("labels: {app: cart}}, spec", "labels: {app: basket}}, spec")
    write(tmp_path, {"old/shop.yaml": OLD, "new/shop.yaml": moved})
    for world in ("open", "closed"):
        ran = verify(tmp_path, "--equivalent", "old", "new", "--world", world)
        assert ran.code == 1
        assert "is denied by old and allowed by new\n  old: ingress deny: old/shop.yaml:19\n" in ran.out
        assert verify(tmp_path, "--implies", "old", "new", "--world", world).code == 0


def test_a_namespace_of_changed_labels_is_not_decided_for_all_pods(tmp_path: Path) -> None:
    by_team = OLD.replace("podSelector: {matchLabels: {app: web}}", "namespaceSelector: {matchLabels: {team: gone}}")
    other = by_team.replace("labels: {team: red}", "labels: {team: blue}")
    write(tmp_path, {"old/shop.yaml": by_team, "new/shop.yaml": other})
    ran = verify(tmp_path, "--equivalent", "old", "new")
    assert (ran.code, ran.out.splitlines()[:2]) == (
        1,
        [
            "unknown: equivalent: old and new allow the same",
            "  the labels of namespace shop differ between the two sides",
        ],
    )
    assert verify(tmp_path, "--equivalent", "old", "new", "--world", "closed").code == 0
    sarif = json.loads(verify(tmp_path, "--equivalent", "old", "new", "-f", "sarif").out)["runs"][0]["results"]
    assert [(each["level"], each["ruleId"]) for each in sarif] == [("warning", "NP051")]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--equivalent", "m", "nowhere"), 2, "`nowhere` does not exist"),
        (("--equivalent", "git:nowhere:m", "m"), 2, "git does not know `git:nowhere:m`"),
        (("--equivalent", "m"), 2, "'--equivalent' requires 2 arguments"),
        (("--equivalent", "m", "m", "m"), 2, "stand alone"),
        (("--equivalent", "m", "m", "--implies", "m", "m"), 2, "stand alone"),
        (("--equivalent", "m", "m", "--world", "round"), 2, "'round' is not one of"),
        (("--equivalent", "empty", "m"), 3, "no Kubernetes manifest was found"),
        (("--equivalent", "units", "m"), 2, "there are 2 units"),
    ],
)
def test_mistakes(repository: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    kustomization = "resources: [shop.yaml]\n"
    write(
        repository,
        {
            "empty/readme.txt": "nothing",
            "units/a/shop.yaml": OLD,
            "units/a/kustomization.yaml": kustomization,
            "units/b/shop.yaml": OLD,
            "units/b/kustomization.yaml": kustomization,
        },
    )
    ran = verify(repository, *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


def test_units_are_named_on_both_sides(repository: Path) -> None:
    kustomization = "resources: [shop.yaml]\n"
    for side, text in (("x", OLD), ("y", NEW)):
        for unit in ("a", "b"):
            write(repository, {f"{side}/{unit}/shop.yaml": text, f"{side}/{unit}/kustomization.yaml": kustomization})
    ran = verify(repository, "--implies", "y", "x", "--unit", "b", "-f", "json")
    found = json.loads(ran.out)
    assert (ran.code, found["unit"]) == (1, "b")
    assert [each["location"]["path"] for each in found["intents"][0]["deciding"]] == ["y/b/shop.yaml", "x/b/shop.yaml"]


def test_what_does_not_parse_is_said_and_changes_no_code(repository: Path) -> None:
    write(repository, {"m/broken.yaml": "a: ["})
    ran = verify(repository, "--implies", "git:v1:m", "m")
    assert ran.code == 0
    assert "not everything was analysed:\n  broken.yaml:1: `broken.yaml` cannot be parsed" in ran.out
    assert json.loads(verify(repository, "--implies", "git:v1:m", "m", "-f", "json").out)["complete"] is False


def test_what_a_specification_permits_and_forbids(repository: Path) -> None:
    assert verify(repository, "--permits", "git:v1:m", "m")[:2] == (
        0,
        "holds: permits: m allows all that a rule of git:v1:m allows\n1 proved, 0 refuted, 0 unknown\n",
    )
    ran = verify(repository, "--permits", "m", "git:v1:m")
    assert ran.code == 1
    assert ran.out.startswith(
        "refuted: permits: git:v1:m allows all that a rule of m allows\n"
        f"  for example {FLOW} TCP 7070 is allowed by m and denied by git:v1:m\n"
    )
    ran = verify(repository, "--forbids", "git:v1:m", "m", "--world", "closed")
    assert ran.code == 1
    assert "TCP 7070 is allowed by git:v1:m and allowed by m\n" in ran.out
