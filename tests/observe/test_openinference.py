"""Protocol v2, as KServe's own servers and MLServer answer it."""

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.outputs import Reading, Tensor
from hubctl.model.predictor import InferenceService, Outcome, Prediction, Window
from hubctl.model.values import ModelProfile
from hubctl.observe import openinference
from hubctl.observe.answers import Answer, judge_prediction, judge_presence
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = "application/json"


def answered(shape: object, data: object, **more: object) -> bytes:
    return json.dumps(
        {"outputs": [{"name": "output-0", "shape": shape, "datatype": "INT64", "data": data}], **more}
    ).encode()


def read(body: bytes, output: Literal["labels", "forecast"] = "labels", wanted: str | None = None) -> Prediction:
    return openinference.decode(body, count=2, output=Reading(output=output, tensor=Tensor(output=wanted)), model="m")


def reason_of(body: bytes, output: Literal["labels", "forecast"] = "labels", wanted: str | None = None) -> Reason:
    with pytest.raises(Malformed) as caught:
        read(body, output, wanted)
    return caught.value.reason


@given(
    rows=st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(FINITE, min_size=width, max_size=width), min_size=1))
)
def test_sent_tensor_holds_the_rows_in_order(rows: list[list[float]]) -> None:
    sent = json.loads(openinference.encode(rows, Tensor()))["inputs"][0]
    count, width = sent["shape"]
    assert [sent["data"][row * width : (row + 1) * width] for row in range(count)] == rows
    assert (sent["name"], sent["datatype"]) == ("input-0", "FP64")


def test_names_of_tensors_are_those_of_the_model() -> None:
    tensor = Tensor(name="float_input", datatype="FP32", output="label")
    sent = json.loads(openinference.encode([[1.0]], tensor))
    assert (sent["inputs"][0]["name"], sent["inputs"][0]["datatype"]) == ("float_input", "FP32")
    assert sent["outputs"] == [{"name": "label"}]


@pytest.mark.parametrize(
    ("shape", "data"), [([2], [-1, 1]), ([2, 1], [-1, 1]), ([2, 1], [[-1], [1]]), ([2], [-1.0, 1.0])]
)
def test_labels_are_read_in_every_shape_that_servers_give_them(shape: object, data: object) -> None:
    assert read(answered(shape, data, model_name="m", model_version=None)).labels == (-1, 1)


def test_version_that_the_server_names_is_kept() -> None:
    assert read(answered([2], [1, 1], model_version="v3")).model_version == "v3"


def test_forecast_is_cut_into_rows() -> None:
    assert read(answered([2, 2], [1, 2, 3, 4]), "forecast").rows == ((1.0, 2.0), (3.0, 4.0))


def test_tensor_that_the_profile_names_is_read() -> None:
    both = {
        "outputs": [
            {"name": "scores", "shape": [2], "data": [0.1, 0.2]},
            {"name": "label", "shape": [2], "data": [1, -1]},
        ]
    }
    assert read(json.dumps(both).encode(), wanted="label").labels == (1, -1)
    assert reason_of(json.dumps(both).encode()) is Reason.LABEL_NUMBER


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[1, 1]", Reason.NO_PREDICTIONS),
        (b'{"predictions": [1, 1]}', Reason.NO_PREDICTIONS),
        (b'{"outputs": []}', Reason.NO_PREDICTIONS),
        (b'{"outputs": [1]}', Reason.PREDICTIONS_TYPE),
        (answered([2], "ab"), Reason.PREDICTIONS_TYPE),
        (answered([2], [1]), Reason.SHAPE),
        (answered([], [1]), Reason.SHAPE),
        (answered([-1, -2], [1, 1]), Reason.SHAPE),
        (answered([True, 2], [1, 1]), Reason.SHAPE),
        (answered([2, 2], [1, 1, 1, 1]), Reason.SHAPE),
        (answered([3], [1, 1, 1]), Reason.COUNT),
        (answered([1, 2], [1, 1]), Reason.COUNT),
        (answered([2], [1, 0]), Reason.LABEL_ZERO),
        (answered([2], [1, None]), Reason.LABEL_NULL),
        (answered([2], [1, True]), Reason.LABEL_BOOL),
        (answered([2], [1, 1], model_name="other"), Reason.MODEL_NAME),
        (b'{"outputs": [{"shape": [2], "data": [1, NaN]}]}', Reason.NOT_FINITE),
    ],
)
def test_answer_that_is_no_prediction_is_named(body: bytes, reason: Reason) -> None:
    assert reason_of(body) is reason


def test_tensor_that_is_not_there_is_named() -> None:
    assert reason_of(answered([2], [1, 1]), wanted="label") is Reason.NO_PREDICTIONS


Values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["outputs", "shape", "data"]), inner),
    max_leaves=12,
)


@given(value=Values, output=st.sampled_from(["labels", "forecast"]))
def test_any_json_is_read_or_named(value: Any, output: Literal["labels", "forecast"]) -> None:
    try:
        found = read(json.dumps(value).encode(), output)
    except Malformed:
        return
    assert len(found.labels or found.rows) == 2


@pytest.fixture
def model(service: Callable[..., InferenceService]) -> InferenceService:
    return service("http://h", name="m", profile=ModelProfile(format="sklearn", protocol="v2"))


@pytest.mark.parametrize(("body", "kind"), [(b"", ""), (b"", JSON), (b'{"name": "m", "ready": true}', JSON)])
def test_ready_is_said_by_status_alone_or_in_words(model: InferenceService, body: bytes, kind: str) -> None:
    found = judge_presence(Answer(200, kind, body), model, NoWindow(Reason.NO_FEATURES, "none"))
    assert (found.outcome, found.reason) == (Outcome.OK, Reason.NO_FEATURES)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (Answer(200, JSON, b'{"name": "m", "ready": false}'), Outcome.NOT_READY, Reason.MODEL_NOT_READY),
        (Answer(400, JSON, b'{"error": "Model m is not ready yet."}'), Outcome.NOT_READY, Reason.MODEL_NOT_READY),
        (Answer(404, JSON, b'{"error": "Model m not found"}'), Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
        (Answer(200, "text/html", b"<html>"), Outcome.MALFORMED, Reason.CONTENT_TYPE),
    ],
)
def test_model_that_is_not_ready_is_told_from_one_that_is_not_there(
    model: InferenceService, answer: Answer, outcome: Outcome, reason: Reason
) -> None:
    found = judge_presence(answer, model, NoWindow(Reason.NO_FEATURES, "none"))
    assert (found.outcome, found.reason) == (outcome, reason)


def test_empty_answer_to_a_prediction_is_none(model: InferenceService) -> None:
    found = judge_prediction(Answer(200, JSON, b""), model, Window(instances=((1.0,), (2.0,)), digest="d"))
    assert (found.outcome, found.reason) == (Outcome.MALFORMED, Reason.SYNTAX)
