"""Declared outputs: labels of any kind, scores, classes and forecasts become votes by what is said, not by a guess."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hubctl.model.outputs import Reading
from hubctl.model.predictor import Prediction
from hubctl.model.values import ModelProfile
from hubctl.observe import openinference, protocol, reading
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

NAMED = {"labels": {"normal": [0, "ok"], "anomaly": [1, "bad"]}}
SWITCH = {"labels": {"normal": [False], "anomaly": [True]}}
SCORES = {"output": "scores", "scores": {"threshold": 0.5, "anomaly_when": "above"}}
CLASSES = {"output": "classes", "classes": {"names": ["ok", "disk", "fan"], "anomaly": ["disk", "fan"]}}


def declared(**said: Any) -> Reading:
    return Reading.model_validate(said)


def v1(values: object, **said: Any) -> Prediction:
    body = json.dumps({"predictions": values}).encode()
    return protocol.decode(body, count=2, output=declared(**said), model="m")


def v2(shape: list[int], data: list[Any], *, datatype: str = "FP64", **said: Any) -> Prediction:
    outputs = [
        {"name": "other", "shape": [1], "datatype": "INT64", "data": [7]},
        {"name": "answer", "shape": shape, "datatype": datatype, "data": data},
    ]
    output = declared(tensor={"output": "answer"}, **said)
    return openinference.decode(json.dumps({"outputs": outputs}).encode(), count=2, output=output, model="m")


def reason_of(values: object, **said: Any) -> Reason:
    with pytest.raises(Malformed) as caught:
        v1(values, **said)
    return caught.value.reason


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 1], NAMED),
        ([0.0, 1.0], NAMED),
        (["ok", "bad"], NAMED),
        ([0, "bad"], NAMED),
        ([0, 1.0], NAMED),
        ([False, True], SWITCH),
        ([1, -1], {}),
        ([0.5, 0.6], SCORES),
        ([[0.1], [0.9]], SCORES),
        ([[0.9, 0.1], [0.1, 0.9]], {**SCORES, "scores": {**SCORES["scores"], "column": 1}}),  # type: ignore[dict-item]
        ([[0.9, 0.1], [0.1, 0.9]], {**SCORES, "scores": {**SCORES["scores"], "column": -1}}),  # type: ignore[dict-item]
        ([{"score": 0.1}, {"score": 0.9}], {**SCORES, "scores": {**SCORES["scores"], "column": "score"}}),  # type: ignore[dict-item]
        ([0.1, -0.1], {"output": "scores", "scores": {"threshold": 0, "anomaly_when": "below"}}),
        ([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]], CLASSES),
        ([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]], CLASSES),
    ],
)
def test_first_row_is_normal_and_the_second_an_anomaly(values: object, said: dict[str, Any]) -> None:
    assert v1(values, **said).labels == (1, -1)


@pytest.mark.parametrize(
    ("values", "said", "reason"),
    [
        ([0, 2], NAMED, Reason.LABEL_UNMAPPED),
        ([0, -1], NAMED, Reason.LABEL_UNMAPPED),
        (["ok", "OK"], NAMED, Reason.LABEL_UNMAPPED),
        ([0, True], NAMED, Reason.LABEL_BOOL),
        ([0, None], NAMED, Reason.LABEL_NULL),
        ([0, [1]], NAMED, Reason.LABEL_TYPE),
        ([0, 1], SWITCH, Reason.LABEL_ZERO),
        ([0, 1], {}, Reason.LABEL_ZERO),
        ([0.1, None], SCORES, Reason.SCORE_VALUE),
        ([0.1, "0.9"], SCORES, Reason.SCORE_VALUE),
        ([0.1, True], SCORES, Reason.SCORE_VALUE),
        ([[0.1, 0.2], [0.1, 0.2]], SCORES, Reason.SCORE_VALUE),
        ([[0.1], [0.9]], {**SCORES, "scores": {**SCORES["scores"], "column": 1}}, Reason.SCORE_COLUMN),  # type: ignore[dict-item]
        ([0.1, 0.9], {**SCORES, "scores": {**SCORES["scores"], "column": "score"}}, Reason.SCORE_COLUMN),  # type: ignore[dict-item]
        ([[0.8, 0.1, 0.1], [0.8, 0.2]], CLASSES, Reason.ROW_WIDTH),
        ([[0.8, 0.1, 0.1], [8, 1, 1]], CLASSES, Reason.NOT_PROBABILITIES),
        ([[0.8, 0.1, 0.1], [1.2, -0.1, -0.1]], CLASSES, Reason.NOT_PROBABILITIES),
        ([0, 1], CLASSES, Reason.ROW_TYPE),
        ([[1, 2], [3, 4]], {"output": "forecast", "forecast": {"width": 3}}, Reason.ROW_WIDTH),
        ([[1, 2], [3, None]], {"output": "forecast"}, Reason.ROW_VALUE),
    ],
)
def test_what_is_not_declared_is_refused_by_name(values: object, said: dict[str, Any], reason: Reason) -> None:
    assert reason_of(values, **said) == reason


@pytest.mark.parametrize("text", ["[1, NaN]", "[1, Infinity]", '[1, "NaN"]', "[1, null]"])
@pytest.mark.parametrize("said", [{}, NAMED, SCORES, CLASSES, {"output": "forecast"}])
def test_numbers_that_are_none_are_refused_whatever_is_declared(text: str, said: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        protocol.decode(f'{{"predictions": {text}}}'.encode(), count=2, output=declared(**said), model="m")


@pytest.mark.parametrize(
    ("shape", "data", "datatype", "said"),
    [
        ([2], [0, 1], "INT64", NAMED),
        ([2, 1], [0, 1], "INT32", NAMED),
        ([2, 1], [["ok"], ["bad"]], "BYTES", NAMED),
        ([2], ["ok", "bad"], "BYTES", NAMED),
        ([2], [False, True], "BOOL", SWITCH),
        ([2, 1], [0.1, 0.9], "FP32", SCORES),
        ([2], [0.1, 0.9], "FP32", SCORES),
        ([2, 2], [0.9, 0.1, 0.1, 0.9], "FP32", {**SCORES, "scores": {**SCORES["scores"], "column": 1}}),  # type: ignore[dict-item]
        ([2, 3], [0.8, 0.1, 0.1, 0.1, 0.1, 0.8], "FP32", CLASSES),
    ],
)
def test_v2_reads_the_same_from_every_datatype_and_shape(
    shape: list[int], data: list[Any], datatype: str, said: dict[str, Any]
) -> None:
    assert v2(shape, data, datatype=datatype, **said).labels == (1, -1)


def test_golden_rows_are_compared_by_what_the_model_says() -> None:
    assert v1(["ok", "bad"], **NAMED).said == ("ok", "bad")
    assert v1([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]], **CLASSES).said == ("ok", "fan")
    assert v1([0.25, 0.75], **SCORES).rows == ((0.25,), (0.75,))


@given(
    kinds=st.sampled_from([{}, NAMED, SWITCH]),
    values=st.lists(st.sampled_from([-1, 0, 1, -1.0, 0.0, 1.0, True, False, "ok", "bad", None, "x"]), max_size=6),
)
def test_short_way_and_long_way_agree(kinds: dict[str, Any], values: list[Any]) -> None:
    output = declared(**kinds)

    def one_by_one() -> tuple[int, ...] | None:
        try:
            return tuple(reading.read([value], output).labels[0] for value in values)
        except Malformed:
            return None

    try:
        assert reading.read(values, output).labels == one_by_one()
    except Malformed:
        assert one_by_one() is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"labels": {"normal": [0], "anomaly": [0]}}, "expected each label once"),
        ({"labels": {"normal": [1], "anomaly": [True]}}, "expected each label once"),
        ({"labels": {"normal": []}}, "at least 1"),
        ({"output": "scores"}, "output scores needs scores"),
        ({"output": "classes"}, "output classes needs classes"),
        ({"output": "forecast", **NAMED}, "labels is only for output labels"),
        ({**CLASSES, "classes": {"names": ["ok", "ok"], "anomaly": ["ok"]}}, "expected each class once"),
        ({**CLASSES, "classes": {"names": ["ok", "bad"], "anomaly": ["worse"]}}, "expected classes of names"),
        ({**CLASSES, "classes": {"names": ["ok", "bad"], "anomaly": ["ok", "bad"]}}, "no anomaly"),
    ],
)
def test_declaration_that_says_nothing_or_two_things_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ModelProfile.model_validate(said)
