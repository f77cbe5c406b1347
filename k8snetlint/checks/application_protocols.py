"""What a Service port speaks: appProtocol, the port's name and its number."""

from __future__ import annotations

from collections.abc import Iterator

from k8snetlint.diagnostic import Confidence, Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service, ServicePort
from k8snetlint.model.values import is_placeholder

from .words import listed

# Names without a prefix are IANA's. These are none of them, and what Kubernetes has instead, where it has.
# Source: IANA service name registry; KEP 3726.
_NOT_REGISTERED: dict[str, str | None] = {
    "h2": "kubernetes.io/h2c",
    "h2c": "kubernetes.io/h2c",
    "http/2": "kubernetes.io/h2c",
    "http2": "kubernetes.io/h2c",
    "ws": "kubernetes.io/ws",
    "wss": "kubernetes.io/wss",
    "websocket": "kubernetes.io/ws",
    "grpc": None,
    "grpc-web": None,
    "tcp": None,
    "udp": None,
    "tls": None,
    "mongo": None,
}
_OF_KUBERNETES = ("kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss")
_WEB = {"http": (80, 8080), "https": (443, 8443)}


@check("SVC059")
def app_protocol_unknown(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A protocol's name that is nobody's."""
    has_mesh = any(group.endswith("istio.io") for group, _ in ctx.cluster.kinds)
    for port in service.ports:
        name = port.app_protocol
        if name is None or is_placeholder(name):
            continue
        if name.startswith("kubernetes.io/"):
            if name in _OF_KUBERNETES:
                continue
            near, what = None, f"is none of {listed(_OF_KUBERNETES, 'or')}, which are all that Kubernetes defines"
        elif name.lower() in _NOT_REGISTERED and not has_mesh:
            near = _NOT_REGISTERED[name.lower()]
            what = "is no name that IANA has registered: what does not know it by itself ignores it"
        else:
            continue
        path = (*port.path, "appProtocol")
        yield ctx.report(
            service,
            *path,
            message=f"appProtocol `{name}` {what}",
            confidence=None if near is not None or "/" in name else Confidence.LOW,
            help=f"write `{near}`" if near else "write a registered name, or one with a domain of yours before it",
            fix=ctx.fix(f"Write {near}", ctx.replace(service, *path, text=near)) if near else None,
        )


@check("SVC072")
def service_port_https_http_mismatch(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A port whose name and number, or name and appProtocol, tell different things."""
    for port in service.ports:
        named = _web_word(port.name)
        stated = _web_word(port.app_protocol)
        numbered = next((word for word, numbers in _WEB.items() if port.number in numbers), None)
        if named is not None and stated is not None and named != stated:
            yield _mismatch(service, port, ctx, named, f"its appProtocol is `{port.app_protocol}`")
        elif named is not None and stated is None and numbered not in (None, named):
            yield _mismatch(service, port, ctx, named, f"its number is {port.number}, which is {numbered}'s")


def _web_word(text: str | None) -> str | None:
    """`http` or `https` where a text is that word, or begins with it and a dash."""
    head = (text or "").lower().split("-", 1)[0]
    return head if head in _WEB else None


def _mismatch(service: Service, port: ServicePort, ctx: Context, named: str, but: str) -> Diagnostic:
    return ctx.report(
        service,
        *port.path,
        "name",
        message=f"port `{port.name}` is named for {named}, but {but}: proxies that go by the one fail by the other",
        help="let name, appProtocol and number say the same",
    )
