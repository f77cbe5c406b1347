"""Kinds that Kubernetes does not serve, and never did."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.core import Resource
from k8snetlint.model.values import is_placeholder
from k8snetlint.schema.kinds import added_in, is_builtin_group, nearest_kind

# What other programs read under the version of the core group: OpenShift's first kinds, and files of clients.
_FOREIGN = frozenset(
    {
        "BuildConfig",
        "Config",
        "DeploymentConfig",
        "Group",
        "Identity",
        "Image",
        "ImageStream",
        "ImageStreamTag",
        "List",
        "OAuthClient",
        "Policy",
        "PolicyBinding",
        "Project",
        "ProjectRequest",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "Route",
        "SecurityContextConstraints",
        "Template",
        "User",
    }
)


@check("K8S017")
def unknown_kind(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A kind in a group of Kubernetes' own that no release has served."""
    if not is_builtin_group(resource.group) or added_in(resource.api_version, resource.kind) is not None:
        return
    if is_placeholder(resource.kind) or is_placeholder(resource.api_version) or resource.kind.endswith("List"):
        return
    if not resource.group and resource.kind in _FOREIGN:
        return
    major, minor = ctx.settings.kube_version
    near = nearest_kind(resource.api_version, resource.kind, f"{major}.{minor}")
    # The version of the core group is also what files of programs have that follow the form of Kubernetes' own.
    is_sure = near is not None or bool(resource.group)
    is_kind = near is not None and near[1] != resource.kind
    hint, fix = "", None
    if near is not None:
        field, text = ("kind", near[1]) if is_kind else ("apiVersion", near[0])
        hint = f"; did you mean `{text}`?"
        fix = ctx.fix(f"Write `{text}`", ctx.replace(resource, field, text=text))
    yield ctx.report(
        resource,
        "kind" if is_kind or near is None else "apiVersion",
        message=f"`{resource.api_version}` has no kind `{resource.kind}`, so the object is rejected{hint}",
        severity=None if is_sure else Severity.NOTE,
        confidence=None if is_sure else Confidence.LOW,
        help="correct the kind or its version; `kubectl api-resources` lists what a cluster serves",
        fix=fix,
    )
