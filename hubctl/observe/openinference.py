"""The Open Inference Protocol, which KServe calls v2: rows into a tensor, an answer's tensor into a Prediction.

As strict as v1, and as tolerant of what its servers really differ in: KServe answers shape ``[n]`` and writes absent
fields as ``null``, MLServer answers ``[n, 1]`` and leaves them out, and says by status alone that a model is ready.
Source: kserve/open-inference-protocol, ``specification/protocol/inference_rest.md``.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from hubctl.model.outputs import Reading, Tensor
from hubctl.model.predictor import Prediction
from hubctl.observe import protocol, reading, strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed


def encode(instances: Sequence[Sequence[float]], tensor: Tensor) -> bytes:
    """The body of an infer request: one tensor, a row an instance.

    Raises:
        ValueError: a number is not finite; a Window holds none such.
    """
    width = len(instances[0]) if instances else 0
    sent = {
        "name": tensor.name,
        "shape": [len(instances), width],
        "datatype": tensor.datatype,
        "data": [value for row in instances for value in row],
    }
    wanted = {"outputs": [{"name": tensor.output}]} if tensor.output else {}
    return strict.dump({"inputs": [sent], **wanted})


def decode(body: bytes, *, count: int, output: Reading, model: str) -> Prediction:
    """What the body of a 200 predicts for ``count`` instances: the tensor that is named, else the first.

    Raises:
        Malformed: it is not strict JSON, or says something else than one declared value per instance of this model.
    """
    answer = strict.parse(body)
    if not isinstance(answer, dict) or not answer.get("outputs"):
        raise Malformed(Reason.NO_PREDICTIONS, f"expected tensors under `outputs`, got {reading.show(answer)}")
    protocol.check_name(answer, "model_name", model)
    shape, data = _tensor(answer["outputs"], output.tensor.output)
    if shape[0] != count:
        raise Malformed(Reason.COUNT, f"expected {count} predictions, one for each instance, got {shape[0]}")
    version = protocol.read_version(answer.get("model_version"))
    width = len(data) // count if count else 1
    if width != 1 and output.output == "labels":
        raise Malformed(Reason.SHAPE, f"expected one label for each instance, got shape {shape}")
    rows = data if output.output == "labels" else [data[row * width : (row + 1) * width] for row in range(count)]
    found = reading.read(rows, output)
    return Prediction(found.labels, found.rows, found.said, answer.get("model_name") or "", version)


def decode_ready(body: bytes, *, model: str) -> bool:
    """Whether the body of a 200 to ``GET /v2/models/<model>/ready`` says that the model is ready; an empty one does.

    Raises:
        Malformed: it is neither empty nor a strict JSON object, or names another model.
    """
    return not body.strip() or protocol.decode_ready(body, model=model)


def _tensor(outputs: Any, wanted: str | None) -> tuple[list[int], list[Any]]:
    """Shape and flat data of one output tensor."""
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        raise Malformed(Reason.PREDICTIONS_TYPE, f"expected `outputs` to be tensors, got {reading.show(outputs)}")
    names = [each.get("name") for each in outputs]
    if wanted and wanted not in names:
        raise Malformed(Reason.NO_PREDICTIONS, f"expected a tensor {wanted}, got {reading.show(names)}")
    chosen = outputs[names.index(wanted) if wanted else 0]
    shape, data = chosen.get("shape"), chosen.get("data")
    if not isinstance(data, list):
        raise Malformed(Reason.PREDICTIONS_TYPE, f"expected `data` to be a list, got {reading.show(data)}")
    flat = list(_flat(data))
    if not _is_shape(shape) or math.prod(shape) != len(flat):
        raise Malformed(Reason.SHAPE, f"expected a shape of {len(flat)} values, got {reading.show(shape)}")
    return shape, flat


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in value)
    )


def _flat(data: list[Any]) -> Iterator[Any]:
    """The values of data that some servers nest as their shape says; strict.parse bounds the depth."""
    for value in data:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value
