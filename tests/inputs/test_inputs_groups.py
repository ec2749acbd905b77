"""Fleet, groups in order, spoke, override: whose word counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.inputs import assemble
from hubctl.inputs.settle import groups_of, profile_of, settings_of
from hubctl.model.cluster import Spoke
from hubctl.model.remediation import Override
from hubctl.model.values import HubValues
from tests.inputs.inputfolder import VALUES, Folder

MODEL = "anomaly-detector"


def values(*groups: dict[str, Any], **fleet: Any) -> HubValues:
    named = [{"name": f"g{number}", "match": {}} | group for number, group in enumerate(groups)]
    return HubValues.model_validate(
        {"kserve": {"models": [{"name": MODEL}]}, "hubctl": {"models": {MODEL: fleet}, "groups": named}}
    )


def spoke(labels: dict[str, str] | None = None, patch: dict[str, Any] | None = None, **spec: Any) -> Spoke:
    patches = {"models": {MODEL: patch}} if patch is not None else {}
    served = {"models": [{"name": MODEL, "version": "v2"}], "overrides": patches}
    whole = {"platform": "kubernetes", "version": "1.33", **served, **spec}
    head = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": "a", "labels": labels or {}}}
    return Spoke.model_validate({**head, "spec": whole})


def test_later_level_wins_from_fleet_to_spoke() -> None:
    groups = {"models": {MODEL: {"runtime": "one", "maxReplicas": 2}}}, {"models": {MODEL: {"maxReplicas": 3}}}
    fleet = values(*groups, runtime="fleet", maxReplicas=1, path="fleet/{version}")
    profile = profile_of(fleet, spoke(patch={"maxReplicas": 4}), MODEL)
    assert (profile.path, profile.runtime, profile.max_replicas) == ("fleet/{version}", "one", 4)


def test_override_wins_over_all_of_them() -> None:
    pinned = {"name": MODEL, "version": "v1", "insteadOf": "v2"}
    override = Override.model_validate({"metadata": {"name": "r"}, "spec": {"cluster": "a", "models": [pinned]}})
    fleet = values({"namespace": "grouped", "models": {MODEL: {"path": "grouped/{version}"}}})
    (cluster,) = assemble(fleet, [("clusters/a.yaml", spoke())], [("r.yaml", override)]).clusters
    assert (cluster.models[0].version, cluster.namespace, cluster.groups) == ("v1", "grouped", ("g0",))


def test_group_counts_for_spokes_with_all_of_its_labels() -> None:
    fleet = values({"match": {"a": "1", "b": "2"}}, {"match": {"a": "1"}}, {"match": {"a": "2"}})
    assert [group.name for group in groups_of(fleet, spoke({"a": "1", "c": "3"}))] == ["g1"]
    assert [group.name for group in groups_of(fleet, spoke({"a": "1", "b": "2"}))] == ["g0", "g1"]


def test_section_is_replaced_whole_and_resources_are_merged() -> None:
    one = {
        "storage": {"type": "pvc", "claim": "one", "size": "5Gi"},
        "models": {MODEL: {"resources": {"limits": {"cpu": "1"}}}},
    }
    two = {"storage": {"type": "pvc", "claim": "two"}, "models": {MODEL: {"resources": {"limits": {"memory": "1Gi"}}}}}
    fleet = values(one, two)
    (cluster,) = assemble(fleet, [("clusters/a.yaml", spoke())], []).clusters
    assert cluster.storage.model_dump(exclude_none=True)["size"] == "10Gi"
    assert cluster.models[0].profile.resources.limits == {"cpu": "1", "memory": "1Gi"}


def test_spoke_takes_back_what_a_group_says() -> None:
    fleet = values({"networkPolicy": {"allowFrom": ["a"]}, "deploymentMode": "Knative"})
    own = spoke(networkPolicy={"enabled": False}, deploymentMode="RawDeployment")
    (cluster,) = assemble(fleet, [("clusters/a.yaml", own)], []).clusters
    assert cluster.network_policy is not None
    assert (cluster.network_policy.enabled, cluster.deployment_mode) == (False, "RawDeployment")


words = st.sampled_from(["x", "y", "z"])
labels = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]))
level = st.fixed_dictionaries({}, optional={"namespace": words, "kserveVersion": st.sampled_from(["0.15", "0.16"])})
patches = st.fixed_dictionaries({}, optional={"runtime": words, "minReplicas": st.integers(0, 3)})


@given(st.lists(st.tuples(labels, level, patches), max_size=5), labels, level, patches, patches)
def test_last_word_of_those_that_count_is_what_counts(
    groups: list[tuple[dict[str, str], dict[str, str], dict[str, Any]]],
    of_spoke: dict[str, str],
    own: dict[str, str],
    patch: dict[str, Any],
    fleet: dict[str, Any],
) -> None:
    known = values(*({"match": match, **said, "models": {MODEL: changed}} for match, said, changed in groups), **fleet)
    one = spoke(of_spoke, patch, **own)
    counting = [
        (said, changed) for match, said, changed in groups if all(of_spoke.get(k) == v for k, v in match.items())
    ]
    settings, profile = settings_of(known, one), profile_of(known, one, MODEL)
    for key, text in {"namespace": settings.namespace, "kserveVersion": settings.kserve_version}.items():
        assert text == [None, *(said[key] for said in (*(s for s, _ in counting), own) if key in said)][-1]
    for key, found, default in (("runtime", profile.runtime, None), ("minReplicas", profile.min_replicas, 1)):
        said_of = [fleet, *(changed for _, changed in counting), patch]
        assert found == [default, *(said[key] for said in said_of if key in said)][-1]


GROUPS = "hubctl:\n  groups:\n    - {name: edge, match: {tier: edge}, "


def test_group_that_matches_nobody_and_a_model_that_nobody_registered_are_warned_about(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}{GROUPS}models: {{anomaly-detectr: {{}}}}}}\n")
    warnings = folder.load().warnings
    assert "group 'edge' matches no spoke; its labels are tier=edge" in warnings
    assert any("hubctl.groups 'edge': no model 'anomaly-detectr'" in warning for warning in warnings)


def test_group_twice_is_refused(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}{GROUPS}}}\n    - {{name: edge, match: {{}}}}\n")
    (problem,) = folder.problems()
    assert "expected each group once, found edge more than once" in problem.message


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("models: {anomaly-detector: {format: onnx}}", "format onnx speaks protocol v2 only"),
        ("expose: {via: ingress}", "via ingress needs a host"),
    ],
)
def test_group_that_does_not_fit_a_spoke_is_named_in_the_hint(folder: Folder, said: str, message: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  groups:\n    - {{name: edge, match: {{}}, {said}}}\n")
    (problem,) = folder.problems()
    assert problem.where.startswith("clusters/edge-a.yaml:")
    assert message in problem.message
    assert "these groups count here: edge" in problem.hint
