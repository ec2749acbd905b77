"""Runtimes of the user's own, and where a model lies for them."""

from pathlib import Path
from typing import Any

import yaml

from hubctl.inputs import load_inputs
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

RUNTIMES = {
    "copied": {"image": "quay.io/fleet/sklearn:1", "formats": ["sklearn"], "port": 9000},
    "claimed": {"image": "quay.io/fleet/sklearn:1", "formats": ["sklearn"], "readsClaim": True},
}


def rendered(templates: Templates, folder: Path, *models: dict[str, str]) -> dict[str, Any]:
    """A spoke's files as data; each model names its runtime, and may name a namespace."""
    (folder / "clusters").mkdir()
    kserve = {"namespace": "models", "models": [{"name": model["name"]} for model in models]}
    gitops = {"remote": "https://git.example.com/fleet.git"}
    profiles = {model["name"]: {"runtime": model.pop("runtime")} for model in models}
    ours = {"gitops": gitops, "runtimes": RUNTIMES, "models": profiles}
    spec = {
        "platform": "kubernetes",
        "version": "1.33",
        "storage": {"type": "pvc", "claim": "store"},
        "models": [{"version": "v2", **model} for model in models],
    }
    spoke = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": "edge"}, "spec": spec}
    (folder / "values-hub.yaml").write_text(yaml.safe_dump({"coordinationEngine": {"kserve": kserve}, "hubctl": ours}))
    (folder / "clusters/edge.yaml").write_text(yaml.safe_dump(spoke))
    files = render_tree(load_inputs(Settings(directory=folder, state=folder / ".hubctl")), templates).files
    prefix = "spokes/edge/"
    return {path.removeprefix(prefix): list(yaml.safe_load_all(data)) for path, data in files.items() if prefix in path}


def test_runtime_is_made_once_in_each_namespace_that_needs_it(templates: Templates, tmp_path: Path) -> None:
    files = rendered(
        templates,
        tmp_path,
        {"name": "a", "runtime": "copied"},
        {"name": "b", "runtime": "copied"},
        {"name": "c", "runtime": "copied", "namespace": "other"},
    )
    made = [
        (each["kind"], each["metadata"]["name"], each["metadata"]["namespace"]) for each in files["servingruntime.yaml"]
    ]
    assert made == [("ServingRuntime", "copied", "models"), ("ServingRuntime", "copied", "other")]


def test_model_of_a_runtime_is_asked_on_the_runtimes_port(templates: Templates, tmp_path: Path) -> None:
    files = rendered(templates, tmp_path, {"name": "a", "runtime": "copied"})
    [service] = files["inferenceservice-a.yaml"]
    model = service["spec"]["predictor"]["model"]
    assert (model["runtime"], model["readinessProbe"]["httpGet"]["port"]) == ("copied", 9000)
    assert model["storageUri"] == "pvc://store/a/v2"


def test_runtime_that_reads_the_claim_mounts_it_and_gets_the_models_folder(
    templates: Templates, tmp_path: Path
) -> None:
    files = rendered(templates, tmp_path, {"name": "a", "runtime": "claimed"})
    [runtime], [service] = files["servingruntime.yaml"], files["inferenceservice-a.yaml"]
    [volume], [mount] = runtime["spec"]["volumes"], runtime["spec"]["containers"][0]["volumeMounts"]
    assert (volume["persistentVolumeClaim"]["claimName"], mount["name"]) == ("store", volume["name"])
    model = service["spec"]["predictor"]["model"]
    assert model["args"] == [f"--model_dir={mount['mountPath']}/a/v2"]
    assert "storageUri" not in model


def test_runtime_of_kserves_own_is_only_named(templates: Templates, tmp_path: Path) -> None:
    files = rendered(templates, tmp_path, {"name": "a", "runtime": "kserve-sklearnserver"})
    assert "servingruntime.yaml" not in files
    assert files["inferenceservice-a.yaml"][0]["spec"]["predictor"]["model"]["runtime"] == "kserve-sklearnserver"
