"""`suggest --repair` on the command line: the diff, the formats, exit codes, and what is not edited."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.shared import REPOSITORY

from .program import k8snetlint, write

INTENTS = """\
schema: k8snetlint/intents/v1
intents:
  - name: the cart reaches its store
    from: {namespace: shop, workload: cart}
    to: {namespace: shop, workload: redis-cart}
    ports: [6379]
    expect: allow
  - name: the shop front does not
    from: {namespace: shop, workload: web}
    to: {namespace: shop, workload: redis-cart}
    expect: deny
"""
SAID = """\
# 2 intents hold with 2 single changes, and with none fewer.
# - NetworkPolicy shop/redis-cart: add pods with app=cart to spec.ingress[0]
# - NetworkPolicy shop/redis-cart: remove spec.ingress[0].from[0]
# - shop/cart[Deployment] -> shop/redis-cart[StatefulSet]: opens TCP 6379
# - shop/web[Deployment] -> shop/redis-cart[StatefulSet]: shuts TCP 6379
"""
DIFF = """\
--- a/demo/policies.yaml
+++ b/demo/policies.yaml
@@ -73,6 +73,6 @@
     - from:
         - podSelector:
             matchLabels:
-              app: web
+              app: cart
       ports:
         - port: 6379
"""


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "fixtures" / "demo", tmp_path / "demo")
    write(tmp_path, {"intents.yaml": INTENTS})
    return tmp_path


def test_the_diff(demo: Path) -> None:
    before = (demo / "demo" / "policies.yaml").read_text("utf-8")
    assert k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo") == (0, SAID + DIFF, "")
    assert (demo / "demo" / "policies.yaml").read_text("utf-8") == before
    assert k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-q").out == SAID.partition("# -")[0] + DIFF


def test_what_the_diff_comes_to_is_proved(demo: Path) -> None:
    found = json.loads(k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-f", "json").out)
    (edit,) = found["edits"]
    assert edit["location"]["path"] == "demo/policies.yaml"
    path = demo / "demo" / "policies.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    line = lines[edit["location"]["line"] - 1]
    start, end = edit["location"]["column"] - 1, edit["location"]["endColumn"] - 1
    lines[edit["location"]["line"] - 1] = line[:start] + edit["text"] + line[end:]
    path.write_text("".join(lines), "utf-8")
    assert k8snetlint(demo, "verify", "intents.yaml", "demo").code == 0
    assert k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo") == (
        0,
        "# 2 intents hold: there is nothing to change.\n",
        "",
    )


def test_json(demo: Path) -> None:
    found = json.loads(k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-f", "json").out)
    assert [each["message"] for each in found["notices"]] == [
        line.removeprefix("# - ") for line in SAID.splitlines()[1:]
    ]
    (policy,) = found["policies"]
    assert policy["manifest"]["spec"]["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": {"app": "cart"}}}], "ports": [{"port": 6379}]}
    ]
    assert [(each["text"], each["location"]["line"]) for each in policy["because"]] == [
        ("the cart reaches its store", 3),
        ("the shop front does not", 8),
    ]


def test_markdown(demo: Path) -> None:
    out = k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-f", "markdown").out
    assert out.startswith(
        "### 2 intents hold with 2 single changes, and with none fewer.\n\n- NetworkPolicy shop/redis-cart: "
    )
    assert out.endswith(f"\n```diff\n{DIFF}```\n")


def test_a_policy_is_added_beside_the_others(demo: Path) -> None:
    intents = (
        INTENTS.partition("  - name: the shop")[0].replace("allow", "deny").replace("ports: [6379]\n", "world: open\n")
    )
    intents = intents.replace("from: {namespace: shop, workload: cart}", "from: {external: true}")
    intents = intents.replace("workload: redis-cart", "workload: web")
    write(demo, {"intents.yaml": intents, "demo/policies.yaml": "# none yet\n"})
    ran = k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-q")
    assert ran == (
        0,
        """\
# 1 intent holds with 2 single changes, and with none fewer.
--- a/demo/web.yaml
+++ b/demo/web.yaml
@@ -42,3 +42,15 @@
     - name: http
       port: 80
       targetPort: http
+---
+apiVersion: networking.k8s.io/v1
+kind: NetworkPolicy
+metadata:
+  name: web
+  namespace: shop
+spec:
+  podSelector:
+    matchLabels:
+      app: web
+  policyTypes:
+    - Ingress
""",
        "",
    )


def test_what_cannot_hold(demo: Path) -> None:
    again = INTENTS.replace("workload: web", "workload: cart")
    write(demo, {"intents.yaml": again})
    assert k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo") == (
        1,
        "# 2 intents cannot be made to hold.\n"
        "# - intents.yaml:3: no change that is known here makes these intents hold together: `the cart reaches its store`, `the shop front does not`\n",
        "",
    )
    found = json.loads(k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-f", "json").out)
    assert (found["policies"], found["edits"], found["notices"][0]["location"]["line"]) == ([], [], 3)
    write(demo, {"intents.yaml": INTENTS.replace("workload: web", "workload: nobody")})
    assert k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo") == (
        1,
        "# 2 intents cannot be made to hold.\n# - intent `the shop front does not` is unknown: `from` selects nothing\n",
        "",
    )


KUSTOMIZATION = """\
resources: [cart.yaml, redis.yaml, web.yaml, policies.yaml]
patches:
  - target: {kind: NetworkPolicy, name: redis-cart}
    patch: '[{op: add, path: PATH}]'
"""


def test_a_patch_of_something_else_is_no_hindrance(demo: Path) -> None:
    patch = KUSTOMIZATION.replace("PATH", "/metadata/labels, value: {by: patch}") + "namespace: shop\nnamePrefix: my-\n"
    write(demo, {"demo/kustomization.yaml": patch, "intents.yaml": INTENTS.replace("workload: ", "workload: my-")})
    ran = k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-q")
    assert ran == (0, SAID.partition("# -")[0] + DIFF, "")


def test_what_is_made_by_a_patch_is_not_edited(demo: Path) -> None:
    write(demo, {"demo/kustomization.yaml": KUSTOMIZATION.replace("PATH", "/spec/policyTypes, value: [Ingress]")})
    found = json.loads(k8snetlint(demo, "suggest", "--repair", "intents.yaml", "demo", "-f", "json").out)
    # The policy that would be changed at least cost is patched: others do what it cannot.
    assert [each["manifest"]["metadata"]["name"] for each in found["policies"]] == ["default-deny", "web-suggested"]
    assert all("shop/redis-cart: " not in each["message"] for each in found["notices"])


def test_wrong_usage(demo: Path) -> None:
    ran = k8snetlint(demo, "suggest", "--repair", "demo/web.yaml", "demo")
    assert (ran.code, ran.out) == (2, "")
    assert "`demo/web.yaml` is no file with `schema: k8snetlint/intents/v1`" in ran.err
    assert k8snetlint(demo, "suggest", "--repair", "intents.yaml", "nowhere").code == 2
