"""The keys of a configuration, and the settings that they fill."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from k8snetlint.diagnostic import Severity
from k8snetlint.rulebook import Rulebook
from k8snetlint.settings import (
    NEWEST_KUBERNETES,
    OLDEST_KUBERNETES,
    ClusterSettings,
    ExternalSettings,
    IgnoreSettings,
    Settings,
    UnitSettings,
    WorkloadSettings,
)
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node

from .problem import ConfigProblem
from .values import Values

SEVERITIES = {severity.label: severity for severity in Severity}
RENDER = {word: word for word in ("never", "auto", "program")}
PROXY_MODES = {word: word for word in ("iptables", "ipvs", "nftables")}
_UNIT_TEXTS = ("namespace", "release")
_SIZES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


def read_settings(root: Node, rulebook: Rulebook) -> tuple[Settings, Mapping[str, Place], tuple[ConfigProblem, ...]]:
    """The settings of a configuration's root node, where each given one stands, and what is wrong."""
    reader = _Reader(rulebook)
    settings = reader.settings(root)
    problems = tuple(sorted(reader.values.problems, key=lambda problem: problem.place.span))
    return settings, reader.values.origins, problems


def parse_kube_version(text: str) -> tuple[int, int]:
    """A Kubernetes version such as 1.31. Raises ValueError if the schemas do not know it."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)(?:\.\d+)?", text.strip())
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if not OLDEST_KUBERNETES <= version <= NEWEST_KUBERNETES:
        raise ValueError(text)
    return version


def kube_versions() -> str:
    """The range of Kubernetes versions, in words."""
    oldest, newest = (".".join(map(str, each)) for each in (OLDEST_KUBERNETES, NEWEST_KUBERNETES))
    return f"a Kubernetes version from {oldest} to {newest}"


def parse_size(text: str) -> int:
    """A number of bytes: `500`, `64kB`, `16MB`. Raises ValueError if it is none."""
    match = re.fullmatch(r"(\d{1,15})\s*([kmg]?)b?", text.strip().lower())
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _SIZES[match[2]]


# The highest number that an option of a rule may have.
_HIGHEST = 10**12


class _Reader:
    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.values = Values()
        self.readers: dict[str, tuple[str, Callable[[Node, str], object]]] = {
            "select": ("select", self.selectors),
            "extend-select": ("extend_select", self.selectors),
            "ignore": ("ignore", self.selectors),
            "pedantic": ("pedantic", self.values.flag),
            "severity": ("severity", self.severity),
            "exclude": ("exclude", self.values.texts),
            "per-path-ignores": ("per_path_ignores", self.per_path_ignores),
            "ignores": ("ignores", self.ignores),
            "units": ("units", self.units),
            "context": ("context", self.values.texts),
            "namespace": ("namespace", self.values.text),
            "kube-version": ("kube_version", self.kube_version),
            "cni": ("cni", self.plugin),
            "cluster": ("cluster", self.cluster),
            "external": ("external", self.external),
            "workloads": ("workloads", self.workloads),
            "intents": ("intents", self.values.texts),
            "render": ("render", lambda node, where: self.values.choice(node, where, RENDER)),
            "max-file-size": ("max_file_size", self.size),
            "rules": ("rule_options", self.rule_options),
        }

    def settings(self, root: Node) -> Settings:
        given: dict[str, Any] = {}
        for key, node in self.values.mapping(root, "the configuration", self.readers).items():
            field, read = self.readers[key]
            value = read(node, key)
            self.values.origins[key] = root.key_at(key).place
            if value is not None:
                given[field] = value
        return Settings(**given)

    def selector(self, node: Node, where: str) -> str | None:
        text = self.values.text(node, where)
        if text is not None and not self.rulebook.resolve(text):
            names = [*self.rulebook.rules, *(info.name for info in self.rulebook.rules.values())]
            near = difflib.get_close_matches(text, names, 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            self.values.wrong(
                node, f"there is no rule `{text}`{hint}", None if near else "`k8snetlint rules` lists them"
            )
            return None
        return text

    def selectors(self, node: Node, where: str) -> tuple[str, ...]:
        nodes = [node] if isinstance(node.value, str) else self.values.items(node, where)
        return tuple(text for item in nodes if (text := self.selector(item, where)) is not None)

    def severity(self, node: Node, where: str) -> dict[str, Severity]:
        result: dict[str, Severity] = {}
        for name, item in self.values.named(node, where).items():
            severity = self.values.choice(item, f"{where}.{name}", SEVERITIES)
            if self.selector(node.key_at(name), where) is not None and severity is not None:
                result |= dict.fromkeys(sorted(self.rulebook.resolve(name)), severity)
        return result

    def per_path_ignores(self, node: Node, where: str) -> dict[str, tuple[str, ...]]:
        entries = self.values.named(node, where)
        return {glob: self.selectors(item, f"{where}.{glob}") for glob, item in entries.items()}

    def ignores(self, node: Node, where: str) -> tuple[IgnoreSettings, ...]:
        keys = ("rule", "kind", "namespace", "name", "path", "reason", "expires")
        result: list[IgnoreSettings] = []
        for item in self.values.items(node, where):
            given = self.values.mapping(item, where, keys)
            if item.is_mapping and "rule" not in given:
                self.values.wrong(item, f"an entry of `{where}` names no `rule`", "add `rule:`, an id, a list or ALL")
                continue
            texts = {
                key: self.values.text(given[key], f"{where}.{key}")
                for key in ("kind", "namespace", "name", "path", "reason")
                if key in given
            }
            expires: str | None = None
            if "expires" in given:
                day = self.values.converted(
                    given["expires"], f"{where}.expires", "a day such as 2027-01-31", date.fromisoformat
                )
                expires = None if day is None else day.isoformat()
            if given:
                rules = self.selectors(given["rule"], f"{where}.rule")
                place = item.key_at("rule").place
                result.append(IgnoreSettings(rules, **texts, expires=expires, place=place))
        return tuple(result)

    def units(self, node: Node, where: str) -> tuple[UnitSettings, ...]:
        result: list[UnitSettings] = []
        for item in self.values.items(node, where):
            given = self.values.mapping(item, where, ("name", "paths", "context", "values", "namespace", "release"))
            if not {"name", "paths"} <= given.keys():
                if item.is_mapping:
                    self.values.wrong(item, f"an entry of `{where}` needs `name` and `paths`")
                continue
            lists = {
                key: self.values.texts(given[key], f"{where}.{key}") for key in ("paths", "context") if key in given
            }
            name = self.values.text(given["name"], f"{where}.name")
            texts = {key: self.values.text(given[key], f"{where}.{key}") for key in _UNIT_TEXTS if key in given}
            values = self.chart_values(given["values"], f"{where}.values") if "values" in given else ()
            if name is not None and any(unit.name == name for unit in result):
                self.values.wrong(given["name"], f"two entries of `{where}` have the name `{name}`")
            elif name is not None:
                release, namespace = texts.get("release"), texts.get("namespace")
                result.append(UnitSettings(name=name, values=values, namespace=namespace, release=release, **lists))
        return tuple(result)

    def chart_values(self, node: Node, where: str) -> tuple[str | Node, ...]:
        """Values of charts: a path, a mapping, or a list of these."""
        nodes = [node] if node.is_mapping or isinstance(node.value, str) else self.values.items(node, where)
        given = (item if item.is_mapping else self.values.text(item, where) for item in nodes)
        return tuple(item for item in given if item is not None)

    def kube_version(self, node: Node, where: str) -> tuple[int, int] | None:
        # YAML reads 1.30 as the number 1.3: what is written counts.
        written = node.source.text[node.start : node.end]
        if isinstance(node.value, float) and re.fullmatch(r"\d+\.\d+", written):
            node = Node(written, node.start, node.end, node.source)
        return self.values.converted(node, where, f"{kube_versions()} (in quotes)", parse_kube_version)

    def plugin(self, node: Node, where: str) -> str | None:
        # Imported where it is asked for: most configurations name no plugin.
        from k8snetlint.policy.enforcement import PLUGINS

        return self.values.choice(node, where, {name: name for name in PLUGINS})

    def size(self, node: Node, where: str) -> int | None:
        return self.values.converted(node, where, "a size such as 64MB", parse_size)

    def cluster(self, node: Node, where: str) -> ClusterSettings:
        fields: dict[str, Any] = {}
        keys = ("pod-cidrs", "service-cidrs", "node-cidrs", "dns-domain", "proxy-mode", "mtu", "node-port-range")
        for key, item in self.values.mapping(node, f"`{where}`", keys).items():
            at = f"{where}.{key}"
            value: object
            if key.endswith("-cidrs"):
                value = self.cidrs(item, at)
            elif key == "proxy-mode":
                value = self.values.choice(item, at, PROXY_MODES)
            elif key == "mtu":
                value = self.values.number(item, at, 576, 65535)
            elif key == "node-port-range":
                value = self.values.converted(item, at, "a range such as 30000-32767", _port_range)
            else:
                value = self.values.text(item, at)
            if value is not None:
                fields[key.replace("-", "_")] = value
        return ClusterSettings(**fields)

    def cidrs(self, node: Node, where: str) -> tuple[str, ...]:
        nodes = [node] if isinstance(node.value, str) else self.values.items(node, where)
        found = (self.values.converted(item, where, "a CIDR such as 10.0.0.0/8", _cidr) for item in nodes)
        return tuple(cidr for cidr in found if cidr is not None)

    def external(self, node: Node, where: str) -> ExternalSettings:
        keys = ("namespaces", "services", "secrets", "ingress-classes")
        fields: dict[str, Any] = {}
        for key, item in self.values.mapping(node, f"`{where}`", keys).items():
            at = f"{where}.{key}"
            is_labelled = key == "namespaces" and item.is_mapping
            fields[key.replace("-", "_")] = self.labels(item, at) if is_labelled else self.values.texts(item, at)
        namespaces = fields.get("namespaces")
        if isinstance(namespaces, tuple):
            fields["namespaces"] = {name: {} for name in namespaces}
        return ExternalSettings(**fields)

    def labels(self, node: Node, where: str) -> dict[str, dict[str, str]]:
        result: dict[str, dict[str, str]] = {}
        for name, item in self.values.named(node, where).items():
            labels = {} if item.value is None else self.values.named(item, f"{where}.{name}")
            texts = {key: self.values.text(label, f"{where}.{name}.{key}") for key, label in labels.items()}
            result[name] = {key: text for key, text in texts.items() if text is not None}
        return result

    def workloads(self, node: Node, where: str) -> tuple[WorkloadSettings, ...]:
        result: list[WorkloadSettings] = []
        keys = ("group", "kind", "template")
        for item in self.values.items(node, where):
            given = self.values.mapping(item, where, keys)
            texts = {key: self.values.text(each, f"{where}.{key}") for key, each in given.items()}
            missing = [key for key in keys if key not in given]
            if missing and item.is_mapping:
                self.values.wrong(item, f"an entry of `{where}` lacks `{missing[0]}`")
            elif all(texts.get(key) for key in keys):
                result.append(WorkloadSettings(**{key: texts[key] or "" for key in keys}))
        return tuple(result)

    def rule_options(self, node: Node, where: str) -> dict[str, dict[str, int]]:
        result: dict[str, dict[str, int]] = {}
        for name, item in self.values.named(node, where).items():
            if self.selector(node.key_at(name), where) is None:
                continue
            rules = [self.rulebook.rules[id_] for id_ in sorted(self.rulebook.resolve(name))]
            known = sorted({option for rule in rules for option in rule.options})
            if not known:
                self.values.wrong(node.key_at(name), f"`{name}` has no options")
                continue
            given = self.values.mapping(item, f"{where}.{name}", known)
            numbers = {
                key: self.values.number(each, f"{where}.{name}.{key}", 1, _HIGHEST) for key, each in given.items()
            }
            options = {key: number for key, number in numbers.items() if number is not None}
            for rule in rules:
                result[rule.id] = result.get(rule.id, {}) | options
        return result


def _port_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    ports = int(low), int(high)
    if not 1 <= ports[0] <= ports[1] <= 65535:
        raise ValueError(text)
    return ports


def _cidr(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


def known_keys() -> tuple[str, ...]:
    """The keys that a configuration may have, for the published schema's test."""
    return tuple(_Reader(Rulebook({})).readers)
