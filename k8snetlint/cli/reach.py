"""`reach`: may one end reach another, and which lines decide."""

from __future__ import annotations

import attrs
import click

from k8snetlint import __version__
from k8snetlint.analysis.anyone import ANY, reach_any
from k8snetlint.analysis.ends import DeadEnd, ServiceEnd, UnknownEnd, resolve
from k8snetlint.analysis.hosts import HostEnd
from k8snetlint.analysis.reach import Answer, ReachVerdict, reach
from k8snetlint.formatters.reach import REACH_FORMATS, render

from .destination import destination as destination_of
from .destination import needed, port_of
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

    An end is NAMESPACE/NAME of a workload or pod, NAMESPACE/KIND/NAME, svc:NAMESPACE/NAME:PORT, a Service's DNS name
    or a URL with it, a host of an Ingress or route, with a path or without, an address, a CIDR, `ingress` for the
    ingress controllers, or `any` for any pod that anyone could create. Anything but a Service or a host needs --port.

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
        protocol, port = port_of(needed(port_text), ())
        return reach_any(cluster, policies, origin, None, protocol, port)
    end, protocol, port = destination_of(asked, destination, port_text)
    if origin is None and not isinstance(end, DeadEnd | HostEnd):
        return reach_any(cluster, policies, None, end, protocol, port)
    return reach(cluster, policies.peers, policies, origin or (), end, protocol, port)
