"""Pods that will be there although no manifest of the unit makes them."""

from __future__ import annotations

from k8snetlint.model.cluster import Cluster
from k8snetlint.model.values import text_of
from k8snetlint.settings import Settings

# Kinds whose controllers make pods with labels that the manifest does not show, by API group.
_MAKERS: dict[str, frozenset[str]] = {
    "monitoring.coreos.com": frozenset({"Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"}),
    "postgresql.cnpg.io": frozenset({"Cluster", "Pooler"}),
    "acid.zalan.do": frozenset({"postgresql"}),
    "kafka.strimzi.io": frozenset({"Kafka", "KafkaNodePool", "KafkaConnect", "KafkaBridge", "KafkaMirrorMaker2"}),
    "elasticsearch.k8s.elastic.co": frozenset({"Elasticsearch"}),
    "kibana.k8s.elastic.co": frozenset({"Kibana"}),
    "beat.k8s.elastic.co": frozenset({"Beat"}),
    "apm.k8s.elastic.co": frozenset({"ApmServer"}),
    "rabbitmq.com": frozenset({"RabbitmqCluster"}),
    "minio.min.io": frozenset({"Tenant"}),
    "redis.redis.opstreelabs.in": frozenset({"Redis", "RedisCluster", "RedisReplication", "RedisSentinel"}),
    "databases.spotahome.com": frozenset({"RedisFailover"}),
    "jaegertracing.io": frozenset({"Jaeger"}),
    "opentelemetry.io": frozenset({"OpenTelemetryCollector"}),
    "ceph.rook.io": frozenset({"CephCluster", "CephObjectStore", "CephFilesystem"}),
    "tempo.grafana.com": frozenset({"TempoStack", "TempoMonolithic"}),
    "loki.grafana.com": frozenset({"LokiStack"}),
    "grafana.integreatly.org": frozenset({"Grafana"}),
    "operator.tigera.io": frozenset({"Installation", "APIServer"}),
    "operator.knative.dev": frozenset({"KnativeServing", "KnativeEventing"}),
    "operator.tekton.dev": frozenset({"TektonConfig", "TektonPipeline"}),
    "tekton.dev": frozenset({"Pipeline", "Task", "PipelineRun", "TaskRun"}),
    "triggers.tekton.dev": frozenset({"EventListener"}),
    "install.istio.io": frozenset({"IstioOperator"}),
    "ray.io": frozenset({"RayCluster", "RayService", "RayJob"}),
    "kubevirt.io": frozenset({"VirtualMachine", "VirtualMachineInstance", "KubeVirt"}),
    "argoproj.io": frozenset({"Workflow", "CronWorkflow", "WorkflowTemplate", "Experiment", "EventBus", "Sensor"}),
    "keycloak.org": frozenset({"Keycloak"}),
    "k8s.keycloak.org": frozenset({"Keycloak"}),
    "gateway.networking.k8s.io": frozenset({"Gateway"}),
}


def namespaces_with_unseen_pods(cluster: Cluster, settings: Settings) -> frozenset[str]:
    """The namespaces in which an operator, or a chart that is fetched elsewhere, makes pods that are not in sight."""
    found: set[str] = set()
    for resource in cluster.resources:
        group = resource.group
        if "." not in group:
            continue
        if resource.kind in _MAKERS.get(group, ()):
            found.add(resource.namespace or "")
        elif (group, resource.kind) in (("helm.toolkit.fluxcd.io", "HelmRelease"), ("helm.cattle.io", "HelmChart")):
            target = text_of(resource.root.get("spec", "targetNamespace"))
            found.add(target or resource.namespace or "")
        elif group == "argoproj.io" and resource.kind in ("Application", "ApplicationSet"):
            spec = ("spec",) if resource.kind == "Application" else ("spec", "template", "spec")
            target = text_of(resource.root.get(*spec, "destination", "namespace"))
            found.add(target or resource.namespace or "")
    return frozenset(found)
