from pathlib import Path

from .program import BROKEN, k8snetlint, write

CHECK = ("check", "--select", "SVC005", "-f", "concise", "-q")


def test_variables_answer_placeholders(tmp_path: Path) -> None:
    text = BROKEN["cart.yaml"].replace("htttp", "${PORT}")
    write(
        tmp_path, {"cart.yaml": text, "good": "# ports\nPORT=http\n", "bad": 'export PORT="web"\n', "wrong": "PORT\n"}
    )
    assert k8snetlint(tmp_path, *CHECK, "cart.yaml") == (0, "", "")
    assert k8snetlint(tmp_path, *CHECK, "--vars", "good", "cart.yaml") == (0, "", "")
    ran = k8snetlint(tmp_path, *CHECK, "--vars", "bad", "cart.yaml")
    assert ran.out == (
        "cart.yaml:27:19: error[SVC005] no container of the 1 workload it selects declares a port named `web`;"
        " they declare `http`\n"
    )
    ran = k8snetlint(tmp_path, *CHECK, "--vars", "wrong", "cart.yaml")
    assert (ran.code, ran.err) == (2, "Error: wrong:1: a line here is NAME=value\n")
