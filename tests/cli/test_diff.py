"""`diff` on the command line: directories and revisions, formats, exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .program import k8snetlint, write
from .test_map import SHOP

NEW = SHOP.replace("port: 7070}, {", "port: 7071}, {").replace("10.1.0.0/16", "10.2.0.0/16")
EXTRA = "apiVersion: v1\nkind: Pod\nmetadata: {name: lone}\nspec: {containers: []}\n"


@pytest.fixture
def both(tmp_path: Path) -> Path:
    write(tmp_path, {"old/shop.yaml": SHOP, "new/shop.yaml": NEW})
    return tmp_path


def test_the_json_contract(both: Path) -> None:
    ran = k8snetlint(both, "diff", "old", "new", "-f", "json")
    found = json.loads(ran.out)
    del found["version"]
    https = {"TCP": [[443, 443]]}
    before, after = {"TCP": [[7070, 7070]], "UDP": [[53, 53]]}, {"TCP": [[7071, 7071]], "UDP": [[53, 53]]}
    names = ("shop/cart[Deployment]", "shop/web[Deployment]")

    def change(source: str, destination: str, old: object, new: object, kind: str) -> dict[str, object]:
        return {"source": source, "destination": destination, "old": old, "new": new, "type": kind}

    changes = []
    for name, other in (names, names[::-1]):
        changes.append(change(name, "10.1.0.0-10.1.255.255", {}, https, "added"))
        changes.append(change(name, "10.2.0.0-10.2.255.255", https, {}, "removed"))
        changes.append(change(name, other, before, after, "changed"))
    changes.append(change("{ingress-controller}", names[0], {"TCP": [[7070, 7070]]}, {}, "removed"))
    assert found == {
        "schema": "k8snetlint/connectivity-diff/v1",
        "complete": True,
        "incomplete_because": [],
        "unit": ".",
        "workloads": {"added": [], "removed": []},
        "changes": changes,
    }
    assert ran.code == 1


def test_text_and_markdown(both: Path) -> None:
    write(both, {"new/pod.yaml": EXTRA})
    out = k8snetlint(both, "diff", "old", "new").out.splitlines()
    assert out[0] == "+ workload default/lone[Pod]"
    assert "~ shop/cart[Deployment]   -> shop/web[Deployment]     TCP 7070; UDP 53  =>  TCP 7071; UDP 53" in out
    assert out[-1] == "6 added, 3 removed, 2 changed"
    markdown = k8snetlint(both, "diff", "old", "new", "-f", "markdown").out.splitlines()
    assert markdown[0] == "### Network connections: 6 added, 3 removed, 2 changed"
    assert markdown[2] == "Workloads added: `default/lone[Pod]`"
    csv = k8snetlint(both, "diff", "old", "new", "-f", "csv").out.splitlines()
    assert csv[0] == "type,source,destination,old,new"
    dot = k8snetlint(both, "diff", "old", "new", "-f", "dot").out
    assert 'label="+ lone[Pod]"' in dot


def test_equal_sides_exit_0(both: Path) -> None:
    ran = k8snetlint(both, "diff", "old", "old")
    assert ran == (0, "no difference\n", "")


def test_revisions(both: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=n@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=both, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    write(both, {"old/shop.yaml": NEW})
    assert k8snetlint(both, "diff", "git:HEAD:old", "git:HEAD:new").code == 1
    assert k8snetlint(both, "diff", "git:HEAD:old", "old").code == 1
    assert k8snetlint(both, "diff", "git:HEAD:new", "old") == (0, "no difference\n", "")
    assert k8snetlint(both, "diff", "git:HEAD:new/shop.yaml", "old") == (0, "no difference\n", "")
    ran = k8snetlint(both, "diff", "git:nowhere:old", "old")
    assert ran.code == 2
    assert "git does not know `git:nowhere:old`" in ran.err


def test_wrong_usage(both: Path) -> None:
    assert k8snetlint(both, "diff", "old").code == 2
    assert k8snetlint(both, "diff", "old", "nowhere").code == 2
    (both / "empty").mkdir()
    assert k8snetlint(both, "diff", "old", "empty").code == 3
