"""Writes `fixtures/corpus/tenants/`: the applications of an imaginary company, one a namespace.

Deterministic: run `python tools/build_corpus.py` after a change, and commit what it wrote. The rest of `fixtures/corpus`
is written by hand. All of it is consistent, so that `k8snetlint check fixtures/corpus` has no error and no warning.
"""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1] / "fixtures" / "corpus" / "tenants"
REGISTRY = "registry.harbour.example"
Object = dict[str, Any]

# Tenant: what it sells. Each has the same kind of application with other names and ports.
TENANTS = {
    "anchor": "ropes",
    "beacon": "lamps",
    "compass": "charts",
    "dinghy": "boats",
    "ensign": "flags",
    "fathom": "soundings",
    "galley": "meals",
    "halyard": "sails",
    "inlet": "moorings",
    "jetty": "tickets",
    "keel": "hulls",
    "lantern": "oil",
}
# Service: its port, and what it calls.
SERVICES: dict[str, tuple[int, tuple[str, ...]]] = {
    "web": (8080, ("catalog", "cart", "account", "checkout")),
    "catalog": (7001, ("db", "search")),
    "cart": (7002, ("cache", "pricing")),
    "account": (7003, ("db", "mailer")),
    "pricing": (7004, ("cache",)),
    "search": (7005, ()),
    "checkout": (7006, ("cart", "payment", "queue")),
    "payment": (7007, ()),
    "mailer": (7008, ("queue",)),
}
STORES = {"db": (5432, "postgres:16"), "cache": (6379, "redis:7"), "queue": (4222, "nats:2")}


def meta(name: str, namespace: str, part_of: str, **more: Any) -> Object:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": part_of}
    return {"name": name, "namespace": namespace, "labels": labels, **more}


def labels(name: str, tenant: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": tenant}


def port_of(name: str) -> int:
    return SERVICES[name][0] if name in SERVICES else STORES[name][0]


def probe(port: str | int, path: str = "/healthz") -> Object:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 10, "timeoutSeconds": 2}


def service(name: str, tenant: str, port: int, *, headless: bool = False) -> Object:
    spec: Object = {"selector": labels(name, tenant), "ports": [{"name": "main", "port": port, "targetPort": "main"}]}
    if headless:
        spec = {"clusterIP": "None", **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name, tenant, tenant), "spec": spec}


def deployment(name: str, tenant: str) -> Object:
    port, calls = SERVICES[name]
    env = [{"name": "PORT", "value": str(port)}]
    env += [{"name": f"{other.upper()}_ADDR", "value": f"{other}.{tenant}.svc:{port_of(other)}"} for other in calls]
    container = {
        "name": name,
        "image": f"{REGISTRY}/{tenant}/{name}:1.{port % 10}.0",
        "ports": [{"name": "main", "containerPort": port}, {"name": "metrics", "containerPort": 9100}],
        "env": env,
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "readinessProbe": probe("main"),
        "livenessProbe": probe("main", "/livez"),
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "readOnlyRootFilesystem": True},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name, tenant, tenant),
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels(name, tenant)},
            "template": {
                "metadata": {"labels": labels(name, tenant)},
                "spec": {"serviceAccountName": name, "automountServiceAccountToken": False, "containers": [container]},
            },
        },
    }


def store(name: str, tenant: str) -> Object:
    port, image = STORES[name]
    container = {
        "name": name,
        "image": f"{REGISTRY}/library/{image}",
        "ports": [{"name": "main", "containerPort": port}],
        "readinessProbe": {"tcpSocket": {"port": "main"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Gi"}}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta(name, tenant, tenant),
        "spec": {
            "serviceName": name,
            "replicas": 1,
            "selector": {"matchLabels": labels(name, tenant)},
            "template": {"metadata": {"labels": labels(name, tenant)}, "spec": {"containers": [container]}},
            "volumeClaimTemplates": [claim],
        },
    }


def policy(name: str, tenant: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": tenant}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def from_namespace(namespace: str, pods: dict[str, str]) -> Object:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": pods},
    }


def policies(tenant: str) -> list[Object]:
    """Deny by default, names for all, and each connection that the services need."""
    dns = {
        "to": [from_namespace("kube-system", {"k8s-app": "kube-dns"})],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }
    found = [
        policy("default-deny", tenant, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
        policy("names", tenant, {"podSelector": {}, "policyTypes": ["Egress"], "egress": [dns]}),
    ]
    scrape = {
        "from": [from_namespace("monitoring", {"app.kubernetes.io/name": "prometheus"})],
        "ports": [{"protocol": "TCP", "port": 9100}],
    }
    for name in (*SERVICES, *STORES):
        callers = [other for other, (_, calls) in SERVICES.items() if name in calls]
        ingress: list[Object] = [scrape] if name in SERVICES else []
        if callers:
            peers = [{"podSelector": {"matchLabels": labels(other, tenant)}} for other in callers]
            ingress.append({"from": peers, "ports": [{"protocol": "TCP", "port": port_of(name)}]})
        if name == "web":
            peer = from_namespace("ingress", {"app.kubernetes.io/name": "ingress-nginx"})
            ingress.append({"from": [peer], "ports": [{"protocol": "TCP", "port": port_of(name)}]})
        spec: Object = {"podSelector": {"matchLabels": labels(name, tenant)}, "policyTypes": ["Ingress"]}
        spec["ingress"] = ingress
        calls = SERVICES[name][1] if name in SERVICES else ()
        if calls:
            spec["policyTypes"] = ["Ingress", "Egress"]
            spec["egress"] = [
                {
                    "to": [{"podSelector": {"matchLabels": labels(other, tenant)}}],
                    "ports": [{"protocol": "TCP", "port": port_of(other)}],
                }
                for other in calls
            ]
        found.append(policy(name, tenant, spec))
    return found


def ingress(tenant: str, goods: str) -> Object:
    backend = {"service": {"name": "web", "port": {"name": "main"}}}
    host = f"{goods}.{tenant}.example"
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta("web", tenant, tenant),
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": [host], "secretName": "web-tls"}],
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
        },
    }


def extras(tenant: str, goods: str) -> list[Object]:
    """What stands beside the services: settings, certificate, autoscaler, budget, monitor, a nightly job."""
    nightly = {
        "restartPolicy": "OnFailure",
        "containers": [
            {
                "name": "report",
                "image": f"{REGISTRY}/{tenant}/report:3",
                "args": ["--since=24h", f"--goods={goods}"],
            }
        ],
    }
    template = {"metadata": {"labels": labels("report", tenant)}, "spec": nightly}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta("settings", tenant, tenant),
            "data": {"CURRENCY": "EUR", "GOODS": goods, "LOG_LEVEL": "info"},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": meta("web-tls", tenant, tenant),
            "type": "kubernetes.io/tls",
            "data": {"tls.crt": "Y2VydGlmaWNhdGU=", "tls.key": "a2V5"},
        },
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": meta("web", tenant, tenant),
            "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 8, "metrics": [cpu]},
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": meta("web", tenant, tenant),
            "spec": {"minAvailable": 1, "selector": {"matchLabels": labels("web", tenant)}},
        },
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PodMonitor",
            "metadata": meta("services", tenant, tenant),
            "spec": {
                "selector": {"matchLabels": {"app.kubernetes.io/part-of": tenant}},
                "podMetricsEndpoints": [{"port": "metrics", "interval": "30s"}],
            },
        },
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": meta("report", tenant, tenant),
            "spec": {"schedule": "15 3 * * *", "jobTemplate": {"spec": {"template": template}}},
        },
    ]


def tenant_files(tenant: str, goods: str) -> dict[str, list[Object]]:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": tenant, "labels": {"team": tenant, "pod-security.kubernetes.io/enforce": "restricted"}},
    }
    files = {
        "namespace": [namespace, *extras(tenant, goods)],
        "ingress": [ingress(tenant, goods)],
        "policies": policies(tenant),
    }
    for name in SERVICES:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(name, tenant, tenant)}
        files[name] = [account, deployment(name, tenant), service(name, tenant, port_of(name))]
    for name in STORES:
        files[name] = [store(name, tenant), service(name, tenant, port_of(name), headless=True)]
    return files


def written(objects: list[Object]) -> str:
    """Objects as a stream of YAML documents, indented as most people do."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    yaml.representer.ignore_aliases = lambda data: True
    out = StringIO()
    yaml.dump_all(objects, out)
    return out.getvalue()


def files() -> dict[str, str]:
    """The texts of all files, by their path in `fixtures/corpus/tenants`."""
    return {
        f"{tenant}/{name}.yaml": written(objects)
        for tenant, goods in TENANTS.items()
        for name, objects in tenant_files(tenant, goods).items()
    }


def main() -> None:
    shutil.rmtree(ROOT, ignore_errors=True)
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
