"""Environment variables: references to them, and those that the kubelet makes of Services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import attrs

from k8snetlint.analysis.variables import (
    Environment,
    environment,
    has_service_links,
    linked_variables,
    makes_variables,
    references,
    service_variables,
    variable_prefix,
)
from k8snetlint.diagnostic import Confidence, Diagnostic, Fix, Location, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.services import Service
from k8snetlint.model.values import items_of, text_of
from k8snetlint.model.workloads import Container, Workload
from k8snetlint.settings import Settings
from k8snetlint.source.text import Place
from k8snetlint.source.tree import Path

from .edits import above_key
from .image_variables import variables_read_by
from .missing_services import are_together, is_open_to

# Names that the kubelet gives to variables of Services; those of `kubernetes` are there in every pod.
_OF_SERVICE = re.compile(r"(?P<prefix>[A-Z][A-Z0-9_]*?)_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?)\Z")
_OF_LINK = re.compile(r"(?P<prefix>[A-Z][A-Z0-9_]*?)_PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?\Z")
_IN_SHELL = re.compile(
    r"\$(?:(?P<brace>\{)?)(?P<name>[A-Z][A-Z0-9_]*(?:_SERVICE_HOST|_PORT(?:_[A-Z0-9_]+)?))\b(?(brace)[^{}]*\})"
)
_BEFORE_A_PORT = re.compile(r"(?::|(?<![a-z])port[\w.-]*[= ]*[\"']?|(?:\A|\s)-p[ =]?)\Z", re.IGNORECASE)
_SHELL = re.compile(r"(?:^|/)(?:ba|da|a|z|k)?sh\Z|\A-[a-z]*c\Z|cmd(?:\.exe)?\Z|powershell|pwsh", re.IGNORECASE)
_KUBERNETES = "KUBERNETES"
_MANY_SERVICES = 100
# Variables that controllers add to the containers of the pods that they make. Source: each project's reference.
_BY_CONTROLLERS = {
    ("batch", "Job"): ("JOB_COMPLETION_INDEX",),
    ("batch", "CronJob"): ("JOB_COMPLETION_INDEX",),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): ("LWS_*", "TPU_*"),
    ("serving.knative.dev", "Service"): ("PORT", "K_*"),
    ("serving.knative.dev", "Configuration"): ("PORT", "K_*"),
}


@attrs.frozen(eq=False)
class Use:
    """A variable that a text of a container refers to. `index` is its place in `env`, None elsewhere.

    `lead` is what stands before it: the key or flag, and the text up to it.
    """

    name: str
    resource: Resource
    path: Path
    place: Place
    index: int | None
    is_shell: bool
    lead: str


def _uses(container: Container, variables: Environment, workload: Workload) -> Iterator[Use]:
    for variable in variables.variables:
        if variable.text is not None and variable.node is not None and variable.index is not None:
            for reference in references(variable.text):
                place = variable.node.part(reference.start, reference.end)
                lead = f"{variable.name}={variable.text[: reference.start]}"
                yield Use(reference.name, variable.resource, variable.path, place, variable.index, False, lead)
    texts = [
        (text, node, (*container.path, field, index))
        for field in ("command", "args")
        for index, node in enumerate(items_of(container.node.get(field)))
        if (text := text_of(node)) is not None
    ]
    is_shell = any(_SHELL.search(text.strip()) for text, _, _ in texts)
    before = ""
    for text, node, path in texts:
        for reference in references(text):
            place = node.part(reference.start, reference.end)
            yield Use(reference.name, workload, path, place, None, is_shell, before + text[: reference.start])
        for match in _IN_SHELL.finditer(text) if is_shell else ():
            # What the script sets itself is its own.
            if re.search(rf"\b{match['name']}=", text) is None:
                yield Use(match["name"], workload, path, node.part(*match.span()), None, True, text[: match.start()])
        before = f"{text} " if text.startswith("-") and "=" not in text else ""


@attrs.frozen(eq=False)
class Surroundings:
    """What a container's variables are, and what its texts make of them."""

    workload: Workload
    container: Container
    environment: Environment
    uses: tuple[Use, ...]


def surroundings(cluster: Cluster, settings: Settings) -> Mapping[int, tuple[Surroundings, ...]]:
    """The surroundings of every container, by the `id` of its workload."""
    found: dict[int, tuple[Surroundings, ...]] = {}
    for workload in cluster.workloads:
        each = []
        for container in workload.containers:
            declared = environment(cluster, workload, container)
            each.append(Surroundings(workload, container, declared, tuple(_uses(container, declared, workload))))
        found[id(workload)] = tuple(each)
    return found


def _of(workload: Workload, ctx: Context) -> tuple[Surroundings, ...]:
    return ctx.once(surroundings).get(id(workload), ())


def services_by_prefix(cluster: Cluster, settings: Settings) -> Mapping[str, tuple[Service, ...]]:
    """The Services of all namespaces by what their variables begin with."""
    found: dict[str, list[Service]] = {}
    for service in cluster.services:
        found.setdefault(variable_prefix(service.name), []).append(service)
    return {prefix: tuple(services) for prefix, services in found.items()}


def _at(use: Use) -> Location:
    return Location(use.place, "read here")


def _without_links(ctx: Context, workload: Workload) -> Fix | None:
    if workload.pod_spec is None or workload.root.get(*workload.spec_path, "containers") is None:
        return None
    return ctx.fix(
        "Set `enableServiceLinks: false`",
        above_key(workload, *workload.spec_path, "containers", entry="enableServiceLinks: false"),
    )


@check("DISC005")
def service_link_env_collision(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A variable that the program reads as its own, and that a Service of the namespace sets to a URL."""
    if not has_service_links(workload):
        return
    prefixes = ctx.once(services_by_prefix)
    for around in _of(workload, ctx):
        if not around.environment.is_whole:
            continue
        own = around.environment.names
        for use in around.uses:
            prefix = use.name.removesuffix("_PORT")
            if prefix == use.name or use.name in own or prefix.endswith("_SERVICE"):
                continue
            service = _linked(prefixes, prefix, workload)
            # Where no port belongs, `$(X_PORT)` may well be meant as the URL that it is.
            if service is not None and _BEFORE_A_PORT.search(use.lead):
                yield ctx.report(
                    use.resource,
                    *use.path,
                    primary=_at(use),
                    message=f"`{use.place.text}` stands for `{_url(service)}`, which the Service `{service.name}` sets, not for"
                    " a port number",
                    related=[ctx.location(service, "metadata", "name", label="sets the variable")],
                    help=f"declare {use.name} in `env`, or use {prefix}_SERVICE_PORT",
                )
        for name in variables_read_by(around.container.image):
            is_own = name in own or _is_given_by_flag(around.container, name)
            service = None if is_own else _overwriting(ctx, workload, name)
            if service is not None:
                yield _collision(ctx, around, service, name)


def _linked(prefixes: Mapping[str, tuple[Service, ...]], prefix: str, workload: Workload) -> Service | None:
    for service in prefixes.get(prefix, ()):
        if service.namespace == workload.namespace and makes_variables(service):
            return service
    return None


def _is_given_by_flag(container: Container, name: str) -> bool:
    """Whether arguments set what a variable would: `--port` for `X_PORT`. An argument counts before a variable."""
    flag = f"--{name.rpartition('_')[2].lower()}"
    texts = [text_of(node) or "" for field in ("command", "args") for node in items_of(container.node.get(field))]
    return any(text == flag or text.startswith(f"{flag}=") for text in texts)


def _overwriting(ctx: Context, workload: Workload, name: str) -> Service | None:
    """The Service of the pod's namespace that sets a variable, or any of a prefix that ends in `*`."""
    for service in ctx.cluster.services_in(workload.namespace):
        if makes_variables(service) and fnmatchcase(f"{variable_prefix(service.name)}_PORT", name):
            return service
    return None


def _url(service: Service) -> str:
    return f"{service.ports[0].protocol.lower()}://<address>:{service.ports[0].number}"


def _collision(ctx: Context, around: Surroundings, service: Service, name: str) -> Diagnostic:
    workload = around.workload
    together = are_together(ctx, service, workload)
    written = f"{variable_prefix(service.name)}_PORT"
    if name == written:
        fault = f"reads {name}, which the Service `{service.name}` sets to `{_url(service)}`"
        remedy = f"set `enableServiceLinks: false` in the pod's spec, or declare {name} in `env`"
    else:
        fault = f"takes every {name} for a setting of its own, and the Service `{service.name}` sets {written}"
        remedy = "set `enableServiceLinks: false` in the pod's spec, or rename the Service"
    return ctx.report(
        workload,
        *around.container.path,
        "image",
        message=f"the program of image `{around.container.image}` {fault}, so it may fail to start",
        severity=None if together else Severity.NOTE,
        related=[ctx.location(service, "metadata", "name", label="sets the variable")],
        help=remedy,
        fix=_without_links(ctx, workload),
    )


@check("DISC006")
def service_env_relied_on_but_disabled(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A variable of a Service that the kubelet does not set for this pod."""
    prefixes = ctx.once(services_by_prefix)
    for around, use, prefix in _of_services(workload, ctx):
        services = prefixes.get(prefix, ())
        home = [service for service in services if service.namespace == workload.namespace]
        others = [service for service in services if service.namespace != workload.namespace and service.has_namespace]
        if not has_service_links(workload):
            because = "`enableServiceLinks` is false"
            related = [ctx.location(workload, *workload.spec_path, "enableServiceLinks", label="set here")]
        elif home and not any(map(makes_variables, home)):
            word = "headless" if home[0].is_headless else "of type ExternalName"
            because = f"the Service `{home[0].name}` is {word if home[0].ports else 'without ports'}"
            related = [ctx.location(home[0], "metadata", "name", label="the Service")]
        elif not home and others and workload.has_namespace and not is_open_to(ctx, workload.namespace or ""):
            because = f"the Service `{others[0].name}` is in namespace {others[0].namespace}"
            related = [ctx.location(others[0], "metadata", "name", label="the Service")]
        else:
            continue
        name = (home or others)[0] if home or others else None
        host = f"`{name.name}`" if name is not None and name in home else "the Service's DNS name"
        host = f"`{name.name}.{name.namespace}`" if name is not None and name in others else host
        yield ctx.report(
            use.resource,
            *use.path,
            primary=_at(use),
            message=f"the variable {use.name} is not set in `{around.container.name}`: {because}",
            confidence=None if around.environment.is_whole else Confidence.LOW,
            severity=None if around.environment.is_whole else Severity.NOTE,
            related=related,
            help=f"use {host} instead",
        )


def _of_services(workload: Workload, ctx: Context) -> Iterator[tuple[Surroundings, Use, str]]:
    """The uses of variables of Services that the container does not declare itself, and what they begin with."""
    for around in _of(workload, ctx):
        for use in around.uses:
            match = _OF_SERVICE.match(use.name)
            if match is not None and match["prefix"] != _KUBERNETES and use.name not in around.environment.names:
                yield around, use, match["prefix"]


@check("DISC007")
def service_env_ordering(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A variable that is only there if the Service was created first."""
    if not has_service_links(workload):
        return
    prefixes = ctx.once(services_by_prefix)
    for around, use, prefix in _of_services(workload, ctx):
        service = _linked(prefixes, prefix, workload)
        if service is None or use.name not in service_variables(service) or not around.environment.is_whole:
            continue
        yield ctx.report(
            use.resource,
            *use.path,
            primary=_at(use),
            message=f"the variable {use.name} is missing in pods that start before the Service `{service.name}` is there",
            related=[ctx.location(service, "metadata", "name", label="the Service")],
            help=f"use the name `{service.name}`, which is looked up when it is needed",
        )


@check("DISC008")
def service_links_bloat(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A pod that gets variables of very many Services."""
    limit = ctx.option("services", _MANY_SERVICES)
    count = sum(map(makes_variables, ctx.cluster.services_in(workload.namespace)))
    if count <= limit or not has_service_links(workload) or workload.pod_spec is None:
        return
    yield ctx.report(
        workload,
        primary=ctx.near(workload, *workload.spec_path, "enableServiceLinks"),
        message=f"every container gets variables of {count} Services, at least {7 * count} in all",
        help="set `enableServiceLinks: false` where nothing reads them",
        fix=_without_links(ctx, workload),
    )


@check("DISC013")
def env_var_reference_undefined(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A `$(NAME)` that stays in the text as it is."""
    if workload.replicas == 0:
        return  # a base that variants fill in and scale up
    linked: dict[str, str] | None = None
    for around in _of(workload, ctx):
        places: dict[str, int] = {}
        for variable in around.environment.variables:
            places.setdefault(variable.name, -1 if variable.index is None else variable.index)
        for use in around.uses:
            if use.is_shell or "." in use.name:
                continue
            index = places.get(use.name)
            if index is not None and (use.index is None or index < use.index):
                continue
            if index is None and (not around.environment.is_whole or _is_of_unknown_service(use.name, workload, ctx)):
                continue
            if _is_set_by_controller(use.name, workload):
                continue
            linked = linked_variables(ctx.cluster, workload) if linked is None else linked
            if use.name in linked or (index is None and _may_be_linked(use.name, workload, ctx)):
                continue
            yield _undefined(ctx, around, use, index)


def _is_set_by_controller(name: str, workload: Workload) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in _BY_CONTROLLERS.get((workload.group, workload.kind), ()))


def _is_of_unknown_service(name: str, workload: Workload, ctx: Context) -> bool:
    """Whether a variable has the form of a Service's, and no Service in sight tells whether it is set."""
    match = _OF_SERVICE.match(name)
    if match is None or match["prefix"] == _KUBERNETES or not has_service_links(workload):
        return match is not None
    return _linked(ctx.once(services_by_prefix), match["prefix"], workload) is None


def _may_be_linked(name: str, workload: Workload, ctx: Context) -> bool:
    """Whether a Service that is not in sight may set a variable."""
    if not has_service_links(workload) or _OF_LINK.match(name) is None:
        return False
    return is_open_to(ctx, workload.namespace or "") or not ctx.cluster.services_in(workload.namespace)


def _undefined(ctx: Context, around: Surroundings, use: Use, index: int | None) -> Diagnostic:
    name, container = use.name, around.container
    if index is None:
        what = f"`{container.name}` has no variable {name}"
        return ctx.report(
            use.resource,
            *use.path,
            primary=_at(use),
            message=f"{what}, so `$({name})` stays in the text as it is",
            severity=None if ctx.unit.is_complete_in(use.resource.namespace) else Severity.NOTE,
            confidence=None if ctx.unit.is_complete_in(use.resource.namespace) else Confidence.LOW,
            help=f"declare {name} in `env` above, or write `$$({name})` if the text is meant",
        )
    itself = index == use.index
    what = "is the variable itself" if itself else "is declared further down"
    return ctx.report(
        use.resource,
        *use.path,
        primary=_at(use),
        message=f"{name} {what}, so `$({name})` stays in the text as it is",
        related=[ctx.location(around.workload, *container.path, "env", index, "name", label="declared here")],
        help=f"write the value of {name} here" if itself else f"declare {name} above the variable that uses it",
    )
