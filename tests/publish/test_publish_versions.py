"""Versions as a branch names them, read from its manifests."""

import pytest

from hubctl.publish.versions import versions

MANIFEST = """\
kind: InferenceService
metadata:
  name: "a"
  labels:
    app.kubernetes.io/version: {}
"""


@pytest.mark.parametrize("written", ['"v1.2"', "'v1.2'", "v1.2"])
def test_version_is_read_however_it_is_quoted(written: str) -> None:
    files = {"rendered/spokes/edge.a/inferenceservice-a-b.yaml": MANIFEST.format(written).encode()}
    assert versions(files, "rendered/spokes") == {("edge.a", "a-b"): "v1.2"}


def test_model_without_the_label_is_delivered_at_no_known_version() -> None:
    files = {"r/spokes/a/inferenceservice-m.yaml": b"kind: InferenceService\n"}
    assert versions(files, "r/spokes") == {("a", "m"): ""}


def test_other_files_are_no_models() -> None:
    labelled = MANIFEST.format("v1").encode()
    paths = ("r/spokes/a/storage.yaml", "r/hub/inferenceservice-m.yaml", "r/spokes/a/deep/inferenceservice-m.yaml")
    assert versions(dict.fromkeys(paths, labelled), "r/spokes") == {}
