"""What hosts, paths, rules and names are, to the checks of Ingresses."""

from __future__ import annotations

import pytest

from k8snetlint.checks.ingress_controllers import group_count, is_glob, is_regex
from k8snetlint.checks.ingress_hosts import covers, host_fault
from k8snetlint.checks.missing_services import near_name
from k8snetlint.checks.nginx_table import TYPE_OF, value_fault
from k8snetlint.checks.traefik import rule_fault


@pytest.mark.parametrize(
    "host", ["shop.example.com", "*.example.com", "localhost", "1.example.com", "xn--bcher-kva.example"]
)
def test_hosts(host: str) -> None:
    assert host_fault(host) is None


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("2001:db8::1", "is an address, not a DNS name"),
        ("a.*.example.com", "may hold `*` only as its whole first label, before a domain"),
        ("*example.com", "may hold `*` only as its whole first label, before a domain"),
        ("http://example.com", "has a scheme"),
        ("example.com:8080", "has a port"),
        ("example.com/shop", "has a path"),
        ("Example.com", "has upper-case letters"),
        ("my_shop", "is no DNS name: labels of lower-case letters, digits and dashes, joined by dots"),
    ],
)
def test_faults_of_hosts(host: str, fault: str) -> None:
    assert host_fault(host) == fault


@pytest.mark.parametrize(
    ("certificate", "host", "is_covered"),
    [
        ("shop.example.com", "Shop.example.com", True),
        ("*.example.com", "shop.example.com", True),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "shopexample.com", False),
        ("shop.example.com", "*.example.com", False),
    ],
)
def test_a_wildcard_covers_one_label(certificate: str, host: str, is_covered: bool) -> None:
    assert covers(certificate, host) is is_covered


@pytest.mark.parametrize(
    ("path", "regex", "glob", "groups"),
    [
        ("/api", False, False, 0),
        ("/api.v1/list_all-items~x", False, False, 0),
        ("/api/*", False, True, 0),
        ("/*", False, True, 0),
        ("/api/.*", True, False, 0),
        ("/api(/|$)(.*)", True, False, 2),
        ("/v[0-9]+/(?:a|b)/(.*)", True, False, 1),
        (r"/a\(b\)/([(])", True, False, 1),
        ("/foo$", True, False, 0),
    ],
)
def test_paths(path: str, regex: bool, glob: bool, groups: int) -> None:
    assert (is_regex(path), is_glob(path), group_count(path)) == (regex, glob, groups)


@pytest.mark.parametrize(
    "rule",
    [
        "Host(`a.example`)",
        'Host("a.example") && !Path("/x")',
        "(Host(`a.example`) || Host(`b.example`)) && PathPrefix(`/it's (here)`)",
        "HostSNI(`*`)",
        "HeadersRegexp(`X-A`, `^a|b$`) && ClientIP(`10.0.0.0/8`)",
        "PathRegexp(`^/a:b$`)",
    ],
)
def test_rules_of_traefik(rule: str) -> None:
    assert rule_fault(rule) is None


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("Host(`a.example)", "a backtick has no partner"),
        ("Host(`a.example`))", "a parenthesis has no partner"),
        ("Host:a.example", "it is written in the form of Traefik 1"),
        ("Host(a.example)", "the value of `Host` stands in neither backticks nor double quotes"),
        ("host(`a.example`)", "there is no matcher `host`; did you mean `Host`?"),
        ("Host(`a.example`) and Path(`/x`)", "conditions are joined by `&&` and `||`"),
        ("Host(`a.example`) & Path(`/x`)", "conditions are joined by `&&` and `||`"),
    ],
)
def test_faults_of_rules_of_traefik(rule: str, fault: str) -> None:
    assert rule_fault(rule) == fault


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("web-svc", ("web", "api"), "web"),
        ("web", ("web-service",), "web-service"),
        ("payments", ("payment", "orders"), "payment"),
        ("web-svc", ("web-svc-2",), None),
        ("orders", ("users",), None),
        ("api", ("app",), None),
    ],
)
def test_near_names(name: str, known: tuple[str, ...], near: str | None) -> None:
    assert near_name(name, known) == near


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("use-regex", "true", None),
        ("use-regex", "yes", "`true` or `false`"),
        ("proxy-buffering", "on", None),
        ("proxy-buffering", "true", "`on` or `off`"),
        ("proxy-read-timeout", "60s", "a whole number without a unit"),
        ("proxy-body-size", "8M", None),
        ("proxy-body-size", "8Mi", "a number with `k`, `m`, `g` or nothing behind it"),
        ("allowlist-source-range", "10.0.0.0/8, 2001:db8::/32", None),
        ("allowlist-source-range", "10.0.0.0/33", "addresses or CIDRs, separated by commas"),
        ("backend-protocol", "https", None),
        ("satisfy", "some", "one of `any`, `all`"),
    ],
)
def test_values_of_annotations(name: str, value: str, wanted: str | None) -> None:
    assert name in TYPE_OF
    assert value_fault(name, value) == wanted
