"""``clusters import`` writes all cluster files or none, and keeps what is there."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.cli import main

VALUES = """\
coordinationEngine: {kserve: {models: [{name: anomaly-detector}]}}
hubctl: {gitops: {remote: "https://git.example.com/fleet.git"}}
"""
EDGE = """\
# Ann's spoke.
apiVersion: hubctl.io/v1alpha1
kind: Spoke
metadata:
  name: edge-a
  labels:
    owner: ann  # hers
spec:
  platform: openshift  # as it is
  version: "4.18.2"
"""


def managed(name: str, *, version: str = "4.18.9", labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"hubAcceptsClient": True},
        "status": {"clusterClaims": [{"name": "version.openshift.io", "value": version}]},
    }


class Fleet:
    """A folder of inputs, and ``clusters import`` in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        (folder / "clusters").mkdir()
        (folder / "values-hub.yaml").write_text(VALUES)

    def ran(self, *words: str, clusters: list[dict[str, Any]] | None = None) -> tuple[int, str, str]:
        listed = ("-f", "-") if clusters is not None else ()
        self.monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"kind": "List", "items": clusters})))
        code = main.run(["-C", str(self.folder), "clusters", "import", *listed, *words])
        shown = self.capsys.readouterr()
        return code, shown.out, shown.err

    def rows(self, *words: str, clusters: list[dict[str, Any]]) -> dict[str, Any]:
        _, out, _ = self.ran(*words, "-o", "json", clusters=clusters)
        return {row["name"]: row for row in json.loads(out)["clusters"]}

    def kubeconfig(self, *names: str) -> str:
        config = {
            "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in names],
            "clusters": [{"name": name, "cluster": {"server": f"https://{i}"}} for i, name in enumerate(names)],
        }
        (self.folder / "kubeconfig").write_text(yaml.safe_dump(config))
        return str(self.folder / "kubeconfig")

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "clusters").iterdir()}

    def text(self, name: str) -> str:
        return (self.folder / "clusters" / f"{name}.yaml").read_text()


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fleet:
    return Fleet(tmp_path, monkeypatch, capsys)


def test_new_clusters_are_written_and_the_folder_is_valid(fleet: Fleet) -> None:
    labels = {"region": "eu", "1st": "on"}
    code, _, _ = fleet.ran("--model", "anomaly-detector@v1", clusters=[managed("edge-a", labels=labels), managed("b")])
    assert code == 0
    assert fleet.files() == {"edge-a.yaml", "b.yaml"}
    assert yaml.safe_load(fleet.text("edge-a"))["metadata"]["labels"] == labels
    assert yaml.safe_load(fleet.text("b"))["spec"]["models"] == [{"name": "anomaly-detector", "version": "v1"}]
    assert main.run(["-C", str(fleet.folder), "validate"]) == 0


def test_second_import_finds_all_unchanged(fleet: Fleet) -> None:
    fleet.ran(clusters=[managed("edge-a", labels={"region": "eu"})])
    before = fleet.text("edge-a")
    assert fleet.rows(clusters=[managed("edge-a", labels={"region": "eu"})])["edge-a"]["status"] == "unchanged"
    assert fleet.text("edge-a") == before


def test_existing_file_is_kept_and_its_differences_are_offered(fleet: Fleet) -> None:
    (fleet.folder / "clusters" / "edge-a.yaml").write_text(EDGE)
    found = [managed("edge-a", version="4.19.1", labels={"owner": "bob", "region": "eu"}), managed("new")]
    code, out, err = fleet.ran("-o", "yaml", clusters=found)
    assert code == 1
    assert fleet.text("edge-a") == EDGE
    assert fleet.files() == {"edge-a.yaml", "new.yaml"}
    assert yaml.safe_load(out)["clusters"][0]["differences"] == [
        {"field": "spec.version", "file": "4.18.2", "found": "4.19"},
        {"field": "metadata.labels.owner", "file": "ann", "found": "bob"},
        {"field": "metadata.labels.region", "file": None, "found": "eu"},
    ]
    assert "--update" in err


def test_update_edits_what_differs_and_keeps_comments(fleet: Fleet) -> None:
    (fleet.folder / "clusters" / "edge-a.yaml").write_text(EDGE)
    found = [managed("edge-a", version="4.19.1", labels={"owner": "bob", "region": "eu"})]
    assert fleet.ran("--update", clusters=found)[0] == 0
    wanted = EDGE.replace("ann  # hers", "bob  # hers\n    region: eu").replace("4.18.2", "4.19")
    assert fleet.text("edge-a") == wanted


def test_another_patch_version_is_no_difference(fleet: Fleet) -> None:
    (fleet.folder / "clusters" / "edge-a.yaml").write_text(EDGE)
    assert fleet.rows(clusters=[managed("edge-a", version="4.18.30")])["edge-a"]["status"] == "unchanged"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ([managed("Edge_A")], "--rename 'Edge_A=NAME'"),
        ([managed("twin"), managed("twin")], "--rename"),
        ([managed("mute", version="")], "mend it there"),
    ],
)
def test_one_refused_cluster_keeps_all_from_being_written(fleet: Fleet, wrong: list[Any], hint: str) -> None:
    code, _, err = fleet.ran(clusters=[managed("good"), *wrong])
    assert (code, fleet.files()) == (2, set())
    assert hint in err
    assert "nothing is written" in err


def test_rename_mends_a_name_that_is_none(fleet: Fleet) -> None:
    assert fleet.ran("--rename", "Edge_A=edge-a", clusters=[managed("Edge_A")])[0] == 0
    assert fleet.files() == {"edge-a.yaml"}


def test_skipped_cluster_does_not_stand_in_the_way(fleet: Fleet) -> None:
    assert fleet.ran("--skip", "Edge_A", clusters=[managed("Edge_A"), managed("b")])[0] == 0
    assert fleet.files() == {"b.yaml"}
    code, _, err = fleet.ran("--skip", "c", clusters=[managed("b")])
    assert code == 2
    assert "--skip: found no 'c', expected one of b" in err


def test_dry_run_writes_nothing_and_exits_alike(fleet: Fleet) -> None:
    assert fleet.ran("--dry-run", clusters=[managed("edge-a")])[0] == 0
    (fleet.folder / "clusters" / "edge-b.yaml").write_text(EDGE.replace("edge-a", "edge-b"))
    assert fleet.ran("--dry-run", clusters=[managed("edge-b", version="4.20.1")])[0] == 1
    assert fleet.files() == {"edge-b.yaml"}


def test_model_that_is_not_registered_takes_every_file_back(fleet: Fleet) -> None:
    (fleet.folder / "clusters" / "edge-a.yaml").write_text(EDGE)
    found = [managed("edge-a", version="4.19.1"), managed("b")]
    code, _, err = fleet.ran("--update", "--model", "unheard-of@v1", clusters=found)
    assert code == 2
    assert "expected a registered model" in err
    assert (fleet.files(), fleet.text("edge-a")) == ({"edge-a.yaml"}, EDGE)


def test_folder_that_cannot_be_written_is_left_as_it_was(fleet: Fleet) -> None:
    (fleet.folder / "clusters" / "b.yaml").mkdir()
    code, _, err = fleet.ran(clusters=[managed("a"), managed("b")])
    assert code == 2
    assert "cannot write it" in err
    assert fleet.files() == {"b.yaml"}


def test_old_version_is_reported_and_written(fleet: Fleet) -> None:
    row = fleet.rows(clusters=[managed("old", version="4.14.3")])["old"]
    assert "openshift 4.14 is older than 4.18, the oldest that hubctl supports" in row["notes"]
    assert row["status"] == "new"


def test_contexts_without_probe_need_to_be_told_what_they_are(fleet: Fleet) -> None:
    config = fleet.kubeconfig("edge-a", "edge-b")
    code, _, err = fleet.ran("--kubeconfig", config)
    assert code == 2
    assert "its platform and version are not known" in err
    assert "--probe" in err
    code, _, _ = fleet.ran("--kubeconfig", config, "--platform", "kubernetes", "--version", "1.33")
    assert code == 0
    assert yaml.safe_load(fleet.text("edge-a"))["metadata"]["annotations"] == {"hubctl.io/api-server": "https://0"}


def test_hub_is_left_out_and_that_is_said(fleet: Fleet) -> None:
    _, _, err = fleet.ran(clusters=[managed("boss", labels={"local-cluster": "true"})])
    assert "left out boss" in err
    assert fleet.files() == set()
    fleet.ran("--with-hub", clusters=[managed("boss", labels={"local-cluster": "true"})])
    assert fleet.files() == {"boss.yaml"}


@pytest.mark.parametrize(
    "words",
    [(), ("--kubeconfig", "a", "-f", "b"), ("-f", "b", "--probe"), ("-f", "none.yaml"), ("-f", "-", "--rename", "x")],
)
def test_words_that_do_not_fit_are_refused(fleet: Fleet, words: tuple[str, ...]) -> None:
    assert fleet.ran(*words)[0] == 2


def test_cluster_that_does_not_answer_exits_as_a_remote_that_failed(fleet: Fleet) -> None:
    config = fleet.kubeconfig("edge-a")
    Path(config).write_text(Path(config).read_text().replace("https://0", "https://127.0.0.1:1"))
    code, _, err = fleet.ran("--kubeconfig", config, "--probe", "--timeout", "2")
    assert code == 3
    assert "did not answer" in err
