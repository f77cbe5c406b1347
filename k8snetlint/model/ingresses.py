"""Ingresses and IngressClasses."""

from __future__ import annotations

from typing import ClassVar

import attrs

from k8snetlint.source.tree import Node, Path

from .core import Resource
from .values import int_or_string_of, items_of, text_of


@attrs.frozen
class IngressBackend:
    """The Service that a path leads to. `path` is the backend's; `name_path` and `port_path` those of its parts."""

    service: str | None
    port: int | str | None
    path: Path
    name_path: Path
    port_path: Path
    is_resource: bool = False


@attrs.frozen
class IngressPath:
    """One path of a rule. `host` is empty where the rule names none."""

    host: str
    value: str | None
    type: str | None
    backend: IngressBackend | None
    path: Path
    rule_path: Path


@attrs.frozen(eq=False)
class Ingress(Resource):
    """An Ingress, of networking.k8s.io/v1 or of one of the removed versions, whose backends are written otherwise."""

    class_name: str | None
    default_backend: IngressBackend | None
    paths: tuple[IngressPath, ...]

    @property
    def backends(self) -> tuple[IngressBackend, ...]:
        """Every backend that it names, the default one first."""
        first = (self.default_backend,) if self.default_backend is not None else ()
        return first + tuple(path.backend for path in self.paths if path.backend is not None)


@attrs.frozen(eq=False)
class IngressClass(Resource):
    """An IngressClass, and the controller that serves it."""

    DEFAULT_ANNOTATION: ClassVar[str] = "ingressclass.kubernetes.io/is-default-class"

    controller: str | None

    @property
    def is_default(self) -> bool:
        """Whether it is the class of Ingresses that name none."""
        return self.annotations.get(self.DEFAULT_ANNOTATION) == "true"


def build_ingress_class(resource: Resource) -> IngressClass:
    """The IngressClass that a resource is."""
    controller = text_of(resource.root.get("spec", "controller"))
    return IngressClass(**attrs.asdict(resource, recurse=False), controller=controller or None)


def build_ingress(resource: Resource) -> Ingress:
    """The Ingress that a resource is."""
    spec = resource.root.get("spec")
    paths: list[IngressPath] = []
    default: IngressBackend | None = None
    if spec is not None:
        for field in ("defaultBackend", "backend"):
            default = default or _backend(spec.get(field), ("spec", field))
        for index, rule in enumerate(items_of(spec.get("rules"))):
            rule_path: Path = ("spec", "rules", index)
            for position, node in enumerate(items_of(rule.get("http", "paths"))):
                path = (*rule_path, "http", "paths", position)
                paths.append(
                    IngressPath(
                        host=text_of(rule.get("host")) or "",
                        value=text_of(node.get("path")),
                        type=text_of(node.get("pathType")),
                        backend=_backend(node.get("backend"), (*path, "backend")),
                        path=path,
                        rule_path=rule_path,
                    )
                )
    class_name = text_of(spec.get("ingressClassName")) if spec is not None else None
    return Ingress(
        **attrs.asdict(resource, recurse=False),
        class_name=class_name or resource.annotations.get("kubernetes.io/ingress.class"),
        default_backend=default,
        paths=tuple(paths),
    )


def _backend(node: Node | None, path: Path) -> IngressBackend | None:
    if node is None or not node.is_mapping:
        return None
    if node.get("service") is not None:
        number = node.get("service", "port", "number")
        field = "number" if number is not None and number.value is not None else "name"
        return IngressBackend(
            service=text_of(node.get("service", "name")),
            port=int_or_string_of(node.get("service", "port", field)),
            path=path,
            name_path=(*path, "service", "name"),
            port_path=(*path, "service", "port", field),
        )
    if node.get("resource") is not None:
        return IngressBackend(None, None, path, path, path, is_resource=True)
    return IngressBackend(
        service=text_of(node.get("serviceName")),
        port=int_or_string_of(node.get("servicePort")),
        path=path,
        name_path=(*path, "serviceName"),
        port_path=(*path, "servicePort"),
    )
