"""What kustomize knows of the built-in kinds: which fields hold labels, names and namespaces, and how lists merge.

Source: the built-in configuration of kustomize 5 and the patch merge keys of Kubernetes' OpenAPI document.
"""

from __future__ import annotations

from typing import NamedTuple

APPS = "apps"
BATCH = "batch"
RBAC = "rbac.authorization.k8s.io"
NETWORKING = "networking.k8s.io"
ADMISSION = "admissionregistration.k8s.io"

CLUSTER_SCOPED = frozenset(
    {
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("", "ComponentStatus"),
        (ADMISSION, "MutatingWebhookConfiguration"),
        (ADMISSION, "ValidatingWebhookConfiguration"),
        (ADMISSION, "ValidatingAdmissionPolicy"),
        (ADMISSION, "ValidatingAdmissionPolicyBinding"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("authentication.k8s.io", "SelfSubjectReview"),
        ("authentication.k8s.io", "TokenReview"),
        ("authorization.k8s.io", "SelfSubjectAccessReview"),
        ("authorization.k8s.io", "SelfSubjectRulesReview"),
        ("authorization.k8s.io", "SubjectAccessReview"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        (NETWORKING, "IngressClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("policy", "PodSecurityPolicy"),
        (RBAC, "ClusterRole"),
        (RBAC, "ClusterRoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "VolumeAttachment"),
    }
)


class Field(NamedTuple):
    """A path in objects of a kind; None for the kind or group means any. `create` makes it where it is not there."""

    path: tuple[str, ...]
    kind: str | None = None
    group: str | None = None
    create: bool = False


def _field(path: str, kind: str | None = None, group: str | None = None, create: bool = False) -> Field:
    return Field(tuple(path.split("/")), kind, group, create)


# Kinds with a pod template: where it stands, and the group that has them.
TEMPLATES = {
    "Deployment": ("spec/template", None),
    "ReplicaSet": ("spec/template", None),
    "DaemonSet": ("spec/template", None),
    "StatefulSet": ("spec/template", APPS),
    "ReplicationController": ("spec/template", ""),
    "Job": ("spec/template", BATCH),
    "CronJob": ("spec/jobTemplate/spec/template", BATCH),
}
POD_SPECS = {"Pod": ("spec", ""), **{kind: (f"{path}/spec", group) for kind, (path, group) in TEMPLATES.items()}}

NEVER_PREFIXED = frozenset({"CustomResourceDefinition", "APIService", "Namespace"})

METADATA_LABELS = (_field("metadata/labels", create=True),)
TEMPLATE_LABELS = tuple(
    _field(f"{path}/metadata/labels", kind, group, create=True) for kind, (path, group) in TEMPLATES.items()
)
_AFFINITY = tuple(
    f"affinity/{affinity}/{when}/labelSelector/matchLabels"
    for affinity in ("podAffinity", "podAntiAffinity")
    for when in (
        "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
        "requiredDuringSchedulingIgnoredDuringExecution",
    )
)
COMMON_LABELS = (
    *METADATA_LABELS,
    *TEMPLATE_LABELS,
    _field("spec/selector", "Service", "", create=True),
    _field("spec/selector", "ReplicationController", "", create=True),
    *(
        _field("spec/selector/matchLabels", kind, create=True)
        for kind in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet")
    ),
    *(
        _field(f"spec/template/spec/{path}", kind, APPS)
        for kind in ("Deployment", "StatefulSet")
        for path in (*_AFFINITY, "topologySpreadConstraints/labelSelector/matchLabels")
    ),
    _field("spec/volumeClaimTemplates[]/metadata/labels", "StatefulSet", APPS, create=True),
    _field("spec/selector/matchLabels", "Job", BATCH),
    _field("spec/jobTemplate/metadata/labels", "CronJob", BATCH, create=True),
    _field("spec/jobTemplate/spec/selector/matchLabels", "CronJob", BATCH),
    _field("spec/selector/matchLabels", "PodDisruptionBudget", "policy"),
    _field("spec/podSelector/matchLabels", "NetworkPolicy", NETWORKING),
    _field("spec/ingress/from/podSelector/matchLabels", "NetworkPolicy", NETWORKING),
    _field("spec/egress/to/podSelector/matchLabels", "NetworkPolicy", NETWORKING),
)
COMMON_ANNOTATIONS = (
    _field("metadata/annotations", create=True),
    *(_field(f"{path}/metadata/annotations", kind, group, create=True) for kind, (path, group) in TEMPLATES.items()),
    _field("spec/jobTemplate/metadata/annotations", "CronJob", BATCH, create=True),
)
NAMESPACES = (
    _field("spec/service/namespace", "APIService", "apiregistration.k8s.io"),
    _field("spec/conversion/webhook/clientConfig/service/namespace", "CustomResourceDefinition"),
)
REPLICAS = tuple(
    _field("spec/replicas", kind, create=True)
    for kind in ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")
)


class Target(NamedTuple):
    """A kind that others refer to by name; None for the group means any."""

    kind: str
    group: str | None


def _in_pods(*paths: str) -> tuple[Field, ...]:
    return tuple(_field(f"{base}/{path}", kind, group) for kind, (base, group) in POD_SPECS.items() for path in paths)


def _in_containers(*paths: str) -> tuple[Field, ...]:
    return _in_pods(*(f"{where}/{path}" for where in ("containers", "initContainers") for path in paths))


_WEBHOOKS = (
    _field("webhooks/clientConfig/service", "ValidatingWebhookConfiguration", ADMISSION),
    _field("webhooks/clientConfig/service", "MutatingWebhookConfiguration", ADMISSION),
)
_SCALERS = (_field("spec/scaleTargetRef/name", "HorizontalPodAutoscaler"),)
_RULE_NAMES = (
    _field("rules/resourceNames", "Role", RBAC),
    _field("rules/resourceNames", "ClusterRole", RBAC),
)
_SUBJECTS = (_field("subjects", "RoleBinding", RBAC), _field("subjects", "ClusterRoleBinding", RBAC))

NAME_REFERENCES: tuple[tuple[Target, tuple[Field, ...]], ...] = (
    (Target("Deployment", None), _SCALERS),
    (Target("ReplicationController", ""), _SCALERS),
    (Target("ReplicaSet", None), _SCALERS),
    (Target("StatefulSet", None), _SCALERS),
    (
        Target("ConfigMap", ""),
        (
            *_in_pods("volumes/configMap/name", "volumes/projected/sources/configMap/name"),
            *_in_containers("env/valueFrom/configMapKeyRef/name", "envFrom/configMapRef/name"),
            _field("spec/configSource/configMap/name", "Node", ""),
            *_RULE_NAMES,
            Field(("metadata", "annotations", "nginx.ingress.kubernetes.io/fastcgi-params-configmap"), "Ingress"),
        ),
    ),
    (
        Target("Secret", ""),
        (
            *_in_pods("volumes/secret/secretName", "volumes/projected/sources/secret/name", "imagePullSecrets/name"),
            *_in_containers("env/valueFrom/secretKeyRef/name", "envFrom/secretRef/name"),
            _field("imagePullSecrets/name", "ServiceAccount", ""),
            _field("secrets/name", "ServiceAccount", ""),
            _field("spec/tls/secretName", "Ingress"),
            Field(("metadata", "annotations", "ingress.kubernetes.io/auth-secret"), "Ingress"),
            Field(("metadata", "annotations", "nginx.ingress.kubernetes.io/auth-secret"), "Ingress"),
            Field(("metadata", "annotations", "nginx.ingress.kubernetes.io/auth-tls-secret"), "Ingress"),
            *_RULE_NAMES,
        ),
    ),
    (
        Target("Service", ""),
        (
            _field("spec/serviceName", "StatefulSet", APPS),
            _field("spec/rules/http/paths/backend/serviceName", "Ingress"),
            _field("spec/backend/serviceName", "Ingress"),
            _field("spec/rules/http/paths/backend/service/name", "Ingress"),
            _field("spec/defaultBackend/service/name", "Ingress"),
            _field("spec/service/name", "APIService", "apiregistration.k8s.io"),
            *_WEBHOOKS,
        ),
    ),
    (Target("Role", RBAC), (_field("roleRef/name", "RoleBinding", RBAC),)),
    (
        Target("ClusterRole", RBAC),
        (_field("roleRef/name", "RoleBinding", RBAC), _field("roleRef/name", "ClusterRoleBinding", RBAC)),
    ),
    (Target("ServiceAccount", ""), (*_SUBJECTS, *_in_pods("serviceAccountName"))),
    (Target("PersistentVolumeClaim", ""), _in_pods("volumes/persistentVolumeClaim/claimName")),
    (Target("PersistentVolume", ""), (_field("spec/volumeName", "PersistentVolumeClaim", ""), *_RULE_NAMES)),
    (
        Target("StorageClass", "storage.k8s.io"),
        (
            _field("spec/storageClassName", "PersistentVolume", ""),
            _field("spec/storageClassName", "PersistentVolumeClaim", ""),
            _field("spec/volumeClaimTemplates/spec/storageClassName", "StatefulSet", APPS),
        ),
    ),
    (Target("PriorityClass", "scheduling.k8s.io"), _in_pods("priorityClassName")),
    (Target("IngressClass", NETWORKING), (_field("spec/ingressClassName", "Ingress"),)),
)

# Where `$(NAME)` of a kustomize variable is replaced.
VARIABLE_FIELDS = (
    *_in_containers("args", "command", "env/value", "volumeMounts/mountPath"),
    *_in_pods("volumes/nfs/server"),
    _field("spec/rules/host", "Ingress"),
    _field("spec/tls/hosts", "Ingress"),
    _field("spec/tls/secretName", "Ingress"),
    _field("metadata/labels"),
    _field("metadata/annotations"),
)


class Keys(NamedTuple):
    """How the values below a node merge: `keys` tell the items of a list apart, `fields` go on below.

    A list of strings whose `is_set` is true merges as a set. A list without keys is replaced.
    """

    keys: tuple[str, ...] = ()
    is_set: bool = False
    fields: tuple[tuple[str, Keys], ...] = ()

    def below(self, name: str) -> Keys:
        """How the value of a field merges."""
        for field, keys in self.fields:
            if field == name:
                return keys
        return NO_KEYS


NO_KEYS = Keys()


def _keyed(*keys: str, **fields: Keys) -> Keys:
    return Keys(keys, False, tuple(fields.items()))


_CONTAINERS = _keyed(
    "name",
    ports=_keyed("containerPort", "protocol"),
    env=_keyed("name"),
    volumeMounts=_keyed("mountPath"),
    volumeDevices=_keyed("devicePath"),
)
_POD_SPEC = _keyed(
    containers=_CONTAINERS,
    initContainers=_CONTAINERS,
    ephemeralContainers=_CONTAINERS,
    volumes=_keyed("name"),
    imagePullSecrets=_keyed("name"),
    hostAliases=_keyed("ip"),
    topologySpreadConstraints=_keyed("topologyKey", "whenUnsatisfiable"),
    resourceClaims=_keyed("name"),
    schedulingGates=_keyed("name"),
)
_METADATA = _keyed(ownerReferences=_keyed("uid"), finalizers=Keys(is_set=True))
_TEMPLATE = _keyed(metadata=_METADATA, spec=_POD_SPEC)
_WORKLOAD = _keyed(metadata=_METADATA, spec=_keyed(template=_TEMPLATE))
_PLAIN = _keyed(metadata=_METADATA)
_HOOKS = _keyed(metadata=_METADATA, webhooks=_keyed("name"))

MERGE_KEYS: dict[tuple[str, str], Keys] = {
    ("", "Pod"): _keyed(metadata=_METADATA, spec=_POD_SPEC),
    ("", "PodTemplate"): _keyed(metadata=_METADATA, template=_TEMPLATE),
    ("", "ReplicationController"): _WORKLOAD,
    (APPS, "Deployment"): _WORKLOAD,
    (APPS, "ReplicaSet"): _WORKLOAD,
    (APPS, "DaemonSet"): _WORKLOAD,
    (APPS, "StatefulSet"): _WORKLOAD,
    (BATCH, "Job"): _WORKLOAD,
    (BATCH, "CronJob"): _keyed(metadata=_METADATA, spec=_keyed(jobTemplate=_keyed(spec=_keyed(template=_TEMPLATE)))),
    ("", "Service"): _keyed(metadata=_METADATA, spec=_keyed(ports=_keyed("port", "protocol"))),
    ("", "ServiceAccount"): _keyed(metadata=_METADATA, secrets=_keyed("name"), imagePullSecrets=_keyed("name")),
    ("", "Namespace"): _keyed(metadata=_METADATA, spec=_keyed(finalizers=Keys(is_set=True))),
    ("", "Node"): _keyed(metadata=_METADATA, spec=_keyed(taints=_keyed("key"), podCIDRs=Keys(is_set=True))),
    (ADMISSION, "MutatingWebhookConfiguration"): _HOOKS,
    (ADMISSION, "ValidatingWebhookConfiguration"): _HOOKS,
}


def merge_keys(group: str, kind: str) -> Keys:
    """How objects of a kind merge; lists of kinds that are not built in are replaced."""
    return MERGE_KEYS.get((group, kind), _PLAIN if not group or group.endswith(".k8s.io") else NO_KEYS)
