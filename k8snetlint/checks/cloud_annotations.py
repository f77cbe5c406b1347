"""Annotations of Services that cloud providers read for their load balancers: the keys, and what they may say.

Sources: AWS Load Balancer Controller, Service annotations; Kubernetes cloud-provider-aws; Google Kubernetes Engine,
LoadBalancer Service parameters; Azure cloud provider, LoadBalancer annotations; DigitalOcean cloud controller manager,
Service annotations; OpenStack cloud controller manager, load balancer annotations.
"""

from __future__ import annotations

import re

AWS = "service.beta.kubernetes.io/aws-load-balancer-"
AZURE = "service.beta.kubernetes.io/azure-"
DIGITAL_OCEAN = "service.beta.kubernetes.io/do-loadbalancer-"
OPENSTACK = "loadbalancer.openstack.org/"
GOOGLE = "networking.gke.io/load-balancer-"

_BOOLEAN = ("true", "false")
# For each prefix the known ends of a key, with the values that are allowed; none: any.
_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    AWS: {
        "type": ("nlb", "nlb-ip", "external", "classic", "clb", "elb"),
        "scheme": ("internal", "internet-facing"),
        "internal": ("true", "false", "0.0.0.0/0"),
        "nlb-target-type": ("instance", "ip"),
        "name": (),
        "subnets": (),
        "ip-address-type": ("ipv4", "dualstack"),
        "proxy-protocol": ("*",),
        "backend-protocol": ("http", "https", "tcp", "ssl", "tls"),
        "ssl-cert": (),
        "ssl-ports": (),
        "ssl-negotiation-policy": (),
        "alpn-policy": ("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"),
        "access-log-enabled": _BOOLEAN,
        "access-log-emit-interval": ("5", "60"),
        "access-log-s3-bucket-name": (),
        "access-log-s3-bucket-prefix": (),
        "attributes": (),
        "target-group-attributes": (),
        "additional-resource-tags": (),
        "eip-allocations": (),
        "private-ipv4-addresses": (),
        "ipv6-addresses": (),
        "security-groups": (),
        "extra-security-groups": (),
        "manage-backend-security-group-rules": _BOOLEAN,
        "disable-nlb-sg": _BOOLEAN,
        "target-node-labels": (),
        "connection-draining-enabled": _BOOLEAN,
        "connection-draining-timeout": (),
        "connection-idle-timeout": (),
        "cross-zone-load-balancing-enabled": _BOOLEAN,
        "healthcheck-protocol": (),
        "healthcheck-port": (),
        "healthcheck-path": (),
        "healthcheck-interval": (),
        "healthcheck-timeout": (),
        "healthcheck-healthy-threshold": (),
        "healthcheck-unhealthy-threshold": (),
        "healthcheck-success-codes": (),
        "multi-cluster-target-group": _BOOLEAN,
        "enable-prefix-for-ipv6-source-nat": ("on", "off"),
        "source-nat-ipv6-prefixes": (),
        "enable-icmp-for-path-mtu-discovery": ("on", "off"),
        "enable-tcp-udp-listener": _BOOLEAN,
        "inbound-sg-rules-on-private-link-traffic": ("on", "off"),
        "security-group-prefix-lists": (),
        "minimum-load-balancer-capacity": (),
        "listener-attributes": (),
    },
    AZURE: {
        "load-balancer-internal": _BOOLEAN,
        "load-balancer-internal-subnet": (),
        "load-balancer-mode": (),
        "load-balancer-configurations": (),
        "load-balancer-resource-group": (),
        "load-balancer-ipv4": (),
        "load-balancer-ipv6": (),
        "load-balancer-tcp-idle-timeout": (),
        "load-balancer-enable-high-availability-ports": _BOOLEAN,
        "load-balancer-disable-tcp-reset": _BOOLEAN,
        "load-balancer-health-probe-protocol": (),
        "load-balancer-health-probe-interval": (),
        "load-balancer-health-probe-num-of-probe": (),
        "load-balancer-health-probe-request-path": (),
        "dns-label-name": (),
        "pip-name": (),
        "pip-name-ipv6": (),
        "pip-prefix-id": (),
        "pip-prefix-id-ipv6": (),
        "pip-tags": (),
        "pip-ip-tags": (),
        "shared-securityrule": _BOOLEAN,
        "allowed-service-tags": (),
        "allowed-ip-ranges": (),
        "additional-public-ips": (),
        "disable-load-balancer-floating-ip": _BOOLEAN,
        "deny-all-except-load-balancer-source-ranges": _BOOLEAN,
        "pls-create": _BOOLEAN,
        "pls-name": (),
        "pls-resource-group": (),
        "pls-ip-configuration-subnet": (),
        "pls-ip-configuration-ip-address-count": (),
        "pls-ip-configuration-ip-address": (),
        "pls-fqdns": (),
        "pls-proxy-protocol": _BOOLEAN,
        "pls-visibility": (),
        "pls-auto-approval": (),
    },
    GOOGLE: {
        "type": ("Internal", "External"),
        "ip-addresses": (),
        "weighting": (),
    },
}
_PORT_PROBE = re.compile(r"port_\d+_.+\Z")
# What makes a load balancer reachable from inside only, and what its value has to be.
_INTERNAL: dict[str, tuple[str, ...]] = {
    f"{AWS}internal": ("true", "0.0.0.0/0"),
    f"{AWS}scheme": ("internal",),
    f"{AZURE}load-balancer-internal": ("true",),
    f"{GOOGLE}type": ("Internal",),
    "cloud.google.com/load-balancer-type": ("Internal",),
    "service.beta.kubernetes.io/openstack-internal-load-balancer": ("true",),
    "service.beta.kubernetes.io/oci-load-balancer-internal": ("true",),
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": ("private",),
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": ("intranet",),
}


def is_internal(key: str, value: str) -> bool:
    """Whether an annotation keeps a load balancer inside the provider's private network."""
    return value in _INTERNAL.get(key, ())


def prefix_of(key: str) -> str | None:
    """The prefix of the table that a key begins with; None if it is no key of a provider in the table."""
    return next((prefix for prefix in _KEYS if key.startswith(prefix)), None)


def is_known(key: str) -> bool:
    """Whether a provider of the table reads the key."""
    prefix = prefix_of(key)
    if prefix is None:
        return False
    end = key.removeprefix(prefix)
    return end in _KEYS[prefix] or (prefix == AZURE and _PORT_PROBE.match(end) is not None)


def allowed_values(key: str) -> tuple[str, ...]:
    """What a known key may say; empty: anything."""
    prefix = prefix_of(key)
    return _KEYS[prefix].get(key.removeprefix(prefix), ()) if prefix is not None else ()


def known_keys() -> tuple[str, ...]:
    """Every key of the table."""
    return tuple(f"{prefix}{end}" for prefix, ends in _KEYS.items() for end in ends)
