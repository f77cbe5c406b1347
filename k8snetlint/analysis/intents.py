"""Intents: statements that the user wrote to be proved, read from `k8snetlint/intents/v1` with positions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import attrs

from k8snetlint.algebra.addresses import AddressSet, parse_range
from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.model.core import LabelSelector, label_map_selector, selector_of
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node

from .verdict import World

SCHEMA = "k8snetlint/intents/v1"
_INTENT_KEYS = ("name", "from", "to", "ports", "expect", "world")
_SIDE_KEYS = (
    "namespace",
    "workload",
    "pod",
    "selector",
    "namespaceSelector",
    "cidr",
    "service",
    "any",
    "external",
    "not",
)
_PORT = re.compile(r"(?:(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?(?:/(?P<of>\w+))?|(?P<all>[A-Za-z]+))\Z")


@attrs.frozen
class Selection:
    """Who is on a side: all of what is given has to fit. A side is one of these or several, of which one has to."""

    namespace: str | None = None
    workload: str | None = None
    selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    addresses: AddressSet | None = None
    service: str | None = None
    is_any: bool = False
    is_external: bool = False
    excluded: tuple[Selection, ...] | None = None


@attrs.frozen
class Intent:
    """One statement: every flow from one side to the other on the connections is allowed, or none is."""

    name: str
    sources: tuple[Selection, ...]
    destinations: tuple[Selection, ...]
    connections: ConnectionSet
    is_allow: bool
    world: World
    place: Place


@attrs.frozen
class IntentProblem:
    """A mistake in an intents file."""

    message: str
    place: Place


def is_intents(root: Node) -> bool:
    """Whether a document says that it holds intents."""
    schema = root.get("schema")
    return schema is not None and schema.value == SCHEMA


def read_intents(root: Node) -> tuple[tuple[Intent, ...], tuple[IntentProblem, ...]]:
    """The intents of a document, and what is wrong with it."""
    reader = _Reader()
    found = tuple(reader.intents(root))
    return found, tuple(reader.problems)


class _Reader:
    def __init__(self) -> None:
        self.problems: list[IntentProblem] = []

    def wrong(self, node: Node, message: str) -> None:
        self.problems.append(IntentProblem(message, node.place))

    def intents(self, root: Node) -> Iterator[Intent]:
        entries = self.entries(root, ("schema", "intents"), "an intents file")
        listed = entries.get("intents")
        if listed is None or not listed.is_sequence or not listed.items:
            self.wrong(listed or root, "`intents` is a list of at least one intent")
            return
        for number, item in enumerate(listed.items, 1):
            intent = self.intent(item, number)
            if intent is not None:
                yield intent

    def entries(self, node: Node, known: tuple[str, ...], what: str) -> dict[str, Node]:
        if not node.is_mapping:
            self.wrong(node, f"{what} is a mapping with the keys {', '.join(known)}")
            return {}
        for name, entry in node.entries.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
                self.wrong(entry.key, f"unknown key `{name}` in {what}; {hint}")
        return {name: entry.node for name, entry in node.entries.items() if name in known}

    def intent(self, node: Node, number: int) -> Intent | None:
        before = len(self.problems)
        entries = self.entries(node, _INTENT_KEYS, "an intent")
        for needed in ("from", "to", "expect"):
            if node.is_mapping and needed not in entries:
                self.wrong(node, f"an intent needs `{needed}`")
        name = self.text(entries.get("name"), "name") or f"intent {number}"
        sources = self.side(entries.get("from"))
        destinations = self.side(entries.get("to"))
        expect = self.choice(entries.get("expect"), "expect", ("allow", "deny"))
        world = self.choice(entries.get("world"), "world", ("closed", "open")) or "closed"
        connections = self.connections(entries.get("ports"))
        if any(each.service is not None for each in sources):
            self.wrong(entries["from"], "`service` is no source: connections start at pods and addresses")
        if len(self.problems) > before:
            return None
        place = entries["name"].place if "name" in entries else node.place
        return Intent(name, sources, destinations, connections, expect == "allow", World(world), place)

    def side(self, node: Node | None) -> tuple[Selection, ...]:
        if node is None:
            return ()
        if node.is_sequence:
            return tuple(each for item in node.items for each in self.side(item))
        entries = self.entries(node, _SIDE_KEYS, "a side")
        if node.is_mapping and not node.entries:
            self.wrong(node, "a side that names nothing: `any: true` stands for every pod")
        if "service" in entries and len(entries) > 1:
            self.wrong(entries["service"], "`service` stands alone: list other ends beside it")
        texts = {name: self.text(entries.get(name), name) for name in ("namespace", "workload", "pod", "service")}
        return (
            Selection(
                namespace=texts["namespace"],
                workload=texts["workload"] or texts["pod"],
                selector=self.selector(entries.get("selector")),
                namespace_selector=self.selector(entries.get("namespaceSelector")),
                addresses=self.addresses(entries.get("cidr")),
                service=texts["service"],
                is_any=self.is_true(entries.get("any"), "any"),
                is_external=self.is_true(entries.get("external"), "external"),
                excluded=self.side(entries["not"]) if "not" in entries else None,
            ),
        )

    def text(self, node: Node | None, where: str) -> str | None:
        if node is None:
            return None
        if not isinstance(node.value, str) or not node.value:
            self.wrong(node, f"`{where}` is a string")
            return None
        return node.value

    def is_true(self, node: Node | None, where: str) -> bool:
        if node is not None and node.value is not True:
            self.wrong(node, f"`{where}` can only be true")
        return node is not None

    def choice(self, node: Node | None, where: str, words: tuple[str, ...]) -> str | None:
        if node is None:
            return None
        if node.value not in words:
            near = difflib.get_close_matches(str(node.value), words, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"valid are {' and '.join(words)}"
            self.wrong(node, f"`{where}` is `{node.value}`; {hint}")
            return None
        return str(node.value)

    def selector(self, node: Node | None) -> LabelSelector | None:
        if node is None:
            return None
        if not node.is_mapping:
            self.wrong(node, "a selector is a mapping of labels, or has matchLabels and matchExpressions")
            return None
        if "matchLabels" in node.entries or "matchExpressions" in node.entries:
            self.entries(node, ("matchLabels", "matchExpressions"), "a selector")
            return selector_of(node)
        labels = {}
        for name, entry in node.entries.items():
            labels[name] = self.text(entry.node, name) or ""
        return label_map_selector(labels)

    def addresses(self, node: Node | None) -> AddressSet | None:
        if node is None:
            return None
        found = AddressSet()
        for item in node.items if node.is_sequence else [node]:
            try:
                found |= parse_range(str(item.value))
            except ValueError:
                self.wrong(item, f"`{item.value}` is no address, CIDR or range")
        return found

    def connections(self, node: Node | None) -> ConnectionSet:
        if node is None:
            return ConnectionSet.everything()
        found = ConnectionSet.nothing()
        items = node.items if node.is_sequence else [node]
        if not items:
            self.wrong(node, "`ports` lists no port: leave it out to mean every port")
        for item in items:
            ports = _ports(str(item.value))
            if ports is None:
                self.wrong(item, f"`{item.value}` is no port; write 5432/TCP, 8000-8100/TCP or TCP")
            else:
                found |= ports
        return found


def _ports(text: str) -> ConnectionSet | None:
    match = _PORT.match(text)
    if match is None:
        return None
    if match["all"]:
        return ConnectionSet.of(match["all"].upper()) if match["all"].upper() in PROTOCOLS else None
    protocol = (match["of"] or "TCP").upper()
    first = int(match["first"])
    last = int(match["last"] or first)
    if protocol not in PROTOCOLS or not 1 <= first <= last <= 65535:
        return None
    return ConnectionSet.span(protocol, first, last)
