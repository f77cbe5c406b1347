"""What made naive checks fire wrongly on real repositories, told in small: nothing is said of any of it.

The rows of the collection that this covers are numbered as there. Each case is written for this test; the comment above it
names its row.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import k8snetlint, write

from .manifests import an, deployment, joined, policy, service

Files = dict[str, str]
CASES: dict[str, Files] = {}


def monitor(name: str, label: str, port: str = "metrics") -> str:
    return an(
        "ServiceMonitor",
        name,
        f"spec:\n  selector: {{matchLabels: {{{label}}}}}\n  endpoints: [{{port: {port}}}]\n",
        api="monitoring.coreos.com/v1",
    )


# 1: pods that operators make from objects of their own.
OPERATED = {
    "cnpg": (an("Cluster", "db", "spec: {instances: 1}\n", api="postgresql.cnpg.io/v1"), "cnpg.io/cluster: db"),
    "zalando": (
        an("postgresql", "team-db", "spec: {numberOfInstances: 1}\n", api="acid.zalan.do/v1"),
        "cluster-name: team-db",
    ),
    "eck": (
        an("Elasticsearch", "es", "spec: {version: 8.0.0}\n", api="elasticsearch.k8s.elastic.co/v1"),
        "elasticsearch.k8s.elastic.co/cluster-name: es",
    ),
    "prometheus": (an("Prometheus", "k8s", "spec: {replicas: 1}\n", api="monitoring.coreos.com/v1"), "prometheus: k8s"),
    "alertmanager": (
        an("Alertmanager", "main", "spec: {replicas: 1}\n", api="monitoring.coreos.com/v1"),
        "alertmanager: main",
    ),
    "strimzi": (
        an("Kafka", "events", "spec: {kafka: {replicas: 1}}\n", api="kafka.strimzi.io/v1beta2"),
        "strimzi.io/name: events-kafka",
    ),
    "rook": (an("CephCluster", "rook", "spec: {}\n", api="ceph.rook.io/v1"), "app: rook-ceph-mgr"),
    "redis": (
        an("RedisFailover", "cache", "spec: {redis: {replicas: 1}}\n", api="databases.spotahome.com/v1"),
        "redisfailovers.databases.spotahome.com/name: cache",
    ),
    "ray": (an("RayCluster", "ray", "spec: {}\n", api="ray.io/v1"), "ray.io/cluster: ray"),
    "kubevirt": (an("VirtualMachine", "vm", "spec: {}\n", api="kubevirt.io/v1"), "kubevirt.io/domain: vm"),
    "stunner": (
        an("GatewayConfig", "stunner", "spec: {}\n", api="stunner.l7mp.io/v1"),
        "stunner.l7mp.io/owned-by: stunner",
    ),
    "tekton": (
        an("TektonConfig", "config", "spec: {profile: all}\n", api="operator.tekton.dev/v1alpha1"),
        "app.kubernetes.io/part-of: tekton-pipelines",
    ),
}
for name, (made_by, label) in OPERATED.items():
    CASES[f"1-{name}"] = {
        "all.yaml": joined(
            made_by,
            service("front", label, "{name: metrics, port: 9090, targetPort: 9090}"),
            policy("only", f"podSelector: {{matchLabels: {{{label}}}}}\ningress: [{{from: [{{podSelector: {{}}}}]}}]"),
        ),
    }
    CASES[f"1-{name}-monitor"] = {"all.yaml": joined(made_by, monitor("watch", label))}

# 2: labels that are added to pods while they run.
STATEFUL = an(
    "StatefulSet",
    "redis",
    """
    spec:
      serviceName: redis
      replicas: 2
      selector: {matchLabels: {app: redis}}
      template:
        metadata: {labels: {app: redis}}
        spec:
          containers: [{name: redis, image: redis, ports: [{containerPort: 6379}]}]
    """,
    api="apps/v1",
)
REDIS = service("redis", ports="{port: 6379}", more="  clusterIP: None\n")
for name, label in {
    "pod-name": "statefulset.kubernetes.io/pod-name: redis-0",
    "job-name": "job-name: migrate",
    "batch-job-name": "batch.kubernetes.io/job-name: migrate",
    "vault": 'vault-active: "true"',
    "minio": "operator: leader",
    "longhorn": "longhorn.io/component: instance-manager",
    "kafka": 'kafka-broker-id: "0"',
    "leaderworkerset": "leaderworkerset.sigs.k8s.io/name: vllm",
    "rollout": "rollouts-pod-template-hash: abcdef",
    "istio": "security.istio.io/tlsMode: istio",
}.items():
    CASES[f"2-{name}"] = {"all.yaml": joined(STATEFUL, REDIS, service("one", f"app: redis, {label}", "{port: 6379}"))}
CASES["2-canonical-name"] = {
    "all.yaml": joined(
        an("Namespace", "ml", meta="labels: {istio-injection: enabled}"),
        deployment("trainer", namespace="ml"),
        policy(
            "webhook",
            "podSelector: {matchLabels: {service.istio.io/canonical-name: trainer}}\ningress: [{ports: [{port: 8080}]}]",
            namespace="ml",
        ),
    )
}

# 3: other kinds that make pods.
POD = "template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}\n"
MAKERS = {
    "rollout": an(
        "Rollout", "web", f"spec:\n  selector: {{matchLabels: {{app: web}}}}\n  {POD}", api="argoproj.io/v1alpha1"
    ),
    "rollout-ref": joined(
        deployment("web"),
        an(
            "Rollout",
            "web",
            "spec:\n  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n",
            api="argoproj.io/v1alpha1",
        ),
    ),
    "experiment": an(
        "Experiment",
        "web",
        "spec:\n  templates:\n  - name: one\n    selector: {matchLabels: {app: web}}\n    "
        + POD.replace("\n", "\n  ").rstrip()
        + "\n",
        api="argoproj.io/v1alpha1",
    ),
    "deploymentconfig": an(
        "DeploymentConfig", "web", f"spec:\n  selector: {{app: web}}\n  {POD}", api="apps.openshift.io/v1"
    ),
    "knative": an("Service", "web", f"spec:\n  {POD}", api="serving.knative.dev/v1"),
    "jobset": an(
        "JobSet",
        "web",
        "spec:\n  replicatedJobs:\n  - name: w\n    template:\n      spec:\n        template:\n"
        "          metadata: {labels: {app: web}}\n"
        "          spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}\n",
        api="jobset.x-k8s.io/v1alpha2",
    ),
    "lws": an(
        "LeaderWorkerSet",
        "web",
        "spec:\n  leaderWorkerTemplate:\n    workerTemplate:\n      metadata: {labels: {app: web}}\n"
        "      spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}\n",
        api="leaderworkerset.x-k8s.io/v1",
    ),
    "rayservice": an("RayService", "web", "spec: {rayClusterConfig: {}}\n", api="ray.io/v1"),
}
for name, maker in MAKERS.items():
    CASES[f"3-{name}"] = {
        "all.yaml": joined(maker, service("front", "ray.io/serve: web" if name == "rayservice" else "app: web"))
    }

# 4: a release makes the Service.
ROUTES = joined(
    an(
        "HTTPRoute",
        "hook",
        "spec:\n  parentRefs: [{name: external, namespace: network}]\n  rules: [{backendRefs: [{name: webhook-receiver, port: 80}]}]\n",
        api="gateway.networking.k8s.io/v1",
        namespace="flux-system",
    ),
    an(
        "Ingress",
        "grafana",
        "spec:\n  ingressClassName: nginx\n  rules:\n  - host: grafana.example.com\n    http:\n      paths:\n"
        "      - {path: /, pathType: Prefix, backend: {service: {name: grafana, port: {name: http-web}}}}\n",
        api="networking.k8s.io/v1",
        namespace="flux-system",
    ),
    monitor("hubble", "k8s-app: hubble"),
)
CASES["4-helmrelease"] = {
    "all.yaml": joined(
        an(
            "HelmRelease",
            "grafana",
            "spec: {chartRef: {kind: OCIRepository, name: g}}\n",
            api="helm.toolkit.fluxcd.io/v2",
            namespace="flux-system",
        ),
        ROUTES,
    )
}
CASES["4-application"] = {
    "all.yaml": joined(
        an(
            "Application",
            "grafana",
            "spec:\n  destination: {namespace: flux-system}\n  source: {chart: grafana, repoURL: 'https://example.com'}\n",
            api="argoproj.io/v1alpha1",
            namespace="argocd",
        ),
        ROUTES,
    )
}
CASES["4-helmcharts"] = {
    "kustomization.yaml": "resources: [routes.yaml]\nhelmCharts: [{name: grafana, repo: 'https://example.com'}]\n",
    "routes.yaml": ROUTES,
}

# 5: a sibling is a template, and does not parse.
CASES["5-sibling"] = {
    "service.yaml": service("cart"),
    "deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Name }}\nspec: {\n",
}
CASES["5-tmpl"] = {"service.yaml": service("cart"), "deployment.yaml.tmpl": "kind: {{ .Kind }}\n"}

# 6: bases and patches are parts of objects.
CASES["6-patch"] = {
    "base/kustomization.yaml": "resources: [all.yaml]\n",
    "base/all.yaml": joined(
        deployment("manager", containers="{name: manager, image: manager}"),
        service("metrics", "app: manager", "{port: 8443, targetPort: https}"),
    ),
    "default/kustomization.yaml": "resources: [../base]\npatches: [{path: proxy.yaml}]\n",
    "default/proxy.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: manager}\nspec:\n  template:\n    spec:\n"
        "      containers: [{name: proxy, image: proxy, ports: [{containerPort: 8443, name: https}]}]\n"
    ),
}
CASES["6-placeholder"] = {
    "all.yaml": joined(
        deployment("web"),
        service("web"),
        an(
            "VirtualService",
            "web",
            "spec:\n  hosts: ['*']\n  gateways: [g]\n  http: [{route: [{destination: {host: JWA_SERVICE.$(NS).svc.cluster.local}}]}]\n",
            api="networking.istio.io/v1",
        ),
        an(
            "Ingress",
            "web",
            "spec:\n  ingressClassName: nginx\n  rules:\n  - host: a.example.com\n    http:\n      paths:\n"
            "      - {path: /, pathType: Prefix, backend: {service: {name: $(UI_SERVICE), port: {number: 80}}}}\n",
            api="networking.k8s.io/v1",
        ),
    )
}
CASES["6-port-patched"] = {
    "base/kustomization.yaml": "resources: [all.yaml]\n",
    "base/all.yaml": joined(
        deployment("ui"),
        service("ui", ports="{name: http, port: 8080}"),
        an(
            "Ingress",
            "ui",
            "spec:\n  ingressClassName: nginx\n  rules:\n  - host: a.example.com\n    http:\n      paths:\n"
            "      - {path: /, pathType: Prefix, backend: {service: {name: ui, port: {number: 80}}}}\n",
            api="networking.k8s.io/v1",
        ),
    ),
    "live/kustomization.yaml": (
        "resources: [../base]\nnamePrefix: live-\npatches:\n- target: {kind: Service}\n"
        "  patch: |\n    - {op: replace, path: /spec/ports/0, value: {name: http, port: 80, targetPort: 8080}}\n"
    ),
}

# 7: alternatives, of which one is applied at a time.
CASES["7-statsd"] = {
    f"statsd/{name}.yaml": joined(
        deployment("statsd-sink", containers=f"{{name: s, image: {name}, ports: [{{containerPort: 8125}}]}}"),
        service("statsd-sink", ports="{port: 8125}"),
    )
    for name in ("graphite", "prometheus", "datadog")
}
CASES["7-daemonset"] = {
    "daemonset.yaml": an(
        "DaemonSet",
        "web",
        "spec:\n  selector: {matchLabels: {app: web}}\n  "
        + POD.replace("containerPort: 8080", "containerPort: 8080, hostPort: 80"),
        api="apps/v1",
    ),
    "deployment.yaml": deployment(
        "web", containers="{name: web, image: web, ports: [{containerPort: 8080, hostPort: 80}]}"
    ),
}
CASES["7-node-ports"] = {
    f"{chapter}/{kind}.yaml": joined(
        deployment("web", containers=f"{{name: web, image: {chapter}-{kind}, ports: [{{containerPort: 8080}}]}}"),
        service("web", ports="{port: 80, targetPort: 8080, nodePort: 30001}", more="  type: NodePort\n"),
    )
    for chapter in ("one", "two")
    for kind in ("a", "b")
}

# 8: steps of a tutorial that a reader completes.
CASES["8-edit"] = {
    "all.yaml": joined(
        deployment("web"),
        service("web", "app: <EDIT-NAME>"),
        service("other", "app: web", "{port: 80, targetPort: <EDIT-PORT>}"),
    )
}

# 9: components of the cluster that no manifest holds.
CASES["9-components"] = {
    "all.yaml": joined(
        deployment("web", namespace="shop"),
        policy(
            "web",
            """
            podSelector: {matchLabels: {app: web}}
            policyTypes: [Ingress, Egress]
            ingress:
            - from:
              - namespaceSelector: {matchLabels: {component: ingress-controllers}}
              - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
            egress:
            - to:
              - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
                podSelector: {matchLabels: {k8s-app: kube-dns}}
              ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
            - to: [{namespaceSelector: {}, podSelector: {matchLabels: {tier: control-plane}}}]
              ports: [{port: 6443}]
            """,
            namespace="shop",
        ),
        policy(
            "api",
            "podSelector: {matchLabels: {tier: control-plane, component: kube-apiserver}}\ningress: [{ports: [{port: 6443}]}]",
            namespace="kube-system",
        ),
        service("metrics-server", "k8s-app: metrics-server", "{port: 443, targetPort: https}", namespace="kube-system"),
    )
}

# 10: containerPort informs only; the listener is set elsewhere.
LISTENERS = {
    "args": "{name: x, image: x, args: ['--secure-port=9002'], ports: [{containerPort: 8080}]}",
    "two-args": "{name: x, image: x, args: ['--port', '9002'], ports: [{containerPort: 8080}]}",
    "env": "{name: x, image: x, env: [{name: PORT, value: '9002'}], ports: [{containerPort: 8080}]}",
    "command": "{name: x, image: x, command: [sh, -c, 'serve 0.0.0.0:9002'], ports: [{containerPort: 8080}]}",
    "probe": "{name: x, image: x, livenessProbe: {tcpSocket: {port: 9002}}, ports: [{containerPort: 8080}]}",
    "no-ports": "{name: x, image: x}",
}
for name, container in LISTENERS.items():
    CASES[f"10-{name}"] = {
        "all.yaml": joined(deployment("x", containers=container), service("x", ports="{port: 80, targetPort: 9002}"))
    }
for name, text in {
    "otel": "endpoint: 0.0.0.0:9002",
    "nginx": "server { listen 9002; }",
    "hcl": "bind_port = 9002",
}.items():
    CASES[f"10-{name}"] = {
        "all.yaml": joined(
            an("ConfigMap", "settings", f"data:\n  file: |\n    {text}\n"),
            an(
                "Deployment",
                "x",
                """
                spec:
                  selector: {matchLabels: {app: x}}
                  template:
                    metadata: {labels: {app: x}}
                    spec:
                      containers:
                      - name: x
                        image: x
                        ports: [{containerPort: 8080}]
                        volumeMounts: [{name: v, mountPath: /etc/x}]
                      volumes: [{name: v, configMap: {name: settings}}]
                """,
                api="apps/v1",
            ),
            service("x", ports="{port: 80, targetPort: 9002}"),
        )
    }

CASES["10-image"] = {
    "all.yaml": joined(
        deployment("jaeger", containers="{name: j, image: jaegertracing/all-in-one, ports: [{containerPort: 16686}]}"),
        service("jaeger", ports="{name: ui, port: 16686}, {name: grpc, port: 14250}, {name: otlp, port: 4317}"),
    )
}

# 11: the port of a probe need not be declared.
for port in (8081, 10254, 13133, 14269, 15021, 8090):
    CASES[f"11-{port}"] = {
        "all.yaml": deployment(
            "x",
            containers=f"{{name: x, image: x, ports: [{{containerPort: 8080}}], readinessProbe: {{httpGet: {{path: /, port: {port}}}}}}}",
        )
    }

# 12: a targetPort of 0 is defaulted; the port of a headless Service may be a dummy.
CASES["12-zero"] = {"all.yaml": joined(deployment("x"), service("x", ports="{port: 8080, targetPort: 0}"))}
CASES["12-headless"] = {
    "all.yaml": joined(
        STATEFUL.replace("serviceName: redis", "serviceName: gossip"),
        service("gossip", "app: redis", "{name: unused, port: 10811}", more="  clusterIP: None\n"),
    )
}

# 13: a protocol that a containerPort does not write.
CASES["13-udp"] = {
    "all.yaml": joined(
        deployment("syslog", containers="{name: s, image: s, ports: [{containerPort: 514}]}"),
        service("syslog", ports="{port: 514, protocol: UDP}"),
    )
}

# 14: actions of an ALB are annotations, no Services.
for port in ("{number: 80}", "{name: use-annotation}"):
    CASES[f"14-{port.strip('{}').split(':')[0]}"] = {
        "all.yaml": an(
            "Ingress",
            "web",
            "spec:\n  ingressClassName: alb\n  rules:\n  - http:\n      paths:\n"
            "      - {path: /, pathType: Prefix, backend: {service: {name: ssl-redirect, port: {name: use-annotation}}}}\n",
            api="networking.k8s.io/v1",
            meta='annotations:\n  alb.ingress.kubernetes.io/actions.ssl-redirect: \'{"type": "redirect"}\'',
        )
    }

# 15: ports as strings, and numbers that are filled in later.
CASES["15-cilium"] = {
    "all.yaml": joined(
        deployment("web"),
        an(
            "CiliumNetworkPolicy",
            "web",
            """
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
              - fromEndpoints: [{}]
                toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
            """,
            api="cilium.io/v2",
        ),
    )
}
CASES["15-templated"] = {
    "all.yaml": joined(
        deployment("web", containers="{name: web, image: web, ports: [{containerPort: ${PORT:-8080}}]}").replace(
            "${PORT:-8080}", '"${PORT:-8080}"'
        ),
        service("web", ports='{port: 80, targetPort: "${PORT:-8080}"}'),
        an(
            "Ingress",
            "web",
            "spec:\n  ingressClassName: nginx\n  rules:\n  - host: a.example.com\n    http:\n      paths:\n"
            "      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: '${EXTENSION_GRPC_PORT:-9002}'}}}}\n",
            api="networking.k8s.io/v1",
        ),
    )
}

# 16: names that Services may give their ports, and containers may not.
CASES["16-name"] = {"all.yaml": joined(deployment("web"), service("web", ports="{name: 8080-tcp, port: 8080}"))}

# 17: names in files of nginx, with variables, and with a dot at their end.
NGINX = """
upstream frontend_upstream { server web:80; }
server {
  listen 8080;
  set $east blue;
  location / { proxy_pass http://frontend_upstream; }
  location /p { proxy_pass http://podinfo-$east.test.svc; }
  location /n { proxy_pass http://web.$(NAMESPACE).svc:80; }
  location /y { proxy_pass http://web.$YOUR_NAMESPACE.svc:80; }
  location /d { proxy_pass http://web.default.svc.cluster.local.:80; }
}
"""
CASES["17-nginx"] = {
    "all.yaml": joined(
        deployment("web"),
        service("web"),
        an("ConfigMap", "nginx", "data:\n  nginx.conf: |" + NGINX.replace("\n", "\n    ").rstrip() + "\n"),
        an(
            "Deployment",
            "proxy",
            """
            spec:
              selector: {matchLabels: {app: proxy}}
              template:
                metadata: {labels: {app: proxy}}
                spec:
                  containers:
                  - {name: x, image: nginx, ports: [{containerPort: 8080}], volumeMounts: [{name: v, mountPath: /etc/nginx}]}
                  volumes: [{name: v, configMap: {name: nginx}}]
            """,
            api="apps/v1",
        ),
    )
}

# 18: what looks like an address and is none.
CASES["18-no-addresses"] = {
    "all.yaml": joined(
        an(
            "ConfigMap",
            "config",
            """
            data:
              _example: |
                # the queue listens on http://queue.example.svc:8080
                address: "zipkin.istio-system.svc.cluster.local:9411"
              image: "registry.example.com/queue@sha256:40957"
              mac: "f3:13:aa:01:02:03"
              at: "2024-01-01T10:20:30Z"
              pattern: "info:2016"
            """,
        ),
        an(
            "Deployment",
            "x",
            """
            spec:
              selector: {matchLabels: {app: x}}
              template:
                metadata: {labels: {app: x}}
                spec:
                  containers:
                  - name: x
                    image: x
                    args: ["-instances=p:r:db=tcp:5432"]
                    envFrom: [{configMapRef: {name: config}}]
            """,
            api="apps/v1",
        ),
    )
}

# 19: another release, a component that is off, hosts of a home network.
CASES["19-elsewhere"] = {
    "all.yaml": joined(
        deployment(
            "frontend",
            containers=(
                "{name: f, image: f, env: [{name: SHOPPING_ASSISTANT_SERVICE_ADDR, value: 'shoppingassistantservice:80'}, "
                "{name: LINK, value: 'https://pikvm'}, {name: TV, value: 'http://192.168.1.10:8096'}]}"
            ),
        ),
    )
}

CASES["19-release"] = {
    "all.yaml": joined(
        service("voting-v10", "app: voting-svc, version: v10"),
        an("Mapping", "voting", "spec: {prefix: /vote/, service: voting-v10}\n", api="getambassador.io/v2"),
    )
}

# 20: Services of other clusters.
CASES["20-mirrored"] = {
    "all.yaml": joined(
        deployment("web"),
        service("web"),
        an(
            "TrafficSplit",
            "web",
            "spec:\n  service: web\n  backends: [{service: web, weight: 1}, {service: web-target, weight: 1}]\n",
            api="split.smi-spec.io/v1alpha2",
        ),
        an(
            "HTTPRoute",
            "web",
            """
            spec:
              parentRefs: [{kind: Service, group: "", name: web, port: 80}]
              rules:
              - backendRefs: [{name: web-federated, port: 80}, {name: web-svc-target, port: 80}]
            """,
            api="gateway.networking.k8s.io/v1",
        ),
        an("Service", "out", "spec: {type: ExternalName, externalName: web.made-by-the-test.svc.cluster.local}\n"),
    )
}

# 21: kinds of one name and several groups.
CASES["21-groups"] = {
    "all.yaml": joined(
        an(
            "Service",
            "hello",
            "spec:\n  template: {spec: {containers: [{image: hello}]}}\n",
            api="serving.knative.dev/v1",
        ),
        an(
            "Ingress",
            "hello",
            "spec: {rules: [{hosts: [a.example.com]}]}\n",
            api="networking.internal.knative.dev/v1alpha1",
        ),
        an("Route", "hello", "spec: {to: {kind: Service, name: elsewhere}}\n", api="serving.knative.dev/v1"),
        an(
            "Gateway", "hello", "spec: {selector: {istio: ingressgateway}, servers: []}\n", api="networking.istio.io/v1"
        ),
        an(
            "Beat",
            "hello",
            "spec: {type: filebeat, deployment: {podTemplate: {spec: {}}}}\n",
            api="beat.k8s.elastic.co/v1beta1",
        ),
        an(
            "NetworkPolicy",
            "hello",
            "spec: {order: 1, selector: all(), types: [Ingress], ingress: [{action: Allow}]}\n",
            api="crd.projectcalico.org/v1",
        ),
    )
}

# 22: a namespace that something else gives.
CASES["22-grant"] = {
    "all.yaml": joined(
        an(
            "HTTPRoute",
            "web",
            "spec:\n  parentRefs: [{name: g}]\n  rules: [{backendRefs: [{name: web, namespace: apps, port: 80}]}]\n",
            api="gateway.networking.k8s.io/v1",
            namespace="network",
        ),
        an(
            "Gateway",
            "g",
            "spec: {gatewayClassName: c, listeners: [{name: h, port: 80, protocol: HTTP}]}\n",
            api="gateway.networking.k8s.io/v1",
            namespace="network",
        ),
        an(
            "ReferenceGrant",
            "web",
            "spec:\n  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: network}]\n  to: [{group: '', kind: Service}]\n",
            api="gateway.networking.k8s.io/v1beta1",
        ),
        deployment("web"),
        service("web"),
    )
}
CASES["22-monitor"] = {
    "all.yaml": joined(
        an(
            "ServiceMonitor",
            "web",
            "spec:\n  namespaceSelector: {matchNames: [apps]}\n  selector: {matchLabels: {app: web}}\n  endpoints: [{port: http}]\n",
            api="monitoring.coreos.com/v1",
            namespace="monitoring",
        ),
        deployment("web"),
        service("web", ports="{name: http, port: 80, targetPort: 8080}").replace(
            "metadata:\n", "metadata:\n  labels: {app: web}\n"
        ),
    )
}

# 23: policies add up.
CASES["23-additive"] = {
    "all.yaml": joined(
        deployment("client", containers="{name: c, image: c, env: [{name: DB, value: 'db:5432'}]}"),
        deployment("db", containers="{name: d, image: d, ports: [{containerPort: 5432}]}"),
        service("db", ports="{port: 5432}"),
        policy("deny", "podSelector: {}\npolicyTypes: [Ingress, Egress]"),
        policy(
            "dns",
            "podSelector: {}\npolicyTypes: [Egress]\negress: [{ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}]",
        ),
        policy(
            "out",
            "podSelector: {matchLabels: {app: client}}\npolicyTypes: [Egress]\negress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}]",
        ),
        policy(
            "narrow",
            "podSelector: {matchLabels: {app: db}}\ningress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]",
        ),
        policy(
            "in",
            "podSelector: {matchLabels: {app: db}}\ningress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 5432}]}]",
        ),
    )
}

# 24: ports are those of pods; the API server is reached at 6443, by an address that needs no name.
CASES["24-api"] = {
    "all.yaml": joined(
        deployment("controller", containers="{name: c, image: c}"),
        policy(
            "controller",
            "podSelector: {matchLabels: {app: controller}}\npolicyTypes: [Ingress, Egress]\negress: [{ports: [{port: 6443}]}]",
        ),
    )
}

# 25: everything, written in several ways; and nothing.
for name, spec in {
    "from-empty": "podSelector: {}\ningress: [{from: []}]",
    "from-null": "podSelector: {}\ningress: [{from: }]",
    "to-null": "podSelector: {}\npolicyTypes: [Egress]\negress: [{to: }]",
    "labels-null": "podSelector: {matchLabels: }\ningress: [{}]",
    "labels-empty": "podSelector: {matchLabels: {}}\ningress: [{}]",
    "ingress-empty": "podSelector: {}\ningress: []",
}.items():
    CASES[f"25-{name}"] = {"all.yaml": joined(deployment("web"), policy("all", spec))}

# 26: a dead peer beside a live one.
CASES["26-or"] = {
    "all.yaml": joined(
        deployment("web"),
        deployment("client"),
        policy(
            "web",
            """
            podSelector: {matchLabels: {app: web}}
            ingress:
            - from:
              - podSelector: {matchLabels: {app: client}}
              - podSelector: {matchLabels: {app: nobody}}
            """,
        ),
    )
}

# 27: Namespaces of which the repository holds a part.
CASES["27-namespaces"] = {
    "all.yaml": joined(
        an("Namespace", "shop", meta="labels: {team: shop}"),
        deployment("web", namespace="shop"),
        policy(
            "web",
            """
            podSelector: {matchLabels: {app: web}}
            ingress:
            - from: [{namespaceSelector: {matchLabels: {team: billing}}}]
            - from: [{namespaceSelector: {matchLabels: {team: search}}}]
            - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: audit}}}]
            """,
            namespace="shop",
        ),
    )
}

# 28: pods in the node's network.
CASES["28-host-network"] = {
    "all.yaml": joined(
        deployment("agent", containers="{name: a, image: a, ports: [{containerPort: 9100}]}").replace(
            "    spec:\n      containers", "    spec:\n      hostNetwork: true\n      containers"
        ),
        deployment("web"),
        service("web"),
        policy(
            "web",
            """
            podSelector: {matchLabels: {app: web}}
            ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16}}]}]
            """,
        ),
    )
}

# 29: variants of one application that share a selector on purpose.
CASES["29-blue-green"] = {
    "all.yaml": joined(
        deployment("web-blue", "app: web, color: blue"),
        deployment("web-green", "app: web, color: green"),
        service("web"),
        service("web-blue", "app: web, color: blue"),
    )
}
CASES["29-stateful"] = {
    "all.yaml": joined(
        STATEFUL.replace("name: redis\nspec", "name: redis-a\nspec"),
        STATEFUL.replace("name: redis\nspec", "name: redis-b\nspec").replace("replicas: 2", "replicas: 0"),
        REDIS,
    )
}

# 30: Endpoints that are read without a Service.
CASES["30-glusterfs"] = {
    "all.yaml": joined(
        an("Endpoints", "glusterfs-cluster", "subsets: [{addresses: [{ip: 10.240.106.152}], ports: [{port: 1}]}]\n"),
        an(
            "Pod",
            "reader",
            "spec:\n  containers: [{name: r, image: r}]\n  volumes: [{name: g, glusterfs: {endpoints: glusterfs-cluster, path: v}}]\n",
        ),
    )
}
CASES["30-leader"] = {
    "all.yaml": an(
        "Endpoints", "k8s.io-minikube-hostpath", meta="annotations: {control-plane.alpha.kubernetes.io/leader: '{}'}"
    )
}

# What is said of a case all the same, and is true: that Endpoints are deprecated, that the policy means everybody, and
# that a Deployment needs another node for its update where pods take a port of theirs.
EVERYBODY = {"NP028", "NP029", "NP050"}
TRUE_OF = {
    **{f"25-{name}": EVERYBODY for name in ("from-empty", "from-null", "to-null", "labels-null", "labels-empty")},
    "7-daemonset": {"HOST006"},
    "28-host-network": {"HOST006"},
    "30-glusterfs": {"EP009"},
    "30-leader": {"EP009"},
}


@pytest.mark.parametrize("name", sorted(CASES, key=lambda name: (int(name.split("-")[0]), name)))
def test_nothing_is_said_of_a_trap(tmp_path: Path, name: str) -> None:
    write(tmp_path, CASES[name])
    ran = k8snetlint(tmp_path, "check", "--isolated", "-f", "json")
    said = [
        (each["rule"], each["severity"], each["message"])
        for each in json.loads(ran.out)["diagnostics"]
        if each["rule"] not in {"TOOL002", *TRUE_OF.get(name, ())}
    ]
    assert said == []


def test_every_row_is_covered() -> None:
    assert {int(name.split("-")[0]) for name in CASES} == set(range(1, 31))
