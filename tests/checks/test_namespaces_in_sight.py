"""A namespace whose objects are all in sight stays decidable where a release makes others elsewhere."""

import json
from pathlib import Path

from tests.cli.program import BROKEN, k8snetlint, write

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: other, namespace: NAMESPACE}
spec: {chartRef: {kind: OCIRepository, name: other}}
---
"""


def severities(root: Path, namespace: str) -> list[tuple[str, str]]:
    cart = BROKEN["cart.yaml"].replace("name: cart\nspec", "name: cart\n  namespace: shop\nspec")
    write(root, {"all.yaml": RELEASE.replace("NAMESPACE", namespace) + cart})
    found = json.loads(k8snetlint(root, "check", "-f", "json", "--select", "SVC005").out)["diagnostics"]
    return [(each["rule"], each["severity"]) for each in found]


def test_a_release_in_another_namespace_leaves_errors_as_they_are(tmp_path: Path) -> None:
    assert severities(tmp_path, "elsewhere") == [("SVC005", "error")]


def test_a_release_in_the_same_namespace_makes_them_less_sure(tmp_path: Path) -> None:
    assert severities(tmp_path, "shop") == [("SVC005", "warning")]
