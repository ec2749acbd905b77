"""Golden rows in a poll: sent behind the live ones, compared before anything else counts."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.golden import Answers, Golden, digest_of, first_difference
from hubctl.model.outputs import Reading
from hubctl.model.predictor import InferenceService, Outcome, Window
from hubctl.model.values import ModelProfile
from hubctl.observe import golden
from hubctl.observe.answers import Answer, Found, judge
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason

ROWS = ((1.0, 1.0), (9.0, 9.0), (2.0, 2.0))
LIVE = Window(instances=((5.0, 5.0), (6.0, 6.0)), digest="a" * 32)
NONE = NoWindow(Reason.NO_FEATURES, "no rows")
Make = Callable[..., InferenceService]


@pytest.fixture
def model(service: Make) -> Make:
    """A predictor that should serve v2, whose golden rows are recorded."""

    def make(known: dict[str, Answers] | None = None, **changes: Any) -> InferenceService:
        answers = known or {"v1": (1, -1, -1), "v2": (1, -1, 1), "v3": (-1, -1, 1)}
        rows = Golden(ROWS, "v2", answers, 1e-3, digest_of(ROWS))
        return service(version="v2", golden=rows, **changes)

    return make


def answered(one: InferenceService, values: list[Any], rows: Window | NoWindow = LIVE, **more: object) -> Found:
    body = json.dumps({"predictions": values, **more}).encode()
    return judge(Answer(200, "application/json", body), one, rows)


def test_live_rows_come_first_and_golden_rows_behind_them(model: Make) -> None:
    assert golden.asked(model(), LIVE) == (*LIVE.instances, *ROWS)
    assert golden.asked(model(), NONE) == ROWS
    assert golden.asked(replace(model(), golden=None), NONE) == ()


def test_match_lets_the_live_rows_vote_and_says_the_version(model: Make) -> None:
    found = answered(model(), [-1, 1, 1, -1, 1], model_version="1.7")
    assert (found.outcome, found.reason, found.served_version) == (Outcome.OK, "", "v2")
    assert (found.instances, found.anomalies) == (2, 1)


def test_answers_of_another_known_version_name_it(model: Make) -> None:
    found = answered(model(), [-1, 1, 1, -1, -1])
    assert (found.outcome, found.reason) == (Outcome.GOLDEN_MISMATCH, Reason.GOLDEN_OTHER_VERSION)
    assert (found.served_version, found.instances, found.anomalies) == ("v1", 0, 0)
    assert found.detail == "expected the answers of v2, got those of v1"


def test_answers_of_no_known_version_name_the_first_row_that_differs(model: Make) -> None:
    found = answered(model(), [1, 1, -1, 1, -1], model_version="v1")
    assert (found.outcome, found.reason, found.served_version) == (Outcome.GOLDEN_MISMATCH, "golden_differs", "")
    assert found.detail == "golden row 1: expected 1, got -1"


def test_without_live_rows_the_golden_ones_alone_are_judged(model: Make) -> None:
    well, ill = answered(model(), [1, -1, 1], NONE), answered(model(), [1, -1, -1], NONE)
    assert (well.outcome, well.reason, well.instances, well.served_version) == (Outcome.OK, "no_features", 0, "v2")
    assert ill.outcome is Outcome.GOLDEN_MISMATCH


def test_count_has_to_fit_both_kinds_of_rows(model: Make) -> None:
    assert answered(model(), [1, 1]).reason == Reason.COUNT
    assert answered(model(), [1, 1, 1, -1, 1, 1]).reason == Reason.COUNT


def test_one_odd_answer_to_live_rows_voids_the_golden_ones_too(model: Make) -> None:
    assert answered(model(), [None, 1, 1, -1, 1]).reason == Reason.LABEL_NULL


def test_live_rows_of_another_width_are_not_sent_beside_them(model: Make) -> None:
    wide = Window(instances=((1.0, 2.0, 3.0),), digest="b" * 32)
    found = golden.fitted(model(), wide)
    assert isinstance(found, NoWindow)
    assert (found.reason, found.detail) == (
        Reason.FEATURES_INVALID,
        "expected 2 numbers in a row as in the golden rows of anomaly-detector, found 3",
    )
    assert golden.fitted(model(), LIVE) is LIVE


def test_scores_are_compared_within_the_tolerance(model: Make) -> None:
    profile = ModelProfile.model_validate(
        {"output": "scores", "scores": {"threshold": 0.5, "anomalyWhen": "above"}, "features": {"file": "x"}}
    )
    one = model({"v1": ((0.1,), (0.9,), (0.3,)), "v2": ((0.1,), (0.9,), (0.2,))}, profile=profile)
    assert answered(one, [0.1, 0.6, 0.1, 0.9, 0.2008]).outcome is Outcome.OK
    assert answered(one, [0.1, 0.6, 0.1, 0.9, 0.3]).served_version == "v1"
    assert answered(one, [0.1, 0.6, 0.1, 0.9, 0.25]).detail == "golden row 3: expected 0.2, got 0.25"


@given(
    answers=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=6),
    place=st.integers(0, 5),
    noise=st.floats(-1, 1),
)
def test_noise_within_the_tolerance_is_no_difference_and_more_is(
    answers: list[tuple[float, float]], place: int, noise: float
) -> None:
    place %= len(answers)
    scale = max(abs(row[0]) for row in answers)
    for factor, differs in ((0.9e-3, None), (3e-3, place)):
        other = list(answers)
        other[place] = (answers[place][0] + noise * factor * scale, answers[place][1])
        if differs is None or abs(other[place][0] - answers[place][0]) > 1.1e-3 * scale:
            assert first_difference(tuple(answers), tuple(other), 1e-3) == differs


@given(st.lists(st.sampled_from([1, -1]), min_size=1, max_size=8), st.lists(st.sampled_from([1, -1]), max_size=8))
def test_labels_differ_exactly_where_they_differ(mine: list[int], other: list[int]) -> None:
    found = first_difference(tuple(mine), tuple(other), 0.5)
    assert (found is None) == (mine == other)
    assert found is None or mine[:found] == other[:found]


def test_profile_without_votes_still_has_golden_answers() -> None:
    assert not Reading(output="forecast").votes
    assert first_difference(((1.0, 2.0),), ((1.0,),), 0.1) == 0


def test_predictor_with_golden_rows_travels_to_workers_whole(model: Make) -> None:
    one = model()
    answered(one, [1, 1, 1, -1, 1])  # what is derived from the profile is there now, and must not get in the way
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own
