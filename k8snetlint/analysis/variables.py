"""The environment of a container, as the kubelet makes it: declared variables, those of Services, and references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service
from k8snetlint.model.values import boolean_of, items_of, text_of
from k8snetlint.model.workloads import Container, Workload
from k8snetlint.source.tree import Node, Path

# What may hold variables: the kind, the field that names it, and where its texts stand.
SOURCES = (("ConfigMap", "configMap", "data"), ("Secret", "secret", "stringData"))
LONGEST_TEXT = 400_000
_REFERENCE = re.compile(r"\$\$|\$\((?P<name>[A-Za-z_][\w.-]*)\)")
# Keys of documentation and of pictures of data: what stands there is not read by the program.
_SKIPPED_KEYS = re.compile(r"\A_example\Z|\.(?:md|html|css|svg|png|pem|crt)\Z|dashboard", re.IGNORECASE)


@attrs.frozen(eq=False)
class Variable:
    """A variable that a manifest declares. `text` is None where its value is not in sight.

    `node` is None where nobody wrote the text: the namespace of the pod. `resource` and `path` are where the text is
    written, which may be a ConfigMap; `index` is the place in `env`,
    None for one of `envFrom`.
    """

    name: str
    text: str | None
    node: Node | None
    resource: Resource
    path: Path
    index: int | None


@attrs.frozen(eq=False)
class Environment:
    """The declared variables of a container, in order. `is_whole` is False where a source of them is not in sight."""

    variables: tuple[Variable, ...]
    is_whole: bool

    @property
    def names(self) -> frozenset[str]:
        """The names of all variables."""
        return frozenset(variable.name for variable in self.variables)


@attrs.frozen
class Reference:
    """A `$(NAME)` in a text, which starts and ends at these offsets."""

    name: str
    start: int
    end: int


def references(text: str) -> Iterator[Reference]:
    """The references that the kubelet replaces in a value, command or argument; `$$(NAME)` is none.

    Source: Kubernetes, third_party/forked/golang/expansion.
    """
    if "$(" in text:
        for match in _REFERENCE.finditer(text):
            if match["name"] is not None:
                yield Reference(match["name"], *match.span())


def expanded(text: str, known: Mapping[str, str]) -> str:
    """A text with the known references replaced; the others stay as they are, as the kubelet leaves them."""
    if "$(" not in text:
        return text
    return _REFERENCE.sub(lambda match: known.get(match["name"] or "", match[0]), text)


def environment(cluster: Cluster, workload: Workload, container: Container) -> Environment:
    """The variables that a container declares: those of `envFrom`, then those of `env`."""
    found: list[Variable] = []
    is_whole = True
    for node in items_of(container.node.get("envFrom")):
        prefix = text_of(node.get("prefix")) or ""
        for kind, field, data in SOURCES:
            name = text_of(node.get(f"{field}Ref", "name"))
            source = named_source(cluster, workload, kind, name)
            if source is None or not _is_filled(source):
                is_whole = is_whole and name is None
            if source is None:
                continue
            for key, text, value in entries(source, data):
                found.append(Variable(prefix + key, text, value, source, (data, key), None))
            # The base64 values of a Secret are not read, but their keys are variables all the same.
            hidden = source.root.get("data") if kind == "Secret" else None
            for key in hidden.entries if hidden is not None else ():
                found.append(Variable(prefix + key, None, None, source, ("data", key), None))
    for index, node in enumerate(items_of(container.node.get("env"))):
        variable = text_of(node.get("name"))
        if variable:
            found.append(_declared(cluster, workload, container, variable, node, index))
    return Environment(tuple(found), is_whole)


def _is_filled(source: Resource) -> bool:
    """Whether a ConfigMap or Secret holds anything: an empty one is filled by someone else."""
    return any(source.root.get(field) is not None for field in ("data", "stringData", "binaryData"))


def _declared(
    cluster: Cluster, workload: Workload, container: Container, name: str, node: Node, index: int
) -> Variable:
    path: Path = (*container.path, "env", index)
    value = node.get("value")
    if value is not None and isinstance(value.value, str):
        return Variable(name, value.value, value, workload, (*path, "value"), index)
    for kind, field, data in SOURCES:
        reference = node.get("valueFrom", f"{field}KeyRef")
        wanted = text_of(reference.get("key")) if reference is not None else None
        if reference is None or not wanted:
            continue
        source = named_source(cluster, workload, kind, text_of(reference.get("name")))
        entry = source.root.get(data, wanted) if source is not None else None
        if source is not None and entry is not None and isinstance(entry.value, str):
            return Variable(name, entry.value, entry, source, (data, wanted), index)
    is_namespace = text_of(node.get("valueFrom", "fieldRef", "fieldPath")) == "metadata.namespace"
    return Variable(name, workload.namespace if is_namespace else None, None, workload, path, index)


def named_source(cluster: Cluster, workload: Workload, kind: str, name: str | None) -> Resource | None:
    """The ConfigMap or Secret of a name that a workload means; None if it is not in sight."""
    return cluster.find("", kind, workload.namespace, name) if name else None


def entries(source: Resource, data: str) -> Iterator[tuple[str, str, Node]]:
    """The texts of a ConfigMap or Secret that a program may read, by key."""
    node = source.root.get(data)
    for key, entry in node.entries.items() if node is not None else ():
        text = text_of(entry.node)
        if text is not None and len(text) <= LONGEST_TEXT and not _SKIPPED_KEYS.search(key):
            yield key, text, entry.node


def has_service_links(workload: Workload) -> bool:
    """Whether the kubelet sets variables for the Services of the pod's namespace."""
    spec = workload.pod_spec
    return spec is None or boolean_of(spec.get("enableServiceLinks")) is not False


def makes_variables(service: Service) -> bool:
    """Whether the kubelet makes variables of a Service: it needs an address of its own."""
    return not service.is_headless and not service.is_external_name and bool(service.ports)


def variable_prefix(name: str) -> str:
    """What the variables of a Service begin with.

    Source: Kubernetes, pkg/kubelet/envvars.
    """
    return name.upper().replace("-", "_")


def service_variables(service: Service) -> Mapping[str, str]:
    """The variables that the kubelet makes of a Service, its address written as the Service's name.

    Source: Kubernetes, pkg/kubelet/envvars FromServices.
    """
    if not makes_variables(service):
        return {}
    prefix, host = variable_prefix(service.name), service.name
    first = service.ports[0]
    found = {
        f"{prefix}_SERVICE_HOST": host,
        f"{prefix}_SERVICE_PORT": str(first.number),
        f"{prefix}_PORT": f"{first.protocol.lower()}://{host}:{first.number}",
    }
    for port in service.ports:
        if port.name:
            found[f"{prefix}_SERVICE_PORT_{variable_prefix(port.name)}"] = str(port.number)
        stem = f"{prefix}_PORT_{port.number}_{port.protocol.upper()}"
        found[stem] = f"{port.protocol.lower()}://{host}:{port.number}"
        found[f"{stem}_PROTO"] = port.protocol.lower()
        found[f"{stem}_PORT"] = str(port.number)
        found[f"{stem}_ADDR"] = host
    return found


def linked_variables(cluster: Cluster, workload: Workload) -> dict[str, str]:
    """The variables that a pod gets of the Services of its namespace that are in sight."""
    found: dict[str, str] = {}
    if has_service_links(workload):
        for service in cluster.services_in(workload.namespace):
            found.update(service_variables(service))
    return found
