"""Files that look like manifests and are none: templates, and what tests expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8snetlint.cli import run


@pytest.mark.parametrize("body", ["\n{{- if .Values.b }}", "spec: {clusterIP: 1}\nip: {PREFIX}.16", "b: @NAME@"])
def test_text_of_a_template_is_said_to_be_one(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{body}\n---\nb: 1\n")
    monkeypatch.chdir(tmp_path)
    run(["check", "--isolated", "--fail-on", "never", "-f", "concise"])
    out = capsys.readouterr().out
    assert "TOOL002" in out
    assert "K8S001" not in out


def test_what_a_test_expects_to_find_is_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    partial = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: NodePort}\n"
    (tmp_path / "02-assert.yaml").write_text(partial)
    monkeypatch.chdir(tmp_path)
    assert run(["check", "--isolated", "--allow-empty", "-f", "concise"]) == 0
    assert "SVC017" not in capsys.readouterr().out
    (tmp_path / "02-install.yaml").write_text(partial)
    assert run(["check", "--isolated", "-f", "concise"]) == 1
    assert "02-install.yaml" in capsys.readouterr().out


def test_an_object_without_a_kind_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pod.yaml").write_text(
        "apiVersion: v1\nkindt: Pod\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: db}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run(["check", "--isolated", "--one-unit", "-f", "concise"]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "K8S014" in line)
    assert line == (
        "pod.yaml:1:1: error[K8S014] this object has an `apiVersion`, but no `kind`: it is rejected, and not analysed"
    )
