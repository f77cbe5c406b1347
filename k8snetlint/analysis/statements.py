"""Where manifests state addresses: environment variables, arguments, and the ConfigMaps and Secrets that pods read.

A statement is one mention of a host with the workload that reads it and the place where a person wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service
from k8snetlint.model.values import items_of, text_of, texts_of
from k8snetlint.model.workloads import Container, Workload
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node, Path

from .mentions import Mention, mentions, name_mention, settings_mentions
from .routing import ServiceName, find_service, resolved_name, service_name
from .variables import (
    LONGEST_TEXT,
    SOURCES,
    entries,
    environment,
    expanded,
    has_service_links,
    linked_variables,
    named_source,
)

# Names of variables and flags whose value, where it is a bare name, is a host to connect to.
_HOST_KEY = re.compile(
    r"(?:^|[_.-])(?:HOST|HOSTS|HOSTNAME|ADDR|ADDRESS|SERVER|SERVERS|ENDPOINT|URL|URI|BROKER|BROKERS|UPSTREAM)\Z",
    re.IGNORECASE,
)
_FLAG = re.compile(r"--?(?P<key>[A-Za-z][\w.-]*)=(?P<value>.*)\Z", re.DOTALL)
_BARE_FLAG = re.compile(r"--?[A-Za-z][\w.-]*\Z")
_COMMENT = re.compile(r"^[ \t]*(?:#|//|;).*$", re.MULTILINE)


@attrs.frozen(eq=False)
class Statement:
    """A mention of a host that a workload reads.

    `resource` and `path` are where it is written, `place` the text to change there, `whole` the entire scalar.
    `key` is the name of the variable or flag, or of the ConfigMap's entry. `medium` is env, args or file.
    """

    workload: Workload
    container: str
    mention: Mention
    resource: Resource
    path: Path
    place: Place
    key: str
    medium: str
    is_expanded: bool = False


def statements_of(cluster: Cluster, settings: Settings) -> tuple[Statement, ...]:
    """The statements of a cluster, in the form that checks share."""
    return tuple(statements(cluster))


def statements(cluster: Cluster) -> Iterator[Statement]:
    """Every statement of every workload, in document order."""
    linked: dict[tuple[str | None, bool], Mapping[str, str]] = {}
    for workload in cluster.workloads:
        key = (workload.namespace, has_service_links(workload))
        if key not in linked:
            linked[key] = linked_variables(cluster, workload)
        services = linked[key]
        for container in workload.containers:
            yield from _of_container(cluster, workload, container, services)
        yield from _of_files(cluster, workload)


def _of_container(
    cluster: Cluster, workload: Workload, container: Container, services: Mapping[str, str]
) -> Iterator[Statement]:
    variables = environment(cluster, workload, container).variables
    known = {**services, **{variable.name: variable.text for variable in variables if variable.text is not None}}
    for variable in variables:
        if variable.text is None or variable.node is None:
            continue
        name, node, at = variable.name, variable.node, (variable.resource, variable.path)
        for mention, is_expanded in _mentions_of(variable.text, name, known):
            place = node.place if is_expanded else node.part(mention.start, mention.end)
            mention = _with_sibling_port(mention, name, known)
            yield Statement(workload, container.name, mention, *at, place, name, "env", is_expanded)
    for field in ("command", "args"):
        before = ""
        for index, node in enumerate(items_of(container.node.get(field))):
            argument = text_of(node)
            if argument is None or len(argument) > LONGEST_TEXT:
                continue
            flag = _FLAG.match(argument)
            key, before = (flag["key"] if flag is not None else before), ""
            if _BARE_FLAG.match(argument):
                before = argument.lstrip("-")
            path = (*container.path, field, index)
            for mention, is_expanded in _mentions_of(argument, key, known):
                place = node.place if is_expanded else node.part(mention.start, mention.end)
                yield Statement(workload, container.name, mention, workload, path, place, key, "args", is_expanded)


def _mentions_of(text: str, key: str, known: Mapping[str, str]) -> list[tuple[Mention, bool]]:
    """The mentions of a text under a key; the second part tells whether references had to be filled in first."""
    is_expanded = "$(" in text
    text = expanded(text, known)
    found = [(mention, is_expanded) for mention in mentions(text)]
    if not found and _HOST_KEY.search(key):
        flag = _FLAG.match(text)
        offset = flag.start("value") if flag is not None else 0
        whole = name_mention(text[offset:])
        if whole is not None:
            shifted = attrs.evolve(whole, start=whole.start + offset, end=whole.end + offset)
            found.append((shifted, is_expanded))
    return found


def _with_sibling_port(mention: Mention, key: str, known: Mapping[str, str]) -> Mention:
    """The mention with the port that a variable beside it names: DB_PORT beside DB_HOST."""
    if mention.port is not None:
        return mention
    stem = re.sub(r"(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT|URL|URI)\Z", "", key)
    port = known.get(f"{stem}PORT", "")
    return attrs.evolve(mention, port=int(port)) if port.isdigit() and 0 < int(port) < 65536 else mention


def _of_files(cluster: Cluster, workload: Workload) -> Iterator[Statement]:
    """What stands in the ConfigMaps and Secrets that a pod mounts."""
    spec = workload.pod_spec
    for source, data, keys in _mounted(cluster, workload, spec) if spec is not None else ():
        for path, node, mention in data_mentions(source, data, keys):
            place = node.part(mention.start, mention.end)
            yield Statement(workload, "", mention, source, path, place, str(path[-1]), "file")


def data_mentions(
    source: Resource, data: str = "data", keys: frozenset[str] | None = None
) -> Iterator[tuple[Path, Node, Mention]]:
    """The hosts that the entries of a ConfigMap or Secret mention, all or those of some keys; comments are not read."""
    for key, text, node in entries(source, data):
        if keys is not None and key not in keys:
            continue
        # Comments are blanked, not cut: offsets stay.
        code = _COMMENT.sub(lambda match: " " * len(match[0]), text)
        found = {mention.start: mention for mention in (*settings_mentions(code), *mentions(code))}
        for start in sorted(found):
            yield (data, key), node, found[start]


def _mounted(cluster: Cluster, workload: Workload, spec: Node) -> Iterator[tuple[Resource, str, frozenset[str] | None]]:
    """What a pod mounts: the object, where its texts stand, and the keys that are chosen, None for all."""
    used = {
        text_of(mount.get("name"))
        for container in workload.containers
        for mount in items_of(container.node.get("volumeMounts"))
    }
    for volume in items_of(spec.get("volumes")):
        if text_of(volume.get("name")) not in used:
            continue
        sources = [volume, *items_of(volume.get("projected", "sources"))]
        for node in sources:
            for kind, field, data in SOURCES:
                name = text_of(node.get(field, "name")) or text_of(node.get(field, "secretName"))
                found = named_source(cluster, workload, kind, name)
                if found is not None:
                    chosen = node.get(field, "items")
                    keys = frozenset(text_of(item.get("key")) or "" for item in items_of(chosen))
                    yield found, data, keys if chosen is not None else None


def stated_service(statement: Statement, cluster: Cluster, settings: Settings) -> Service | None:
    """The Service that a statement means; None if its host is no Service of the cluster."""
    name = stated_name(statement, cluster, settings)
    return find_service(cluster, name) if name is not None else None


def stated_name(statement: Statement, cluster: Cluster, settings: Settings) -> ServiceName | None:
    """What the host of a statement means as a Service's name, completed by the search domains of the pod's own too."""
    host, workload, zone = statement.mention.host, statement.workload, settings.cluster.dns_domain
    name = resolved_name(cluster, host, workload.namespace or "", zone)
    if workload.pod_spec is None or (name is not None and find_service(cluster, name) is not None):
        return name
    for search in texts_of(workload.pod_spec.get("dnsConfig", "searches")):
        completed = service_name(f"{host}.{search}", workload.namespace or "", zone)
        if completed is not None and completed.is_qualified and find_service(cluster, completed) is not None:
            return completed
    return name
