"""What units lack is said once for all that the same units lack."""

from pathlib import Path

from k8snetlint.units.unit import UnitProblem

from .trees import an_object, found

FILES = {
    "base/kustomization.yaml": "resources: [web.yaml, gone.yaml, 'https://example.org/base?ref=1']\n",
    "base/web.yaml": an_object("Service", "web", "spec: {ports: [{port: 80}]}\n"),
    "one/kustomization.yaml": "resources: [../base]\n",
    "two/kustomization.yaml": "resources: [../base, a.yaml, b.yaml]\n",
    "whole/kustomization.yaml": "resources: [x.yaml]\n",
    "whole/x.yaml": an_object("Service", "x", "spec: {ports: [{port: 80}]}\n"),
}


def said(problem: UnitProblem) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    return problem.place.text, problem.message, problem.notes, problem.units


def test_one_note_for_each_set_of_units(tmp_path: Path) -> None:
    result = found(tmp_path, FILES)
    assert [problem.rule for problem in result.problems] == ["TOOL002", "TOOL002"]
    assert [said(problem) for problem in result.problems] == [
        (
            "gone.yaml",
            "there is no file `base/gone.yaml`, and 1 more part of 2 units cannot be analysed",
            ("base/kustomization.yaml:1:34: the remote base `https://example.org/base?ref=1` is not fetched",),
            ("one", "two"),
        ),
        (
            "a.yaml",
            "there is no file `two/a.yaml`, and 1 more part of `two` cannot be analysed",
            ("two/kustomization.yaml:1:30: there is no file `two/b.yaml`",),
            ("two",),
        ),
    ]


def test_notes_list_a_few_and_count_the_rest(tmp_path: Path) -> None:
    names = ", ".join(f"f{number:02}.yaml" for number in range(13))
    (problem,) = found(tmp_path, {"one/kustomization.yaml": f"resources: [{names}]\n"}).problems
    assert problem.message == "there is no file `one/f00.yaml`, and 12 more parts of `one` cannot be analysed"
    assert problem.notes[0] == "one/kustomization.yaml:1:23: there is no file `one/f01.yaml`"
    assert problem.notes[9:] == (
        "one/kustomization.yaml:1:113: there is no file `one/f10.yaml`",
        "and 2 more: `k8snetlint units --verbose` lists them",
    )


def test_what_one_unit_lacks_alone_is_said_as_it_is(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, {"one/kustomization.yaml": "resources: [gone.yaml]\n"}).problems
    assert said(problem) == ("gone.yaml", "there is no file `one/gone.yaml`", (), ("one",))
