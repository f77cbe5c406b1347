"""Documents against the schema of their kind."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.schema.kinds import is_builtin_group
from k8snetlint.schema.validate import ProblemType, SchemaProblem, is_valid, validate
from k8snetlint.settings import Settings
from k8snetlint.source.edit import Edit

# Fields whose faults have rules of their own, by the last steps of their path.
_OWN_RULES: frozenset[tuple[str, ...]] = frozenset(
    {
        ("ports", "containerPort"),
        ("ports", "protocol"),
        ("grpc", "port"),
        ("policyTypes",),
        ("ipBlock", "cidr"),
        ("matchExpressions", "operator"),
        ("matchExpressions", "key"),
        ("paths", "pathType"),
        ("spec", "priority"),
        ("spec", "subject"),
        ("ingress", "action"),
        ("egress", "action"),
        ("ingress", "from"),
        ("egress", "to"),
        ("subject", "pods", "podSelector"),
        ("spec", "type"),
        ("spec", "externalTrafficPolicy"),
        ("spec", "internalTrafficPolicy"),
        ("spec", "sessionAffinity"),
        ("spec", "ipFamilyPolicy"),
        ("spec", "ipFamilies"),
        ("dnsPolicy",),
        ("addressType",),
    }
)
# What a backend of an Ingress was before networking.k8s.io/v1.
_OLD_BACKENDS = frozenset(
    (backend, field) for backend in ("backend", "defaultBackend") for field in ("serviceName", "servicePort")
)
# Fields that are no part of a kind, and that those who make operators' bundles write. Source: Operator SDK, bundle webhooks.
_OF_BUNDLES = (("clientConfig", "service", "containerPort"),)
# What an object without it is not: a document that lacks it is rather a patch, or what a test expects to find.
_WHOLES = frozenset({"spec", "selector", "template", "containers"})


def schema_problems(cluster: Cluster, settings: Settings) -> dict[int, list[SchemaProblem]]:
    """What is wrong with the objects of a cluster, by their `id`; valid ones are left out."""
    major, minor = settings.kube_version
    version = f"{major}.{minor}"
    return {
        id(resource): validate(resource.root, resource.api_version, resource.kind, version)
        for resource in cluster.resources
        if not cluster.is_context(resource)
        and not is_valid(resource.root, resource.api_version, resource.kind, version)
    }


def _problems(resource: Resource, ctx: Context, type_: ProblemType) -> Iterator[SchemaProblem]:
    for problem in ctx.once(schema_problems).get(id(resource), ()):
        if problem.type is type_:
            yield problem


def _has_own_rule(problem: SchemaProblem) -> bool:
    steps = tuple(str(step) for step in problem.path if not isinstance(step, int))
    return any(steps[-length:] in _OWN_RULES for length in (1, 2, 3))


def _is_map_of_strings(problem: SchemaProblem) -> bool:
    return len(problem.path) > 1 and problem.path[-2] in ("labels", "annotations") and "metadata" in problem.path


def _edit(problem: SchemaProblem) -> Edit | None:
    node = problem.node
    if problem.suggestion is None or node.via:
        return None
    return Edit(node.source, node.span, problem.suggestion)


def _report(resource: Resource, problem: SchemaProblem, ctx: Context, help_: str, fix_title: str | None) -> Diagnostic:
    edit = _edit(problem) if fix_title else None
    is_missing = problem.type is ProblemType.MISSING_FIELD
    is_key = problem.type is ProblemType.UNKNOWN_FIELD
    present = resource.root.get(*problem.path) is not None
    # The schemas of custom kinds are of one release of each project: another may know more fields.
    is_drift = is_key and problem.suggestion is None and not is_builtin_group(resource.group)
    # What an operator's bundle is made from has fields for the program that makes it.
    is_drift |= problem.path[-3:] in _OF_BUNDLES
    is_drift |= is_key and bool(ctx.cluster.of_kind("operators.coreos.com", "ClusterServiceVersion"))
    return ctx.report(
        resource,
        *problem.path,
        severity=Severity.NOTE if is_drift else None,
        confidence=Confidence.MEDIUM if is_drift else None,
        primary=ctx.near(resource, *problem.path) if is_missing or not present else None,
        key=is_key,
        message=problem.message,
        help=help_,
        fix=ctx.fix(fix_title, edit) if fix_title and edit is not None else None,
    )


@check("K8S004")
def unknown_network_field(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A field that the kind does not have."""
    for problem in _problems(resource, ctx, ProblemType.UNKNOWN_FIELD):
        if resource.kind == "Ingress" and (problem.path == ("spec", "backend") or problem.path[-2:] in _OLD_BACKENDS):
            continue  # ING030
        near = problem.suggestion
        yield _report(
            resource,
            problem,
            ctx,
            f"rename the field to `{near}`" if near else "remove the field, or move it where it belongs",
            f"Rename to `{near}`" if near else None,
        )


@check("K8S005")
def wrong_scalar_type(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A value of another type than the field takes."""
    for problem in _problems(resource, ctx, ProblemType.WRONG_TYPE):
        if _is_map_of_strings(problem) or problem.path[-2:] == ("grpc", "port"):
            continue
        text = problem.suggestion
        yield _report(
            resource,
            problem,
            ctx,
            f"write `{text}`" if text else f"give it the type that the field takes: {problem.expected}",
            f"Write {text}" if text else None,
        )


@check("K8S014")
def required_field_missing(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A required field that is not there."""
    for problem in _problems(resource, ctx, ProblemType.MISSING_FIELD):
        if not _has_own_rule(problem):
            found = _report(resource, problem, ctx, f"add `{problem.path[-1]}`", None)
            is_fragment = ctx.unit.type in ("plain", "alternative") and problem.path[-1] in _WHOLES
            yield attrs.evolve(found, severity=Severity.NOTE, confidence=Confidence.LOW) if is_fragment else found


@check("K8S015")
def value_not_allowed(resource: Resource, ctx: Context) -> Iterator[Diagnostic]:
    """A word that is not among those which the field takes."""
    for problem in _problems(resource, ctx, ProblemType.BAD_ENUM):
        if not _has_own_rule(problem):
            near = problem.suggestion
            help_ = f"write `{near}`" if near else "write one of the allowed values"
            yield _report(resource, problem, ctx, help_, f"Write `{near}`" if near else None)
