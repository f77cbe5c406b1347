"""Services that ask for a load balancer: who reaches it, and what the provider makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from k8snetlint.diagnostic import Confidence, Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder, items_of, text_of

from .cloud_annotations import allowed_values, is_internal, is_known, known_keys, prefix_of
from .words import listed


def _field(service: Service, name: str) -> str | None:
    return text_of(service.root.get("spec", name))


def _is_internal(service: Service) -> bool:
    return any(is_internal(key, value) for key, value in service.annotations.items())


@check("SVC026")
def load_balancer_open_to_internet(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A load balancer that nothing keeps to some clients."""
    if service.type != "LoadBalancer" or _is_internal(service) or _field(service, "loadBalancerClass"):
        return
    ranges = service.root.get("spec", "loadBalancerSourceRanges")
    if items_of(ranges) or "service.beta.kubernetes.io/load-balancer-source-ranges" in service.annotations:
        return
    yield ctx.report(
        service,
        "spec",
        "type",
        message="asks for a load balancer without source ranges, class or a provider's mark that it is internal: most"
        " providers open it to the whole internet",
        help="set `loadBalancerSourceRanges`, or the provider's annotation for an internal load balancer",
    )


@check("SVC031")
def load_balancer_ip_deprecated(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A field that providers need not read."""
    if _field(service, "loadBalancerIP"):
        yield ctx.report(
            service,
            "spec",
            "loadBalancerIP",
            key=True,
            message="loadBalancerIP is deprecated since Kubernetes 1.24: a provider may ignore it, and it holds one address"
            " only",
            help="use the provider's annotation for the address",
        )


@check("SVC035")
def local_traffic_policy_sparse_pods(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """Traffic that is dropped on every node without a pod."""
    for field in ("internalTrafficPolicy", "externalTrafficPolicy"):
        if _field(service, field) != "Local":
            continue
        backends = ctx.cluster.backends(service)
        if not backends or any(workload.kind not in ("Deployment", "ReplicaSet") for workload in backends):
            continue
        # A load balancer asks the nodes which of them has a pod.
        is_asked = field == "externalTrafficPolicy" and service.type == "LoadBalancer"
        source = "outside" if field == "externalTrafficPolicy" else "a pod"
        yield ctx.report(
            service,
            "spec",
            field,
            message=f"traffic from {source} that meets a node without a pod of `{backends[0].name}` is dropped there",
            confidence=Confidence.LOW if is_asked else None,
            related=[ctx.location(backends[0], "kind", label="not on every node")],
            help="use a DaemonSet, spread the pods over all nodes, or set the policy to Cluster",
        )


@check("SVC061")
def load_balancer_mixed_protocols(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A load balancer for two protocols."""
    protocols = sorted({port.protocol for port in service.ports if not is_placeholder(port.protocol)})
    if service.type == "LoadBalancer" and len(protocols) > 1:
        other = next(port for port in service.ports if port.protocol != service.ports[0].protocol)
        yield ctx.report(
            service,
            *other.path,
            "protocol" if service.root.get(*other.path, "protocol") is not None else "port",
            message=f"one load balancer for {' and '.join(protocols)}: several providers reject the Service",
            related=[ctx.location(service, *service.ports[0].path, "port", label="other protocol")],
            help="use a Service for each protocol, unless the provider takes both",
        )


@check("SVC071")
def cloud_lb_annotation_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """An annotation for a provider's load balancer that no provider reads, or whose value it does not know."""
    for key, value in service.annotations.items():
        path = ("metadata", "annotations", key)
        if is_known(key):
            allowed = allowed_values(key)
            if allowed and value not in allowed and value.lower() not in allowed and not is_placeholder(value):
                near = get_close_matches(value, allowed, 1)
                yield ctx.report(
                    service,
                    *path,
                    message=f"`{key}` is `{value}`, which is not one of {listed(allowed, 'or')}",
                    help=f"write `{near[0]}`" if near else "write one of them",
                    fix=ctx.fix(f"Write {near[0]}", ctx.replace(service, *path, text=_quoted(near[0])))
                    if near
                    else None,
                )
            continue
        near_key = _near_key(key)
        if near_key is not None or prefix_of(key) is not None:
            yield ctx.report(
                service,
                *path,
                key=True,
                message=f"no provider reads the annotation `{key}`, so it has no effect"
                + (f"; did you mean `{near_key}`?" if near_key else ""),
                severity=None if near_key else Severity.NOTE,
                confidence=None if near_key else Confidence.LOW,
                help=f"write `{near_key}`" if near_key else "look up the provider's annotations",
            )


def _near_key(key: str) -> str | None:
    """The known key that is meant: the same name under another prefix, or one that is close to it."""
    name = key.rpartition("/")[2]
    if name.startswith(("aws-load-balancer-", "azure-load-balancer-")):
        same = [known for known in known_keys() if known.rpartition("/")[2] == name]
        if same:
            return same[0] if "kubernetes.io/" in key else None
    prefix = prefix_of(key)
    if prefix is None:
        return None
    close = get_close_matches(key, [known for known in known_keys() if known.startswith(prefix)], 1, 0.93)
    return close[0] if close else None


def _quoted(value: str) -> str:
    return f'"{value}"' if value in ("true", "false", "*") or value.isdigit() else value
