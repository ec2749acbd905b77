"""Golden rows in a question and in its answer: what is sent beside the live rows, and what their answers tell.

Pure. The live rows come first, so that what a server says of a row's number is about the row that people know.
"""

import json
from dataclasses import dataclass
from typing import Any

from hubctl.model.golden import Answers, Golden
from hubctl.model.predictor import InferenceService, Prediction, Window
from hubctl.observe import strict
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Golden rows that were answered otherwise than recorded of the version.

    Attributes:
        version: another known one that answers so; empty when none does.
    """

    reason: Reason
    detail: str
    version: str = ""


def fitted(service: InferenceService, rows: Window | NoWindow) -> Window | NoWindow:
    """The live rows, unless they are not as wide as the golden ones, with which they share a request."""
    if service.golden is None or not isinstance(rows, Window):
        return rows
    expected, found = len(service.golden.rows[0]), len(rows.instances[0])
    if expected == found:
        return rows
    detail = f"expected {expected} numbers in a row as in the golden rows of {service.name}, found {found}"
    return NoWindow(Reason.FEATURES_INVALID, detail)


def asked(service: InferenceService, rows: Window | NoWindow) -> tuple[tuple[float, ...], ...]:
    """The rows to send, live ones first; none where only the question remains whether the model is ready."""
    live = rows.instances if isinstance(rows, Window) else ()
    return (*live, *service.golden.rows) if service.golden else live


def answers_of(prediction: Prediction, live: int) -> Answers:
    """What was answered to the rows behind the live ones."""
    return (prediction.said or prediction.rows)[live:]


def mismatch(golden: Golden, got: Answers) -> Mismatch | None:
    """What is wrong with the answers to golden rows; None when they are as recorded."""
    place = golden.differs(got)
    if place is None:
        return None
    if others := golden.others(got):
        told = f"expected the answers of {golden.version}, got those of {' or '.join(others)}"
        return Mismatch(Reason.GOLDEN_OTHER_VERSION, strict.excerpt(told), others[0])
    detail = f"golden row {place + 1}: expected {_shown(golden.expected, place)}, got {_shown(got, place)}"
    return Mismatch(Reason.GOLDEN_DIFFERS, strict.excerpt(detail))


def _shown(answers: Answers, place: int) -> str:
    value: Any = answers[place] if place < len(answers) else "nothing"
    if isinstance(value, tuple):
        value = value[0] if len(value) == 1 else value
    return strict.excerpt(json.dumps(value), _SHOWN)
