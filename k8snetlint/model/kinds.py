"""Which kinds the model knows: a table from group and kind to what builds it, and what is cluster-scoped.

Kinds are compared by group and kind, never by kind alone and never by version.
"""

from __future__ import annotations

from k8snetlint.source.tree import Path

# The function that builds the typed object, as `module:function` in this package.
BUILDERS: dict[tuple[str, str], str] = {
    ("", "Service"): "services:build_service",
    ("", "Endpoints"): "services:build_endpoints",
    ("", "Secret"): "secrets:build_secret",
    ("discovery.k8s.io", "EndpointSlice"): "services:build_endpoint_slice",
    ("networking.k8s.io", "Ingress"): "ingresses:build_ingress",
    ("extensions", "Ingress"): "ingresses:build_ingress",
    ("networking.k8s.io", "IngressClass"): "ingresses:build_ingress_class",
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): "references:build_webhook_configuration",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "references:build_webhook_configuration",
    ("apiregistration.k8s.io", "APIService"): "references:build_api_service",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "references:build_custom_resource_definition",
    ("monitoring.coreos.com", "ServiceMonitor"): "references:build_monitor",
    ("monitoring.coreos.com", "PodMonitor"): "references:build_monitor",
    ("networking.k8s.io", "NetworkPolicy"): "networkpolicy:build_network_policy",
    ("policy.networking.k8s.io", "AdminNetworkPolicy"): "adminpolicy:build_admin_policy",
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): "adminpolicy:build_admin_policy",
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"): "adminpolicy:build_admin_policy",
    ("gateway.networking.k8s.io", "Gateway"): "gateways:build_gateway",
    ("gateway.networking.k8s.io", "HTTPRoute"): "gateways:build_route",
    ("gateway.networking.k8s.io", "GRPCRoute"): "gateways:build_route",
    ("gateway.networking.k8s.io", "TLSRoute"): "gateways:build_route",
    ("gateway.networking.k8s.io", "TCPRoute"): "gateways:build_route",
    ("gateway.networking.k8s.io", "UDPRoute"): "gateways:build_route",
    ("gateway.networking.k8s.io", "ReferenceGrant"): "gateways:build_reference_grant",
}

# Where a kind's pod template stands (it holds `metadata` and `spec`); empty for a pod itself.
POD_TEMPLATES: dict[tuple[str, str], Path] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("extensions", "Deployment"): ("spec", "template"),
    ("extensions", "ReplicaSet"): ("spec", "template"),
    ("extensions", "DaemonSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    # Custom kinds whose template is a pod template. Sources: the CRDs of each project.
    ("argoproj.io", "Rollout"): ("spec", "template"),
    ("serving.knative.dev", "Service"): ("spec", "template"),
    ("serving.knative.dev", "Configuration"): ("spec", "template"),
    ("apps.kruise.io", "CloneSet"): ("spec", "template"),
    ("apps.kruise.io", "DaemonSet"): ("spec", "template"),
    ("apps.kruise.io", "StatefulSet"): ("spec", "template"),
    ("apps.kruise.io", "AdvancedCronJob"): ("spec", "template", "jobTemplate", "spec", "template"),
    ("apps.kruise.io", "BroadcastJob"): ("spec", "template"),
    ("apps.openshift.io", "DeploymentConfig"): ("spec", "template"),
    ("kubevirt.io", "VirtualMachine"): ("spec", "template"),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): ("spec", "leaderWorkerTemplate", "workerTemplate"),
}

CLUSTER_SCOPED: frozenset[tuple[str, str]] = frozenset(
    {
        ("", "ComponentStatus"),
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("authentication.k8s.io", "SelfSubjectReview"),
        ("authentication.k8s.io", "TokenReview"),
        ("authorization.k8s.io", "SelfSubjectAccessReview"),
        ("authorization.k8s.io", "SelfSubjectRulesReview"),
        ("authorization.k8s.io", "SubjectAccessReview"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("certificates.k8s.io", "ClusterTrustBundle"),
        ("internal.apiserver.k8s.io", "StorageVersion"),
        ("networking.k8s.io", "ClusterCIDR"),
        ("networking.k8s.io", "IngressClass"),
        ("networking.k8s.io", "IPAddress"),
        ("networking.k8s.io", "ServiceCIDR"),
        ("extensions", "PodSecurityPolicy"),
        ("policy", "PodSecurityPolicy"),
        ("policy.networking.k8s.io", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
        ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("resource.k8s.io", "DeviceClass"),
        ("resource.k8s.io", "DeviceTaintRule"),
        ("resource.k8s.io", "ResourceClass"),
        ("resource.k8s.io", "ResourcePoolStatusRequest"),
        ("resource.k8s.io", "ResourceSlice"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "VolumeAttachment"),
        ("storage.k8s.io", "VolumeAttributesClass"),
        ("storagemigration.k8s.io", "StorageVersionMigration"),
        ("node.k8s.io", "RuntimeClass"),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        ("gateway.networking.k8s.io", "GatewayClass"),
        ("gateway.networking.x-k8s.io", "XMesh"),
        ("cilium.io", "CiliumClusterwideNetworkPolicy"),
        ("cilium.io", "CiliumLoadBalancerIPPool"),
        ("cilium.io", "CiliumCIDRGroup"),
        ("crd.projectcalico.org", "GlobalNetworkPolicy"),
        ("crd.projectcalico.org", "GlobalNetworkSet"),
        ("crd.projectcalico.org", "HostEndpoint"),
        ("crd.projectcalico.org", "IPPool"),
        ("crd.projectcalico.org", "Tier"),
        ("crd.projectcalico.org", "FelixConfiguration"),
        ("crd.projectcalico.org", "BGPConfiguration"),
        ("projectcalico.org", "GlobalNetworkPolicy"),
        ("projectcalico.org", "GlobalNetworkSet"),
        ("projectcalico.org", "HostEndpoint"),
        ("projectcalico.org", "IPPool"),
        ("projectcalico.org", "Tier"),
        ("projectcalico.org", "FelixConfiguration"),
        ("projectcalico.org", "BGPConfiguration"),
        ("operator.tigera.io", "Installation"),
        ("cert-manager.io", "ClusterIssuer"),
        ("kubeproxy.config.k8s.io", "KubeProxyConfiguration"),
        ("security.openshift.io", "SecurityContextConstraints"),
        ("k8s.ovn.org", "ClusterUserDefinedNetwork"),
    }
)

# Labels that controllers add to pods when they run: a selector may ask for one that no template has.
RUN_TIME_LABELS: frozenset[str] = frozenset(
    {
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/job-name",
        "controller-revision-hash",
        "controller-uid",
        "job-name",
        "kafka-broker-id",
        "leaderworkerset.sigs.k8s.io/name",
        "leaderworkerset.sigs.k8s.io/worker-index",
        "pod-template-generation",
        "pod-template-hash",
        "rollouts-pod-template-hash",
        "security.istio.io/tlsMode",
        "service.istio.io/canonical-name",
        "service.istio.io/canonical-revision",
        "statefulset.kubernetes.io/pod-name",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "vault-active",
        "vault-initialized",
        "vault-perf-standby",
        "vault-sealed",
    }
)
# Keys that name what a pod is at the moment (leader election) are set at run time too.
RUN_TIME_ENDINGS: tuple[str, ...] = ("role", "leader", "master", "primary")


def is_run_time_label(key: str) -> bool:
    """Whether controllers set this label on running pods."""
    return key in RUN_TIME_LABELS or key.lower().endswith(RUN_TIME_ENDINGS)
