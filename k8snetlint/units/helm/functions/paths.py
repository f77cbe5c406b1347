"""Functions on paths, addresses and text for the web."""

from __future__ import annotations

import html
import posixpath
import re
from urllib.parse import quote_plus, urlsplit, urlunsplit

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import NO_VALUE, Value, plain_map, text_of

from .formatting import sprint

# Python leaves out white space at the ends and line breaks inside; Go does not.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(r"(?P<path>[^?#]*).*", re.DOTALL)


def _base(path: str) -> str:
    if not path:
        return "."
    return path.rstrip("/").rsplit("/", 1)[-1] or "/"


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path) if path else "."
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _folder(path: str) -> str:
    return _clean(path.rpartition("/")[0] + ("/" if "/" in path else ""))


def _extension(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name[name.rindex(".") :] if "." in name else ""


def _url_parsed(url: str) -> Value:
    if _CONTROL.search(url):
        raise ValueError("an address holds control characters")
    match = _URL.fullmatch(url)
    parts = urlsplit(url)
    if match is not None and not parts.scheme and not parts.netloc:
        parts = parts._replace(path=match["path"])
    userinfo, at, _ = parts.netloc.rpartition("@")
    is_opaque = bool(parts.scheme and not parts.netloc and not parts.path.startswith("/"))
    return plain_map(
        {
            "scheme": parts.scheme,
            "host": parts.netloc.rpartition("@")[2],
            "hostname": (parts.hostname or "") if parts.netloc else "",
            "path": "" if is_opaque else parts.path,
            "query": parts.query,
            "opaque": parts.path if is_opaque else "",
            "fragment": parts.fragment,
            "userinfo": userinfo if at else "",
        }
    )


def _url_joined(parts: dict[str, Value]) -> str:
    def part(name: str) -> str:
        return text_of(parts.get(name), "")

    host = part("host")
    if part("userinfo"):
        host = f"{part('userinfo')}@{host}"
    path = part("path") or part("opaque")
    return urlunsplit((part("scheme"), host, path, part("query"), part("fragment")))


def _escaped(text: str) -> str:
    return html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def _printed(values: tuple[Value, ...]) -> str:
    return sprint(*(NO_VALUE if value is None else value for value in values))


def functions() -> Registry:
    """Functions on paths and addresses; those on the paths of the machine are the same."""
    named: Registry = {
        "base": Builtin(_base, "s"),
        "dir": Builtin(_folder, "s"),
        "clean": Builtin(_clean, "s"),
        "ext": Builtin(_extension, "s"),
        "isAbs": Builtin(lambda path: path.startswith("/"), "s"),
    }
    machine = {f"os{name[0].upper()}{name[1:]}": function for name, function in named.items()}
    return {
        **named,
        **machine,
        "urlParse": Builtin(_url_parsed, "s"),
        "urlJoin": Builtin(_url_joined, "d"),
        "urlquery": Builtin(lambda *values: quote_plus(_printed(values)), "a*"),
        "html": Builtin(lambda *values: _escaped(_printed(values)), "a*"),
    }
