"""The golden outputs: what each format makes of `fixtures/golden/input`. Run as a module, it writes them anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from k8snetlint import __version__
from k8snetlint.formatters import REPORT_FORMATS
from tests.cli.program import k8snetlint

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"


def output(name: str, work: Path) -> str:
    """What a format makes of the input, copied to a directory; the version is replaced by a word."""
    copied = work / "input"
    if not copied.exists():
        shutil.copytree(GOLDEN / "input", copied)
    arguments = ("check", "--select", "SVC005,SVC009,K8S001,TOOL", "--isolated", "-f", name)
    return k8snetlint(copied, *arguments).out.replace(f'"{__version__}"', '"VERSION"')


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        for format_name in REPORT_FORMATS:
            (GOLDEN / f"{format_name}.out").write_text(output(format_name, Path(directory)), encoding="utf-8")
