"""Golden rows in health and findings: the table of what their answers mean."""

from dataclasses import replace

import pytest

from hubctl.aggregate import Aggregation, aggregate, golden
from hubctl.aggregate.cells import fold
from hubctl.model.health import Condition, Finding, FindingKind, PredictorHealth
from hubctl.model.predictor import Observation
from hubctl.model.values import Aggregate
from tests.aggregate.polls import BAD, GOOD, minute, seen

POLICY = Aggregate(settle=300)
SOON, LATER = range(4), range(6, 10)
"""Minutes before and after a new version has settled."""


def answer(kind: str, at: float, *, cluster: str = "a", model: str = "m") -> Observation:
    """One poll of version v2: ``v2`` votes well, ``worse`` badly, ``v1`` and ``alien`` mismatch; else as ``seen``."""
    if kind in ("v2", "worse"):
        made = seen(GOOD if kind == "v2" else BAD, at, cluster=cluster, model=model, version="v2")
        return replace(made, served_version="v2")
    if kind in ("v1", "alien"):
        made = seen("golden_mismatch", at, cluster=cluster, model=model, version="v2")
        return replace(made, served_version="v1" if kind == "v1" else "")
    return seen(kind, at, cluster=cluster, model=model, version="v2")


def fleet(kinds: dict[str, str], minutes: range, *, since: int = 0) -> Aggregation:
    """What some rounds come to, of one model on spokes that answer so; the first round is at minute ``since``."""
    made = Aggregation((), ())
    for at in [since, *minutes]:
        polls = [answer(kind, at, cluster=cluster) for cluster, kind in kinds.items()]
        made = aggregate(polls, made.health, POLICY, now=minute(at))
    return made


def found(made: Aggregation) -> list[tuple[FindingKind, tuple[str, ...]]]:
    return [(one.kind, one.clusters) for one in made.findings if not one.inhibited_by]


def health_of(kind: str, at: float = 0, *, served: bool | None = None) -> PredictorHealth:
    return fold(None, answer(kind, at), POLICY, served=served)


@pytest.mark.parametrize(
    ("kinds", "minutes", "expected"),
    [
        ({"a": "worse", "b": "v2", "c": "v2"}, SOON, [(FindingKind.PREDICTOR_ANOMALY, ("a",))]),
        ({"a": "alien", "b": "v2"}, SOON, [(FindingKind.PREDICTOR_FAULT, ("a",))]),
        ({"a": "alien", "b": "alien"}, SOON, [(FindingKind.MODEL_FAULT, ("a", "b"))]),
        ({"a": "v1", "b": "v2"}, SOON, []),
        ({"a": "v1", "b": "v2"}, LATER, [(FindingKind.VERSION_DRIFT, ("a",))]),
        (
            {"a": "v1", "b": "v1"},
            LATER,
            [(FindingKind.VERSION_DRIFT, ("a",)), (FindingKind.VERSION_DRIFT, ("b",))],
        ),
        ({"a": "v2", "b": "v2"}, LATER, []),
    ],
)
def test_what_golden_answers_mean(
    kinds: dict[str, str], minutes: range, expected: list[tuple[FindingKind, tuple[str, ...]]]
) -> None:
    assert found(fleet(kinds, minutes)) == expected


def test_version_that_is_anomalous_everywhere_though_golden_rows_match_is_blamed_itself() -> None:
    made = fleet(dict.fromkeys("abcd", "worse"), SOON)
    assert (FindingKind.MODEL_ANOMALY, tuple("abcd")) in found(made)


def test_matching_rows_end_the_wait_for_a_new_version() -> None:
    made = fleet({"a": "v2"}, range(1, 3))
    assert (made.health[0].condition, made.health[0].served) == (Condition.HEALTHY, True)
    assert fleet({"a": GOOD}, range(1, 3)).health[0].reason == "settling"


@pytest.mark.parametrize(("kind", "served"), [("v2", True), ("worse", True), ("v1", False)])
@pytest.mark.parametrize("feedback", [True, False, None])
def test_golden_rows_have_the_last_word_over_feedback(kind: str, feedback: bool | None, served: bool) -> None:  # noqa: FBT001 - cases
    assert health_of(kind, served=feedback).served is served


@pytest.mark.parametrize("feedback", [True, False, None])
def test_answers_of_no_known_version_leave_the_question_to_feedback(feedback: bool | None) -> None:  # noqa: FBT001 - cases
    health = health_of("alien", served=feedback)
    assert (health.served, health.reason, health.fault_streak) == (feedback, "golden_mismatch", 1)


def test_version_that_has_not_arrived_is_no_fault_until_it_had_the_time() -> None:
    health = health_of("v1")
    assert (health.condition, health.reason, health.fault) == (Condition.UNKNOWN, "not-served", None)
    later = fold(health, answer("v1", 6), POLICY)
    assert (later.reason, later.fault_streak) == ("not-served", 1)


def test_version_that_arrives_late_leaves_no_fault() -> None:
    health = health_of("v1")
    for at, kind in enumerate(["v1", "v1", "v2", "v2", "v2"], 6):
        health = fold(health, answer(kind, at), POLICY)
    assert (health.condition, health.fault, len(health.votes)) == (Condition.HEALTHY, None, 3)


def test_live_rows_of_a_mismatch_never_vote() -> None:
    for kind in ("v1", "alien"):
        assert not fold(None, replace(answer(kind, 9), instances=4, votes=True), POLICY).votes


def test_drift_that_a_witness_sees_too_is_told_once() -> None:
    kind = FindingKind.VERSION_DRIFT
    told = Finding(kind, f"{kind}:a/m", ("a",), "Git says m v2, a serves v1", "m", "v2", deterministic=True)
    health = fleet({"a": "v1"}, LATER).health
    assert golden.drifts(health, [], [told], POLICY) == []
    assert [one.key for one in golden.drifts(health, [], [], POLICY)] == [told.key]
    wider = replace(told, kind=FindingKind.SYNC_FAILED, key="sync-failed:a", model="", version="")
    assert [one.inhibited_by for one in golden.drifts(health, [], [wider], POLICY)] == ["sync-failed:a"]
