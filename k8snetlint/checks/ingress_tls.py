"""TLS of Ingresses: whether there is any, and the Secrets with the certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.secrets import Secret
from k8snetlint.model.values import is_placeholder, items_of, text_of
from k8snetlint.settings import Settings
from k8snetlint.source.tree import Path

from .ingress_controllers import NGINX_PREFIX
from .missing_services import are_together, near_name
from .words import listed

TLS_KEYS = ("tls.crt", "tls.key")
ISSUER_ANNOTATIONS = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer", "kubernetes.io/tls-acme")
# Custom kinds that make a Secret, and where they name it; else it has their own name.
_SECRET_MAKERS: Mapping[tuple[str, str], Path] = {
    ("cert-manager.io", "Certificate"): ("spec", "secretName"),
    ("external-secrets.io", "ExternalSecret"): ("spec", "target", "name"),
    ("bitnami.com", "SealedSecret"): ("spec", "template", "metadata", "name"),
    ("secrets.hashicorp.com", "VaultStaticSecret"): ("spec", "destination", "name"),
    ("secrets.hashicorp.com", "VaultPKISecret"): ("spec", "destination", "name"),
    ("secrets.infisical.com", "InfisicalSecret"): ("spec", "managedSecretReference", "secretName"),
    ("onepassword.com", "OnePasswordItem"): ("metadata", "name"),
    ("kubernetes-client.io", "ExternalSecret"): ("metadata", "name"),
}


def made_secrets(cluster: Cluster, _settings: Settings) -> frozenset[tuple[str | None, str]]:
    """Namespace and name of the Secrets that objects of the unit make."""
    found: set[tuple[str | None, str]] = set()
    for (group, kind), path in _SECRET_MAKERS.items():
        for resource in cluster.of_kind(group, kind):
            found.add((resource.namespace, text_of(resource.root.get(*path)) or resource.name))
    return frozenset(found)


def secret_names(cluster: Cluster, _settings: Settings) -> Mapping[str | None, tuple[str, ...]]:
    """The names of the Secrets of each namespace, in order."""
    found: dict[str | None, set[str]] = {}
    for secret in cluster.all_of(Secret):
        found.setdefault(secret.namespace, set()).add(secret.name)
    return {namespace: tuple(sorted(names)) for namespace, names in found.items()}


def is_issued(ingress: Resource) -> bool:
    """Whether cert-manager makes the Secrets that an Ingress names under TLS."""
    return any(key.startswith("cert-manager.io/") or key in ISSUER_ANNOTATIONS for key in ingress.annotations)


def tls_secrets(ingress: Ingress) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """The Secrets of the TLS entries: the path of the name, the name, and the hosts of the entry."""
    for index, entry in enumerate(items_of(ingress.root.get("spec", "tls"))):
        name = text_of(entry.get("secretName"))
        if name and not is_placeholder(name):
            hosts = tuple(text_of(host) or "" for host in items_of(entry.get("hosts")))
            yield ("spec", "tls", index, "secretName"), name, hosts


def missing_secret(ctx: Context, namespace: str | None, name: str) -> tuple[str | None, Confidence] | None:
    """For a Secret that is not in the unit: the name that is meant, if one is near, and how sure that is."""
    if ctx.cluster.find("", "Secret", namespace, name) is not None:
        return None
    if (namespace, name) in ctx.once(made_secrets):
        return None
    if any(fnmatchcase(f"{namespace}/{name}", pattern) for pattern in ctx.settings.external.secrets):
        return None
    near = near_name(name, ctx.once(secret_names).get(namespace, ()))
    return near, Confidence.MEDIUM if near else Confidence.LOW


@check("ING020")
def ingress_no_tls(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An Ingress without TLS."""
    tls = ingress.root.get("spec", "tls")
    if tls is not None and (tls.items or is_placeholder(tls.value)):
        return
    yield ctx.report(
        ingress,
        primary=ctx.near(ingress, "spec"),
        message="the Ingress has no TLS: requests reach the controller as plain HTTP",
        help="add `tls` with the hosts and a Secret, if TLS does not end before the controller",
    )


@check("ING024")
def ingress_tls_secret_not_found(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A certificate's Secret that the unit does not hold."""
    if is_issued(ingress):
        return
    seen: set[str] = set()
    for path, name, _ in tls_secrets(ingress):
        missing = missing_secret(ctx, ingress.namespace, name)
        if missing is None or name in seen:
            continue
        seen.add(name)
        near, confidence = missing
        yield ctx.report(
            ingress,
            *path,
            message=f"there is no Secret `{name}` in namespace `{ingress.namespace}`"
            + (f"; did you mean `{near}`?" if near else " here: without it the default certificate is served"),
            confidence=confidence,
            help=f"write `{near}`" if near else "see that something makes the Secret, or add it to `external.secrets`",
        )


@check("ING025")
def ingress_tls_secret_wrong_type(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A Secret under TLS that holds no certificate and key."""
    seen: set[str] = set()
    for path, name, _ in tls_secrets(ingress):
        secret = ctx.cluster.find("", "Secret", ingress.namespace, name)
        if not isinstance(secret, Secret) or name in seen or any(map(is_placeholder, secret.keys)):
            continue
        seen.add(name)
        lost = [key for key in TLS_KEYS if key not in secret.keys]
        is_empty = not secret.keys
        if lost:
            yield ctx.report(
                ingress,
                *path,
                message=f"the Secret `{name}` has no {listed(lost, 'or')}: the controller serves its default certificate",
                severity=Severity.NOTE if is_empty or (ingress.namespace, name) in ctx.once(made_secrets) else None,
                confidence=Confidence.MEDIUM if is_empty else None,
                related=[ctx.location(secret, "metadata", "name", label=f"lacks {lost[0]}")],
                help="make the Secret by `kubectl create secret tls`, with `tls.crt` and `tls.key`",
            )
        elif secret.type != "kubernetes.io/tls" and not is_placeholder(secret.type):
            yield ctx.report(
                ingress,
                *path,
                message=f"the Secret `{name}` holds certificate and key, but is of type `{secret.type or 'Opaque'}`",
                severity=Severity.NOTE,
                related=[ctx.location(secret, "metadata", "name", label="of another type")],
                help="write `type: kubernetes.io/tls`, by which the API server checks that both keys are there",
            )


Claims = Mapping[tuple[str, str | None, str], tuple[tuple[Ingress, Path, str], ...]]


def tls_claims(cluster: Cluster, _settings: Settings) -> Claims:
    """By class, namespace and host: the Ingresses that name a Secret for it, with path and Secret."""
    found: dict[tuple[str, str | None, str], list[tuple[Ingress, Path, str]]] = {}
    for ingress in cluster.all_of(Ingress):
        for path, name, hosts in tls_secrets(ingress):
            for host in hosts:
                key = (ingress.class_name or "", ingress.namespace, host.lower())
                found.setdefault(key, []).append((ingress, path, name))
    return {key: tuple(claims) for key, claims in found.items()}


@check("ING026")
def ingress_tls_host_two_secrets(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A host for which an earlier TLS entry names another Secret."""
    claims = ctx.once(tls_claims)
    for path, name, hosts in tls_secrets(ingress):
        for host in hosts:
            if not host or is_placeholder(host):
                continue
            first, first_path, first_name = claims[ingress.class_name or "", ingress.namespace, host.lower()][0]
            is_twin = first is not ingress and first.name == ingress.name
            if first_name == name or is_twin:
                continue
            yield ctx.report(
                ingress,
                *path,
                message=(
                    f"the Secrets `{first_name}` and `{name}` are both named for host `{host}`:"
                    " which certificate is served is not defined"
                ),
                severity=None if are_together(ctx, first, ingress) else Severity.NOTE,
                related=[ctx.location(first, *first_path, label="the other Secret")],
                help="name the same Secret for the host everywhere",
            )
            break


@check("ING056")
def cert_manager_annotation_without_tls(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An issuer for an Ingress that names no Secret to put the certificate into."""
    key = next((name for name in ISSUER_ANNOTATIONS[:2] if ingress.annotations.get(name)), None)
    if key is None and ingress.annotations.get(ISSUER_ANNOTATIONS[2]) == "true":
        key = ISSUER_ANNOTATIONS[2]
    tls = ingress.root.get("spec", "tls")
    if key is None or (tls is not None and not tls.is_sequence and tls.value is not None):
        return
    where: Path = ("metadata", "annotations", key)
    entries = items_of(tls)
    if not entries:
        yield ctx.report(
            ingress,
            *where,
            key=True,
            message=f"annotation `{key}` asks for a certificate, but without `spec.tls` cert-manager makes none",
            help="add `tls` with the hosts, and the name of the Secret that cert-manager is to make",
        )
    for index, entry in enumerate(entries):
        lost = [f for f in ("secretName", "hosts") if entry.get(f) is None or entry.at(f).value in (None, "", [])]
        if entry.is_mapping and lost:
            yield ctx.report(
                ingress,
                "spec",
                "tls",
                index,
                message=f"the TLS entry has no {listed(lost, 'or')}, so cert-manager makes no certificate for it",
                related=[ctx.location(ingress, *where, key=True, label="asks for a certificate")],
                help="name both the hosts and the Secret that cert-manager is to make",
            )


@check("ING044")
def nginx_auth_secret_not_found(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A Secret of an authentication annotation that the unit does not hold."""
    for suffix in ("auth-secret", "auth-tls-secret", "proxy-ssl-secret"):
        key = f"{NGINX_PREFIX}{suffix}"
        value = ingress.annotations.get(key)
        if not value or is_placeholder(value):
            continue
        namespace, _, name = value.rpartition("/")
        missing = missing_secret(ctx, namespace or ingress.namespace, name)
        if missing is None:
            continue
        near, confidence = missing
        yield ctx.report(
            ingress,
            "metadata",
            "annotations",
            key,
            message=f"there is no Secret `{name}` in namespace `{namespace or ingress.namespace}`"
            + (f"; did you mean `{near}`?" if near else " here: without it every request is refused"),
            confidence=confidence,
            help=f"write `{near}`" if near else "see that something makes the Secret, or add it to `external.secrets`",
        )
