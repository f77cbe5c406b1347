"""The data is whole: every reference leads somewhere, in every release, and both ways of validating read the same."""

import json
from pathlib import Path

import jsonschema
import pytest

import k8snetlint.schema
from k8snetlint.schema.compiled import compile_type
from k8snetlint.schema.report import json_schema
from k8snetlint.schema.shapes import NEWEST_MINOR, OLDEST_MINOR, kind_type
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile

DATA = Path(k8snetlint.schema.__file__).parent / "data"
FILES = {path.stem: json.loads(path.read_text()) for path in DATA.glob("groups/*.json")}
KINDS = sorted(
    (version if file == "core" else f"{file}/{version}", kind)
    for file, content in FILES.items()
    for version, kind in (name.split(".") for name in content["kinds"])
)


def test_the_kinds_that_the_tool_looks_at_are_there() -> None:
    assert {
        *(("v1", kind) for kind in ("Namespace", "Node", "Pod", "ReplicationController", "Service", "Endpoints")),
        *(("apps/v1", kind) for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")),
        *(("batch/v1", kind) for kind in ("Job", "CronJob")),
        *(("networking.k8s.io/v1", kind) for kind in ("Ingress", "IngressClass", "NetworkPolicy", "IPAddress")),
        *(("gateway.networking.k8s.io/v1", kind) for kind in ("Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute")),
        *(("monitoring.coreos.com/v1", kind) for kind in ("ServiceMonitor", "PodMonitor", "Prometheus")),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
        ("route.openshift.io/v1", "Route"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("cilium.io/v2", "CiliumNetworkPolicy"),
    } <= set(KINDS)


@pytest.mark.parametrize("minor", range(OLDEST_MINOR, NEWEST_MINOR + 1))
def test_every_reference_leads_somewhere_in_every_release(minor: int) -> None:
    shapes: dict[str, object] = {}
    for api_version, kind in KINDS:
        code = kind_type(api_version, kind)
        assert code is not None
        definitions = json_schema(code, minor)["$defs"]
        assert isinstance(definitions, dict)
        shapes |= definitions
    assert "meta:v1.ObjectMeta" in shapes
    assert len(shapes) > 700


def test_the_definitions_are_json_schemas() -> None:
    for api_version, kind in (
        ("v1", "Pod"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("cilium.io/v2", "CiliumNetworkPolicy"),
    ):
        code = kind_type(api_version, kind)
        assert code is not None
        jsonschema.Draft202012Validator.check_schema(json_schema(code, NEWEST_MINOR))


def test_compiled_and_written_out_schemas_agree_on_an_object_with_an_unknown_field() -> None:
    root = parse(SourceFile("-", "metadata: {name: a}\nspec: {}\nnoSuchField: 1\n")).documents[0].root
    for api_version, kind in KINDS:
        code = kind_type(api_version, kind)
        assert code is not None
        assert not compile_type(code, NEWEST_MINOR).check(root)


def test_the_wheel_stays_small() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*.json")) < 200_000
