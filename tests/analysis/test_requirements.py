"""What manifests need, and the lines that say so."""

from __future__ import annotations

import pytest

from k8snetlint.analysis.mentions import mentions, name_mention, settings_mentions
from k8snetlint.analysis.requirements import Ground, Requirement, requirements
from k8snetlint.settings import Settings
from tests.clusters import cluster_of

SERVERS = """
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: c, image: i, ports: [{name: grpc, containerPort: 7070}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: grpc, port: 80, targetPort: grpc}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: data, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
---
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cart:7070", [("cart", 7070, "cart:7070")]),
        ("http://cart", [("cart", 80, "cart")]),
        (
            "https://u:p@cart.shop.svc.cluster.local:8443/x",
            [("cart.shop.svc.cluster.local", 8443, "cart.shop.svc.cluster.local:8443")],
        ),
        ("jdbc:postgresql://a:1,b/app", [("a", 1, "a:1"), ("b", 5432, "b")]),
        ("--peers=a:1,b:2", [("a", 1, "a:1"), ("b", 2, "b:2")]),
        ("see rest.kafka.svc for more", [("rest.kafka.svc", None, "rest.kafka.svc")]),
        ("info:2016-01-01", []),
        ("http://${HOST}:80/", []),
        ("podinfo-$east.test.svc", []),
        ("10.0.0.1:80", []),
        ("registry/x:80", []),
        ("spiffe://cluster.local/ns/x", []),
        ("0:1:2:a3:80", []),
        ("cart:70700", []),
        ("PLAINTEXT://a:9092,SSL://b:9093", [("a", 9092, "a:9092"), ("b", 9093, "b:9093")]),
        ("amqp://a:1,b:2/", [("a", 1, "a:1"), ("b", 2, "b:2")]),
        ("postgresql+asyncpg://u:p@db/app", [("db", 5432, "db")]),
        ("mongodb+srv://m.shop.svc/app", [("m.shop.svc", None, "m.shop.svc")]),
        ("dns:///cart:7070", [("cart", 7070, "cart:7070")]),
        ("root:secret@tcp(db:3306)/app", [("db", 3306, "db:3306")]),
        ("jdbc:oracle:thin:@db:1521:sid", [("db", 1521, "db:1521")]),
        ("jdbc:sqlserver://db;databaseName=x", [("db", 1433, "db")]),
        ("jdbc:mysql:replication://a:3306,b:3306/x", [("a", 3306, "a:3306"), ("b", 3306, "b:3306")]),
        ("host=db port=5433 dbname=app", [("db", 5433, "db")]),
        ("Server=tcp:db,1433;Database=app", [("db", 1433, "db,1433")]),
        ("Set-Cookie: host=web; path=/", []),
        ("until nc -z -w 5 db 5432; do sleep 1; done", [("db", 5432, "db 5432")]),
        ("pg_isready -h db -p 5432", [("db", 5432, "db -p 5432")]),
        ("echo > /dev/tcp/db/5432", [("db", 5432, "db/5432")]),
        ("dnssrv+_grpc._tcp.store.mon.svc", [("store.mon.svc", None, "_grpc._tcp.store.mon.svc")]),
    ],
)
def test_mentions(text: str, expected: list[tuple[str, int | None, str]]) -> None:
    assert [(found.host, found.port, text[found.start : found.end]) for found in mentions(text)] == expected


def test_a_name_alone() -> None:
    found = name_mention(" cart.shop ")
    assert found is not None
    assert (found.host, found.start, found.end) == ("cart.shop", 1, 10)
    assert name_mention("two words") is None
    assert name_mention("10.0.0.1") is None


def test_names_in_settings_need_a_port_beside_them() -> None:
    text = "redis:\n  host: redis\n  port: 6379\ndb.host=db\ndb.port=5432\nserver: alone\n"
    found = [(each.host, each.port, text[each.start : each.end]) for each in settings_mentions(text)]
    assert found == [("redis", 6379, "redis"), ("db", 5432, "db")]


def needed(text: str, *grounds: Ground) -> list[Requirement]:
    """What a text needs beside the servers; without grounds, all but the look-up of names."""
    found = requirements(cluster_of(SERVERS + text), Settings())
    return [each for each in found if (each.ground in grounds if grounds else each.ground is not Ground.NAMES)]


def told(found: list[Requirement]) -> list[tuple[str, str, list[tuple[str | None, int | None]]]]:
    return [
        (need.place.text, need.written, [(b.workload.name if b.workload else None, b.port) for b in need.backends])
        for need in found
    ]


def client(env: str = "", args: str = "", extra: str = "") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop, labels: {{app: web}}}}
spec:
  containers:
    - name: c
      image: i
      args: [{args}]
      env: [{env}]
{extra}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (client("{name: CART_ADDR, value: 'cart:80'}"), [("cart:80", "cart:80", [("cart", 7070)])]),
        (client("{name: CART, value: 'http://cart.shop/x'}"), [("cart.shop", "cart.shop", [("cart", 7070)])]),
        (client("{name: CART_ADDR, value: 'cart:7070'}"), []),
        (
            client("{name: CART_HOST, value: cart}, {name: CART_PORT, value: '80'}"),
            [("cart", "cart", [("cart", 7070)])],
        ),
        (client("{name: NAME, value: cart}"), []),
        (client("{name: A, value: 'db.data:6000'}"), [("db.data:6000", "db.data:6000", [("db", 6000)])]),
        (client("{name: A, value: db.data.svc}"), [("db.data.svc", "db.data.svc", [("db", 5432)])]),
        (client("{name: A, value: 'db:5432'}"), []),
        (client("{name: A, value: 'http://db.data'}"), [("db.data", "db.data", [("db", 5432)])]),
        (
            client("{name: H, value: cart}, {name: A, value: 'http://$(H):80'}"),
            [("'http://$(H):80'", "cart:80", [("cart", 7070)])],
        ),
        (
            client("{name: A, value: 'http://$(CART_SERVICE_HOST):$(CART_SERVICE_PORT)'}"),
            [("'http://$(CART_SERVICE_HOST):$(CART_SERVICE_PORT)'", "cart:80", [("cart", 7070)])],
        ),
        (client(args="'--cart=cart:80'"), [("cart:80", "cart:80", [("cart", 7070)])]),
        (client(args="--cart-host=cart"), [("cart", "cart", [("cart", 7070)])]),
        (client(args="--cart-host, cart"), [("cart", "cart", [("cart", 7070)])]),
        (client(args="--verbose, cart"), []),
        (
            client(
                "{name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}, {name: A, value: 'http://cart.$(NS)'}"
            ),
            [("'http://cart.$(NS)'", "cart.shop", [("cart", 7070)])],
        ),
        (
            client("{name: A, value: dnssrv+_grpc._tcp.cart.shop.svc}"),
            [("_grpc._tcp.cart.shop.svc", "cart.shop.svc", [("cart", 7070)])],
        ),
    ],
)
def test_addresses_in_variables_and_arguments(text: str, expected: object) -> None:
    assert told(needed(text)) == expected


def test_a_mounted_file_counts_and_its_comments_do_not() -> None:
    text = client(
        extra="      volumeMounts: [{name: v, mountPath: /etc}]\n  volumes: [{name: v, configMap: {name: m}}]\n"
    )
    text += """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m, namespace: shop}
data:
  _example: http://cart:80
  app.conf: |
    # http://cart:80
    upstream = http://cart:80/api
"""
    (need,) = needed(text)
    assert need.resource.name == "m"
    assert need.place.text == "cart:80"
    assert (
        need.place.source.line(need.place.source.position(need.place.span.start).line).strip()
        == "upstream = http://cart:80/api"
    )


@pytest.mark.parametrize(
    ("items", "count"), [("", 1), (", items: [{key: app.conf, path: x}]", 1), (", items: [{key: b, path: x}]", 0)]
)
def test_only_the_chosen_keys_of_a_volume_are_read(items: str, count: int) -> None:
    text = client(
        extra="      volumeMounts: [{name: v, mountPath: /etc}]\n"
        f"  volumes: [{{name: v, projected: {{sources: [{{configMap: {{name: m{items}}}}}]}}}}]\n"
    )
    text += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: shop}\n"
    assert len(needed(text + "data: {app.conf: 'http://cart:80', b: c}\n")) == count


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("db.data.svc.cluster.local", [("db", 5432)]),
        ("db.data", []),
        ("db.data.svc", []),
        ("db.example.com", []),
        ("alias.shop.svc.cluster.local", []),
    ],
)
def test_an_alias_of_a_service_is_followed(target: str, expected: object) -> None:
    text = client("{name: A, value: 'alias:5432'}")
    text += f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: alias, namespace: shop}}\nspec: {{type: ExternalName, externalName: {target}}}\n"
    assert [(b.workload.name, b.port) for need in needed(text) for b in need.backends if b.workload] == expected


def test_an_ingress_needs_its_backend_from_the_controller() -> None:
    text = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: shop}
spec: {defaultBackend: {service: {name: cart, port: {number: 80}}}}
"""
    (need,) = needed(text)
    assert need.workload is None
    assert told([need]) == [("cart", "cart:80", [("cart", 7070)])]


MONITORED = """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: cart, namespace: shop}
spec: {selector: {}, endpoints: [{port: grpc}, {targetPort: 9090}, {port: none}]}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s, namespace: mon}
spec: {serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: %s}
"""


@pytest.mark.parametrize(("namespaces", "client"), [("{}", "k8s"), ("null", None), ("{matchLabels: {a: b}}", None)])
def test_a_monitor_needs_its_targets_from_the_prometheus_that_selects_it(namespaces: str, client: str | None) -> None:
    found = needed(MONITORED % namespaces, Ground.SCRAPE)
    assert told(found) == [("grpc", "cart:80", [("cart", 7070)]), ("9090", "cart:9090", [("cart", 9090)])]
    assert [each.client_object.name if each.client_object else None for each in found] == [client, client]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("{prometheus.io/scrape: 'true', prometheus.io/port: '9100'}", [("'9100'", "web:9100", [("web", 9100)])]),
        ("{prometheus.io/scrape: 'true'}", [("'true'", "web:80", [("web", 80)])]),
        ("{prometheus.io/scrape: 'false', prometheus.io/port: '9100'}", []),
        ("{prometheus.io/scrape: 'true', prometheus.io/port: metrics}", []),
    ],
)
def test_annotated_pods(annotations: str, expected: object) -> None:
    text = f"""
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop, annotations: {annotations}}}
spec: {{containers: [{{name: c, image: i, ports: [{{containerPort: 80}}]}}]}}
"""
    assert told(needed(text, Ground.SCRAPE)) == expected


def test_the_api_server_needs_what_it_is_told_to_call() -> None:
    text = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: hook}
webhooks:
  - {name: a.x, clientConfig: {service: {name: cart, namespace: shop, port: 80}}}
  - {name: b.x, clientConfig: {service: {name: cart, namespace: shop, port: 80}}}
  - {name: c.x, clientConfig: {service: {name: cart, namespace: shop}}}
  - {name: d.x, clientConfig: {url: 'https://cart.shop/x'}}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.x}
spec: {service: {name: cart, namespace: shop, port: 80}, group: x, version: v1}
"""
    found = needed(text, Ground.CALL)
    assert [(each.resource.kind, *row) for each, row in zip(found, told(found), strict=True)] == [
        ("MutatingWebhookConfiguration", "cart", "cart:80", [("cart", 7070)]),
        ("APIService", "cart", "cart:80", [("cart", 7070)]),
    ]


STORE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: shop}
spec:
  serviceName: store
  replicas: %s
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: c, image: i, args: [%s]}]}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: shop}
spec:
  clusterIP: None
  publishNotReadyAddresses: %s
  selector: {app: store}
  ports: [{name: peer, port: 2380}, {name: metrics, port: 9100}]
"""


@pytest.mark.parametrize(
    ("replicas", "args", "is_early", "expected"),
    [
        ("3", "'http://store-0.store:2381,http://store-1.store:2381'", "false", [("store-0.store:2381", 2381)]),
        ("3", "'store-0.store.shop.svc:2380'", "true", [("store-0.store.shop.svc:2380", 2380)]),
        ("3", "", "true", [("store", 2380)]),
        ("3", "", "false", []),
        ("1", "'http://store-0.store:2381'", "true", []),
    ],
)
def test_pods_of_a_stateful_set_need_one_another(replicas: str, args: str, is_early: str, expected: object) -> None:
    found = needed(STORE % (replicas, args, is_early), Ground.PEERS)
    assert [(each.place.text, each.backends[0].port) for each in found] == expected
    assert all(each.is_to_itself for each in found)


@pytest.mark.parametrize(
    ("policy", "network", "is_needed"),
    [
        ("null", "false", True),
        ("Default", "false", False),
        ("null", "true", False),
        ("ClusterFirstWithHostNet", "true", True),
    ],
)
def test_who_reads_a_name_needs_dns(policy: str, network: str, is_needed: bool) -> None:
    text = f"""
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop}}
spec:
  dnsPolicy: {policy}
  hostNetwork: {network}
  containers: [{{name: c, image: i, env: [{{name: A, value: 'http://example.com'}}]}}]
"""
    assert [each.place.text for each in needed(text, Ground.NAMES)] == (["example.com"] if is_needed else [])


def test_who_works_with_the_api() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec: {serviceAccountName: bound, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: shop}
spec: {serviceAccountName: unbound, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: c, namespace: shop}
spec: {containers: [{name: c, image: i, args: ['--server=https://kubernetes.default.svc']}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: x, namespace: shop}
subjects: [{kind: ServiceAccount, name: bound}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}
"""
    found = needed(text, Ground.API)
    assert [(each.workload.name, each.place.text) for each in found if each.workload] == [
        ("c", "kubernetes.default.svc"),
        ("a", "bound"),
    ]


def test_a_virtual_service_needs_its_destination_from_the_pods_of_its_gateway() -> None:
    text = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {istio: edge}, servers: []}
---
apiVersion: v1
kind: Pod
metadata: {name: edge, namespace: mesh, labels: {istio: edge}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec:
  gateways: [edge, mesh]
  hosts: ['*']
  http: [{route: [{destination: {host: cart}}, {destination: {host: db.data.svc.cluster.local, port: {number: 1}}}]}]
"""
    (need,) = needed(text, Ground.ROUTE)
    assert need.workload is not None
    assert (need.workload.name, *told([need])) == ("edge", ("cart", "cart:80", [("cart", 7070)]))


SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: GOVERNING
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: NAMESPACE}
spec: {dnsConfig: {searches: [SEARCH]}, containers: [{name: c, image: i, env: [{name: DB_URL, value: "HOST"}]}]}
"""


@pytest.mark.parametrize(
    ("host", "namespace", "search", "governing", "expected"),
    [
        ("db-0.db:5432", "shop", "x.test", "db", [("db", 5432)]),
        ("http://db-0.db.shop.svc:80", "shop", "x.test", "db", [("db", 80)]),
        ("db-0.db:5432", "shop", "x.test", "peers", []),
        ("db:80", "shop", "x.test", "db", [("db", 5432), ("other", 5432)]),
        ("db:80", "front", "shop.svc.cluster.local", "db", [("db", 5432), ("other", 5432)]),
        ("db:80", "front", "x.test", "db", []),
    ],
)
def test_pods_by_their_own_names_and_search_domains(
    host: str, namespace: str, search: str, governing: str, expected: list[tuple[str, int]]
) -> None:
    text = SET.replace("HOST", host).replace("NAMESPACE", namespace)
    cluster = cluster_of(text.replace("SEARCH", search).replace("GOVERNING", governing))
    found = [
        (backend.workload.name, backend.port)
        for need in requirements(cluster, Settings())
        if need.ground is Ground.ADDRESS and need.workload is not None and need.workload.name == "client"
        for backend in need.backends
        if backend.workload is not None
    ]
    assert found == expected
