"""The objects that templates see beside their values: Release, Chart, Capabilities, Files."""

from __future__ import annotations

import base64
import posixpath
import re

from .chart import Chart, Dependency
from .functions.versions import version_of
from .goyaml import dump
from .values import Bytes, GoMap, Method, MethodList, Struct, Value, plain_map, text_map, text_of

DEFAULT_KUBE_VERSION = "1.37.0"
HELM_VERSION = "v4.3.1"

# What `helm template` takes a cluster to offer: the groups and versions that Kubernetes itself defines.
_API_VERSIONS = """
v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1beta1 admissionregistration.k8s.io/v1alpha1
internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta2 apps/v1beta1 authentication.k8s.io/v1
authentication.k8s.io/v1beta1 authentication.k8s.io/v1alpha1 authorization.k8s.io/v1 authorization.k8s.io/v1beta1
autoscaling/v2 autoscaling/v1 batch/v1 batch/v1beta1 certificates.k8s.io/v1 certificates.k8s.io/v1beta1
certificates.k8s.io/v1alpha1 coordination.k8s.io/v1 coordination.k8s.io/v1beta1 coordination.k8s.io/v1alpha2
discovery.k8s.io/v1 discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1
flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta3 flowcontrol.apiserver.k8s.io/v1beta2
flowcontrol.apiserver.k8s.io/v1beta1 networking.k8s.io/v1 networking.k8s.io/v1beta1 node.k8s.io/v1
node.k8s.io/v1beta1 node.k8s.io/v1alpha1 policy/v1 policy/v1beta1 rbac.authorization.k8s.io/v1
rbac.authorization.k8s.io/v1beta1 rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1 resource.k8s.io/v1beta2
resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 scheduling.k8s.io/v1 scheduling.k8s.io/v1beta1
scheduling.k8s.io/v1alpha3 storage.k8s.io/v1 storage.k8s.io/v1beta1 storage.k8s.io/v1alpha1
storagemigration.k8s.io/v1 storagemigration.k8s.io/v1beta1 apiextensions.k8s.io/v1 apiextensions.k8s.io/v1beta1
"""


def capabilities(kube_version: str, extra_api_versions: tuple[str, ...] = ()) -> Struct:
    """The cluster that a chart is rendered for. Raises ValueError if the version is none."""
    version = version_of(kube_version)
    normal = f"v{version.major}.{version.minor}.{version.patch}"
    full = kube_version if kube_version.startswith("v") else f"v{kube_version}"
    offered = MethodList([*_API_VERSIONS.split(), *extra_api_versions])
    offered.kind = "common.VersionSet"
    known = frozenset(map(str, offered))
    offered.fields = {"Has": Method(lambda name: name in known, "s")}
    return Struct(
        "*common.Capabilities",
        {
            "KubeVersion": Struct(
                "common.KubeVersion",
                {
                    "Version": full,
                    "Major": str(version.major),
                    "Minor": str(version.minor),
                    "GitVersion": full,
                    "String": normal,
                },
                normal,
            ),
            "APIVersions": offered,
            "HelmVersion": Struct(
                "version.BuildInfo",
                {"Version": HELM_VERSION, "GitCommit": "", "GitTreeState": "", "GoVersion": ""},
            ),
        },
    )


def release(name: str, namespace: str) -> GoMap:
    """A release that is installed for the first time."""
    return plain_map(
        {
            "Name": name,
            "Namespace": namespace,
            "IsInstall": True,
            "IsUpgrade": False,
            "Revision": 1,
            "Service": "Helm",
        }
    )


_TEXTS = (
    "home",
    "version",
    "description",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "kubeVersion",
    "type",
)
_NAMES = {"apiVersion": "APIVersion", "appVersion": "AppVersion", "kubeVersion": "KubeVersion"}


def chart_object(chart: Chart) -> GoMap:
    """The metadata of a chart under the names that templates use."""
    metadata = chart.metadata if isinstance(chart.metadata, dict) else {}

    def text(key: str) -> Value:
        value = metadata.get(key)
        return "" if value is None else value if isinstance(value, str) else text_of(value)

    made = plain_map({_NAMES.get(key, key.capitalize()): text(key) for key in _TEXTS})
    named = metadata.get("name")
    made["Name"] = named if named == chart.name else chart.name
    made["APIVersion"] = made["APIVersion"] or "v1"
    for key in ("sources", "keywords"):
        listed = metadata.get(key)
        made[key.capitalize()] = listed if isinstance(listed, list) else []
    maintainers = metadata.get("maintainers")
    made["Maintainers"] = [
        plain_map({"Name": each.get("name") or "", "Email": each.get("email") or "", "URL": each.get("url") or ""})
        for each in (maintainers if isinstance(maintainers, list) else [])
        if isinstance(each, dict)
    ]
    made["Deprecated"] = metadata.get("deprecated") is True
    annotations = metadata.get("annotations")
    made["Annotations"] = text_map(annotations if isinstance(annotations, dict) else {})
    made["Dependencies"] = [_dependency_object(each) for each in chart.dependencies]
    made["IsRoot"] = chart.is_root
    return made


def _dependency_object(dependency: Dependency) -> GoMap:
    return plain_map(
        {
            "Name": dependency.name,
            "Version": dependency.version,
            "Repository": dependency.repository,
            "Condition": dependency.condition,
            "Tags": list(dependency.tags),
            "Enabled": dependency.enabled,
            "ImportValues": list(dependency.imports),
            "Alias": dependency.alias,
        }
    )


def files_object(contents: dict[str, bytes]) -> Struct:
    """The files of a chart that are neither templates nor values."""

    def get(name: str) -> str:
        return _decoded(contents.get(name, b""))

    def glob(pattern: str) -> Value:
        expression = re.compile(_glob_expression(pattern))
        return _selection({name: data for name, data in contents.items() if expression.fullmatch(name)})

    def lines(name: str) -> Value:
        text = get(name)
        return list(text.removesuffix("\n").split("\n")) if text else []

    return Struct(
        "engine.files",
        {
            "Get": Method(get, "s"),
            "GetBytes": Method(lambda name: Bytes(get(name)), "s"),
            "Glob": Method(glob, "s"),
            "Lines": Method(lines, "s"),
            "AsConfig": Method(lambda: _as_config(contents)),
            "AsSecrets": Method(lambda: _as_secrets(contents)),
        },
    )


class Selection(GoMap):
    """Files as a map that also has the methods of `.Files`."""

    __slots__ = ("fields", "kind")
    fields: dict[str, Value]
    kind: str


def _selection(contents: dict[str, bytes]) -> Selection:
    made = Selection({name: Bytes(_decoded(data)) for name, data in contents.items()})
    made.node = None
    made.flags = {}
    made.kind = "engine.files"
    made.fields = files_object(contents).fields
    return made


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape")


def _as_config(contents: dict[str, bytes]) -> str:
    return dump({posixpath.basename(name): _decoded(data) for name, data in contents.items()}) if contents else "{}"


def _as_secrets(contents: dict[str, bytes]) -> str:
    encoded = {posixpath.basename(name): base64.b64encode(data).decode() for name, data in contents.items()}
    return dump(dict(encoded)) if encoded else "{}"


_GLOB_PART = re.compile(r"\*\*|\*|\?|\[!?[^\]]*\]|\{[^{}]*\}|\\.|.", re.DOTALL)


def _glob_expression(pattern: str) -> str:
    """A glob with `**`, classes and alternatives as a regular expression; one that is broken selects everything."""
    parts = []
    for match in _GLOB_PART.finditer(pattern):
        part = match[0]
        if part == "**":
            parts.append(".*")
        elif part == "*":
            parts.append("[^/]*")
        elif part == "?":
            parts.append("[^/]")
        elif part[0] == "[" and len(part) > 2:
            body = part[1:-1]
            negated = body.startswith("!")
            parts.append(f"[{'^' if negated else ''}{re.escape(body[negated:]).replace(chr(92) + '-', '-')}]")
        elif part[0] == "{" and len(part) > 1:
            parts.append("(?:" + "|".join(_glob_expression(each) for each in part[1:-1].split(",")) + ")")
        else:
            parts.append(re.escape(part[-1]))
    return "".join(parts)
