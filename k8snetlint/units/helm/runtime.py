"""What a rendering run shares: its bounds, the frame of each running template, and what a function is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from k8snetlint.source.text import Place

from .arguments import checked_call
from .provenance import Site
from .values import MAX_TEXT, LimitReached, Piece, Text, Value

if TYPE_CHECKING:
    from .compiler import Compiled

MAX_STEPS = 3_000_000
MAX_DEPTH = 60
MAX_OUTPUT = 32_000_000

Expression: TypeAlias = Callable[["Frame", Value], Value]
Statement: TypeAlias = Callable[["Frame", Value], None]


class Run:
    """The bounds of one chart's rendering, counted down, and the templates made of values."""

    __slots__ = ("depth", "output", "steps", "texts")

    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.output = MAX_OUTPUT
        self.depth = 0
        # Values rendered as templates, by text and place: charts render the same ones again and again.
        self.texts: dict[tuple[str, object], dict[str, Compiled]] = {}

    def spend(self, steps: int) -> None:
        """Counts steps. Raises LimitReached when there were too many."""
        self.steps -= steps
        if self.steps < 0:
            raise LimitReached(f"rendering takes more than {MAX_STEPS:,} steps")

    def enter(self) -> None:
        """Counts a template that starts inside another one. Raises LimitReached when they are too deep."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LimitReached(f"templates include one another more than {MAX_DEPTH} levels deep")


class Frame:
    """The state of one running template: its variables and what it has printed."""

    __slots__ = ("pieces", "run", "sites", "templates", "texts", "variables")

    def __init__(self, run: Run, templates: dict[str, Compiled], slots: int, dot: Value) -> None:
        self.run = run
        self.templates = templates
        self.variables: list[Value] = [None] * slots
        self.variables[0] = dot
        self.texts: list[str] = []
        self.pieces: list[Piece] = []
        self.sites: list[Site] = []

    def text(self) -> Text:
        """All that was printed. Raises LimitReached when that is too much."""
        text = "".join(self.texts)
        run = self.run
        run.output -= len(text)
        if len(text) > MAX_TEXT or run.output < 0:
            raise LimitReached("a template prints more text than any manifest holds")
        return Text.of(text, tuple(self.pieces))


class Builtin(NamedTuple):
    """A function of templates.

    `parameters` has a letter for each: `s` string, `i` integer, `n` number, `l` list, `d` map, `a` anything; after `?`
    they are optional, and `*` repeats the letter before it any number of times.
    `derives`: a string that it returns shows what its arguments show.
    """

    call: Callable[..., Value]
    parameters: str
    derives: bool = False


class Caller(NamedTuple):
    """Where a function is called: what those functions get first that run templates."""

    frame: Frame
    mark: Place | None


class Running(NamedTuple):
    """A function of templates that itself runs templates; its callable gets the `Caller` first."""

    call: Callable[..., Value]
    parameters: str


Registry: TypeAlias = dict[str, Builtin | Running]


class Library(dict[str, Builtin | Running]):
    """All functions by name. `calls` remembers how each is called with a list of checked arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, Callable[[list[Value]], Value]] = {}

    def call(self, name: str, function: Builtin | Running) -> Callable[[list[Value]], Value]:
        """The function of a list of arguments; that of a `Running` gets the `Caller` first."""
        known = self.calls.get(name)
        if known is None:
            if isinstance(function, Running):
                known = checked_call(name, function.call, "a" + function.parameters)
            else:
                known = checked_call(name, function.call, function.parameters, derives=function.derives)
            self.calls[name] = known
        return known
