"""A home cluster's repository that Flux applies, folder by folder."""

from __future__ import annotations

from functools import cache

from k8snetlint.settings import Settings
from k8snetlint.source.discover import DiscoverOptions, discover
from k8snetlint.units.find import find_units
from k8snetlint.units.unit import Found
from tests.shared import SHARED, needs_shared

from .test_kustomize_corpus import holds

pytestmark = needs_shared
REPOSITORY = SHARED / "corpus" / "repos" / "onedr0p-home-ops"


@cache
def found() -> Found:
    return find_units(discover(["."], DiscoverOptions(directory=str(REPOSITORY))), Settings())


def test_each_folder_that_flux_applies_is_a_unit_in_its_namespace() -> None:
    units = {unit.name: unit for unit in found().units}
    assert len(units) == 80
    # The one plain file is the Kustomization that everything else begins with.
    assert units["."].paths == ("kubernetes/flux/cluster/ks.yaml",)
    echo = units["kubernetes/apps/network/echo/app"]
    namespaces = {document.root.at("metadata", "namespace").value for document in echo.documents}
    assert namespaces == {"network"}
    # The outermost Kustomization patches the others, and they patch what they apply.
    (release,) = [document.root for document in echo.documents if document.root.at("kind").value == "HelmRelease"]
    strategy = release.at("spec", "upgrade", "strategy", "name")
    assert (strategy.value, strategy.source.path) == ("RemediateOnFailure", "kubernetes/flux/cluster/ks.yaml")


def test_every_scalar_is_written_at_its_place_or_names_its_maker() -> None:
    lost = [
        (unit.name, document.source.path, path, node.value)
        for unit in found().units
        for document in unit.documents
        for path, node in document.root.walk()
        if node.value is not None and not node.is_mapping and not node.is_sequence and not node.via and not holds(node)
    ]
    assert lost == []
