"""Schemas pulled from files, and what validate, diff and publish make of them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.cli import main
from tests.conform.crds import TEXT, definition, obj

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs hubctl on a fleet of two spokes: code, output, errors."""
    monkeypatch.delenv("HUBCTL_SCHEMAS", raising=False)
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote)], check=True)

    def started(*arguments: str) -> tuple[int, str, str]:
        code = main.run(["-C", str(tmp_path / "fleet"), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    (tmp_path / "fleet" / "clusters").mkdir(parents=True)
    gitops = {"remote": str(remote), "repoURL": "https://git.example.com/fleet.git"}
    models = {"kserve": {"models": [{"name": "anomaly-detector"}]}}
    write_values(tmp_path / "fleet", {"coordinationEngine": models, "hubctl": {"gitops": gitops}})
    for spoke in ("edge-a", "edge-b"):
        code, _, err = started("clusters", "add", spoke, "--model", "anomaly-detector@v1")
        assert code == 0, err
    return started


def write_values(fleet: Path, values: dict[str, Any]) -> None:
    (fleet / "values-hub.yaml").write_text(yaml.safe_dump(values))


@pytest.fixture
def crds(tmp_path: Path) -> Path:
    """CRDs of what the fleet renders: a right one of InferenceService, and one of AppProject."""
    folder = tmp_path / "crds"
    folder.mkdir()
    write(folder, "InferenceService", "serving.kserve.io", "v1beta1", {"type": "object", **OPEN})
    write(folder, "AppProject", "argoproj.io", "v1alpha1", {"type": "object", **OPEN})
    return folder


OPEN = {"x-kubernetes-preserve-unknown-fields": True}


def write(folder: Path, kind: str, group: str, version: str, spec: dict[str, Any]) -> None:
    made = definition(spec, version=version, **OPEN)
    made["spec"] |= {"group": group, "names": {"kind": kind, "plural": "x"}}
    (folder / f"{kind}.yaml").write_text(yaml.safe_dump(made))


def narrow(crds: Path) -> None:
    """An InferenceService without a predictor."""
    write(crds, "InferenceService", "serving.kserve.io", "v1beta1", obj(predictors=TEXT))


def test_pulled_schemas_are_listed_with_their_source(run: Run, crds: Path) -> None:
    assert run("schemas", "pull", "--from", str(crds))[0] == 0
    listed = json.loads(run("schemas", "list", "-o", "json")[1])["schemas"]
    assert [one["kind"] for one in listed] == ["AppProject", "InferenceService"]
    assert {one["for"] for one in listed} == {"all"}
    assert listed[0]["source"].endswith("AppProject.yaml")


def test_dry_run_of_a_pull_writes_nothing(run: Run, crds: Path, tmp_path: Path) -> None:
    code, out, _ = run("schemas", "pull", "--from", str(crds), "--dry-run", "-o", "json")
    assert code == 0
    assert len(json.loads(out)["added"]) == 2
    assert not (tmp_path / "fleet" / ".hubctl" / "schemas").exists()


def test_only_named_kinds_are_pulled_and_a_misspelt_one_is_answered(run: Run, crds: Path) -> None:
    code, out, _ = run("schemas", "pull", "--from", str(crds), "--kind", "AppProject", "-o", "json")
    assert (code, [one["kind"] for one in json.loads(out)["added"]]) == (0, ["AppProject"])
    code, _, err = run("schemas", "pull", "--from", str(crds), "--kind", "AppProjct")
    assert code == 2
    assert "did you mean AppProject?" in err


def test_kinds_without_a_schema_are_one_line_that_says_how_to_get_them(run: Run, crds: Path) -> None:
    run("schemas", "pull", "--from", str(crds))
    code, _, err = run("validate")
    assert code == 0
    [line] = [line for line in err.splitlines() if line.startswith("not checked:")]
    assert "ConfigMap (v1)" in line
    assert "InferenceService" not in line
    assert "hubctl schemas pull" in line


def test_strict_schemas_make_a_kind_without_one_an_error(run: Run, crds: Path) -> None:
    run("schemas", "pull", "--from", str(crds))
    code, _, err = run("validate", "--strict-schemas")
    assert code == 2
    assert "kinds without a cached schema" in err


def test_object_that_its_schema_refuses_fails_validate_and_is_not_published(run: Run, crds: Path) -> None:
    narrow(crds)
    run("schemas", "pull", "--from", str(crds))
    code, _, err = run("validate")
    assert code == 2
    assert "spokes/*/inferenceservice-anomaly-detector.yaml InferenceService anomaly-detector spec.predictor" in err
    assert "unknown field (on 2 spokes: edge-a, edge-b)" in err
    assert "did you mean predictors?" in err
    code, _, err = run("publish")
    assert code == 2
    assert "spec.predictor: unknown field" in err
    code, _, err = run("diff", "--summary")
    assert code == 1  # Nothing is on the branch yet, so everything is new.
    assert "publish will refuse spokes/*/inferenceservice-anomaly-detector.yaml" in err


def test_render_shows_what_is_refused(run: Run, crds: Path) -> None:
    narrow(crds)
    run("schemas", "pull", "--from", str(crds))
    code, out, _ = run("render", "--cluster", "edge-a")
    assert code == 0
    assert "kind: InferenceService" in out


def test_schema_for_the_hub_does_not_hold_for_spokes(run: Run, crds: Path) -> None:
    narrow(crds)
    run("schemas", "pull", "--from", str(crds), "--for", "hub")
    assert run("validate")[0] == 0
    run("schemas", "pull", "--from", str(crds), "--for", "spokes")
    assert run("validate")[0] == 2


def test_folder_of_the_values_is_used_and_the_variable_goes_before_it(
    run: Run, crds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fleet" / "values-hub.yaml"
    values = yaml.safe_load(path.read_text())
    values["hubctl"]["schemas"] = {"folder": "of-clusters", "required": True}
    write_values(path.parent, values)
    run("schemas", "pull", "--from", str(crds))
    assert (tmp_path / "fleet" / "of-clusters" / "index.json").is_file()
    code, _, err = run("publish")
    assert code == 2
    assert "without a cached schema" in err
    monkeypatch.setenv("HUBCTL_SCHEMAS", str(tmp_path / "other"))
    run("schemas", "pull", "--from", str(crds))
    assert (tmp_path / "other" / "index.json").is_file()


def test_validate_says_how_much_it_checked_as_data(run: Run, crds: Path) -> None:
    run("schemas", "pull", "--from", str(crds))
    data = json.loads(run("validate", "-o", "json")[1])
    assert data["valid"]
    assert data["checked"] == 3
    assert {one["kind"] for one in data["unchecked"]} >= {"ConfigMap", "ApplicationSet"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "--spoke", "edge-a"],
        ["validate", "--context", "hub"],
        ["validate", "--server", "--spoke", "edge-a"],
        ["validate", "--server", "--kubeconfig", "nowhere"],
        ["schemas", "pull", "--from", ".", "--every"],
        ["schemas", "pull", "--kubeconfig", "nowhere"],
    ],
    ids=" ".join,
)
def test_wrong_use_says_what_is_missing(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err


def test_cluster_that_does_not_answer_exits_with_3(run: Run, tmp_path: Path) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    for command in (["schemas", "pull"], ["validate", "--server"]):
        code, _, err = run(*command, "--kubeconfig", str(tmp_path / "kubeconfig"))
        assert code == 3
        assert "127.0.0.1:1" in err
        assert "hint" in err


def test_doctor_tells_of_kinds_that_are_not_checked(run: Run, crds: Path) -> None:
    run("schemas", "pull", "--from", str(crds))
    checks = {one["name"]: one for one in json.loads(run("doctor", "--no-poll", "-o", "json")[1])["checks"]}
    assert checks["schemas"]["state"] == "warning"
    assert "hubctl schemas pull" in checks["schemas"]["hint"]
    narrow(crds)
    run("schemas", "pull", "--from", str(crds))
    checks = {one["name"]: one for one in json.loads(run("doctor", "--no-poll", "-o", "json")[1])["checks"]}
    assert checks["schemas"]["state"] == "failed"
