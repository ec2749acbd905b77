"""What the whole fleet's health is concluded to mean."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.aggregate import aggregate, spoke_condition
from hubctl.model.health import Condition, Finding, FindingKind
from hubctl.model.predictor import Outcome
from hubctl.model.values import Aggregate
from tests.aggregate.polls import BAD, GOOD, POLICY, folded, minute, rounds, seen

DETECTOR, NETWORK = "anomaly-detector", "network-anomaly"
Fleet = dict[tuple[str, str, str], str]


def demo(*, bad: set[tuple[str, str]]) -> Fleet:
    """Four spokes: the detector is v2 on a and b, v1 on c and d; the other model is v1 everywhere."""
    versions = {"a": "v2", "b": "v2", "c": "v1", "d": "v1"}
    cells = [(c, DETECTOR, v) for c, v in versions.items()] + [(c, NETWORK, "v1") for c in versions]
    return {(c, m, v): BAD if (c, m) in bad else GOOD for c, m, v in cells}


def free(findings: tuple[Finding, ...]) -> list[str]:
    """Keys of what nothing wider explains."""
    return [finding.key for finding in findings if not finding.inhibited_by]


def test_demo_blames_the_version_and_the_spoke_and_nothing_else() -> None:
    found = rounds(demo(bad={("a", DETECTOR), ("b", DETECTOR), ("d", DETECTOR), ("d", NETWORK)})).findings
    by_key = {finding.key: finding for finding in found}
    version, spoke = by_key[f"model-anomaly:{DETECTOR}@v2"], by_key["spoke-anomaly:d"]
    assert free(found) == [version.key, spoke.key]
    assert (version.clusters, spoke.clusters) == (("a", "b"), ("d",))
    assert min(version.confidence, spoke.confidence) >= 0.8
    assert {key: one.inhibited_by for key, one in by_key.items() if one.inhibited_by} == {
        f"predictor-anomaly:a/{DETECTOR}": version.key,
        f"predictor-anomaly:b/{DETECTOR}": version.key,
        f"predictor-anomaly:d/{DETECTOR}": spoke.key,
        f"predictor-anomaly:d/{NETWORK}": spoke.key,
    }


def test_common_shock_blames_no_version_and_no_spoke() -> None:
    fleet = demo(bad=set())
    found = rounds(dict.fromkeys(fleet, BAD)).findings
    assert {finding.kind for finding in found} == {FindingKind.PREDICTOR_ANOMALY}
    assert all(finding.confidence < 0.05 for finding in found)


def test_version_that_is_everywhere_is_blamed_when_other_models_are_fine() -> None:
    found = rounds(demo(bad={(cluster, NETWORK) for cluster in "abcd"})).findings
    assert free(found) == [f"model-anomaly:{NETWORK}@v1"]


def test_one_anomalous_predictor_is_about_itself() -> None:
    found = rounds(demo(bad={("c", NETWORK)})).findings
    assert free(found) == [f"predictor-anomaly:c/{NETWORK}"]
    assert found[0].confidence > 0.9


def test_healthy_fleet_has_no_finding() -> None:
    assert rounds(demo(bad=set())).findings == ()


def test_unknown_spokes_lower_the_confidence_by_coverage() -> None:
    fleet = {(f"s{n}", "m", "v2"): BAD if n < 3 else "timeout" for n in range(6)}
    fleet |= {(f"s{n}", "k", "v1"): GOOD for n in range(6)}
    found = {finding.key: finding for finding in rounds(fleet).findings}
    assert found["model-anomaly:m@v2"].clusters == ("s0", "s1", "s2")
    assert found["model-anomaly:m@v2"].confidence == 0.5


def test_version_below_the_fraction_is_not_blamed() -> None:
    fleet = {(f"s{n}", "m", "v2"): BAD if n < 2 else GOOD for n in range(5)}
    assert all(finding.kind is FindingKind.PREDICTOR_ANOMALY for finding in rounds(fleet).findings)


def test_forecasts_do_not_dilute_a_spoke() -> None:
    fleet = {("a", model, "v1"): BAD for model in ("m", "k")} | {("a", f"f{n}", "v1"): "forecast" for n in range(9)}
    fleet |= {("b", model, "v1"): GOOD for model in ("m", "k")} | {("b", "f0", "v1"): "forecast"}
    assert free(rounds(fleet).findings) == ["spoke-anomaly:a"]


@pytest.mark.parametrize("kind", ["not_found", "malformed"])
def test_same_fault_on_all_spokes_of_a_version_is_the_versions(kind: str) -> None:
    fleet = {("a", "m", "v2"): kind, ("b", "m", "v2"): kind, ("c", "m", "v1"): GOOD}
    found = rounds(fleet).findings
    assert free(found) == ["model-fault:m@v2"]
    fault = next(finding for finding in found if finding.key == "model-fault:m@v2")
    assert (fault.clusters, fault.deterministic, fault.confidence) == (("a", "b"), True, 1.0)
    assert len(found) == 3


def test_fault_needs_enough_polls_in_a_row() -> None:
    fleet = {("a", "m", "v2"): "not_found", ("b", "m", "v2"): GOOD}
    assert rounds(fleet, 2).findings == ()
    assert free(rounds(fleet, 3).findings) == ["predictor-fault:a/m"]


def test_fault_that_one_spoke_does_not_have_is_not_the_versions() -> None:
    fleet = {("a", "m", "v2"): "not_found", ("b", "m", "v2"): "not_found", ("c", "m", "v2"): GOOD}
    assert free(rounds(fleet).findings) == ["predictor-fault:a/m", "predictor-fault:b/m"]


def test_refused_tokens_blame_no_model() -> None:
    fleet = {(c, "m", "v1"): "forbidden" for c in "ab"} | {(c, "k", "v1"): GOOD for c in "ab"}
    assert free(rounds(fleet).findings) == ["predictor-fault:a/m", "predictor-fault:b/m"]


def test_spoke_without_any_answer_is_unreachable() -> None:
    fleet = demo(bad=set())
    fleet |= {cell: "timeout" for cell in fleet if cell[0] == "a"}
    assert rounds(fleet, 2).findings == ()
    found = rounds(fleet, 3).findings
    assert [(one.key, one.deterministic) for one in found] == [("spoke-unreachable:a", True)]


def test_broken_certificate_is_one_finding_about_the_spoke() -> None:
    fleet = demo(bad=set())
    fleet |= {cell: "tls" for cell in fleet if cell[0] == "a"}
    found = rounds(fleet).findings
    assert free(found) == ["spoke-unreachable:a"]
    assert len(found) == 3


@pytest.mark.parametrize(("down", "blind"), [("a", False), ("ab", True), ("abc", True)])
def test_hub_is_blind_at_half_of_the_spokes_at_once(down: str, blind: bool) -> None:  # noqa: FBT001 - a table
    fleet = {(c, m, "v1"): "unreachable" if c in down else GOOD for c in "abcd" for m in ("m", "k")}
    found = rounds(fleet, 1).findings
    assert [finding.key for finding in found] == (["hub-unreachable"] if blind else [])


def test_hub_that_is_blind_inhibits_everything_else() -> None:
    fleet = demo(bad={("d", DETECTOR), ("d", NETWORK)})
    fleet |= {cell: "timeout" for cell in fleet if cell[0] in "ab"}
    found = rounds(fleet).findings
    assert free(found) == ["hub-unreachable"]
    assert {"spoke-unreachable:a", "spoke-anomaly:d"} <= {finding.key for finding in found}


def test_spoke_that_answers_for_one_model_is_not_out_of_sight() -> None:
    fleet = {(c, "m", "v1"): "timeout" for c in "abcd"} | {(c, "k", "v1"): GOOD for c in "abc"}
    assert rounds(fleet, 1).findings == ()


@pytest.mark.parametrize("kind", ["unreachable", "timeout"])
def test_fleet_of_one_spoke_cannot_tell_the_hub_from_the_spoke(kind: str) -> None:
    assert free(rounds({("a", "m", "v1"): kind}).findings) == ["spoke-unreachable:a"]


def test_expired_token_on_every_spoke_is_the_hubs() -> None:
    assert free(rounds({(c, "m", "v1"): "unauthorized" for c in "abc"}).findings) == ["hub-unreachable"]


def test_predictors_that_left_the_fleet_are_forgotten() -> None:
    before = rounds(demo(bad=set()))
    expected = frozenset({("a", DETECTOR)})
    after = aggregate([], before.health, POLICY, now=minute(3), expected=expected)
    assert [(one.cluster, one.model) for one in after.health] == [("a", DETECTOR)]


def test_predictors_that_were_not_observed_age() -> None:
    before = rounds(demo(bad={("d", DETECTOR), ("d", NETWORK)}))
    after = aggregate([], before.health, POLICY, now=minute(30))
    assert {one.condition for one in after.health} == {Condition.UNKNOWN}
    assert after.findings == ()


def test_faults_seen_long_ago_are_no_finding() -> None:
    before = rounds({("a", "m", "v1"): "not_found", ("b", "m", "v1"): "timeout"})
    assert aggregate([], before.health, POLICY, now=minute(30)).findings == ()


@pytest.mark.parametrize(
    ("kinds", "condition"),
    [
        ((GOOD, GOOD), Condition.HEALTHY),
        ((GOOD, "timeout"), Condition.UNKNOWN),
        ((BAD, "timeout"), Condition.ANOMALOUS),
        ((), Condition.UNKNOWN),
    ],
)
def test_spoke_is_as_healthy_as_all_its_predictors(kinds: tuple[str, ...], condition: Condition) -> None:
    assert spoke_condition(folded([kind] * 3) for kind in kinds) is condition


CELLS = st.dictionaries(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("mkl"), st.sampled_from(["v1", "v2"])),
    st.sampled_from([GOOD, BAD, BAD, "timeout", "not_found", "forecast"]),
    max_size=14,
).map(
    lambda cells: {(c, m, v): kind for (c, m), (v, kind) in {(c, m): (v, k) for (c, m, v), k in cells.items()}.items()}
)


@settings(deadline=None)
@given(CELLS, st.randoms(use_true_random=False))
def test_order_of_observations_and_health_does_not_matter(fleet: Fleet, chance: random.Random) -> None:
    before = rounds(fleet, 3)
    polls = [seen(kind, 3, cluster=c, model=m, version=v) for (c, m, v), kind in fleet.items()]
    health = list(before.health)
    straight = aggregate(polls, health, POLICY, now=minute(3))
    chance.shuffle(polls)
    chance.shuffle(health)
    assert aggregate(polls, health, POLICY, now=minute(3)) == straight


@settings(deadline=None)
@given(CELLS)
def test_unknown_is_never_in_the_evidence_of_an_anomaly(fleet: Fleet) -> None:
    made = rounds(fleet, 4)
    conditions = {(one.cluster, one.model): one.condition for one in made.health}
    for finding in made.findings:
        assert 0 <= finding.confidence <= 1
        if finding.kind in (FindingKind.MODEL_ANOMALY, FindingKind.PREDICTOR_ANOMALY):
            assert {conditions[cluster, finding.model] for cluster in finding.clusters} == {Condition.ANOMALOUS}


@settings(deadline=None)
@given(CELLS)
def test_unknown_in_place_of_answers_finds_nothing_new_about_a_version(fleet: Fleet) -> None:
    fewer = {cell: "timeout" if cell[0] == "a" else kind for cell, kind in fleet.items()}
    for finding in rounds(fewer).findings:
        if finding.kind is FindingKind.MODEL_ANOMALY:
            assert "a" not in finding.clusters


def test_two_hundred_polls_of_one_window_lead_to_no_finding() -> None:
    held = rounds({("a", "m", "v1"): GOOD}, 1)
    for number in range(1, 200):
        poll = seen(BAD, number, window="same")
        held = aggregate([poll], held.health, Aggregate(stale_after=1e6, settle=0), now=minute(number))
    assert held.findings == ()
    assert held.health[0].last_outcome is Outcome.OK
