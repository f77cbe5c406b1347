"""Runs the program inside the test's process."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from k8snetlint.cli import run


class Ran(NamedTuple):
    """What a run of the program printed, and its exit code."""

    code: int
    out: str
    err: str


def k8snetlint(directory: Path, *arguments: str, stdin: bytes = b"") -> Ran:
    """Runs `k8snetlint` in a directory."""
    out, err = io.StringIO(), io.StringIO()
    before, old_stdin = os.getcwd(), sys.stdin
    os.chdir(directory)
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run(arguments)
    finally:
        os.chdir(before)
        sys.stdin = old_stdin
    return Ran(code, out.getvalue(), err.getvalue())


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes files below a directory."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
spec:
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
        - name: cart
          image: registry.example/cart:1
          ports:
            - name: http
              containerPort: 8080
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: cart
spec:
  selector: {app: cart}
  ports:
    - port: 80
      targetPort: htttp
"""
BROKEN = {"cart.yaml": DEPLOYMENT + "---\n" + SERVICE}
CLEAN = {"cart.yaml": DEPLOYMENT + "---\n" + SERVICE.replace("htttp", "http")}
