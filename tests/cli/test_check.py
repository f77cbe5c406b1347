import json
from pathlib import Path

import pytest

from .program import BROKEN, CLEAN, DEPLOYMENT, SERVICE, k8snetlint, write

ONLY = ("--select", "SVC005")


def test_a_mistake_is_shown_and_exits_1(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    ran = k8snetlint(tmp_path, "check", *ONLY, ".")
    assert ran == (
        1,
        """\
error[SVC005]: no container of the 1 workload it selects declares a port named `htttp`; did you mean `http`?
  --> cart.yaml:27:19
   |
10 |       labels: {app: cart}
   |       ------ selected here
...
27 |       targetPort: htttp
   |                   ^^^^^ no such port name
   |
   = help: name a port that the containers declare, or add `name: htttp` to a container port
   = why: k8snetlint explain SVC005

found 1 error in 1 file; 1 with --fix --unsafe-fixes
""",
        "",
    )


def test_clean_manifests_exit_0(tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    assert k8snetlint(tmp_path, "check", *ONLY) == (0, "no problems found in 1 file\n", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "error"), 1),
        (("--fail-on", "note"), 1),
        (("--fail-on", "never"), 0),
        (("--exit-zero",), 0),
        (("--exit-zero", "nowhere"), 2),
        (("-f", "json"), 1),
        (("-f", "sarif"), 1),
        (("--unit", "shop"), 2),
        (("--kube-version", "1.2"), 2),
        (("--unknown",), 2),
        (("-f", "nothing"), 2),
        (("--ignore", "SVC005"), 0),
    ],
)
def test_exit_codes(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    write(tmp_path, BROKEN)
    assert k8snetlint(tmp_path, "check", *ONLY, *arguments).code == code


def test_nothing_to_analyse_exits_3(tmp_path: Path) -> None:
    message = "nothing to analyse: no Kubernetes manifest was found (--allow-empty accepts that)\n"
    assert k8snetlint(tmp_path, "check") == (3, "no manifests found in 0 files\n", message)
    assert k8snetlint(tmp_path, "check", "--allow-empty") == (0, "no manifests found in 0 files\n", "")
    write(tmp_path, {"a.yaml": "just: yaml\n"})
    assert k8snetlint(tmp_path, "check", "--exit-zero").code == 3


def test_wrong_usage_says_what_is_meant(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    near = "there is no rule `service-target-port-undefined`; did you mean `service-target-port-name-undefined`?"
    assert near in k8snetlint(tmp_path, "check", "--select", "service-target-port-undefined").err
    assert "no such command: `chekc`; did you mean `check`?" in k8snetlint(tmp_path, "chekc").err
    assert (
        "no such command: `cart.yaml`; did you mean `k8snetlint check cart.yaml`?"
        in k8snetlint(tmp_path, "cart.yaml").err
    )
    assert k8snetlint(tmp_path, "check", "--unit", "..").err == "Error: there is no unit `..`; did you mean `.`?\n"


def test_formats_and_outputs_go_in_pairs(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    ran = k8snetlint(tmp_path, "check", *ONLY, "-f", "concise", "-f", "json", "-o", "out/r.json")
    assert ran.code == 2
    assert "`out/r.json` cannot be written: no such file or directory" in ran.err
    ran = k8snetlint(tmp_path, "check", *ONLY, "-f", "concise", "-f", "json", "-o", "r.json", "-o", "x")
    assert (ran.code, ran.out) == (2, "")
    ran = k8snetlint(tmp_path, "check", *ONLY, "-f", "concise", "-f", "json", "-o", "r.json", "cart.yaml")
    assert ran.out.startswith("cart.yaml:27:19: error[SVC005] no container")
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == "k8snetlint/report/v1"
    assert k8snetlint(tmp_path, "check", "-f", "json", "-f", "text").code == 2
    ran = k8snetlint(tmp_path, "check", *ONLY, "-o", "text.txt", "cart.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert (tmp_path / "text.txt").read_text().startswith("error[SVC005]")


def test_standard_input(tmp_path: Path) -> None:
    text = BROKEN["cart.yaml"].encode()
    ran = k8snetlint(tmp_path, "check", *ONLY, "-f", "concise", "-q", "-", stdin=text)
    assert (ran.code, ran.out.partition(" ")[0]) == (1, "-:27:19:")
    ran = k8snetlint(tmp_path, "check", *ONLY, "-f", "concise", "-q", "-", "--stdin-filename", "a/b.yaml", stdin=text)
    assert (ran.code, ran.out.partition(" ")[0]) == (1, "a/b.yaml:27:19:")


def test_context_is_not_reported_on(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/cart.yaml": CLEAN["cart.yaml"],
            "shared/a.yaml": "# k8snetlint: ignore-file[SVC005] known\n" + SERVICE.replace("cart", "web"),
            "shared/b.yaml": "a: [\n",
            "shared/c.yaml": "metadata: {name: a, name: b}\n",
            "shared/d/kustomization.yaml": "resources: [gone.yaml]\n",
        },
    )
    (tmp_path / "shared/e.yaml").symlink_to("nowhere")
    ran = k8snetlint(tmp_path, "check", "shop", "--context", "shared", "-f", "concise", "-q")
    assert (ran.code, ran.out) == (0, "")
    assert k8snetlint(tmp_path, "check", "shop", "shared", "-f", "concise", "-q").out.count("\n") == 5


def test_an_ignore_of_what_is_not_shown_is_of_use(tmp_path: Path) -> None:
    write(tmp_path, {"cart.yaml": DEPLOYMENT + "---\n" + SERVICE.replace("htttp", "http") + "  type: NodePort\n"})
    pedantic = ("check", "--extend-select", "SVC024", "-f", "concise", "-q")
    assert "note[SVC024]" in k8snetlint(tmp_path, *pedantic, "--pedantic").out
    write(
        tmp_path,
        {
            "cart.yaml": DEPLOYMENT
            + "---\n"
            + SERVICE.replace("htttp", "http")
            + "  type: NodePort # k8snetlint: ignore[SVC024] known\n"
        },
    )
    assert k8snetlint(tmp_path, *pedantic).out == ""


def test_what_does_not_parse_is_said_whatever_is_selected(tmp_path: Path) -> None:
    write(tmp_path, {**CLEAN, "broken.yaml": "a: [\n"})
    ran = k8snetlint(tmp_path, "check", "--select", "SVC005", "-f", "concise")
    assert ran.code == 1
    assert "broken.yaml:1:4: error[K8S001]" in ran.out
    assert k8snetlint(tmp_path, "check", "--select", "SVC005", "--ignore", "K8S001").code == 0
