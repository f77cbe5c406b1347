from pathlib import Path

import pytest

from k8snetlint.source.tree import Node, Plain
from k8snetlint.units.unit import Found, Unit

from .trees import an_object, found, names

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        ports: [{containerPort: 80}]
        envFrom: [{configMapRef: {name: settings}}]
      - {name: side, image: side}
"""
SERVICE = an_object("Service", "web", "spec: {selector: {app: web}, ports: [{name: http, port: 80}]}\n")
INGRESS = an_object(
    "Ingress",
    "web",
    "spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n",
    "networking.k8s.io/v1",
)


def unit_of(root: Path, files: dict[str, str], name: str = ".", *paths: str) -> Unit:
    result = found(root, files, *paths)
    (unit,) = [unit for unit in result.units if unit.name == name]
    return unit


def node(unit: Unit, kind: str, *path: str | int) -> Node:
    """A value of the only object of a kind."""
    (root,) = [document.root for document in unit.documents if document.root.at("kind").value == kind]
    return root.at(*path)


def origins(value: Node) -> tuple[str, str, list[str]]:
    """Where a value is written, and what made or changed it."""
    return value.source.path, value.place.text, [f"{place.source.path}: {place.text}" for place in value.via]


def messages(unit: Unit) -> list[str]:
    return [reason.message for reason in unit.incomplete_because]


def test_namespace_and_prefix_keep_the_places_of_names(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [all.yaml]\n",
        "base/all.yaml": f"{SERVICE}---\n{INGRESS}",
        "live/kustomization.yaml": "namespace: shop\nnamePrefix: live-\nresources: [../base]\n",
    }
    unit = unit_of(tmp_path, files, "live")
    assert names(unit) == ["Service/live-web", "Ingress/live-web"]
    assert origins(node(unit, "Service", "metadata", "name")) == (
        "base/all.yaml",
        "web",
        ["live/kustomization.yaml: live-"],
    )
    assert origins(node(unit, "Service", "metadata", "namespace")) == (
        "live/kustomization.yaml",
        "shop",
        ["live/kustomization.yaml: shop"],
    )
    backend = node(unit, "Ingress", "spec", "defaultBackend", "service", "name")
    assert (backend.value, backend.source.path, backend.place.text) == ("live-web", "base/all.yaml", "web")
    assert unit.paths == ("base/all.yaml", "base/kustomization.yaml", "live/kustomization.yaml")
    assert unit.complete is True


def test_a_base_that_two_overlays_share_is_parsed_and_gathered_once(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [s.yaml]\n",
        "base/s.yaml": SERVICE,
        "a/kustomization.yaml": "resources: [../base]\n",
        "b/kustomization.yaml": "resources: [../base]\nnameSuffix: -b\n",
    }
    units = {unit.name: unit for unit in found(tmp_path, files).units}
    assert names(units["a"]) == ["Service/web"]
    assert names(units["b"]) == ["Service/web-b"]
    assert node(units["a"], "Service", "spec") is node(units["b"], "Service", "spec")


def test_strategic_merge_merges_by_key_and_keeps_the_place_of_either_side(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "resources: [d.yaml]\npatches: [{path: p.yaml}]\n",
        "d.yaml": DEPLOYMENT,
        "p.yaml": """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              template:
                spec:
                  containers:
                  - name: side
                    $patch: delete
                  - name: web
                    ports: [{containerPort: 81, name: extra}]
                  - name: new
                    image: new
        """,
    }
    unit = unit_of(tmp_path, files)
    containers = node(unit, "Deployment", "spec", "template", "spec", "containers")
    assert [item.at("name").value for item in containers.items] == ["web", "new"]
    assert containers.items[0].at("ports").plain() == [{"containerPort": 81, "name": "extra"}, {"containerPort": 80}]
    ports = containers.items[0].at("ports").items
    assert [(port.source.path, port.at("containerPort").place.text) for port in ports] == [
        ("p.yaml", "81"),
        ("d.yaml", "80"),
    ]


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ("{$patch: delete}", {"selector": {"app": "web"}}),
        ("null", {"selector": {"app": "web"}}),
        ("[{port: 80, $patch: delete}, {port: 81}]", {"selector": {"app": "web"}, "ports": [{"port": 81}]}),
        ("[{$patch: replace}, {port: 82}]", {"selector": {"app": "web"}, "ports": [{"port": 82}]}),
    ],
)
def test_patch_directives(tmp_path: Path, patch: str, expected: Plain) -> None:
    files = {
        "kustomization.yaml": "resources: [s.yaml]\npatchesStrategicMerge: [p.yaml]\n",
        "s.yaml": SERVICE,
        "p.yaml": an_object("Service", "web", f"spec:\n  ports: {patch}\n"),
    }
    assert node(unit_of(tmp_path, files), "Service", "spec").plain() == expected


def test_lists_of_custom_kinds_are_replaced(tmp_path: Path) -> None:
    rollout = DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("kind: Deployment", "kind: Rollout")
    patch = "spec: {template: {spec: {containers: [{name: web, image: x}]}}}\n"
    files = {
        "kustomization.yaml": "resources: [r.yaml]\npatches: [{path: p.yaml}]\n",
        "r.yaml": rollout,
        "p.yaml": an_object("Rollout", "web", patch, "argoproj.io/v1alpha1"),
    }
    containers = node(unit_of(tmp_path, files), "Rollout", "spec", "template", "spec", "containers")
    assert containers.plain() == [{"name": "web", "image": "x"}]


def test_an_inline_json_patch_has_its_places_in_the_kustomization(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": """
            resources: [s.yaml]
            patches:
            - target: {kind: Service, name: w.b}
              patch: |-
                - op: replace
                  path: /spec/ports/0/port
                  value: 8080
                - op: add
                  path: /spec/ports/-
                  value: {port: 9090}
                - op: remove
                  path: /spec/selector
        """,
        "s.yaml": SERVICE,
    }
    unit = unit_of(tmp_path, files)
    ports = node(unit, "Service", "spec", "ports")
    assert ports.plain() == [{"name": "http", "port": 8080}, {"port": 9090}]
    assert node(unit, "Service", "spec").get("selector") is None
    port = ports.items[0].at("port")
    assert (port.source.path, port.source.position(port.start).line, port.place.text) == (
        "kustomization.yaml",
        7,
        "8080",
    )


def test_an_operation_that_cannot_be_applied_is_said_at_its_place(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "resources: [s.yaml]\npatches: [{path: p.yaml, target: {kind: Service}}]\n",
        "s.yaml": SERVICE,
        "p.yaml": "- {op: remove, path: /spec/nothing}\n",
    }
    unit = unit_of(tmp_path, files)
    assert messages(unit) == [
        "a patch cannot be applied to Service `web`: there is no `nothing` on the way of `/spec/nothing`"
    ]
    place = unit.incomplete_because[0].place
    assert place is not None
    assert (place.source.path, place.text) == ("p.yaml", "{op: remove, path: /spec/nothing}")


def test_common_labels_reach_selectors_and_labels_do_not(tmp_path: Path) -> None:
    files = {
        "a/kustomization.yaml": "resources: [s.yaml]\ncommonLabels: {team: x}\n",
        "a/s.yaml": SERVICE,
        "b/kustomization.yaml": "resources: [s.yaml]\nlabels: [{pairs: {team: x}}]\n",
        "b/s.yaml": SERVICE,
        "c/kustomization.yaml": "resources: [s.yaml]\nlabels: [{pairs: {team: x}, includeSelectors: true}]\n",
        "c/s.yaml": SERVICE,
    }
    units = {unit.name: unit for unit in found(tmp_path, files).units}
    both = {"app": "web", "team": "x"}
    assert node(units["a"], "Service", "spec", "selector").plain() == both
    assert node(units["b"], "Service", "spec", "selector").plain() == {"app": "web"}
    assert node(units["b"], "Service", "metadata", "labels").plain() == {"team": "x"}
    assert node(units["c"], "Service", "spec", "selector").plain() == both
    assert origins(node(units["a"], "Service", "spec", "selector", "team")) == (
        "a/kustomization.yaml",
        "x",
        ["a/kustomization.yaml: x"],
    )


def test_generated_names_end_in_the_hash_and_references_follow(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": """
            resources: [d.yaml]
            configMapGenerator:
            - {name: settings, literals: [foo=bar]}
        """,
        "d.yaml": DEPLOYMENT,
    }
    unit = unit_of(tmp_path, files)
    # The hash that kubectl 1.32 prints for this content.
    assert node(unit, "ConfigMap", "metadata", "name").value == "settings-798k5k7g9f"
    container = node(unit, "Deployment", "spec", "template", "spec", "containers", 0)
    assert container.at("envFrom", 0, "configMapRef", "name").value == "settings-798k5k7g9f"
    assert node(unit, "ConfigMap", "data", "foo").place.text == "foo=bar"


def test_generators_merge_into_what_a_base_generated(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": """
            generatorOptions: {disableNameSuffixHash: true}
            configMapGenerator: [{name: settings, envs: [a.env]}]
        """,
        "base/a.env": "# settings\nA=1\nB=2\n",
        "live/kustomization.yaml": """
            resources: [../base]
            generatorOptions: {disableNameSuffixHash: true}
            configMapGenerator: [{name: settings, behavior: merge, literals: [B=3]}]
        """,
    }
    unit = unit_of(tmp_path, files, "live")
    assert node(unit, "ConfigMap", "metadata", "name").value == "settings"
    assert node(unit, "ConfigMap", "data").plain() == {"A": "1", "B": "3"}
    assert origins(node(unit, "ConfigMap", "data", "A")) == ("base/a.env", "1", ["base/a.env: A=1"])


def test_replacements_keep_the_type_of_the_target(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": """
            resources: [s.yaml, c.yaml]
            replacements:
            - source: {kind: ConfigMap, name: c, fieldPath: data.port}
              targets:
              - select: {kind: Service}
                fieldPaths: ["spec.ports.[name=http].port"]
        """,
        "s.yaml": SERVICE,
        "c.yaml": an_object("ConfigMap", "c", 'data: {port: "8080"}\n'),
    }
    port = node(unit_of(tmp_path, files), "Service", "spec", "ports", 0, "port")
    assert (port.value, port.source.path, port.place.text) == (8080, "c.yaml", '"8080"')


def test_variables_are_put_in_and_named(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": """
            namePrefix: live-
            resources: [s.yaml, d.yaml]
            vars: [{name: BACKEND, objref: {apiVersion: v1, kind: Service, name: web}}]
        """,
        "s.yaml": SERVICE,
        "d.yaml": DEPLOYMENT.replace("image: web", "args: [--backend=$(BACKEND)]"),
    }
    argument = node(unit_of(tmp_path, files), "Deployment", "spec", "template", "spec", "containers", 0, "args", 0)
    assert argument.value == "--backend=live-web"
    assert argument.place.text == "--backend=$(BACKEND)"
    assert "s.yaml" in [place.source.path for place in argument.via]


def test_components_change_what_is_there(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "resources: [s.yaml]\ncomponents: [part]\nreplicas: [{name: web, count: 3}]\n",
        "s.yaml": f"{SERVICE}---{DEPLOYMENT}",
        "part/kustomization.yaml": """
            apiVersion: kustomize.config.k8s.io/v1alpha1
            kind: Component
            resources: [c.yaml]
            patches:
            - patch: '[{"op": "replace", "path": "/spec/ports/0/port", "value": 81}]'
              target: {kind: Service}
        """,
        "part/c.yaml": an_object("ConfigMap", "c"),
    }
    result = found(tmp_path, files)
    assert [unit.name for unit in result.units] == ["."]
    unit = result.units[0]
    assert names(unit) == ["Service/web", "Deployment/web", "ConfigMap/c"]
    assert node(unit, "Service", "spec", "ports", 0, "port").value == 81
    assert origins(node(unit, "Deployment", "spec", "replicas")) == (
        "kustomization.yaml",
        "3",
        ["kustomization.yaml: 3"],
    )


def test_a_component_for_itself_is_incomplete_and_its_patches_are_not_missed(tmp_path: Path) -> None:
    files = {
        "part/kustomization.yaml": """
            apiVersion: kustomize.config.k8s.io/v1alpha1
            kind: Component
            resources: [c.yaml]
            patches: [{path: p.yaml}]
        """,
        "part/c.yaml": an_object("ConfigMap", "c"),
        "part/p.yaml": SERVICE,
    }
    unit = unit_of(tmp_path, files, "part")
    assert (names(unit), messages(unit)) == (
        ["ConfigMap/c"],
        ["`part` is a component: what it is applied on top of is not here"],
    )


def test_booleans_of_yaml_1_1_stay_strings(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "resources: [c.yaml]\n",
        "c.yaml": an_object("ConfigMap", "c", "data: {a: yes, b: on, c: true}\n"),
    }
    assert node(unit_of(tmp_path, files), "ConfigMap", "data").plain() == {"a": "yes", "b": "on", "c": True}


def test_never_renders_nothing_and_says_so(tmp_path: Path) -> None:
    files = {"kustomization.yaml": "resources: [s.yaml]\n", "s.yaml": SERVICE}
    unit = found(tmp_path, files, render="never").units[0]
    assert (unit.documents, messages(unit)) == (
        (),
        ["the kustomization `.` is not rendered: its objects are not analysed"],
    )


def problems(result: Found) -> list[tuple[str, str, str]]:
    return [(problem.rule, problem.message, problem.place.text) for problem in result.problems]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (
            "resources:\n- https://github.com/a/b//c?ref=v1\n- s.yaml",
            "the remote base `https://github.com/a/b//c?ref=v1` is not fetched",
        ),
        ("helmCharts: [{name: x}]\nresources: [s.yaml]", "the chart `x` is not there: it is not fetched"),
        ("resources: [s.yaml, nothing.yaml]", "there is no file `app/nothing.yaml`"),
        ("resources: [s.yaml, /etc/passwd]", "kustomize refuses the absolute path `/etc/passwd`: it is not read"),
        (
            "resources: [s.yaml, ../../../../../etc]",
            "`../../../../etc` lies outside the given paths: it is not read",
        ),
        ("resources: [s.yaml, ../app]", "the kustomization `app` leads back to itself"),
        ("resources: [s.yaml, s.yaml]", "Service `web` is there already: kustomize refuses to add it again"),
        (
            "resources: [s.yaml]\npatches: [{target: {name: '(a+)+b'}, patch: '[]'}]",
            "the pattern `(a+)+b` is too complex",
        ),
    ],
)
def test_what_is_not_carried_out_is_said_once(tmp_path: Path, field: str, message: str) -> None:
    result = found(tmp_path, {"app/kustomization.yaml": f"{field}\n", "app/s.yaml": SERVICE})
    assert (names(result.units[0]), messages(result.units[0])) == (["Service/web"], [message])
    assert [(rule, said) for rule, said, _ in problems(result)] == [("TOOL002", message)]


def test_a_kustomization_that_cannot_be_parsed_keeps_its_folder(tmp_path: Path) -> None:
    result = found(tmp_path, {"app/kustomization.yaml": "resources: [\n", "app/s.yaml": SERVICE})
    (unit,) = result.units
    assert (unit.name, unit.type, unit.documents) == ("app", "kustomization", ())
    assert messages(unit) == ["`app/kustomization.yaml` cannot be parsed"]
    assert [(skipped.source.path, skipped.what) for skipped in result.skipped] == [
        ("app/s.yaml", "beside a kustomization that does not refer to it")
    ]


def test_a_symlink_that_leaves_the_paths_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "outside.yaml"
    secret.write_text(SERVICE, encoding="utf-8")
    root = tmp_path / "in"
    root.mkdir()
    (root / "link.yaml").symlink_to(secret)
    unit = unit_of(root, {"kustomization.yaml": "resources: [link.yaml]\n"})
    assert unit.documents == ()
    assert messages(unit) == ["`link.yaml` lies outside the given paths: it is not read"]


def test_what_follows_from_a_missing_base_is_not_said(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "p.yaml": SERVICE,
    }
    assert messages(unit_of(tmp_path, files)) == ["`../base` lies outside the given paths: it is not read"]


def test_kustomizations_in_a_ring_end(tmp_path: Path) -> None:
    files = {
        "a/kustomization.yaml": "resources: [../b]\n",
        "b/kustomization.yaml": "resources: [../c]\n",
        "c/kustomization.yaml": "resources: [../a, s.yaml]\n",
        "c/s.yaml": SERVICE,
        "root/kustomization.yaml": "resources: [../a]\n",
    }
    unit = unit_of(tmp_path, files, "root")
    assert (names(unit), messages(unit)) == (["Service/web"], ["the kustomization `a` leads back to itself"])


def test_doubling_bases_are_bounded(tmp_path: Path) -> None:
    files = {"k0/kustomization.yaml": "resources: [s.yaml]\n", "k0/s.yaml": SERVICE}
    for level in range(1, 16):
        files[f"k{level}/kustomization.yaml"] = f"resources: [x, ../y{level}]\n"
        files[f"k{level}/x/kustomization.yaml"] = f"namePrefix: x\nresources: [../../k{level - 1}]\n"
        files[f"y{level}/kustomization.yaml"] = f"namePrefix: z\nresources: [../k{level - 1}]\n"
    result = found(tmp_path, files)
    unit = result.units[-1]
    assert unit.name == "k15"
    assert len(unit.documents) <= 20_000
    assert ("TOOL005", "more than 20,000 objects come together: the rest is left out") in [
        (rule, message) for rule, message, _ in problems(result)
    ]


def test_many_patches_are_bounded(tmp_path: Path) -> None:
    objects = "---\n".join(an_object("ConfigMap", f"c{number}") for number in range(2_000))
    patches = "".join("- {patch: '[]', target: {kind: Nothing}}\n" for _ in range(2_000))
    files = {"kustomization.yaml": f"resources: [c.yaml]\npatches:\n{patches}", "c.yaml": objects}
    result = found(tmp_path, files)
    assert len(result.units[0].documents) == 2_000
    assert [(rule, message) for rule, message, _ in problems(result)] == [
        ("TOOL005", "patches and objects are more than are worked through: the rest is left out")
    ]
