from pathlib import Path

from k8snetlint.settings import UnitSettings

from .trees import an_object, found, names


def test_all_plain_files_are_one_unit(tmp_path: Path) -> None:
    result = found(tmp_path, {"a/x.yaml": an_object("Service", "x"), "b/y.yaml": an_object("Service", "z")})
    assert [(unit.name, unit.type, unit.complete, names(unit)) for unit in result.units] == [
        (".", "plain", True, ["Service/x", "Service/z"])
    ]
    assert result.units[0].paths == ("a/x.yaml", "b/y.yaml")


def test_a_plain_unit_is_named_after_its_path(tmp_path: Path) -> None:
    files = {"a/x.yaml": an_object("Service", "x"), "b/y.yaml": an_object("Service", "z")}
    assert [unit.name for unit in found(tmp_path, files, "a").units] == ["a"]
    assert [unit.name for unit in found(tmp_path, files, "a/x.yaml").units] == ["a"]
    assert [unit.name for unit in found(tmp_path, files, "a", "b").units] == ["."]


def test_kustomizations_nobody_refers_to_are_units(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [service.yaml]\n",
            "base/service.yaml": an_object("Service", "x"),
            "overlays/dev/kustomization.yaml": "resources: [../../base]\n",
            "overlays/live/kustomization.yml": "resources: [../../base]\n",
            "other/z.yaml": an_object("Service", "z"),
        },
    )
    assert [(unit.name, unit.type) for unit in result.units] == [
        (".", "plain"),
        ("overlays/dev", "kustomization"),
        ("overlays/live", "kustomization"),
    ]
    assert names(result.units[0]) == ["Service/z"]


def test_the_kustomization_of_flux_is_a_manifest(tmp_path: Path) -> None:
    text = an_object("Kustomization", "apps", api_version="kustomize.toolkit.fluxcd.io/v1")
    result = found(tmp_path, {"flux/kustomization.yaml": text})
    assert [(unit.name, unit.type, names(unit)) for unit in result.units] == [(".", "plain", ["Kustomization/apps"])]


def test_files_that_declare_an_object_differently_are_alternatives(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "app/one.yaml": an_object("Service", "web", "spec: {ports: [{port: 1}]}\n"),
            "app/two.yaml": an_object("Service", "web", "spec: {ports: [{port: 2}]}\n"),
            "app/shared.yaml": an_object("ConfigMap", "settings"),
            "other/x.yaml": an_object("Service", "x"),
        },
    )
    assert [(unit.name, unit.type, names(unit)) for unit in result.units] == [
        (".", "plain", ["Service/x"]),
        ("app:one.yaml", "alternative", ["Service/web", "ConfigMap/settings"]),
        ("app:two.yaml", "alternative", ["ConfigMap/settings", "Service/web"]),
    ]


def test_copies_namespaces_and_repetitions_in_a_file_are_no_alternatives(tmp_path: Path) -> None:
    service = an_object("Service", "web", "spec: {ports: [{port: 1}]}\n")
    result = found(
        tmp_path,
        {
            "one.yaml": service + "---\n" + an_object("Namespace", "shop"),
            "two.yaml": "# a copy\n" + service + "---\n" + an_object("Namespace", "shop", "  labels: {a: b}\n"),
            "three.yaml": an_object("ConfigMap", "c") + "---\n" + an_object("ConfigMap", "c", "data: {a: b}\n"),
            "four.yaml": an_object("Service", "web", "spec: {}\n", "serving.knative.dev/v1"),
        },
    )
    assert [(unit.name, unit.type, len(unit.documents)) for unit in result.units] == [(".", "plain", 7)]


def test_one_unit_takes_everything_as_one_cluster(tmp_path: Path) -> None:
    files = {
        "app/one.yaml": an_object("Service", "web", "spec: {ports: [{port: 1}]}\n"),
        "app/two.yaml": an_object("Service", "web", "spec: {ports: [{port: 2}]}\n"),
        "app/shared.yaml": an_object("ConfigMap", "settings"),
    }
    result = found(tmp_path, files, one_unit=True)
    assert [(unit.name, names(unit)) for unit in result.units] == [
        ("all", ["Service/web", "ConfigMap/settings", "Service/web"])
    ]


def test_a_unit_can_be_asked_for(tmp_path: Path) -> None:
    files = {
        "app/one.yaml": an_object("Service", "web", "spec: {ports: [{port: 1}]}\n"),
        "app/two.yaml": an_object("Service", "web", "spec: {ports: [{port: 2}]}\n"),
    }
    result = found(tmp_path, files, unit="app:two.yaml")
    assert [unit.name for unit in result.units] == ["app:two.yaml"]
    assert result.names == ("app:one.yaml", "app:two.yaml")
    assert found(tmp_path, files, unit="nothing").units == ()


def test_configured_units_and_context(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "shop/web.yaml": an_object("Service", "web"),
            "shared/ns.yaml": an_object("Namespace", "shop"),
            "rest/x.yaml": an_object("Service", "x"),
            "cluster/crd.yaml": an_object("ConfigMap", "everywhere"),
        },
        units=(UnitSettings("the-shop", ("shop",), ("shared",), namespace="shop"),),
        context=("cluster",),
    )
    shop = result.units[1]
    assert (shop.name, shop.type, names(shop), shop.namespace) == ("the-shop", "configured", ["Service/web"], "shop")
    assert [document.root.at("metadata", "name").value for document in shop.context] == ["shop", "everywhere"]
    rest = result.units[0]
    assert (rest.name, names(rest)) == (".", ["Service/x", "Namespace/shop"])
    assert [document.root.at("metadata", "name").value for document in rest.context] == ["everywhere"]


def test_a_broken_document_makes_the_unit_incomplete(tmp_path: Path) -> None:
    result = found(tmp_path, {"x.yaml": an_object("Service", "a") + "---\na: [\n---\n" + an_object("Service", "b")})
    unit = result.units[0]
    assert (names(unit), unit.complete) == (["Service/a", "Service/b"], False)
    assert [reason.message for reason in unit.incomplete_because] == ["`x.yaml` cannot be parsed"]
    assert [problem.rule for problem in result.problems] == ["K8S001"]


def test_template_text_is_said_and_no_syntax_error(tmp_path: Path) -> None:
    result = found(tmp_path, {"x.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}-x\n"})
    assert [(problem.rule, problem.message) for problem in result.problems] == [
        ("TOOL002", "`x.yaml` holds template text: this document is not analysed")
    ]
    assert result.problems[0].place.text == "{{"
    assert result.units[0].complete is False


def test_every_file_is_accounted_for(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "values.yaml": "replicas: 1\n",
            "empty.yaml": "# nothing\n",
            "patch.yaml": "- {op: remove, path: /spec}\n",
            "secret.yaml": "a: ENC[x]\nsops:\n  mac: ENC[y]\n",
            "kustom/kustomization.yaml": "resources: [x.yaml]\n",
            "kustom/x.yaml": an_object("Service", "x"),
            "kustom/unused.yaml": an_object("Service", "unused"),
            "chart/Chart.yaml": "name: c\nversion: 1.0.0\n",
            "chart/values.yaml": "a: 1\n",
            "chart/templates/x.yaml": "{{ if .Values.a }}\n",
        },
    )
    assert {skipped.source.path: skipped.what for skipped in result.skipped} == {
        "values.yaml": "not a Kubernetes manifest",
        "empty.yaml": "empty",
        "patch.yaml": "JSON patch",
        "secret.yaml": "encrypted by SOPS",
        "kustom/unused.yaml": "beside a kustomization that does not refer to it",
        "chart/Chart.yaml": "the description of a chart",
        "chart/values.yaml": "values of a chart",
        "chart/templates/x.yaml": "template of a chart",
    }


def test_lists_are_their_items(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "list.yaml": """
                apiVersion: v1
                kind: List
                items:
                - {apiVersion: v1, kind: Service, metadata: {name: a}}
                - {apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: b}}]}
                """
        },
    )
    assert names(result.units[0]) == ["Service/a", "ConfigMap/b"]
    item = result.units[0].documents[1].root
    assert item.at("apiVersion").value == "v1"
    assert item.at("kind").place.text == "ConfigMapList"


def test_openshift_templates_are_their_objects(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "template.yaml": """
                apiVersion: template.openshift.io/v1
                kind: Template
                metadata: {name: t}
                objects:
                - apiVersion: v1
                  kind: Service
                  metadata: {name: "${NAME}-${MODE}"}
                  spec: {ports: [{port: "${{PORT}}"}]}
                parameters:
                - {name: NAME, value: web}
                - {name: PORT, value: "8080"}
                - {name: MODE}
                """
        },
    )
    root = result.units[0].documents[0].root
    assert root.at("metadata", "name").value == "web-${MODE}"
    assert [place.text for place in root.at("metadata", "name").via] == ["web"]
    assert root.at("spec", "ports", 0, "port").value == 8080


def test_charts_of_controllers_make_their_namespace_opaque(tmp_path: Path) -> None:
    text = an_object("HelmRelease", "web", "  namespace: shop\n", "helm.toolkit.fluxcd.io/v2")
    unit = found(tmp_path, {"x.yaml": text}).units[0]
    assert unit.opaque_namespaces == {"shop"}
    assert [reason.message for reason in unit.incomplete_because] == [
        "HelmRelease `web` makes objects in namespace `shop` that cannot be seen here"
    ]


def test_kinds_of_workloads_with_one_name_are_alternatives(tmp_path: Path) -> None:
    files = {
        "web/daemonset.yaml": an_object("DaemonSet", "web", api_version="apps/v1"),
        "web/deployment.yaml": an_object("Deployment", "web", api_version="apps/v1"),
        "web/job.yaml": an_object("Job", "web", api_version="batch/v1"),
    }
    assert [(unit.name, names(unit)) for unit in found(tmp_path, files).units] == [
        ("web:daemonset.yaml", ["DaemonSet/web", "Job/web"]),
        ("web:deployment.yaml", ["Deployment/web", "Job/web"]),
    ]


def test_a_release_leaves_other_namespaces_complete(tmp_path: Path) -> None:
    release = an_object("HelmRelease", "web", "  namespace: shop\n", "helm.toolkit.fluxcd.io/v2")
    unit = found(tmp_path, {"x.yaml": release + "---\n" + an_object("Service", "db", "  namespace: data\n")}).units[0]
    assert not unit.complete
    assert [unit.is_complete_in(name) for name in ("shop", "data", None)] == [False, True, True]
    assert [unit.is_complete_in("data", name) for name in ("shop", "data")] == [False, True]
    broken = found(tmp_path, {"y.yaml": "a: [\n"}).units[0]
    assert not broken.is_complete_in("data")
    anywhere = found(tmp_path, {"y.yaml": "", "x.yaml": release.replace("shop", "${NS}")}).units[0]
    assert not anywhere.is_complete_in("data")


def test_a_whole_unit_is_complete_in_every_namespace(tmp_path: Path) -> None:
    (unit,) = found(tmp_path, {"x.yaml": an_object("Service", "db")}).units
    assert unit.is_complete_in("data", None)
