"""Tables that rules look things up in: images, annotations of providers, words."""

from __future__ import annotations

import pytest

from k8snetlint.checks.choices import nearest
from k8snetlint.checks.cloud_annotations import allowed_values, is_internal, is_known, known_keys, prefix_of
from k8snetlint.checks.image_variables import variables_read_by

AWS = "service.beta.kubernetes.io/aws-load-balancer-"
AZURE = "service.beta.kubernetes.io/azure-"


@pytest.mark.parametrize(
    ("image", "variables"),
    [
        ("neo4j", ("NEO4J_*",)),
        ("neo4j:5.26", ("NEO4J_*",)),
        ("docker.io/library/neo4j:5", ("NEO4J_*",)),
        ("registry.example:5000/neo4j:5", ("NEO4J_*",)),
        ("acme/neo4j:5", ()),
        ("semaphoreui/semaphore@sha256:0123", ("SEMAPHORE_PORT",)),
        ("mirror.example/cache/semaphoreui/semaphore:1", ("SEMAPHORE_PORT",)),
        ("ghcr.io/immich-app/immich-server:v2", ("IMMICH_PORT", "REDIS_PORT", "DB_PORT")),
        ("semaphoreui/semaphor", ()),
        ("", ()),
    ],
)
def test_images_are_known_whatever_their_registry_and_tag(image: str, variables: tuple[str, ...]) -> None:
    assert variables_read_by(image) == variables


def test_annotations_of_providers() -> None:
    assert is_known(f"{AWS}scheme")
    assert is_known(f"{AZURE}port_443_health-probe_protocol")
    assert not is_known(f"{AWS}schema")
    assert not is_known("shop.example/aws-load-balancer-scheme")
    assert prefix_of(f"{AWS}schema") == AWS
    assert prefix_of("shop.example/scheme") is None
    assert allowed_values(f"{AWS}scheme") == ("internal", "internet-facing")
    assert allowed_values(f"{AWS}subnets") == ()
    assert len(set(known_keys())) == len(known_keys())
    assert all(is_known(key) for key in known_keys())


@pytest.mark.parametrize(
    ("key", "value", "internal"),
    [
        (f"{AWS}scheme", "internal", True),
        (f"{AWS}scheme", "internet-facing", False),
        (f"{AWS}internal", "0.0.0.0/0", True),
        (f"{AZURE}load-balancer-internal", "false", False),
        ("networking.gke.io/load-balancer-type", "Internal", True),
        ("shop.example/internal", "true", False),
    ],
)
def test_what_keeps_a_load_balancer_inside(key: str, value: str, internal: bool) -> None:
    assert is_internal(key, value) is internal


@pytest.mark.parametrize(
    ("value", "near"), [("loadbalancer", "LoadBalancer"), ("NodePorts", "NodePort"), ("Internal", None)]
)
def test_the_nearest_word_is_found_whatever_its_case(value: str, near: str | None) -> None:
    assert nearest(value, ("ClusterIP", "NodePort", "LoadBalancer")) == near
