"""The syntax tree of a template. `start` and `end` are offsets into its text."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Constant: TypeAlias = str | int | float | bool | None


class Literal(NamedTuple):
    """A constant; None is `nil`."""

    value: Constant


class Dot(NamedTuple):
    """The current value."""


class Field(NamedTuple):
    """Names looked up one after the other, starting at the current value."""

    names: tuple[str, ...]


class Variable(NamedTuple):
    """A variable, by its slot in the frame, and the names looked up in it."""

    slot: int
    names: tuple[str, ...]


class Chain(NamedTuple):
    """Names looked up in the value of another expression."""

    base: Expression
    names: tuple[str, ...]


class Function(NamedTuple):
    """The name of a function; what it is applied to stands in the command around it."""

    name: str
    start: int
    end: int


class Command(NamedTuple):
    """An expression and the arguments that follow it."""

    arguments: tuple[Expression, ...]
    start: int
    end: int


class Pipeline(NamedTuple):
    """Commands, each handing its value to the next as last argument, and the variables that get the last value.

    `slots` are set in every case; `declares` tells `:=` from `=`.
    """

    slots: tuple[int, ...]
    declares: bool
    commands: tuple[Command, ...]
    start: int
    end: int


Expression: TypeAlias = Literal | Dot | Field | Variable | Chain | Function | Pipeline


class Text(NamedTuple):
    """Text that is printed as it stands."""

    text: str
    start: int
    end: int


class Action(NamedTuple):
    """A pipeline whose value is printed, unless it sets variables."""

    pipeline: Pipeline
    start: int
    end: int


class If(NamedTuple):
    """`if` and `else`."""

    pipeline: Pipeline
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


class With(NamedTuple):
    """`with` and `else`."""

    pipeline: Pipeline
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


class Range(NamedTuple):
    """`range` and `else`."""

    pipeline: Pipeline
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


class Invocation(NamedTuple):
    """`template` (or the place of a `block`): another template printed here."""

    name: str
    pipeline: Pipeline | None
    start: int
    end: int


class Break(NamedTuple):
    """The end of the innermost loop."""


class Continue(NamedTuple):
    """The end of this turn of the innermost loop."""


Statement: TypeAlias = Text | Action | If | With | Range | Invocation | Break | Continue


class Template(NamedTuple):
    """A template: its statements and how many variables a frame for it holds."""

    name: str
    body: tuple[Statement, ...]
    slots: int
