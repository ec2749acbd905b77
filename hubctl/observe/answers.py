"""Answers that are not predictions: status, content type and body into an outcome and a reason.

A 500 of KServe is often the caller's fault, a 503 comes from the model, its Service or a router, and a 403 from the
predictor or the proxy before it; only the text tells them apart, so the texts are listed here, in one table.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from hubctl.model.outputs import ANOMALY
from hubctl.model.predictor import InferenceService, Outcome, Prediction, Window
from hubctl.observe import golden, openinference, protocol, strict
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed


class Answer(NamedTuple):
    """An HTTP answer, read to its end or to our bound.

    Attributes:
        body: at most the bound's bytes, as sent.
        refused: why the body may not be used (an encoding we did not ask for, too large), or None.
        retry_after: the header of that name as it came; empty for none.
    """

    status: int
    content_type: str
    body: bytes
    refused: Malformed | None = None
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An Observation before it knows where and when it was made; fields as there."""

    outcome: Outcome
    reason: str = ""
    detail: str = ""
    anomalies: int = 0
    instances: int = 0
    served_version: str = ""


_BY_STATUS = {
    404: (Outcome.NOT_FOUND, Reason.PATH_NOT_FOUND),
    408: (Outcome.TIMEOUT, Reason.GATEWAY),
    429: (Outcome.OVERLOADED, Reason.OVERLOADED),
    502: (Outcome.UNREACHABLE, Reason.BAD_GATEWAY),
    503: (Outcome.NOT_READY, Reason.UNAVAILABLE),
    504: (Outcome.TIMEOUT, Reason.GATEWAY),
}
"""Statuses that mean one thing, unless a text below says more."""

_BY_CLASS = {
    2: (Outcome.MALFORMED, Reason.STATUS),
    3: (Outcome.MALFORMED, Reason.REDIRECT),
    4: (Outcome.MALFORMED, Reason.REJECTED_REQUEST),
    5: (Outcome.UNREACHABLE, Reason.SERVER_ERROR),
}

_OF_APISERVER = (
    (range(401, 402), "", Outcome.UNAUTHORIZED, Reason.APISERVER_TOKEN),
    (range(403, 404), "", Outcome.FORBIDDEN, Reason.APISERVER_DENIED),
    (range(404, 405), r"^services ", Outcome.NOT_FOUND, Reason.SERVICE_ABSENT),
)
"""As below, for answers that are a Status of Kubernetes, which no model server gives."""

_BY_TEXT = (
    (range(403, 404), r"exposed services allowlist", Outcome.FORBIDDEN, Reason.ALLOWLIST),
    (
        range(400, 401),
        r"only support https|invalid request headers|requestURL format|invalid service name",
        Outcome.MALFORMED,
        Reason.PROXY_URL,
    ),
    (range(400, 401), r"rpc error|transport: |connection error: ", Outcome.UNREACHABLE, Reason.TUNNEL),
    (range(502, 503), r"anp-proxy-server", Outcome.UNREACHABLE, Reason.TUNNEL),
    (range(500, 600), r"error trying to reach service", Outcome.UNREACHABLE, Reason.SERVICE_UNREACHABLE),
    (range(401, 402), r"authentication failed", Outcome.UNAUTHORIZED, Reason.APISERVER_TOKEN),
    (range(401, 402), "", Outcome.UNAUTHORIZED, Reason.TOKEN_REFUSED),
    (range(403, 404), "", Outcome.FORBIDDEN, Reason.DENIED),
    (range(400, 600), r"\bmodel\b.*(does not exist|not found)", Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
    (range(400, 401), r"is not ready yet", Outcome.NOT_READY, Reason.MODEL_NOT_READY),
    (range(503, 504), r"is not ready", Outcome.NOT_READY, Reason.MODEL_NOT_READY),
    (range(503, 504), r"overload|too many|queue|saturated", Outcome.OVERLOADED, Reason.OVERLOADED),
    (
        range(503, 504),
        r"no endpoints|application is not available|no server is available",
        Outcome.NOT_READY,
        Reason.NO_ENDPOINTS,
    ),
    (
        range(500, 501),
        r"KeyError|'(instances|inputs)'|\bfeatures?\b|could not convert|2D array|array=nan|reshape array",
        Outcome.MALFORMED,
        Reason.REJECTED_INPUT,
    ),
)
"""(statuses, text, outcome, reason), first match wins; texts of model servers, cluster-proxy and routers."""


def classify(status: int, content_type: str, body: bytes) -> tuple[Outcome, str, str]:
    """Outcome, reason and detail of an answer; ``ok`` only for a 200 that says it is JSON."""
    if status == HTTPStatus.OK:
        return _typed(content_type)
    said, by_apiserver = _said(body)
    detail = strict.excerpt(f"{status}: {said}" if said else str(status))
    for statuses, pattern, outcome, reason in (*(_OF_APISERVER if by_apiserver else ()), *_BY_TEXT):
        if status in statuses and re.search(pattern, said, re.IGNORECASE | re.DOTALL):
            return outcome, reason, detail
    fallback = _BY_CLASS.get(status // 100, (Outcome.MALFORMED, Reason.STATUS))
    outcome, reason = _BY_STATUS.get(status, fallback)
    return outcome, reason, detail


def judge(answer: Answer, service: InferenceService, rows: Window | NoWindow) -> Found:
    """What an answer to the rows that ``golden.asked`` names says, or to the question whether the model is ready."""
    if isinstance(rows, Window) or service.golden:
        return judge_prediction(answer, service, rows)
    return judge_presence(answer, service, rows)


def judge_prediction(answer: Answer, service: InferenceService, rows: Window | NoWindow) -> Found:
    """What an answer to a predict request says; live rows have no say where golden ones are answered wrongly."""
    wrong = _unusable(answer)
    if wrong is not None:
        return wrong
    live = len(rows.instances) if isinstance(rows, Window) else 0
    try:
        prediction = read_prediction(answer.body, service, len(golden.asked(service, rows)))
    except Malformed as error:
        return Found(Outcome.MALFORMED, error.reason, error.detail)
    version = prediction.model_version
    if service.golden:
        differs = golden.mismatch(service.golden, golden.answers_of(prediction, live))
        if differs is not None:
            return Found(Outcome.GOLDEN_MISMATCH, differs.reason, differs.detail, served_version=differs.version)
        version = service.version
    if isinstance(rows, NoWindow):
        return Found(Outcome.OK, rows.reason, rows.detail, served_version=version)
    anomalies = prediction.labels[:live].count(ANOMALY)
    return Found(Outcome.OK, anomalies=anomalies, instances=live, served_version=version)


def read_prediction(body: bytes, service: InferenceService, count: int) -> Prediction:
    """What the body of a 200 to a predict request predicts for ``count`` rows.

    Raises:
        Malformed: it does not keep the protocol, or is not what is declared of the model.
    """
    decode = protocol.decode if service.profile.spoken == "v1" else openinference.decode
    return decode(body, count=count, output=service.profile, model=service.name)


def judge_presence(answer: Answer, service: InferenceService, why: Malformed) -> Found:
    """What an answer to the question whether the model is ready says; ``why`` there were no rows to send instead."""
    v2 = service.profile.spoken == "v2"
    # MLServer says it with an empty body, whose type is none.
    wrong = None if v2 and answer.status == HTTPStatus.OK and not answer.body.strip() else _unusable(answer)
    if wrong is not None:
        return wrong
    try:
        ready = (openinference if v2 else protocol).decode_ready(answer.body, model=service.name)
    except Malformed as error:
        return Found(Outcome.MALFORMED, error.reason, error.detail)
    if ready:
        return Found(Outcome.OK, why.reason, why.detail)
    return Found(Outcome.NOT_READY, Reason.MODEL_NOT_READY, f"{service.name} says that it is not ready")


def _unusable(answer: Answer) -> Found | None:
    outcome, reason, detail = classify(answer.status, answer.content_type, answer.body)
    if outcome is not Outcome.OK:
        return Found(outcome, reason, detail)
    if answer.refused is not None:
        return Found(Outcome.MALFORMED, answer.refused.reason, answer.refused.detail)
    return None


def _typed(content_type: str) -> tuple[Outcome, str, str]:
    essence = content_type.partition(";")[0].strip().lower()
    if essence == protocol.CONTENT_TYPE or (essence.startswith("application/") and essence.endswith("+json")):
        return Outcome.OK, "", ""
    shown = strict.excerpt(content_type) or "none"
    return Outcome.MALFORMED, Reason.CONTENT_TYPE, strict.excerpt(f"expected {protocol.CONTENT_TYPE}, got {shown}")


def _said(body: bytes) -> tuple[str, bool]:
    """The message in an error's body: KServe's ``error``, FastAPI's ``detail``, Kubernetes' ``message``, or all.

    And whether it is a Status of Kubernetes.
    """
    try:
        value = strict.parse(body)
    except Malformed:
        return strict.excerpt(body.decode(errors="replace"), 2000), False
    status = isinstance(value, dict) and value.get("kind") == "Status"
    if isinstance(value, dict):
        value = next((value[key] for key in ("error", "detail", "message") if value.get(key)), value)
    return strict.excerpt(value if isinstance(value, str) else str(value), 2000), status
