"""A model fits the runtime of ours that it names."""

import pytest

from tests.inputs.inputfolder import VALUES, Folder

RUNTIME = """\
hubctl:
  runtimes:
    ours: {image: "quay.io/fleet/server:1", formats: [sklearn], protocols: [v1], readsClaim: true}
  models:
    anomaly-detector: {runtime: ours%s}
"""


def with_runtime(folder: Folder, more: str = "") -> Folder:
    return folder.write("values-hub.yaml", VALUES + RUNTIME % more)


def test_model_that_fits_its_runtime_is_taken(folder: Folder) -> None:
    inputs = with_runtime(folder).load()
    assert inputs.clusters[0].models[0].profile.runtime == "ours"
    assert not any("runtimes" in warning for warning in inputs.warnings)


@pytest.mark.parametrize(
    ("more", "spec", "message"),
    [
        (", format: xgboost", "", "runtime ours serves sklearn, found format 'xgboost'"),
        (", protocol: v2", "", "runtime ours speaks v1, found protocol v2"),
        (
            "",
            "  storage: {type: s3, bucket: fleet}\n",
            "runtime ours reads the spoke's claim, found storage of type s3",
        ),
        (", storage: {type: oci, image: 'q/a:{version}'}", "", "found storage of type oci"),
    ],
)
def test_model_that_does_not_fit_is_refused_on_the_spoke(folder: Folder, more: str, spec: str, message: str) -> None:
    file = folder.root / "clusters/edge-a.yaml"
    with_runtime(folder, more).write("clusters/edge-a.yaml", file.read_text() + spec)
    [problem] = folder.problems()
    assert message in str(problem)
    assert "clusters/edge-a.yaml" in str(problem)


def test_runtime_that_nothing_names_is_pointed_out(folder: Folder) -> None:
    folder.write("values-hub.yaml", (VALUES + RUNTIME % "").replace("runtime: ours", "runtime: our"))
    assert "hubctl.runtimes.ours: no model of a spoke has this runtime" in folder.load().warnings
