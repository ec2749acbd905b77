"""A pattern's whole values file of each generation migrates, validates and renders, and nothing else in it changes."""

from collections import Counter

import pytest

from hubctl.errors import InputError
from hubctl.inputs.document import parse
from hubctl.inputs.migrate import migrate, without_remote
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from tests.inputs import pattern
from tests.inputs.inputfolder import SPOKE, Folder

REMOTE = "git@git.example.com:platform/fleet.git"
GENERATIONS = {"ml service": pattern.ML_SERVICE, "services": pattern.SERVICES, "chart": pattern.CHART, "none": ""}


def gone(before: str, after: str) -> set[str]:
    """Lines that are no longer there, or not as often."""
    return set(Counter(before.splitlines()) - Counter(after.splitlines()))


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_whole_file_migrates_validates_and_renders(folder: Folder, generation: str, newline: str) -> None:
    before = pattern.values(GENERATIONS[generation]).replace("\n", newline)
    assert before.count("\n") > 800
    after, changes = migrate(before, REMOTE)
    assert changes
    old = {"  mlService:", '    url: "http://aiops-ml-service:8080"'} if generation == "ml service" else set()
    assert gone(before, after) == old
    assert after.count(newline) == after.count("\n")
    folder.write("values-hub.yaml", after).write("clusters/edge-a.yaml", SPOKE)
    inputs = folder.load()
    assert not [warning for warning in inputs.warnings if "values-hub.yaml" in warning]
    files = render_tree(inputs, load_templates(None)).files
    assert "spokes/edge-a/inferenceservice-anomaly-detector.yaml" in files
    assert migrate(after, REMOTE) == (after, ())


@pytest.mark.parametrize("generation", GENERATIONS)
def test_other_peoples_keys_mean_what_they_meant(generation: str) -> None:
    before = pattern.values(GENERATIONS[generation])
    ours = ("coordinationEngine", "hubctl")
    kept = [{key: value for key, value in parse(text, "x").data.items() if key not in ours} for text in
            (before, migrate(before, REMOTE)[0])]  # fmt: skip
    assert kept[0] == kept[1]


def test_chart_hands_its_models_and_their_resources_over(folder: Folder) -> None:
    after, changes = migrate(pattern.values(pattern.CHART), REMOTE)
    folder.write("values-hub.yaml", after)
    values = folder.load().values
    assert [model.name for model in values.kserve.registry] == [
        "anomaly-detector",
        "disk-failure",
        "predictive-analytics",
    ]
    assert values.kserve.registry[0].service == "anomaly-detector-stable"
    told = values.profile("anomaly-detector").resources
    assert (told.requests, told.limits) == ({"cpu": "1000m", "memory": "1Gi"}, {"cpu": "4", "memory": "8Gi"})
    assert values.profile("disk-failure").resources.requests == {"memory": "512Mi"}
    assert values.profile("predictive-analytics").output == "forecast"
    assert len(changes) == 5


def test_resources_that_hubctl_says_already_stay(folder: Folder) -> None:
    own = "hubctl:\n  models:\n    anomaly-detector:\n      resources: {requests: {cpu: 100m}}  # ours\n"
    after, _ = migrate(pattern.values(pattern.CHART + own))
    assert "      resources: {requests: {cpu: 100m}}  # ours\n" in after
    folder.write("values-hub.yaml", after)
    assert folder.load().values.profile("anomaly-detector").resources.limits == {}


@pytest.mark.parametrize(
    "models",
    [
        "models: [a, b]",
        "models: {a: 1}",
        "models:\n  - {name: llama, path: /m}",
        "models:\n  - {name: A_B, cpu: 1, memory: 1}",
    ],
)
def test_models_of_another_kind_are_left_alone(models: str) -> None:
    text = f"{pattern.SERVICES}{models}\n"
    assert migrate(text) == (text, ())


def test_remote_is_only_written_where_there_is_none() -> None:
    text = f"{pattern.SERVICES}hubctl:\n  gitops:\n    remote: here  # ours\n"
    assert migrate(text, REMOTE) == (text, ())
    assert not without_remote(text)
    assert without_remote(pattern.SERVICES)
    with pytest.raises(InputError, match="without user and password"):
        migrate(pattern.SERVICES, "https://me:hunter22@git.example.com/x")
