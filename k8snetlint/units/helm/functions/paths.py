"""Functions on paths, addresses and text for the web."""

from __future__ import annotations

import html
import posixpath
from urllib.parse import quote_plus, urlsplit, urlunsplit

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import Value, plain_map, text_of


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
    parts = urlsplit(url)
    userinfo, at, _ = parts.netloc.rpartition("@")
    return plain_map(
        {
            "scheme": parts.scheme,
            "host": parts.netloc.rpartition("@")[2],
            "hostname": (parts.hostname or "") if parts.netloc else "",
            "path": parts.path,
            "query": parts.query,
            "opaque": "" if parts.netloc or not parts.scheme or parts.path.startswith("/") else parts.path,
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
        "urlquery": Builtin(lambda *values: quote_plus("".join(map(text_of, values))), "a*"),
        "html": Builtin(lambda *values: html.escape("".join(map(text_of, values))), "a*"),
    }
