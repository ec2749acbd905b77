"""Digests of inputs and templates: equal for what is equal, different for what is not, on every machine."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model import digest
from hubctl.model.fleet import HubInputs
from hubctl.model.remediation import Override, OverrideMetadata, OverrideSpec
from hubctl.model.values import HubValues
from hubctl.render.templates import load_templates
from tests.render import fleets

FILES = st.dictionaries(st.text(max_size=5), st.binary(max_size=5), max_size=4)


def with_gitops(inputs: HubInputs, **changes: object) -> HubInputs:
    """The same fleet with other keys under ``hubctl.gitops``."""
    hubctl = inputs.values.hubctl
    gitops = hubctl.gitops.model_copy(update=changes)
    return replace(
        inputs, values=HubValues(kserve=inputs.values.kserve, hubctl=hubctl.model_copy(update={"gitops": gitops}))
    )


@pytest.fixture
def inputs() -> HubInputs:
    return fleets.hub(fleets.spoke("edge-a"), fleets.spoke("edge-b"))


@given(FILES, FILES)
def test_files_have_equal_digests_only_when_they_are_equal(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (digest.of_files(one) == digest.of_files(other)) == (one == other)
    assert digest.of_files(dict(reversed(one.items()))) == digest.of_files(one)


def test_name_cannot_run_into_its_data() -> None:
    assert digest.of_files({"a": b"bc"}) != digest.of_files({"ab": b"c"})
    assert digest.of_files({"a": b"", "b": b""}) != digest.of_files({"a": b"b"})


def test_digest_of_a_fleet_never_changes_by_itself() -> None:
    expected = "71f151de0c7b9eca70710c5c017374352ab8de7277ce9efa4696344cc923d86f"
    assert digest.of_inputs(HubInputs(HubValues(), ())) == f"sha256:{expected}"


def test_equal_inputs_have_equal_digests(inputs: HubInputs) -> None:
    assert digest.of_inputs(inputs) == digest.of_inputs(fleets.hub(fleets.spoke("edge-b"), fleets.spoke("edge-a")))
    assert digest.of_inputs(inputs).startswith("sha256:")


def test_every_change_of_a_spoke_changes_the_digest(inputs: HubInputs) -> None:
    first = inputs.clusters[0]
    model = first.models[0]
    changed = [
        replace(first, version="4.99"),
        replace(first, quarantined=True),
        replace(first, labels={"a": "b"}),
        replace(first, models=(replace(model, version="v99"), *first.models[1:])),
        replace(first, models=(replace(model, profile=model.profile.model_copy(update={"min_replicas": 7})),)),
    ]
    seen = {digest.of_inputs(replace(inputs, clusters=(one, *inputs.clusters[1:]))) for one in (first, *changed)}
    assert len(seen) == len(changed) + 1


def test_override_changes_the_digest(inputs: HubInputs) -> None:
    override = Override(metadata=OverrideMetadata(name="x"), spec=OverrideSpec(cluster="edge-a", quarantine=True))
    assert digest.of_inputs(replace(inputs, overrides=(("x.yaml", override),))) != digest.of_inputs(inputs)


def test_remote_of_one_run_does_not_count_but_what_argocd_reads_does(inputs: HubInputs) -> None:
    file = with_gitops(inputs, remote="https://a/x.git", repo_url=None)
    for_one_run = with_gitops(inputs, remote="../other.git", repo_url="https://a/x.git")
    assert digest.of_inputs(file) == digest.of_inputs(for_one_run)
    assert digest.of_inputs(file) != digest.of_inputs(with_gitops(inputs, remote="https://b/x.git", repo_url=None))


def test_key_at_its_default_does_not_count(inputs: HubInputs) -> None:
    assert digest.of_inputs(with_gitops(inputs, branch="main")) == digest.of_inputs(inputs)
    assert digest.of_inputs(with_gitops(inputs, branch="other")) != digest.of_inputs(inputs)


def test_own_template_changes_the_digest_and_a_note_beside_it_does_not(tmp_path: Path) -> None:
    packaged = load_templates(None).digest
    (tmp_path / "spoke").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    assert load_templates(tmp_path).digest == packaged
    (tmp_path / "spoke" / "storage.yaml.j2").write_text("")
    assert load_templates(tmp_path).digest != packaged


def test_template_changed_after_loading_is_neither_rendered_nor_in_the_digest(tmp_path: Path) -> None:
    own = tmp_path / "spoke" / "own.yaml.j2"
    own.parent.mkdir()
    own.write_text("before")
    loaded = load_templates(tmp_path)
    own.write_text("afterwards")
    assert loaded.render("spoke/own.yaml.j2", {}, "spoke a") == "before"
    assert load_templates(tmp_path).digest != loaded.digest
