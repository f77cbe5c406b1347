"""For people at a terminal: each diagnostic with the lines it is about."""

from __future__ import annotations

from k8snetlint.diagnostic import Diagnostic, Incompleteness, Report

from .context import RenderContext, active, byte_count, plural, summary_line
from .escape import terminal
from .frame import frame, gutter_width
from .style import Style

_SHOWN_REASONS = 5
_SHOWN_UNITS = 5
_NOT_ANALYSED = "TOOL002"


def render(report: Report, context: RenderContext) -> str:
    """The report as text, ending with a summary unless `quiet`.

    Many notes on what is not analysed would bury the rest: they are counted at the end.
    """
    shown = active(report)
    unseen = [diagnostic for diagnostic in shown if diagnostic.rule == _NOT_ANALYSED]
    hides = len(unseen) > _SHOWN_REASONS and not context.verbose and not context.quiet
    if hides:
        shown = tuple(diagnostic for diagnostic in shown if diagnostic.rule != _NOT_ANALYSED)
    parts = [_diagnostic(diagnostic, context) for diagnostic in shown]
    if context.verbose:
        parts += [
            _diagnostic(diagnostic, context) for diagnostic in report.diagnostics if diagnostic.suppressed is not None
        ]
    if not context.quiet:
        tail = [
            *_incomplete(report, context, len(unseen) if hides else 0),
            *(_statistics(report, context) if context.statistics else ()),
        ]
        if report.rendered_by:
            tail.append(f"rendered by {terminal(', '.join(report.rendered_by))}")
        parts.append("\n".join([*tail, summary_line(report)]))
    return "\n\n".join(parts) + "\n" if parts else ""


def _diagnostic(diagnostic: Diagnostic, context: RenderContext) -> str:
    style = Style(context.colour, diagnostic.severity)
    gutter = gutter_width([diagnostic.primary, *diagnostic.related])
    head = style.primary(f"{diagnostic.severity.label}[{diagnostic.rule}]")
    if diagnostic.suppressed is not None:
        head += f" (suppressed: {diagnostic.suppressed.kind})"
    rows = [f"{head}{style.strong(': ' + terminal(diagnostic.message))}"]
    rows += frame(diagnostic.primary, diagnostic.related, gutter, context.width, style)
    notes = [("note", note) for note in diagnostic.notes]
    if diagnostic.help is not None:
        notes.append(("help", diagnostic.help))
    if len(diagnostic.units) > 1:
        notes.append(("units", _names(diagnostic.units, context)))
    elif diagnostic.units and _lies_elsewhere(diagnostic):
        notes.append(("unit", diagnostic.units[0]))
    notes.append(("why", f"k8snetlint explain {diagnostic.rule}"))
    indent = " " * gutter
    rows += (f"{indent} {style.dim('=')} {style.strong(word)}: {terminal(text)}" for word, text in notes)
    return "\n".join(rows)


def _lies_elsewhere(diagnostic: Diagnostic) -> bool:
    """Whether the line is part of a unit that it does not lie below, as a base is of an overlay."""
    folder = diagnostic.units[0].partition(":")[0]
    path = diagnostic.primary.place.source.path
    return folder not in (".", "-", "all") and path != folder and not path.startswith(f"{folder}/")


def _names(units: tuple[str, ...], context: RenderContext) -> str:
    shown = units if context.verbose else units[:_SHOWN_UNITS]
    more = len(units) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _incomplete(report: Report, context: RenderContext, unseen: int) -> list[str]:
    reasons = list(dict.fromkeys(_reason(reason) for reason in report.incomplete_because))
    if not reasons:
        return []
    shown = reasons if context.verbose else reasons[:_SHOWN_REASONS]
    rows = ["not everything was analysed:", *(f"  {reason}" for reason in shown)]
    if len(shown) < len(reasons):
        rows.append(f"  and {len(reasons) - len(shown):,} more (--verbose lists them)")
    if unseen:
        rows.append(
            f"  {unseen:,} notes [{_NOT_ANALYSED}] on it are not shown (--verbose shows them; "
            "`k8snetlint units` says what each unit lacks)"
        )
    return rows


def _reason(reason: Incompleteness) -> str:
    if reason.place is None:
        return terminal(reason.message)
    source, span = reason.place
    position = source.position(span.start)
    return f"{terminal(source.path)}:{position.line}: {terminal(reason.message)}"


def _statistics(report: Report, context: RenderContext) -> list[str]:
    counts: dict[str, int] = {}
    for diagnostic in active(report):
        counts[diagnostic.rule] = counts.get(diagnostic.rule, 0) + 1
    rows = [
        f"{count:>6} {rule} {context.rule_name(rule)}"
        for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    size = f"{plural(report.documents, 'document')}, {plural(report.resources, 'resource')}"
    rows.append(f"{plural(len(report.files), 'file')}, {size}, {byte_count(report):,} bytes")
    return rows
