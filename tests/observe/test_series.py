"""Answers to range queries, whole and broken."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.observe import series
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.recipes import Grid, Missed

GRID = Grid(180, 60, 120)
WANTED = {"a", "b"}


def answer(*found: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": found}, **more}).encode()


def one(cluster: str | None, *values: tuple[float, str], **labels: str) -> dict[str, Any]:
    return {"metric": {**({"cluster": cluster} if cluster else {}), **labels}, "values": list(values)}


def read(data: bytes) -> series.Reading:
    return series.read(data, GRID, label="cluster", wanted=WANTED)


def reason(data: bytes) -> Reason:
    with pytest.raises(NoWindow) as caught:
        read(data)
    return caught.value.reason


WHOLE = ((60, "1"), (120, "2.5e-3"), (180, "-0"))


def test_series_stand_on_the_grid_and_steps_that_are_missing_stay_missing() -> None:
    found = read(answer(one("a", *WHOLE), one("b", WHOLE[0], WHOLE[2]), one("c", *WHOLE))).found
    assert found == {"a": (1.0, 0.0025, 0.0), "b": (1.0, None, 0.0)}


def test_not_finite_values_are_kept_as_they_are_said() -> None:
    [points] = read(answer(one("a", (60, "NaN"), (120, "+Inf"), (180, "-Inf")))).found.values()
    assert list(map(str, points if isinstance(points, tuple) else ())) == ["nan", "inf", "-inf"]


def test_two_series_of_one_spoke_are_ambiguous_for_that_spoke_only() -> None:
    found = read(answer(one("a", *WHOLE, zone="x"), one("a", *WHOLE, zone="y"), one("b", *WHOLE))).found
    assert isinstance(found["a"], Missed)
    assert found["a"].reason is Reason.METRICS_AMBIGUOUS
    assert isinstance(found["b"], tuple)


def test_series_of_nobody_and_no_series_are_told_apart() -> None:
    assert (read(answer(one(None, *WHOLE))).unlabelled, read(answer()).empty) == (True, True)
    assert (read(answer(one("a", *WHOLE))).unlabelled, read(answer(one("a", *WHOLE))).empty) == (False, False)


def test_one_spokes_own_answer_needs_no_label() -> None:
    found = series.read(answer(one(None, *WHOLE)), GRID, label="", wanted=("a",)).found
    assert found == {"a": (1.0, 0.0025, 0.0)}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (answer(one("a", *WHOLE), warnings=["store gone"]), Reason.METRICS_PARTIAL),
        (answer(one("a", *WHOLE), isPartial=True), Reason.METRICS_PARTIAL),
        (b'{"status":"error","errorType":"bad_data","error":"parse error"}', Reason.METRICS_REFUSED),
        (b'{"status":"success","data":{"resultType":"vector","result":[]}}', Reason.METRICS_MALFORMED),
        (b'{"status":"success"}', Reason.METRICS_MALFORMED),
        (b"<html>login</html>", Reason.METRICS_MALFORMED),
        (b"[]", Reason.METRICS_MALFORMED),
        (answer({"metric": {"cluster": "a"}, "histograms": []}), Reason.METRICS_MALFORMED),
        (answer(one("a", (61, "1"))), Reason.METRICS_MALFORMED),
        (answer(one("a", (60, "1"), (60, "2"))), Reason.METRICS_MALFORMED),
        (answer(one("a", (60, "1_0"))), Reason.METRICS_MALFORMED),
        (answer(one("a", (60, ""))), Reason.METRICS_MALFORMED),
        (answer({"metric": {"cluster": "a"}, "values": [[60, 1.0]]}), Reason.METRICS_MALFORMED),
        (answer({"metric": {"cluster": "a"}, "values": [[60]]}), Reason.METRICS_MALFORMED),
    ],
)
def test_what_is_no_whole_answer_is_none(data: bytes, expected: Reason) -> None:
    assert reason(data) is expected


def test_remarks_that_are_no_warnings_do_no_harm() -> None:
    assert read(answer(one("a", *WHOLE), warnings=["PromQL info: metric might not be a counter"], infos=["x"])).found


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metric", "values", "cluster"]), inner)
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_whatever_is_answered_makes_no_other_error(result: Any, warnings: Any) -> None:
    body = {"status": "success", "warnings": warnings, "data": {"resultType": "matrix", "result": result}}
    for data in (json.dumps(body).encode(), json.dumps(result).encode()):
        with contextlib.suppress(NoWindow):
            read(data)
