"""Helm charts rendered in Python: nothing is installed, fetched or executed, and every value keeps its origin."""

from .files import folder_files
from .parser import ParsedTexts
from .render import RenderedChart, RenderedDocument, RenderProblem, render_chart

__all__ = ["ParsedTexts", "RenderProblem", "RenderedChart", "RenderedDocument", "folder_files", "render_chart"]
