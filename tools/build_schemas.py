"""Builds k8snetlint/schema/data from published packages: `python tools/build_schemas.py`. Needs pip, go and network.

Kubernetes: the strict JSON Schemas that the PyPI package kubernetes-validate carries, one folder per minor release.
Custom kinds: the CustomResourceDefinitions that the projects' Go modules carry.
The form of the data is explained in k8snetlint/schema/data/README.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

DATA = Path(__file__).parent.parent / "k8snetlint" / "schema" / "data"
OLDEST, NEWEST = 27, 37
# The newest release holds 1.25 and later; the other one what came before, for the table of removed kinds.
PACKAGES = {range(11, 25): "1.27.1", range(25, NEWEST + 1): "1.37.0"}

GO_MODULES = {
    "sigs.k8s.io/gateway-api@v1.7.0": ("config/crd/experimental/*.yaml",),
    "sigs.k8s.io/gateway-api@v1.4.0": ("config/crd/experimental/*.yaml",),
    "sigs.k8s.io/network-policy-api@v0.2.0": ("config/crd/experimental/*policies.yaml",),
    "sigs.k8s.io/network-policy-api@v0.1.7": ("config/crd/experimental/*policies.yaml",),
    "github.com/prometheus-operator/prometheus-operator@v0.92.0": (
        "example/prometheus-operator-crd/*_servicemonitors.yaml",
        "example/prometheus-operator-crd/*_podmonitors.yaml",
        "example/prometheus-operator-crd/*_probes.yaml",
        "example/prometheus-operator-crd/*_prometheuses.yaml",
        "example/prometheus-operator-crd/*_alertmanagers.yaml",
    ),
    "github.com/argoproj/argo-rollouts@v1.10.2": ("manifests/crds/rollout-crd.yaml",),
    "github.com/openshift/api@v0.0.0-20230607130528-611114dca681": ("route/v1/route.crd.yaml",),
    "github.com/cilium/cilium@v1.20.2": (
        "pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnetworkpolicies.yaml",
        "pkg/k8s/apis/cilium.io/client/crds/v2/ciliumclusterwidenetworkpolicies.yaml",
    ),
    "istio.io/api@v1.31.4": ("kubernetes/customresourcedefinitions.gen.yaml",),
    "github.com/projectcontour/contour@v1.33.8": ("examples/contour/01-crds.yaml",),
    "github.com/cloudnative-pg/cloudnative-pg@v1.29.0": ("config/crd/bases/postgresql.cnpg.io_clusters.yaml",),
}

# Kinds of the files above that have nothing to do with networks.
LEFT_OUT = {
    "ContourConfiguration",
    "ContourDeployment",
    "ExtensionService",
    "WasmPlugin",
    "TrafficExtension",
    "Telemetry",
}

KINDS = {
    "core": (
        *("Namespace", "Node", "Pod", "PodTemplate", "ReplicationController", "Service", "Endpoints"),
        *("ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim"),
    ),
    "apps": ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
    "batch": ("Job", "CronJob"),
    "autoscaling": ("HorizontalPodAutoscaler",),
    "policy": ("PodDisruptionBudget",),
    "discovery.k8s.io": ("EndpointSlice",),
    "networking.k8s.io": ("Ingress", "IngressClass", "NetworkPolicy", "IPAddress", "ServiceCIDR", "ClusterCIDR"),
    "admissionregistration.k8s.io": ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    "apiregistration.k8s.io": ("APIService",),
}

# The OpenAPI description listed these for two more releases than the API server served them by default.
LAST_SERVED = {("extensions", "v1beta1"): 15, ("apps", "v1beta1"): 15, ("apps", "v1beta2"): 15}
SERVED_LONGER = {("extensions", "v1beta1", "Ingress")}

# Kinds of a schema that are no objects of a manifest: options and the bodies of subresources.
NO_OBJECTS = {
    "APIGroup",
    "APIVersions",
    "EphemeralContainers",
    "WatchEvent",
    "Status",
    "Scale",
    "Eviction",
    "TokenRequest",
    "DeploymentRollback",
}

# What the OpenAPI description calls required and the API server accepts without, by its validation code: it decodes to
# an empty value that is allowed.
NOT_REQUIRED = {
    "v1.NetworkPolicySpec": {"podSelector"},
    "v1.StatefulSetSpec": {"serviceName"},
    "v1.HTTPHeader": {"value"},
    "v1.EndpointSlice": {"endpoints"},
}

# Fields of OpenShift's Route that its newest module with CRD files does not know yet (4.14 and 4.16).
ROUTE_FIELDS = {
    ("spec",): {"httpHeaders": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    ("spec", "tls"): {"externalCertificate": {"type": "object", "properties": {"name": {"type": "string"}}}},
}

CLUSTER_SCOPED = {
    "": (
        "ComponentStatus",
        "Namespace",
        "Node",
        "PersistentVolume",
    ),
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "auditregistration.k8s.io": ("AuditSink",),
    "authentication.k8s.io": (
        "SelfSubjectReview",
        "TokenReview",
    ),
    "authorization.k8s.io": (
        "SelfSubjectAccessReview",
        "SelfSubjectRulesReview",
        "SubjectAccessReview",
    ),
    "certificates.k8s.io": (
        "CertificateSigningRequest",
        "ClusterTrustBundle",
    ),
    "extensions": ("PodSecurityPolicy",),
    "flowcontrol.apiserver.k8s.io": (
        "FlowSchema",
        "PriorityLevelConfiguration",
    ),
    "internal.apiserver.k8s.io": ("StorageVersion",),
    "networking.k8s.io": (
        "ClusterCIDR",
        "IPAddress",
        "IngressClass",
        "ServiceCIDR",
    ),
    "node.k8s.io": ("RuntimeClass",),
    "policy": ("PodSecurityPolicy",),
    "rbac.authorization.k8s.io": (
        "ClusterRole",
        "ClusterRoleBinding",
    ),
    "resource.k8s.io": (
        "DeviceClass",
        "DeviceTaintRule",
        "ResourcePoolStatusRequest",
        "ResourceSlice",
        "ResourceClass",
    ),
    "scheduling.k8s.io": ("PriorityClass",),
    "storage.k8s.io": (
        "CSIDriver",
        "CSINode",
        "StorageClass",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ),
    "storagemigration.k8s.io": ("StorageVersionMigration",),
}

Json = dict[str, Any]

SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "is",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "s",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "s",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "o",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "o",
}
SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}


def kubernetes_definitions(folder: Path) -> dict[int, Json]:
    """The definitions of every minor release, by minor."""
    result = {}
    for minors, release in PACKAGES.items():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        subprocess.run([*pip, f"kubernetes-validate=={release}"], check=True)
        archive = next(path for path in folder.iterdir() if f"-{release}" in path.name)
        read = archive_reader(archive)
        for minor in minors:
            result[minor] = json.loads(read(f"v1.{minor}.0-local-strict/_definitions.json"))
    return {
        minor: definitions["$defs" if "$defs" in definitions else "definitions"]
        for minor, definitions in result.items()
    }


def archive_reader(archive: Path) -> Callable[[str], bytes]:
    """A function from the end of a member's name to its content."""
    if archive.suffix == ".whl":
        wheel = zipfile.ZipFile(archive)
        return lambda end: wheel.read(next(name for name in wheel.namelist() if name.endswith(end)))
    tar = tarfile.open(archive)  # noqa: SIM115 (read until the program ends)
    members = {member.name.partition("kubernetes-json-schema/")[2]: member for member in tar.getmembers()}

    def read(end: str) -> bytes:
        file = tar.extractfile(members[end])
        assert file is not None
        return file.read()

    return read


def crds(folder: Path) -> Iterator[tuple[str, Json]]:
    """The CustomResourceDefinitions of the Go modules, each with the module that it is from."""
    environment = {**os.environ, "GOMODCACHE": str(folder), "GOFLAGS": "-modcacherw"}
    yaml = YAML(typ="safe")
    for module, patterns in GO_MODULES.items():
        # A module may ask for a newer toolchain: its files are unpacked all the same.
        subprocess.run(["go", "mod", "download", module], env=environment, check=False, cwd=folder)
        for pattern in patterns:
            paths = sorted((folder / module).glob(pattern))
            if not paths:
                raise SystemExit(f"{module} holds no {pattern}")
            for path in paths:
                for document in yaml.load_all(path.read_text()):
                    if document and document.get("kind") == "CustomResourceDefinition":
                        yield module, document


def timeline(values: dict[int, Any]) -> list[tuple[int, int, Any]]:
    """Runs of minors over which a value stays the same."""
    runs: list[tuple[int, int, Any]] = []
    for minor in sorted(values):
        if runs and runs[-1][1] == minor - 1 and runs[-1][2] == values[minor]:
            runs[-1] = (runs[-1][0], minor, values[minor])
        else:
            runs.append((minor, minor, values[minor]))
    return runs


class BuiltIn:
    """Turns the definitions of all minors into shapes whose fields know since when and until when they exist."""

    def __init__(self, definitions: dict[int, Json]) -> None:
        self.definitions = {minor: definitions[minor] for minor in range(OLDEST, NEWEST + 1)}
        self.files: dict[str, Json] = {}
        self.groups = {}
        for minor in definitions:
            for name, schema in definitions[minor].items():
                for gvk in schema.get("x-kubernetes-group-version-kind", ()):
                    self.groups[name.rpartition(".")[0]] = gvk["group"] or "core"
        self.done: set[str] = set()

    def place(self, definition: str) -> tuple[str, str]:
        """The file and the shape's name for a definition."""
        package, _, name = definition.rpartition(".")
        version = package.rpartition(".")[2]
        if package.startswith("io.k8s.apimachinery"):
            return "meta", f"{version}.{name}"
        return self.groups[package], f"{version}.{name}"

    def type_of(self, schema: Json, file: str) -> str:
        """The type code of a schema."""
        if "$ref" in schema:
            definition = schema["$ref"].rpartition("/")[2]
            if definition in SPECIAL:
                return SPECIAL[definition]
            if all("properties" not in d[definition] for d in self.definitions.values() if definition in d):
                return "o"
            self.add(definition)
            target, name = self.place(definition)
            return f"@{name}" if target == file else f"@{target}:{name}"
        types = schema.get("type", [])
        kind = next((t for t in ([types] if isinstance(types, str) else types) if t != "null"), None)
        if kind == "array":
            return "[]" + self.type_of(schema["items"], file)
        if kind == "object":
            values = schema.get("additionalProperties")
            return "{}" + self.type_of(values, file) if isinstance(values, dict) else "o"
        return "*" if kind is None else SCALARS[kind]

    def add(self, definition: str) -> None:
        """Adds the shape of a definition, and all that it refers to."""
        if definition in self.done:
            return
        self.done.add(definition)
        file, name = self.place(definition)
        types: dict[str, dict[int, str]] = {}
        required: dict[str, dict[int, bool]] = {}
        for minor, definitions in self.definitions.items():
            schema = definitions.get(definition)
            if schema is None:
                continue
            is_object = "x-kubernetes-group-version-kind" in schema
            for field, value in schema.get("properties", {}).items():
                if not (is_object and field == "status"):
                    types.setdefault(field, {})[minor] = self.type_of(value, file)
            for field in schema.get("required", ()):
                if field not in NOT_REQUIRED.get(name, ()):
                    required.setdefault(field, {})[minor] = True
        if any("x-kubernetes-group-version-kind" in d.get(definition, ()) for d in self.definitions.values()):
            types["status"] = dict.fromkeys(self.definitions, "*")
        shape: Json = {"fields": {field: self.over_time(values) for field, values in sorted(types.items())}}
        if required:
            shape["required"] = {field: self.spans(values) for field, values in sorted(required.items())}
        self.files.setdefault(file, {"kinds": {}, "shapes": {}})["shapes"][name] = shape

    @staticmethod
    def over_time(values: dict[int, str]) -> Any:
        runs = timeline(values)
        return runs[0][2] if runs[0][:2] == (OLDEST, NEWEST) else [list(run) for run in runs]

    @staticmethod
    def spans(values: dict[int, bool]) -> list[list[int]]:
        return [[first, last] for first, last, _ in timeline(values) if (first, last) != (OLDEST, NEWEST)]

    def build(self) -> dict[str, Json]:
        """The content of every file."""
        for definitions in self.definitions.values():
            for definition, schema in definitions.items():
                for gvk in schema.get("x-kubernetes-group-version-kind", ()):
                    file = gvk["group"] or "core"
                    if gvk["kind"] in KINDS.get(file, ()):
                        self.add(definition)
                        name = self.place(definition)[1]
                        self.files[file]["kinds"][f"{gvk['version']}.{gvk['kind']}"] = f"@{name}"
        return self.files


class Custom:
    """Turns CustomResourceDefinitions of one group into shapes; equal shapes are stored once."""

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}
        self.scopes: dict[str, bool] = {}
        self.shapes: dict[str, Json] = {}
        self.names: dict[str, str] = {}

    def add(self, crd: Json) -> None:
        """Adds the versions of a kind, on top of what another release of the project brought already."""
        kind = crd["spec"]["names"]["kind"]
        for version in crd["spec"]["versions"]:
            if not version.get("served", True):
                continue
            schema = version["schema"]["openAPIV3Schema"]
            if kind == "Route" and crd["spec"]["group"] == "route.openshift.io":
                add_fields(schema)
            name = f"{version['name']}.{kind}"
            if name in self.schemas:
                merge(self.schemas[name], schema)
            else:
                self.schemas[name] = schema
            self.scopes[kind] = crd["spec"]["scope"] == "Cluster"

    def build(self) -> Json:
        """The kinds and shapes of the group's file."""
        kinds = {name: self.root(schema) for name, schema in self.schemas.items()}
        return {"kinds": kinds, "shapes": self.shapes}

    def root(self, schema: Json) -> str:
        properties = {k: v for k, v in schema["properties"].items() if k != "status"}
        fields = {field: self.type_of(value) for field, value in properties.items()}
        fields |= {"apiVersion": "s", "kind": "s", "metadata": "@meta:v1.ObjectMeta", "status": "*"}
        return self.shape(fields, [name for name in schema.get("required", ()) if name != "status"], is_open=False)

    def shape(self, fields: dict[str, str], required: Iterable[str], *, is_open: bool) -> str:
        shape: Json = {"fields": dict(sorted(fields.items()))}
        if names := sorted(required):
            shape["required"] = {name: [] for name in names}
        if is_open:
            shape["open"] = True
        content = json.dumps(shape)
        if content not in self.names:
            self.names[content] = str(len(self.names))
            self.shapes[self.names[content]] = shape
        return f"@{self.names[content]}"

    def type_of(self, schema: Json) -> str:
        """The type code of a schema of a CRD."""
        if schema.get("x-kubernetes-int-or-string"):
            return "q" if "pattern" in schema else "is"
        if schema.get("x-kubernetes-embedded-resource"):
            return "o"
        kind = schema.get("type")
        if kind == "array":
            return "[]" + self.type_of(schema["items"])
        if kind == "object":
            return self.object_type(schema)
        values = schema.get("enum", ())
        if kind == "string" and values and all(isinstance(v, str) and "|" not in v for v in values):
            return "=" + "|".join(values)
        return "*" if kind is None else SCALARS[kind]

    def object_type(self, schema: Json) -> str:
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            return "{}" + self.type_of(values)
        properties = schema.get("properties")
        if not properties:
            return "o"
        required = [n for n in schema.get("required", ()) if n in properties and "default" not in properties[n]]
        fields = {field: self.type_of(value) for field, value in properties.items()}
        is_open = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or values is True
        return self.shape(fields, required, is_open=is_open)


def merge(schema: Json, other: Json) -> None:
    """Adds to a schema what another release of it allows."""
    for field, value in other.get("properties", {}).items():
        properties = schema.setdefault("properties", {})
        if field in properties:
            merge(properties[field], value)
        else:
            properties[field] = value
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict) and isinstance(other.get(key), dict):
            merge(schema[key], other[key])
    schema["required"] = [name for name in schema.get("required", ()) if name in other.get("required", ())]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], *(v for v in other.get("enum", ()) if v not in schema["enum"])]


def add_fields(schema: Json) -> None:
    """Adds to Route's schema what its module does not know yet."""
    for path, fields in ROUTE_FIELDS.items():
        node = schema
        for step in path:
            node = node["properties"][step]
        node["properties"].update(fields)


def kinds_over_time(definitions: dict[int, Json]) -> Json:
    """group -> version -> kind -> [first minor, last minor] in which the kind is served."""
    seen: dict[tuple[str, str, str], list[int]] = {}
    for minor, schemas in definitions.items():
        for schema in schemas.values():
            for gvk in schema.get("x-kubernetes-group-version-kind", ()):
                if gvk["kind"] not in NO_OBJECTS and not gvk["kind"].endswith(("Options", "List")):
                    seen.setdefault((gvk["group"], gvk["version"], gvk["kind"]), []).append(minor)
    groups: Json = {}
    for (group, version, kind), minors in sorted(seen.items()):
        last = max(minors)
        if (group, version) in LAST_SERVED and (group, version, kind) not in SERVED_LONGER:
            last = min(last, LAST_SERVED[group, version])
        groups.setdefault(group, {}).setdefault(version, {})[kind] = [min(minors), last]
    return groups


def write(name: str, content: Json) -> None:
    """Writes one file of data, compact and sorted where order means nothing."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True, sort_keys=True)
    path = DATA / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    print(f"{name}.json {len(text)}")


def main() -> None:
    """Downloads the packages into a temporary folder and writes the data."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        definitions = kubernetes_definitions(folder)
        groups: dict[str, Custom] = {}
        sources: dict[str, list[str]] = {}
        for module, crd in crds(folder):
            if crd["spec"]["names"]["kind"] in LEFT_OUT:
                continue
            group = crd["spec"]["group"]
            groups.setdefault(group, Custom()).add(crd)
            if module not in sources.setdefault(group, []):
                sources[group].append(module)
    for name, content in BuiltIn(definitions).build().items():
        write(f"groups/{name}", {"source": "https://github.com/kubernetes/kubernetes", **content})
    for group, custom in groups.items():
        write(f"groups/{group}", {"source": " ".join(sources[group]), **custom.build()})
    scopes = {group: custom.scopes for group, custom in groups.items()}
    write("kinds", {"builtin": kinds_over_time(definitions), "cluster": CLUSTER_SCOPED, "custom": scopes})


if __name__ == "__main__":
    main()
