"""Who says what of a spoke, fact by fact."""

from pathlib import Path

from hubctl.inputs import discover, facts, load
from hubctl.settings import Settings
from tests.inputs.hubobjects import T0, managed, snapshot

VALUES = """\
coordinationEngine: {kserve: {namespace: models, models: [{name: a}, {name: b}]}}
hubctl:
  fleet: {source: SOURCE}
  groups:
    - {name: first, match: {}, namespace: first, serve: [{name: b, version: v1}]}
    - {name: second, match: {}, storage: {type: s3, bucket: models}, serve: [{name: b, version: v2}]}
"""
FILE = """\
apiVersion: hubctl.io/v1alpha1
kind: Spoke
metadata: {name: edge-a, labels: {tier: gold}}
spec: {version: '4.20', SPEC deploymentMode: Standard, models: [{name: a, version: v3}]}
"""


def told(folder: Path, source: str, spec: str = "") -> tuple[dict[str, tuple[str, str]], str]:
    (folder / "clusters").mkdir()
    (folder / "values-hub.yaml").write_text(VALUES.replace("SOURCE", source))
    (folder / "clusters" / "edge-a.yaml").write_text(FILE.replace("SPEC", spec))
    sources = load.read_sources(Settings(folder, folder / ".hubctl"))
    if source == "acm":
        found = managed("edge-a", labels={"tier": "lead", "region": "eu"})
        look = discover.take(None, snapshot([found]), sources.values.hubctl.fleet, T0)
        assert look.inventory
        sources = load.enlisted(sources, look.inventory)
    made = facts.facts(sources, load.reload(sources, {}).clusters[0])
    return {one.name: (one.value, one.origin) for one in made}, facts.kinds(made)


def test_file_hub_and_groups_are_told_apart(tmp_path: Path) -> None:
    found, kinds = told(tmp_path, "acm")
    file, hub = "clusters/edge-a.yaml", "ManagedCluster edge-a"
    assert found["platform"] == ("openshift", hub)
    assert found["version"] == ("4.20", file)
    assert found["topology"] == ("ha", hub)
    assert found["labels.tier"] == ("gold", file)
    assert found["labels.region"] == ("eu", hub)
    assert found["namespace"] == ("first", "group first")
    assert found["storage"] == ("s3", "group second")
    assert found["deploymentMode"] == ("RawDeployment", file)
    assert found["models.a"] == ("v3", file)
    assert found["models.b"] == ("v2", "group second")
    assert kinds == "ManagedCluster, file, group"


def test_fleet_of_files_has_files_groups_and_defaults(tmp_path: Path) -> None:
    found, kinds = told(tmp_path, "files", "platform: openshift,")
    assert found["platform"] == ("openshift", "clusters/edge-a.yaml")
    assert found["topology"] == ("ha", "default")
    assert kinds == "file, group"
