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
    "sqlserver": 1433,
    "oracle": 1521,
    "sentinel": 26379,
}

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_END = r"(?=[\s/?#,;'\")\]}|&<]|\\|\Z)"
_URL = re.compile(
    rf"(?<![A-Za-z0-9+.-])(?P<scheme>(?:jdbc:)?[A-Za-z][A-Za-z0-9+_]*)://(?:(?<=dns://)/|(?<=passthrough://)/)?"
    rf"(?:[^\s/@'\"<>,]*@)?"
    rf"(?P<hosts>{_HOST}(?::[0-9]{{1,5}})?(?:,{_HOST}(?::[0-9]{{1,5}})?)*){_END}"
)
_PAIR = re.compile(rf"(?<![\w.$%{{}}/:()-])(?P<host>{_HOST}):(?P<port>[0-9]{{1,5}}){_END}")
_QUALIFIED = re.compile(
    rf"(?<![\w.$%{{}}()*-])(?P<host>{_LABEL}(?:\.{_LABEL}){{1,2}}\.svc(?:\.{_LABEL})*\.?)(?![\w.-])(?!:[0-9])"
)
# What drivers and tools other than by URL: Go's MySQL driver, Oracle's, keywords and values, and checks of shell scripts.
_DRIVER = re.compile(rf"@(?:tcp\(|//)?(?P<host>{_HOST}):(?P<port>[0-9]{{1,5}})(?=[)/:\s'\"?]|\Z)")
_KEYWORD = re.compile(
    rf"(?<![\w.-])(?:host|server|data source|addr|address)[ ]*=[ ]*(?:tcp:)?(?P<host>{_HOST})(?:,(?P<port>[0-9]{{1,5}}))?"
    rf"(?=[;\s'\"]|\Z)",
    re.IGNORECASE,
)
_KEYWORD_PORT = re.compile(r"(?<![\w.-])port[ ]*=[ ]*(?P<port>[0-9]{1,5})(?![\w.])", re.IGNORECASE)
_SHELL = re.compile(
    rf"(?<![\w-])nc[ ]+(?:-\w+[ ]+(?:[0-9]+[ ]+)?)*(?P<host>{_HOST})[ ]+(?P<port>[0-9]{{1,5}})(?![\w.])"
    rf"|(?<![\w-])-h[ ]+(?P<host2>{_HOST})[ ]+-p[ ]+(?P<port2>[0-9]{{1,5}})(?![\w.])"
    rf"|/dev/tcp/(?P<host3>{_HOST})/(?P<port3>[0-9]{{1,5}})(?![\w.])"
)
_RECORD = re.compile(
    rf"(?<![\w.])_(?P<name>[a-z0-9-]+)\._(?:tcp|udp)\.(?P<host>{_LABEL}(?:\.{_LABEL})+\.?)(?![\w.-])", re.IGNORECASE
)
_SETTING = re.compile(
    rf"^(?P<lead>[ \t]*(?:-[ \t]+)?)[\"']?(?P<stem>(?:[\w.-]*[_.-])?)(?P<word>host|hostname|addr|address|server|endpoint)"
    rf"[\"']?[ \t]*[:=][ \t]*[\"']?(?P<host>{_HOST})[\"']?[ \t]*,?[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_NAME = re.compile(rf"{_HOST}\Z")
_NEAR = 300
_ADDRESS = re.compile(r"[0-9.]+\Z")
_SCHEMES_OF_IDENTIFIERS = frozenset(
    {"urn", "spiffe", "file", "oci", "docker", "unix", "data", "tag", "s3", "gs", "git"}
)


@attrs.frozen
class Mention:
    """A host in a text. `start` and `end` delimit it with its port, as offsets into the text.

    `form` is `url`, `pair`, `qualified` (a name with `svc` in it and no port) or `name` (the whole text is a name).
    `port` is None where neither the text nor the scheme names one; `has_port` tells whether the text does. Of the name
    of a record, `_http._tcp.a.b.svc`, `port_name` is the name of the port.
    """

    host: str
    port: int | None
    scheme: str | None
    form: str
    start: int
    end: int
    has_port: bool = False
    port_name: str | None = None


def mentions(text: str) -> tuple[Mention, ...]:
    """The hosts that a text mentions, in its order; addresses in numbers are not among them."""
    found: dict[int, Mention] = {}
    taken: list[tuple[int, int]] = []
    for url in _URL.finditer(text):
        taken.append(url.span())
        scheme = url["scheme"].lower().removeprefix("jdbc:")
        if scheme not in _SCHEMES_OF_IDENTIFIERS:
            for mention in _hosts(url["hosts"], url.start("hosts"), scheme):
                found[mention.start] = mention
    for mention in (*_records(text), *_pairs(text), *_by_keyword(text)):
        if not any(first <= mention.start < last for first, last in taken) and _is_host(mention.host):
            taken.append((mention.start, mention.end))
            if mention.port is None or 0 < mention.port < 65536:
                found[mention.start] = mention
    return tuple(found[start] for start in sorted(found))


def _records(text: str) -> Iterator[Mention]:
    for match in _RECORD.finditer(text) if "._" in text else ():
        yield Mention(match["host"], None, None, "qualified", *match.span(), port_name=match["name"].lower())


def _pairs(text: str) -> Iterator[Mention]:
    if "@" in text:
        for match in _DRIVER.finditer(text):
            yield _pair(match["host"], match["port"], match.start("host"), match.end("port"))
    for match in _PAIR.finditer(text):
        yield _pair(match["host"], match["port"], *match.span())
    for match in _QUALIFIED.finditer(text):
        yield Mention(match["host"], None, None, "qualified", *match.span())
    for match in _SHELL.finditer(text):
        number = next(each for each in ("", "2", "3") if match[f"host{each}"] is not None)
        host, port = f"host{number}", f"port{number}"
        yield _pair(match[host], match[port], match.start(host), match.end(port))


def _pair(host: str, port: str, start: int, end: int) -> Mention:
    return Mention(host, int(port), None, "pair", start, end, has_port=True)


def _by_keyword(text: str) -> Iterator[Mention]:
    """The hosts of texts such as `host=db port=5432`: of one that is alone on its line it is not sure what it is."""
    for match in _KEYWORD.finditer(text):
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        line = text[start : end if end >= 0 else len(text)]
        beside = _KEYWORD_PORT.search(line)
        if match["port"] is not None:
            yield _pair(match["host"], match["port"], match.start("host"), match.end("port"))
        elif beside is not None:
            port = int(beside["port"])
            yield Mention(match["host"], port, None, "name", *match.span("host"))
        elif ";" in line and not text[start : match.start()].strip(" \t\"'"):
            yield Mention(match["host"], None, None, "name", *match.span("host"))


def settings_mentions(text: str) -> Iterator[Mention]:
    """The bare names that a file of settings gives as a host, where a line near it gives the port: `redis.host: redis`."""
    for match in _SETTING.finditer(text):
        near = re.compile(
            rf"^{re.escape(match['lead']).replace('-', '[ -]')}[\"']?{re.escape(match['stem'])}port[\"']?[ \t]*[:=][ \t]*"
            rf"[\"']?(?P<port>[0-9]{{1,5}})[\"']?[ \t]*,?[ \t]*\r?$",
            re.IGNORECASE | re.MULTILINE,
        )
        around = text[max(match.start() - _NEAR, 0) : match.end() + _NEAR]
        port = near.search(around)
        if port is not None and _is_host(match["host"]) and 0 < int(port["port"]) < 65536:
            yield Mention(match["host"], int(port["port"]), None, "name", *match.span("host"))


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
            number = int(port) if port else _default_port(scheme)
            start = offset + part.start()
            yield Mention(host, number, scheme, "url", start, offset + part.end(), has_port=bool(port))


def _default_port(scheme: str) -> int | None:
    """The port of a scheme, as of `postgresql+asyncpg`; None where records of DNS name it, as for `mongodb+srv`."""
    name, _, variant = scheme.partition("+")
    return None if variant in ("srv", "unix") else DEFAULT_PORTS.get(variant if variant == "sentinel" else name)


def _is_host(host: str) -> bool:
    return _ADDRESS.match(host) is None and any(character.isalpha() for character in host)
