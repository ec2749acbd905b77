"""KServe's inference protocol v1: rows into bytes, an answer's bytes into a Prediction.

Strict on purpose. KServe writes NaN as ``null``, Go clients read ``null`` as 0, and some tools count 0 as normal; a
broken model would look healthy. What is not exactly a label of -1 or 1, or a row of finite numbers, is named and
refused. Shapes as real servers answer them: ``{"predictions": […]}``, with ``model_name`` and ``model_version`` only
if a custom model adds them, and a bare list from custom models.
"""

import json
from collections.abc import Sequence
from typing import Any, Literal

from hubctl.model.predictor import Prediction
from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

CONTENT_TYPE = "application/json"
"""Exactly this: with a charset behind it the Python server does not parse the body."""

_MAX_VERSION = 128


def encode(instances: Sequence[Sequence[float]]) -> bytes:
    """The body of a predict request.

    Raises:
        ValueError: a number is not finite; a Window holds none such.
    """
    return strict.dump({"instances": instances})


def decode(body: bytes, *, count: int, output: Literal["labels", "forecast"], model: str) -> Prediction:
    """What the body of a 200 predicts for ``count`` instances.

    Raises:
        Malformed: it is not strict JSON, or says something else than one label or one row per instance of this model.
    """
    value = strict.parse(body)
    answer = {"predictions": value} if isinstance(value, list) else value
    if not isinstance(answer, dict) or "predictions" not in answer:
        raise Malformed(Reason.NO_PREDICTIONS, f"expected a list under `predictions`, got {show(value)}")
    predictions = answer["predictions"]
    if not isinstance(predictions, list):
        raise Malformed(Reason.PREDICTIONS_TYPE, f"expected `predictions` to be a list, got {show(predictions)}")
    check_name(answer, "model_name", model)
    if len(predictions) != count:
        raise Malformed(Reason.COUNT, f"expected {count} predictions, one for each instance, got {len(predictions)}")
    version = read_version(answer.get("model_version"))
    name = answer.get("model_name") or ""
    if output == "labels":
        return Prediction(labels=tuple(map(read_label, predictions)), model_name=name, model_version=version)
    return Prediction(rows=read_rows(predictions), model_name=name, model_version=version)


def decode_ready(body: bytes, *, model: str) -> bool:
    """Whether the body of a 200 to ``GET /v1/models/<model>`` says that the model is ready.

    Servers other than KServe's own say it by status alone, so an object without ``ready`` means yes.

    Raises:
        Malformed: it is not a strict JSON object, or names another model.
    """
    answer = strict.parse(body)
    if not isinstance(answer, dict):
        raise Malformed(Reason.SYNTAX, f"expected an object that says whether {model} is ready, got {show(answer)}")
    check_name(answer, "name", model)
    return answer.get("ready", True) in (True, "True", "true")


def check_name(answer: dict[str, Any], key: str, model: str) -> None:
    """Refuse an answer of another model; one that names none is taken."""
    said = answer.get(key)
    if said is not None and said != model:
        raise Malformed(Reason.MODEL_NAME, f"expected `{key}` {model}, got {show(said)}")


def read_version(said: Any) -> str:
    """The version that an answer names, empty for none."""
    if said is None:
        return ""
    if isinstance(said, str) and len(said) <= _MAX_VERSION and said.isprintable():
        return said
    raise Malformed(Reason.MODEL_VERSION, f"expected `model_version` to be a short text, got {show(said)}")


def read_label(value: Any) -> int:
    """-1 (anomaly) or 1 (normal), and nothing that only resembles them."""
    # bool first: Python calls True an integer equal to 1.
    if not isinstance(value, bool) and isinstance(value, (int, float)) and value in (-1, 1):
        return int(value)
    raise Malformed(_wrong_label(value), f"expected a label of -1 or 1, got {show(value)}")


def _wrong_label(value: Any) -> Reason:
    if isinstance(value, bool):
        return Reason.LABEL_BOOL
    if isinstance(value, str):
        return Reason.LABEL_STRING
    if value is None:
        return Reason.LABEL_NULL
    if isinstance(value, (int, float)):
        return Reason.LABEL_NUMBER if value else Reason.LABEL_ZERO
    return Reason.LABEL_TYPE


def read_rows(predictions: list[Any]) -> tuple[tuple[float, ...], ...]:
    """Rows of one width; plain numbers are rows of one."""
    flat = all(isinstance(row, (int, float)) for row in predictions)
    rows = tuple(_row([row] if flat else row) for row in predictions)
    if len(widths := {len(row) for row in rows}) > 1:
        raise Malformed(Reason.ROW_WIDTH, f"expected rows of one width, got {min(widths)} and {max(widths)}")
    return rows


def _row(row: Any) -> tuple[float, ...]:
    if not isinstance(row, list):
        raise Malformed(Reason.ROW_TYPE, f"expected a row of numbers, got {show(row)}")
    if not row:
        raise Malformed(Reason.ROW_WIDTH, "expected at least one number in a row, got none")
    for value in row:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Malformed(Reason.ROW_VALUE, f"expected a number in a row, got {show(value)}")
    return tuple(map(float, row))


def show(value: Any) -> str:
    """What stood in an answer, short enough for a detail."""
    return strict.excerpt(json.dumps(value), 80)
