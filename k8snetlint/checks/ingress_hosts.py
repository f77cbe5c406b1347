"""Hosts of Ingresses: what is no host, and how the hosts of rules and of TLS fit together."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from difflib import get_close_matches

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.source.tree import Path

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
NGINX = "nginx.ingress.kubernetes.io/"


def written_hosts(ingress: Ingress) -> Iterator[tuple[Path, str]]:
    """Every host of the rules and of TLS that is written, with its path."""
    for index, rule in enumerate(items_of(ingress.root.get("spec", "rules"))):
        host = text_of(rule.get("host"))
        if host:
            yield ("spec", "rules", index, "host"), host
    for index, entry in enumerate(items_of(ingress.root.get("spec", "tls"))):
        for position, node in enumerate(items_of(entry.get("hosts"))):
            host = text_of(node)
            if host:
                yield ("spec", "tls", index, "hosts", position), host


@check("ING010")
def ingress_host_invalid(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A host that is no DNS name, or a wildcard of another form than `*.domain`."""
    for path, host in written_hosts(ingress):
        fault = None if is_placeholder(host) else host_fault(host)
        if fault is None:
            continue
        plain = _plain_host(host)
        yield ctx.report(
            ingress,
            *path,
            message=f"the API server rejects host `{host}`: it {fault}",
            help=f"write `{plain}`" if plain else "write a lower-case DNS name, or `*.` and one",
            fix=ctx.fix(f"Write {plain}", ctx.replace(ingress, *path, text=_written(plain))) if plain else None,
        )


def _written(host: str) -> str:
    """A host as YAML writes it: one that begins with `*` would be an alias."""
    return f'"{host}"' if host.startswith("*") else host


def host_fault(host: str) -> str | None:
    """What keeps a host from being one of an Ingress; None if nothing does. Source: validation of networking/v1."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return "is an address, not a DNS name"
    rest = host.removeprefix("*.")
    if _SUBDOMAIN.fullmatch(rest) and len(host) <= 253:
        return None
    if "*" in rest:
        return "may hold `*` only as its whole first label, before a domain"
    if "://" in host:
        return "has a scheme"
    if re.fullmatch(r"[^:]+:\d+", host):
        return "has a port"
    if "/" in host:
        return "has a path"
    if host != host.lower() and _SUBDOMAIN.fullmatch(rest.lower()):
        return "has upper-case letters"
    return "is no DNS name: labels of lower-case letters, digits and dashes, joined by dots"


def _plain_host(host: str) -> str | None:
    """The host without scheme, port, trailing dot or slash, in lower case; None if that is not one either."""
    plain = re.sub(r"^https?://", "", host.lower()).rstrip("/")
    plain = re.sub(r":\d+$", "", plain).rstrip(".")
    return plain if plain != host and host_fault(plain) is None and not plain.isdigit() else None


@check("ING027")
def ingress_wildcard_host(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A rule for every name below a domain."""
    for path, host in rule_hosts(ingress):
        if host.startswith("*"):
            yield ctx.report(
                ingress,
                *path,
                message=f"host `{host}` takes the requests for every name directly below `{host.removeprefix('*.')}`",
                help="name the hosts that are meant",
            )


@check("ING028")
def ingress_empty_host(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A rule that names no host."""
    for index, rule in enumerate(items_of(ingress.root.get("spec", "rules"))):
        host = rule.get("host")
        if rule.is_mapping and (host is None or host.value in (None, "")):
            yield ctx.report(
                ingress,
                primary=ctx.location(ingress, "spec", "rules", index),
                message="the rule names no host, so it takes the requests for every host that no other rule names",
                help="name the host that is meant",
            )


def rule_hosts(ingress: Ingress) -> list[tuple[Path, str]]:
    """The hosts of the rules with their paths, in order; a host of several rules once."""
    found: dict[str, Path] = {}
    for path, host in written_hosts(ingress):
        if path[1] == "rules":
            found.setdefault(host, path)
    return [(path, host) for host, path in found.items()]


def tls_hosts(ingress: Ingress) -> list[tuple[Path, str]]:
    """The hosts of the TLS entries with their paths, in order."""
    return [(path, host) for path, host in written_hosts(ingress) if path[1] == "tls"]


def covers(certificate: str, host: str) -> bool:
    """Whether a host of TLS covers the host of a rule: the same, or a wildcard over its first label."""
    certificate, host = certificate.lower(), host.lower()
    if certificate == host:
        return True
    return certificate.startswith("*.") and host.partition(".")[2] == certificate[2:] and not host.startswith("*")


def _too_shallow(certificate: str, host: str) -> bool:
    """Whether a wildcard's domain holds the host, but not one label below it."""
    if not certificate.startswith("*.") or covers(certificate, host):
        return False
    return host == certificate[2:] or host.removeprefix("*.").endswith(certificate[1:])


@check("ING021")
def ingress_tls_host_not_routed(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A host of TLS that no rule routes."""
    rules = [host for _, host in rule_hosts(ingress)]
    has_catch_all = ingress.default_backend is not None or any(not path.host for path in ingress.paths)
    if not rules or has_catch_all or any(map(is_placeholder, rules)):
        return
    aliases = ingress.annotations.get(f"{NGINX}server-alias", "").replace(",", " ").split()
    redirects = ingress.annotations.get(f"{NGINX}from-to-www-redirect") == "true"
    certificates = [host for _, host in tls_hosts(ingress)]
    for path, host in tls_hosts(ingress):
        www = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
        if is_placeholder(host) or host in aliases or (redirects and www in rules):
            continue
        if any(covers(host, rule) or covers(rule, host) or _too_shallow(host, rule) for rule in rules):
            continue
        without = [rule for rule in rules if not any(covers(other, rule) for other in certificates)]
        near = get_close_matches(host, without, 1, 0.8)
        is_extra = not near and not without
        hint = f"did you mean `{near[0]}`?" if near else "its rules name others"
        yield ctx.report(
            ingress,
            *path,
            message=f"TLS host `{host}` has no rule in this Ingress; {hint}",
            severity=Severity.NOTE if is_extra else None,
            confidence=Confidence.LOW if is_extra else None,
            label="routed nowhere",
            related=[
                ctx.location(ingress, *rule_path, label="host of a rule") for rule_path, _ in rule_hosts(ingress)[:3]
            ],
            help=f"write `{near[0]}`" if near else "add a rule for the host, or remove it from TLS",
            fix=ctx.fix(f"Use the rule's host {near[0]}", ctx.replace(ingress, *path, text=_written(near[0])))
            if near
            else None,
        )


@check("ING022")
def ingress_rule_host_without_tls(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A host of a rule that no TLS entry covers, though the Ingress uses TLS."""
    entries = items_of(ingress.root.get("spec", "tls"))
    if not entries or any(not items_of(entry.get("hosts")) for entry in entries):
        return
    certificates = [host for _, host in tls_hosts(ingress)]
    if any(map(is_placeholder, certificates)):
        return
    for path, host in rule_hosts(ingress):
        if is_placeholder(host) or any(covers(other, host) or _too_shallow(other, host) for other in certificates):
            continue
        yield ctx.report(
            ingress,
            *path,
            message=f"no TLS entry covers host `{host}`: its clients get the controller's default certificate",
            label="not under TLS",
            related=[ctx.location(ingress, *tls_path, label="host of TLS") for tls_path, _ in tls_hosts(ingress)[:3]],
            help="add the host to `tls[].hosts`, or route it in an Ingress without TLS",
        )


@check("ING023")
def ingress_wildcard_tls_depth(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A wildcard of TLS above a rule's host that is not exactly one label deep."""
    certificates = tls_hosts(ingress)
    for path, host in rule_hosts(ingress):
        if is_placeholder(host) or any(covers(other, host) for _, other in certificates):
            continue
        above = next(((where, other) for where, other in certificates if _too_shallow(other, host)), None)
        if above is None:
            continue
        where, wildcard = above
        yield ctx.report(
            ingress,
            *path,
            message=(
                f"TLS host `{wildcard}` does not cover `{host}`: a wildcard stands for exactly one label,"
                " so clients refuse the certificate"
            ),
            related=[ctx.location(ingress, *where, label="covers one label")],
            help=f"add `{host}` to `tls[].hosts`, with a certificate for it",
        )
