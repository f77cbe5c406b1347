"""How a pod resolves names: dnsPolicy and dnsConfig, and the names that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from k8snetlint.analysis.routing import find_service, service_name
from k8snetlint.analysis.statements import Statement, statements_of
from k8snetlint.diagnostic import Confidence, Diagnostic, Location, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.values import integer_of, is_placeholder, items_of, text_of, texts_of
from k8snetlint.model.workloads import Workload
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Path

from .choices import no_such_choice
from .edits import with_entry

POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
# Source: Kubernetes validation, validatePodDNSConfig.
_MOST_NAMESERVERS = 3
_MOST_SEARCHES = 32
_LONGEST_SEARCHES = 2048
# From this version on, a search domain may hold underscores, or be a dot alone. Source: KEP 4427.
_RELAXED_SEARCHES = (1, 33)
_NAME = re.compile(r"[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*\.?\Z|\.\Z")
# What is compared, not connected to.
_IDENTITIES = re.compile(r"issuer|audience|cert-?sans?|server-?name", re.IGNORECASE)
_DEFAULT_NDOTS = 5
_DNS_PORT = 53


def _policy(workload: Workload) -> str:
    return workload.dns_policy or "ClusterFirst"


def cluster_names(cluster: Cluster, settings: Settings) -> Mapping[int, tuple[Statement, ...]]:
    """The names of Services that each workload uses, by the workload's `id`: those in sight, or written down to `svc`."""
    found: dict[int, list[Statement]] = {}
    for statement in statements_of(cluster, settings):
        host, workload = statement.mention.host, statement.workload
        name = service_name(host, workload.namespace or "", settings.cluster.dns_domain)
        is_itself = name is not None and name.name == workload.name and not name.is_qualified
        if name is None or is_itself or is_placeholder(host) or _IDENTITIES.search(statement.key):
            continue
        # The API server's own names stand in lists of certificate names and in look-ups that test a resolver.
        if name.name == "kubernetes" and statement.mention.form not in ("url", "pair"):
            continue
        if name.is_qualified or find_service(cluster, name) is not None:
            found.setdefault(id(workload), []).append(statement)
    return {key: tuple(statements) for key, statements in found.items()}


def _used_names(workload: Workload, ctx: Context) -> tuple[Statement, ...]:
    aliases = {
        hostname
        for alias in items_of(workload.root.get(*workload.spec_path, "hostAliases"))
        for hostname in texts_of(alias.get("hostnames"))
    }
    found = ctx.once(cluster_names).get(id(workload), ())
    return tuple(statement for statement in found if statement.mention.host not in aliases)


@check("DNS001")
def dns_policy_invalid(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A policy that does not exist."""
    policy = workload.dns_policy
    if policy is None or policy in POLICIES or is_placeholder(policy):
        return
    yield no_such_choice(ctx, workload, *workload.spec_path, "dnsPolicy", value=policy, choices=POLICIES)


@check("DNS002")
def host_network_dns_policy(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A pod on the node's network that resolves names as the node does, without having asked for it."""
    if not workload.host_network or _policy(workload) != "ClusterFirst":
        return
    used = _used_names(workload, ctx)
    path = (*workload.spec_path, "dnsPolicy")
    wanted = "ClusterFirstWithHostNet"
    if workload.dns_policy is not None:
        edit = ctx.replace(workload, *path, text=wanted)
    else:
        edit = with_entry(workload, *workload.spec_path, "hostNetwork", entry=f"dnsPolicy: {wanted}")
    what = f"so `{used[0].mention.host}` does not resolve" if used else "which knows no Service of the cluster"
    yield ctx.report(
        workload,
        *(path if workload.dns_policy is not None else (*workload.spec_path, "hostNetwork")),
        message=f"with hostNetwork, dnsPolicy ClusterFirst means the node's own resolver, {what}",
        severity=None if used else Severity.NOTE,
        confidence=None if used else Confidence.LOW,
        related=[Location(used[0].place, "asked for here")] if used else (),
        help=f"set `dnsPolicy: {wanted}`" + ("" if used else ", or `Default` if the node's resolver is meant"),
        fix=ctx.fix(f"Set dnsPolicy to {wanted}", edit),
    )


@check("DNS003")
def dns_config_required(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A pod that is to resolve names by its own settings, and has none."""
    nameservers = workload.root.get(*workload.spec_path, "dnsConfig", "nameservers")
    if workload.dns_policy == "None" and not items_of(nameservers):
        yield ctx.report(
            workload,
            *workload.spec_path,
            "dnsPolicy",
            message="dnsPolicy None needs at least one of `dnsConfig.nameservers`: the API server rejects the pod",
            help="add `dnsConfig.nameservers`, or remove dnsPolicy",
        )


@check("DNS004")
def dns_config_invalid(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """Settings of the resolver that the API server refuses."""
    path = (*workload.spec_path, "dnsConfig")
    config = workload.root.get(*path)
    if config is None or not config.is_mapping:
        return
    for at, is_key, fault, remedy in _config_faults(workload, path, ctx.settings.kube_version):
        yield ctx.report(workload, *at, key=is_key, message=f"{fault}: the API server rejects the pod", help=remedy)


def _config_faults(workload: Workload, path: Path, version: tuple[int, int]) -> Iterator[tuple[Path, bool, str, str]]:
    get = workload.root.get
    servers = items_of(get(*path, "nameservers"))
    if len(servers) > _MOST_NAMESERVERS:
        fault = f"it has {len(servers)} nameservers, and {_MOST_NAMESERVERS} are allowed"
        yield (*path, "nameservers"), True, fault, f"keep {_MOST_NAMESERVERS} of them"
    for index, node in enumerate(servers):
        text = text_of(node)
        if text is not None and not is_placeholder(text) and not _is_address(text):
            at = (*path, "nameservers", index)
            yield at, False, f"nameserver `{text}` is no IP address", "write the address of the resolver, not its name"
    searches = texts_of(get(*path, "searches"))
    if len(searches) > _MOST_SEARCHES:
        fault = f"it has {len(searches)} search domains, and {_MOST_SEARCHES} are allowed"
        yield (*path, "searches"), True, fault, f"keep {_MOST_SEARCHES} of them"
    elif len(" ".join(searches)) > _LONGEST_SEARCHES:
        fault = f"the search domains have more than {_LONGEST_SEARCHES} characters together"
        yield (*path, "searches"), True, fault, "shorten the list"
    for index, search in enumerate(searches):
        at = (*path, "searches", index)
        if is_placeholder(search):
            continue
        if not _NAME.match(search):
            yield at, False, f"search domain `{search}` is no DNS name", "write a lower-case DNS name"
        elif version < _RELAXED_SEARCHES and ("_" in search or search == "."):
            since = f"{_RELAXED_SEARCHES[0]}.{_RELAXED_SEARCHES[1]}"
            yield at, False, f"search domain `{search}` is allowed since Kubernetes {since} only", "leave it out"
    for index, option in enumerate(items_of(get(*path, "options"))):
        if option.is_mapping and not text_of(option.get("name")):
            # An entry without its name has at best a value to point at.
            at = (*path, "options", index, "value") if option.get("value") is not None else (*path, "options", index)
            yield at, False, "an option of the resolver has no name", "add `name`, for example `ndots`"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@check("DNS005")
def dns_ndots_default(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A pod whose resolver tries every search domain first."""
    if _policy(workload) not in ("ClusterFirst", "ClusterFirstWithHostNet") or workload.pod_spec is None:
        return
    if workload.host_network and _policy(workload) == "ClusterFirst":
        return
    path = (*workload.spec_path, "dnsConfig", "options")
    ndots: int | None = None
    for option in items_of(workload.root.get(*path)):
        if text_of(option.get("name")) == "ndots":
            text = text_of(option.get("value")) or ""
            ndots = int(text) if text.isdigit() else integer_of(option.get("value"))
    if ndots is None or ndots >= _DEFAULT_NDOTS:
        yield ctx.report(
            workload,
            primary=ctx.near(workload, *path),
            message=f"names with fewer than {ndots or _DEFAULT_NDOTS} dots are tried with every search domain first",
            help="set the option `ndots` to 2 if the pod talks to names outside, or end those names with a dot",
        )


@check("DNS006")
def dns_default_policy_uses_cluster_names(workload: Workload, ctx: Context) -> Iterator[Diagnostic]:
    """A name of a Service for a resolver outside the cluster."""
    policy = _policy(workload)
    # A DNS server does not ask itself.
    if policy not in ("Default", "None") or any(port.number == _DNS_PORT for port in workload.ports):
        return
    servers = texts_of(workload.root.get(*workload.spec_path, "dnsConfig", "nameservers"))
    if policy == "None" and not (servers and all(map(_is_public, servers))):
        return
    seen = set()
    for statement in _used_names(workload, ctx):
        host = statement.mention.host
        if host in seen:
            continue
        seen.add(host)
        name = service_name(host, workload.namespace or "", ctx.settings.cluster.dns_domain)
        is_sure = name is not None and name.is_qualified and not servers
        yield ctx.report(
            statement.resource,
            *statement.path,
            primary=Location(statement.place, "asked for here"),
            message=f"{workload} asks for the Service `{host}`, but dnsPolicy {policy} does not use the cluster's DNS",
            severity=None if is_sure or policy == "None" else Severity.WARNING,
            confidence=None if is_sure or policy == "None" else Confidence.MEDIUM,
            related=[ctx.location(workload, *workload.spec_path, "dnsPolicy", label="set here")],
            help="remove dnsPolicy"
            + (", or use ClusterFirstWithHostNet with hostNetwork" if workload.host_network else ""),
        )


def _is_public(address: str) -> bool:
    return _is_address(address) and ip_address(address).is_global
