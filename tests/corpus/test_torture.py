"""Encodings and YAML as they are found in real repositories, in small: what the API server would see is what is checked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.program import BROKEN, CLEAN, k8snetlint, write
from tests.shared import SHARED, needs_shared

TEXT = BROKEN["cart.yaml"]
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: example/a:1}]}\n"


def checked(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """The exit code, and the places and rules of errors and warnings and of what is not analysed."""
    ran = k8snetlint(folder, "check", "--isolated", "--allow-empty", "-f", "json", *arguments)
    report = json.loads(ran.out)
    return ran.code, [
        f"{each['location']['path']}:{each['location']['line']}:{each['location']['column']} {each['rule']}"
        for each in report["diagnostics"]
        if each["severity"] != "note" or each["rule"].startswith("TOOL")
    ]


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
        TEXT.rstrip("\n").encode(),
        b"---\n# nothing\n---\n" + TEXT.encode(),
    ],
    ids=["plain", "bom", "utf-16-le", "utf-16-be", "crlf", "crlf-utf-16", "no-final-newline", "empty-documents"],
)
def test_encodings_and_line_ends_change_nothing_but_lines(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, {"cart.yaml": data})
    shift = 3 if data.startswith(b"---") else 0
    assert checked(tmp_path) == (1, [f"cart.yaml:{27 + shift}:19 SVC005"])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.yaml", b""),
        ("a.yaml", b"# only this\n"),
        ("a.yaml", b"---\n---\n# and this\n...\n"),
        ("a.json", b'{\n\t"a": [\n\t\t1\n\t]\n}\n'),
        ("a.yaml", b"a: |\n  x\n  \tindented\n  ---\n  b: c: d\n"),
        ("a.yaml", b"a: \xc2\xa0b\n"),
    ],
    ids=["empty", "comment", "separators", "tabs-in-json", "block-scalar", "no-break-space"],
)
def test_what_is_no_manifest_is_no_mistake(tmp_path: Path, name: str, data: bytes) -> None:
    write(tmp_path, {name: data, **CLEAN})
    assert checked(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a:\n\tb: 1\n", "a.yaml:2:1 K8S001"),
        (b"\x00GITCRYPT\x00\x01\x02", "a.yaml:1:1 TOOL002"),
        (b"a: \xff\xfe\n", "a.yaml:1:4 TOOL002"),
        (b"a: 'b\n", "a.yaml:1:5 K8S001"),
        (POD.encode() + b"---\nb: c: d\n", "a.yaml:6:5 K8S001"),
        (POD.encode() + POD.encode(), "a.yaml:5:1 K8S002"),
    ],
    ids=["tab", "binary", "not-utf-8", "open-quote", "second-document", "no-separator"],
)
def test_what_cannot_be_read_is_said_where_it_is(tmp_path: Path, data: bytes, expected: str) -> None:
    write(tmp_path, {"a.yaml": data, **CLEAN})
    assert expected in checked(tmp_path)[1]


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {note: 'see {{ .Values.x }}', b: \"{% if %}\"}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  5432: x\n  a: |\n    ---\n    {{ x }}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  creationTimestamp: 2023-10-15T00:00:00Z\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\nspec: {containers: [{name: a, image: 'example/a:1'}]}\n",
        "x: &port 8080\ny: &port 8081\nz: *port\n",
        POD.replace("{name: a}", "\n  name: {{ .Values.a }}"),
    ],
    ids=["braces-in-strings", "number-keys", "timestamp", "generated-name", "anchor-twice", "unknown-name"],
)
def test_what_only_looks_odd_is_silent(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"a.yaml": text})
    assert checked(tmp_path)[1] == []


@pytest.mark.parametrize("value", ["", " null", " {self.path: null}", " []", " 5", " [{}]", " {matchLabels: }", " ~"])
@pytest.mark.parametrize(
    "line",
    ["metadata:%s", "metadata: {name: a, namespace:%s}", "spec:%s", "spec: {podSelector:%s, ingress:%s, egress:%s}"],
)
def test_a_value_of_another_kind_crashes_nothing(tmp_path: Path, line: str, value: str) -> None:
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    write(tmp_path, {"a.yaml": head + line.replace("%s", value) + "\n", **CLEAN})
    assert checked(tmp_path)[0] in (0, 1)
    assert k8snetlint(tmp_path, "map", "--isolated", "-f", "json").code == 0


def test_lists_hold_objects(tmp_path: Path) -> None:
    inner = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a"}}
    for _ in range(2):
        inner = {"apiVersion": "v1", "kind": "List", "items": [inner]}
    typed = "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: p}\n  spec: {containers: [{name: a, image: a/b:1}]}\n"
    write(tmp_path, {"list.json": json.dumps(inner), "typed.yaml": typed})
    report = json.loads(k8snetlint(tmp_path, "check", "--isolated", "-f", "json").out)
    assert report["statistics"]["resources"] == 2
    found = json.loads(k8snetlint(tmp_path, "map", "--isolated", "-f", "json").out)
    assert found["workloads"] == ["default/p[Pod]"]


def test_a_dump_counts_pods_and_their_controller_once(tmp_path: Path) -> None:
    def owned(by: str, name: str) -> str:
        return f"ownerReferences: [{{apiVersion: apps/v1, kind: {by}, name: {name}, controller: true, uid: u}}]"

    spec = "{containers: [{name: c, image: example/c:1, ports: [{name: http, containerPort: 80}]}]}"
    template = (
        f"spec: {{selector: {{matchLabels: {{app: c}}}}, template: {{metadata: {{labels: {{app: c}}}}, spec: {spec}}}}}"
    )
    labels = "labels: {app: c, pod-template-hash: 5d}"
    objects = [
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: c}}\n{template}\n",
        f"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{name: c-5d, {owned('Deployment', 'c')}}}\n{template}\n",
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: c-5d-x, {labels}, {owned('ReplicaSet', 'c-5d')}}}\nspec: {spec}\n"
        "status: {podIP: 10.0.0.7, phase: Running}\n",
    ]
    write(tmp_path, {"a.yaml": "---\n".join(objects)})
    found = json.loads(k8snetlint(tmp_path, "map", "--isolated", "-f", "json").out)
    assert found["workloads"] == ["default/c[Deployment]"]
    for name in ("default/c", "default/c-5d-x", "10.0.0.7"):
        ran = k8snetlint(tmp_path, "reach", "10.1.1.1", name, "--port", "80", "--isolated")
        assert (ran.code, ran.out.splitlines()[0]) == (0, f"allowed: 10.1.1.1 -> {name} on TCP 80")


def test_a_link_is_the_same_file_and_never_leads_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"root/cart.yaml": TEXT, "outside.yaml": TEXT.replace("cart", "other")})
    os.symlink("cart.yaml", root / "again.yaml")
    os.symlink("../outside.yaml", root / "out.yaml")
    os.symlink("nowhere.yaml", root / "dangling.yaml")
    os.symlink(".", root / "loop")
    places = [place for place in checked(root)[1] if "TOOL" not in place]
    assert places == ["cart.yaml:27:19 SVC005"]


def test_kinds_of_other_groups_are_others(tmp_path: Path) -> None:
    other = "apiVersion: %s\nkind: %s\nmetadata: {name: a}\nspec: {ports: x, podSelector: 1, rules: no}\n"
    kinds = [("example.org/v1", "Service"), ("internal.example.org/v1", "Ingress"), ("example.org/v1", "NetworkPolicy")]
    write(tmp_path, {"a.yaml": "---\n".join(other % pair for pair in kinds), **CLEAN})
    assert checked(tmp_path) == (0, [])


@needs_shared
def test_the_files_found_in_the_wild_are_read() -> None:
    folder = SHARED / "corpus" / "torture"
    ran = k8snetlint(folder, "check", "--isolated", "-f", "json", "--fail-on", "never")
    report = json.loads(ran.out)
    assert (ran.code, report["statistics"]) == (
        0,
        {"files": 8, "documents": 55, "resources": 55, "bytes": report["statistics"]["bytes"]},
    )
    assert [why["location"]["path"] for why in report["incomplete_because"]] == ["kubernetes-goat/tabs_ingress.yaml"]
