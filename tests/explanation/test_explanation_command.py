"""``render --explain`` as people use it: what it names for each kind of input, and what it says to mistakes."""

import json
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
import yaml

from hubctl.cli import main, origins, tracing
from hubctl.inputs.migrate import migrate
from tests.explanation.explainedfolder import Folder, where

MODEL = "spokes/edge-a/inferenceservice-anomaly-detector.yaml"
HOST = "spokes/edge-a/exposure-anomaly-detector.yaml:spec.rules[0].host"
LABEL = "metadata.labels.tier"
MATCH = "hubctl.groups[0].match.tier"


def test_value_of_a_groups_patch_is_found_with_what_brings_the_group(folder: Folder) -> None:
    assert folder.origins(f"{MODEL}:spec.predictor.maxReplicas") == [
        ("value", "values-hub.yaml:17 hubctl.groups[0].models.anomaly-detector.maxReplicas"),
        ("decides", f"clusters/edge-a.yaml:5 {LABEL}"),
        ("decides", f"values-hub.yaml:14 {MATCH}"),
    ]


def test_spokes_own_patch_wins_over_group_and_fleet(folder: Folder) -> None:
    assert folder.origins(f"{MODEL}:spec.predictor.minReplicas") == [
        ("value", "clusters/edge-a.yaml:14 spec.overrides.models.anomaly-detector.minReplicas")
    ]


def test_fleets_profile_counts_where_no_group_does(folder: Folder) -> None:
    path = "spokes/edge-b/inferenceservice-anomaly-detector.yaml"
    assert folder.origins(f"{path}:spec.predictor.maxReplicas")[0] == (
        "value",
        "values-hub.yaml:11 hubctl.models.anomaly-detector.maxReplicas",
    )


def test_pinned_version_is_the_overrides_as_long_as_the_cluster_file_says_the_same(folder: Folder) -> None:
    assert folder.origins(f'{MODEL}:metadata.labels["app.kubernetes.io/version"]') == [
        ("value", "overrides/one.yaml:6 spec.models[0].version"),
        ("decides", "clusters/edge-a.yaml:10 spec.models[0].version"),
        ("decides", "overrides/one.yaml:6 spec.models[0].insteadOf"),
    ]


def test_derived_value_names_what_it_is_derived_from(folder: Folder) -> None:
    asked = "spokes/edge-b/storage.yaml:spec.accessModes"
    assert folder.origins(asked) == [("decides", "clusters/edge-b.yaml:7 spec.topology")]
    folder.change("clusters/edge-b.yaml", "  topology: sno\n", "")
    assert folder.origins(asked) == [("decides", "default spec.topology")]


def test_what_no_file_sets_is_a_default_by_its_key(folder: Folder) -> None:
    found = folder.origins(f"{MODEL}:spec.predictor.model.storageUri")
    assert ("value", "default spec.storage.claim") in found
    assert ("value", "default hubctl.models.anomaly-detector.path") in found
    assert folder.origins(f"{MODEL}:spec.predictor.model.modelFormat.name") == [
        ("decides", "default hubctl.models.anomaly-detector.format")
    ]


def test_constant_is_named_as_templates_see_it(folder: Folder) -> None:
    assert folder.origins(f"{MODEL}:spec.predictor.model.readinessProbe.httpGet.port") == [
        ("value", "hubctl model.port")
    ]


def test_variables_of_the_engine_are_found_in_each_spelling(folder: Folder) -> None:
    (found,) = folder.explained("spokes/edge-a/coordination-engine.yaml:data")["objects"]
    origins = {value["path"]: where(value["origins"][0]) for value in found["fields"]}
    assert origins == {
        "data.ENABLE_KSERVE_INTEGRATION": "default coordinationEngine.kserve.enabled",
        "data.KSERVE_ANOMALY_DETECTOR_SERVICE": (
            "values-hub.yaml:5 coordinationEngine.kserve.anomaly_detector_service"
        ),
        "data.KSERVE_DISK_ANOMALY_SERVICE": "default coordinationEngine.kserve.models[0].service",
        "data.KSERVE_NAMESPACE": "values-hub.yaml:3 coordinationEngine.kserve.namespace",
        "data.KSERVE_PREDICTOR_PORT": "values-hub.yaml:4 coordinationEngine.kserve.predictor_port",
    }


def test_migrated_key_is_found_where_migration_put_it(folder: Folder) -> None:
    text, _ = migrate(
        "namespace: moved\ncoordinationEngine:\n  mlService: {enabled: true}\nhubctl:\n  gitops: {remote: r}\n"
    )
    folder.write("values-hub.yaml", text)
    folder.change("clusters/edge-a.yaml", "    - {name: disk-anomaly, version: v1}\n", "")
    folder.change("clusters/edge-a.yaml", "{minReplicas: 3}", "{minReplicas: 0}")
    line = folder.line("values-hub.yaml", "    namespace: moved")
    asked = "spokes/edge-a/coordination-engine.yaml:data.KSERVE_NAMESPACE"
    assert folder.origins(asked) == [("value", f"values-hub.yaml:{line} coordinationEngine.kserve.namespace")]


def test_value_in_a_block_names_what_decides_whether_the_block_is_there(folder: Folder) -> None:
    path = "spokes/edge-b/inferenceservice-anomaly-detector.yaml"
    (value,) = folder.explained(f"{path}:spec.predictor.deploymentStrategy")["objects"][0]["fields"]
    assert [(one["role"], where(one)) for one in value["origins"]] == [
        ("value", "template "),
        ("presence", "default spec.deploymentMode"),
        ("presence", "clusters/edge-b.yaml:7 spec.topology"),
        ("presence", "clusters/edge-b.yaml:9 spec.storage.type"),
    ]


def test_object_names_what_decides_whether_it_is_there(folder: Folder) -> None:
    found = folder.explained("spokes/edge-b/podmonitor.yaml")["objects"][0]
    assert [where(one) for one in found["because"]] == ["clusters/edge-b.yaml:10 spec.monitoring.podMonitor"]


def test_proof_says_what_was_tried_and_what_came_out(folder: Folder) -> None:
    (value,) = folder.explained("spokes/edge-b/storage.yaml:spec.accessModes")["objects"][0]["fields"]
    (one,) = value["origins"]
    assert (one["value"], one["tried"], one["gives"]) == ("sno", "ha", "ReadWriteMany")


def test_inputs_that_say_the_same_are_all_named(folder: Folder) -> None:
    folder.change("values-hub.yaml", "disks", "ml")
    found = folder.explained("spokes/edge-a/storage.yaml:metadata.namespace")["objects"][0]["fields"][0]["origins"]
    assert [(where(one), one["together"]) for one in found] == [
        ("values-hub.yaml:3 coordinationEngine.kserve.namespace", True),
        ("values-hub.yaml:7 coordinationEngine.kserve.models[0].namespace", True),
    ]


def test_line_is_that_of_the_macro_or_template_which_wrote_the_value(folder: Folder) -> None:
    (found,) = folder.explained("spokes/edge-a/own.yaml:ConfigMap/own")["objects"]
    written = {value["path"]: value["template"] for value in found["fields"]}
    assert written["data.models"] == {"name": "spoke/own.yaml.j2", "line": 16, "packaged": False, "computed": True}
    macro = written['metadata.labels["app.kubernetes.io/managed-by"]']
    assert (macro["name"], macro["packaged"], macro["computed"]) == ("provenance.j2", True, False)


def test_template_that_changes_its_own_text_is_told_without_lines(folder: Folder) -> None:
    folder.change("templates/spoke/own.yaml.j2", '"[[ models|length ]]"', "[[ labels()|length ]]")
    (value,) = folder.explained("spokes/edge-a/own.yaml:ConfigMap/own:data.count")["objects"][0]["fields"]
    assert value["template"] == {"name": "spoke/own.yaml.j2", "line": 0, "packaged": False, "computed": None}
    assert value["origins"][0]["kind"] == "template"


def test_what_a_secret_holds_is_never_shown(folder: Folder) -> None:
    (found,) = folder.explained("spokes/edge-a/own.yaml:Secret/own:stringData")["objects"]
    (value,) = found["fields"]
    assert value["value"] == "(redacted)"
    assert {one[key] for one in value["origins"] for key in ("value", "tried", "gives")} == {"(redacted)"}
    assert '"ml"' not in folder.run("--explain", "spokes/edge-a/own.yaml:Secret/own:stringData")


def test_remote_of_the_environment_is_named(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = "hub/appproject.yaml:spec.sourceRepos"
    monkeypatch.setenv("HUBCTL_REMOTE", "/elsewhere")
    assert folder.origins(asked) == [("value", "values-hub.yaml:9 hubctl.gitops.remote")]
    folder.change("values-hub.yaml", '  gitops: {remote: "https://git.example.com/a.git"}\n', "")
    (value,) = folder.explained(asked)["objects"][0]["fields"]
    assert [(one["kind"], one["file"]) for one in value["origins"]] == [("environment", "HUBCTL_REMOTE")]


def test_file_of_the_hub_is_explained_by_the_spokes_that_lead_to_it(folder: Folder) -> None:
    text = (folder.root / "clusters/edge-b.yaml").read_text()
    for name in ("edge-c", "edge-d", "edge-e"):
        folder.write(f"clusters/{name}.yaml", text.replace("edge-b", name))
    (value,) = folder.explained("hub/applicationset-openshift.yaml:metadata.name")["objects"][0]["fields"]
    assert [where(one) for one in value["origins"]] == [
        f"clusters/{name}.yaml:5 spec.platform" for name in ("edge-b", "edge-c", "edge-d")
    ]
    assert value["moreSpokes"] == 1


def test_row_of_one_spoke_in_a_file_of_the_hub_is_of_that_spoke(folder: Folder) -> None:
    found = folder.origins("hub/appproject.yaml:spec.destinations[0].name")
    assert found[0] == ("value", "clusters/edge-a.yaml:4 metadata.name")


def test_what_only_the_whole_fleet_makes_is_said_to_be_so(folder: Folder) -> None:
    own = (
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: size\n[[ labels() -]]\ndata:\n  n: "[[ spokes|length ]]"\n'
    )
    folder.write("templates/hub/size.yaml.j2", f'[% from "provenance.j2" import labels %]\n{own}')
    assert folder.origins("hub/size.yaml:data") == [("decides", "fleet ")]


def test_file_that_is_not_made_names_what_would_make_it(folder: Folder) -> None:
    folder.change("overrides/one.yaml", "  cluster: edge-a\n", "  cluster: edge-a\n  quarantine: true\n")
    out = folder.run("--explain", "spokes/edge-a/delivery.yaml")
    assert "is not made: spoke/delivery.yaml.j2 (packaged) renders to nothing" in out
    assert "overrides/one.yaml:5:3 spec.quarantine (is true)" in out
    found = folder.explained("spokes/edge-b/networkpolicy.yaml")
    assert not found["made"]
    assert [where(one) for one in found["unless"]] == ["default spec.networkPolicy"]


def test_data_is_as_its_schema_says(folder: Folder) -> None:
    check = jsonschema_rs.validator_for(origins.schema())
    for path in (MODEL, "spokes/edge-a/delivery.yaml", "hub/appproject.yaml", "spokes/edge-b/networkpolicy.yaml"):
        check.validate(folder.explained(path))
    assert yaml.safe_load(folder.run("--explain", MODEL, "-o", "yaml")) == folder.explained(MODEL)


def test_text_fits_a_terminal_of_100_columns(folder: Folder) -> None:
    long = [line for line in folder.run("--explain", MODEL).splitlines()[1:] if len(line) > 100]
    assert long == []


def test_path_may_begin_with_the_rendered_folder(folder: Folder) -> None:
    assert folder.run("--explain", f"rendered/{MODEL}") == folder.run("--explain", f"./{MODEL}")


def test_object_and_field_can_be_chosen(folder: Folder) -> None:
    path = "spokes/edge-a/storage.yaml"
    whole = folder.explained(path)["objects"]
    assert [one["namespace"] for one in whole] == ["disks", "ml"]
    (one,) = folder.explained(f"{path}:PersistentVolumeClaim/ml/model-storage-pvc:spec.resources")["objects"]
    assert (one["namespace"], [value["path"] for value in one["fields"]]) == ("ml", ["spec.resources.requests.storage"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("spokes/edge-a/deliver.yaml", "did you mean spokes/edge-a/delivery.yaml?"),
        ("spokes/edge-c/storage.yaml", "there is no spoke 'edge-c'; did you mean edge-"),
        ("hub/appprojec.yaml", "did you mean hub/appproject.yaml?"),
        ("elsewhere.yaml", "write it as spokes/NAME/FILE or hub/FILE"),
        (f"{MODEL}:spec.predictor.minReplica", "did you mean spec.predictor.minReplicas?"),
        (f"{MODEL}:spec..x", "cannot read the field 'spec..x' from '..x' on"),
        (f"{MODEL}:InferenceServce/anomaly-detector", "did you mean InferenceService/ml/anomaly-detector?"),
        (f"{MODEL}:ConfigMap/other", "expected one of InferenceService/ml/anomaly-detector"),
    ],
)
def test_what_is_not_there_is_an_error_with_what_to_do(folder: Folder, asked: str, said: str) -> None:
    assert said in folder.run("--explain", asked, expect=2).replace("\n  hint: ", "; ")


@pytest.mark.parametrize("flags", [["--check"], ["--cluster", "edge-a"], ["--output", "x"]])
def test_explanation_is_about_one_file(folder: Folder, flags: list[str]) -> None:
    assert "--explain is about one file" in folder.run("--explain", MODEL, *flags, expect=2)


def test_format_is_for_explanations_only(folder: Folder) -> None:
    assert "-o is for --explain" in folder.run("-o", "json", expect=2)


def test_fleet_that_is_switched_off_has_nothing_to_explain(folder: Folder) -> None:
    folder.change("values-hub.yaml", "    namespace: ml\n", "    namespace: ml\n    enabled: false\n")
    assert folder.run("--explain", MODEL) == ""


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        ("", ["hub/", "spokes/edge-a/", "spokes/edge-b/"]),
        ("spokes/edge-b", ["spokes/edge-b/"]),
        ("spokes/edge-b/de", ["spokes/edge-b/delivery.yaml"]),
        ("hub/appp", ["hub/appproject.yaml"]),
        ("nowhere/", []),
    ],
)
def test_paths_are_completed(folder: Folder, begun: str, expected: list[str]) -> None:
    context = click.Context(main.cli)
    context.params = {"directory": str(folder.root)}
    assert tracing.complete_paths(context, click.Option(["--explain"]), begun) == expected


def test_broken_inputs_complete_to_nothing(folder: Folder) -> None:
    folder.write("values-hub.yaml", "hubctl: [")
    context = click.Context(main.cli)
    context.params = {"directory": str(folder.root)}
    assert tracing.complete_paths(context, click.Option(["--explain"]), "spokes/edge-a/") == []


def test_every_value_of_every_sample_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(__file__).parents[2]
    for path in ("spokes/cloud-eu/storage.yaml", "spokes/edge-store/kustomization.yaml", "hub/kustomization.yaml"):
        assert main.run(["-C", str(root), "render", "--explain", path, "-o", "json"]) == 0
        found: Any = json.loads(capsys.readouterr().out)
        assert all(
            value["origins"] and value["template"]["line"] for one in found["objects"] for value in one["fields"]
        )
