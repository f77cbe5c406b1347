"""Where manifests state addresses: environment variables, arguments, and the ConfigMaps and Secrets that pods read.

A statement is one mention of a host with the workload that reads it and the place where a person wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.values import items_of, text_of
from k8snetlint.model.workloads import Container, Workload
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Node, Path

from .mentions import Mention, mentions, name_mention

# Names of variables and flags whose value, where it is a bare name, is a host to connect to.
_HOST_KEY = re.compile(
    r"(?:^|[_.-])(?:HOST|HOSTS|HOSTNAME|ADDR|ADDRESS|SERVER|SERVERS|ENDPOINT|URL|URI|BROKER|BROKERS|UPSTREAM)\Z",
    re.IGNORECASE,
)
_FLAG = re.compile(r"--?(?P<key>[A-Za-z][\w.-]*)=(?P<value>.*)\Z", re.DOTALL)
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_COMMENT = re.compile(r"^[ \t]*(?:#|//|;).*$", re.MULTILINE)
_LONGEST_TEXT = 400_000
# Keys of documentation and of pictures of data: what stands there is not read by the program.
_SKIPPED_KEYS = re.compile(r"\A_example\Z|\.(?:md|html|css|svg|png|pem|crt)\Z|dashboard", re.IGNORECASE)


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
    for workload in cluster.workloads:
        services = _service_variables(cluster, workload)
        for container in workload.containers:
            yield from _of_container(cluster, workload, container, services)
        yield from _of_files(cluster, workload)


def _of_container(
    cluster: Cluster, workload: Workload, container: Container, services: Mapping[str, str]
) -> Iterator[Statement]:
    known: dict[str, str] = {}
    written: list[tuple[str, str, Node, Resource, Path]] = []
    for name, text, node, resource, path in _variables(cluster, workload, container):
        known[name] = text
        written.append((name, text, node, resource, path))
    known = {**services, **known}
    for name, text, node, resource, path in written:
        for mention, is_expanded in _mentions_of(text, name, known):
            place = node.place if is_expanded else node.part(mention.start, mention.end)
            mention = _with_sibling_port(mention, name, known)
            yield Statement(workload, container.name, mention, resource, path, place, name, "env", is_expanded)
    for field in ("command", "args"):
        for index, node in enumerate(items_of(container.node.get(field))):
            argument = text_of(node)
            if argument is None or len(argument) > _LONGEST_TEXT:
                continue
            flag = _FLAG.match(argument)
            key = flag["key"] if flag is not None else ""
            path = (*container.path, field, index)
            for mention, is_expanded in _mentions_of(argument, key, known):
                place = node.place if is_expanded else node.part(mention.start, mention.end)
                yield Statement(workload, container.name, mention, workload, path, place, key, "args", is_expanded)


def _mentions_of(text: str, key: str, known: Mapping[str, str]) -> list[tuple[Mention, bool]]:
    """The mentions of a text under a key; the second part tells whether references had to be filled in first."""
    is_expanded = "$(" in text
    if is_expanded:
        text = _REFERENCE.sub(lambda match: known.get(match[1], match[0]), text)
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


def _variables(
    cluster: Cluster, workload: Workload, container: Container
) -> Iterator[tuple[str, str, Node, Resource, Path]]:
    """The environment of a container: name, text, node, and the object and path that the text is written at."""
    for node in items_of(container.node.get("envFrom")):
        for kind, field, data in _SOURCES:
            source = _named(cluster, workload, kind, text_of(node.get(f"{field}Ref", "name")))
            prefix = text_of(node.get("prefix")) or ""
            if source is not None:
                for key, text, value in _entries(source, data):
                    yield prefix + key, text, value, source, (data, key)
    for index, node in enumerate(items_of(container.node.get("env"))):
        variable = text_of(node.get("name"))
        if not variable:
            continue
        value_node = node.get("value")
        if value_node is not None and isinstance(value_node.value, str):
            yield variable, value_node.value, value_node, workload, (*container.path, "env", index, "value")
            continue
        for kind, field, data in _SOURCES:
            reference = node.get("valueFrom", f"{field}KeyRef")
            wanted = text_of(reference.get("key")) if reference is not None else None
            if reference is None or not wanted:
                continue
            source = _named(cluster, workload, kind, text_of(reference.get("name")))
            entry = source.root.get(data, wanted) if source is not None else None
            if source is not None and entry is not None and isinstance(entry.value, str):
                yield variable, entry.value, entry, source, (data, wanted)


def _named(cluster: Cluster, workload: Workload, kind: str, name: str | None) -> Resource | None:
    return cluster.find("", kind, workload.namespace, name) if name else None


_SOURCES = (("ConfigMap", "configMap", "data"), ("Secret", "secret", "stringData"))


def _entries(source: Resource, data: str) -> Iterator[tuple[str, str, Node]]:
    node = source.root.get(data)
    for key, entry in node.entries.items() if node is not None else ():
        text = text_of(entry.node)
        if text is not None and len(text) <= _LONGEST_TEXT and not _SKIPPED_KEYS.search(key):
            yield key, text, entry.node


def _of_files(cluster: Cluster, workload: Workload) -> Iterator[Statement]:
    """What stands in the ConfigMaps and Secrets that a pod mounts."""
    spec = workload.pod_spec
    for source, data in _mounted(cluster, workload, spec) if spec is not None else ():
        for path, node, mention in data_mentions(source, data):
            place = node.part(mention.start, mention.end)
            yield Statement(workload, "", mention, source, path, place, str(path[-1]), "file")


def data_mentions(source: Resource, data: str = "data") -> Iterator[tuple[Path, Node, Mention]]:
    """The hosts that the entries of a ConfigMap or Secret mention; comments are not read."""
    for key, text, node in _entries(source, data):
        # Comments are blanked, not cut: offsets stay.
        code = _COMMENT.sub(lambda match: " " * len(match[0]), text)
        for mention in mentions(code):
            yield (data, key), node, mention


def _mounted(cluster: Cluster, workload: Workload, spec: Node) -> Iterator[tuple[Resource, str]]:
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
            for kind, field, data in _SOURCES:
                name = text_of(node.get(field, "name")) or text_of(node.get(field, "secretName"))
                found = _named(cluster, workload, kind, name)
                if found is not None:
                    yield found, data


def _service_variables(cluster: Cluster, workload: Workload) -> dict[str, str]:
    """The variables that the kubelet sets for the Services of the namespace: host as the Service's name.

    Source: Kubernetes, Service environment variables.
    """
    found: dict[str, str] = {}
    for service in cluster.services_in(workload.namespace):
        if service.is_headless or service.is_external_name or not service.ports:
            continue
        name = service.name.upper().replace("-", "_").replace(".", "_")
        found[f"{name}_SERVICE_HOST"] = service.name
        found[f"{name}_SERVICE_PORT"] = str(service.ports[0].number)
        for port in service.ports:
            if port.name:
                found[f"{name}_SERVICE_PORT_{port.name.upper().replace('-', '_')}"] = str(port.number)
    return found
