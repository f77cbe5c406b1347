"""Kustomizations of real repositories, against what kustomize itself makes of them.

`kustomize build` was run on whole repositories, of which the corpus holds only the manifests: where a file of another
sort is missing, or a kustomization left out, what depends on it is left out of the comparison, by name and with the
reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

from k8snetlint.settings import Settings
from k8snetlint.source.discover import DiscoverOptions, discover
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Document, Node, Plain
from k8snetlint.units.classify import objects_of
from k8snetlint.units.files import Files
from k8snetlint.units.kustomize.file import read_kustomization
from k8snetlint.units.kustomize.render import Rendered, Renderer
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared
RENDERED = SHARED / "corpus" / "rendered"
REPOSITORIES = SHARED / "corpus" / "repos"
# The reference results leave out CustomResourceDefinitions, Secrets and large ConfigMaps.
LEFT_OUT = {"CustomResourceDefinition", "Secret", "ConfigMap"}
FOLDERS = {"kube-prometheus-root": "kube-prometheus", "kubeflow-manifests-example-FULL": "kubeflow-manifests/example"}
Key = tuple[str, str, str, str]


@cache
def folders() -> dict[str, str]:
    """The folder that each reference result was made of."""
    names = {
        path.parent.relative_to(REPOSITORIES).as_posix().replace("/", "-"): path.parent.relative_to(
            REPOSITORIES
        ).as_posix()
        for pattern in ("kustomization.yaml", "kustomization.yml", "Kustomization")
        for path in REPOSITORIES.rglob(pattern)
    }
    found = {path.stem: FOLDERS.get(path.stem) or names.get(path.stem, "") for path in RENDERED.glob("*.yaml")}
    return {name: folder for name, folder in found.items() if folder}


@cache
def renderer(repository: str) -> Renderer:
    inputs = discover([repository], DiscoverOptions(directory=str(REPOSITORIES)))
    return Renderer(Files(inputs), Settings())


@cache
def rendered(folder: str) -> Rendered:
    ours = renderer(folder.split("/")[0])
    kustomization = read_kustomization(ours.files, folder)
    assert kustomization is not None
    return ours.rendered(kustomization)


def keyed(documents: Iterator[Document]) -> dict[Key, Node]:
    found: dict[Key, Node] = {}
    for document in documents:
        root = document.root
        kind, name = str(root.at("kind").value), str(root.at("metadata", "name").value)
        namespace = root.get("metadata", "namespace")
        key = (str(root.at("apiVersion").value), kind, str(namespace.value) if namespace is not None else "", name)
        found[key] = root
    return found


def expected(name: str) -> dict[Key, Node]:
    source = SourceFile(name, (RENDERED / f"{name}.yaml").read_text(encoding="utf-8"))
    return keyed(item for document in parse(source).documents for item in objects_of(document))


def without_images(value: Plain) -> Plain:
    """Tags of images are not carried out; kustomize writes no null of its own."""
    if isinstance(value, dict):
        return {key: without_images(item) for key, item in value.items() if key != "image" and item is not None}
    return [without_images(item) for item in value] if isinstance(value, list) else value


# Of the kustomizations that refer to files which are not in the corpus: how many objects are equal to the reference, how
# many differ and how many are missing, all of it for want of those files. The differences are: objects of the missing
# files; hashes of ConfigMaps made of them and references to those; variables whose `configurations` or source is missing;
# patches, labels and replacements that stand in them; bases that are fetched over the network.
INCOMPLETE: dict[str, tuple[int, int, int]] = {
    "contour-examples-namespaced": (0, 0, 16),
    "contour-examples-render": (0, 0, 16),
    "emojivoto-kustomize-daemonset": (7, 0, 4),
    "emojivoto-kustomize-job": (7, 0, 4),
    "emojivoto-kustomize-tracing": (7, 4, 0),
    "infra-deployments-components-knative-eventing-production-kflux-fedora-01": (0, 0, 113),
    "kube-prometheus-root": (85, 0, 0),
    "kubeflow-manifests-applications-katib-upstream-installs-katib-leader-election": (17, 1, 4),
    "kubeflow-manifests-applications-katib-upstream-installs-katib-openshift": (16, 2, 2),
    "kubeflow-manifests-applications-katib-upstream-installs-katib-standalone-postgres": (16, 2, 2),
    "kubeflow-manifests-applications-kserve-kserve": (0, 0, 52),
    "kubeflow-manifests-applications-model-registry-upstream-options-catalog-overlays-rh-mcp": (5, 0, 0),
    "kubeflow-manifests-applications-model-registry-upstream-options-ui-overlays-istio": (11, 1, 0),
    "kubeflow-manifests-applications-model-registry-upstream-overlays-postgres": (6, 2, 0),
    "kubeflow-manifests-applications-pipeline-upstream-env-plain": (63, 1, 0),
    "kubeflow-manifests-applications-pipeline-upstream-env-plain-multi-user": (99, 5, 6),
    "kubeflow-manifests-common-dex-overlays-oauth2-proxy": (10, 0, 0),
    "kubeflow-manifests-common-knative-knative-eventing-base": (0, 0, 83),
    "kubeflow-manifests-common-oauth2-proxy-overlays-m2m-dex-and-eks": (10, 1, 3),
    "kubeflow-manifests-common-oauth2-proxy-overlays-m2m-dex-and-kind": (13, 1, 3),
    "kubeflow-manifests-example-FULL": (431, 24, 125),
    "kueue-config-components-kueueviz": (8, 0, 1),
    "kueue-config-kueueviz": (9, 0, 0),
    "kueue-test-e2e-config-dra-capacity": (9, 1, 57),
    "metallb-config-prometheus-frr": (12, 0, 11),
    "metallb-config-prometheus-native": (11, 0, 11),
    "podinfo-deploy-bases-database": (10, 2, 0),
    "podinfo-deploy-overlays-dev": (0, 24, 1),
    "podinfo-deploy-overlays-production": (0, 24, 1),
    "podinfo-deploy-overlays-staging": (0, 24, 1),
    "velero-design-CLI-PoC-base": (9, 0, 0),
    "yolean-kafka-native": (10, 0, 4),
    "yolean-kafka-variants-dev-small": (10, 0, 4),
    "yolean-kafka-variants-gke-regional": (13, 0, 4),
    "yolean-kafka-variants-scale-1-ephemeral": (10, 0, 4),
    "yolean-kafka-variants-scale-3-5-nopzoo": (10, 0, 4),
}
CONSEQUENCES = re.compile(
    r"there is no file `|no object is `|no object is the source|the variable `|the source of a replacement has no field"
    r"|the remote base `|a patch cannot be applied|there is no (?:ConfigMap|Secret) `|the target `|is no folder with a kustomization"
)


def compared(name: str) -> tuple[int, int, int, list[Key]]:
    """How many objects are equal, differ and are missing, and which we have beyond the reference."""
    got, wanted = keyed(iter(rendered(folders()[name]).documents)), expected(name)
    common = [key for key in wanted if key in got]
    equal = sum(without_images(wanted[key].plain()) == without_images(got[key].plain()) for key in common)
    extra = [key for key in got if key not in wanted and key[1] not in LEFT_OUT]
    return equal, len(common) - equal, len(wanted) - len(common), extra


def test_every_reference_result_has_its_kustomization() -> None:
    missing = {path.stem for path in RENDERED.glob("*.yaml")} - set(folders())
    # Their kustomization files are not in the corpus.
    assert missing == {
        "argo-cd-manifests-ha-cluster-install-with-hydrator",
        "infra-deployments-components-namespace-lister-production-kflux-fedora-01",
    }


@pytest.mark.parametrize("name", sorted(path.stem for path in RENDERED.glob("*.yaml")) if RENDERED.is_dir() else [])
def test_the_same_objects_with_the_same_values(name: str) -> None:
    if name not in folders():
        pytest.skip("its kustomization file is not in the corpus")
    reasons = [reason.message for reason in rendered(folders()[name]).reasons]
    equal, differing, missing, extra = compared(name)
    if name in INCOMPLETE:
        assert [reason for reason in reasons if not CONSEQUENCES.search(reason)] == []
        assert (equal, differing, missing) == INCOMPLETE[name]
    else:
        assert (reasons, differing, missing, extra) == ([], 0, 0, [])
        assert equal == len(expected(name))


def holds(node: Node) -> bool:
    """Whether the text at a scalar's place reads as its value."""
    text, value = node.place.text, node.value
    if text.startswith("*") or str(value) in text or str(value).lower() == text.lower():
        return True
    if node.style == "block":
        return "".join(str(value).split()) == "".join(text[1:].split())[len(text.split("\n")[0]) - 1 :]
    documents = parse(SourceFile("text", text)).documents
    return bool(documents) and documents[0].root.value == value


@pytest.mark.parametrize("name", sorted(path.stem for path in RENDERED.glob("*.yaml")) if RENDERED.is_dir() else [])
def test_every_scalar_is_written_at_its_place_or_names_its_maker(name: str) -> None:
    if name not in folders():
        pytest.skip("its kustomization file is not in the corpus")
    lost = [
        (document.source.path, path, node.value)
        for document in rendered(folders()[name]).documents
        for path, node in document.root.walk()
        if node.value is not None and not node.is_mapping and not node.is_sequence and not node.via and not holds(node)
    ]
    assert lost == []
