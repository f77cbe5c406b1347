"""Ingresses that the API server refuses: backends, path types, paths, rules and hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic, Fix, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.source.edit import Edit
from k8snetlint.source.text import Span
from k8snetlint.source.tree import Node, Path

from .choices import no_such_choice
from .words import listed

V1 = "networking.k8s.io/v1"
PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_PORT_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_SERVICE_NAME = re.compile(_LABEL)
_BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDINGS = ("/..", "/.")


def backend_nodes(ingress: Ingress) -> Iterator[tuple[Path, Node]]:
    """Every backend that is written in an Ingress of networking.k8s.io/v1, with its path."""
    default = ingress.root.get("spec", "defaultBackend")
    if default is not None:
        yield ("spec", "defaultBackend"), default
    for path in ingress.paths:
        node = ingress.root.get(*path.path, "backend")
        if node is not None:
            yield (*path.path, "backend"), node


def _is_set(node: Node | None) -> bool:
    return node is not None and node.value is not None


@check("ING005")
def ingress_backend_invalid(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend that is not exactly one Service with one port, or one resource."""
    if ingress.api_version != V1:
        return
    for path in ingress.paths:
        if not _is_set(ingress.root.get(*path.path, "backend")):
            yield ctx.report(
                ingress,
                primary=ctx.near(ingress, *path.path, "path", label="has no backend"),
                message=f"path `{path.value or ''}` has no backend, which the API server rejects",
                help="name the Service and its port under `backend.service`",
            )
    for where, node in backend_nodes(ingress):
        if not node.is_mapping or "serviceName" in node.entries or "servicePort" in node.entries:
            continue
        service, resource = node.get("service"), node.get("resource")
        if _is_set(service) == _is_set(resource):
            fault = "names both a Service and a resource" if _is_set(service) else "names neither Service nor resource"
            yield ctx.report(
                ingress,
                *where,
                key=True,
                message=f"the backend {fault}, which the API server rejects",
                help="keep exactly one of `service` and `resource`",
            )
        elif service is not None and service.is_mapping:
            yield from _service_backend(ingress, ctx, (*where, "service"), service)


def _service_backend(ingress: Ingress, ctx: Context, where: Path, service: Node) -> Iterator[Diagnostic]:
    name = text_of(service.get("name"))
    if not name or not (is_placeholder(name) or (_SERVICE_NAME.fullmatch(name) and len(name) <= 63)):
        fault = f"`{name}`, which is no name of a Service" if name else "no Service"
        yield ctx.report(
            ingress,
            *where,
            *(("name",) if service.get("name") is not None else ()),
            key=service.get("name") is None,
            message=f"the backend names {fault}: the API server rejects it",
            help="write the name of a Service of this namespace",
        )
    port = service.get("port")
    number, port_name = (port.get("number"), port.get("name")) if port is not None else (None, None)
    if port is not None and not port.is_mapping and port.value is not None:
        if is_placeholder(port.value):
            return
        written = port.place.text
        field = "number" if isinstance(port.value, int) else "name"
        yield ctx.report(
            ingress,
            *where,
            "port",
            message=f"the backend's port is written `{written}`, but has to be a mapping with `number` or `name`",
            help=f"write `port: {{{field}: {written}}}`",
        )
    elif _is_set(number) == _is_set(port_name):
        fault = "has both a number and a name" if _is_set(number) else "has neither number nor name"
        yield ctx.report(
            ingress,
            *(where if port is None else (*where, "port")),
            key=True,
            message=f"the port of backend `{name or ''}` {fault}, which the API server rejects",
            help="give the Service port's `number` or its `name`, and only one of them",
        )
    elif number is not None and type(number.value) is int and not 1 <= number.value <= 65535:
        yield ctx.report(
            ingress,
            *where,
            "port",
            "number",
            message=f"port {number.value} of backend `{name or ''}` is not between 1 and 65535",
            help="write the number of a port of the Service",
        )


@check("ING060")
def ingress_backend_port_name_too_long(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend's port name that is longer or otherwise than the API server takes."""
    if ingress.api_version != V1:
        return
    for where, node in backend_nodes(ingress):
        name = text_of(node.get("service", "port", "name"))
        if not name or is_placeholder(name):
            continue
        if len(name) > 15:
            fault = f"has {len(name)} characters, and 15 are the most that an Ingress takes"
        elif not _PORT_NAME.fullmatch(name) or not re.search("[a-z]", name):
            fault = "is no port name: lower-case letters, digits and single dashes, with a letter in it"
        else:
            continue
        service = ctx.cluster.service(ingress.namespace, text_of(node.get("service", "name")) or "")
        port = service.port(name) if service is not None else None
        number = port.number if port is not None else (int(name) if name.isdecimal() else None)
        yield ctx.report(
            ingress,
            *where,
            "service",
            "port",
            "name",
            message=f"the backend's port name `{name}` {fault}",
            help=f"write `number: {number}`" if number else "write the `number` of the Service port",
            fix=ctx.fix(f"Write the number {number}", _as_number(ingress, (*where, "service", "port"), number))
            if number
            else None,
        )


def _as_number(ingress: Ingress, where: Path, number: int) -> Edit | None:
    node = ingress.root.at(*where, "name")
    key = ingress.root.key_at(*where, "name")
    if node.via or key.source is not node.source:
        return None
    return Edit(node.source, Span(key.start, node.end), f"number: {number}")


@check("ING006")
def ingress_missing_path_type(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A path without pathType, which networking.k8s.io/v1 requires."""
    if ingress.api_version != V1:
        return
    for path in ingress.paths:
        if not _is_set(ingress.root.get(*path.path, "pathType")):
            yield ctx.report(
                ingress,
                primary=ctx.near(ingress, *path.path, "path", label="has no pathType"),
                message=f"path `{path.value or ''}` has no pathType, which networking.k8s.io/v1 requires",
                help=f"add `pathType: Prefix`, or another of {listed(PATH_TYPES, 'or')}",
                fix=_path_type_fix(ingress, ctx, path.path),
            )


def _path_type_fix(ingress: Ingress, ctx: Context, where: Path) -> Fix | None:
    """The fix that adds pathType before the path's key, in its own style."""
    node = ingress.root.get(*where, "path")
    if node is None or node.via:
        return None
    key = ingress.root.key_at(*where, "path")
    text = key.source.text
    lead = text[text.rfind("\n", 0, key.start) + 1 : key.start]
    in_block = not lead.replace("- ", "  ").strip()
    ending = f"\n{' ' * len(lead)}" if in_block else ", "
    return ctx.fix("Add pathType Prefix", Edit(key.source, Span(key.start, key.start), f"pathType: Prefix{ending}"))


@check("ING007")
def ingress_path_type_invalid(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A pathType that does not exist."""
    for path in ingress.paths:
        if path.type is None or path.type == "" or path.type in PATH_TYPES or is_placeholder(path.type):
            continue
        yield no_such_choice(ctx, ingress, *path.path, "pathType", value=path.type, choices=PATH_TYPES)


@check("ING008")
def ingress_path_invalid(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A path that the API server rejects."""
    for path in ingress.paths:
        value = path.value or ""
        if is_placeholder(value) or (ingress.root.get(*path.path, "path") is not None and path.value is None):
            continue
        if path.type in ("Exact", "Prefix"):
            fault = _path_fault(value)
        elif path.type == "ImplementationSpecific" and value and not value.startswith("/"):
            fault = "does not begin with `/`"
        else:
            continue
        if fault is None:
            continue
        yield ctx.report(
            ingress,
            primary=ctx.location(ingress, *path.path, "path")
            if path.value is not None
            else ctx.near(ingress, *path.path, "pathType"),
            message=f"the API server rejects path `{value}`: with pathType {path.type}, it {fault}"
            if path.type != "ImplementationSpecific"
            else f"the API server rejects path `{value}`: it {fault}",
            help="write an absolute path in plain form, such as `/shop`",
            fix=ctx.fix("Begin the path with `/`", ctx.replace(ingress, *path.path, "path", text=f"/{value}"))
            if value and fault.startswith("does not begin") and re.fullmatch(r"[\w./-]+", value)
            else None,
        )


def _path_fault(value: str) -> str | None:
    if not value.startswith("/"):
        return "does not begin with `/`" if value else "may not be empty"
    for sequence in _BAD_SEQUENCES:
        if sequence in value:
            return f"may not contain `{sequence}`"
    for ending in _BAD_ENDINGS:
        if value.endswith(ending):
            return f"may not end with `{ending}`"
    return None


@check("ING009")
def ingress_no_rules_or_backend(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An Ingress with nothing to route to, or a rule with an empty list of paths."""
    spec = ingress.root.get("spec")
    rules = spec.get("rules") if spec is not None else None
    has_default = spec is not None and (_is_set(spec.get("defaultBackend")) or _is_set(spec.get("backend")))
    if not has_default and (rules is None or rules.value is None or (rules.is_sequence and not rules.items)):
        if spec is None or spec.value is None or spec.is_mapping:
            yield ctx.report(
                ingress,
                primary=ctx.near(ingress, "spec"),
                message="the Ingress has neither rules nor a default backend, which the API server rejects",
                severity=Severity.NOTE if spec is None else None,
                help="add `rules`, or a `defaultBackend`",
            )
        return
    for index, rule in enumerate(items_of(rules)):
        http = rule.get("http")
        paths = http.get("paths") if http is not None else None
        if http is None or not http.is_mapping or (paths is not None and (paths.items or is_placeholder(paths.value))):
            continue
        host = text_of(rule.get("host"))
        subject = f"the rule of host `{host}`" if host else "the rule"
        yield ctx.report(
            ingress,
            primary=ctx.near(ingress, "spec", "rules", index, "http", "paths"),
            message=f"{subject} has no paths under `http`, which the API server rejects",
            help="add a path with its backend, or remove `http`",
        )


@check("ING030")
def ingress_v1_legacy_backend_fields(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """Backend fields of the removed versions in networking.k8s.io/v1."""
    if ingress.api_version != V1:
        return
    if ingress.root.get("spec", "backend") is not None:
        key = ingress.root.key_at("spec", "backend")
        has_both = ingress.root.get("spec", "defaultBackend") is not None
        yield ctx.report(
            ingress,
            "spec",
            "backend",
            key=True,
            message="networking.k8s.io/v1 knows no `spec.backend`: the field is named `defaultBackend`",
            help="rename it to `defaultBackend`",
            fix=ctx.fix("Rename it to defaultBackend", Edit(key.source, key.span, "defaultBackend"))
            if not has_both and not key.via
            else None,
        )
    wheres: list[Path] = [("spec", "backend"), ("spec", "defaultBackend")]
    for where in [*wheres, *((*path.path, "backend") for path in ingress.paths)]:
        node = ingress.root.get(*where)
        legacy = [field for field in ("serviceName", "servicePort") if node is not None and field in node.entries]
        if node is None or not legacy:
            continue
        yield ctx.report(
            ingress,
            *where,
            legacy[0],
            key=True,
            message=f"networking.k8s.io/v1 knows no {listed(legacy, 'or')}: the backend would be lost",
            help="write `service: {name: ..., port: {number: ...}}`",
            fix=ctx.fix("Write the backend in the form of v1", _modern_backend(node)),
        )


def _modern_backend(node: Node) -> Edit | None:
    """The edit that rewrites serviceName and servicePort, where they stand next to each other."""
    entries = node.entries
    if set(entries) != {"serviceName", "servicePort"}:
        return None
    name, port = entries["serviceName"], entries["servicePort"]
    if any(part.via or part.source is not node.source for part in (name.key, name.node, port.key, port.node)):
        return None
    text = node.source.text
    first, last = sorted((name, port), key=lambda entry: entry.key.start)
    is_number = str(port.node.value).isdecimal()
    field = "number" if is_number else "name"
    service, number = name.node.place.text, str(port.node.value) if is_number else port.node.place.text
    span = Span(first.key.start, last.node.end)
    if "\n" not in text[span.start : span.end]:
        return Edit(node.source, span, f"service: {{name: {service}, port: {{{field}: {number}}}}}")
    if "#" in text[span.start : span.end]:
        return None
    lead = " " * (first.key.start - text.rfind("\n", 0, first.key.start) - 1)
    written = f"service:\n{lead}  name: {service}\n{lead}  port:\n{lead}    {field}: {number}"
    return Edit(node.source, span, written)
