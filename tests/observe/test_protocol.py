import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.outputs import Reading
from hubctl.model.predictor import Prediction
from hubctl.observe import protocol
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["predictions", "model_name", "x"]), inner)
    ),
    max_leaves=12,
)


def labels(body: bytes, count: int = 2) -> Prediction:
    return protocol.decode(body, count=count, output=Reading(), model="anomaly-detector")


def forecast(body: bytes, count: int = 2) -> Prediction:
    return protocol.decode(body, count=count, output=Reading(output="forecast"), model="predictive-analytics")


def reason_of(body: bytes, count: int = 2) -> Reason:
    with pytest.raises(Malformed) as caught:
        labels(body, count)
    return caught.value.reason


def test_answer_with_predictions_alone_is_read() -> None:
    assert labels(b'{"predictions": [-1, 1]}') == Prediction(labels=(-1, 1), said=(-1, 1))


def test_answer_with_model_name_and_version_is_read() -> None:
    body = b'{"predictions": [-1, 1], "model_name": "anomaly-detector", "model_version": "v1"}'
    assert labels(body) == Prediction(labels=(-1, 1), said=(-1, 1), model_name="anomaly-detector", model_version="v1")


def test_bare_list_of_a_custom_model_is_read() -> None:
    assert labels(b"[1, 1]").labels == (1, 1)


def test_integral_floats_are_labels() -> None:
    read = labels(b"[1.0, -1.0]").labels
    assert read == (1, -1)
    assert all(type(label) is int for label in read)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("true", Reason.LABEL_BOOL),
        ('"1"', Reason.LABEL_STRING),
        ("null", Reason.LABEL_NULL),
        ("0", Reason.LABEL_ZERO),
        ("-0.0", Reason.LABEL_ZERO),
        ("2", Reason.LABEL_NUMBER),
        ("0.5", Reason.LABEL_NUMBER),
        ("[1]", Reason.LABEL_TYPE),
        ("NaN", Reason.NOT_FINITE),
        ("-Infinity", Reason.NOT_FINITE),
        ("1e999", Reason.NOT_FINITE),
    ],
)
def test_what_is_not_a_label_is_refused_by_name(value: str, reason: Reason) -> None:
    assert reason_of(f'{{"predictions": [1, {value}]}}'.encode()) == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.SYNTAX),
        (b"<html>", Reason.SYNTAX),
        (b"[1, 1] x", Reason.SYNTAX),
        (b"\xef\xbb\xbf[1, 1]", Reason.BYTE_ORDER_MARK),
        (b'{"predictions": [1, 1], "x": "\xff"}', Reason.NOT_UTF8),
        (b'{"predictions": [1, 1], "predictions": [-1, -1]}', Reason.DUPLICATE_KEY),
        (b'{"predictions": [1, 1], "x": {"a": 1, "a": 1}}', Reason.DUPLICATE_KEY),
        (b'{"outputs": []}', Reason.NO_PREDICTIONS),
        (b"3", Reason.NO_PREDICTIONS),
        (b'{"predictions": {"cpu_usage": {"forecast": [1]}}}', Reason.PREDICTIONS_TYPE),
        (b"[1]", Reason.COUNT),
        (b"[1, 1, 1]", Reason.COUNT),
        (b"[]", Reason.COUNT),
        (b'{"predictions": [1, 1], "model_name": "other"}', Reason.MODEL_NAME),
        (b'{"predictions": [1, 1], "model_version": 2}', Reason.MODEL_VERSION),
        (b'{"predictions": [1, 1], "model_version": "\\u001b[31m"}', Reason.MODEL_VERSION),
        (b'{"predictions": [1, 1], "x": ' + b"[" * 40 + b"]" * 40 + b"}", Reason.NESTING),
        (b"[" * 100_000, Reason.NESTING),
        (b"[1, 1" + b"0" * 100_000 + b"]", Reason.NUMBER_TOO_LONG),
        (b"[1, 1." + b"0" * 100_000 + b"]", Reason.NUMBER_TOO_LONG),
    ],
)
def test_what_is_not_an_answer_is_refused_by_name(body: bytes, reason: Reason) -> None:
    assert reason_of(body) == reason


def test_megabyte_of_hostile_json_takes_little_time() -> None:
    keys = b"{" + b",".join(b'"k%d":1' % number for number in range(90_000)) + b',"k89999":1}'
    began = time.process_time()
    assert reason_of(keys) == Reason.DUPLICATE_KEY
    assert reason_of(b"[" + b"9" * 1_000_000 + b"]") == Reason.NUMBER_TOO_LONG
    assert time.process_time() - began < 2


def test_forecast_is_rows_of_equal_width() -> None:
    assert forecast(b'{"predictions": [[1, 2.5], [3, 4]]}').rows == ((1.0, 2.5), (3.0, 4.0))


def test_flat_forecast_is_rows_of_width_one() -> None:
    assert forecast(b"[0.5, 2]").rows == ((0.5,), (2.0,))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[[1], [1, 2]]", Reason.ROW_WIDTH),
        (b"[[], []]", Reason.ROW_WIDTH),
        (b"[[1], 2]", Reason.ROW_TYPE),
        (b"[[1], [null]]", Reason.ROW_VALUE),
        (b"[true, false]", Reason.ROW_VALUE),
    ],
)
def test_what_is_not_a_forecast_is_refused_by_name(body: bytes, reason: Reason) -> None:
    with pytest.raises(Malformed) as caught:
        forecast(body)
    assert caught.value.reason == reason


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.integers(0, 3))
def test_decode_raises_nothing_but_malformed(body: bytes, count: int) -> None:
    for read in (labels, forecast):
        detail = ""
        try:
            answer = read(body, count)
        except Malformed as error:
            detail = error.detail
        else:
            assert len(answer.labels or answer.rows) == count
        assert len(detail) < 600
        assert detail.isprintable()


@given(st.lists(st.sampled_from([-1, 1]), min_size=1))
def test_labels_come_back_as_they_were_sent(sent: list[int]) -> None:
    body = json.dumps({"predictions": sent}).encode()
    answer = labels(body, len(sent))
    assert answer.labels == tuple(sent)
    assert answer.anomalies == sent.count(-1)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1))
def test_rows_survive_encoding_and_decoding(rows: list[tuple[float, float]]) -> None:
    body = protocol.encode(rows).replace(b'"instances"', b'"predictions"')
    assert forecast(body, len(rows)).rows == tuple(rows)


def test_a_number_that_is_not_finite_is_never_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        protocol.encode([[float("nan")]])


@pytest.mark.parametrize(
    ("body", "ready"),
    [
        (b'{"name":"m","ready":true}', True),
        (b'{"name":"m","ready":false}', False),
        (b'{"model_version_status":[]}', True),
    ],
)
def test_model_says_whether_it_is_ready(body: bytes, ready: bool) -> None:  # noqa: FBT001 - parametrized
    assert protocol.decode_ready(body, model="m") is ready


def test_another_models_readiness_is_refused() -> None:
    with pytest.raises(Malformed, match="expected `name` m"):
        protocol.decode_ready(b'{"name":"other","ready":true}', model="m")
