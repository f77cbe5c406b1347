"""The annotations that ingress-nginx knows, with what their values have to be.

Source: ingress-nginx, "Annotations Scope and Risk" and the documentation of each annotation.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

BOOLEAN, SWITCH, NUMBER, SIZE, ADDRESSES, TEXT = "true or false", "on or off", "a number", "a size", "addresses", "text"

_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
_SIZE = re.compile(r"\d+[bkmg]?", re.IGNORECASE)

_TYPES: dict[str, str] = {
    BOOLEAN: """
        auth-always-set-cookie auth-keepalive-share-vars auth-tls-pass-certificate-to-upstream canary
        cors-allow-credentials disable-proxy-intercept-errors enable-access-log enable-cors enable-global-auth
        enable-modsecurity enable-opentelemetry enable-owasp-core-rules enable-rewrite-log force-ssl-redirect
        from-to-www-redirect http2-push-preload opentelemetry-trust-incoming-span preserve-trailing-slash
        relative-redirects service-upstream session-cookie-change-on-failure session-cookie-conditional-samesite-none
        session-cookie-partitioned session-cookie-secure ssl-passthrough ssl-prefer-server-ciphers ssl-redirect
        upstream-hash-by-subset use-port-in-redirects use-regex
    """,
    SWITCH: "mirror-request-body proxy-buffering proxy-request-buffering proxy-ssl-server-name proxy-ssl-verify",
    NUMBER: """
        auth-keepalive auth-keepalive-requests auth-keepalive-timeout auth-tls-verify-depth canary-weight
        canary-weight-total cors-max-age limit-burst-multiplier limit-connections limit-rate limit-rate-after limit-rpm
        limit-rps permanent-redirect-code proxy-buffers-number proxy-connect-timeout proxy-next-upstream-timeout
        proxy-next-upstream-tries proxy-read-timeout proxy-send-timeout proxy-ssl-verify-depth session-cookie-expires
        session-cookie-max-age temporal-redirect-code upstream-hash-by-subset-size
    """,
    SIZE: "client-body-buffer-size proxy-body-size proxy-buffer-size proxy-busy-buffers-size proxy-max-temp-file-size",
    ADDRESSES: "allowlist-source-range denylist-source-range limit-allowlist limit-whitelist whitelist-source-range",
    TEXT: """
        affinity affinity-canary-behavior affinity-mode app-root auth-cache-duration auth-cache-key auth-method
        auth-proxy-set-headers auth-realm auth-request-redirect auth-response-headers auth-secret auth-secret-type
        auth-signin auth-signin-redirect-param auth-snippet auth-tls-error-page auth-tls-match-cn auth-tls-secret
        auth-tls-verify-client auth-type auth-url backend-protocol canary-by-cookie canary-by-header
        canary-by-header-pattern canary-by-header-value configuration-snippet connection-proxy-header cors-allow-headers
        cors-allow-methods cors-allow-origin cors-expose-headers custom-headers custom-http-errors default-backend
        fastcgi-index fastcgi-params-configmap load-balance mirror-host mirror-target modsecurity-snippet
        modsecurity-transaction-id opentelemetry-operation-name permanent-redirect proxy-cookie-domain proxy-cookie-path
        proxy-http-version proxy-next-upstream proxy-redirect-from proxy-redirect-to proxy-ssl-ciphers proxy-ssl-name
        proxy-ssl-protocols proxy-ssl-secret rewrite-target satisfy server-alias server-snippet session-cookie-domain
        session-cookie-name session-cookie-path session-cookie-samesite ssl-ciphers stream-snippet temporal-redirect
        upstream-hash-by upstream-vhost x-forwarded-prefix
    """,
}

# Values of the annotations that take one of a few, in lower case.
CHOICES: dict[str, tuple[str, ...]] = {
    "affinity": ("cookie",),
    "affinity-canary-behavior": ("sticky", "legacy"),
    "affinity-mode": ("balanced", "persistent"),
    "auth-secret-type": ("auth-file", "auth-map"),
    "auth-tls-verify-client": ("on", "off", "optional", "optional_no_ca"),
    "auth-type": ("basic", "digest"),
    "backend-protocol": ("http", "https", "grpc", "grpcs", "fcgi", "auto_http"),
    "load-balance": ("round_robin", "ewma"),
    "proxy-http-version": ("1.0", "1.1"),
    "satisfy": ("any", "all"),
    "session-cookie-samesite": ("none", "lax", "strict"),
}

# Annotations of older versions, with what has taken their place; nothing where they are just gone.
REMOVED: dict[str, str] = {
    "add-base-url": "",
    "base-url-scheme": "",
    "enable-influxdb": "",
    "enable-opentracing": "enable-opentelemetry",
    "grpc-backend": "backend-protocol",
    "limit-whitelist": "limit-allowlist",
    "opentracing-trust-incoming-span": "opentelemetry-trust-incoming-span",
    "proxy-cookie": "",
    "secure-backends": "backend-protocol",
    "secure-verify-ca-secret": "proxy-ssl-secret",
    "session-cookie-hash": "",
    "lua-resty-waf": "",
}

TYPE_OF: dict[str, str] = {name: kind for kind, names in _TYPES.items() for name in names.split()}


def value_fault(name: str, value: str) -> str | None:
    """What the value of an annotation has to be, where it is something else; None if it is in order."""
    choices = CHOICES.get(name)
    if choices is not None:
        return None if value.strip().lower() in choices else "one of " + ", ".join(f"`{item}`" for item in choices)
    kind = TYPE_OF.get(name, TEXT)
    return None if _IS_VALID[kind](value.strip()) else _WORDS[kind]


def _are_addresses(value: str) -> bool:
    for part in value.split(","):
        try:
            ipaddress.ip_network(part.strip(), strict=False)
        except ValueError:
            return False
    return True


_IS_VALID: dict[str, Callable[[str], bool]] = {
    BOOLEAN: lambda value: value in _BOOLEANS,
    SWITCH: lambda value: value in ("on", "off"),
    NUMBER: lambda value: re.fullmatch(r"-?\d+", value) is not None,
    SIZE: lambda value: _SIZE.fullmatch(value) is not None,
    ADDRESSES: _are_addresses,
    TEXT: lambda value: True,
}
_WORDS = {
    BOOLEAN: "`true` or `false`",
    SWITCH: "`on` or `off`",
    NUMBER: "a whole number without a unit",
    SIZE: "a number with `k`, `m`, `g` or nothing behind it",
    ADDRESSES: "addresses or CIDRs, separated by commas",
}
