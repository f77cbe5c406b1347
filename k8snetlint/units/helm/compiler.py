"""Syntax trees to closures: the evaluation rules of Go's text/template."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from k8snetlint.source.text import Place, SourceFile, Span
from k8snetlint.source.tree import Node

from . import nodes
from .expressions import ExpressionCompiler, Locate, nil
from .parser import ParsedTexts, parse_template
from .provenance import Site
from .runtime import Expression, Frame, Library, Run, Statement
from .values import (
    NO_VALUE,
    Float,
    GoMap,
    Int,
    Int64,
    LimitReached,
    Piece,
    TemplateError,
    Text,
    Value,
    kind_of,
    text_of,
    truth,
)

# The origin of a part of the template's text that is printed as it stands.
Literal: TypeAlias = Callable[[int, int], tuple[Piece, ...]]


class _Break(Exception):  # noqa: N818 (never leaves the loop that it ends)
    pass


class _Continue(Exception):  # noqa: N818 (never leaves the loop that it continues)
    pass


class Compiled:
    """A template that can run. Its closures are made when it first does: charts define many that none uses."""

    __slots__ = ("_body", "_compiler", "name", "template")

    def __init__(self, template: nodes.Template, compiler: _Compiler) -> None:
        self.name = template.name
        self.template = template
        self._compiler = compiler
        self._body: Statement | None = None

    def frame(self, run: Run, templates: dict[str, Compiled], dot: Value) -> Frame:
        """A new frame in which it can be executed."""
        return Frame(run, templates, self.template.slots, dot)

    def execute(self, frame: Frame, dot: Value) -> None:
        """Runs it; what it prints is in the frame. Raises TemplateError."""
        body = self._body
        if body is None:
            self._compiler.range_slots = set()
            body = self._body = self._compiler.body(self.template.body)
        body(frame, dot)


def rendered(template: Compiled, run: Run, templates: dict[str, Compiled], dot: Value) -> Text:
    """What a template prints for a value, as `include` gives it. Raises TemplateError."""
    run.enter()
    try:
        frame = template.frame(run, templates, dot)
        template.execute(frame, dot)
        return frame.text()
    except RecursionError:
        raise LimitReached("templates and values are nested too deeply") from None
    finally:
        run.depth -= 1


def compile_source(name: str, source: SourceFile, functions: Library, parsed: ParsedTexts) -> dict[str, Compiled]:
    """The templates of a file by name, the file itself as `name`. Raises TemplateSyntaxError."""

    def locate(start: int, end: int) -> Place:
        return Place(source, Span(start, end))

    def literal(start: int, end: int) -> tuple[Piece, ...]:
        return (Piece(end - start, locate(start, end), ()),)

    compiler = _Compiler(functions, locate, literal)
    return {template.name: Compiled(template, compiler) for template in parsed.templates(name, source.text)}


def compile_text(name: str, text: str, functions: Library, mark: Place | None) -> dict[str, Compiled]:
    """The templates of a value that is a template, the value itself as `name`. Raises TemplateSyntaxError."""
    if not isinstance(text, Text):
        text = Text.of(text, (Piece(len(text), mark, ()),))
    traced = text

    def locate(start: int, end: int) -> Place | None:
        for _, place, origins in traced.slice(start, end).pieces:
            if origins:
                return origins[0].place
            if place is not None:
                return place
        return mark

    def literal(start: int, end: int) -> tuple[Piece, ...]:
        return traced.slice(start, end).pieces

    compiler = _Compiler(functions, locate, literal)
    return {template.name: Compiled(template, compiler) for template in parse_template(name, text)}


class _Compiler(ExpressionCompiler):
    """Makes the closures of one text's templates."""

    def __init__(self, functions: Library, locate: Locate, literal: Literal) -> None:
        super().__init__(functions, locate)
        self.literal = literal

    # Statements

    def body(self, statements: tuple[nodes.Statement, ...]) -> Statement:
        compiled = [(self._statement(statement), self._mark(statement)) for statement in statements]
        count = len(compiled) + 1

        def execute(frame: Frame, dot: Value) -> None:
            frame.run.spend(count)
            mark = None
            try:
                for statement, mark in compiled:  # noqa: B007 (the handler names the one that failed)
                    statement(frame, dot)
            except TemplateError as error:
                if error.place is None:
                    error.place = mark
                raise

        return execute

    def lazy_body(self, statements: tuple[nodes.Statement, ...]) -> Statement:
        """As `body`, made when it first runs: most branches of a chart never do."""
        slots = self.range_slots
        body: Statement | None = None

        def execute(frame: Frame, dot: Value) -> None:
            nonlocal body
            if body is None:
                others, self.range_slots = self.range_slots, slots
                body = self.body(statements)
                self.range_slots = others
            body(frame, dot)

        return execute

    def _mark(self, statement: nodes.Statement) -> Place | None:
        if isinstance(statement, nodes.If | nodes.With | nodes.Range):
            return self.locate(statement.pipeline.start, statement.pipeline.end)
        if isinstance(statement, nodes.Action | nodes.Invocation):
            return self.locate(statement.start, statement.end)
        return None

    def _statement(self, statement: nodes.Statement) -> Statement:
        if isinstance(statement, nodes.Text):
            return self._text(statement)
        if isinstance(statement, nodes.Action):
            return self._action(statement)
        if isinstance(statement, nodes.If):
            return self._if(statement)
        if isinstance(statement, nodes.With):
            return self._with(statement)
        if isinstance(statement, nodes.Range):
            return self._range(statement)
        if isinstance(statement, nodes.Invocation):
            return self._invocation(statement)
        return _break if isinstance(statement, nodes.Break) else _continue

    def _text(self, statement: nodes.Text) -> Statement:
        text = statement.text
        pieces = self.literal(statement.start, statement.end)
        if len(pieces) == 1:
            piece = pieces[0]

            def write(frame: Frame, dot: Value) -> None:
                frame.texts.append(text)
                frame.pieces.append(piece)

            return write

        def write_all(frame: Frame, dot: Value) -> None:
            frame.texts.append(text)
            frame.pieces.extend(pieces)

        return write_all

    def _action(self, statement: nodes.Action) -> Statement:
        pipeline = statement.pipeline
        evaluate = self.pipeline(pipeline)
        if pipeline.slots:

            def assign(frame: Frame, dot: Value) -> None:
                evaluate(frame, dot)

            return assign
        mark = self.locate(statement.start, statement.end)
        flag = self._flag(pipeline)

        def write(frame: Frame, dot: Value) -> None:
            value = evaluate(frame, dot)
            kind = type(value)
            if kind is Text:
                frame.texts.append(value)  # type: ignore[arg-type]  # a Text
                first = len(frame.pieces)
                frame.pieces.extend(
                    [piece if piece[1] is not None else Piece(piece[0], mark, piece[2]) for piece in value.pieces]  # type: ignore[attr-defined]
                )
                frame.sites.append(Site(first, len(frame.pieces), mark))
                return
            if kind is Float:
                origin: tuple[Node, ...] = (value.node,)  # type: ignore[attr-defined]  # a Float
            elif kind is Int64 or kind is Int:
                origin = value.nodes  # type: ignore[attr-defined]  # an Int
            elif (kind is bool or value is None) and flag is not None:
                origin = flag(frame, dot)
            else:
                origin = ()
            text = text_of(value, NO_VALUE)
            if text:
                frame.texts.append(text)
                frame.pieces.append(Piece(len(text), mark, origin))

        return write

    def _flag(self, pipeline: nodes.Pipeline) -> Callable[[Frame, Value], tuple[Node, ...]] | None:
        """For a pipeline that is one chain of names: the node of the boolean found there."""
        if len(pipeline.commands) != 1 or len(pipeline.commands[0].arguments) != 1:
            return None
        argument = pipeline.commands[0].arguments[0]
        if isinstance(argument, nodes.Pipeline):
            return self._flag(argument)
        if not isinstance(argument, nodes.Field | nodes.Variable | nodes.Chain) or not argument.names:
            return None
        *before, last = argument.names
        owner: Expression
        if isinstance(argument, nodes.Field):
            owner = self.expression(nodes.Field(tuple(before)) if before else nodes.Dot())
        elif isinstance(argument, nodes.Variable):
            owner = self.expression(nodes.Variable(argument.slot, tuple(before)))
        else:
            owner = self.expression(nodes.Chain(argument.base, tuple(before)) if before else argument.base)

        def flag(frame: Frame, dot: Value) -> tuple[Node, ...]:
            holder = owner(frame, dot)
            node = holder.flag(last) if isinstance(holder, GoMap) else None
            return () if node is None else (node,)

        return flag

    def _if(self, statement: nodes.If) -> Statement:
        evaluate = self.pipeline(statement.pipeline)
        body = self.lazy_body(statement.body)
        otherwise = self.lazy_body(statement.otherwise) if statement.otherwise else None

        def execute(frame: Frame, dot: Value) -> None:
            if truth(evaluate(frame, dot)):
                body(frame, dot)
            elif otherwise is not None:
                otherwise(frame, dot)

        return execute

    def _with(self, statement: nodes.With) -> Statement:
        evaluate = self.pipeline(statement.pipeline)
        body = self.lazy_body(statement.body)
        otherwise = self.lazy_body(statement.otherwise) if statement.otherwise else None

        def execute(frame: Frame, dot: Value) -> None:
            value = evaluate(frame, dot)
            if truth(value):
                body(frame, value)
            elif otherwise is not None:
                otherwise(frame, dot)

        return execute

    def _range(self, statement: nodes.Range) -> Statement:
        pipeline = statement.pipeline
        evaluate = self.pipeline(pipeline, assigns=False)
        if pipeline.declares:
            self.range_slots.update(pipeline.slots)
        body = self.lazy_body(statement.body)
        otherwise = self.lazy_body(statement.otherwise) if statement.otherwise else None
        mark = self.locate(pipeline.start, pipeline.end)
        key_slot, value_slot = None, None
        if len(pipeline.slots) == 2:
            key_slot, value_slot = pipeline.slots
        elif pipeline.slots:
            value_slot = pipeline.slots[0]

        def execute(frame: Frame, dot: Value) -> None:
            over = evaluate(frame, dot)
            if key_slot is not None and isinstance(over, int):
                raise TemplateError("a range over a number sets one variable", mark)
            items = _items(over, mark)
            variables = frame.variables
            done = False
            for key, item in items:
                done = True
                if value_slot is not None:
                    variables[value_slot] = item
                    if key_slot is not None:
                        variables[key_slot] = key
                try:
                    body(frame, item)
                except _Continue:
                    continue
                except _Break:
                    break
            if not done and otherwise is not None:
                otherwise(frame, dot)

        return execute

    def _invocation(self, statement: nodes.Invocation) -> Statement:
        name = statement.name
        evaluate = self.pipeline(statement.pipeline) if statement.pipeline is not None else nil
        mark = self.locate(statement.start, statement.end)

        def execute(frame: Frame, dot: Value) -> None:
            template = frame.templates.get(name)
            if template is None:
                raise TemplateError(f'there is no template "{name}"', mark)
            text = rendered(template, frame.run, frame.templates, evaluate(frame, dot))
            frame.texts.append(text)
            first = len(frame.pieces)
            frame.pieces.extend(text.pieces)
            frame.sites.append(Site(first, len(frame.pieces), mark))

        return execute


def _break(frame: Frame, dot: Value) -> None:
    raise _Break


def _continue(frame: Frame, dot: Value) -> None:
    raise _Continue


def _items(value: Value, mark: Place | None) -> list[tuple[Value, Value]]:
    """What a range goes through, as keys and values."""
    if isinstance(value, dict):
        return [(key, value[key]) for key in sorted(value)]
    if isinstance(value, list):
        return list(enumerate(value))
    if value is None:
        return []
    if isinstance(value, int) and not isinstance(value, bool):
        if value > 1_000_000:
            raise LimitReached(f"a range over {value:,} numbers", mark)
        return [(index, index) for index in range(value)]
    raise TemplateError(f"a range cannot go through a value of kind {kind_of(value)}", mark)
