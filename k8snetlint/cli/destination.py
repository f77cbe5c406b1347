"""What DESTINATION of `reach` means: a workload, a Service, a host of an Ingress, an address."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

import attrs

from k8snetlint.algebra.addresses import Address
from k8snetlint.algebra.connections import PROTOCOLS
from k8snetlint.analysis.ends import DeadEnd, End, ServiceEnd, UnknownEnd, alias_end, at_port, resolve, service_at
from k8snetlint.analysis.hosts import HTTP, HTTPS, HostEnd, host_end, known_hosts
from k8snetlint.analysis.routing import ServiceName, aliased, named_pods, service_name
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.policy.peers import Peer

from .pipeline import Failure
from .world import World

Destination: TypeAlias = End | DeadEnd | HostEnd

_NAME = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_-]+)*\.?)(?::(?P<port>[^/:]+))?(?P<location>/.*)?\Z"
)
_SHOWN = 8


class _Name(NamedTuple):
    """A DNS name as it is written, in a URL or bare: `port` as text, `location` the path."""

    host: str
    port: str | None
    location: str


class Asked(NamedTuple):
    """A destination with the protocol and port that are asked for; they count where it is no Service or host."""

    end: Destination
    protocol: str
    port: int


def destination(asked: World, text: str, port_text: str | None) -> Asked:
    """The destination that a text and the option --port mean. Raises UnknownEnd and Failure."""
    if text.startswith("svc:"):
        return _written_service(asked, text, port_text)
    name = _name(text)
    if name is not None:
        named = _of_name(asked, name, port_text)
        if named is not None:
            return named
    found = resolve(text, asked.cluster, asked.policies.peers, asked.policies)
    protocol, port = port_of(needed(port_text), found)
    address = _single_address(text)
    service = service_at(address, asked.cluster, asked.policies.peers, protocol, port) if address is not None else None
    return Asked(service or found, protocol, port)


def _name(text: str) -> _Name | None:
    """The DNS name that a text is, if it is one for certain: with a dot in it, or in a URL."""
    found = _NAME.match(text)
    if found is None or (found["scheme"] is None and "." not in found["host"]) or _single_address(found["host"]):
        return None
    scheme_port = {"http": str(HTTP), "https": str(HTTPS)}.get(found["scheme"] or "")
    return _Name(found["host"].rstrip("."), found["port"] or scheme_port, found["location"] or "")


def _of_name(asked: World, name: _Name, port_text: str | None) -> Asked | None:
    cluster, settings = asked.cluster, asked.settings
    meant = service_name(name.host, settings.namespace, settings.cluster.dns_domain)
    service = cluster.service(meant.namespace, meant.name) if meant is not None else None
    if service is not None and meant is not None and meant.pod is not None:
        return _pod_port(asked, service, meant, name.host, port_text or name.port)
    if service is not None:
        return _dialled(asked, service, name.host, port_text or name.port)
    host = host_end(cluster, name.host, name.location)
    port = port_text or name.port
    if host is not None:
        if port is not None and port.partition("/")[0] not in (str(HTTP), str(HTTPS)):
            raise Failure(f"`{name.host}` is a host of an Ingress or route, which answers on {HTTP} and {HTTPS}")
        return Asked(host, "TCP", host.port)
    if "." not in name.host.strip("."):
        return None
    if any(name.host in (peer.text.partition("[")[0].partition("/")[2],) for peer in asked.policies.peers.pods):
        return None
    hosts = ", ".join(f"`{each}`" for each in known_hosts(cluster)[:_SHOWN])
    known = f"; hosts of Ingresses and routes are {hosts}" if hosts else ""
    raise UnknownEnd(
        f"no Service, Ingress or route answers to the name `{name.host}`{known}; of a name outside of the cluster"
        " policies see the address: ask for that"
    )


def _written_service(asked: World, text: str, port_text: str | None) -> Asked:
    name = text.removeprefix("svc:")
    namespace, _, plain = name.rpartition("/")
    plain, colon, written = plain.partition(":")
    service = asked.cluster.service(namespace or asked.settings.namespace, plain)
    if service is not None and service.is_external_name:
        return _dialled(asked, service, name, port_text or written or None)
    if service is not None and port_text is not None and not colon:
        return _service_port(service, name, port_text)
    return Asked(resolve(text, asked.cluster, asked.policies.peers, asked.policies), "TCP", 0)


def _dialled(asked: World, service: Service, name: str, port_text: str | None) -> Asked:
    """A Service on a port, or the one that an alias leads to."""
    *aliases, last = aliased(asked.cluster, service, asked.settings.cluster.dns_domain)
    found = _service_port(last, name, port_text)
    if isinstance(found.end, ServiceEnd | DeadEnd):
        return found._replace(end=attrs.evolve(found.end, aliases=tuple(aliases)))
    return found


def _pod_port(asked: World, service: Service, meant: ServiceName, name: str, port_text: str | None) -> Asked:
    """A pod by its own name below a Service's: it is dialled itself, whatever ports the Service has."""
    pods = named_pods(asked.cluster, service, meant.pod or "")
    if not pods and (service.is_headless or service.is_external_name):
        return _dialled(asked, service, name, port_text)
    if not pods:
        raise UnknownEnd(f"no pod behind {service} has the name `{meant.pod}`, so `{name}` is not resolved")
    if port_text is None and len(service.ports) == 1:
        found = ServiceEnd(service, service.ports[0])
    else:
        protocol, number = port_of(needed(port_text), ())
        same = next((port for port in service.ports if (port.protocol, port.number) == (protocol, number)), None)
        found = ServiceEnd(service, same or ServicePort(None, number, protocol, None, None, None, ("spec",)))
    return Asked(attrs.evolve(found, pods=pods), "TCP", 0)


def _service_port(service: Service, name: str, port_text: str | None) -> Asked:
    """A Service on a port: a number that a client dials, the name of one of its ports, or the only one."""
    if port_text is None:
        if service.is_external_name:
            return Asked(alias_end(service, "TCP", 0), "TCP", 0)
        if len(service.ports) != 1:
            raise UnknownEnd(f"`{name}` is {service}, which has several ports: name one; it has {_ports(service)}")
        return Asked(ServiceEnd(service, service.ports[0]), "TCP", 0)
    named = service.port(port_text.partition("/")[0])
    if named is not None:
        return Asked(ServiceEnd(service, named), "TCP", 0)
    if not port_text.partition("/")[0].isdigit():
        raise UnknownEnd(f"{service} has no port named `{port_text}`; it has {_ports(service)}")
    protocol, number = port_of(port_text, ())
    if "/" not in port_text:
        # A bare number means the Service's port of that number, whatever its protocol.
        same = next((port for port in service.ports if port.number == number), None)
        protocol = same.protocol if same is not None else protocol
    return Asked(at_port(service, protocol, number), protocol, number)


def _ports(service: Service) -> str:
    return ", ".join(f"{port.name} ({port})" if port.name else str(port) for port in service.ports) or "no ports"


def needed(port_text: str | None) -> str:
    """The text of --port. Raises Failure where there is none."""
    if port_text is None:
        raise Failure(
            "--port is needed for any destination but a Service or host, such as --port 8080 or --port 53/UDP;"
            " a Service is written svc:NAMESPACE/NAME:PORT"
        )
    return port_text


def _single_address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


def port_of(text: str, end: End) -> tuple[str, int]:
    """Protocol and number of `8080`, `53/UDP`, or of a name that the destination's pods declare."""
    number, _, protocol = text.partition("/")
    protocol = protocol.upper() or "TCP"
    if protocol not in PROTOCOLS:
        raise Failure(f"--port: `{protocol}` is not a protocol; there are {', '.join(PROTOCOLS)}")
    if number.isascii() and number.isdigit():
        if not 1 <= int(number) <= 65535:
            raise Failure(f"--port: `{number}` is not a port: ports are 1 to 65535")
        return protocol, int(number)
    peers: tuple[Peer, ...] = end if isinstance(end, tuple) else ()
    declared = [port for peer in peers for port in peer.ports]
    found = {(port.protocol, port.number) for port in declared if port.name == number}
    if "/" in text:
        found = {each for each in found if each[0] == protocol}
    if len(found) == 1:
        return found.pop()
    if found:
        meant = ", ".join(f"{port}/{protocol}" for protocol, port in sorted(found))
        raise Failure(f"--port: `{text}` is the name of several ports of the pods: {meant}; give the number of one")
    known = ", ".join(sorted({port.name for port in declared})) or "none"
    raise Failure(f"--port: `{text}` is no port, such as 8080 or 53/UDP; the names that the pods declare: {known}")
