"""The first files of a fleet are right from the start, whatever was answered."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.inputs import load_inputs, start
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

REMOTE = "git@git.example.com:platform/fleet.git"


@pytest.mark.parametrize(
    "answers",
    [
        start.Answers(REMOTE),
        start.Answers(REMOTE, branch="release/1", namespace="models", mode="auto", acm_host="proxy.example.com:8443"),
        start.Answers(REMOTE, generator="clusters", mode="observe"),
        start.Answers(REMOTE, generator=start.DECISIONS, cluster_set="factories"),
    ],
)
def test_fleet_that_begins_is_valid_and_renders(tmp_path: Path, answers: start.Answers) -> None:
    start.start(tmp_path, answers)
    inputs = load_inputs(Settings(directory=tmp_path, state=tmp_path / "state"))
    assert inputs.values.hubctl.remediation.mode == answers.mode
    assert inputs.values.kserve.namespace == answers.namespace
    assert any(path.startswith("hub/") for path in render_tree(inputs, load_templates(None)).files)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("remote", " "), ("remote", "https://me:pw@git.example.com/x"), ("branch", "-x"), ("namespace", "Models"),
        ("mode", "always"), ("generator", "all"), ("cluster_set", "A B"), ("acm_host", "https://proxy.example.com"),
    ],
)  # fmt: skip
def test_wrong_answer_is_refused_by_its_flag(tmp_path: Path, answer: str, value: str) -> None:
    assert start.refusal(answer, value)
    with pytest.raises(InputError) as caught:
        start.start(tmp_path, start.Answers(**{"remote": REMOTE, answer: value}))
    assert caught.value.where == f"--{answer.replace('_', '-')}"
    assert list(tmp_path.iterdir()) == []


def test_generator_by_decisions_needs_a_cluster_set() -> None:
    assert start.refusal("generator", start.DECISIONS) is None
    with pytest.raises(InputError, match="needs the ManagedClusterSet"):
        start.values(start.Answers(REMOTE, generator=start.DECISIONS))


def test_folder_of_a_fleet_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "values-hub.yaml").write_text("mine: 1\n")
    with pytest.raises(InputError, match="exists"):
        start.start(tmp_path, start.Answers(REMOTE))


@given(st.sampled_from(["remote", "branch", "namespace", "cluster_set", "acm_host"]), st.text(max_size=30))
@settings(deadline=None)
def test_any_answer_makes_a_file_or_is_refused_by_its_flag(answer: str, value: str) -> None:
    problem = start.refusal(answer, value)
    where = ""
    try:
        start.values(start.Answers(**{"remote": REMOTE, answer: value}))
    except InputError as error:
        where = error.where
    assert where == (f"--{answer.replace('_', '-')}" if problem else "")
