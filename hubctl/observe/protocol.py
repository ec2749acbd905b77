"""KServe's inference protocol v1: rows into bytes, an answer's bytes into a Prediction.

Shapes as real servers answer them: ``{"predictions": […]}``, with ``model_name`` and ``model_version`` only if a custom
model adds them, and a bare list from custom models. What the predictions say is read in ``reading``.
"""

from collections.abc import Sequence
from typing import Any

from hubctl.model.outputs import Reading
from hubctl.model.predictor import Prediction
from hubctl.observe import reading, strict
from hubctl.observe.reading import show
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


def decode(body: bytes, *, count: int, output: Reading, model: str) -> Prediction:
    """What the body of a 200 predicts for ``count`` instances.

    Raises:
        Malformed: it is not strict JSON, or says something else than one declared value per instance of this model.
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
    found = reading.read(predictions, output)
    return Prediction(found.labels, found.rows, found.said, answer.get("model_name") or "", version)


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
