"""What is served in which release, against the deprecation guide of the Kubernetes documentation."""

import pytest

from k8snetlint.model.kinds import CLUSTER_SCOPED
from k8snetlint.schema.kinds import (
    Removal,
    added_in,
    is_builtin_group,
    is_cluster_scoped,
    known_kinds,
    nearest_kind,
    removed_in,
)


@pytest.mark.parametrize(
    ("api_version", "kind", "minor", "replacement"),
    [
        ("extensions/v1beta1", "Ingress", 22, "networking.k8s.io/v1"),
        ("networking.k8s.io/v1beta1", "Ingress", 22, "networking.k8s.io/v1"),
        ("networking.k8s.io/v1beta1", "IngressClass", 22, "networking.k8s.io/v1"),
        ("extensions/v1beta1", "NetworkPolicy", 16, "networking.k8s.io/v1"),
        ("extensions/v1beta1", "Deployment", 16, "apps/v1"),
        ("extensions/v1beta1", "DaemonSet", 16, "apps/v1"),
        ("apps/v1beta1", "Deployment", 16, "apps/v1"),
        ("apps/v1beta2", "StatefulSet", 16, "apps/v1"),
        ("policy/v1beta1", "PodDisruptionBudget", 25, "policy/v1"),
        ("policy/v1beta1", "PodSecurityPolicy", 25, None),
        ("batch/v1beta1", "CronJob", 25, "batch/v1"),
        ("discovery.k8s.io/v1beta1", "EndpointSlice", 25, "discovery.k8s.io/v1"),
        ("autoscaling/v2beta1", "HorizontalPodAutoscaler", 25, "autoscaling/v2"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", 26, "autoscaling/v2"),
        (
            "admissionregistration.k8s.io/v1beta1",
            "ValidatingWebhookConfiguration",
            22,
            "admissionregistration.k8s.io/v1",
        ),
        ("apiregistration.k8s.io/v1beta1", "APIService", 22, "apiregistration.k8s.io/v1"),
        ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", 22, "apiextensions.k8s.io/v1"),
        ("rbac.authorization.k8s.io/v1beta1", "Role", 22, "rbac.authorization.k8s.io/v1"),
    ],
)
def test_removed(api_version: str, kind: str, minor: int, replacement: str | None) -> None:
    assert removed_in(api_version, kind) == Removal(minor, replacement)


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [("v1", "Service"), ("networking.k8s.io/v1", "Ingress"), ("v1", "Endpoints"), ("example.com/v1", "Ingress")],
)
def test_not_removed(api_version: str, kind: str) -> None:
    assert removed_in(api_version, kind) is None


def test_decided_by_kind_too() -> None:
    assert added_in("networking.k8s.io/v1beta1", "IPAddress") == 31
    assert ("networking.k8s.io/v1beta1", "IPAddress") in known_kinds("1.31")
    assert ("networking.k8s.io/v1beta1", "IPAddress") not in known_kinds("1.30")
    assert ("networking.k8s.io/v1beta1", "Ingress") not in known_kinds("1.31")


def test_known_kinds_hold_no_subresources_and_no_lists() -> None:
    known = known_kinds("1.37")
    assert ("v1", "Service") in known
    assert ("apps/v1", "Deployment") in known
    assert not {kind for _, kind in known if kind.endswith(("List", "Options")) or kind == "Scale"}


@pytest.mark.parametrize(
    ("api_version", "kind", "nearest"),
    [
        ("v1", "Sevice", ("v1", "Service")),
        ("v1", "service", ("v1", "Service")),
        ("v1", "Deployment", ("apps/v1", "Deployment")),
        ("app/v1", "Deployment", ("apps/v1", "Deployment")),
        ("networking.k8s.io/v1", "NetworkPolcy", ("networking.k8s.io/v1", "NetworkPolicy")),
        ("v1", "Nonsense", None),
    ],
)
def test_nearest_kind(api_version: str, kind: str, nearest: tuple[str, str] | None) -> None:
    assert nearest_kind(api_version, kind, "1.37") == nearest


@pytest.mark.parametrize(
    ("group", "kind", "expected"),
    [
        ("", "Namespace", True),
        ("", "Node", True),
        ("", "Service", False),
        ("networking.k8s.io", "IngressClass", True),
        ("networking.k8s.io", "ServiceCIDR", True),
        ("networking.k8s.io", "NetworkPolicy", False),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", True),
        ("gateway.networking.k8s.io", "GatewayClass", True),
        ("gateway.networking.k8s.io", "HTTPRoute", False),
        ("policy.networking.k8s.io", "AdminNetworkPolicy", True),
        ("cilium.io", "CiliumClusterwideNetworkPolicy", True),
        ("example.com", "Thing", None),
        ("", "Thing", None),
    ],
)
def test_scope(group: str, kind: str, expected: bool | None) -> None:
    assert is_cluster_scoped(group, kind) is expected


def test_builtin_groups() -> None:
    assert is_builtin_group("")
    assert is_builtin_group("networking.k8s.io")
    assert not is_builtin_group("gateway.networking.k8s.io")


def test_the_model_agrees_about_scopes() -> None:
    kinds = {
        (group_of(api_version), kind) for minor in range(27, 38) for api_version, kind in known_kinds(f"1.{minor}")
    }
    kinds |= {("gateway.networking.k8s.io", "GatewayClass"), ("gateway.networking.x-k8s.io", "XMesh")}
    assert {known for known in kinds if is_cluster_scoped(*known)} == kinds & CLUSTER_SCOPED
    assert not [known for known in CLUSTER_SCOPED if is_cluster_scoped(*known) is False]


def group_of(api_version: str) -> str:
    return api_version.rpartition("/")[0]
