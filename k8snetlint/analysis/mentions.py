"""Host names and ports that stand in a text: URLs, `host:port` pairs, names of Services.

Only what a text says; whether a Service answers to it is for `requirements` to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

# The port that a client uses where a URL names none. Source: IANA service names, and the drivers' documentation.
DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "ws": 80,
    "wss": 443,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mongodb": 27017,
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
    "nats": 4222,
    "kafka": 9092,
    "ldap": 389,
    "ldaps": 636,
    "smtp": 25,
    "ftp": 21,
    "mqtt": 1883,
    "memcached": 11211,
    "clickhouse": 9000,
    "cassandra": 9042,
    "bolt": 7687,
    "neo4j": 7687,
}

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_END = r"(?=[\s/?#,;'\")\]}|&<]|\\|\Z)"
_URL = re.compile(
    rf"(?<![A-Za-z0-9+.-])(?P<scheme>(?:jdbc:)?[a-z][a-z0-9+]*)://(?:[^\s/@'\"<>,]*@)?"
    rf"(?P<hosts>{_HOST}(?::[0-9]{{1,5}})?(?:,{_HOST}(?::[0-9]{{1,5}})?)*){_END}"
)
_PAIR = re.compile(rf"(?<![\w.$%{{}}/:()-])(?P<host>{_HOST}):(?P<port>[0-9]{{1,5}}){_END}")
_QUALIFIED = re.compile(
    rf"(?<![\w.$%{{}}()*-])(?P<host>{_LABEL}(?:\.{_LABEL}){{1,2}}\.svc(?:\.{_LABEL})*\.?)(?![\w.-])(?!:[0-9])"
)
_NAME = re.compile(rf"{_HOST}\Z")
_ADDRESS = re.compile(r"[0-9.]+\Z")
_SCHEMES_OF_IDENTIFIERS = frozenset(
    {"urn", "spiffe", "file", "oci", "docker", "unix", "data", "tag", "s3", "gs", "git"}
)


@attrs.frozen
class Mention:
    """A host in a text. `start` and `end` delimit it with its port, as offsets into the text.

    `form` is `url`, `pair`, `qualified` (a name with `svc` in it and no port) or `name` (the whole text is a name).
    `port` is None where neither the text nor the scheme names one; `has_port` tells whether the text does.
    """

    host: str
    port: int | None
    scheme: str | None
    form: str
    start: int
    end: int
    has_port: bool = False


def mentions(text: str) -> tuple[Mention, ...]:
    """The hosts that a text mentions, in its order; addresses in numbers are not among them."""
    found: dict[int, Mention] = {}
    taken: list[tuple[int, int]] = []
    for url in _URL.finditer(text):
        taken.append(url.span())
        scheme = url["scheme"].removeprefix("jdbc:")
        if scheme not in _SCHEMES_OF_IDENTIFIERS:
            for mention in _hosts(url["hosts"], url.start("hosts"), scheme):
                found[mention.start] = mention
    for pattern, form in ((_PAIR, "pair"), (_QUALIFIED, "qualified")):
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(first <= start < last for first, last in taken) or not _is_host(match["host"]):
                continue
            taken.append((start, end))
            port = int(match["port"]) if form == "pair" else None
            if port is None or 0 < port < 65536:
                found[start] = Mention(match["host"], port, None, form, start, end, has_port=port is not None)
    return tuple(found[start] for start in sorted(found))


def name_mention(text: str) -> Mention | None:
    """The mention that a text is as a whole, where it is nothing but a host name; None otherwise."""
    stripped = text.strip()
    if _NAME.match(stripped) and _is_host(stripped):
        start = text.index(stripped)
        return Mention(stripped, None, None, "name", start, start + len(stripped))
    return None


def _hosts(text: str, offset: int, scheme: str) -> Iterator[Mention]:
    """The hosts of a URL: connection strings of clustered stores name several."""
    for part in re.finditer(r"[^,]+", text):
        host, _, port = part[0].partition(":")
        if _is_host(host) and (not port or 0 < int(port) < 65536):
            number = int(port) if port else DEFAULT_PORTS.get(scheme)
            start = offset + part.start()
            yield Mention(host, number, scheme, "url", start, offset + part.end(), has_port=bool(port))


def _is_host(host: str) -> bool:
    return _ADDRESS.match(host) is None and any(character.isalpha() for character in host)
