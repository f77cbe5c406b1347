"""The environment of a container, as the kubelet makes it."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.variables import (
    environment,
    expanded,
    linked_variables,
    references,
    service_variables,
    variable_prefix,
)
from tests.clusters import cluster_of

SOURCES = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {HOST: cart, LEVEL: info}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
data: {PASSWORD: c2VjcmV0}
stringData: {USER: web}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: filled-later}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: registry.example/web:1
      envFrom:
        - configMapRef: {name: settings}
          prefix: CART_
        - secretRef: {name: login}
      env:
        - {name: LEVEL, value: debug}
        - {name: WANTED, valueFrom: {configMapKeyRef: {name: settings, key: HOST}}}
        - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: cart-db}
spec:
  selector: {app: cart-db}
  ports:
    - {name: sql-main, port: 5432}
    - {name: stats, port: 9187, protocol: UDP}
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("http://$(HOST):$(PORT)", ["HOST", "PORT"]),
        ("$$(HOST)", []),
        ("$$$(HOST)", ["HOST"]),
        ("$(HOST", []),
        ("${HOST} $HOST", []),
        ("$(seq 3)", []),
    ],
)
def test_references_are_the_kubelet_s(text: str, names: list[str]) -> None:
    found = list(references(text))
    assert [reference.name for reference in found] == names
    assert [text[reference.start : reference.end] for reference in found] == [f"$({name})" for name in names]


def test_unknown_references_stay() -> None:
    assert expanded("$(A)-$(B)-$$(A)", {"A": "1"}) == "1-$(B)-$$(A)"


def test_variables_come_in_the_order_in_which_they_count() -> None:
    cluster = cluster_of(f"{SOURCES}---{POD}")
    (pod,) = cluster.workloads
    found = environment(cluster, pod, pod.containers[0])
    assert [(variable.name, variable.text, variable.index) for variable in found.variables] == [
        ("CART_HOST", "cart", None),
        ("CART_LEVEL", "info", None),
        ("USER", "web", None),
        ("PASSWORD", None, None),
        ("LEVEL", "debug", 0),
        ("WANTED", "cart", 1),
        ("NODE", None, 2),
    ]
    assert found.is_whole


@pytest.mark.parametrize("name", ["elsewhere", "filled-later"])
def test_a_source_that_is_not_in_sight_leaves_the_environment_open(name: str) -> None:
    cluster = cluster_of(f"{SOURCES}---{POD.replace('name: settings}', f'name: {name}}}', 1)}")
    (pod,) = cluster.workloads
    found = environment(cluster, pod, pod.containers[0])
    assert not found.is_whole
    assert "CART_HOST" not in found.names


def test_variables_of_a_service() -> None:
    (service,) = cluster_of(SERVICE).services
    assert variable_prefix(service.name) == "CART_DB"
    assert service_variables(service) == {
        "CART_DB_SERVICE_HOST": "cart-db",
        "CART_DB_SERVICE_PORT": "5432",
        "CART_DB_SERVICE_PORT_SQL_MAIN": "5432",
        "CART_DB_SERVICE_PORT_STATS": "9187",
        "CART_DB_PORT": "tcp://cart-db:5432",
        "CART_DB_PORT_5432_TCP": "tcp://cart-db:5432",
        "CART_DB_PORT_5432_TCP_PROTO": "tcp",
        "CART_DB_PORT_5432_TCP_PORT": "5432",
        "CART_DB_PORT_5432_TCP_ADDR": "cart-db",
        "CART_DB_PORT_9187_UDP": "udp://cart-db:9187",
        "CART_DB_PORT_9187_UDP_PROTO": "udp",
        "CART_DB_PORT_9187_UDP_PORT": "9187",
        "CART_DB_PORT_9187_UDP_ADDR": "cart-db",
    }


@pytest.mark.parametrize(
    ("service", "pod", "is_linked"),
    [
        (SERVICE, POD, True),
        (SERVICE.replace("selector:", "clusterIP: None\n  selector:"), POD, False),
        (SERVICE.replace("selector:", "type: ExternalName\n  selector:"), POD, False),
        (SERVICE.replace("name: cart-db}\n", "name: cart-db, namespace: sales}\n"), POD, False),
        (SERVICE, POD.replace("spec:\n", "spec:\n  enableServiceLinks: false\n", 1), False),
    ],
)
def test_who_gets_the_variables_of_a_service(service: str, pod: str, is_linked: bool) -> None:
    cluster = cluster_of(f"{SOURCES}---{service}---{pod}")
    (workload,) = cluster.workloads
    assert ("CART_DB_SERVICE_HOST" in linked_variables(cluster, workload)) is is_linked
