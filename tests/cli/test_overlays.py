"""Diagnostics of what overlays make: where to edit, through which overlay, and what is mended where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .program import DEPLOYMENT, SERVICE, k8snetlint, write

BASE = {
    "base/kustomization.yaml": "resources: [cart.yaml]\n",
    "base/cart.yaml": DEPLOYMENT + "---\n" + SERVICE,
}
SELECT = ("--select", "SVC005")


def reported(root: Path, *arguments: str) -> list[dict[str, Any]]:
    ran = k8snetlint(root, "check", "-f", "json", *SELECT, *arguments)
    found: list[dict[str, Any]] = json.loads(ran.out)["diagnostics"]
    return found


def place(diagnostic: dict[str, Any]) -> tuple[str, int, int]:
    location = diagnostic["location"]
    return location["path"], location["line"], location["column"]


def test_one_place_in_several_overlays_is_one_diagnostic(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            **BASE,
            "live/kustomization.yaml": "namePrefix: live-\nresources: [../base]\n",
            "test/kustomization.yaml": "namePrefix: test-\nresources: [../base]\n",
        },
    )
    (diagnostic,) = reported(tmp_path)
    assert place(diagnostic) == ("base/cart.yaml", 27, 19)
    assert diagnostic["units"] == ["live", "test"]
    assert diagnostic["resource"]["name"] == "live-cart"
    assert diagnostic["notes"] == []
    assert "   = units: live, test\n" in k8snetlint(tmp_path, "check", *SELECT).out


def test_a_note_names_the_only_overlay(tmp_path: Path) -> None:
    write(tmp_path, {**BASE, "live/kustomization.yaml": "resources: [../base]\n"})
    (diagnostic,) = reported(tmp_path)
    assert (place(diagnostic), diagnostic["units"]) == (("base/cart.yaml", 27, 19), ["live"])
    assert diagnostic["notes"] == ["it arises through `live`"]
    (diagnostic,) = reported(tmp_path, "base")
    assert (diagnostic["units"], diagnostic["notes"]) == (["base"], [])


PATCH = """\
- target: {kind: Service}
  patch: |
    apiVersion: v1
    kind: Service
    metadata: {name: cart}
    spec:
      ports:
        - port: 80
          targetPort: PORT
"""


def test_what_a_patch_sets_is_mended_in_the_patch(tmp_path: Path) -> None:
    patched = {
        **BASE,
        "base/cart.yaml": DEPLOYMENT + "---\n" + SERVICE.replace("htttp", "http"),
        "live/kustomization.yaml": "resources: [../base]\npatches:\n" + PATCH.replace("PORT", "htttp"),
    }
    write(tmp_path, patched)
    (diagnostic,) = reported(tmp_path)
    assert (place(diagnostic), diagnostic["notes"]) == (("live/kustomization.yaml", 11, 23), [])
    k8snetlint(tmp_path, "check", *SELECT, "--fix", "--unsafe-fixes")
    assert (tmp_path / "live/kustomization.yaml").read_text() == patched["live/kustomization.yaml"].replace(
        "htttp", "http"
    )
    assert (tmp_path / "base/cart.yaml").read_text() == patched["base/cart.yaml"]
    assert reported(tmp_path) == []


def test_what_is_not_written_as_it_stands_is_not_mended(tmp_path: Path) -> None:
    files = {
        **BASE,
        "base/cart.yaml": DEPLOYMENT + "---\n" + SERVICE.replace("htttp", "$(PORT)"),
        "live/kustomization.yaml": (
            "resources: [../base, name.yaml]\n"
            "configurations: [fields.yaml]\n"
            "vars:\n"
            "- {name: PORT, objref: {apiVersion: v1, kind: ConfigMap, name: name}, fieldref: {fieldpath: data.port}}\n"
        ),
        "live/fields.yaml": "varReference: [{kind: Service, path: spec/ports/targetPort}]\n",
        "live/name.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: name}\ndata: {port: htttp}\n",
    }
    write(tmp_path, files)
    (diagnostic,) = reported(tmp_path)
    assert place(diagnostic) == ("base/cart.yaml", 27, 19)
    assert diagnostic["fix"] is None
    assert [(each["location"]["path"], each["label"]) for each in diagnostic["related"]] == [
        ("base/cart.yaml", "selected here"),
        ("live/name.yaml", "patched here"),
        ("live/kustomization.yaml", "changed here"),
    ]
    k8snetlint(tmp_path, "check", *SELECT, "--fix", "--unsafe-fixes")
    assert {name: (tmp_path / name).read_text() for name in files} == files


def test_the_overlay_that_knows_more_decides_how_bad_it_is(tmp_path: Path) -> None:
    ghost = SERVICE.replace("app: cart", "app: carrt")
    write(
        tmp_path,
        {
            **BASE,
            "base/cart.yaml": DEPLOYMENT + "---\n" + ghost.replace("htttp", "http"),
            "a/kustomization.yaml": "resources: [../base, gone.yaml]\n",
            "b/kustomization.yaml": "resources: [../base]\n",
        },
    )
    ran = k8snetlint(tmp_path, "check", "-f", "json", "--select", "SVC002")
    (diagnostic,) = json.loads(ran.out)["diagnostics"]
    assert (diagnostic["severity"], diagnostic["units"]) == ("error", ["a", "b"])


def test_a_commit_of_a_base_is_told_what_arises_through_its_overlays(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            **BASE,
            "base/cart.yaml": DEPLOYMENT + "---\n" + SERVICE.replace("htttp", "http"),
            "live/kustomization.yaml": "resources: [../base]\npatches:\n" + PATCH.replace("PORT", "web"),
            "apart/kustomization.yaml": "resources: [x.yaml]\n",
            "apart/x.yaml": (DEPLOYMENT + "---\n" + SERVICE).replace("cart", "apart"),
        },
    )
    (diagnostic,) = reported(tmp_path, "--report-on-paths", "base/cart.yaml")
    assert (place(diagnostic), diagnostic["units"]) == (("live/kustomization.yaml", 11, 23), ["live"])
    assert [each["location"]["path"] for each in diagnostic["related"]] == ["base/cart.yaml"]
    assert [each["units"] for each in reported(tmp_path)] == [["apart"], ["live"]]
