"""Which controller serves an Ingress: classes, their annotation and their default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, check, cluster_check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.ingresses import Ingress, IngressClass
from k8snetlint.model.values import is_placeholder, text_of
from k8snetlint.settings import Settings

from .edits import without_key
from .words import listed

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_CONTROLLER_PATH = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
# Classes that have no IngressClass object: their controllers read the annotation only.
_ANNOTATION_ONLY = ("gce", "gce-internal")


def classes(cluster: Cluster, _settings: Settings) -> tuple[IngressClass, ...]:
    """The IngressClasses of the unit."""
    return cluster.all_of(IngressClass)


@check("ING014")
def ingress_missing_class(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An Ingress that names no class where no class is the default."""
    known = ctx.once(classes)
    if ingress.class_name or any(item.is_default for item in known):
        return
    names = [item.name for item in known]
    detail = f"none of the IngressClasses here ({listed(names)}) is the default" if names else "no default is in sight"
    yield ctx.report(
        ingress,
        primary=ctx.near(ingress, "spec"),
        message=f"the Ingress names no class, and {detail}: no controller may serve it",
        help=f"set `ingressClassName: {names[0]}`" if len(names) == 1 else "set `ingressClassName`",
    )


@check("ING015")
def ingress_class_not_found(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A class that is not among the IngressClasses of the unit."""
    known = [item.name for item in ctx.once(classes)]
    name = text_of(ingress.root.get("spec", "ingressClassName"))
    external = ctx.settings.external.ingress_classes
    if not name or not known or name in known or is_placeholder(name) or name in external or "*" in external:
        return
    if any(map(is_placeholder, known)):
        return
    near = get_close_matches(name, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there is {listed(known)}"
    yield ctx.report(
        ingress,
        "spec",
        "ingressClassName",
        message=f"there is no IngressClass `{name}` here; {hint}",
        help="name a class that exists, or add it to `external.ingress-classes`",
        fix=ctx.fix(f"Use the class {near[0]}", ctx.replace(ingress, "spec", "ingressClassName", text=near[0]))
        if near
        else None,
    )


@check("ING016")
def ingress_class_annotation_deprecated(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """The class annotation that the field has replaced."""
    name = ingress.annotations.get(CLASS_ANNOTATION)
    if name is None or name in _ANNOTATION_ONLY or not ingress.api_version.startswith("networking.k8s.io/v1"):
        return
    yield ctx.report(
        ingress,
        "metadata",
        "annotations",
        CLASS_ANNOTATION,
        key=True,
        message=f"annotation `{CLASS_ANNOTATION}` is deprecated in favour of `spec.ingressClassName`",
        help=f"remove it and set `ingressClassName: {name}`, if there is an IngressClass of that name",
    )


@check("ING017")
def ingress_class_conflict(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A class annotation that says another class than the field."""
    annotation = ingress.annotations.get(CLASS_ANNOTATION)
    field = text_of(ingress.root.get("spec", "ingressClassName"))
    if not annotation or not field or annotation == field or is_placeholder(annotation) or is_placeholder(field):
        return
    path = ("metadata", "annotations", CLASS_ANNOTATION)
    yield ctx.report(
        ingress,
        *path,
        message=f"the annotation says class `{annotation}` and the field `{field}`: the API server rejects the Ingress",
        related=[ctx.location(ingress, "spec", "ingressClassName", label="another class")],
        help="remove the annotation",
        fix=ctx.fix("Remove the annotation", without_key(ingress, *path)),
    )


@cluster_check("ING018")
def multiple_default_ingress_classes(ctx: Context) -> Iterator[Diagnostic]:
    """Several IngressClasses that are each marked as the default."""
    defaults = {item.name: item for item in ctx.once(classes) if item.is_default}
    if len(defaults) < 2:
        return
    first, *others = defaults.values()
    path = ("metadata", "annotations", IngressClass.DEFAULT_ANNOTATION)
    for item in others:
        if ctx.cluster.is_context(item):
            continue
        yield ctx.report(
            item,
            *path,
            message=(
                f"IngressClasses {listed(defaults)} are marked as the default: an Ingress without a class"
                " gets whichever was created last"
            ),
            related=[ctx.location(first, *path, label="the default as well")],
            help="leave the annotation on one of them",
        )


@check("ING019")
def ingressclass_invalid(item: IngressClass, ctx: Context) -> Iterator[Diagnostic]:
    """An IngressClass whose controller or parameters the API server rejects."""
    controller = item.controller
    if controller is None or not is_placeholder(controller):
        domain, slash, path = (controller or "").partition("/")
        valid = slash and _SUBDOMAIN.fullmatch(domain) and _CONTROLLER_PATH.fullmatch(path)
        if not valid or len(controller or "") > 250:
            yield ctx.report(
                item,
                primary=ctx.location(item, "spec", "controller") if controller else ctx.near(item, "spec"),
                message=f"controller `{controller}` is not of the form `domain/path`: the API server rejects it"
                if controller
                else "the IngressClass names no controller, which the API server rejects",
                help="write the name that the controller answers to, such as `k8s.io/ingress-nginx`",
            )
    parameters = item.root.get("spec", "parameters")
    if parameters is None or not parameters.is_mapping:
        return
    where = ("spec", "parameters")
    scope, namespace = text_of(parameters.get("scope")) or "Cluster", parameters.get("namespace")
    has_namespace = namespace is not None and namespace.value not in (None, "")
    fault, at = None, "scope"
    if scope not in ("Cluster", "Namespace") and not is_placeholder(scope):
        fault = f"there is no scope `{scope}` of parameters, only `Cluster` and `Namespace`"
    elif scope == "Namespace" and not has_namespace:
        fault = "parameters of scope `Namespace` name no namespace, which the API server rejects"
    elif scope == "Cluster" and has_namespace:
        fault, at = "parameters of scope `Cluster` name a namespace, which the API server rejects", "namespace"
    for field in ("kind", "name"):
        if fault is None and not text_of(parameters.get(field)):
            fault, at = f"the parameters have no {field}, which the API server rejects", field
    if fault is not None:
        yield ctx.report(
            item,
            primary=ctx.location(item, *where, at) if parameters.get(at) is not None else ctx.near(item, *where, at),
            message=fault,
            help="write `scope: Namespace` with a namespace, or `scope: Cluster` without; with `kind` and `name`",
        )
