"""``render --explain``: each place that it names is where the value really comes from, tried by changing it there."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.cli import main
from hubctl.cli.tracing import _Finder, steps_of
from hubctl.errors import InputError
from hubctl.inputs.load import load_inputs
from hubctl.inputs.origin import BUILT_IN
from hubctl.render import context, watch
from hubctl.render.tree import Making
from hubctl.settings import Settings

VALUES: dict[str, Any] = {
    "coordinationEngine": {
        "kserve": {
            "enabled": True,
            "namespace": "fleet-ns",
            "predictorPort": 8080,
            "models": [{"name": "anomaly-detector", "namespace": "reg-ns", "service": "reg-svc"}],
            "services": {"disk_anomaly": "disk-svc"},
            "predictiveAnalyticsService": "pa-svc",
        }
    },
    "hubctl": {
        "gitops": {"remote": "https://git.example.com/fleet.git", "branch": "main"},
        "models": {
            "anomaly-detector": {
                "min_replicas": 1,
                "maxReplicas": 4,
                "output": "labels",
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            },
            "disk-anomaly": {"path": "all/{model}"},
        },
    },
}
MODELS = ("anomaly-detector", "disk-anomaly", "predictive-analytics")


def spoke(name: str, **spec: Any) -> dict[str, Any]:
    models = [{"name": model, "version": "v1"} for model in reversed(MODELS)]
    return {
        "apiVersion": "hubctl.io/v1alpha1",
        "kind": "Spoke",
        "metadata": {"name": name},
        "spec": {"platform": "openshift", "version": "4.18", "models": models, **spec},
    }


def override(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "hubctl.io/v1alpha1", "kind": "Override", "metadata": {"name": name}, "spec": spec}


FULL = spoke(
    "full",
    topology="sno",
    destination={"name": "argo-full"},
    namespace="full-ns",
    storage={"type": "pvc", "claim": "own", "size": "5Gi", "storageClass": "fast", "accessMode": "ReadWriteMany"},
    models=[{"name": "anomaly-detector", "version": "v1", "namespace": "own-ns", "service": "own-svc"}],
    overrides={"models": {"anomaly-detector": {"maxReplicas": 9, "resources": {"limits": {"cpu": "2"}}}}},
)
FULL["metadata"]["labels"] = {"team": "ml"}
FILES: dict[str, Any] = {
    "values-hub.yaml": VALUES,
    "clusters/bare.yaml": spoke("bare", topology="ha"),
    "clusters/full.yaml": FULL,
    "clusters/s3.yaml": spoke(
        "s3", platform="kubernetes", topology="ha", storage={"type": "s3", "bucket": "bkt", "prefix": "pre"}
    ),
    "overrides/a.yaml": override("early", cluster="full", models=[{"name": "anomaly-detector", "version": "v7"}]),
    "overrides/b.yaml": override("late", cluster="full", models=[{"name": "anomaly-detector", "version": "v8"}]),
    "overrides/c.yaml": override(
        "lapsed", cluster="full", models=[{"name": "anomaly-detector", "version": "v9", "insteadOf": "v0"}]
    ),
    "overrides/q.yaml": override("isolate", cluster="bare", quarantine=True),
}
FLIPPED = {"kubernetes": "openshift", "sno": "ha"}
OTHER = {
    "platform": "kubernetes",
    "version": "4.99",
    "topology": "sno",
    "accessMode": "ReadWriteOnce",
    "size": "7Gi",
    "output": "forecast",
    "path": "other/{model}",
    "cpu": "3",
    "memory": "3Gi",
    "remote": "https://git.example.com/other.git",
}
"""Another value that the key may have, where ``other`` is none."""


def write(folder: Path, files: dict[str, Any]) -> Settings:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False))
    return Settings(folder, folder / "state")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def contexts(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    inputs = load_inputs(settings)
    for cluster in inputs.clusters:
        yield cluster.name, context.spoke_context(inputs, cluster)
    yield "hub", context.hub_context(inputs)


def edited(content: Any, field: str) -> Any:
    """The file with another value at a field."""
    made = copy.deepcopy(content)
    *path, last = steps_of(field)
    holder = made
    for step in path:
        holder = holder[step]
    old = holder[last]
    other = old + 1 if isinstance(old, int) else FLIPPED.get(old, OTHER.get(str(last), "other"))
    holder[last] = not old if isinstance(old, bool) else other
    return made


def tried(name: str, file: str, field: str) -> bool:
    """Whether a value can be changed alone: not a name that other files repeat, and no type that brings other keys."""
    renames = field == "metadata.name" and file.startswith("clusters/")
    return not (renames or field.endswith(("].name", "storage.type"))) and name != "platforms"


def test_each_place_of_each_value_is_where_it_comes_from(folder: Path, subtests: pytest.Subtests) -> None:
    settings = Settings(folder, folder / "state")
    inputs, count = load_inputs(settings), 0
    for owner, seen in contexts(settings):
        find = _Finder(settings, inputs, Making("", seen, owner))
        for trail in watch.leaves(seen, ()):
            for place in find(trail):
                where, _, field = place.partition(" ")
                file, _, line = where.partition(":")
                if not line or not tried(str(trail[0]), file, field):
                    continue
                count += 1
                with subtests.test(owner=owner, trail=trail, place=place):
                    write(folder, {file: edited(FILES[file], field)})
                    changed = dict(contexts(settings))[owner]
                    assert watch.at(changed, trail) != watch.at(seen, trail)
                write(folder, FILES)
    assert count > 80


def test_every_value_that_templates_see_has_a_place(folder: Path) -> None:
    settings = Settings(folder, folder / "state")
    inputs = load_inputs(settings)
    for owner, seen in contexts(settings):
        find = _Finder(settings, inputs, Making("", seen, owner))
        for trail in watch.leaves(seen, ()):
            assert all(find(trail)), trail
            assert find(trail), trail


def test_built_in_default_is_one_that_no_file_sets(folder: Path) -> None:
    settings = Settings(folder, folder / "state")
    inputs = load_inputs(settings)
    seen = dict(contexts(settings))["bare"]
    find = _Finder(settings, inputs, Making("", seen, "bare"))
    assert find(("storage", "claim")) == (f"{BUILT_IN}spec.storage.claim",)
    assert find(("models", 0, "format")) == (f"{BUILT_IN}hubctl.models.anomaly-detector.format",)


def explained(folder: Path, capsys: pytest.CaptureFixture[str], asked: str, expect: int = 0) -> str:
    assert main.run(["-C", str(folder), "render", "--explain", asked]) == expect
    captured = capsys.readouterr()
    return captured.out if expect == 0 else captured.err


SERVICE = "spokes/full/inferenceservice-anomaly-detector.yaml"


@pytest.mark.parametrize(
    ("field", "value", "place", "written"),
    [
        ("spec.predictor.maxReplicas", "model.maxReplicas", "clusters/full.yaml", "maxReplicas: 9"),
        ("spec.predictor.minReplicas", "model.minReplicas", "values-hub.yaml", "min_replicas: 1"),
        ('metadata.labels["app.kubernetes.io/version"]', "model.version", "overrides/b.yaml", "version: v8"),
        ("spec.predictor.model.modelFormat.name", "model.format", "built-in default", ""),
    ],
)
def test_field_is_explained_with_file_and_line(
    folder: Path, capsys: pytest.CaptureFixture[str], field: str, value: str, place: str, written: str
) -> None:
    heading, columns, *rows = explained(folder, capsys, f"{SERVICE}:{field}").splitlines()
    assert heading.endswith("made by template spoke/inferenceservice.each-model.yaml.j2 (packaged)")
    assert columns.split() == ["VALUE", "IS", "FROM"]
    (row,) = rows
    assert row.startswith(f"{value} ")
    assert f"  {place}" in row
    if written:
        line = int(row.partition(f"{place}:")[2].split()[0])
        assert (folder / place).read_text().splitlines()[line - 1].strip() == written


def test_path_may_begin_with_the_rendered_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(folder, capsys, f"rendered/{SERVICE}") == explained(folder, capsys, SERVICE)


def test_template_of_the_folder_is_named_as_such(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "templates/spoke").mkdir(parents=True)
    (folder / "templates/spoke/storage.yaml.j2").write_text("")
    out = explained(folder, capsys, "spokes/full/storage.yaml")
    assert "not made: it is empty by template spoke/storage.yaml.j2 (templates/ of this folder)" in out


def test_file_that_a_quarantine_takes_away_is_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = explained(folder, capsys, "spokes/bare/delivery.yaml")
    assert "not made" in out
    assert "overrides/q.yaml:7 spec.quarantine" in out


def test_constant_field_is_said_to_stand_in_the_template(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "it stands in the template" in explained(folder, capsys, f"{SERVICE}:apiVersion")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("spokes/full/none.yaml", "no template makes 'spokes/full/none.yaml'"),
        (f"{SERVICE}:spec.predictor.minReplica", "did you mean spec.predictor.minReplicas?"),
        (f"{SERVICE}:spec..x", "cannot read the field 'spec..x' from '..x' on"),
        (f'{SERVICE}:metadata.labels["x', "cannot read the field"),
        (f'{SERVICE}:metadata.labels["\\q"]', "has no field"),
    ],
)
def test_what_is_not_there_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str], asked: str, said: str) -> None:
    assert said in explained(folder, capsys, asked, expect=2)


@pytest.mark.parametrize("flag", ["--check", "--cluster=full", "--output=x"])
def test_explain_is_about_one_file(folder: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert main.run(["-C", str(folder), "render", "--explain", SERVICE, flag]) == 2
    assert "--explain" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a.b[0].c", ("a", "b", 0, "c")),
        ("env[name=A B].value", ("env", ("A B",), "value")),
        ('labels["x.y/z"]', ("labels", "x.y/z")),
        ('a["q\\"\\\\"]', ("a", 'q"\\')),
    ],
)
def test_field_is_read_as_diff_writes_it(text: str, steps: tuple[Any, ...]) -> None:
    assert steps_of(text) == steps


def test_odd_field_is_refused() -> None:
    with pytest.raises(InputError, match="cannot read"):
        steps_of("a[")
