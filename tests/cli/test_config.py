import json
from pathlib import Path

from .program import BROKEN, k8snetlint, write


def test_the_configuration_is_used_and_overridden(tmp_path: Path) -> None:
    write(tmp_path, {**BROKEN, ".k8snetlint.yaml": "select: [SVC005]\nseverity:\n  SVC005: note\n"})
    assert k8snetlint(tmp_path, "check", "-q", "-f", "concise").out.startswith("cart.yaml:27:19: note[SVC005]")
    assert k8snetlint(tmp_path, "check").code == 0
    assert k8snetlint(tmp_path, "check", "--isolated").code == 1
    assert k8snetlint(tmp_path, "check", "--select", "PORT001", "-q", "-f", "concise").out == ""


def test_a_wrong_configuration_is_shown_and_exits_2(tmp_path: Path) -> None:
    write(tmp_path, {**BROKEN, ".k8snetlint.yaml": "exclude: []\nignroe: []\n"})
    assert k8snetlint(tmp_path, "check") == (
        2,
        "",
        """\
Error: unknown key `ignroe` in the configuration; did you mean `ignore`?
 --> .k8snetlint.yaml:2:1
  |
2 | ignroe: []
  | ^^^^^^
  |
""",
    )
    assert k8snetlint(tmp_path, "check", "--isolated").code == 1
    assert k8snetlint(tmp_path, "check", "--config", ".").err == (
        "Error: the configuration `.` is a directory\n   = help: name a file\n"
    )


def test_paths_of_the_configuration_are_relative_to_its_folder(tmp_path: Path) -> None:
    configuration = "select: [SVC005]\nexclude: [/shop/cart.yaml]\n"
    write(tmp_path, {"a/shop/cart.yaml": BROKEN["cart.yaml"], "a/.k8snetlint.yaml": configuration})
    assert k8snetlint(tmp_path, "check", "a").code == 3
    assert k8snetlint(tmp_path / "a/shop", "check").code == 3
    assert k8snetlint(tmp_path, "check", "a/shop/cart.yaml").code == 1


def test_init_writes_what_check_accepts(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    assert k8snetlint(tmp_path, "init") == (0, "", "wrote .k8snetlint.yaml\n")
    assert k8snetlint(tmp_path, "check", "--select", "SVC005").code == 1
    assert k8snetlint(tmp_path, "init") == (2, "", "Error: `.k8snetlint.yaml` is there already; --force replaces it\n")


def test_config_says_where_values_come_from(tmp_path: Path) -> None:
    write(tmp_path, {".k8snetlint.yaml": 'namespace: shop\nkube-version: "1.30"\nignores:\n- rule: SVC005\n'})
    ran = k8snetlint(tmp_path, "config", "-f", "json", "--kube-version", "1.31")
    values = json.loads(ran.out)["values"]
    assert values["namespace"] == {"value": "shop", "origin": ".k8snetlint.yaml:1"}
    assert values["kube-version"] == {"value": "1.31", "origin": "command line"}
    assert values["render"] == {"value": "auto", "origin": "default"}
    assert values["ignores"]["value"] == [{"rule": ["SVC005"]}]


def test_what_config_prints_is_a_configuration(tmp_path: Path) -> None:
    write(tmp_path, {".k8snetlint.yaml": "namespace: shop\ncluster: {mtu: 1400}\nexternal: {namespaces: [a]}\n"})
    first = k8snetlint(tmp_path, "config").out
    write(tmp_path, {".k8snetlint.yaml": first})
    ran = k8snetlint(tmp_path, "config")
    assert ran.code == 0
    assert [line.split("  # ")[0] for line in ran.out.splitlines()] == [
        line.split("  # ")[0] for line in first.splitlines()
    ]
