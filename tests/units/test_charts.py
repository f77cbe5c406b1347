"""Charts with other values than their own: of the configuration, of kustomizations, of Flux and of Argo CD."""

from pathlib import Path

import pytest

from k8snetlint.config import read_configuration
from k8snetlint.rulebook import load
from k8snetlint.settings import UnitSettings
from k8snetlint.source.tree import Node
from k8snetlint.units.assignments import assigned, steps_of, typed
from k8snetlint.units.unit import Found, Unit

from .trees import an_object, found, names, write

CHART = {
    "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "charts/shop/values.yaml": "port: 80\nname: shop\nextra: {}\n",
    "charts/shop/templates/service.yaml": """
        apiVersion: v1
        kind: Service
        metadata:
          name: {{ .Release.Name }}-{{ .Values.name }}
          namespace: {{ .Release.Namespace }}
          labels: {{ toJson .Values.extra }}
        spec:
          ports:
            - port: {{ .Values.port }}
        """,
}


def unit_of(result: Found, name: str) -> Unit:
    return next(unit for unit in result.units if unit.name == name)


def port(unit: Unit) -> tuple[object, str, str, list[str]]:
    """The port of the only Service: its value, the file and text of its place, and the texts that it came by."""
    node = next(document for document in unit.documents if document.root.at("kind").value == "Service").root.at(
        "spec", "ports", 0, "port"
    )
    return node.value, node.source.path, node.place.text, [via.text for via in node.via]


def test_sets_of_values_are_units_of_the_same_chart(tmp_path: Path) -> None:
    files = {
        **CHART,
        "live.yaml": "port: 443\n",
        ".k8snetlint.yaml": """
            units:
              - name: live
                paths: [charts/shop]
                values: [live.yaml]
                release: shop
                namespace: prod
              - name: test
                paths: [charts/shop]
                values: {port: 8080}
            """,
    }
    write(tmp_path, files)
    configuration = read_configuration(str(tmp_path / ".k8snetlint.yaml"), load())
    assert configuration.problems == ()
    units = configuration.settings.units
    result = found(tmp_path, files, ".", units=units)
    assert [(unit.name, unit.type, unit.complete, names(unit)) for unit in result.units] == [
        ("live", "configured", True, ["Service/shop-shop"]),
        ("test", "configured", True, ["Service/release-name-shop"]),
    ]
    live = unit_of(result, "live")
    assert port(live) == (443, "live.yaml", "443", ["{{ .Values.port }}"])
    assert live.namespace == "prod"
    assert live.documents[0].root.at("metadata", "namespace").value == "prod"
    assert port(unit_of(result, "test"))[0::2] == (8080, "8080")


def test_values_that_are_not_there_are_said(tmp_path: Path) -> None:
    units = (UnitSettings("live", ("charts/shop",), values=("none.yaml",)),)
    result = found(tmp_path, CHART, units=units)
    unit = unit_of(result, "live")
    assert [reason.message for reason in unit.incomplete_because] == [
        "the values `none.yaml` are not known: there is no file `none.yaml`"
    ]
    assert port(unit)[0] == 80


def test_a_kustomization_renders_charts_of_its_chart_home(tmp_path: Path) -> None:
    files = {
        **{path.replace("charts/", "app/vendor/"): text for path, text in CHART.items()},
        "app/mine.yaml": "port: 1\nname: file\n",
        "app/kustomization.yaml": """
            namePrefix: my-
            helmGlobals: {chartHome: vendor}
            helmCharts:
              - name: shop
                releaseName: rel
                namespace: live
                valuesFile: mine.yaml
                valuesInline:
                  port: 2
            """,
    }
    result = found(tmp_path, files)
    assert [(unit.name, unit.type, unit.complete, names(unit)) for unit in result.units] == [
        ("app", "kustomization", True, ["Service/my-rel-file"])
    ]
    assert port(result.units[0]) == (2, "app/kustomization.yaml", "2", ["{{ .Values.port }}"])
    assert result.units[0].documents[0].root.at("metadata", "namespace").value == "live"


@pytest.mark.parametrize(("merging", "expected"), [("override", 2), ("merge", 1), ("replace", 2)])
def test_inline_values_of_a_kustomization_stand_over_those_of_files_or_below(
    tmp_path: Path, merging: str, expected: int
) -> None:
    files = {
        **{path.replace("charts/", "app/charts/"): text for path, text in CHART.items()},
        "app/mine.yaml": "port: 1\nname: file\n",
        "app/kustomization.yaml": f"""
            helmCharts:
              - {{name: shop, valuesFile: mine.yaml, valuesInline: {{port: 2}}, valuesMerge: {merging}}}
            """,
    }
    unit = found(tmp_path, files).units[0]
    assert port(unit)[0] == expected
    name = "shop" if merging == "replace" else "file"
    assert names(unit) == [f"Service/release-name-{name}"]


def test_a_chart_that_a_kustomization_would_fetch_is_said(tmp_path: Path) -> None:
    text = "helmCharts:\n  - {name: shop, repo: https://example.com, version: 1.0.0}\n"
    unit = found(tmp_path, {"app/kustomization.yaml": text}).units[0]
    assert [reason.message for reason in unit.incomplete_because] == [
        "the chart `shop` is not there: it is not fetched"
    ]


def test_the_items_of_a_list_are_objects_of_the_chart(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n{{- range until 2 }}\n- {apiVersion: v1, kind: Service, metadata: {name: s{{ . }}}}\n{{- end }}\n"
    files = {**CHART, "charts/shop/templates/service.yaml": text}
    assert names(found(tmp_path, files).units[0]) == ["Service/s0", "Service/s1"]


@pytest.mark.parametrize(
    ("hook", "is_there"), [("pre-install,post-upgrade", True), ("test", False), ("crd-install", False)]
)
def test_what_waits_for_an_event(tmp_path: Path, hook: str, is_there: bool) -> None:
    text = an_object("Service", "x", f"  annotations: {{helm.sh/hook: '{hook}'}}\n")
    files = {**CHART, "charts/shop/templates/service.yaml": text}
    assert names(found(tmp_path, files).units[0]) == (["Service/x"] if is_there else [])


def test_a_key_that_a_template_prints_twice_is_a_note_and_leaves_the_unit_complete(tmp_path: Path) -> None:
    text = an_object("Service", "x", "  labels: {a: b}\n  labels: {a: c}\n")
    result = found(tmp_path, {**CHART, "charts/shop/templates/service.yaml": text})
    assert [(problem.rule, problem.severity.label, problem.message) for problem in result.problems] == [
        (
            "K8S002",
            "note",
            "key `labels` stands twice in a mapping that the template makes: only the last value counts",
        )
    ]
    assert result.units[0].complete


LIBRARY = {
    "charts/common/Chart.yaml": "apiVersion: v2\nname: common\nversion: 1.2.3\ntype: library\n",
    "charts/common/templates/_names.tpl": '{{ define "common.name" }}{{ .Chart.Name }}-x{{ end }}',
}
DEPENDENT = {
    "charts/app/Chart.yaml": """
        apiVersion: v2
        name: app
        version: 1.0.0
        dependencies: [{name: common, version: 1.x.x, repository: "file://../common"}]
        """,
    "charts/app/templates/service.yaml": """
        apiVersion: v1
        kind: Service
        metadata: {name: {{ include "common.name" . }}}
        """,
}


def test_a_dependency_that_is_a_folder_beside_the_chart_is_taken_from_there(tmp_path: Path) -> None:
    result = found(tmp_path, {**LIBRARY, **DEPENDENT})
    assert [(unit.name, unit.complete, names(unit)) for unit in result.units] == [
        ("charts/app", True, ["Service/app-x"]),
        ("charts/common", True, []),
    ]
    name = result.units[0].documents[0].root.at("metadata", "name")
    assert name.source.path == "charts/app/templates/service.yaml"


def test_a_dependency_outside_of_the_given_paths_is_not_read(tmp_path: Path) -> None:
    unit = found(tmp_path, {**LIBRARY, **DEPENDENT}, "charts/app").units[0]
    assert names(unit) == []
    assert unit.incomplete_because[0].message == (
        "subchart `common` 1.x.x is not in charts/: what it makes is not known"
    )


def test_charts_that_depend_on_one_another_end(tmp_path: Path) -> None:
    files = {
        f"charts/{name}/Chart.yaml": f"""
        apiVersion: v2
        name: {name}
        version: 1.0.0
        dependencies: [{{name: {other}, version: 1.0.0, repository: "file://../{other}"}}]
        """
        for name, other in (("a", "b"), ("b", "a"))
    }
    files["charts/a/templates/x.yaml"] = an_object("Service", "x")
    assert [unit.name for unit in found(tmp_path, files).units] == ["charts/a", "charts/b"]


FLUX = """
    apiVersion: helm.toolkit.fluxcd.io/v2
    kind: HelmRelease
    metadata:
      name: shop
      namespace: live
    spec:
      chart:
        spec:
          chart: ./charts/shop
          sourceRef: {kind: GitRepository, name: all}
      valuesFrom:
        - kind: ConfigMap
          name: settings
        - kind: Secret
          name: hidden
      values:
        name: web
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  values.yaml: |\n    port: 8080\n    name: x\n"


def test_a_helm_release_is_a_unit_with_its_values(tmp_path: Path) -> None:
    files = {**CHART, "clusters/live/release.yaml": FLUX, "clusters/live/settings.yaml": SETTINGS}
    result = found(tmp_path, files)
    assert [unit.name for unit in result.units] == [".", ".:HelmRelease/shop", "charts/shop"]
    unit = result.units[1]
    assert (unit.type, unit.namespace, names(unit)) == ("chart", "live", ["Service/shop-web"])
    assert port(unit) == (8080, "clusters/live/settings.yaml", "8080", ["{{ .Values.port }}"])
    assert [reason.message for reason in unit.incomplete_because] == ["the values of Secret `hidden` are not known"]
    assert "clusters/live/release.yaml" in unit.paths
    assert names(result.units[2]) == ["Service/release-name-shop"]


def test_values_files_of_a_helm_release_stand_in_for_the_charts_own(tmp_path: Path) -> None:
    text = FLUX.replace("chart: ./charts/shop", "chart: ./charts/shop\n          valuesFiles: [charts/shop/live.yaml]")
    files = {
        **CHART,
        "charts/shop/live.yaml": "port: 9\n",
        "release.yaml": text.replace("    name: web", "    extra: {a: b}"),
    }
    unit = unit_of(found(tmp_path, files), ".:HelmRelease/shop")
    assert port(unit)[:2] == (9, "charts/shop/live.yaml")
    assert names(unit) == ["Service/shop-"]


def test_post_renderers_of_a_helm_release_are_said(tmp_path: Path) -> None:
    text = FLUX + "      postRenderers: [{kustomize: {patches: []}}]\n"
    unit = unit_of(found(tmp_path, {**CHART, "release.yaml": text}), ".:HelmRelease/shop")
    assert "what `postRenderers` change is not known" in [reason.message for reason in unit.incomplete_because]


def test_a_helm_release_names_a_chart_object_of_the_same_unit(tmp_path: Path) -> None:
    chart = """
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: HelmChart
        metadata: {name: shop-chart, namespace: live}
        spec: {chart: ./charts/shop, sourceRef: {kind: GitRepository, name: all}}
        """
    release = """
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {name: shop, namespace: live}
        spec:
          chartRef: {kind: HelmChart, name: shop-chart}
          targetNamespace: other
          values: {port: 3}
        """
    result = found(tmp_path, {**CHART, "flux/chart.yaml": chart, "flux/release.yaml": release})
    unit = unit_of(result, ".:HelmRelease/shop")
    assert (unit.namespace, names(unit), port(unit)[0]) == ("other", ["Service/other-shop-shop"], 3)


def test_a_helm_release_of_a_chart_repository_is_none_of_this_tree(tmp_path: Path) -> None:
    text = FLUX.replace("GitRepository", "HelmRepository").replace("./charts/shop", "charts/shop")
    result = found(tmp_path, {**CHART, "release.yaml": text})
    assert [unit.name for unit in result.units] == [".", "charts/shop"]


APPLICATION = """
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata:
      name: shop
      namespace: argocd
    spec:
      destination: {namespace: live}
      source:
        path: charts/shop
        helm:
          valueFiles: [values-live.yaml]
          values: |
            name: text
            port: 5
          parameters:
            - name: port
              value: "7070"
            - name: extra.a\\.b
              value: "1"
              forceString: true
"""


def test_an_application_is_a_unit_with_its_values(tmp_path: Path) -> None:
    files = {**CHART, "charts/shop/values-live.yaml": "name: file\n", "apps/shop.yaml": APPLICATION}
    unit = unit_of(found(tmp_path, files), ".:Application/shop")
    assert (unit.namespace, unit.complete, names(unit)) == ("live", True, ["Service/shop-text"])
    assert port(unit) == (7070, "apps/shop.yaml", '"7070"', ["{{ .Values.port }}"])
    assert unit.documents[0].root.at("metadata", "labels").plain() == {"a.b": "1"}


def test_values_as_an_object_go_before_values_as_text(tmp_path: Path) -> None:
    text = APPLICATION.replace("          parameters:", "          valuesObject: {name: object}\n          parameters:")
    unit = unit_of(found(tmp_path, {**CHART, "apps/shop.yaml": text}), ".:Application/shop")
    assert names(unit) == ["Service/shop-object"]
    assert [reason.message for reason in unit.incomplete_because] == [
        "the values `values-live.yaml` are not known: there is no file `charts/shop/values-live.yaml`"
    ]


def test_two_releases_of_one_name_are_two_units(tmp_path: Path) -> None:
    other = APPLICATION.replace("namespace: argocd", "namespace: other")
    result = found(tmp_path, {**CHART, "a/one.yaml": APPLICATION, "b/two.yaml": other})
    assert [unit.name for unit in result.units if "Application" in unit.name] == [
        ".:Application/shop",
        ".:Application/shop+",
    ]


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a.b", ("a", "b")),
        ("a[0].b", ("a", 0, "b")),
        (r"a\.b.c", ("a.b", "c")),
        ("nodeSelector.kubernetes\\.io/role", ("nodeSelector", "kubernetes.io/role")),
    ],
)
def test_paths_of_values(path: str, steps: tuple[str | int, ...]) -> None:
    assert steps_of(path) == steps


@pytest.mark.parametrize("path", ["", "[0]", "a[99999]", "a[x]", "."])
def test_what_is_no_path_of_a_value(path: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        steps_of(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("01", "01"),
        ("-3", -3),
        ("true", True),
        ("null", None),
        ("1.5", "1.5"),
        ("x", "x"),
        ("{a,2}", ["a", 2]),
    ],
)
def test_values_that_are_set_by_a_text(text: str, value: object, tmp_path: Path) -> None:
    from k8snetlint.source.parse import parse
    from k8snetlint.source.text import SourceFile

    leaf = parse(SourceFile("a", f"'{text}'")).documents[0].root
    made = assigned(None, ("a", 1, "b"), typed(leaf))
    assert isinstance(made, Node)
    assert made.plain() == {"a": [None, {"b": value}]}


def test_an_object_that_releases_nothing_here(tmp_path: Path) -> None:
    text = an_object("Application", "x", "spec: {source: {path: none}}\n", "argoproj.io/v1alpha1")
    assert [unit.name for unit in found(tmp_path, {**CHART, "x.yaml": text}).units] == [".", "charts/shop"]
