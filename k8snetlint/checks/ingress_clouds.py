"""Ingresses and the clouds and add-ons around them: load balancers, issuers, DNS records, admin interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8snetlint.diagnostic import Confidence, Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.core import Resource
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder
from k8snetlint.settings import Settings

from .ingress_backends import named_backends
from .ingress_controllers import ALB, GCE, NGINX_PREFIX, controller_of
from .missing_services import near_name, service_of

_TARGET_TYPE = "alb.ingress.kubernetes.io/target-type"
_HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
# Names of Services that are the administration of something, and safe for few.
_ADMIN = (
    "kubernetes-dashboard",
    "kubernetes-dashboard-kong-proxy",
    "etcd",
    "argocd-server",
    "argo-server",
    "kibana",
    "jenkins",
    "phpmyadmin",
    "pgadmin",
    "adminer",
    "mongo-express",
    "redis-commander",
    "centraldashboard",
    "weave-scope-app",
    "longhorn-frontend",
    "hubble-ui",
    "kiali",
    "tekton-dashboard",
    "minio-console",
    "prometheus",
    "prometheus-server",
    "alertmanager",
    "consul-ui",
    "rabbitmq-management",
)
_AUTHENTICATION = ("auth-url", "auth-secret", "auth-signin", "auth-tls-secret", "whitelist-source-range")


@check("ING053")
def alb_instance_target_needs_node_port(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend without node port, for a load balancer that sends to nodes."""
    if controller_of(ingress, ctx)[0] != ALB or ctx.cluster.of_kind("elbv2.k8s.aws", "IngressClassParams"):
        return
    target = ingress.annotations.get(_TARGET_TYPE, "instance")
    if target != "instance":
        return
    default = "" if _TARGET_TYPE in ingress.annotations else ", the default"
    for backend, name in named_backends(ingress):
        service = service_of(ctx, ingress.namespace, name)
        if service is None or service.type != "ClusterIP" or _TARGET_TYPE in service.annotations:
            continue
        yield ctx.report(
            ingress,
            *backend.name_path,
            message=(
                f"the load balancer sends to node ports, by target-type `instance`{default}, but"
                f" Service `{name}` is of type ClusterIP and has none"
            ),
            related=[ctx.location(service, "metadata", "name", label="has no node port")],
            help=f"add the annotation `{_TARGET_TYPE}: ip`, or make the Service a NodePort",
        )


@check("ING054")
def gce_ingress_needs_node_port_or_neg(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """A backend that the load balancer of GCE cannot send to."""
    if controller_of(ingress, ctx)[0] != GCE:
        return
    for backend, name in named_backends(ingress):
        service = service_of(ctx, ingress.namespace, name)
        if service is None or service.type != "ClusterIP" or "cloud.google.com/neg" in service.annotations:
            continue
        yield ctx.report(
            ingress,
            *backend.name_path,
            message=f"backend Service `{name}` has neither a node port nor an endpoint group: GCE refuses it, unless"
            " the cluster is VPC-native",
            related=[ctx.location(service, "metadata", "name", label="of type ClusterIP")],
            help="add the annotation `cloud.google.com/neg: '{\"ingress\": true}'` to the Service",
        )


@check("ING055")
def cert_manager_issuer_not_found(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An issuer that is not there."""
    for key, kind, namespace in (
        ("cert-manager.io/cluster-issuer", "ClusterIssuer", None),
        ("cert-manager.io/issuer", "Issuer", ingress.namespace),
    ):
        name = ingress.annotations.get(key)
        if not name or is_placeholder(name) or ctx.cluster.find("cert-manager.io", kind, namespace, name) is not None:
            continue
        known = [item.name for item in ctx.cluster.of_kind("cert-manager.io", kind) if item.namespace == namespace]
        near = near_name(name, known)
        yield ctx.report(
            ingress,
            "metadata",
            "annotations",
            key,
            message=f"there is no {kind} `{name}` here" + (f"; did you mean `{near}`?" if near else ""),
            confidence=Confidence.MEDIUM if known else Confidence.LOW,
            help=f"write `{near}`" if near else "see that the issuer exists where this is applied",
        )


def dns_names(cluster: Cluster, _settings: Settings) -> Mapping[str, tuple[Resource, ...]]:
    """The objects that ask external-dns for a name by its annotation, by the name."""
    found: dict[str, list[Resource]] = {}
    for resource in cluster.resources:
        for name in resource.annotations.get(_HOSTNAME, "").split(","):
            if name.strip() and not is_placeholder(name):
                found.setdefault(name.strip().rstrip(".").lower(), []).append(resource)
    return {name: tuple(resources) for name, resources in found.items()}


@check("ING057")
def external_dns_hostname_duplicate(resource: Ingress | Service, ctx: Context) -> Iterator[Diagnostic]:
    """A name that another object asks external-dns for as well."""
    if any(key.startswith("external-dns.alpha.kubernetes.io/set-identifier") for key in resource.annotations):
        return
    known = ctx.once(dns_names)
    for written in resource.annotations.get(_HOSTNAME, "").split(","):
        name = written.strip().rstrip(".").lower()
        first = known.get(name, (resource,))[0]
        if first is resource or str(first) == str(resource):
            continue
        yield ctx.report(
            resource,
            "metadata",
            "annotations",
            _HOSTNAME,
            message=f"the DNS name `{name}` is asked for by {first} as well: its record changes between the two",
            related=[ctx.location(first, "metadata", "annotations", _HOSTNAME, label="the same name")],
            help="give each object a name of its own, or set a routing policy with `set-identifier`",
        )


@check("ING058")
def sensitive_service_exposed(ingress: Ingress, ctx: Context) -> Iterator[Diagnostic]:
    """An administration interface behind an Ingress without authentication."""
    if any(f"{NGINX_PREFIX}{suffix}" in ingress.annotations for suffix in _AUTHENTICATION):
        return
    seen: set[str] = set()
    for backend, name in named_backends(ingress):
        if name not in _ADMIN or name in seen:
            continue
        seen.add(name)
        yield ctx.report(
            ingress,
            *backend.name_path,
            message=f"the Ingress offers `{name}` to its clients: interfaces of administration are a common way in",
            help="put authentication before it, or reach it by `kubectl port-forward`",
        )
