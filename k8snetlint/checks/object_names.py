"""Names of objects: there at all, and such as the API server accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.core import Resource
from k8snetlint.model.values import is_placeholder
from k8snetlint.schema.kinds import is_builtin_group, known_kinds

from .labels import shortened

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_SUBDOMAIN, _LONGEST_LABEL = 253, 63
_NAMED_AS_SUBDOMAINS = frozenset(
    {
        ("networking.k8s.io", "NetworkPolicy"),
        ("networking.k8s.io", "Ingress"),
        ("networking.k8s.io", "IngressClass"),
        ("extensions", "Ingress"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("", "Endpoints"),
        ("", "Pod"),
        ("", "ConfigMap"),
        ("", "Secret"),
        ("apps", "Deployment"),
        ("apps", "DaemonSet"),
        ("apps", "StatefulSet"),
        ("apps", "ReplicaSet"),
        ("batch", "Job"),
        ("batch", "CronJob"),
        ("policy.networking.k8s.io", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    }
)


@check("K8S016")
def object_name_invalid(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """An object without a name, or with one that is refused."""
    if not resource.name:
        yield from _nameless(resource, ctx)
        return
    if is_placeholder(resource.name) or resource.root.get("metadata", "name") is None:
        return
    if (resource.group, resource.kind) == ("", "Namespace"):
        form, longest, words = _LABEL, _LONGEST_LABEL, "a DNS label: lower-case letters, digits and `-`"
    elif (resource.group, resource.kind) in _NAMED_AS_SUBDOMAINS:
        form, longest, words = _SUBDOMAIN, _LONGEST_SUBDOMAIN, "a DNS name: lower-case letters, digits, `-` and `.`"
    else:
        return
    fault = None
    if len(resource.name) > longest:
        fault = f"has {len(resource.name)} characters, and at most {longest} are accepted"
    elif not form.fullmatch(resource.name):
        fault = f"is not {words}"
    if fault is not None:
        yield ctx.report(
            resource,
            "metadata",
            "name",
            message=f"the name `{shortened(resource.name)}` {fault}, so it is rejected",
            help="choose a name of lower-case letters, digits and hyphens",
        )


def _nameless(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    major, minor = ctx.settings.kube_version
    is_known = (resource.api_version, resource.kind) in known_kinds(f"{major}.{minor}")
    if not is_known or not is_builtin_group(resource.group) or resource.kind.endswith("List"):
        return
    metadata = resource.root.get("metadata")
    name = metadata.get("name") if metadata is not None else None
    # A name that is there and is no text is of the wrong type, which is said elsewhere; an empty one is none.
    if name is not None and name.value not in (None, ""):
        return
    yield ctx.report(
        resource,
        primary=ctx.near(resource, "metadata", "name"),
        message=f"the {resource.kind} has no name, so it is rejected",
        help="give it a `metadata.name`",
    )
