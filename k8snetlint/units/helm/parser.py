"""Tokens to syntax trees: the grammar of Go's text/template."""

from __future__ import annotations

from typing import NoReturn

from . import nodes
from .lexer import (
    CHARACTER,
    CLOSE,
    DOT,
    FIELD,
    NUMBER,
    OPEN,
    SIGN,
    SPACE,
    STRING,
    TEXT,
    VARIABLE,
    WORD,
    TemplateSyntaxError,
    Token,
    tokens,
    unquoted,
)

MAX_NESTING = 100

_KEYWORDS = frozenset({"if", "with", "range", "template", "block", "define", "end", "else", "break", "continue"})
_EMPTY_BODY: tuple[nodes.Statement, ...] = ()


def parse_template(name: str, text: str) -> list[nodes.Template]:
    """The templates that a text defines: those of its `define` and `block`, and last the text itself as `name`.

    Raises TemplateSyntaxError.
    """
    return _Parser(text).run(name)


class ParsedTexts:
    """Texts that were parsed, by themselves: charts hold the same helpers again and again."""

    def __init__(self) -> None:
        self._known: dict[str, list[nodes.Template]] = {}

    def templates(self, name: str, text: str) -> list[nodes.Template]:
        """As `parse_template`. Raises TemplateSyntaxError."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = parse_template(name, text)
        *defined, own = known
        return known if own.name == name else [*defined, own._replace(name=name)]


class _Scope:
    """The variables of one template while it is parsed: names now visible, and how many slots are taken."""

    def __init__(self) -> None:
        self.visible: list[tuple[str, int]] = [("$", 0)]
        self.slots = 1
        self.loops = 0

    def declare(self, name: str) -> int:
        slot = self.slots
        self.slots += 1
        self.visible.append((name, slot))
        return slot

    def slot(self, name: str) -> int | None:
        for known, slot in reversed(self.visible):
            if known == name:
                return slot
        return None


class _Parser:
    """Reads one text by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text))
        self.tokens.append(Token("eof", "", len(text), len(text)))
        self.position = 0
        self.defined: list[nodes.Template] = []
        self.scope = _Scope()
        self.depth = 0

    def run(self, name: str) -> list[nodes.Template]:
        body, ending = self._statements(top=True)
        if ending is not None:
            self._fail(f"unexpected {ending.text}", ending)
        self.defined.append(nodes.Template(name, body, self.scope.slots))
        return self.defined

    # Statements

    def _statements(self, *, top: bool = False) -> tuple[tuple[nodes.Statement, ...], Token | None]:
        """Statements up to an `end` or `else`, which is read and returned, or up to the end of a whole text."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            self._fail(f"nested deeper than {MAX_NESTING} levels", self.tokens[self.position])
        body: list[nodes.Statement] = []
        while True:
            token = self.tokens[self.position]
            self.position += 1
            if token.kind == TEXT:
                body.append(nodes.Text(token.text, token.start, token.end))
                continue
            if token.kind == "eof":
                if not top:
                    self._fail("a block is not closed by {{ end }}", token)
                self.depth -= 1
                return tuple(body), None
            self._skip_space()
            word = self.tokens[self.position]
            if word.kind == WORD and word.text in _KEYWORDS:
                self.position += 1
                if word.text in ("end", "else"):
                    self.depth -= 1
                    return tuple(body), word
                statement = self._keyword(token, word, top)
                if statement is not None:
                    body.append(statement)
                continue
            pipeline = self._pipeline(CLOSE)
            body.append(nodes.Action(pipeline, token.start, self.tokens[self.position - 1].end))

    def _keyword(self, opening: Token, word: Token, top: bool) -> nodes.Statement | None:
        if word.text in ("if", "with", "range"):
            return self._branch(word.text)
        if word.text == "template":
            name = self._name("template")
            pipeline = self._optional_pipeline()
            return nodes.Invocation(name, pipeline, opening.start, self.tokens[self.position - 1].end)
        if word.text in ("break", "continue"):
            self._expect_close(word.text)
            if not self.scope.loops:
                self._fail(f"{{{{ {word.text} }}}} outside of a range", word)
            return nodes.Break() if word.text == "break" else nodes.Continue()
        if word.text == "define" and (not top or self.depth > 1):
            self._fail("define inside of a block", word)
        return self._definition(opening, word)

    def _definition(self, opening: Token, word: Token) -> nodes.Statement | None:
        """Reads a `define` or `block`; the latter is also printed where it stands."""
        name = self._name(word.text)
        pipeline = None
        if word.text == "block":
            pipeline = self._optional_pipeline()
            if pipeline is None:
                self._fail("block needs a value", word)
        else:
            self._expect_close("define")
        end = self.tokens[self.position - 1].end
        outer, self.scope = self.scope, _Scope()
        depth, self.depth = self.depth, self.depth + 1
        body, ending = self._statements()
        if ending is None or ending.text != "end":
            self._fail(f"unexpected else in {word.text}", ending or word)
        self._expect_close("end")
        self.defined.append(nodes.Template(name, body, self.scope.slots))
        self.scope, self.depth = outer, depth
        return nodes.Invocation(name, pipeline, opening.start, end) if word.text == "block" else None

    def _branch(self, keyword: str) -> nodes.Statement:
        mark = len(self.scope.visible)
        pipeline = self._pipeline(CLOSE, ranges=keyword == "range")
        if keyword == "range":
            self.scope.loops += 1
        body, ending = self._statements()
        if keyword == "range":
            self.scope.loops -= 1
        otherwise = _EMPTY_BODY
        if ending is not None and ending.text == "else":
            otherwise = self._otherwise(keyword)
        else:
            self._expect_close("end")
        del self.scope.visible[mark:]
        if keyword == "if":
            return nodes.If(pipeline, body, otherwise)
        return nodes.With(pipeline, body, otherwise) if keyword == "with" else nodes.Range(pipeline, body, otherwise)

    def _otherwise(self, keyword: str) -> tuple[nodes.Statement, ...]:
        """What follows an `else`, whose word was just read; an `else if` is a nested `if` that shares the `end`."""
        self._skip_space()
        word = self.tokens[self.position]
        if word.kind == WORD and word.text == keyword and keyword in ("if", "with"):
            self.position += 1
            self.depth += 1
            if self.depth > MAX_NESTING:
                self._fail(f"nested deeper than {MAX_NESTING} levels", word)
            nested = self._branch(keyword)
            self.depth -= 1
            return (nested,)
        self._expect_close("else")
        mark = len(self.scope.visible)
        body, ending = self._statements()
        del self.scope.visible[mark:]
        if ending is None or ending.text != "end":
            self._fail("a second else", ending or word)
        self._expect_close("end")
        return body

    # Expressions

    def _optional_pipeline(self) -> nodes.Pipeline | None:
        self._skip_space()
        if self.tokens[self.position].kind == CLOSE:
            self.position += 1
            return None
        return self._pipeline(CLOSE)

    def _pipeline(self, closing: str, *, ranges: bool = False) -> nodes.Pipeline:
        """A pipeline and the token that closes it: `CLOSE`, or `)` where `closing` is `)`."""
        self._skip_space()
        first = self.tokens[self.position]
        names, declares = self._assigned(ranges)
        commands: list[nodes.Command] = []
        while True:
            commands.append(self._command(first=not commands))
            token = self.tokens[self.position]
            self.position += 1
            if token.kind == SIGN and token.text == "|":
                continue
            if token.kind == closing or (token.kind == SIGN and token.text == closing):
                break
            self._fail(f"unexpected {token.text!r} in a pipeline", token)
        slots = tuple(self.scope.declare(name) if declares else self._slot(name, first) for name in names)
        return nodes.Pipeline(slots, declares, tuple(commands), first.start, commands[-1].end)

    def _assigned(self, ranges: bool) -> tuple[list[str], bool]:
        """The names before a `:=` or `=`, if the pipeline begins so."""
        start = self.position
        names: list[str] = []
        while self.tokens[self.position].kind == VARIABLE:
            names.append(self.tokens[self.position].text)
            self.position += 1
            self._skip_space()
            token = self.tokens[self.position]
            if token.kind != SIGN:
                break
            if token.text in (":=", "="):
                self.position += 1
                return names, token.text == ":="
            if token.text != "," or not ranges or len(names) > 1:
                break
            self.position += 1
            self._skip_space()
        self.position = start
        return [], False

    def _command(self, *, first: bool) -> nodes.Command:
        self._skip_space()
        start = self.tokens[self.position]
        arguments: list[nodes.Expression] = []
        end = start.end
        while True:
            operand = self._operand()
            if operand is None:
                break
            arguments.append(operand)
            end = self.tokens[self.position - 1].end
            if self.tokens[self.position].kind != SPACE:
                break
            self.position += 1
        if not arguments:
            self._fail("missing value", start)
        head = arguments[0]
        if not first and isinstance(head, nodes.Literal | nodes.Dot):
            self._fail("a pipeline hands a value to something that is no function", start)
        return nodes.Command(tuple(arguments), start.start, end)

    def _operand(self) -> nodes.Expression | None:
        term = self._term()
        if term is None:
            return None
        token = self.tokens[self.position]
        if token.kind != FIELD:
            return term
        names = []
        while token.kind == FIELD:
            names.append(token.text[1:])
            self.position += 1
            token = self.tokens[self.position]
        if isinstance(term, nodes.Field):
            return nodes.Field(term.names + tuple(names))
        if isinstance(term, nodes.Variable):
            return nodes.Variable(term.slot, tuple(names))
        if isinstance(term, nodes.Literal | nodes.Dot):
            self._fail(f"unexpected {token.text!r} after a constant", self.tokens[self.position - 1])
        return nodes.Chain(term, tuple(names))

    def _term(self) -> nodes.Expression | None:
        token = self.tokens[self.position]
        kind = token.kind
        if kind == SIGN and token.text == "(":
            self.position += 1
            self.depth += 1
            if self.depth > MAX_NESTING:
                self._fail(f"nested deeper than {MAX_NESTING} levels", token)
            pipeline = self._pipeline(")")
            self.depth -= 1
            return pipeline
        if kind in (CLOSE, SPACE, SIGN, OPEN, "eof", TEXT):
            return None
        self.position += 1
        if kind == FIELD:
            return nodes.Field((token.text[1:],))
        if kind == VARIABLE:
            return nodes.Variable(self._slot(token.text, token), ())
        if kind == WORD:
            if token.text in _CONSTANTS:
                return nodes.Literal(_CONSTANTS[token.text])
            return nodes.Function(token.text, token.start, token.end)
        if kind == STRING:
            return nodes.Literal(unquoted(token))
        if kind == DOT:
            return nodes.Dot()
        return nodes.Literal(self._number(token))

    def _number(self, token: Token) -> int | float:
        if token.kind == CHARACTER:
            character = unquoted(token)
            if len(character) != 1:
                self._fail(f"{token.text} is not one character", token)
            return ord(character)
        assert token.kind == NUMBER
        text = token.text.replace("_", "")
        try:
            digits = text.lstrip("+-").lower()
            if digits.startswith("0x") and ("p" in digits or "." in digits):
                return float.fromhex(text)
            if digits.startswith(("0x", "0b", "0o")):
                return int(text, 0)
            if any(mark in digits for mark in ".e"):
                return float(text)
            return int(text, 8) if len(digits) > 1 and digits[0] == "0" else int(text)
        except ValueError:
            self._fail(f"{token.text} is no number", token)

    # Small steps

    def _slot(self, name: str, token: Token) -> int:
        slot = self.scope.slot(name)
        if slot is None:
            self._fail(f"undefined variable {name}", token)
        return slot

    def _name(self, keyword: str) -> str:
        self._skip_space()
        token = self.tokens[self.position]
        if token.kind != STRING:
            self._fail(f"{keyword} needs a name in quotes", token)
        self.position += 1
        return unquoted(token)

    def _skip_space(self) -> None:
        if self.tokens[self.position].kind == SPACE:
            self.position += 1

    def _expect_close(self, keyword: str) -> None:
        self._skip_space()
        token = self.tokens[self.position]
        if token.kind != CLOSE:
            self._fail(f"unexpected {token.text!r} after {keyword}", token)
        self.position += 1

    def _fail(self, message: str, token: Token) -> NoReturn:
        raise TemplateSyntaxError(message, token.start)


_CONSTANTS: dict[str, nodes.Constant] = {"true": True, "false": False, "nil": None}
