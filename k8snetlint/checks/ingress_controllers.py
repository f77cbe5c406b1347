"""Which controller an Ingress is meant for, as far as class and annotations tell; and what its paths are to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from k8snetlint.engine import Context
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.ingresses import Ingress, IngressClass
from k8snetlint.settings import Settings

NGINX, NGINX_INC, TRAEFIK, ALB, GCE, OTHER = "ingress-nginx", "NGINX Inc.", "Traefik", "AWS ALB", "GCE", "another"
NGINX_PREFIX = "nginx.ingress.kubernetes.io/"
NGINX_INC_PREFIXES = ("nginx.org/", "nginx.com/")
# What an IngressClass says of its controller. Sources: the projects' documentation of their class.
_BY_CONTROLLER = {
    "k8s.io/ingress-nginx": NGINX,
    "nginx.org/ingress-controller": NGINX_INC,
    "traefik.io/ingress-controller": TRAEFIK,
    "ingress.k8s.aws/alb": ALB,
    "eks.amazonaws.com/alb": ALB,
    "k8s.io/ingress-gce": GCE,
}
_BY_CLASS = {"traefik": TRAEFIK, "alb": ALB, "gce": GCE, "gce-internal": GCE}
_META = re.compile(r"[()\[\]{}^$+?|\\]|\.\*|\*.*\*")


def controllers(cluster: Cluster, _settings: Settings) -> Mapping[str, str]:
    """The controller of each IngressClass of the unit, by name; the default class under the empty name as well."""
    found: dict[str, str] = {}
    for item in cluster.all_of(IngressClass):
        found[item.name] = _BY_CONTROLLER.get(item.controller or "", OTHER)
        if item.is_default:
            found[""] = found[item.name]
    return found


def controller_of(ingress: Ingress, ctx: Context) -> tuple[str | None, bool]:
    """The controller that serves an Ingress, None if unknown, and whether that is certain.

    Certain is what an IngressClass of the unit says, or a class name that no other controller uses. ingress-nginx and
    NGINX Inc. both use the class `nginx`: there the annotations tell.
    """
    known = ctx.once(controllers)
    name = ingress.class_name or ""
    if name in known:
        return known[name], True
    if name in _BY_CLASS:
        return _BY_CLASS[name], True
    has_inc = any(key.startswith(NGINX_INC_PREFIXES) for key in ingress.annotations)
    has_nginx = any(key.startswith(NGINX_PREFIX) for key in ingress.annotations)
    if "nginx" in name or not name:
        if has_nginx != has_inc:
            return (NGINX, bool(name) or has_nginx) if has_nginx else (NGINX_INC, False)
        return (NGINX, False) if "nginx" in name else (None, False)
    return (NGINX, False) if has_nginx and not has_inc else (None, False)


def enables_regex(ingress: Ingress) -> bool:
    """Whether ingress-nginx reads the paths of an Ingress as regular expressions."""
    get = ingress.annotations.get
    return get(f"{NGINX_PREFIX}use-regex") == "true" or bool(get(f"{NGINX_PREFIX}rewrite-target"))


def is_glob(path: str) -> bool:
    """Whether a path holds a `*` and nothing else that a regular expression would be made of."""
    return "*" in path and _META.search(path) is None and re.search(r"[.)\]]\*", path) is None


def is_regex(path: str) -> bool:
    """Whether a path holds what only a regular expression is made of."""
    return _META.search(path.replace("/*", "/")) is not None


def group_count(path: str) -> int:
    """The capture groups of a regular expression."""
    bare = re.sub(r"\[[^\]]*\]", "", re.sub(r"\\.", "", path))
    return len(re.findall(r"\((?!\?)|\(\?P?<[A-Za-z]", bare))
