"""Spokes of the hub with the files that refine them."""

from pathlib import Path

import pytest

from hubctl.errors import InputError
from hubctl.inputs import discover, load
from hubctl.model import digest
from hubctl.model.fleet import HubInputs
from hubctl.model.inventory import Inventory
from hubctl.settings import Settings
from tests.inputs.hubobjects import OPENSHIFT, T0, managed, snapshot

VALUES = """\
coordinationEngine:
  kserve:
    namespace: models
    models: [{name: detector}, {name: forecaster}]
hubctl:
  fleet: {source: SOURCE}
  groups:
    - name: everywhere
      match: {}
      serve: [{name: detector, version: v1}]
    - name: gold
      match: {tier: gold}
      serve: [{name: detector, version: v2}, {name: forecaster, version: v1}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clusters").mkdir()
    return tmp_path


def read(folder: Path, *clusters: str, source: str = "acm", tier: str = "gold") -> load.Sources:
    (folder / "values-hub.yaml").write_text(VALUES.replace("SOURCE", source))
    sources = load.read_sources(Settings(folder, folder / ".hubctl"))
    found = [managed(name, labels={"tier": tier}) for name in clusters]
    look = discover.take(None, snapshot(found), sources.values.hubctl.fleet, T0)
    return load.enlisted(sources, look.inventory or Inventory(T0), look.changes.joined)


def inputs(folder: Path, *clusters: str, source: str = "acm", tier: str = "gold") -> HubInputs:
    return load.reload(read(folder, *clusters, source=source, tier=tier), {})


def write(folder: Path, name: str, spec: str, labels: str = "{}") -> None:
    text = f"apiVersion: hubctl.io/v1alpha1\nkind: Spoke\nmetadata: {{name: {name}, labels: {labels}}}\nspec: {spec}\n"
    (folder / "clusters" / f"{name}.yaml").write_text(text)


def test_discovered_spoke_serves_what_its_groups_name_and_the_later_group_wins(folder: Path) -> None:
    [cluster] = inputs(folder, "edge-a").clusters
    assert [(model.name, model.version) for model in cluster.models] == [("detector", "v2"), ("forecaster", "v1")]
    assert cluster.source == "ManagedCluster edge-a"
    assert cluster.destination == "edge-a"


def test_keys_of_a_file_win_over_what_the_hub_says(folder: Path) -> None:
    write(folder, "edge-a", "{version: '4.20', models: [{name: detector, version: v7}]}", "{tier: lead}")
    [cluster] = inputs(folder, "edge-a").clusters
    assert (cluster.platform, cluster.version, cluster.labels["tier"]) == ("openshift", "4.20", "lead")
    assert [(model.name, model.version) for model in cluster.models] == [("detector", "v7")]
    assert cluster.source == "clusters/edge-a.yaml"


def test_file_excludes_a_spoke_and_its_label_may_be_anything(folder: Path) -> None:
    write(folder, "edge-a", "{exclude: true}")
    found = inputs(folder, "edge-a", "edge-b")
    assert [cluster.name for cluster in found.clusters] == ["edge-b"]
    assert not any("edge-a" in warning for warning in found.warnings)


@pytest.mark.parametrize(("source", "names"), [("acm", ["edge-a"]), ("both", ["edge-a", "edge-b"])])
def test_file_without_a_managed_cluster_is_a_spoke_only_with_both(folder: Path, source: str, names: list[str]) -> None:
    write(folder, "edge-b", "{platform: kubernetes, version: '1.30'}")
    found = inputs(folder, "edge-a", source=source)
    assert [cluster.name for cluster in found.clusters] == names
    told = "clusters/edge-b.yaml makes no spoke: the hub has no such ManagedCluster"
    assert (told in found.warnings) is (source == "acm")


def test_file_that_leaves_its_platform_to_a_hub_that_does_not_know_it_makes_no_spoke(folder: Path) -> None:
    write(folder, "edge-b", "{}")
    found = inputs(folder, "edge-a", source="both")
    assert [cluster.name for cluster in found.clusters] == ["edge-a"]
    assert any("the file does not say platform and version" in warning for warning in found.warnings)


def test_wrong_key_of_a_refining_file_is_refused_with_its_line(folder: Path) -> None:
    write(folder, "edge-a", "{versoin: '4.20'}")
    with pytest.raises(InputError) as caught:
        read(folder, "edge-a")
    assert caught.value.where == "clusters/edge-a.yaml:4 spec.versoin"


def test_new_spoke_that_does_not_fit_is_reported_and_a_known_one_is_an_error(folder: Path) -> None:
    values = VALUES + "      expose: {via: route}\n"
    claims = {"kubeversion.open-cluster-management.io": "v1.30.1"}
    (folder / "values-hub.yaml").write_text(values.replace("SOURCE", "acm"))
    sources = load.read_sources(Settings(folder, folder / ".hubctl"))
    odd = managed("edge-b", labels={"tier": "gold"}, claims=claims)
    look = discover.take(None, snapshot([managed("edge-a"), odd]), sources.values.hubctl.fleet, T0)
    assert look.inventory
    found = load.enlisted(sources, look.inventory, look.changes.joined)
    assert [spoke.metadata.name for _, spoke in found.spokes] == ["edge-a"]
    assert found.inventory
    assert found.inventory.member("edge-b") is None
    assert any("ManagedCluster edge-b is not rendered" in warning for warning in found.warnings)
    with pytest.raises(InputError):
        load.enlisted(sources, look.inventory)


def test_fleet_of_the_hub_is_never_taken_for_an_empty_one_while_nobody_asked(folder: Path) -> None:
    read(folder, "edge-a")
    with pytest.raises(InputError, match="the hub says which spokes there are, and it was not asked"):
        load.load_inputs(Settings(folder, folder / ".hubctl"))


def test_digest_of_the_inputs_holds_what_the_hub_says(folder: Path) -> None:
    before = digest.of_inputs(inputs(folder, "edge-a"))
    assert digest.of_inputs(inputs(folder, "edge-a")) == before
    assert digest.of_inputs(inputs(folder, "edge-a", tier="lead")) != before
    assert digest.of_inputs(inputs(folder, "edge-a", "edge-b")) != before


def test_group_serves_spokes_of_files_too(folder: Path) -> None:
    write(folder, "edge-b", "{platform: openshift, version: '4.18'}")
    (folder / "values-hub.yaml").write_text(VALUES.replace("SOURCE", "files"))
    [cluster] = load.load_inputs(Settings(folder, folder / ".hubctl")).clusters
    assert [(model.name, model.version) for model in cluster.models] == [("detector", "v1")]


def test_group_that_serves_an_unregistered_model_is_refused(folder: Path) -> None:
    (folder / "values-hub.yaml").write_text(
        VALUES.replace("SOURCE", "files").replace("{name: forecaster}", "{name: f}")
    )
    with pytest.raises(InputError) as caught:
        load.read_sources(Settings(folder, folder / ".hubctl"))
    assert caught.value.where == "values-hub.yaml:13 hubctl.groups[1].serve[1].name"


def test_hydrated_branch_cannot_come_from_the_hub(folder: Path) -> None:
    text = "hubctl:\n  fleet: {source: acm}\n  gitops: {publishing: {mode: hydrated}}\n"
    (folder / "values-hub.yaml").write_text(text)
    with pytest.raises(InputError, match=r"expected fleet\.source files, found acm"):
        load.read_sources(Settings(folder, folder / ".hubctl"))


def test_keys_of_the_hubs_fleet_are_told_where_files_count(folder: Path) -> None:
    (folder / "values-hub.yaml").write_text("hubctl:\n  fleet: {forgetAfter: 5m}\n")
    sources = load.read_sources(Settings(folder, folder / ".hubctl"))
    assert "values-hub.yaml:2 hubctl.fleet.forgetAfter is not read: fleet.source is files" in sources.warnings


def test_claims_of_openshift_are_labels_too(folder: Path) -> None:
    [cluster] = inputs(folder, "edge-a").clusters
    assert cluster.labels["platform.open-cluster-management.io"] == OPENSHIFT["platform.open-cluster-management.io"]
