"""Folders that Flux and Argo CD apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8snetlint.source.tree import Node
from k8snetlint.units.unit import Found, Unit

from .trees import an_object, found, names


def flux(name: str, path: str, extra: str = "", namespace: str = "flux-system") -> str:
    """A Kustomization of Flux; `extra` are more lines of its spec."""
    return (
        f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  path: {path}\n{extra}"
    )


def argo(name: str, source: str, namespace: str = "shop") -> str:
    """An Application of Argo CD."""
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\n"
        f"spec:\n  destination: {{namespace: {namespace}}}\n  source: {source}\n"
    )


SERVICE = an_object("Service", "web", "spec: {ports: [{port: 80}]}\n")
APP = {"apps/web/kustomization.yaml": "resources: [web.yaml]\n", "apps/web/web.yaml": SERVICE}


def shape(result: Found) -> list[tuple[str, str, list[str]]]:
    return [(unit.name, unit.type, names(unit)) for unit in result.units]


def unit_named(result: Found, name: str) -> Unit:
    (unit,) = [unit for unit in result.units if unit.name == name]
    return unit


def reasons(unit: Unit) -> list[str]:
    return [reason.message for reason in unit.incomplete_because]


def origin(node: Node) -> tuple[str, str, list[str]]:
    return node.source.path, node.place.text, [f"{place.source.path}: {place.text}" for place in node.via]


def test_a_path_of_flux_is_a_unit_in_its_target_namespace(tmp_path: Path) -> None:
    result = found(tmp_path, {**APP, "flux/web.yaml": flux("web", "./apps/web", "  targetNamespace: shop\n")})
    assert shape(result) == [
        (".", "plain", ["Kustomization/web"]),
        ("apps/web", "kustomization", ["Service/web"]),
    ]
    unit = unit_named(result, "apps/web")
    assert origin(unit.documents[0].root.at("metadata", "namespace"))[:2] == ("flux/web.yaml", "shop")
    assert unit.paths == ("apps/web/kustomization.yaml", "apps/web/web.yaml", "flux/web.yaml")
    assert unit.complete
    assert unit_named(result, ".").opaque_namespaces == {"shop"}
    # What is a unit of its own is analysed: it is no reason to call this one incomplete.
    assert reasons(unit_named(result, ".")) == []
    assert [unit_named(result, ".").is_complete_in(name) for name in ("shop", "other")] == [False, True]


def test_a_folder_that_several_apply_differently_is_a_unit_for_each(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            **APP,
            "flux/all.yaml": "---\n".join(
                flux(name, "apps/web", f"  targetNamespace: {namespace}\n")
                for name, namespace in (("blue", "a"), ("green", "b"), ("same", "b"))
            ),
        },
    )
    assert [unit.name for unit in result.units] == [".", "apps/web:blue", "apps/web:green"]


def test_flux_goes_through_a_folder_without_a_kustomization(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "apps/web/kustomization.yaml": "resources: [web.yaml]\n",
            "apps/web/web.yaml": SERVICE,
            "apps/web/deeper/not.yaml": an_object("Service", "not"),
            "apps/db/db.yaml": an_object("Service", "db"),
            "apps/notes.yaml": "just: notes\n",
            "elsewhere/x.yaml": an_object("Service", "x"),
            "flux/apps.yaml": flux("apps", "./apps"),
        },
    )
    assert shape(result) == [
        (".", "plain", ["Service/not", "Service/x", "Kustomization/apps"]),
        ("apps", "kustomization", ["Service/web", "Service/db"]),
    ]


def test_what_flux_applies_is_followed_to_what_that_has_applied(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            **APP,
            "clusters/live/apps.yaml": flux(
                "apps",
                "./apps/list",
                "  patches:\n"
                "  - target: {kind: Kustomization}\n"
                "    patch: |\n"
                "      - {op: add, path: /spec/targetNamespace, value: live}\n",
            ),
            "apps/list/kustomization.yaml": "resources: [web-ks.yaml]\n",
            "apps/list/web-ks.yaml": flux("web", "./apps/web"),
        },
    )
    assert shape(result) == [
        (".", "plain", ["Kustomization/apps"]),
        ("apps/list", "kustomization", ["Kustomization/web"]),
        ("apps/web", "kustomization", ["Service/web"]),
    ]
    assert unit_named(result, "apps/web").documents[0].root.at("metadata", "namespace").value == "live"


def test_a_kustomization_that_applies_its_own_folder_is_followed_once(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        {
            "clusters/live/self.yaml": flux("live", "./clusters/live"),
            "clusters/live/web.yaml": SERVICE,
            "clusters/live/pair.yaml": flux("there", "./other"),
            "other/back.yaml": flux("back", "./clusters/live"),
        },
    )
    assert [(unit.name, unit.type) for unit in result.units] == [
        ("clusters/live", "kustomization"),
        ("other", "kustomization"),
    ]


SUBSTITUTED = an_object(
    "Service",
    "${APP}",
    """\
  annotations:
    host: "${APP}.${DOMAIN:=example.org}"
    raw: $${APP}
    gone: ${NOBODY}
    text: "${QUOTE}7${QUOTE}"
spec:
  type: ${TYPE:-ClusterIP}
  ports: [{port: "${PORT}"}]
""",
)


def test_variables_that_flux_puts_in_stand_where_they_are_set(tmp_path: Path) -> None:
    extra = "  postBuild:\n    substitute: {APP: web, PORT: '8080', QUOTE: '\"'}\n"
    files = {
        "apps/web/kustomization.yaml": "resources: [web.yaml]\n",
        "apps/web/web.yaml": SUBSTITUTED,
        "flux/web.yaml": flux("web", "./apps/web", extra),
    }
    (document,) = unit_named(found(tmp_path, files), "apps/web").documents
    root = document.root
    assert root.at("spec", "ports", 0, "port").value == 8080
    assert origin(root.at("spec", "ports", 0, "port")) == (
        "flux/web.yaml",
        "'8080'",
        ['apps/web/web.yaml: "${PORT}"'],
    )
    assert origin(root.at("metadata", "name")) == ("flux/web.yaml", "web", ["apps/web/web.yaml: ${APP}"])
    assert root.at("metadata", "annotations", "host").value == "web.example.org"
    assert origin(root.at("metadata", "annotations", "host")) == (
        "apps/web/web.yaml",
        '"${APP}.${DOMAIN:=example.org}"',
        ["flux/web.yaml: web", 'apps/web/web.yaml: "${APP}.${DOMAIN:=example.org}"'],
    )
    assert root.at("metadata", "annotations", "raw").value == "${APP}"
    assert root.at("metadata", "annotations", "gone").value == "${NOBODY}"
    assert root.at("metadata", "annotations", "text").value == "7"
    assert root.at("spec", "type").value == "ClusterIP"


def test_variables_from_elsewhere_stay_unknown(tmp_path: Path) -> None:
    extra = "  postBuild:\n    substitute: {APP: web}\n    substituteFrom: [{kind: Secret, name: settings}]\n"
    files = {
        "apps/web/kustomization.yaml": "resources: [web.yaml, plain.yaml]\n",
        "apps/web/web.yaml": SUBSTITUTED,
        "apps/web/plain.yaml": an_object(
            "Service", "${APP}-2", "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n"
        ),
        "flux/web.yaml": flux("web", "./apps/web", extra),
    }
    first, second = unit_named(found(tmp_path, files), "apps/web").documents
    assert first.root.at("metadata", "name").value == "web"
    assert first.root.at("spec", "type").value == "${TYPE:-ClusterIP}"
    assert first.root.at("spec", "ports", 0, "port").value == "${PORT}"
    assert second.root.at("metadata", "name").value == "${APP}-2"


def test_other_fields_of_flux_change_what_is_applied(tmp_path: Path) -> None:
    extra = (
        "  namePrefix: live-\n"
        "  commonMetadata: {labels: {team: a}, annotations: {note: b}}\n"
        "  components: [../../components/extra]\n"
    )
    files = {
        **APP,
        "components/extra/kustomization.yaml": "kind: Component\nresources: [more.yaml]\n",
        "components/extra/more.yaml": an_object("ConfigMap", "more"),
        "flux/web.yaml": flux("web", "./apps/web", extra),
    }
    result = found(tmp_path, files)
    # A component that is mixed in is no unit by itself.
    assert [unit.name for unit in result.units] == [".", "apps/web"]
    unit = unit_named(result, "apps/web")
    assert names(unit) == ["Service/live-web", "ConfigMap/live-more"]
    assert unit.documents[0].root.at("metadata").plain() == {
        "name": "live-web",
        "labels": {"team": "a"},
        "annotations": {"note": "b"},
    }


def test_a_folder_of_argo_is_taken_without_those_below_it(tmp_path: Path) -> None:
    files = {
        "apps/web/web.yaml": SERVICE,
        "apps/web/db.yaml": an_object("Service", "db"),
        "apps/web/below/x.yaml": an_object("Service", "x"),
        "argo/flat.yaml": argo("flat", "{path: apps/web}"),
    }
    result = found(tmp_path, files)
    assert shape(result) == [
        (".", "plain", ["Service/x", "Application/flat"]),
        ("apps/web", "plain", ["Service/db", "Service/web"]),
    ]
    assert unit_named(result, "apps/web").namespace == "shop"
    assert unit_named(result, ".").opaque_namespaces == {"shop"}
    deep = found(tmp_path, {"argo/flat.yaml": argo("deep", "{path: apps/web, directory: {recurse: true}}")})
    assert shape(deep)[1] == ("apps/web", "plain", ["Service/x", "Service/db", "Service/web"])
    less = "{path: apps/web, directory: {recurse: true, include: '{*.yaml,*.yml}', exclude: 'd*'}}"
    assert shape(found(tmp_path, {"argo/flat.yaml": argo("less", less)}))[1] == (
        "apps/web",
        "plain",
        ["Service/x", "Service/web"],
    )


def test_a_kustomization_of_argo_takes_its_fields(tmp_path: Path) -> None:
    source = "{path: apps/web, kustomize: {nameSuffix: -live, namespace: other}}"
    unit = unit_named(found(tmp_path, {**APP, "argo/web.yaml": argo("web", source)}), "apps/web")
    assert (unit.type, names(unit), unit.namespace) == ("kustomization", ["Service/web-live"], "shop")
    assert origin(unit.documents[0].root.at("metadata", "namespace"))[:2] == ("argo/web.yaml", "other")


def test_every_source_of_an_application_is_a_unit(tmp_path: Path) -> None:
    text = argo("both", "{path: ignored}").replace(
        "  source: {path: ignored}\n", "  sources: [{path: apps/web}, {path: apps/db}, {chart: remote}]\n"
    )
    result = found(tmp_path, {**APP, "apps/db/db.yaml": an_object("Service", "db"), "argo/both.yaml": text})
    assert [unit.name for unit in result.units] == [".", "apps/db", "apps/web"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("./nowhere", "`./nowhere` is not among the given files"),
        ("../outside", "`../outside` leaves its repository"),
        ("./${NAME}", "`./${NAME}` is not known before it is filled in"),
        ("./empty", "`empty` holds no manifest"),
        ("./", "the root of a repository is not gone through"),
    ],
)
def test_what_is_not_here_is_said(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "empty").mkdir()
    result = found(tmp_path, {"web.yaml": SERVICE, "flux.yaml": flux("web", path)})
    assert [(unit.name, reasons(unit), unit.opaque_namespaces) for unit in result.units] == [
        (".", [f"Kustomization `web` makes objects in any namespace that cannot be seen here: {why}"], {"*"})
    ]


def test_paths_are_those_of_the_repository_and_stay_in_what_was_given(tmp_path: Path) -> None:
    files = {
        **APP,
        "flux/web.yaml": flux("web", "./apps/web", "  targetNamespace: shop\n"),
        "flux/apps/web/trap.yaml": an_object("Service", "trap"),
    }
    (tmp_path / ".git").mkdir()
    assert shape(found(tmp_path, files))[1] == ("apps/web", "kustomization", ["Service/web"])
    (tmp_path / "flux/apps/web/trap.yaml").unlink()
    (unit,) = found(tmp_path, {}, "flux/web.yaml").units
    assert reasons(unit) == [
        "Kustomization `web` makes objects in namespace `shop` that cannot be seen here: "
        "`./apps/web` lies outside the given paths"
    ]


def test_nothing_is_followed_where_nothing_is_rendered(tmp_path: Path) -> None:
    files = {**APP, "flux/web.yaml": flux("web", "./apps/web", "  targetNamespace: shop\n")}
    result = found(tmp_path, files, render="never")
    assert shape(result) == [(".", "plain", ["Kustomization/web"]), ("apps/web", "kustomization", [])]


def test_as_one_unit_all_that_is_applied_is_in_sight(tmp_path: Path) -> None:
    files = {**APP, "flux/web.yaml": flux("web", "./apps/web", "  targetNamespace: shop\n")}
    (unit,) = found(tmp_path, files, one_unit=True).units
    assert (unit.complete, unit.opaque_namespaces, names(unit)) == (
        True,
        frozenset(),
        ["Service/web", "Kustomization/web"],
    )


def test_a_release_of_a_chart_in_the_tree_is_seen_in_a_unit_of_its_own(tmp_path: Path) -> None:
    release = an_object(
        "HelmRelease",
        "web",
        "  namespace: shop\nspec: {chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository}}}}\n",
        "helm.toolkit.fluxcd.io/v2",
    )
    files = {
        "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "chart/templates/web.yaml": SERVICE,
        "release.yaml": release,
    }
    result = found(tmp_path, files)
    assert [unit.name for unit in result.units] == [".", ".:HelmRelease/web", "chart"]
    assert (result.units[0].complete, result.units[0].opaque_namespaces) == (True, {"shop"})


def test_what_is_applied_in_turn_is_the_context_of_what_it_begins_with(tmp_path: Path) -> None:
    files = {
        **APP,
        "clusters/live/web.yaml": flux("web", "./apps/web", "  namePrefix: live-\n"),
        "clusters/live/self.yaml": flux("live", "./clusters/live"),
        "clusters/test/web.yaml": flux("web", "./apps/web", "  namePrefix: test-\n"),
        "argo/root.yaml": argo("root", "{path: argo/apps}", "argocd"),
        "argo/apps/db.yaml": argo("db", "{path: apps/db}", "data"),
        "apps/db/db.yaml": an_object("Service", "db") + "---\n" + an_object("Namespace", "other"),
    }
    units = {unit.name: unit for unit in found(tmp_path, files).units}

    def around(name: str) -> list[tuple[str, str | None]]:
        roots = [document.root for document in units[name].context]
        spaces = [root.get("metadata", "namespace") for root in roots]
        return [
            (str(root.at("metadata", "name").value), None if space is None else str(space.value))
            for root, space in zip(roots, spaces, strict=True)
        ]

    assert around("clusters/live") == [("live-web", None)]
    assert around("argo/apps") == [("db", "data"), ("other", None)]
    # The plain unit holds the beginning of the other cluster, and that of Argo CD.
    assert around(".") == [("db", "argocd"), ("test-web", None), ("db", "data"), ("other", None)]
    assert around("apps/db") == []
