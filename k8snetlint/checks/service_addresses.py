"""Addresses of Services: cluster IPs, headless Services, IP families, and ports that two Services claim."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from k8snetlint.diagnostic import Diagnostic, Severity
from k8snetlint.engine import Context, check
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.gateways import Route
from k8snetlint.model.ingresses import Ingress
from k8snetlint.model.services import Service
from k8snetlint.model.values import integer_of, is_placeholder, items_of, text_of, texts_of
from k8snetlint.settings import Settings

from .edits import without_key
from .missing_services import are_together
from .words import listed

FAMILIES = ("IPv4", "IPv6")
FAMILY_POLICIES = ("SingleStack", "PreferDualStack", "RequireDualStack")
# The port of a headless Service that no client dials: what StatefulSets of some charts put there.
_DUMMY_PORTS = frozenset({1, 9, 10811})


@check("SVC038")
def headless_field_ignored(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A field that only a virtual address could honour."""
    if not service.is_headless:
        return
    affinity = text_of(service.root.get("spec", "sessionAffinity"))
    for field, is_set in (
        ("sessionAffinity", affinity == "ClientIP"),
        ("loadBalancerIP", bool(text_of(service.root.get("spec", "loadBalancerIP")))),
        ("externalIPs", bool(items_of(service.root.get("spec", "externalIPs")))),
    ):
        if is_set:
            edit = without_key(service, "spec", field)
            yield ctx.report(
                service,
                "spec",
                field,
                key=True,
                message=f"{field} has no effect on a headless Service: clients connect to the pods themselves",
                help="remove it, or give the Service a cluster IP",
                fix=ctx.fix(f"Remove {field}", edit),
            )


@check("SVC039")
def cluster_ip_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A cluster IP that is no address, or two fields that disagree."""
    if service.is_external_name:
        return
    written = text_of(service.root.get("spec", "clusterIP"))
    several = texts_of(service.root.get("spec", "clusterIPs"))
    for path, text in (
        (("spec", "clusterIP"), written),
        *((("spec", "clusterIPs", index), item) for index, item in enumerate(several)),
    ):
        if text and not is_placeholder(text) and text != "None" and not _is_address(text):
            yield ctx.report(
                service,
                *path,
                message=f"cluster IP `{text}` is neither an address nor `None`",
                help="leave it out, so that the cluster assigns one, or write `None` for a headless Service",
            )
    versions = [ip_address(text).version for text in several if _is_address(text)]
    if len(several) > 2 or ("None" in several and len(several) > 1) or len(versions) > len(set(versions)):
        wrong = (
            "`None` stands alone" if "None" in several else "a Service has two addresses at most, one of each family"
        )
        yield ctx.report(
            service,
            "spec",
            "clusterIPs",
            key=True,
            message=f"clusterIPs has {len(several)} entries: {wrong}",
            help="leave the list out, so that the cluster fills it",
        )
    if written and several and written != several[0] and not is_placeholder(written) and not is_placeholder(several[0]):
        yield ctx.report(
            service,
            "spec",
            "clusterIPs",
            0,
            message=f"the first of clusterIPs is `{several[0]}`, and clusterIP is `{written}`: they have to agree",
            related=[ctx.location(service, "spec", "clusterIP", label="other address")],
            help="keep one of the two fields",
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def cluster_ips(cluster: Cluster, settings: Settings) -> dict[str, list[Service]]:
    """The Services by the cluster IP that they ask for."""
    found: dict[str, list[Service]] = {}
    for service in cluster.services:
        if service.cluster_ip and _is_address(service.cluster_ip):
            found.setdefault(service.cluster_ip, []).append(service)
    return found


@check("SVC041")
def cluster_ip_conflict(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """One cluster IP for two Services."""
    others = ctx.once(cluster_ips).get(service.cluster_ip or "", [])
    if len(others) > 1 and others[0] is not service and others[0].id != service.id:
        first = others[0]
        yield ctx.report(
            service,
            "spec",
            "clusterIP",
            message=f"cluster IP {service.cluster_ip} is {first}'s already",
            severity=None if are_together(ctx, first, service) else Severity.NOTE,
            related=[ctx.location(first, "spec", "clusterIP", label="first here")],
            help="leave it out, so that the cluster assigns one",
        )


@check("SVC042")
def headless_on_node_port_or_lb(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A type that needs a virtual address, without one."""
    if service.is_headless and service.type in ("NodePort", "LoadBalancer"):
        yield ctx.report(
            service,
            "spec",
            "clusterIP",
            message=f"a {service.type} Service cannot be headless: it needs a cluster IP",
            related=[ctx.location(service, "spec", "type", label="needs an address")],
            help="remove `clusterIP: None`, or the type",
        )


def routed_services(cluster: Cluster, settings: Settings) -> frozenset[tuple[str | None, str]]:
    """Namespace and name of the Services that Ingresses and routes name, whatever stands behind them."""
    ingresses = ((each.namespace, backend.service) for each in cluster.all_of(Ingress) for backend in each.backends)
    backends = (
        (backend.namespace or route.namespace, backend.name)
        for route in cluster.all_of(Route)
        for rule in route.rules
        for backend in rule.backends
    )
    return frozenset((namespace, name) for namespace, name in (*ingresses, *backends) if name)


@check("SVC043")
def headless_port_remap(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A port of a headless Service that leads to another one, which nothing does for clients."""
    if not service.is_headless or service.type in ("NodePort", "LoadBalancer"):
        return
    backends = ctx.cluster.backends(service)
    for port in service.ports:
        target = port.target
        if target is None or port.number is None or port.number in _DUMMY_PORTS or is_placeholder(target):
            continue
        if isinstance(target, str):
            numbers = {workload.named_port(target, port.protocol) for workload in backends}
            if len(numbers) != 1 or None in numbers:
                continue
            number = numbers.pop()
        else:
            number = target
        listening = {declared.number for workload in backends for declared in workload.ports}
        if number == port.number or port.number in listening:
            continue
        # Controllers resolve a backend to its endpoints; SRV records name the port that the pods listen on.
        is_led = (service.namespace, service.name) in ctx.once(routed_services) or any(
            other.number == number for other in service.ports
        )
        path = (*port.path, "port")
        yield ctx.report(
            service,
            *path,
            message=(
                f"clients of a headless Service connect to the pods on the port they dial: port {port.number} "
                f"is not led to {number}"
            ),
            severity=Severity.NOTE if is_led else None,
            related=[ctx.location(service, *port.path, "targetPort", label="not applied")],
            help=f"make the port {number}, or give the Service a cluster IP",
            fix=ctx.fix(f"Make the port {number}", ctx.replace(service, *path, text=str(number))),
        )


def node_ports(cluster: Cluster, settings: Settings) -> dict[int, list[tuple[Service, tuple[str | int, ...]]]]:
    """Who claims each node port, health checks among them, with the place that says so."""
    found: dict[int, list[tuple[Service, tuple[str | int, ...]]]] = {}
    for service in cluster.services:
        for port in service.ports if service.type in ("NodePort", "LoadBalancer") else ():
            if port.node_port is not None:
                found.setdefault(port.node_port, []).append((service, (*port.path, "nodePort")))
        health = integer_of(service.root.get("spec", "healthCheckNodePort"))
        if health:
            found.setdefault(health, []).append((service, ("spec", "healthCheckNodePort")))
    return found


def _conflicts(service: Service, ctx: Context, *, health: bool) -> Iterator[Diagnostic]:
    for number, claims in ctx.once(node_ports).items():
        first, first_path = claims[0]
        for claimant, path in claims[1:]:
            is_health = "healthCheckNodePort" in (path[-1], first_path[-1])
            if claimant is not service or is_health != health or (claimant is first and not is_health):
                continue
            if claimant.id == first.id and not is_health:
                continue
            yield ctx.report(
                service,
                *path,
                message=f"node port {number} is claimed by {first} already: each can be given out once, whatever the protocol",
                related=[ctx.location(first, *first_path, label="first here")],
                help="choose another, or leave it to the cluster",
            )


@check("SVC022")
def node_port_conflict(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """One node port for two Services."""
    return _conflicts(service, ctx, health=False)


@check("SVC075")
def node_port_health_check_conflict(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A health check's node port that is a port's as well."""
    return _conflicts(service, ctx, health=True)


@check("SVC057")
def ip_family_invalid(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """IP families that do not exist, stand twice, or contradict the addresses or the policy."""
    if service.is_external_name:
        return
    policy = text_of(service.root.get("spec", "ipFamilyPolicy"))
    if policy and policy not in FAMILY_POLICIES and not is_placeholder(policy):
        yield ctx.report(
            service,
            "spec",
            "ipFamilyPolicy",
            message=f"ipFamilyPolicy `{policy}` is not one of {listed(FAMILY_POLICIES, 'or')}",
            help="write one of these values",
        )
        return
    families = texts_of(service.root.get("spec", "ipFamilies"))
    for index, family in enumerate(families):
        wrong = None
        if family not in FAMILIES and not is_placeholder(family):
            wrong = f"IP family `{family}` is not one of `IPv4` or `IPv6`"
        elif family in families[:index]:
            wrong = f"IP family `{family}` stands twice"
        elif index == 1 and policy == "SingleStack":
            wrong = "a second IP family needs ipFamilyPolicy PreferDualStack or RequireDualStack"
        if wrong is not None:
            yield ctx.report(
                service, "spec", "ipFamilies", index, message=wrong, help="name each family once, or leave the list out"
            )
            return
    addresses = texts_of(service.root.get("spec", "clusterIPs")) or ((service.cluster_ip or ""),)
    if policy == "SingleStack" and len(addresses) > 1:
        yield ctx.report(
            service,
            "spec",
            "ipFamilyPolicy",
            message="a second cluster IP needs ipFamilyPolicy PreferDualStack or RequireDualStack",
            help="change the policy, or keep one address",
        )
        return
    for index, (family, address) in enumerate(zip(families, addresses, strict=False)):
        if _is_address(address) and family in FAMILIES and f"IPv{ip_address(address).version}" != family:
            yield ctx.report(
                service,
                "spec",
                "ipFamilies",
                index,
                message=f"IP family `{family}` does not fit the address {address}",
                help="make the families and the addresses agree",
            )
            return
