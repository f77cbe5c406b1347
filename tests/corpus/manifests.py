"""Texts of objects, for trees that tests write."""

from __future__ import annotations

import textwrap


def an(kind: str, name: str, body: str = "", *, api: str = "v1", namespace: str | None = None, meta: str = "") -> str:
    """The text of an object; `body` stands at its top level, `meta` in its metadata."""
    text = f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n"
    if namespace is not None:
        text += f"  namespace: {namespace}\n"
    if meta:
        text += textwrap.indent(textwrap.dedent(meta).strip("\n"), "  ") + "\n"
    return text + textwrap.dedent(body).lstrip("\n")


def deployment(name: str, labels: str = "", containers: str = "", *, namespace: str | None = None) -> str:
    """A Deployment whose pods have labels (`app: NAME` unless given) and containers in flow style."""
    labels = labels or f"app: {name}"
    containers = containers or f"{{name: {name}, image: {name}, ports: [{{containerPort: 8080}}]}}"
    return an(
        "Deployment",
        name,
        f"""
        spec:
          selector: {{matchLabels: {{{labels}}}}}
          template:
            metadata: {{labels: {{{labels}}}}}
            spec:
              containers: [{containers}]
        """,
        api="apps/v1",
        namespace=namespace,
    )


def service(name: str, selector: str = "", ports: str = "", *, namespace: str | None = None, more: str = "") -> str:
    """A Service that selects `app: NAME` and has port 80 to 8080, unless other ones are given."""
    selector = selector or f"app: {name}"
    ports = ports or "{port: 80, targetPort: 8080}"
    return an("Service", name, f"spec:\n  selector: {{{selector}}}\n  ports: [{ports}]\n{more}", namespace=namespace)


def policy(name: str, spec: str, *, namespace: str | None = None) -> str:
    """A NetworkPolicy with a spec in block style."""
    body = "spec:\n" + textwrap.indent(textwrap.dedent(spec).strip("\n"), "  ") + "\n"
    return an("NetworkPolicy", name, body, api="networking.k8s.io/v1", namespace=namespace)


def joined(*objects: str) -> str:
    """Objects as the documents of one file."""
    return "---\n".join(objects)
