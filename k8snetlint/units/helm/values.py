"""The values that templates compute with: Go's kinds in Python, each able to say where it comes from.

Kinds: None is nil, `bool`, `int` is Go's int, `Int64`, `float` is float64, `str`, `list`, `dict`, `Struct`.
Values read from a file keep their nodes: `Text`, `Float`, `GoMap`, `GoList`; what is computed has none, or a `Text`
that says of each part what printed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node

# What templates compute with cannot be typed more closely without slowing each step: checks happen where it matters.
Value: TypeAlias = object

# What Go prints for nil, and Helm takes out of all that it renders.
NO_VALUE = "<no value>"
# Printed for what only a cluster, a clock or a random source knows.
UNKNOWN = "__K8SNETLINT_UNKNOWN__"


def is_unknown(value: object) -> bool:
    """Whether a value holds the placeholder, in whatever case a function has left it."""
    return isinstance(value, str) and (UNKNOWN in value or UNKNOWN.lower() in value)


class TemplateError(Exception):
    """Something that cannot be rendered, and the place that says so, once it is known."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class LimitReached(TemplateError):  # noqa: N818 (says what happened, as the diagnostic does)
    """A bound on steps, size or depth."""


class Piece(NamedTuple):
    """A part of a printed text: its length, the template place that printed it, the values that it shows.

    `mark` is None until a template prints the text; `nodes` is empty for literal text.
    """

    length: int
    mark: Place | None
    nodes: tuple[Node, ...]


class Text(str):
    """A string that knows where its parts come from; the lengths of its pieces sum up to its own."""

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, text: str, pieces: tuple[Piece, ...]) -> Text:
        """The text with these pieces."""
        made = cls(text)
        made.pieces = pieces
        return made

    def slice(self, start: int, end: int) -> Text:
        """A part of the text with its part of the pieces; 0 <= start <= end <= len."""
        return Text.of(self[start:end], _cut(self.pieces, start, end))


class Float(float):
    """A number read from a file, with its node."""

    __slots__ = ("node",)
    node: Node

    @classmethod
    def of(cls, number: float, node: Node) -> Float:
        """The number with its node."""
        made = cls(number)
        made.node = node
        return made


class Int(int):
    """Go's int with the nodes of the values it was made of."""

    nodes: tuple[Node, ...] = ()


class Int64(Int):
    """Go's int64, what arithmetic yields: it differs from int only in its name."""


class GoMap(dict[str, Value]):
    """A mapping with its node, and the nodes of those values that cannot carry one (booleans and nulls)."""

    __slots__ = ("flags", "node")
    node: Node | None
    flags: dict[str, Node]

    @classmethod
    def like(cls, other: Mapping[str, Value], entries: Iterable[tuple[str, Value]] | Mapping[str, Value]) -> GoMap:
        """Other entries at the place of a mapping."""
        made = cls(entries)
        made.node = other.node if isinstance(other, GoMap) else None
        made.flags = dict(other.flags) if isinstance(other, GoMap) else {}
        return made

    def flag(self, key: str) -> Node | None:
        """The node of a boolean or null that still has the value it was read with."""
        node = self.flags.get(key)
        return node if node is not None and node.value is self.get(key) else None


def put(target: dict[str, Value], source: dict[str, Value], key: str, item: Value) -> None:
    """Sets an entry to a value found under the same key of another map, and keeps the value's node."""
    target[key] = item
    if isinstance(target, GoMap):
        node = source.flag(key) if isinstance(source, GoMap) else None
        if node is not None:
            target.flags[key] = node
        else:
            target.flags.pop(key, None)


class GoList(list[Value]):
    """A list with its node."""

    __slots__ = ("node",)
    node: Node | None


class Bytes(str):
    """Go's []byte as text: JSON and YAML hold it in base 64."""

    __slots__ = ()


class TextList(list[Value]):
    """Go's []string."""

    __slots__ = ()


class NilList(list[Value]):
    """Go's nil slice: empty, and null in JSON."""

    __slots__ = ()


class TextMap(GoMap):
    """Go's map[string]string: what is not in it is the empty string, or the placeholder where that is not known."""

    __slots__ = ("missing",)
    missing: str


class Method:
    """A function that belongs to a `Struct` and takes the arguments that follow its name."""

    __slots__ = ("call", "parameters")

    def __init__(self, call: Callable[..., Value], parameters: str = "") -> None:
        self.call = call
        self.parameters = parameters


class MethodList(list[Value]):
    """A list that has methods as well."""

    __slots__ = ("fields", "kind")
    fields: dict[str, Value]
    kind: str


class Struct:
    """An object that is no map: its fields and methods by name; `printed` is what printing it yields."""

    __slots__ = ("fields", "kind", "printed")

    def __init__(self, kind: str, fields: dict[str, Value], printed: str = "") -> None:
        self.kind = kind
        self.fields = fields
        self.printed = printed


def _cut(pieces: tuple[Piece, ...], start: int, end: int) -> tuple[Piece, ...]:
    if len(pieces) == 1:
        return (Piece(end - start, pieces[0].mark, pieces[0].nodes),)
    kept = []
    offset = 0
    for length, mark, nodes in pieces:
        left, right = max(offset, start), min(offset + length, end)
        if left < right:
            kept.append(Piece(right - left, mark, nodes))
        offset += length
        if offset >= end:
            break
    return tuple(kept)


def from_node(node: Node) -> Value:
    """The value of a node as Helm reads values: numbers are float64."""
    value = node.value
    if isinstance(value, str):
        return Text.of(value, (Piece(len(value), None, (node,)),))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        try:
            return Float.of(float(value), node)
        except OverflowError:
            return Float.of(float("inf"), node)
    if isinstance(value, dict):
        made = GoMap()
        made.node = node
        made.flags = flags = {}
        for key, entry in value.items():
            made[key] = item = from_node(entry.node)
            if item is None or isinstance(item, bool):
                flags[key] = entry.node
        return made
    items = GoList([from_node(item) for item in value])
    items.node = node
    return items


def plain_map(entries: dict[str, Value]) -> GoMap:
    """A map that comes from no file."""
    made = GoMap(entries)
    made.node = None
    made.flags = {}
    return made


def text_map(entries: Mapping[str, Value], missing: str = "") -> TextMap:
    """Go's map[string]string of some entries."""
    made = TextMap(entries)
    made.node = entries.node if isinstance(entries, GoMap) else None
    made.flags = {}
    made.missing = missing
    return made


def nodes_of(value: Value) -> tuple[Node, ...]:
    """The nodes that a value shows when it is printed as one scalar."""
    kind = type(value)
    if kind is Text:
        pieces = value.pieces  # type: ignore[attr-defined]  # a Text
        if len(pieces) == 1:
            return pieces[0].nodes  # type: ignore[no-any-return]
        return tuple({id(node): node for piece in pieces for node in piece.nodes}.values())
    if kind is Float:
        return (value.node,)  # type: ignore[attr-defined]  # a Float
    if isinstance(value, Int):
        return value.nodes
    return ()


def derived(result: str, arguments: Iterable[Value]) -> str:
    """The result of a function on strings, showing what its arguments show."""
    nodes: tuple[Node, ...] = ()
    for argument in arguments:
        more = nodes_of(argument)
        if more:
            nodes = more if not nodes else (*nodes, *(node for node in more if node not in nodes))
    if not nodes or type(result) is Text:
        return result
    return Text.of(result, (Piece(len(result), None, nodes),))


def truth(value: Value) -> bool:
    """Whether `if` takes the value for true: not false, zero, empty or nil."""
    if type(value) is Struct:
        return True
    return bool(value)


def kind_of(value: Value) -> str:
    """The name of the value's Go kind."""
    if value is None:
        return "invalid"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "map"
    if isinstance(value, list):
        return "slice"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, Int64):
        return "int64"
    if isinstance(value, int):
        return "int"
    return "struct"


_TYPES = {"map": "map[string]interface {}", "slice": "[]interface {}", "invalid": "<nil>"}


def type_of(value: Value) -> str:
    """The name of the value's Go type, as `%T` prints it."""
    if isinstance(value, Struct):
        return value.kind
    if isinstance(value, TextList | TextMap):
        return "[]string" if isinstance(value, list) else "map[string]string"
    kind = kind_of(value)
    return _TYPES.get(kind, kind)


def float_text(number: float, exponent_from: int = 6) -> str:
    """A float64 as `%v` prints it: the shortest digits that read back as the number."""
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "+Inf" if number > 0 else "-Inf"
    digits, exponent, sign = decimal_digits(number)
    if exponent < -4 or exponent >= exponent_from:
        fraction = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return sign + positional(digits, exponent)


def decimal_digits(number: float) -> tuple[str, int, str]:
    """The shortest decimal digits of a finite number, its decimal exponent, and `-` or nothing."""
    text = float.__repr__(abs(number))
    sign = "-" if number < 0 or (number == 0 and str(number)[0] == "-") else ""
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0", 0, sign
    exponent = int(power or 0) + (
        len(whole) - 1 if whole.strip("0") else -(len(fraction) - len(fraction.lstrip("0")) + 1)
    )
    return digits.rstrip("0") or "0", exponent, sign


def positional(digits: str, exponent: int) -> str:
    """Digits with a decimal exponent, written without one."""
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits + "0" * (exponent + 1 - len(digits))
    return digits[: exponent + 1] + "." + digits[exponent + 1 :]


MAX_TEXT = 4_000_000


def text_of(value: Value, nil: str = "<nil>") -> str:
    """A value as Go's `%v` prints it; a map by its sorted keys.

    Raises LimitReached when that is longer than any manifest.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return nil
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, int):
        return int.__repr__(value)
    parts: list[str] = []
    _print_nested(value, parts, [0])
    return "".join(parts)


def _print_nested(value: Value, parts: list[str], size: list[int]) -> None:
    if isinstance(value, dict):
        parts.append("map[")
        for index, key in enumerate(sorted(value)):
            parts.append(f" {key}:" if index else f"{key}:")
            _print_nested(value[key], parts, size)
        parts.append("]")
    elif isinstance(value, list):
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(" ")
            _print_nested(item, parts, size)
        parts.append("]")
    else:
        text = value.printed if isinstance(value, Struct) else text_of(value)
        parts.append(text)
        size[0] += len(text)
    size[0] += 2
    if size[0] > MAX_TEXT:
        raise LimitReached("a value is printed that is longer than any manifest")
