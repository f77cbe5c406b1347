"""YAML's parser events: from libyaml where its binding is there, else from the pure parser, with equal results."""

from __future__ import annotations

from collections.abc import Callable

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

try:
    from _ruamel_yaml import CParser

    HAS_LIBYAML = True
except ImportError:  # PyPy, or a platform without a wheel
    HAS_LIBYAML = False

__all__ = [
    "COLON_IN_FLOW",
    "HAS_LIBYAML",
    "AliasEvent",
    "DocumentEndEvent",
    "DocumentStartEvent",
    "MappingEndEvent",
    "MappingStartEvent",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "YAMLProblem",
    "open_events",
]


class YAMLProblem(Exception):  # noqa: N818 (a problem of the text, turned into a diagnostic)
    """The text is not YAML: a message, the offset of the problem and the offset where its construct began."""

    def __init__(self, message: str, index: int, start: int) -> None:
        super().__init__(message)
        self.message = message
        self.index = index
        self.start = start


# What libyaml says of `[host:80]`: it takes no colon inside a plain scalar of a flow collection. Kubernetes' decoder does.
COLON_IN_FLOW = "found unexpected ':'"


def open_events(text: str, *, pure: bool = False) -> Callable[[], object]:
    """A function that returns the next event of the text at each call. It raises YAMLProblem.

    `pure` asks for the parser that is not libyaml's: slower, and nearer to Kubernetes' decoder in one point.
    """
    if HAS_LIBYAML and not pure:
        return _guarded(lambda: CParser(text))
    from ruamel.yaml import YAML
    from ruamel.yaml.parser import Parser

    def open_pure() -> Parser:
        yaml = YAML(typ="safe", pure=True)
        yaml.version = (1, 1)
        parser: Parser = yaml.get_constructor_parser(text)[1]
        return parser

    return _guarded(open_pure)


def _guarded(make: Callable[[], object]) -> Callable[[], object]:
    get: Callable[[], object] | None = None

    def next_event() -> object:
        nonlocal get
        try:
            if get is None:
                get = make().get_event  # type: ignore[attr-defined]  # both parsers have it
            return get()
        except MarkedYAMLError as error:
            raise _problem_of(error) from None
        except YAMLError as error:
            # A reader error: a character that YAML does not allow.
            index = getattr(error, "position", None)
            message = str(getattr(error, "reason", None) or error).strip().splitlines()[0]
            index = index if isinstance(index, int) else 0
            raise YAMLProblem(message, index, index) from None

    return next_event


def _problem_of(error: MarkedYAMLError) -> YAMLProblem:
    context, problem = (error.context or "").strip(), (error.problem or "cannot be read").strip()
    problem = problem.replace("\n", " ")
    message = f"{context}: {problem}" if context else problem
    mark = error.problem_mark or error.context_mark
    index = mark.index if mark is not None else 0
    start = error.context_mark.index if error.context_mark is not None else index
    return YAMLProblem(message, index, start)
