"""`reach`: may one end reach another, and which lines decide."""

from __future__ import annotations

import attrs
import click

from k8snetlint import __version__
from k8snetlint.algebra.addresses import Address
from k8snetlint.algebra.connections import PROTOCOLS
from k8snetlint.analysis.anyone import ANY, reach_any
from k8snetlint.analysis.ends import End, ServiceEnd, UnknownEnd, resolve, service_at
from k8snetlint.analysis.reach import Answer, ReachVerdict, reach
from k8snetlint.analysis.routing import service_name
from k8snetlint.formatters.reach import REACH_FORMATS, render
from k8snetlint.policy.peers import Peer

from .options import LoadOptions, load_options
from .output import wants_colour, write
from .pipeline import Failure
from .world import World, outcome_of, world


@click.command(name="reach")
@click.argument("source")
@click.argument("destination")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--port", metavar="PORT", help="The port, such as 8080, 53/UDP, or the name of one of the pod's ports.")
@click.option(
    "--format", "-f", "format_", type=click.Choice(REACH_FORMATS), default="text", help="The output's format."
)
@click.option("--output", "-o", "output", metavar="FILE", help="Write to a file.")
@load_options
def command(
    source: str,
    destination: str,
    paths: tuple[str, ...],
    port: str | None,
    format_: str,
    output: str | None,
    options: LoadOptions,
) -> int:
    """Whether SOURCE may reach DESTINATION in the manifests in PATHS, and why.

    An end is NAMESPACE/NAME of a workload or pod, NAMESPACE/KIND/NAME, svc:NAMESPACE/NAME:PORT, a Service's DNS name,
    an address, a CIDR, `ingress` for the ingress controllers, or `any` for any pod that anyone could create. Anything
    but a Service with its port needs --port.

    Exit codes: 0 allowed; 1 denied, partial or unknown; 2 wrong usage; 3 nothing to analyse.
    """
    asked = world(paths, options)
    try:
        answer = _answer(asked, source, destination, port)
    except UnknownEnd as error:
        raise Failure(str(error)) from error
    if answer.reason is not None and answer.verdict is ReachVerdict.DENIED and not asked.is_complete:
        reason = f"{answer.reason}; not all manifests could be read"
        answer = attrs.evolve(answer, verdict=ReachVerdict.UNKNOWN, reason=reason)
    outcome = outcome_of(asked, options, __version__, wants_colour(options.color, output))
    write(render(format_, source, destination, answer, outcome), output, is_utf8=format_ != "text")
    return 0 if answer.verdict is ReachVerdict.ALLOWED else 1


def _answer(asked: World, source: str, destination: str, port_text: str | None) -> Answer:
    cluster, policies = asked.cluster, asked.policies
    origin = None if source == ANY else resolve(source, cluster, policies.peers, policies)
    if isinstance(origin, ServiceEnd):
        raise UnknownEnd(f"`{source}` is a Service: connections start at a workload, an address or `ingress`")
    if destination == ANY:
        protocol, port = _port(_needed(port_text), ())
        return reach_any(cluster, policies, origin, None, protocol, port)
    end, protocol, port = _destination(asked, destination, port_text)
    if origin is None:
        return reach_any(cluster, policies, None, end, protocol, port)
    return reach(cluster, policies.peers, policies, origin, end, protocol, port)


def _destination(asked: World, text: str, port_text: str | None) -> tuple[End, str, int]:
    cluster, policies = asked.cluster, asked.policies
    if text.startswith("svc:"):
        wanted = text if port_text is None else f"{text}:{port_text.partition('/')[0]}"
        return resolve(wanted, cluster, policies.peers, policies), "TCP", 0
    named = _service_of_name(asked, text)
    if named is not None:
        return _destination(asked, named, port_text)
    found = resolve(text, cluster, policies.peers, policies)
    protocol, port = _port(_needed(port_text), found)
    address = _single_address(text)
    service = service_at(address, cluster, protocol, port) if address is not None else None
    return service or found, protocol, port


def _needed(port_text: str | None) -> str:
    if port_text is None:
        raise Failure("--port is needed for any destination but a Service, such as --port 8080 or --port 53/UDP")
    return port_text


def _service_of_name(asked: World, text: str) -> str | None:
    """The Service of a DNS name such as `cart.shop.svc`, as `svc:shop/cart`."""
    if "/" in text or "." not in text:
        return None
    name = service_name(text, asked.settings.namespace, asked.settings.cluster.dns_domain)
    if name is None or asked.cluster.service(name.namespace, name.name) is None:
        return None
    return f"svc:{name.namespace}/{name.name}"


def _single_address(text: str) -> str | None:
    try:
        return str(Address.parse(text))
    except ValueError:
        return None


def _port(text: str, end: End) -> tuple[str, int]:
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
    known = ", ".join(sorted({port.name for port in declared})) or "none"
    raise Failure(f"--port: `{text}` is no port, such as 8080 or 53/UDP; the names that the pods declare: {known}")
