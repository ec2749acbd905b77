"""Files of a folder to HubInputs."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.inputs import load_inputs, parse_overrides, reload
from hubctl.inputs.document import parse
from hubctl.model.route import AcmRoute, UrlRoute
from hubctl.settings import Settings
from tests.effort import times
from tests.inputs.inputfolder import OVERRIDE, SPOKE, VALUES, Folder

ROOT = Path(__file__).parents[2]


def test_small_folder_becomes_a_fleet(folder: Folder) -> None:
    inputs = folder.load()
    (cluster,) = inputs.clusters
    (model,) = cluster.models
    assert (cluster.name, cluster.destination, cluster.source) == ("edge-a", "edge-a", "clusters/edge-a.yaml")
    assert (model.version, model.namespace, model.service) == ("v3", "models", "anomaly-detector-predictor")


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("after.yaml", {"anomaly-detector-predictor", "predictive-analytics-predictor"}),
        ("models.yaml", {"anomaly-detector-predictor", "predictive-analytics-predictor"}),
        ("chart.yaml", {"anomaly-detector-stable", "predictive-analytics-stable"}),
    ],
)
def test_each_spelling_of_the_registry_is_read(folder: Folder, data: Path, name: str, services: set[str]) -> None:
    folder.write("values-hub.yaml", (data / name).read_text())
    registry = folder.load().values.kserve.registry
    assert {model.service for model in registry} == services
    assert [model.name for model in registry] == ["anomaly-detector", "predictive-analytics"]


def test_platforms_old_values_are_refused_with_the_way_out(folder: Folder, data: Path) -> None:
    folder.write("values-hub.yaml", (data / "before.yaml").read_text())
    (problem,) = folder.problems()
    assert problem.where == "values-hub.yaml:8 coordinationEngine.mlService"
    assert "no platform ever deployed" in problem.message
    assert "hubctl migrate" in problem.hint


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("hubctI: {}\n", "values-hub.yaml:7 hubctI: 'hubctI' is ignored; did you mean hubctl?"),
        ("coordinationengine: {}\n", "'coordinationengine' is ignored; did you mean coordinationEngine?"),
        ("Hubctl: {}\n", "'Hubctl' is ignored; did you mean hubctl?"),
        ("  kserv: {}\n", "values-hub.yaml:7 coordinationEngine.kserv: 'kserv' is ignored; did you mean kserve?"),
    ],
)
def test_other_keys_that_look_like_ours_are_warned_about(folder: Folder, text: str, warning: str) -> None:
    folder.write("values-hub.yaml", VALUES + text)
    assert any(warning in found for found in folder.load().warnings)


def test_other_peoples_keys_raise_no_warning(folder: Folder) -> None:
    extra = "  enabled: true\n  replicas: 2\n  image: {tag: x}\nclusterGroup: {}\nglobal: {}\nhub: {}\n"
    folder.write("values-hub.yaml", VALUES + extra)
    assert not any("is ignored" in warning for warning in folder.load().warnings)


def test_missing_values_file_is_an_error_that_names_the_folder(folder: Folder) -> None:
    (folder.root / "values-hub.yaml").unlink()
    (problem,) = folder.problems()
    assert str(folder.root) in problem.message


def test_file_must_be_named_after_its_spoke(folder: Folder) -> None:
    folder.write("clusters/edge-b.yml", SPOKE.replace("edge-a", "edge-c"))
    (problem,) = folder.problems()
    assert problem.where == "clusters/edge-b.yml:4 metadata.name"
    assert problem.message == "found 'edge-c', expected the file's name 'edge-b'"


def test_spoke_in_two_files_is_refused(folder: Folder) -> None:
    folder.write("clusters/edge-a.yml", SPOKE)
    (problem,) = folder.problems()
    assert "clusters/edge-a.yaml describes it too" in problem.message


def test_hidden_files_and_readmes_are_ignored(folder: Folder) -> None:
    folder.write("clusters/.edge-a.yaml.swp", "\x00").write("clusters/README.md", "x").write("clusters/.x.yaml", "[")
    assert len(folder.load().clusters) == 1


def test_folder_without_spokes_is_a_warning(folder: Folder) -> None:
    (folder.root / "clusters/edge-a.yaml").unlink()
    assert folder.load().warnings == ("clusters/ holds no spoke; add one with `hubctl clusters add NAME`",)


def test_folder_that_cannot_be_listed_is_never_an_empty_fleet(folder: Folder) -> None:
    (folder.root / "clusters/edge-a.yaml").unlink()
    (folder.root / "clusters").rmdir()
    folder.write("clusters", "a file")
    (problem,) = folder.problems()
    assert (problem.where, problem.message) == ("clusters/", "cannot list it: Not a directory")


def test_cluster_file_with_a_misspelt_suffix_is_warned_about(folder: Folder) -> None:
    folder.write("clusters/edge-b.ymal", SPOKE).write("clusters/notes.txt", "x")
    assert "clusters/edge-b.ymal is ignored; expected a name that ends with .yaml" in folder.load().warnings


def test_file_name_with_a_space_is_told_as_it_is(folder: Folder) -> None:
    folder.write("clusters/my spoke.yaml", "kind: x\n")
    assert folder.problems()[0].where == "clusters/my spoke.yaml:1 apiVersion"


@pytest.mark.parametrize("overrides", ["rendered", "rendered/pins"])
def test_overrides_inside_the_rendered_folder_are_refused(folder: Folder, overrides: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl: {{gitops: {{overrides: {overrides}}}}}\n")
    (problem,) = folder.problems()
    assert problem.where == "values-hub.yaml:7 hubctl.gitops.overrides"
    assert problem.message == f"found '{overrides}', expected a folder apart from gitops.path, which is 'rendered'"


def test_unregistered_model_is_refused_with_the_nearest_name(folder: Folder) -> None:
    folder.change("clusters/edge-a.yaml", "name: anomaly-detector", "name: anomaly-detecter")
    (problem,) = folder.problems()
    assert problem.where == "clusters/edge-a.yaml:9 spec.models[0].name"
    assert problem.hint == "did you mean anomaly-detector?"


def test_model_listed_twice_is_refused(folder: Folder) -> None:
    folder.write("clusters/edge-a.yaml", SPOKE + "    - name: anomaly-detector\n      version: v4\n")
    (problem,) = folder.problems()
    assert problem.where == "clusters/edge-a.yaml:11 spec.models[1].name"
    assert "also on line 9" in problem.message


def test_patch_of_a_model_that_is_not_served_is_refused(folder: Folder) -> None:
    folder.write("clusters/edge-a.yaml", SPOKE + "  overrides: {models: {anomaly-detectr: {runtime: x}}}\n")
    (problem,) = folder.problems()
    assert problem.where == "clusters/edge-a.yaml:11 spec.overrides.models.anomaly-detectr"
    assert problem.hint == "did you mean anomaly-detector?"


def test_fewest_replicas_above_most_are_refused(folder: Folder) -> None:
    folder.write("clusters/edge-a.yaml", SPOKE + "  overrides: {models: {anomaly-detector: {minReplicas: 3}}}\n")
    (problem,) = folder.problems()
    assert problem.where == "clusters/edge-a.yaml:11 spec.overrides.models.anomaly-detector"
    assert "minReplicas 3 and maxReplicas 1" in problem.message


def test_route_of_the_model_wins_over_spoke_and_fleet(folder: Folder) -> None:
    route = "{type: url, url: 'https://%s.example'}"
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  observe:\n    route: {route % 'fleet'}\n")
    seen = [folder.load().clusters[0].models[0].route]
    folder.change("clusters/edge-a.yaml", "  models:", "  route: {type: acm, host: hub.example}\n  models:")
    seen.append(folder.load().clusters[0].models[0].route)
    folder.change("clusters/edge-a.yaml", "version: v3", f"version: v3\n      route: {route % 'model'}")
    seen.append(folder.load().clusters[0].models[0].route)
    fleet, model = UrlRoute(url="https://fleet.example"), UrlRoute(url="https://model.example")
    assert seen == [fleet, AcmRoute(host="hub.example", scheme="http", port=80), model]


def test_overrides_on_disk_are_read_when_none_are_given(folder: Folder) -> None:
    folder.write("overrides/rem-1.yaml", OVERRIDE).write("overrides/README.md", "x")
    cluster = folder.load().clusters[0]
    assert (cluster.models[0].version, cluster.overridden_by) == ("v2", ("rem-1",))


def test_given_overrides_replace_those_on_disk(folder: Folder) -> None:
    folder.write("overrides/rem-1.yaml", OVERRIDE)
    assert folder.load({}).clusters[0].models[0].version == "v3"


def test_overrides_folder_follows_the_values(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl: {{gitops: {{overrides: pins}}}}\n").write("pins/a.yaml", OVERRIDE)
    assert [name for name, _ in folder.load().overrides] == ["a.yaml"]


def test_broken_published_override_names_its_line() -> None:
    with pytest.raises(InputError) as caught:
        parse_overrides({"x.yaml": OVERRIDE.replace("cluster:", "clutser:").encode()})
    assert caught.value.where == "overrides/x.yaml:3 spec.cluster"
    assert [one.where for one in caught.value.also] == ["overrides/x.yaml:4 spec.clutser"]


def test_reload_merges_other_overrides_without_reading_again(folder: Folder) -> None:
    sources = folder.sources()
    (folder.root / "clusters/edge-a.yaml").unlink()
    again = reload(sources, {"rem-1.yaml": OVERRIDE.encode(), "notes.txt": b"\x00"})
    assert again.clusters[0].models[0].version == "v2"


def test_runs_own_remote_wins_and_argo_cd_keeps_the_files(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl: {{gitops: {{remote: https://git.example/fleet}}}}\n")
    gitops = load_inputs(folder.settings("/srv/fleet.git")).values.hubctl.gitops
    assert (gitops.remote, gitops.repo_url) == ("/srv/fleet.git", "https://git.example/fleet")


def test_runs_own_remote_may_hold_no_password(folder: Folder) -> None:
    with pytest.raises(InputError, match="without user and password") as caught:
        load_inputs(folder.settings("https://me:s3cret@git.example/x"))
    assert "s3cret" not in str(caught.value)


def test_names_that_nothing_uses_are_warned_about(folder: Folder) -> None:
    hubctl = {
        "models": {"anomaly-detectr": {}},
        "remediation": {"policies": [{"name": "p", "on": "model-fault", "action": "notify", "models": ["x"]}]},
    }
    folder.write("values-hub.yaml", VALUES + yaml.safe_dump({"hubctl": hubctl}))
    assert folder.load().warnings == (
        "model 'predictive-analytics' is registered but no spoke serves it",
        "hubctl.models.anomaly-detectr: no model 'anomaly-detectr' is registered; did you mean anomaly-detector?",
        "hubctl.remediation policy 'p': no model 'x' is registered",
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cut=st.integers(0, len(VALUES)),
    junk=st.text(alphabet="hubctl:-[]{}&*!|>'\"\n\t 0.~", max_size=30),
    name=st.sampled_from(["values-hub.yaml", "clusters/edge-a.yaml", "overrides/a.yaml"]),
)
def test_arbitrary_text_loads_or_is_refused(folder: Folder, cut: int, junk: str, name: str) -> None:
    folder.write("values-hub.yaml", VALUES).write("clusters/edge-a.yaml", SPOKE).write("overrides/a.yaml", OVERRIDE)
    text = (folder.root / name).read_text()
    folder.write(name, text[:cut] + junk + text[cut:])
    where = ""
    try:
        folder.load()
    except InputError as error:
        where = error.where
    assert where.startswith(("", "values-hub.yaml:", "clusters/edge-a.yaml:", "overrides/a.yaml:")[bool(where) :])


def trails(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [trail] * bool(trail) + [one for key, inner in pairs for one in trails(inner, (*trail, key))]


ODD: list[Any] = [
    None,
    1,
    -1.5,
    True,
    "",
    "X Y",
    [],
    {},
    ["a"],
    {"type": "acm"},
    {"type": {}},
    "https://a:b@c",
    "{x}",
    10**400,
]
SAMPLES = ("values-hub.yaml", "clusters/edge-factory.yaml")
TREES = {name: parse((ROOT / name).read_text(), name).data for name in SAMPLES}
PLACES = [(name, trail) for name, tree in TREES.items() for trail in trails(tree)]


@settings(max_examples=times(60, 150), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.sampled_from(PLACES), odd=st.sampled_from(ODD))
def test_any_odd_value_anywhere_is_accepted_or_told_by_field(folder: Folder, place: Any, odd: object) -> None:
    name, trail = place
    trees = copy.deepcopy(TREES)
    parent = trees[name]
    for part in trail[:-1]:
        parent = parent[part]
    parent[trail[-1]] = odd
    (folder.root / "clusters/edge-a.yaml").unlink(missing_ok=True)
    for file, tree in trees.items():
        folder.write(file, yaml.safe_dump(tree))
    told: list[str] = []
    shown = ""
    try:
        folder.load()
    except InputError as error:
        told = [one.where for one in (error, *error.also)]
        shown = "".join(str(one) for one in (error, *error.also))
    assert "a:b@" not in shown
    assert all(re.fullmatch(r"(values-hub|clusters/edge-factory)\.yaml:\d+ \S+", where) for where in told)


def test_thousand_spokes_load(folder: Folder) -> None:
    for number in range(1000):
        folder.write(f"clusters/spoke-{number:04}.yaml", SPOKE.replace("edge-a", f"spoke-{number:04}"))
    assert len(folder.load().clusters) == 1001


def test_samples_of_the_repository_load_without_warnings() -> None:
    inputs = load_inputs(Settings(directory=ROOT, state=ROOT / ".hubctl"))
    assert [cluster.name for cluster in inputs.clusters] == ["cloud-eu", "edge-factory", "edge-store"]
    assert inputs.warnings == ()
    assert all(model.profile.features for cluster in inputs.clusters for model in cluster.models)
