"""Output formats, one module each: `render(report, context)` is the text of one."""

from __future__ import annotations

import importlib

from k8snetlint.diagnostic import Report

from .context import RenderContext

# The formats of `check`, and the modules that write them.
REPORT_FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown")


def render(name: str, report: Report, context: RenderContext) -> str:
    """A report in a format of REPORT_FORMATS. Only that format's module is imported."""
    module = importlib.import_module(f".{name}", __name__)
    text: str = module.render(report, context)
    return text
