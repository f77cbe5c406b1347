"""The typed settings that configuration fills and every upper layer reads."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .diagnostic import Severity
from .source.text import Place
from .source.tree import Node

NEWEST_KUBERNETES = (1, 37)
OLDEST_KUBERNETES = (1, 27)


@attrs.frozen
class ClusterSettings:
    """What is known of the cluster that the manifests are applied to; None and empty mean unknown."""

    pod_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    node_cidrs: tuple[str, ...] = ()
    dns_domain: str = "cluster.local"
    proxy_mode: str | None = None
    mtu: int | None = None
    node_port_range: tuple[int, int] = (30000, 32767)


@attrs.frozen
class ExternalSettings:
    """Objects that live elsewhere: never "not found". Names are `namespace/name`; `*` matches any part."""

    namespaces: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    services: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ingress_classes: tuple[str, ...] = ()


@attrs.frozen
class WorkloadSettings:
    """A custom kind that makes pods: where its pod template stands, as a dotted path."""

    group: str
    kind: str
    template: str


@attrs.frozen
class UnitSettings:
    """A unit that the configuration names; `context` is not reported on.

    Its charts are installed as `release` with `values`, the later over the earlier: paths of files, or mappings as they
    stand in the configuration.
    """

    name: str
    paths: tuple[str, ...]
    context: tuple[str, ...] = ()
    values: tuple[str | Node, ...] = ()
    namespace: str | None = None
    release: str | None = None

    @property
    def is_release(self) -> bool:
        """Whether it says how its charts are installed: several such units may have a chart in common."""
        return bool(self.values) or self.release is not None


@attrs.frozen
class IgnoreSettings:
    """Diagnostics that do not count: all that is given has to fit. `expires` is an ISO date."""

    rules: tuple[str, ...]
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    path: str | None = None
    reason: str | None = None
    expires: str | None = None
    place: Place | None = None


@attrs.frozen
class Settings:
    """Everything that a run can be told.

    `select`, `extend_select` and `ignore` hold rule ids, prefixes, names or `ALL`.
    Paths are relative to `root`, the folder of the configuration file or else the working directory.
    """

    root: str = "."
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    pedantic: bool = False
    severity: Mapping[str, Severity] = attrs.field(factory=dict)
    exclude: tuple[str, ...] = ()
    per_path_ignores: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    ignores: tuple[IgnoreSettings, ...] = ()
    units: tuple[UnitSettings, ...] = ()
    unit: str | None = None
    one_unit: bool = False
    context: tuple[str, ...] = ()
    namespace: str = "default"
    kube_version: tuple[int, int] = NEWEST_KUBERNETES
    cni: str | None = None
    cluster: ClusterSettings = ClusterSettings()
    external: ExternalSettings = ExternalSettings()
    workloads: tuple[WorkloadSettings, ...] = ()
    intents: tuple[str, ...] = ()
    render: str = "auto"
    variables: Mapping[str, str] = attrs.field(factory=dict)
    max_file_size: int | None = None
    rule_options: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)
