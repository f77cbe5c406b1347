"""A parser that fails at a separator speaks of the document before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8snetlint.cli import run


def test_template_text_before_a_separator_is_said_to_be_a_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n\n{{- if .Values.b }}\n---\nb: 1\n"
    )
    monkeypatch.chdir(tmp_path)
    run(["check", "--isolated", "--fail-on", "never", "-f", "concise"])
    out = capsys.readouterr().out
    assert "TOOL002" in out
    assert "K8S001" not in out
