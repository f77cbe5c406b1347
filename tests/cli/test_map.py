"""`map` on the command line: each format, groups, exit codes."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import attrs
import pytest

from k8snetlint.analysis import connectivity, reachability
from k8snetlint.analysis.reachability import Connectivity
from k8snetlint.policy.ir import PolicySet

from .program import k8snetlint, write

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: 7070}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart, namespace: shop}
spec: {defaultBackend: {service: {name: cart, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 7070}, {port: 53, protocol: UDP}]}]
  egress: [{to: [{podSelector: {}}]}, {to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 443}]}]
"""
PORTS = {"TCP": [[7070, 7070]], "UDP": [[53, 53]]}
HTTPS = {"TCP": [[443, 443]]}
ROWS = [
    ("shop/cart[Deployment]", "10.0.0.0-10.0.255.255", HTTPS),
    ("shop/cart[Deployment]", "10.2.0.0-10.255.255.255", HTTPS),
    ("shop/cart[Deployment]", "shop/web[Deployment]", PORTS),
    ("shop/web[Deployment]", "10.0.0.0-10.0.255.255", HTTPS),
    ("shop/web[Deployment]", "10.2.0.0-10.255.255.255", HTTPS),
    ("shop/web[Deployment]", "shop/cart[Deployment]", PORTS),
    ("{ingress-controller}", "shop/cart[Deployment]", {"TCP": [[7070, 7070]]}),
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write(tmp_path, {"shop.yaml": SHOP})
    return tmp_path


def _map(folder: Path, *arguments: str) -> str:
    ran = k8snetlint(folder, "map", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def test_json_is_the_contract(shop: Path) -> None:
    found = json.loads(_map(shop, "-f", "json"))
    del found["version"]
    assert found == {
        "schema": "k8snetlint/connectivity/v1",
        "complete": True,
        "incomplete_because": [],
        "unit": ".",
        "workloads": ["shop/cart[Deployment]", "shop/web[Deployment]"],
        "connections": [
            {"source": source, "destination": destination, "ports": ports} for source, destination, ports in ROWS
        ],
    }


def test_groups_expand_to_the_same_rows(shop: Path) -> None:
    found = json.loads(_map(shop, "-f", "json", "--groups"))
    assert found["schema"] == "k8snetlint/connectivity-groups/v1"
    sets = found["sets"]
    rows = [
        (source, destination, row["ports"])
        for row in found["connections"]
        for source in sets[row["sources"]]
        for destination in sets[row["destinations"]]
        if source != destination
    ]
    assert sorted(rows, key=lambda row: row[:2]) == ROWS


def test_text(shop: Path) -> None:
    assert _map(shop) == (
        "shop/cart[Deployment] -> 10.0.0.0-10.0.255.255    TCP 443\n"
        "                      -> 10.2.0.0-10.255.255.255  TCP 443\n"
        "                      -> shop/web[Deployment]     TCP 7070; UDP 53\n"
        "shop/web[Deployment]  -> 10.0.0.0-10.0.255.255    TCP 443\n"
        "                      -> 10.2.0.0-10.255.255.255  TCP 443\n"
        "                      -> shop/cart[Deployment]    TCP 7070; UDP 53\n"
        "{ingress-controller}  -> shop/cart[Deployment]    TCP 7070\n"
    )


def test_text_groups_equal_workloads_where_there_are_many(tmp_path: Path) -> None:
    pods = "".join(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{n:02}, labels: {{n: '{n}'}}}}\nspec: {{containers: []}}\n---\n"
        for n in range(51)
    )
    write(tmp_path, {"pods.yaml": pods})
    out = _map(tmp_path)
    assert out.splitlines()[1:] == [
        "",
        "[1] 51 workloads",
        "  -> [1] 51 workloads         all",
        "  -> 0.0.0.0-255.255.255.255  all",
        "0.0.0.0-255.255.255.255",
        "  -> [1] 51 workloads  all",
    ]
    assert out.splitlines()[0].endswith("default/p11[Pod] and 39 more")
    assert len(_map(tmp_path, "-f", "csv").splitlines()) == 1 + 51 * 50 + 2 * 51


def test_csv_and_markdown(shop: Path) -> None:
    head, *rows = csv.reader(_map(shop, "-f", "csv").splitlines())
    assert head == ["source", "destination", "ports"]
    assert [tuple(row[:2]) for row in rows] == [row[:2] for row in ROWS]
    assert rows[2][2] == "TCP 7070; UDP 53"
    markdown = _map(shop, "-f", "markdown").splitlines()
    assert markdown[2] == "| `shop/cart[Deployment]` | `10.0.0.0-10.0.255.255` | TCP 443 |"
    assert len(markdown) == 2 + len(ROWS)


def test_pictures(shop: Path) -> None:
    dot = _map(shop, "-f", "dot")
    assert '    n0 [label="cart[Deployment]"];\n    n1 [label="web[Deployment]"];\n  }\n' in dot
    assert '  n0 -> n1 [label="TCP 7070; UDP 53", dir=both];\n' in dot
    assert '  n4 -> n0 [label="TCP 7070", color="#b5762a"];\n' in dot
    mermaid = _map(shop, "-f", "mermaid")
    assert '  n4(["{ingress-controller}"])\n' in mermaid
    assert '  n0 <-->|"TCP 7070; UDP 53"| n1\n' in mermaid


def test_svg_needs_graphviz(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("dot") is not None:
        assert "</svg>" in _map(shop, "-f", "svg")
    monkeypatch.setenv("PATH", str(shop))
    ran = k8snetlint(shop, "map", "-f", "svg")
    assert ran.code == 2
    assert "its program `dot` is not installed" in ran.err


def test_hostile_names_steer_nothing(tmp_path: Path) -> None:
    name = r'"=\u001b[31m|\"<b>"'
    write(tmp_path, {"pod.yaml": f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: []}}\n"})
    assert "\x1b" not in _map(tmp_path)
    assert r'label="=\\x1b[31m|\"<b>[Pod]"' in _map(tmp_path, "-f", "dot")
    assert "=#" not in _map(tmp_path, "-f", "mermaid")
    assert "#quot;#lt;b#gt;" in _map(tmp_path, "-f", "mermaid")
    json.loads(_map(tmp_path, "-f", "json"))


def test_what_was_not_analysed_is_said(shop: Path) -> None:
    write(shop, {"broken.yaml": "kind: [\n"})
    found = json.loads(_map(shop, "-f", "json"))
    assert found["complete"] is False
    assert [reason["location"]["path"] for reason in found["incomplete_because"]] == ["broken.yaml"]
    assert "not everything was analysed:\n  broken.yaml:" in _map(shop)


def test_exit_codes(tmp_path: Path) -> None:
    assert k8snetlint(tmp_path, "map").code == 3
    assert k8snetlint(tmp_path, "map", "--allow-empty").out == "there are no workloads\n"
    assert k8snetlint(tmp_path, "map", "nowhere").code == 2
    assert k8snetlint(tmp_path, "map", "--groups", "-f", "dot").code == 2


def test_focus_and_direction(shop: Path) -> None:
    def pairs(*arguments: str) -> list[tuple[str, str]]:
        found = json.loads(_map(shop, "-f", "json", *arguments))
        return [(row["source"], row["destination"]) for row in found["connections"]]

    everything = [row[:2] for row in ROWS]
    assert pairs("--focus", "shop/web[Deployment]") == [row for row in everything if "shop/web[Deployment]" in row]
    assert pairs("--focus", "svc:shop/cart", "--direction", "ingress") == [
        row for row in everything if row[1] == "shop/cart[Deployment]"
    ]
    assert pairs("--focus", "10.3.0.0/24") == [row for row in everything if row[1].startswith("10.2.")]
    assert pairs("--focus", "{ingress-controller}") == everything[-1:]
    assert k8snetlint(shop, "map", "--focus", "shop/none").code == 2
    assert k8snetlint(shop, "map", "--direction", "ingress").code == 2


def test_explain_names_what_decides_each_part_of_a_pair(shop: Path) -> None:
    text = _map(shop, "--explain", "--focus", "{ingress-controller}")
    assert text == (
        "{ingress-controller} -> shop/cart[Deployment]\n"
        "  allowed TCP 7070; UDP 53: ingress by NetworkPolicy shop/all (shop.yaml:27)\n"
        "  denied  TCP 1-7069,7071-65535; UDP 1-52,54-65535; SCTP all: ingress by NetworkPolicy shop/all (shop.yaml:25)\n"
    )
    found = json.loads(_map(shop, "--explain", "-f", "json"))
    deciding = found["connections"][-2]["deciding"]
    assert [(each["stage"], each["action"], each["location"]["line"]) for each in deciding] == [
        ("egress", "allow", 28),
        ("ingress", "allow", 27),
    ]


def test_workloads_without_a_name_are_explained_too(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\nspec: {containers: [{name: a, image: a}]}\n"
    write(tmp_path, {"a.yaml": f"{pod}---\n{pod}---\n{pod.replace('labels', 'name: b, labels')}"})
    ran = k8snetlint(tmp_path, "map", "a.yaml", "--explain", "-f", "json", "--focus", "default/b")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert found["workloads"] == ["default/[Pod]", "default/b[Pod]"]


def test_exposure(shop: Path) -> None:
    found = json.loads(_map(shop, "--exposure", "-f", "json"))["exposure"]
    assert [each for each in found if each["workload"].startswith("shop/cart")] == [
        {
            "workload": "shop/cart[Deployment]",
            "direction": "ingress",
            "namespaceLabels": {},
            "podLabels": {},
            "namespaceExpressions": [],
            "podExpressions": [],
            "ports": PORTS,
        },
        {
            "workload": "shop/cart[Deployment]",
            "direction": "egress",
            "namespaceLabels": {"kubernetes.io/metadata.name": "shop"},
            "podLabels": {},
            "namespaceExpressions": [],
            "podExpressions": [],
            "ports": PORTS,
        },
    ]
    assert "shop/cart[Deployment] <- any pod  TCP 7070; UDP 53" in _map(shop, "--exposure")


def test_requirements(shop: Path) -> None:
    (needed,) = json.loads(_map(shop, "--requirements", "-f", "json"))["requirements"]
    assert needed["origin"]["line"] == 19
    del needed["origin"]
    assert needed == {
        "source": "{ingress-controller}",
        "destination": "svc:shop/cart:80",
        "ports": {"TCP": [[7070, 7070]]},
        "confidence": "high",
        "allowed": True,
    }


def test_the_solver_proves_the_map(shop: Path) -> None:
    assert _map(shop, "--engine", "z3") == _map(shop)


def test_the_solver_refutes_a_wrong_map(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = reachability.connectivity

    def wrong(policies: PolicySet) -> Connectivity:
        found = right(policies)
        return attrs.evolve(found, groups=found.groups[1:])

    monkeypatch.setattr(connectivity, "connectivity", wrong)
    ran = k8snetlint(shop, "map", "--isolated", "--engine", "z3")
    assert ran.code == 3
    assert ran.out == ""
    assert re.match(
        r"k8snetlint \S+ failed inside: AssertionError: the map is wrong about \S+ -> \S+ (TCP|UDP|SCTP)/\d+:"
        " the policies allow it",
        ran.err,
    )


def _teams(ingress: str) -> str:
    """Four namespaces of 14 equal workloads that keep to themselves, and one workload that they may reach."""
    documents = []
    for team in ("a", "b", "c", "d"):
        for number in range(14):
            spec = "{template: {metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: i}]}}}"
            head = f"{{name: w{number}, namespace: {team}}}"
            documents.append(f"{{apiVersion: apps/v1, kind: Deployment, metadata: {head}, spec: {spec}}}")
        documents.append(_policy(team, "[{from: [{podSelector: {}}]}]"))
    hub = "{name: hub, namespace: hub, labels: {app: hub}}"
    documents.append(f"{{apiVersion: v1, kind: Pod, metadata: {hub}, spec: {{containers: [{{name: c, image: i}}]}}}}")
    documents.append(_policy("hub", ingress))
    return "\n---\n".join(documents)


def _policy(namespace: str, ingress: str) -> str:
    metadata = f"{{name: own, namespace: {namespace}}}"
    spec = f"{{podSelector: {{}}, ingress: {ingress}}}"
    return f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {metadata}, spec: {spec}}}"


def test_what_all_others_reach_alike_is_drawn_from_one_node(tmp_path: Path) -> None:
    write(tmp_path, {"teams.yaml": _teams("[{ports: [{port: 80}]}]")})
    lines = _map(tmp_path, "-f", "dot").splitlines()
    (everyone,) = (line.split()[0] for line in lines if 'label="everyone"' in line)
    (hub,) = (line.split()[0] for line in lines if 'label="hub[Pod]"' in line)
    assert [line.strip() for line in lines if f"-> {hub} " in line] == [
        f'{everyone} -> {hub} [label="TCP 80", color="#b5762a"];'
    ]


def test_one_node_for_all_is_not_drawn_where_each_has_more(tmp_path: Path) -> None:
    write(tmp_path, {"teams.yaml": _teams("[{from: [{namespaceSelector: {}}]}, {ports: [{port: 80}]}]")})
    lines = _map(tmp_path, "-f", "dot").splitlines()
    (hub,) = (line.split()[0] for line in lines if 'label="hub[Pod]"' in line)
    reaching = [line.partition("[")[2] for line in lines if f"-> {hub} " in line]
    assert reaching == ['label="all"];'] * 4 + ['label="TCP 80", color="#b5762a"];']


def test_the_map_of_what_flux_applies_in_turn(tmp_path: Path) -> None:
    flux = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: NAME}\nspec: {path: PATH}\n"
    )
    begin = flux.replace("NAME", "all").replace("PATH", "./clusters/live/apps")
    write(
        tmp_path,
        {
            "clusters/live/kustomization.yaml": "resources: [all.yaml]\n",
            "clusters/live/all.yaml": begin,
            "clusters/live/apps/shop.yaml": flux.replace("NAME", "shop").replace("PATH", "./shop"),
            "shop/all.yaml": SHOP,
        },
    )
    ran = k8snetlint(tmp_path, "map", "--unit", "clusters/live", "-f", "json")
    found = json.loads(ran.out)
    assert (ran.code, found["unit"]) == (0, "clusters/live")
    assert {"shop/cart[Deployment]", "shop/web[Deployment]"} <= set(found["workloads"])
