"""From names and ports to pods."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.routing import (
    ServiceName,
    aliased,
    backends,
    named_pods,
    resolved_name,
    routed_backends,
    service_name,
)
from tests.clusters import cluster_of

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {app: x}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, labels: {app: x}}
spec:
  containers: [{name: c, image: i, ports: [{name: http, containerPort: 53, protocol: UDP}]}]
  initContainers: [{name: s, image: i, restartPolicy: Always, ports: [{name: http, containerPort: 9090}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: c, labels: {app: x}}
spec: {containers: [{name: c, image: i}], initContainers: [{name: s, image: i, ports: [{name: http, containerPort: 1}]}]}
---
"""


def reached(text: str, name: str = "s") -> list[tuple[str | None, int | None]]:
    cluster = cluster_of(text)
    service = cluster.service("default", name)
    assert service is not None
    return [
        (backend.workload.name if backend.workload else backend.address, backend.port)
        for port in service.ports
        for backend in backends(cluster, service, port)
    ]


def test_a_named_target_is_looked_up_in_each_pod_by_name_and_protocol() -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: x}, ports: [{port: 80, targetPort: http}]}"
    assert reached(PODS + service) == [("a", 8080), ("b", 9090), ("c", None)]


@pytest.mark.parametrize(
    ("target", "port"), [("targetPort: 9", 9), ("targetPort: 0", 80), ("targetPort: ''", 80), ("", 80)]
)
def test_a_number_needs_no_declaration_and_the_port_itself_is_the_default(target: str, port: int) -> None:
    service = f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {{app: x}}, ports: [{{port: 80, {target}}}]}}"
    assert reached(PODS + service) == [("a", port), ("b", port), ("c", port)]


def test_without_a_selector_endpoints_are_matched_by_port_name() -> None:
    text = """
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {ports: [{name: db, port: 1, targetPort: 99}, {name: other, port: 2}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: s}
subsets: [{addresses: [{ip: 10.0.0.7}], ports: [{name: db, port: 5432}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.8]}]
ports: [{name: db, port: 5433}, {port: 1}]
"""
    assert reached(text) == [("10.0.0.7", 5432), ("10.0.0.8", 5433)]


def test_routes_lead_through_service_ports_and_grants_to_pods() -> None:
    text = (
        PODS
        + """
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: x}, ports: [{name: web, port: 80, targetPort: http}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: by-target}
spec: {defaultBackend: {service: {name: s, port: {number: 8080}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: by-port}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, port: {name: web}}}}]}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: granted, namespace: edge}
spec: {rules: [{backendRefs: [{name: s, namespace: default, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: refused, namespace: other}
spec: {rules: [{backendRefs: [{name: s, namespace: default, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}]
  to: [{group: "", kind: Service}]
---
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: by-target-name}
spec: {to: {kind: Service, name: s}, port: {targetPort: http}}
"""
    )
    found = [(way.route.name, way.service_port.number, way.backend.port) for way in routed_backends(cluster_of(text))]
    assert found == [(name, 80, port) for name in ("by-port", "granted", "by-target-name") for port in (8080, 9090)]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("cart", ServiceName("cart", "shop", None, False)),
        ("Cart.Data", ServiceName("cart", "data", None, False)),
        ("cart.data.svc", ServiceName("cart", "data", None, True)),
        ("cart.data.svc.cluster.local.", ServiceName("cart", "data", None, True)),
        ("db-0.db.data.svc.cluster.local", ServiceName("db", "data", "db-0", True)),
        ("1-2-3-4.data.pod.cluster.local", None),
        ("a.b.c.d.example.com", None),
        ("a..b", None),
    ],
)
def test_service_names(host: str, expected: ServiceName | None) -> None:
    assert service_name(host, "shop") == expected


ENDPOINTS = """
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {publishNotReadyAddresses: PUBLISH, ports: [{port: 1}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: s, labels: {endpointslice.kubernetes.io/skip-mirror: "SKIP"}}
subsets: [{addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: 10.0.0.2}], ports: [{port: 5}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.3, 10.0.0.4]}, {addresses: [10.0.0.5], conditions: {ready: false}}]
ports: [{port: 5}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s-2, labels: {kubernetes.io/service-name: s}}
addressType: FQDN
endpoints: [{addresses: [db.example.com]}]
ports: [{port: 5}]
"""


@pytest.mark.parametrize(
    ("publish", "skip", "addresses"),
    [
        ("false", "false", ["10.0.0.1", "10.0.0.3"]),
        ("true", "false", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.5"]),
        ("false", "true", ["10.0.0.3"]),
    ],
)
def test_of_written_endpoints_those_count_that_proxies_send_to(publish: str, skip: str, addresses: list[str]) -> None:
    text = ENDPOINTS.replace("PUBLISH", publish).replace("SKIP", skip)
    assert reached(text) == [(address, 5) for address in addresses]


SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, labels: {app: db}}
spec: {hostname: first, subdomain: db, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: shop}
spec: {type: ExternalName, externalName: second.shop.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: second, namespace: shop}
spec: {type: ExternalName, externalName: TARGET}
"""


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("db-0", ["db"]),
        ("first", ["p"]),
        ("10-0-0-1", ["db", "p"]),
        ("fd00--1", ["db", "p"]),
        ("other-0", []),
        ("p", []),
    ],
)
def test_names_of_pods_below_a_service(label: str, names: list[str]) -> None:
    cluster = cluster_of(SET)
    service = cluster.service("shop", "db")
    assert service is not None
    assert [workload.name for workload in named_pods(cluster, service, label)] == names


def test_two_labels_mean_a_pod_of_the_own_namespace_where_one_is_called_so() -> None:
    cluster = cluster_of(SET)
    assert resolved_name(cluster, "db-0.db", "shop") == ServiceName("db", "shop", "db-0", False)
    assert resolved_name(cluster, "other-0.db", "shop") == ServiceName("other-0", "db", None, False)
    governed = cluster_of(SET.replace("serviceName: db", "serviceName: peers"))
    assert resolved_name(governed, "db-0.db", "shop") == ServiceName("db", "shop", "db-0", False)


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("db.shop.svc.cluster.local", ["alias", "second", "db"]),
        ("alias.shop.svc.cluster.local", ["alias", "second"]),
        ("db.example.com", ["alias", "second"]),
    ],
)
def test_aliases_lead_on_to_a_service_or_out_of_the_cluster(target: str, names: list[str]) -> None:
    cluster = cluster_of(SET.replace("TARGET", target))
    service = cluster.service("shop", "alias")
    assert service is not None
    assert [each.name for each in aliased(cluster, service)] == names
