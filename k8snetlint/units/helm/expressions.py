"""Expressions of templates to closures: operands, field chains, pipelines and calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from k8snetlint.source.text import Place

from . import nodes
from .arguments import checked_call, letter_of
from .objects import Selection
from .runtime import Caller, Expression, Frame, Library, Running
from .values import (
    GoMap,
    Method,
    MethodList,
    Struct,
    TemplateError,
    TextMap,
    Value,
    kind_of,
    plain_map,
    truth,
)

# The place of a part of the template's text: for values that are templates, the place of that part of the value.
Locate: TypeAlias = Callable[[int, int], Place | None]


class ExpressionCompiler:
    """Makes the closures of one text's expressions."""

    def __init__(self, functions: Library, locate: Locate) -> None:
        self.functions = functions
        self.locate = locate
        # The variables of the template being compiled that a range sets: a nil among them has no fields.
        self.range_slots: set[int] = set()

    def pipeline(self, pipeline: nodes.Pipeline, *, assigns: bool = True) -> Expression:
        """The value of a pipeline; it is stored in the pipeline's variable unless `assigns` is false."""
        value: Expression | None = None
        for command in pipeline.commands:
            value = self._command(command, value)
        assert value is not None
        if not pipeline.slots or not assigns:
            return value
        evaluate, slot = value, pipeline.slots[-1]

        def assign(frame: Frame, dot: Value) -> Value:
            result = frame.variables[slot] = evaluate(frame, dot)
            return result

        return assign

    def _command(self, command: nodes.Command, piped: Expression | None) -> Expression:
        head = command.arguments[0]
        rest = [self._argument(argument) for argument in command.arguments[1:]]
        absent = {index for index, argument in enumerate(command.arguments[1:]) if _may_be_absent(argument)}
        if piped is not None:
            absent.add(len(rest))
            rest.append(piped)
        if isinstance(head, nodes.Function):
            return self._call(head, rest, self.locate(command.start, command.end), absent)
        if not rest:
            if isinstance(head, nodes.Literal) and head.value is None:
                return _raises("nil is not a command", self.locate(command.start, command.end))
            return self.expression(head)
        return self._method_call(head, rest, self.locate(command.start, command.end))

    def _argument(self, argument: nodes.Expression) -> Expression:
        if isinstance(argument, nodes.Function):
            return self._call(argument, [], self.locate(argument.start, argument.end), set())
        return self.expression(argument)

    def expression(self, expression: nodes.Expression) -> Expression:
        """The value of one operand."""
        if isinstance(expression, nodes.Literal):
            constant = expression.value
            return lambda frame, dot: constant
        if isinstance(expression, nodes.Dot):
            return _dot
        if isinstance(expression, nodes.Pipeline):
            return self.pipeline(expression)
        if isinstance(expression, nodes.Function):
            return self._argument(expression)
        names = expression.names
        if isinstance(expression, nodes.Field):
            if len(names) == 1:
                (name,) = names
                return lambda frame, dot: _dot_field(frame, dot, name)
            return lambda frame, dot: _dot_fields(frame, dot, names)
        if isinstance(expression, nodes.Variable):
            slot = expression.slot
            if not names:
                return lambda frame, dot: frame.variables[slot]
            if slot in self.range_slots:
                return lambda frame, dot: _fields(frame.variables[slot], names)
            return lambda frame, dot: _fields_if_set(frame.variables[slot], names)
        base = self._argument(expression.base)
        return lambda frame, dot: _fields_if_set(base(frame, dot), names)

    def _method_call(self, head: nodes.Expression, arguments: list[Expression], mark: Place | None) -> Expression:
        if not isinstance(head, nodes.Field | nodes.Variable | nodes.Chain) or not head.names:
            return _raises("arguments are given to something that is no function", mark)
        *before, last = head.names
        owner: Expression
        if isinstance(head, nodes.Field):
            owner = self.expression(nodes.Field(tuple(before)) if before else nodes.Dot())
        elif isinstance(head, nodes.Variable):
            owner = self.expression(nodes.Variable(head.slot, tuple(before)))
        else:
            owner = self.expression(nodes.Chain(head.base, tuple(before)) if before else head.base)

        def call(frame: Frame, dot: Value) -> Value:
            holder = owner(frame, dot)
            method = holder.fields.get(last) if isinstance(holder, Struct | MethodList | Selection) else None
            if not isinstance(method, Method):
                raise TemplateError(f".{last} is no method but is given arguments", mark)
            values = [argument(frame, dot) for argument in arguments]
            return checked_call(last, method.call, method.parameters)(values)

        return call

    def _call(
        self, head: nodes.Function, arguments: list[Expression], mark: Place | None, absent: set[int]
    ) -> Expression:
        name = head.name
        if name in ("and", "or") and arguments:
            return _and(arguments) if name == "and" else _or(arguments)
        function = self.functions.get(name)
        if function is None:
            return _raises(f"function `{name}` is not known", mark)
        if isinstance(function, Running):
            running = self.functions.call(name, function)

            def run(frame: Frame, dot: Value) -> Value:
                try:
                    return running([Caller(frame, mark), *[argument(frame, dot) for argument in arguments]])
                except TemplateError as error:
                    if error.place is None:
                        error.place = mark
                    raise

            return run
        checked = self.functions.call(name, function)
        nil_maps = [index for index in absent if letter_of(function.parameters, index) == "d"]

        def call(frame: Frame, dot: Value) -> Value:
            values = [argument(frame, dot) for argument in arguments]
            for index in nil_maps:
                if values[index] is None:
                    values[index] = plain_map({})
            try:
                return checked(values)
            except TemplateError as error:
                if error.place is None:
                    error.place = mark
                raise

        return call


def _may_be_absent(argument: nodes.Expression) -> bool:
    """Whether a nil of the expression is no value at all: a function on maps takes it for an empty one.

    Source: Go's text/template: the nil of a field is a value of the wrong kind, that of anything else is none.
    """
    if isinstance(argument, nodes.Literal):
        return argument.value is None
    if isinstance(argument, nodes.Variable):
        return not argument.names
    return isinstance(argument, nodes.Pipeline | nodes.Chain)


def _dot(frame: Frame, dot: Value) -> Value:
    return dot


def nil(frame: Frame, dot: Value) -> Value:
    """The expression whose value is nil."""
    return None


def _raises(message: str, mark: Place | None) -> Expression:
    def fail(frame: Frame, dot: Value) -> Value:
        raise TemplateError(message, mark)

    return fail


def _and(arguments: list[Expression]) -> Expression:
    def evaluate(frame: Frame, dot: Value) -> Value:
        value: Value = None
        for argument in arguments:
            value = argument(frame, dot)
            if not truth(value):
                return value
        return value

    return evaluate


def _or(arguments: list[Expression]) -> Expression:
    def evaluate(frame: Frame, dot: Value) -> Value:
        value: Value = None
        for argument in arguments:
            value = argument(frame, dot)
            if truth(value):
                return value
        return value

    return evaluate


def _field(value: Value, name: str) -> Value:
    if isinstance(value, dict):
        if name not in value and isinstance(value, Selection):
            return _field(Struct(value.kind, value.fields), name)
        return value.get(name, value.missing if isinstance(value, TextMap) else None)
    if isinstance(value, Struct | MethodList):
        if name not in value.fields:
            raise TemplateError(f"{value.kind} has no field or method {name}")
        found = value.fields[name]
        return found.call() if isinstance(found, Method) and not found.parameters else found
    if value is None:
        raise TemplateError(f"nil has no field .{name}: what it is looked up in is not set")
    raise TemplateError(f"a value of kind {kind_of(value)} has no field .{name}")


def _fields(value: Value, names: tuple[str, ...]) -> Value:
    for name in names:
        value = value.get(name) if type(value) is GoMap else _field(value, name)
    return value


def _dot_field(frame: Frame, dot: Value, name: str) -> Value:
    return None if dot is None and frame.variables[0] is None else _field(dot, name)


def _dot_fields(frame: Frame, dot: Value, names: tuple[str, ...]) -> Value:
    """A chain of fields of the current value. A template that is given nil has no value at all, and every field is nil."""
    return None if dot is None and frame.variables[0] is None else _fields(dot, names)


def _fields_if_set(value: Value, names: tuple[str, ...]) -> Value:
    """As `_fields`, but nil has every field, and it is nil.

    Source: Go's text/template: the nil of a pipeline in parentheses or of a variable is no value at all, while a nil met
    on the way along a chain is an error.
    """
    return None if value is None else _fields(value, names)
