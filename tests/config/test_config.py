from pathlib import Path

import pytest

from k8snetlint.cli.init import TEMPLATE
from k8snetlint.config import Configuration, find_configuration, read_configuration
from k8snetlint.diagnostic import Severity
from k8snetlint.rulebook import load
from k8snetlint.settings import (
    ClusterSettings,
    ExternalSettings,
    IgnoreSettings,
    Settings,
    UnitSettings,
    WorkloadSettings,
)

RULEBOOK = load()


def read(tmp_path: Path, text: str, name: str = ".k8snetlint.yaml") -> Configuration:
    (tmp_path / name).write_text(text)
    return read_configuration(name, RULEBOOK, str(tmp_path))


def problems(configuration: Configuration) -> list[str]:
    return [
        f"{each.place.source.position(each.place.span.start).line}:"
        f"{each.place.source.position(each.place.span.start).column}: {each.message}"
        for each in configuration.problems
    ]


FULL = """\
select: [ALL]
extend-select: PORT001
ignore: [SVC005]
pedantic: true
severity: {SVC005: warning}
exclude: [vendor/]
per-path-ignores: {"examples/": [PORT]}
ignores:
  - rule: SVC005
    name: cart
    reason: known
    expires: 2030-01-31
units:
  - {name: shop, paths: [shop/], context: [platform/], namespace: shop}
context: [platform/]
namespace: shop
kube-version: 1.30
cni: calico
cluster:
  pod-cidrs: [10.244.0.0/16, "fd00::/8"]
  node-port-range: 30000-31000
  proxy-mode: ipvs
  mtu: 1400
external:
  namespaces: {monitoring: {team: platform}}
  services: [a/b]
workloads:
  - {group: example.com, kind: Worker, template: spec.template}
intents: [intents.yaml]
render: never
max-file-size: 1MB
rules: {DISC008: {services: 3}}
"""


def test_every_key_fills_its_setting(tmp_path: Path) -> None:
    configuration = read(tmp_path, FULL)
    assert problems(configuration) == []
    (ignore,) = configuration.settings.ignores
    assert ignore.place is not None
    assert ignore.place.source.position(ignore.place.span.start) == (9, 5)
    assert configuration.settings == Settings(
        root=".",
        select=("ALL",),
        extend_select=("PORT001",),
        ignore=("SVC005",),
        pedantic=True,
        severity={"SVC005": Severity.WARNING},
        exclude=("vendor/",),
        per_path_ignores={"examples/": ("PORT",)},
        ignores=(IgnoreSettings(("SVC005",), name="cart", reason="known", expires="2030-01-31", place=ignore.place),),
        units=(UnitSettings("shop", ("shop/",), context=("platform/",), namespace="shop"),),
        context=("platform/",),
        namespace="shop",
        kube_version=(1, 30),
        cni="calico",
        cluster=ClusterSettings(
            pod_cidrs=("10.244.0.0/16", "fd00::/8"), node_port_range=(30000, 31000), proxy_mode="ipvs", mtu=1400
        ),
        external=ExternalSettings(namespaces={"monitoring": {"team": "platform"}}, services=("a/b",)),
        workloads=(WorkloadSettings("example.com", "Worker", "spec.template"),),
        intents=("intents.yaml",),
        render="never",
        max_file_size=1_000_000,
        rule_options={"DISC008": {"services": 3}},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ignroe: [x]\n", "1:1: unknown key `ignroe` in the configuration; did you mean `ignore`?"),
        ("ignores:\n- rule: SVC005\n  kinds: x\n", "3:3: unknown key `kinds` in ignores; did you mean `kind`?"),
        ("cluster:\n  pod_cidrs: []\n", "2:3: unknown key `pod_cidrs` in `cluster`; did you mean `pod-cidrs`?"),
        ("select: {}\n", "1:9: `select` is a mapping where a list is expected"),
        (
            "select: [service-target-port-name-undefind]\n",
            "1:10: there is no rule `service-target-port-name-undefind`; did you mean `service-target-port-name-undefined`?",
        ),
        ("severity: {SVC005: warnign}\n", "1:20: `severity.SVC005` is the string `warnign`; did you mean `warning`?"),
        ("pedantic: 1\n", "1:11: `pedantic` is the integer `1` where true or false is expected"),
        ("namespace: [a]\n", "1:12: `namespace` is a list where a string is expected"),
        ("namespace:\n", "1:11: `namespace` is empty where a string is expected"),
        ("ignores: [{name: x}]\n", "1:11: an entry of `ignores` names no `rule`"),
        (
            "ignores: [{rule: SVC005, expires: 31.1.2030}]\n",
            "1:35: `ignores.expires` is the string `31.1.2030` where a day such as 2027-01-31 is expected",
        ),
        ("units: [{name: a}]\n", "1:9: an entry of `units` needs `name` and `paths`"),
        (
            "units: [{name: a, paths: p}, {name: a, paths: q}]\n",
            "1:37: two entries of `units` have the name `a`",
        ),
        ("cni: clico\n", "1:6: `cni` is the string `clico`; did you mean `calico`?"),
        (
            'kube-version: "2.0"\n',
            "1:15: `kube-version` is the string `2.0` where a Kubernetes version from 1.27 to 1.37 (in quotes) is"
            " expected",
        ),
        (
            "cluster: {pod-cidrs: [10.0.0.0/99]}\n",
            "1:23: `cluster.pod-cidrs` is the string `10.0.0.0/99` where a CIDR such as 10.0.0.0/8 is expected",
        ),
        (
            "cluster: {mtu: 1}\n",
            "1:16: `cluster.mtu` is the integer `1` where an integer from 576 to 65535 is expected",
        ),
        (
            "cluster: {node-port-range: 9-1}\n",
            "1:28: `cluster.node-port-range` is the string `9-1` where a range such as 30000-32767 is expected",
        ),
        ("workloads: [{group: a, kind: b}]\n", "1:13: an entry of `workloads` lacks `template`"),
        ("max-file-size: big\n", "1:16: `max-file-size` is the string `big` where a size such as 64MB is expected"),
        ("rules: {SVC005: {limit: 3}}\n", "1:9: `SVC005` has no options"),
        (
            "rules: {DISC008: {servics: 3}}\n",
            "1:19: unknown key `servics` in rules.DISC008; did you mean `services`?",
        ),
        (
            "rules: {DISC008: {services: many}}\n",
            "1:29: `rules.DISC008.services` is the string `many` where an integer from 1 to 1000000000000 is expected",
        ),
        ("a: 1\na: 2\n", "2:1: key `a` stands twice in one mapping: only the last value counts"),
        ("a: [\n", "1:4: "),
        ("a: 1\n---\nb: 1\n", "3:1: a configuration is one document"),
        ("- a\n", "1:1: `the configuration` is a list where a mapping is expected"),
    ],
)
def test_mistakes_have_positions(tmp_path: Path, text: str, expected: str) -> None:
    (problem,) = problems(read(tmp_path, text))
    assert problem.startswith(expected)


@pytest.mark.parametrize("text", ["", "# nothing\n", TEMPLATE])
def test_an_empty_configuration_is_the_default(tmp_path: Path, text: str) -> None:
    configuration = read(tmp_path, text)
    assert (configuration.problems, configuration.settings) == ((), Settings())


def test_the_template_holds_a_valid_example(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in TEMPLATE.splitlines() if line.startswith("# ")]
    examples = [line for line in lines if ":" in line.split("#")[0] and (line[0].islower() or line[0] == " ")]
    text = "\n".join(examples) + "\n"
    known = RULEBOOK.rules
    for missing, present in (("NP028", "SVC005"), ("PORT009", "PORT001"), ("NP]", "SVC]")):
        if not RULEBOOK.resolve(missing.strip("]")) or missing not in known:
            text = text.replace(missing, present)
    text = text.replace("context: [platform/]       #", "#")
    assert problems(read(tmp_path, text)) == []


def test_pyproject_is_read_with_positions(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.k8snetlint]\nignore = ["SVC005"]\nrendr = "auto"\n\n'
    text += '[tool.k8snetlint.cluster]\nmtu = 1\n[[tool.k8snetlint.ignores]]\nrule = "SVC005"\n'
    configuration = read(tmp_path, text, "pyproject.toml")
    assert problems(configuration) == [
        "6:1: unknown key `rendr` in the configuration; did you mean `render`?",
        "9:1: `cluster.mtu` is the integer `1` where an integer from 576 to 65535 is expected",
    ]
    assert configuration.settings.ignore == ("SVC005",)
    assert configuration.settings.ignores[0].rules == ("SVC005",)
    assert problems(read(tmp_path, "[tool.k8snetlint]\nx = [\n", "pyproject.toml"))[0].startswith("3:1: not TOML: ")


def test_the_nearest_file_upwards_is_found(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/x.yaml").write_text("")
    (tmp_path / "a/pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / ".k8snetlint.yaml").write_text("")
    assert find_configuration("a/b/x.yaml", str(tmp_path)) == ".k8snetlint.yaml"
    assert find_configuration(".", str(tmp_path / "a/b")) == "../../.k8snetlint.yaml"
    (tmp_path / "a/pyproject.toml").write_text("[tool.k8snetlint]\n")
    assert find_configuration("a/b", str(tmp_path)) == "a/pyproject.toml"


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "b").write_bytes(b"\xff")
    for name, message in (
        ("d", "the configuration `d` is a directory"),
        ("n", "the configuration `n` cannot be read: no such file or directory"),
        ("b", "the configuration `b` is not valid UTF-8: byte 0xff at offset 0"),
    ):
        (problem,) = read_configuration(name, RULEBOOK, str(tmp_path)).problems
        assert problem.message == message
